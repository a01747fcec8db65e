//! What convinces clients: a bundle with the authority's certificate, and the environment that points to it.

mod bundle;
mod environment;
mod table;

pub use bundle::{Bundle, BundleError};
pub use environment::{Environment, Reach};
pub use table::{TABLE, Value, Variable};
