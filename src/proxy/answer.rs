//! Answers a request from a whole representation: HEAD, conditional requests and ranges.
//!
//! What was captured is always the whole. What a client asks of it, it gets from us, as RFC 9110
//! says in sections 9.3.2 (HEAD), 13.2.2 (the order of preconditions) and 14 (ranges).

use std::{ops::Range, time::SystemTime};

use headers::{
    ETag, HeaderMapExt, IfMatch, IfModifiedSince, IfNoneMatch, IfRange, IfUnmodifiedSince,
    LastModified,
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, RANGE},
};

use super::{Body, Response, empty};

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
    B: FnOnce(Range<u64>) -> Body,
{
    let selected = select(method, request, &whole);
    let mut response = Response::new(empty());
    let all = 0..whole.length.unwrap_or(u64::MAX);
    let (status, range) = match selected {
        Selected::NotModified => (StatusCode::NOT_MODIFIED, None),
        Selected::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, None),
        Selected::Unsatisfiable(length) => {
            set(&mut response, CONTENT_RANGE, format!("bytes */{length}"));
            (StatusCode::RANGE_NOT_SATISFIABLE, None)
        }
        Selected::Part(range, length) => {
            let last = range.end - 1;
            set(
                &mut response,
                CONTENT_RANGE,
                format!("bytes {}-{last}/{length}", range.start),
            );
            set(
                &mut response,
                CONTENT_LENGTH,
                (range.end - range.start).to_string(),
            );
            (StatusCode::PARTIAL_CONTENT, Some(range))
        }
        Selected::Whole => {
            if let Some(length) = whole.length
                && may_have_body(whole.status)
            {
                set(&mut response, CONTENT_LENGTH, length.to_string());
            }
            (whole.status, Some(all))
        }
    };
    *response.status_mut() = status;
    if whole.status == StatusCode::OK {
        set(&mut response, ACCEPT_RANGES, "bytes".to_owned());
    }
    response.headers_mut().extend(whole.headers);
    if let Some(range) = range
        && method != Method::HEAD
        && may_have_body(status)
    {
        *response.body_mut() = (whole.body)(range);
    }
    response
}

/// What of the whole a request gets.
#[derive(Debug, PartialEq, Eq)]
enum Selected {
    Whole,
    /// The range, and the length of the whole.
    Part(Range<u64>, u64),
    Unsatisfiable(u64),
    NotModified,
    PreconditionFailed,
}

fn select<B>(method: &Method, request: &HeaderMap, whole: &Representation<B>) -> Selected {
    if whole.status != StatusCode::OK || (method != Method::GET && method != Method::HEAD) {
        return Selected::Whole;
    }
    let etag: Option<ETag> = whole.headers.typed_get();
    let modified: Option<LastModified> = whole.headers.typed_get();
    if let Some(selected) = precondition(request, etag.as_ref(), modified) {
        return selected;
    }
    let changed = request
        .typed_get::<IfRange>()
        .is_some_and(|if_range| if_range.is_modified(etag.as_ref(), modified.as_ref()));
    let Some(length) = whole.length.filter(|_| method == Method::GET && !changed) else {
        return Selected::Whole;
    };
    let Some(range) = request.get(RANGE).and_then(|range| range.to_str().ok()) else {
        return Selected::Whole;
    };
    let Ok(ranges) = http_range_header::parse_range_header(range) else {
        // An unknown unit, or bad syntax: as if it were not there (RFC 9110, section 14.2).
        return Selected::Whole;
    };
    match ranges.validate(length).as_deref() {
        Ok([range]) => Selected::Part(*range.start()..range.end() + 1, length),
        // Several ranges may be answered with the whole.
        Ok(_) => Selected::Whole,
        Err(_) => Selected::Unsatisfiable(length),
    }
}

fn precondition(
    request: &HeaderMap,
    etag: Option<&ETag>,
    modified: Option<LastModified>,
) -> Option<Selected> {
    let modified = modified.map(SystemTime::from);
    let holds = if let Some(if_match) = request.typed_get::<IfMatch>() {
        etag.is_some_and(|etag| if_match.precondition_passes(etag))
    } else if let Some(if_unmodified) = request.typed_get::<IfUnmodifiedSince>() {
        modified.is_none_or(|modified| if_unmodified.precondition_passes(modified))
    } else {
        true
    };
    if !holds {
        return Some(Selected::PreconditionFailed);
    }
    let fresh = if let Some(if_none_match) = request.typed_get::<IfNoneMatch>() {
        etag.is_some_and(|etag| !if_none_match.precondition_passes(etag))
    } else if let Some(if_modified) = request.typed_get::<IfModifiedSince>() {
        modified.is_some_and(|modified| !if_modified.is_modified(modified))
    } else {
        false
    };
    fresh.then_some(Selected::NotModified)
}

/// Whether a response of this status has content at all (RFC 9110, section 6.4.1).
fn may_have_body(status: StatusCode) -> bool {
    !status.is_informational()
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED
}

fn set(response: &mut Response, name: http::HeaderName, value: String) {
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
        for range in ["lines=0-3", "bytes=a-b", "bytes=0-1,4-5"] {
            assert_eq!(
                ask(&Method::GET, &[("range", range)]).status(),
                200,
                "{range}"
            );
        }
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
