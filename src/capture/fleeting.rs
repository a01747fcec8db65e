//! Which answers to a plain GET may have been made for this one request.
//!
//! A file that lies on a server has a date or a tag by which a client that has it can ask whether it is still
//! the same (RFC 9110, section 8.8), and a length. What a program writes for each request mostly has neither, and
//! may hold the time of day. This is not proof of anything: it is reason enough to ask a second time. Archives on
//! file servers give none, so that nothing large is downloaded twice.

use http::{
    HeaderMap,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LAST_MODIFIED},
};

use super::drift::has;

/// Whether an answer with these headers, and of this length where it was said, may be another the next time.
pub(super) fn is_fleeting(said: &HeaderMap, length: Option<u64>) -> bool {
    // The tag of a page is often the hash of what was written for this request, and says nothing.
    let is_page = ["html", "json"]
        .iter()
        .any(|kind| has(said, CONTENT_TYPE, kind));
    let is_file = said.contains_key(LAST_MODIFIED) || (said.contains_key(ETAG) && !is_page);
    // Nobody else is to get it, or nobody is to get it from a cache.
    let is_uncached = ["no-cache", "private"]
        .iter()
        .any(|directive| has(said, CACHE_CONTROL, directive));
    !is_file && (is_page || is_uncached || length.is_none())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn what_has_no_mark_of_a_file_may_be_fleeting() {
        let date = ("last-modified", "Sat, 01 Jan 2022 00:00:00 GMT");
        let tag = ("etag", "\"1\"");
        let page = ("content-type", "text/html; charset=utf-8");
        let json = ("content-type", "application/json");
        let archive = ("content-type", "application/gzip");
        let fresh = ("cache-control", "max-age=0, private, must-revalidate");
        for (headers, length, fleeting) in [
            (&[archive][..], Some(1), false),
            (&[archive, tag], None, false),
            (&[archive, date, fresh], None, false),
            (&[archive, tag, fresh], Some(1), false),
            (&[archive, fresh], Some(1), true),
            (&[archive, ("cache-control", "no-cache")], Some(1), true),
            (&[archive], None, true),
            (&[page, date], Some(1), false),
            (&[page, tag], Some(1), true),
            (&[json], Some(1), true),
            (&[json, date], None, false),
            (&[], Some(1), false),
            (&[], None, true),
        ] {
            let said = headers.iter().map(|(name, value)| {
                let value = HeaderValue::from_static(value);
                (HeaderName::from_static(name), value)
            });
            let said: HeaderMap = said.collect();
            assert_eq!(
                is_fleeting(&said, length),
                fleeting,
                "{headers:?} {length:?}"
            );
        }
    }
}
