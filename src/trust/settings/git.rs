//! What git is set to.
//!
//! git says it itself, as its files include others, under conditions. That takes a process, and so it is
//! asked only where one of its files may name a proxy.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{Client, Person, Route, Setting, of_system, route, texts};

/// What `git config` is to look for.
const KEYS: &str = r"^(http\.(.*\.)?|remote\..*\.)proxy$";

/// Every key that names a proxy, with the last that names it.
pub(super) fn settings(person: &Person<'_>) -> Vec<Setting> {
    if !texts(&files(person)).any(|(_, text)| may_name(&text)) && !in_environment(person) {
        return Vec::new();
    }
    let mut git = Command::new("git");
    git.args(["config", "--null", "--show-origin", "--get-regexp", KEYS]);
    git.current_dir(person.folder()).stdin(Stdio::null());
    match git.output() {
        Ok(output) if output.status.success() => parse(&String::from_utf8_lossy(&output.stdout)),
        // Without a git, nobody is set to anything; without a setting, it says 1.
        Ok(_) | Err(_) => Vec::new(),
    }
}

/// Where git looks, as far as that is known from outside.
fn files(person: &Person<'_>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    match person.variable("GIT_CONFIG_SYSTEM") {
        Some(path) => files.push(path.into()),
        None => files.extend(of_system("gitconfig")),
    }
    match person.variable("GIT_CONFIG_GLOBAL") {
        Some(path) => files.push(path.into()),
        None => files.extend([
            person.home(".gitconfig"),
            person.configuration("git/config"),
        ]),
    }
    let repository = |folder: &Path| folder.join(".git/config");
    files.extend(person.folder().ancestors().map(repository));
    files
}

/// Whether a file may name a proxy, or another file.
fn may_name(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("proxy") || text.contains("include")
}

/// The same of what variables say.
fn in_environment(person: &Person<'_>) -> bool {
    let count = person.variable("GIT_CONFIG_COUNT");
    let count = count.and_then(|count| count.parse::<u8>().ok());
    (0..count.unwrap_or(0)).any(|number| {
        let key = person.variable(&format!("GIT_CONFIG_KEY_{number}"));
        key.is_some_and(|key| may_name(&key))
    })
}

/// Reads the answer: an origin, a key and a value each time. The last of a key is the one that counts.
fn parse(answer: &str) -> Vec<Setting> {
    let mut found = BTreeMap::new();
    let mut parts = answer.split('\0');
    while let (Some(origin), Some(setting)) = (parts.next(), parts.next()) {
        let (key, value) = setting.split_once('\n').unwrap_or((setting, ""));
        let place = origin.strip_prefix("file:").unwrap_or(origin);
        let setting = Setting {
            client: Client::Git,
            key: Some(key.to_owned()),
            place: place.to_owned(),
            route: Some(Route::all(route::proxy(value))),
            door: None,
        };
        found.insert(key.to_owned(), setting);
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_key_counts() {
        let answer = "file:/etc/gitconfig\0http.proxy\nhttp://a:1\0\
                      file:/home/u/.gitconfig\0http.proxy\nb:2\0\
                      file:.git/config\0http.https://example.org.proxy\n\0";
        let settings = parse(answer);
        assert_eq!(settings.len(), 2);
        let route = |number: usize| settings[number].route.clone().unwrap();
        assert_eq!(
            settings[0].key.as_deref(),
            Some("http.https://example.org.proxy")
        );
        assert_eq!(route(0).https, None);
        assert_eq!(settings[1].place, "/home/u/.gitconfig");
        assert_eq!(route(1).http.as_deref(), Some("http://b:2"));
    }
}
