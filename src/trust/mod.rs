//! What convinces clients: files with the authority's certificate, the environment that points to them, and what
//! outranks a person's own settings of a proxy.

mod environment;
mod extensions;
mod files;
mod roots;
mod settings;
mod table;
mod terms;

pub use environment::{Direct, Environment, Way, inherited};
pub use files::{File, Files, FilesError};
pub use roots::Roots;
pub use settings::{Client, Route, Setting, Settings, Unreached};
use table::OTHER_PROXIES;
pub use table::{Git, TABLE, Value, Variable};
pub use terms::Terms;
