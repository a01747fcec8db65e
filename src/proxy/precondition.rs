//! Conditional requests, as RFC 9110 says in section 13.
//!
//! Tags are compared as the texts that they are: servers send some that the grammar does not have,
//! without quotes or with a space inside, and clients send them back as they got them.

use std::time::SystemTime;

use http::{
    HeaderMap, HeaderName,
    header::{
        ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
        LAST_MODIFIED,
    },
};

/// What the preconditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precondition {
    /// The request is to be answered.
    Holds,
    /// The client has what there is.
    NotModified,
    /// There is not what the client expects.
    Failed,
}

/// Evaluates the preconditions of `request`, in the order of section 13.2.2, against the headers of
/// what there is.
pub(super) fn precondition(request: &HeaderMap, there: &HeaderMap) -> Precondition {
    let modified = date(there, &LAST_MODIFIED);
    let since = |name: &HeaderName| Some((modified?, date(request, name)?));
    let matches = if request.contains_key(IF_MATCH) {
        any_tag(request, &IF_MATCH, there, strongly)
    } else {
        since(&IF_UNMODIFIED_SINCE).is_none_or(|(modified, since)| modified <= since)
    };
    if !matches {
        return Precondition::Failed;
    }
    let fresh = if request.contains_key(IF_NONE_MATCH) {
        any_tag(request, &IF_NONE_MATCH, there, weakly)
    } else {
        since(&IF_MODIFIED_SINCE).is_some_and(|(modified, since)| modified <= since)
    };
    if fresh {
        Precondition::NotModified
    } else {
        Precondition::Holds
    }
}

/// Whether a range may be given: there is no If-Range, or it names what there is (section 13.1.5).
pub(super) fn range_applies(request: &HeaderMap, there: &HeaderMap) -> bool {
    let Some(expected) = text(request, &IF_RANGE) else {
        return !request.contains_key(IF_RANGE);
    };
    match date(request, &IF_RANGE) {
        Some(expected) => date(there, &LAST_MODIFIED) == Some(expected),
        None => text(there, &ETAG).is_some_and(|tag| strongly(expected, tag)),
    }
}

/// Whether one of the tags in a header is that of what there is; `*` is that of anything.
fn any_tag(
    request: &HeaderMap,
    name: &HeaderName,
    there: &HeaderMap,
    same: fn(&str, &str) -> bool,
) -> bool {
    let tag = text(there, &ETAG);
    let lines = request.get_all(name).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(tags)
        .any(|asked| asked == "*" || tag.is_some_and(|tag| same(asked, tag)))
}

/// The members of a list of tags. A comma may stand inside of quotes.
fn tags(list: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return tags;
        }
        let opened = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"');
        let closed = opened.and_then(|opened| {
            let start = rest.len() - opened.len();
            Some(start + opened.find('"')? + 1)
        });
        let end = closed.unwrap_or_else(|| rest.find(',').unwrap_or(rest.len()));
        let (tag, after) = rest.split_at(end);
        tags.push(tag.trim_end());
        rest = after;
    }
}

fn strongly(one: &str, other: &str) -> bool {
    one == other && !one.starts_with("W/")
}

fn weakly(one: &str, other: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    opaque(one) == opaque(other)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then_some(value)
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, name)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_comes_apart() {
        for (list, expected) in [
            (r#""a""#, vec![r#""a""#]),
            (
                r#" "a", W/"b,c" ,"d""#,
                vec![r#""a""#, r#"W/"b,c""#, r#""d""#],
            ),
            ("a b, c", vec!["a b", "c"]),
            (r#"*, "open"#, vec!["*", r#""open"#]),
            ("", vec![]),
            (" , ,", vec![]),
        ] {
            assert_eq!(tags(list), expected, "{list}");
        }
    }
}
