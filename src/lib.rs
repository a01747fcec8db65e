//! buildproxy makes builds hermetic that insist on downloading.
//!
//! `buildproxy capture` runs a build behind an intercepting proxy and writes an inventory,
//! `proxy_content.nix`: each URL with the hash of what came back. `buildproxy replay` answers the same
//! requests from the inventory, in a sandbox without a network.
//!
//! # The way of a request
//!
//! ```text
//!  client ── proxy::FrontDoor ── proxy::Handler ──┬── capture::Capture ── upstream
//!              sniff, CONNECT,     a Request with  │      records, in bodies and a Recorder
//!              TLS (Authority)     absolute URL    └── replay::Replay ── files
//!                                                        by Key, through a Matcher
//! ```
//!
//! Clients come to the door by a proxy's address, or, in a network of their own where every address leads
//! there, without knowing. Both handlers end in [`proxy::answer`], which gives a client what it asks of a whole: all of it, a
//! range, its headers, or word that it has not changed.
//!
//! # The rooms
//!
//! | room | what it knows |
//! | --- | --- |
//! | [`commands`] | the verbs of the command line, each a straight list of steps |
//! | [`proxy`] | connections and requests; the certificate authority of the run |
//! | [`capture`] | the record: what is pinned, what is vendored, and why |
//! | [`upstream`] | the real servers, and how they are asked |
//! | [`replay`] | an inventory, and nothing that could connect anywhere |
//! | [`inventory`] | entries, and the two formats they are read from |
//! | [`check`] | what is wrong with an inventory, or will be |
//! | [`emit`] | printing entries, and merging them into a file that people edit |
//! | [`mitm_cache`] | the locks of that tool, and of nixpkgs' gradle |
//! | [`trust`] | the bundle, the one table of variables that convince clients, and what outranks their own settings |
//! | [`bodies`] | the body cache |
//! | [`process`] | the command that is run, signals, shells, the background |
//! | `transparent` | on Linux, a network in which every address is ours |
//! | [`report`] | what a person reads |
//! | [`regular_file`] | opening files that others may have put there |
//! | `aligned` | memory that is read into |
//! | [`visible`] | which characters do more than to be seen |
//!
//! Dependencies run downward. [`inventory`], [`emit`], and the key and matcher of [`replay`] do no
//! input or output.
//!
//! # What it stands on
//!
//! hyper, tokio-rustls and rcgen, directly. hudsucker, which is made of the same, was measured and not
//! taken: it does not understand TLS to the proxy itself, nor plain HTTP in a tunnel unless it begins with
//! GET, has no certificates for IP addresses, serves no transparent connections, and connects to the network
//! for what it does not understand. All of that is the front door, which is most of what it has. The tests in
//! `tests/suite/hudsucker.rs` show it, and the benchmark measures the least proxy that it makes.

mod aligned;
pub mod bodies;
pub mod capture;
pub mod check;
pub mod cli;
pub mod commands;
pub mod emit;
pub mod inventory;
pub mod mitm_cache;
pub mod process;
pub mod proxy;
pub mod regular_file;
pub mod replay;
pub mod report;
#[cfg(target_os = "linux")]
pub mod transparent;
pub mod trust;
pub mod upstream;
pub mod visible;
