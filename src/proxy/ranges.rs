//! Ranges, as RFC 9110 says in section 14.

use std::ops::Range;

/// With more ranges than this the whole is given, which is always right, and shorter.
const MAX_RANGES: usize = 200;

/// The bytes that a Range header asks for, of `length` bytes, in the order that it has them, those that
/// overlap made one.
///
/// `None` where the header is to be ignored: an unknown unit, bad syntax, too many of them. An empty
/// list where no range can be satisfied.
pub(super) fn ranges(header: &str, length: u64) -> Option<Vec<Range<u64>>> {
    let (unit, list) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let specs = list.split(',').map(str::trim);
    let ranges = specs
        .filter(|spec| !spec.is_empty())
        .map(|spec| range(spec, length))
        .collect::<Option<Vec<_>>>()?;
    if ranges.is_empty() || ranges.len() > MAX_RANGES {
        return None;
    }
    Some(merged(
        ranges
            .into_iter()
            .filter(|range| !range.is_empty())
            .collect(),
    ))
}

/// One range; empty where it cannot be satisfied, `None` where it is none.
fn range(spec: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    let (first, last) = (first.trim_end(), last.trim_start());
    if first.is_empty() {
        let suffix = number(last)?;
        if length == 0 && suffix > 0 {
            // The last bytes of nothing are all of it, for which there is no Content-Range.
            return None;
        }
        return Some(length.saturating_sub(suffix)..length);
    }
    let first = number(first)?;
    let end = if last.is_empty() {
        length
    } else {
        let last = number(last)?;
        if last < first {
            return None;
        }
        last.saturating_add(1).min(length)
    };
    Some(first..end)
}

/// Digits; more of them than fit are more than there is of anything.
fn number(digits: &str) -> Option<u64> {
    let all = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    all.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// The same, in order of their bytes and without an overlap, where there is one.
fn merged(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut sorted = ranges.clone();
    sorted.sort_by_key(|range| range.start);
    let overlap = sorted.windows(2).any(|two| two[1].start < two[0].end);
    if !overlap {
        return ranges;
    }
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bounds(header: &str, length: u64) -> Option<Vec<(u64, u64)>> {
        let ranges = ranges(header, length)?.into_iter();
        Some(ranges.map(|range| (range.start, range.end)).collect())
    }

    #[test]
    fn a_header_is_read_as_the_rfc_says() {
        for (header, expected) in [
            ("bytes=0-3", Some(vec![(0, 4)])),
            ("bytes=4-", Some(vec![(4, 10)])),
            ("bytes=-2", Some(vec![(8, 10)])),
            ("bytes=-20", Some(vec![(0, 10)])),
            ("bytes=5-100", Some(vec![(5, 10)])),
            ("bytes=5-99999999999999999999999", Some(vec![(5, 10)])),
            ("Bytes=0-0, 2-3 ,-1", Some(vec![(0, 1), (2, 4), (9, 10)])),
            ("bytes=8-9,0-1", Some(vec![(8, 10), (0, 2)])),
            ("bytes=4-6,0-5", Some(vec![(0, 7)])),
            ("bytes=0-1,50-60", Some(vec![(0, 2)])),
            ("bytes=10-", Some(vec![])),
            ("bytes=-0", Some(vec![])),
            ("bytes=5-4", None),
            ("bytes=a-b", None),
            ("bytes=-", None),
            ("bytes=", None),
            ("bytes", None),
            ("bytes=0-1,x", None),
            ("lines=0-3", None),
        ] {
            assert_eq!(bounds(header, 10), expected, "{header}");
        }
        assert_eq!(bounds("bytes=0-", 0), Some(vec![]));
        assert_eq!(bounds("bytes=-5", 0), None);
        let many = format!("bytes={}", "0-0,".repeat(MAX_RANGES + 1));
        assert_eq!(bounds(&many, 10), None);
    }

    proptest! {
        #[test]
        fn ranges_are_parts_that_do_not_overlap(header in "bytes=([0-9]{0,2}-[0-9]{0,2},){1,8}", length in 0_u64..100) {
            let Some(ranges) = ranges(&header, length) else { return Ok(()) };
            for (index, range) in ranges.iter().enumerate() {
                prop_assert!(range.start < range.end && range.end <= length);
                for other in &ranges[index + 1..] {
                    prop_assert!(range.end <= other.start || other.end <= range.start);
                }
            }
        }

        #[test]
        fn no_header_is_too_much(header in ".{0,40}", length: u64) {
            let _ = ranges(&header, length);
        }
    }
}
