//! What the tests stand on: origins to download from, a scene to run programs in.

mod origin;
mod raw;
mod reply;
mod scene;

pub(crate) use origin::{Asked, Origin, answer, text};
pub(crate) use raw::{Heard, RawOrigin};
pub(crate) use reply::{End, Framing, Reply, ok, redirect, reply};
pub(crate) use scene::{Scene, finish, need, run};
