//! The matrix: what each client downloads is captured, and replayed with nothing to reach.
//!
//! One file a client, which says all there is to know of it. To add one, write such a file, and name
//! it here twice. The README's table of clients is made of the same list.

mod apt;
mod aria2;
mod bundler;
mod cargo;
mod client;
mod cmake;
mod cmake_fetch_content;
mod composer;
mod curl;
mod dnf;
mod driver;
mod electron;
mod gem;
mod git;
mod git_dumb;
mod go;
mod gradle;
mod httpx;
mod java_http_client;
mod java_url;
mod maven;
mod node;
mod node_22;
mod npm;
mod pacman;
mod perl_http_tiny;
mod perl_lwp;
mod php_curl;
mod php_streams;
mod pip;
mod pnpm;
mod r;
mod readme;
mod requests;
mod skopeo;
mod urllib;
mod uv;
mod wget;
mod wget2;
mod yarn;
mod yarn_berry;

/// Makes the list of clients, in the order of the README's table, and a test of each in either mode.
macro_rules! clients {
    ($($client:ident)*) => {
        /// All of them.
        const ALL: &[client::Client] = &[$($client::CLIENT),*];

        mod explicit {
            use super::driver::{Mode, round};

            $(
                #[test]
                fn $client() {
                    round(&super::$client::CLIENT, Mode::Explicit);
                }
            )*
        }

        mod transparent {
            use super::driver::{Mode, round};

            $(
                #[test]
                fn $client() {
                    round(&super::$client::CLIENT, Mode::Transparent);
                }
            )*
        }
    };
}

clients! {
    curl wget wget2 aria2
    git git_dumb
    cmake cmake_fetch_content
    urllib requests httpx pip uv
    npm pnpm yarn yarn_berry node node_22 electron
    cargo go
    java_http_client java_url maven gradle
    gem bundler
    composer php_curl php_streams
    perl_lwp perl_http_tiny
    r
    skopeo
    apt dnf pacman
}
