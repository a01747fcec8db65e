//! What the tests stand on: an origin to download from, a scene to run programs in, git's server, and Nix.

pub(crate) mod git;
mod nix;
mod origin;
mod scene;

pub(crate) use nix::{Nix, NixScene, checkout, reach, system};
pub(crate) use origin::{Asked, Origin, answer, text};
pub(crate) use scene::{Ran, Scene, finish, need, run};
