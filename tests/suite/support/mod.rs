//! What the tests stand on: an origin to download from, a scene to run programs in.

mod origin;
mod scene;

pub(crate) use origin::{Asked, Origin, answer, text};
pub(crate) use scene::{Scene, finish, need, run};
