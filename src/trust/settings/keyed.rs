//! Clients whose settings are lines with a key: which files, and which keys.

use std::path::{Path, PathBuf};

use super::{
    Client, Extended, Person, Route, Setting, java,
    lines::{Line, lines},
    of_system,
    route::{proxy, with_credentials},
    texts,
};

/// The keys by which a client is led elsewhere; those that come first go first.
#[derive(Default)]
struct Keys {
    http: &'static [&'static str],
    https: &'static [&'static str],
    no_proxy: &'static [&'static str],
    user: &'static [&'static str],
    password: &'static [&'static str],
    /// What matters without naming a proxy, such as a switch that turns them off.
    others: &'static [&'static str],
}

/// A client, and its files, of which those that come first go first.
struct Source {
    client: Client,
    files: Vec<PathBuf>,
    variables: &'static [&'static str],
    keys: Keys,
}

/// What the clients are set to.
pub(super) fn settings(person: &Person<'_>) -> Vec<Setting> {
    let mut settings: Vec<_> = downloaders(person)
        .iter()
        .chain(&installers(person))
        .filter_map(|source| source.setting(person))
        .collect();
    settings.extend(java::gradle(person));
    settings.extend(java::options(person));
    settings
}

/// Programs that download.
fn downloaders(person: &Person<'_>) -> Vec<Source> {
    let named = |variable: &str| person.variable(variable).map(PathBuf::from);
    let mut wget = vec![named("WGETRC").unwrap_or_else(|| person.home(".wgetrc"))];
    match named("SYSTEM_WGETRC") {
        Some(path) => wget.push(path),
        None => wget.extend(of_system("wgetrc")),
    }
    let mut wget2 = vec![named("WGET2RC").unwrap_or_else(|| person.home(".wget2rc"))];
    wget2.extend(of_system("wget2rc"));
    vec![
        Source {
            client: Client::Curl,
            files: of_curl(person),
            variables: &[],
            keys: Keys {
                http: CURL,
                https: CURL,
                no_proxy: &["noproxy"],
                user: &["proxy-user", "U"],
                others: &["preproxy", "cacert", "capath"],
                ..Keys::default()
            },
        },
        Source {
            client: Client::Wget,
            files: wget,
            variables: &[],
            keys: Keys {
                http: &["http_proxy", "httpproxy", "http-proxy"],
                https: &["https_proxy", "httpsproxy", "https-proxy"],
                no_proxy: &["no_proxy", "noproxy", "no-proxy"],
                user: &["proxy_user", "proxyuser", "proxy-user"],
                password: &["proxy_password", "proxypassword", "proxy-password"],
                others: &["use_proxy", "useproxy", "use-proxy"],
            },
        },
        Source {
            client: Client::Wget2,
            files: wget2,
            variables: &[],
            keys: Keys {
                http: &["http-proxy", "http_proxy"],
                https: &["https-proxy", "https_proxy"],
                no_proxy: &["no-proxy", "no_proxy"],
                user: &["http-proxy-user"],
                password: &["http-proxy-password"],
                others: &["proxy"],
            },
        },
    ]
}

