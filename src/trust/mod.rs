//! What convinces clients: files with the authority's certificate, and the environment that points to them.

mod environment;
mod files;
mod roots;
mod table;

pub use environment::{Direct, Environment, Way, inherited};
pub use files::{File, Files, FilesError};
pub use roots::Roots;
use table::OTHER_PROXIES;
pub use table::{TABLE, Value, Variable};
