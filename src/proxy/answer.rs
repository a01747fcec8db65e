//! Answers a request from a whole representation: HEAD, conditional requests and ranges.
//!
//! What was captured is always the whole. What a client asks of it, it gets from us, as RFC 9110
//! says in sections 9.3.2 (HEAD), 13.2.2 (the order of preconditions) and 14 (ranges).

use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_RANGE, CONTENT_TYPE, RANGE},
};
use http_body_util::BodyExt;

use super::{
    Body, Response, empty, full,
    precondition::{Precondition, precondition, range_applies},
    ranges::ranges,
    stream,
};

/// What stands between the parts of an answer with several. It is always the same, as answers are to
/// be, and long enough to stand in no body by chance.
const BOUNDARY: &str = "buildproxy-1f0c7e0f5b0a4a6f9d27c3e8a1b45d60";

/// What there is to give for a URL.
#[derive(Debug)]
pub struct Representation<B> {
    /// The status of the whole.
    pub status: StatusCode,
    /// Its headers, without those that this module sets: Content-Length, Content-Range and Accept-Ranges.
    pub headers: HeaderMap,
    /// Its length in bytes, where it is known yet.
    pub length: Option<u64>,
    /// Gives a range of its bytes; all of them are `0..length`, or `0..u64::MAX` where that is not known.
    pub body: B,
}

impl<A> Representation<A> {
    /// The same, with another way to get at its bytes.
    pub fn with_body<B>(self, body: B) -> Representation<B> {
        Representation {
            status: self.status,
            headers: self.headers,
            length: self.length,
            body,
        }
    }
}

/// Answers a request of `method` with `request` headers.
pub fn answer<B>(method: &Method, request: &HeaderMap, whole: Representation<B>) -> Response
where
    B: Fn(Range<u64>) -> Body,
{
    let mut response = match select(method, request, &whole) {
        Selected::Whole => all(whole),
        Selected::Part(range, length) => part(range, length, whole),
        Selected::Parts(ranges, length) => parts(&ranges, length, whole),
        Selected::Unsatisfiable(length) => {
            let mut response = refusal(StatusCode::RANGE_NOT_SATISFIABLE);
            set(&mut response, CONTENT_RANGE, format!("bytes */{length}"));
            response
        }
        Selected::NotModified => not_modified(whole.headers),
        Selected::PreconditionFailed => refusal(StatusCode::PRECONDITION_FAILED),
    };
    if method == Method::HEAD || !may_have_body(response.status()) {
        *response.body_mut() = empty();
    }
    response
}

/// The range of the bytes that a request of `method` with `request` headers gets of `whole`, if it gets
/// one, and not all, or several.
pub fn only_range<B>(
    method: &Method,
    request: &HeaderMap,
    whole: &Representation<B>,
) -> Option<Range<u64>> {
    match select(method, request, whole) {
        Selected::Part(range, _) => Some(range),
        Selected::Whole
        | Selected::Parts(..)
        | Selected::Unsatisfiable(_)
        | Selected::NotModified
        | Selected::PreconditionFailed => None,
    }
}

/// What of the whole a request gets.
#[derive(Debug, PartialEq, Eq)]
enum Selected {
    Whole,
    /// The range, and the length of the whole.
    Part(Range<u64>, u64),
    /// The ranges, two at least, and the length of the whole.
    Parts(Vec<Range<u64>>, u64),
    Unsatisfiable(u64),
    NotModified,
    PreconditionFailed,
}

fn select<B>(method: &Method, request: &HeaderMap, whole: &Representation<B>) -> Selected {
    if whole.status != StatusCode::OK || (method != Method::GET && method != Method::HEAD) {
        return Selected::Whole;
    }
    match precondition(request, &whole.headers) {
        Precondition::Holds => {}
        Precondition::NotModified => return Selected::NotModified,
        Precondition::Failed => return Selected::PreconditionFailed,
    }
    let range = request.get(RANGE).and_then(|range| range.to_str().ok());
    let (Some(range), Some(length)) = (range, whole.length) else {
        return Selected::Whole;
    };
    if method == Method::HEAD || !range_applies(request, &whole.headers) {
        return Selected::Whole;
    }
    match ranges(range, length).as_deref() {
        None => Selected::Whole,
        Some([]) => Selected::Unsatisfiable(length),
        Some([range]) => Selected::Part(range.clone(), length),
        Some(several) => Selected::Parts(several.to_vec(), length),
    }
}

