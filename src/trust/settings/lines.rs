//! Files in which each setting is a line: `key = value`, `key: value`, or `key value`.
//!
//! That is what curl, wget, pip, npm, yarn, cargo, gem, R and Gradle have in common. What a value means
//! beyond that is its client's business.

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its key, after the section that it is in and a dot, if it is in one.
    pub(super) key: String,
    /// Its value, without quotes.
    pub(super) value: String,
    /// Whether it is indented, which in YAML makes it a part of another.
    pub(super) nested: bool,
}

impl Line {
    /// Whether the key is `name`, whatever its case. `*name` is the end of one, `^name` one that is no part of
    /// another, and `>name` one that is.
    pub(super) fn is(&self, name: &str) -> bool {
        let is = |name: &str| self.key.eq_ignore_ascii_case(name);
        if let Some(name) = name.strip_prefix('^') {
            return is(name) && !self.nested;
        }
        if let Some(name) = name.strip_prefix('>') {
            return is(name) && self.nested;
        }
        let Some(end) = name.strip_prefix('*') else {
            return is(name);
        };
        let start = self.key.len().checked_sub(end.len());
        let found = start.and_then(|start| self.key.get(start..));
        found.is_some_and(|found| found.eq_ignore_ascii_case(end))
    }
}

/// All settings of a text.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut section = String::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';', '!']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.split(']').next().unwrap_or_default();
            section = format!("{}.", name.trim());
            continue;
        }
        // An option may have its dashes (curl), and a symbol its colon (gem).
        let line = line.trim_start_matches(['-', ':']);
        let end = line.find(['=', ':', ' ', '\t']).unwrap_or(line.len());
        let (key, rest) = line.split_at(end);
        let rest = rest.trim_start();
        let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
        lines.push(Line {
            key: format!("{section}{}", key.trim_matches('"')),
            value: unquoted(rest.trim()).to_owned(),
            nested,
        });
    }
    lines
}

/// What stands between quotes, or before a comment.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            return inner.split(quote).next().unwrap_or_default();
        }
    }
    value.split(" #").next().unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let lines = lines(text).into_iter();
        lines.map(|line| (line.key, line.value)).collect()
    }

    #[test]
    fn all_ways_to_write_a_setting_are_read() {
        for line in [
            "proxy = http://a:1",
            "proxy=http://a:1",
            "proxy: http://a:1",
            "proxy http://a:1",
            "--proxy \"http://a:1\"",
            "  proxy = 'http://a:1' # ours",
            ":proxy: http://a:1",
            "\"proxy\": \"http://a:1\"",
            "proxy http://a:1 # ours",
        ] {
            let expected = [("proxy".to_owned(), "http://a:1".to_owned())];
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn sections_are_part_of_keys_and_comments_are_nothing() {
        let text = "# a\n; b\n! c\n[global]\nproxy=x\n[ download ]\nproxy = y\n";
        let expected = [("global.proxy", "x"), ("download.proxy", "y")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(read(text), expected);
        let line = &lines(text)[0];
        assert!(line.is("*.PROXY") && line.is("global.proxy") && !line.is("proxy"));
        assert!(!line.is("*longer.than.global.proxy"));
    }

    #[test]
    fn what_is_indented_is_part_of_another() {
        let lines = lines("a: 1\nb:\n  c: 2\n");
        assert!(lines[0].is("^a") && !lines[0].is(">a"));
        assert!(lines[2].is(">c") && lines[2].is("c") && !lines[2].is("^c"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much(text in "\\PC{0,200}") {
            for line in lines(&text) {
                let _ = (line.is("*é"), line.is("*proxy"), line.is("proxy"));
            }
        }
    }
}