/// What languages install packages with.
fn installers(person: &Person<'_>) -> Vec<Source> {
    let named = |variable: &str| person.variable(variable).map(PathBuf::from);
    let mut pip: Vec<_> = named("PIP_CONFIG_FILE").into_iter().collect();
    pip.extend(named("VIRTUAL_ENV").map(|folder| folder.join("pip.conf")));
    pip.extend([
        person.configuration("pip/pip.conf"),
        person.home(".pip/pip.conf"),
        person.home("Library/Application Support/pip/pip.conf"),
        "/etc/xdg/pip/pip.conf".into(),
        "/etc/pip.conf".into(),
    ]);
    let user = named("NPM_CONFIG_USERCONFIG").or_else(|| named("npm_config_userconfig"));
    let mut npm = vec![
        person.here(".npmrc"),
        user.unwrap_or_else(|| person.home(".npmrc")),
        "/usr/etc/npmrc".into(),
    ];
    npm.extend(of_system("npmrc"));
    let cargo = named("CARGO_HOME").unwrap_or_else(|| person.home(".cargo"));
    let cargo = [person.here(".cargo"), cargo];
    let cargo = cargo.iter();
    vec![
        Source {
            client: Client::Pip,
            files: pip,
            variables: &["PIP_PROXY"],
            keys: Keys {
                http: &["*.proxy"],
                https: &["*.proxy"],
                ..Keys::default()
            },
        },
        Source {
            client: Client::Npm,
            files: npm,
            variables: &["npm_config_https_proxy", "npm_config_proxy"],
            keys: Keys {
                http: &["http-proxy", "proxy"],
                https: &["https-proxy", "http-proxy", "proxy"],
                no_proxy: &["noproxy", "no-proxy"],
                ..Keys::default()
            },
        },
        Source {
            client: Client::Yarn,
            // yarn 1 heeds the same variable for https.
            files: [".yarnrc.yml", ".yarnrc"]
                .iter()
                .flat_map(|name| [person.here(name), person.home(name)])
                .collect(),
            variables: &["YARN_HTTPS_PROXY", "YARN_HTTP_PROXY"],
            keys: Keys {
                http: &["^httpProxy"],
                https: &["^httpsProxy", "https-proxy"],
                ..Keys::default()
            },
        },
        Source {
            client: Client::Cargo,
            files: cargo
                .flat_map(|folder| [folder.join("config.toml"), folder.join("config")])
                .collect(),
            variables: &["CARGO_HTTP_PROXY"],
            keys: Keys {
                http: &["http.proxy"],
                https: &["http.proxy"],
                ..Keys::default()
            },
        },
        Source {
            client: Client::Gem,
            files: of_gem(person),
            variables: &[],
            keys: Keys {
                http: &["http_proxy", GEM_OPTION],
                https: &["http_proxy", GEM_OPTION],
                ..Keys::default()
            },
        },
        Source {
            client: Client::R,
            files: of_r(person),
            variables: &[],
            keys: Keys {
                http: &["http_proxy", "all_proxy"],
                https: &["https_proxy", "all_proxy"],
                no_proxy: &["no_proxy"],
                ..Keys::default()
            },
        },
    ]
}

/// All that curl takes for a proxy.
const CURL: &[&str] = &[
    "proxy",
    "x",
    "proxy1.0",
    "socks5-hostname",
    "socks5",
    "socks4a",
    "socks4",
];

/// Not a key: an option among those that a gemrc has for a command.
const GEM_OPTION: &str = "--http-proxy";

/// The file that curl reads, which is the first of these that is there.
fn of_curl(person: &Person<'_>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let folder = person.variable("CURL_HOME").map(PathBuf::from);
    files.extend(folder.map(|folder| folder.join(".curlrc")));
    if person.variable("XDG_CONFIG_HOME").is_some() {
        files.push(person.configuration("curlrc"));
    }
    files.extend([person.home(".curlrc"), person.home(".config/curlrc")]);
    let mut there = files.into_iter().filter(|path| path.exists());
    there.next().into_iter().collect()
}

/// The files that gem reads.
fn of_gem(person: &Person<'_>) -> Vec<PathBuf> {
    let named = person.variable("GEMRC").unwrap_or_default();
    let mut files: Vec<PathBuf> = named.rsplit([':', ';']).map(PathBuf::from).collect();
    files.extend([person.home(".gemrc"), person.configuration("gem/gemrc")]);
    files.extend(of_system("gemrc"));
    files
}

/// R reads one of a person's, and one of the system's.
fn of_r(person: &Person<'_>) -> Vec<PathBuf> {
    let mut files = vec![own_of_r(person)];
    match person.variable("R_ENVIRON") {
        Some(path) => files.push(path.into()),
        None => files.push("/etc/R/Renviron.site".into()),
    }
    files
}

fn own_of_r(person: &Person<'_>) -> PathBuf {
    if let Some(path) = person.variable("R_ENVIRON_USER") {
        return path.into();
    }
    let here = person.here(".Renviron");
    if here.exists() {
        here
    } else {
        person.home(".Renviron")
    }
}

