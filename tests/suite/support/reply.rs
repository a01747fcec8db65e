//! What the awkward origin is to say.

use bytes::Bytes;

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By its length.
    Length,
    /// By a length that may not be true; the connection is closed after it.
    Claimed(u64),
    /// In three chunks, with extensions and a trailer.
    Chunked,
    /// By the end of the connection.
    Close,
    /// The same, in HTTP/1.0.
    Old,
    /// Not at all: statuses without a body.
    None,
}

/// How the answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As its framing says.
    Whole,
    /// The connection is closed where the body ends, whatever the framing said.
    Cut,
    /// The same, and over TLS without `close_notify`.
    Abrupt,
    /// The same, in the middle of the head.
    AbruptHead,
    /// The connection is reset where the body ends.
    Reset,
    /// Nothing more comes.
    Stall,
    /// The connection is closed before anything is said.
    Silence,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, Vec<u8>)>,
    pub(crate) body: Bytes,
    pub(crate) framing: Framing,
    pub(crate) end: End,
    /// Interim answers, as they stand on the wire.
    pub(crate) interim: &'static str,
}

/// An answer of this status, with this body.
pub(crate) fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    let bodyless = matches!(status, 204 | 304);
    Reply {
        status,
        headers: Vec::new(),
        body: body.into(),
        framing: if bodyless {
            Framing::None
        } else {
            Framing::Length
        },
        end: End::Whole,
        interim: "",
    }
}

/// 200, with this body.
pub(crate) fn ok(body: impl Into<Bytes>) -> Reply {
    reply(200, body)
}

/// A redirect.
pub(crate) fn redirect(status: u16, location: &str) -> Reply {
    reply(status, "moved\n").with("location", location)
}

impl Reply {
    pub(crate) fn with(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name, value.as_ref().to_vec()));
        self
    }

    pub(crate) fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    pub(crate) fn ending(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// With interim answers before it.
    pub(crate) fn after(mut self, interim: &'static str) -> Self {
        self.interim = interim;
        self
    }
}
