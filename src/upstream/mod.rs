//! The real servers: the client that asks them, and what it knows of redirects, cookies and
//! credentials, and its way out. Capture asks them for what clients want; `fetch` asks them for a pin, as fetchurl does.

mod client;
mod connect_to;
mod connector;
mod cookies;
mod ending;
mod fetch;

pub(crate) use client::{Answer, Outgoing, Redirects};
pub use client::{Upstream, UpstreamError};
pub use connect_to::{ConnectTo, ConnectToError};
pub(crate) use ending::Ending;
pub use fetch::{FetchError, Keep, Limits, PinError, Received, fetch, fetch_pin};
pub(crate) use fetch::{get, plain_headers};