impl Source {
    /// What the files say, if they say anything that matters.
    fn setting(&self, person: &Person<'_>) -> Option<Setting> {
        let files: Vec<_> = texts(&self.files)
            .map(|(path, text)| (path, lines(&text)))
            .collect();
        let find = |keys: &[&str]| find(&files, keys);
        let variable = self.variables.iter().find_map(|name| {
            let value = person.variable(name)?;
            Some((value, Path::new(name)))
        });
        let keys = &self.keys;
        let http = variable.clone().or_else(|| find(keys.http));
        let https = variable.or_else(|| find(keys.https));
        let no_proxy = find(keys.no_proxy);
        let named = http.as_ref().or(https.as_ref()).or(no_proxy.as_ref());
        let (_, place) = named.cloned().or_else(|| find(keys.others))?;
        let user = find(keys.user).map(|(user, _)| user);
        let password = find(keys.password).map(|(password, _)| password);
        // curl has both in one.
        let (user, password) = match (user, password) {
            (Some(both), None) => match both.split_once(':') {
                Some((user, password)) => (Some(user.to_owned()), Some(password.to_owned())),
                None => (Some(both), None),
            },
            apart => apart,
        };
        let url = |found: Option<(String, &Path)>| {
            let url = proxy(&found?.0)?;
            Some(with_credentials(&url, user.as_deref(), password.as_deref()))
        };
        let leads_on = http.is_some() || https.is_some();
        let route = leads_on.then(|| Route {
            http: url(http),
            https: url(https),
            no_proxy: no_proxy.map(|(hosts, _)| hosts).unwrap_or_default(),
        });
        Some(Setting {
            client: self.client,
            key: None,
            place: place.display().to_string(),
            route,
            door: None,
        })
    }
}

/// The value that goes first, and where it stands: that of the first key, in the first file, on its last
/// line.
pub(super) fn find<'f>(
    files: &[(&'f Path, Vec<Line>)],
    keys: &[&str],
) -> Option<(String, &'f Path)> {
    keys.iter().find_map(|key| {
        files.iter().find_map(|(path, lines)| {
            let value = lines.iter().rev().find_map(|line| value(line, key))?;
            Some((value, *path))
        })
    })
}

fn value(line: &Line, key: &str) -> Option<String> {
    if key == GEM_OPTION {
        let mut words = line.value.split([' ', '=']);
        words.find(|word| *word == key)?;
        return words.next().map(str::to_owned);
    }
    line.is(key).then(|| line.value.clone())
}

/// What there is to be extended of the clients that have settings.
pub(super) fn extended(person: &Person<'_>, found: &[Setting]) -> Extended {
    let mut extended = Extended::default();
    for setting in found {
        match setting.client {
            Client::Curl => extended.curlrc = text(setting.place.as_ref()),
            Client::R => extended.renviron = without_proxies(&text(&own_of_r(person))),
            Client::Gem => extended.gem = gem_options(person),
            Client::Gradle => {
                let home = java::gradle_home(person);
                let properties = text(&home.join(java::GRADLE_PROPERTIES));
                extended.gradle = Some((home, properties));
            }
            Client::Apt
            | Client::Cargo
            | Client::Git
            | Client::Java
            | Client::Npm
            | Client::Pip
            | Client::Wget
            | Client::Wget2
            | Client::Yarn => {}
        }
    }
    extended
}

/// The lines that set no variable for a proxy: R takes none back that it has set.
fn without_proxies(renviron: &str) -> String {
    let names_one = |line: &&str| lines(line).iter().any(|line| line.is("*_proxy"));
    let kept = renviron.lines().filter(|line| !names_one(line));
    kept.flat_map(|line| [line, "\n"]).collect()
}

/// A file, or nothing.
fn text(path: &Path) -> String {
    let path = [path.to_owned()];
    let mut found = texts(&path).map(|(_, text)| text);
    found.next().unwrap_or_default()
}

/// The lines of gemrcs that give a command of gem a proxy; those that come first go first.
fn gem_options(person: &Person<'_>) -> Vec<(String, String)> {
    let mut options: Vec<(String, String)> = Vec::new();
    for (_, text) in texts(&of_gem(person)) {
        for line in lines(&text) {
            let known = options.iter().any(|(command, _)| *command == line.key);
            if !known && value(&line, GEM_OPTION).is_some() {
                options.push((line.key, line.value));
            }
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_r_stay_but_for_proxies() {
        let renviron = "# mine\nA=1\nhttp_proxy=http://a:1\nNO_PROXY = b\nB=http_proxy\n";
        assert_eq!(without_proxies(renviron), "# mine\nA=1\nB=http_proxy\n");
    }
}