fn all<B: Fn(Range<u64>) -> Body>(whole: Representation<B>) -> Response {
    let body = (whole.body)(0..whole.length.unwrap_or(u64::MAX));
    let mut response = of_whole(whole.status, whole.headers, body);
    if let Some(length) = whole.length
        && may_have_body(whole.status)
    {
        set_length(&mut response, length);
    }
    response
}

fn part<B: Fn(Range<u64>) -> Body>(
    range: Range<u64>,
    length: u64,
    whole: Representation<B>,
) -> Response {
    let body = (whole.body)(range.clone());
    let mut response = of_whole(StatusCode::PARTIAL_CONTENT, whole.headers, body);
    set(&mut response, CONTENT_RANGE, content_range(&range, length));
    set_length(&mut response, range.end - range.start);
    response
}

/// As RFC 9110 says in section 14.6.
fn parts<B: Fn(Range<u64>) -> Body>(
    ranges: &[Range<u64>],
    length: u64,
    whole: Representation<B>,
) -> Response {
    let of_part = whole.headers.get(CONTENT_TYPE).map(|content_type| {
        let content_type = String::from_utf8_lossy(content_type.as_bytes());
        format!("Content-Type: {content_type}\r\n")
    });
    let of_part = of_part.unwrap_or_default();
    let end = format!("\r\n--{BOUNDARY}--\r\n");
    let mut total = end.len() as u64;
    let mut bodies = Vec::with_capacity(2 * ranges.len() + 1);
    for range in ranges {
        let content_range = content_range(range, length);
        let head = format!("\r\n--{BOUNDARY}\r\n{of_part}Content-Range: {content_range}\r\n\r\n");
        total += head.len() as u64 + (range.end - range.start);
        bodies.push(full(Bytes::from(head)));
        bodies.push((whole.body)(range.clone()));
    }
    bodies.push(full(Bytes::from(end)));
    let pieces = futures_util::stream::iter(bodies).flat_map(BodyExt::into_data_stream);
    let body = stream(pieces);
    let mut response = of_whole(StatusCode::PARTIAL_CONTENT, whole.headers, body);
    let content_type = format!("multipart/byteranges; boundary={BOUNDARY}");
    set(&mut response, CONTENT_TYPE, content_type);
    set_length(&mut response, total);
    response
}

/// RFC 9110, section 15.4.5: what a client has it knows, and its headers may be of another part.
fn not_modified(headers: HeaderMap) -> Response {
    let mut response = of_whole(StatusCode::NOT_MODIFIED, headers, empty());
    let headers = response.headers_mut();
    let of_body = |name: &HeaderName| name.as_str().starts_with("content-");
    let of_body: Vec<HeaderName> = headers
        .keys()
        .filter(|name| of_body(name))
        .cloned()
        .collect();
    for name in of_body.iter().filter(|name| *name != CONTENT_LOCATION) {
        headers.remove(name);
    }
    headers.remove(ACCEPT_RANGES);
    response
}

/// An answer that is none of what there is, and has none of its headers.
fn refusal(status: StatusCode) -> Response {
    let mut response = of_whole(status, HeaderMap::new(), empty());
    set_length(&mut response, 0);
    response
}

fn of_whole(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
        let bytes = HeaderValue::from_static("bytes");
        response.headers_mut().insert(ACCEPT_RANGES, bytes);
    }
    response
}

fn content_range(range: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", range.start, range.end - 1)
}

/// Whether a response of this status has content at all (RFC 9110, section 6.4.1).
fn may_have_body(status: StatusCode) -> bool {
    !status.is_informational()
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED
}

fn set_length(response: &mut Response, length: u64) {
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
}

