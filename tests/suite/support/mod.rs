//! What the tests stand on: origins to download from, a scene to run programs in, git's server, folders
//! to give out, and Nix.

pub(crate) mod folder;
pub(crate) mod git;
mod listening;
mod machine;
mod nix;
mod origin;
mod raw;
mod reply;
mod scene;

pub(crate) use machine::Machine;
pub(crate) use nix::{Nix, NixScene, checkout, cut_off, reach, system, with_both};
pub(crate) use origin::{Asked, Origin, answer, text};
pub(crate) use raw::{Heard, RawOrigin};
pub(crate) use reply::{End, Framing, Reply, ok, redirect, reply};
pub(crate) use scene::{Ran, Scene, finish, need, of_this_machine, own_clients, run, wait_for};
