//! Printing `proxy_content.nix`, and adding entries to one.
//!
//! What is printed is what nixfmt (RFC 166) would make of it, so that a formatter that runs over
//! a repository changes nothing, and so that the same entries are always the same bytes. Whatever
//! upstream sent is printed inside of a string with everything escaped that Nix would read:
//! nothing that comes from a network becomes code.
//!
//! Sources: Nix manual, "String literals" and "Path literals"; nixfmt, whose lines may hold 100
//! characters besides their indentation.

mod edit;
mod mend;
mod merge;
mod quote;
mod rehash;
mod update;

use http::{Method, StatusCode};

use crate::inventory::{Body, Entry, Headers, Pin, query::Parameter};

pub use mend::Mending;
pub use merge::{Changed, Changes, Difference, Merged};
pub use update::Kept;

use quote::{path, quoted};

/// Longest line that nixfmt leaves alone, in characters and without its indentation.
const WIDTH: usize = 100;

/// Prints a whole file. The function's arguments are what the entries use, no more.
///
/// What Nix has no way to say (a NUL character, a path that is not UTF-8) becomes a `throw` that
/// says so; [`Entry::check`] refuses such entries beforehand.
#[must_use]
pub fn print(entries: &[Entry]) -> String {
    let mut text = String::new();
    text.push_str(if entries.iter().any(needs_fetchurl) {
        "{ fetchurl }:\n"
    } else {
        "{ }:\n"
    });
    if entries.is_empty() {
        text.push_str("[ ]\n");
        return text;
    }
    text.push_str("[\n");
    for entry in entries {
        text.push_str(&indented(&lines_of(entry), "  ", "  ", "\n"));
    }
    text.push_str("]\n");
    text
}

/// Whether an entry can only be printed into a file that is given `fetchurl`.
fn needs_fetchurl(entry: &Entry) -> bool {
    matches!(entry.body, Body::Pin(_))
}

/// A line of an entry. None has a line break in it.
struct Line {
    /// How deep it stands.
    level: usize,
    text: String,
}

/// The lines of an entry, as a file has them whose own indentation is `base`, and where a level is
/// `unit` deep.
fn indented(lines: &[Line], base: &str, unit: &str, end_of_line: &str) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(base);
        for _ in 0..line.level {
            text.push_str(unit);
        }
        text.push_str(&line.text);
        text.push_str(end_of_line);
    }
    text
}

fn lines_of(entry: &Entry) -> Vec<Line> {
    let mut page = Page::default();
    page.open("{");
    page.string("url", entry.url.as_str());
    if entry.method != Method::GET {
        page.string("method", entry.method.as_str());
    }
    page.body(&entry.body);
    page.status(entry.status);
    page.all_headers(&entry.headers);
    let condition = &entry.condition;
    if !condition.is_empty() {
        page.open("request = {");
        if !condition.headers.is_empty() {
            page.headers(
                condition
                    .headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), vec![value.as_str()])),
            );
        }
        if condition.authorization {
            page.line("authorization = true;".to_owned());
        }
        if let Some(hash) = &condition.body {
            page.string("body", &hash.to_string());
        }
        if !condition.ignore_query.is_empty() {
            page.strings(
                "ignoreQuery",
                condition.ignore_query.iter().map(Parameter::as_str),
            );
        }
        page.close("};");
    }
    page.close("}");
    page.lines
}

/// Lines in the making.
#[derive(Default)]
struct Page {
    lines: Vec<Line>,
    level: usize,
}

impl Page {
    fn line(&mut self, text: String) {
        self.lines.push(Line {
            level: self.level,
            text,
        });
    }

    fn open(&mut self, text: &str) {
        self.line(text.to_owned());
        self.level += 1;
    }

    fn close(&mut self, text: &str) {
        self.level -= 1;
        self.line(text.to_owned());
    }

    /// An attribute of ours. nixfmt never breaks the line after such a short name.
    fn string(&mut self, name: &str, value: &str) {
        self.line([name, " = ", &quoted(value), ";"].concat());
    }

    /// A list with at least one string in it. nixfmt leaves one alone on a line.
    fn strings<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a str>) {
        let values: Vec<_> = values.map(quoted).collect();
        let whole = format!("{name} = [ {} ];", values.join(" "));
        if values.len() == 1 && fits(&whole) {
            return self.line(whole);
        }
        self.list(name, values.into_iter());
    }

    /// A list, one item a line.
    fn list(&mut self, name: &str, items: impl Iterator<Item = String>) {
        self.open(&format!("{name} = ["));
        for item in items {
            self.line(item);
        }
        self.close("];");
    }

    fn status(&mut self, status: StatusCode) {
        self.line(format!("status_code = {};", status.as_u16()));
    }

    fn all_headers(&mut self, headers: &Headers) {
        let fields = headers.fields();
        self.headers(
            fields.map(|(name, values)| (name, values.iter().map(String::as_str).collect())),
        );
    }

    fn headers<'a>(&mut self, fields: impl Iterator<Item = (&'a str, Vec<&'a str>)>) {
        let mut fields = fields.peekable();
        if fields.peek().is_none() {
            self.line("headers = { };".to_owned());
            return;
        }
        self.open("headers = {");
        for (name, values) in fields {
            let name = quoted(name);
            if let [value] = values.as_slice() {
                self.breakable(&(name + " ="), quoted(value) + ";");
            } else {
                self.list(&name, values.into_iter().map(quoted));
            }
        }
        self.close("};");
    }

    /// Two parts, on one line where it is not too long.
    fn breakable(&mut self, first: &str, second: String) {
        let whole = [first, " ", &second].concat();
        if fits(&whole) {
            self.line(whole);
        } else {
            self.open(first);
            self.line(second);
            self.level -= 1;
        }
    }

    fn body(&mut self, body: &Body) {
        match body {
            Body::Empty => self.line("file = null;".to_owned()),
            Body::Pin(pin) => self.pin(pin),
            Body::Text { text, .. } if text.contains('\0') => {
                self.unprintable("the text contains a NUL character");
            }
            Body::Text { name, text } => self.line(format!(
                "file = builtins.toFile {} {};",
                quoted(name.as_str()),
                quoted(text)
            )),
            Body::File(file) => match path(file) {
                quote::Path::Literal(literal) => self.line(format!("file = {literal};")),
                quote::Path::Sum(base, added) => {
                    let whole = format!("{base} + {added};");
                    if fits(&whole) {
                        self.breakable("file =", whole);
                    } else {
                        self.open("file =");
                        self.line(base.to_owned());
                        self.line(format!("+ {added};"));
                        self.level -= 1;
                    }
                }
                quote::Path::Unprintable => {
                    self.unprintable("the path is not UTF-8, or contains a NUL character");
                }
            },
        }
    }

    fn pin(&mut self, pin: &Pin) {
        self.open("file = fetchurl {");
        self.string("name", pin.name.as_str());
        if pin.mirrors.is_empty() {
            self.string("url", pin.url.as_str());
        } else {
            self.open("urls = [");
            for url in pin.urls() {
                self.line(quoted(url.as_str()));
            }
            self.close("];");
        }
        let hash = pin.hash.as_ref().map(ToString::to_string);
        self.string("hash", &hash.unwrap_or_default());
        self.close("};");
    }

    fn unprintable(&mut self, reason: &str) {
        self.line(format!("file = throw {};", quoted(reason)));
    }
}

fn fits(line: &str) -> bool {
    line.chars().count() <= WIDTH
}

#[cfg(test)]
mod tests;