fn set(response: &mut Response, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::full;

    const BODY: &[u8] = b"0123456789";

    fn ask(method: &Method, headers: &[(&'static str, &str)]) -> http::Response<()> {
        let mut request = HeaderMap::new();
        for (name, value) in headers {
            request.insert(*name, value.parse().unwrap());
        }
        let mut of_whole = HeaderMap::new();
        of_whole.insert("etag", HeaderValue::from_static("\"one\""));
        of_whole.insert(
            "last-modified",
            HeaderValue::from_static("Sat, 01 Jan 2022 00:00:00 GMT"),
        );
        let whole = Representation {
            status: StatusCode::OK,
            headers: of_whole,
            length: Some(10),
            body: |range: Range<u64>| {
                let range =
                    usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
                full(&BODY[range])
            },
        };
        answer(method, &request, whole).map(|_| ())
    }

    fn header<'a>(response: &'a http::Response<()>, name: &str) -> &'a str {
        response
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn the_whole_has_its_length() {
        for method in [Method::GET, Method::HEAD] {
            let response = ask(&method, &[]);
            assert_eq!(response.status(), 200);
            assert_eq!(header(&response, "content-length"), "10");
            assert_eq!(header(&response, "etag"), "\"one\"");
        }
    }

    #[test]
    fn a_range_is_a_part() {
        for (range, part) in [
            ("bytes=0-3", "bytes 0-3/10"),
            ("bytes=4-", "bytes 4-9/10"),
            ("bytes=-2", "bytes 8-9/10"),
            ("bytes=5-100", "bytes 5-9/10"),
        ] {
            let response = ask(&Method::GET, &[("range", range)]);
            assert_eq!(response.status(), 206, "{range}");
            assert_eq!(header(&response, "content-range"), part);
        }
    }

    #[test]
    fn a_range_past_the_end_cannot_be_satisfied() {
        let response = ask(&Method::GET, &[("range", "bytes=10-")]);
        assert_eq!(response.status(), 416);
        assert_eq!(header(&response, "content-range"), "bytes */10");
    }

    #[test]
    fn what_cannot_be_understood_as_a_range_gives_the_whole() {
        for range in ["lines=0-3", "bytes=a-b", "bytes=5-2"] {
            assert_eq!(
                ask(&Method::GET, &[("range", range)]).status(),
                200,
                "{range}"
            );
        }
    }

    #[test]
    fn several_ranges_are_parts_of_one_body() {
        let response = ask(&Method::GET, &[("range", "bytes=0-1,4-5")]);
        assert_eq!(response.status(), 206);
        assert_eq!(header(&response, "content-range"), "");
        let content_type = header(&response, "content-type");
        assert!(content_type.starts_with("multipart/byteranges; boundary="));
    }

    #[test]
    fn if_range_of_another_version_gives_the_whole() {
        let range = ("range", "bytes=0-3");
        let same = ask(&Method::GET, &[range, ("if-range", "\"one\"")]);
        assert_eq!(same.status(), 206);
        let other = ask(&Method::GET, &[range, ("if-range", "\"two\"")]);
        assert_eq!(other.status(), 200);
    }

    #[test]
    fn preconditions_are_evaluated_here() {
        let later = "Sun, 02 Jan 2022 00:00:00 GMT";
        let earlier = "Fri, 31 Dec 2021 00:00:00 GMT";
        for (header, value, status) in [
            ("if-none-match", "\"one\"", 304),
            ("if-none-match", "W/\"one\"", 304),
            ("if-none-match", "*", 304),
            ("if-none-match", "\"two\"", 200),
            ("if-modified-since", later, 304),
            ("if-modified-since", earlier, 200),
            ("if-match", "\"one\"", 200),
            ("if-match", "\"two\"", 412),
            ("if-unmodified-since", later, 200),
            ("if-unmodified-since", earlier, 412),
        ] {
            let response = ask(&Method::GET, &[(header, value)]);
            assert_eq!(response.status(), status, "{header}: {value}");
        }
    }
}
