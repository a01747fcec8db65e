//! What the matrix knows of a client.

use std::path::Path;

use buildproxy::proxy::Body;
use http::Response;

use crate::support::Asked;

/// A client, and a small fetch of its own kind.
#[derive(Clone, Copy)]
pub(super) struct Client {
    /// As the README calls it.
    pub(super) name: &'static str,
    /// Whether the environment alone is enough.
    pub(super) explicit: Explicit,
    /// What a reader of the README should know.
    pub(super) remarks: &'static str,
    /// What has to be installed.
    pub(super) needs: &'static [Need],
    /// Where it downloads from.
    pub(super) source: Source,
    /// A script for sh that downloads. It runs in an empty folder, which is also its home.
    pub(super) script: &'static str,
    /// What is there afterwards: a path that ends so, with the same bytes each time.
    pub(super) results: &'static [&'static str],
}

/// Whether a client heeds the environment.
#[derive(Clone, Copy)]
pub(super) enum Explicit {
    /// It does.
    Yes,
    /// It does not, for this reason.
    No(&'static str),
    /// Its later versions do.
    From {
        /// Which.
        version: &'static str,
        /// A script for sh that ends well where this is one of them.
        is_it: &'static str,
    },
}

/// What has to be installed.
#[derive(Clone, Copy)]
pub(super) enum Need {
    /// A program, and the package of the distribution that has it.
    Program(&'static str, &'static str),
    /// A script for sh that ends well if it is there, and the package that has it.
    Part(&'static str, &'static str),
    /// What `tests/run` puts into `$CLIENTS`: the path there.
    Own(&'static str),
}

/// Where a client downloads from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// The folder that this script for sh fills, by http and https under all names there are.
    Folder(&'static str),
    /// The same, given out in another way: what answers a request, the folder being known.
    Served(&'static str, Answers),
    /// The registry that the client is configured for on this machine. It keeps its home.
    Registry,
}

/// What answers a request.
pub(super) type Answers = fn(&Asked, &Path) -> Response<Body>;

/// A script that makes `hello.txt`.
pub(super) const HELLO: &str = "echo hello >hello.txt";
