//! What apt is set to: apt.conf(5).

use std::path::PathBuf;

use super::{Client, Person, Route, Setting, files_in, route, texts};

/// The proxies that the system's files name, if any. The last counts.
pub(super) fn setting(person: &Person<'_>) -> Option<Setting> {
    let mut files = files_in("/etc/apt/apt.conf.d".as_ref());
    files.push("/etc/apt/apt.conf".into());
    files.extend(person.variable("APT_CONFIG").map(PathBuf::from));
    let mut found: Option<Setting> = None;
    for (path, text) in texts(&files) {
        for (key, value) in settings(&text) {
            let scheme = match key.to_ascii_lowercase().as_str() {
                "acquire::http::proxy" => "http",
                "acquire::https::proxy" => "https",
                _ => continue,
            };
            let setting = found.get_or_insert_with(|| Setting {
                client: Client::Apt,
                key: None,
                place: String::new(),
                route: Some(Route::default()),
                door: None,
            });
            setting.place = path.display().to_string();
            if let Some(route) = &mut setting.route {
                // As apt says that there is none.
                let proxy = route::proxy(&value).filter(|_| value != "DIRECT");
                if scheme == "http" {
                    // It goes for https as well, where that has none of its own.
                    route.https = route.https.take().or_else(|| proxy.clone());
                    route.http = proxy;
                } else {
                    route.https = proxy;
                }
            }
        }
    }
    found
}

/// Every setting with its whole name.
fn settings(text: &str) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    let mut scopes: Vec<String> = Vec::new();
    let mut name = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skipped = match next {
            '#' => line(rest),
            '/' if rest.starts_with("//") => line(rest),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '{' => {
                scopes.push(std::mem::take(&mut name));
                1
            }
            '}' => {
                scopes.pop();
                1
            }
            ';' => {
                name.clear();
                1
            }
            '"' => {
                let value = rest[1..].split('"').next().unwrap_or_default();
                let names = scopes.iter().map(String::as_str).chain([name.as_str()]);
                let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
                settings.push((names.join("::"), value.to_owned()));
                (value.len() + 2).min(rest.len())
            }
            space if space.is_whitespace() => space.len_utf8(),
            _ => {
                let ends = |c: char| c.is_whitespace() || "{};\"".contains(c);
                let end = rest.find(ends).unwrap_or(rest.len());
                rest[..end].clone_into(&mut name);
                end.max(next.len_utf8())
            }
        };
        rest = &rest[skipped..];
    }
    settings
}

fn line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_together() {
        let text = "// Acquire::http::Proxy \"no\";\n/* { */\n# a\nAcquire::http::Proxy \"http://a:1\";\n\
                    Acquire { https { Proxy \"http://b:2\"; }; Retries \"3\"; };\nAPT { List { \"x\"; } };";
        let expected = [
            ("Acquire::http::Proxy", "http://a:1"),
            ("Acquire::https::Proxy", "http://b:2"),
            ("Acquire::Retries", "3"),
            ("APT::List", "x"),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(settings(text), expected);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much(text in "[a-zé{}\";/*# \n]{0,100}") {
            settings(&text);
        }
    }
}
