//! The front door: from a client's connection to a [`Request`] with an absolute URL, and back.
//!
//! What a client does with a proxy varies more than the RFCs let one expect. All of these arrive
//! here, and all become the same thing, one call of [`Handler::handle`]:
//!
//! - a request with an absolute target, on the listening port (RFC 9112, section 3.2.2);
//! - `CONNECT`, then TLS, then requests (most clients, for `https://`);
//! - `CONNECT`, then plain HTTP (npm and yarn, for `http://`);
//! - TLS to the proxy itself, then any of the above (wget2);
//! - TLS or plain HTTP to a server, whose address leads here (clients that know of no proxy).
//!
//! So each byte stream, the accepted one as well as the inside of a tunnel, is sniffed. Accepting a
//! connection knows nothing of how a request is answered, and a handler knows nothing of how the
//! request came: another front door, or another handler, can be put in place of either.
//!
//! The front door itself never connects anywhere.

mod answer;
mod authority;
mod body;
mod door;
mod git;
mod peer;
mod precondition;
mod ranges;
mod request;
mod request_line;
mod resets;
mod socket;

pub use answer::{Representation, answer, only_range};
pub use authority::{Authority, AuthorityError};
pub(crate) use body::read_piece;
pub use body::{Body, BodyError, empty, file, full, plain, stream};
pub use door::{FrontDoor, Handler, Refusal};
pub(crate) use door::{MAX_HEAD, MAX_HEADERS};
pub use peer::Peers;
pub use request::{Request, RequestError, body_hash};

/// What a handler gives back.
pub type Response = http::Response<Body>;
