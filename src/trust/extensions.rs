//! What our settings of clients say where a person's lead elsewhere: after theirs, to outrank them.
//!
//! In a network where every address is ours they say that there is no proxy: that of a person may be a program
//! on this machine, which is not there.

use std::fmt::Write as _;

use super::{Client, Setting, Terms, Way};

/// curl's settings. The last of an option counts.
pub(super) fn curlrc(terms: &Terms, bundle: &str) -> String {
    let (own, proxy) = (
        &terms.settings.extended().curlrc,
        terms.proxy_of(Client::Curl),
    );
    let hosts = terms.no_proxy();
    format!(
        "{own}\nproxy = \"{proxy}\"\npreproxy = \"\"\nnoproxy = \"{hosts}\"\ncacert = \"{bundle}\"\n"
    )
}

/// What is added to wget's settings. Hosts are added to those that are there, but for an empty value.
pub(super) fn wgetrc(terms: &Terms) -> String {
    if !terms.settings.has(Client::Wget) {
        return String::new();
    }
    let (proxy, hosts) = (terms.proxy_of(Client::Wget), terms.no_proxy());
    match terms.way {
        Way::Proxy(_) => format!(
            "http_proxy = {proxy}\nhttps_proxy = {proxy}\nuse_proxy = on\nno_proxy =\nno_proxy = {hosts}\n"
        ),
        Way::Transparent => "use_proxy = off\n".to_owned(),
    }
}

/// What is added to wget2's settings.
pub(super) fn wget2rc(terms: &Terms) -> String {
    if !terms.settings.has(Client::Wget2) {
        return String::new();
    }
    let (proxy, hosts) = (terms.proxy_of(Client::Wget2), terms.no_proxy());
    match terms.way {
        Way::Proxy(_) => {
            format!("http-proxy = {proxy}\nhttps-proxy = {proxy}\nproxy = on\nno-proxy = {hosts}\n")
        }
        Way::Transparent => "proxy = off\n".to_owned(),
    }
}

/// git's settings. A key that says more of a URL goes before `http.proxy`, whatever names it, and so each is
/// there that a person has.
pub(super) fn gitconfig(terms: &Terms) -> String {
    let mut text = String::new();
    let mut set = |section: &str, part: Option<&str>, proxy: String| {
        // Writing to a string does not fail.
        let _ = match part {
            Some(part) => {
                let part = part.replace('\\', r"\\").replace('"', "\\\"");
                writeln!(text, "[{section} \"{part}\"]")
            }
            None => writeln!(text, "[{section}]"),
        };
        let _ = writeln!(text, "\tproxy = \"{proxy}\"");
    };
    let own = || terms.settings.of_client(Client::Git);
    let is_general = |key: &str| key == "http.proxy";
    let general = own().find(|setting| setting.key.as_deref().is_some_and(is_general));
    if matches!(terms.way, Way::Proxy(_)) || general.is_some() {
        set("http", None, terms.proxy_behind(general));
    }
    for setting in own() {
        let key = setting.key.as_deref().unwrap_or_default();
        if let Some((section, rest)) = key.split_once('.')
            && let Some((part, _)) = rest.rsplit_once('.')
        {
            set(section, Some(part), terms.proxy_behind(Some(setting)));
        }
    }
    text
}

/// gem's settings.
pub(super) fn gemrc(terms: &Terms) -> String {
    let proxy = match terms.way {
        Way::Proxy(_) => terms.proxy_of(Client::Gem),
        // As gem says that there is none.
        Way::Transparent => ":no_proxy".to_owned(),
    };
    let mut text = format!("http_proxy: {proxy}\n");
    if terms.way != Way::Transparent {
        for (command, options) in &terms.settings.extended().gem {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{command}: {options} --http-proxy {proxy}");
        }
    }
    text
}

/// R's variables, which are set when it starts, whatever they were.
pub(super) fn renviron(terms: &Terms) -> String {
    let (proxy, hosts) = (terms.proxy_of(Client::R), terms.no_proxy());
    let mut text = terms.settings.extended().renviron.clone();
    if terms.way == Way::Transparent {
        return text;
    }
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}={proxy}\n{}={proxy}", name.to_uppercase());
    }
    let _ = writeln!(text, "no_proxy={hosts}\nNO_PROXY={hosts}");
    text
}

/// Gradle's properties. Those of a person go before those of a project.
pub(super) fn gradle_properties(terms: &Terms, own: &str) -> String {
    let mut text = format!("{own}\n");
    let door = terms.settings.of_client(Client::Gradle).next();
    let (host, port) = match terms.way {
        Way::Proxy(usual) => {
            let door = door.and_then(Setting::door).unwrap_or(usual);
            (door.ip().to_string(), door.port().to_string())
        }
        Way::Transparent => (String::new(), String::new()),
    };
    for scheme in ["http", "https"] {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "systemProp.{scheme}.proxyHost={host}\nsystemProp.{scheme}.proxyPort={port}"
        );
    }
    let _ = writeln!(
        text,
        "systemProp.http.nonProxyHosts={}",
        terms.direct.java_patterns()
    );
    text
}

/// apt's last settings, after those of the system: the main file is read when all others have been.
pub(super) fn apt_main(settings: &str) -> String {
    const MAIN: &str = "/etc/apt/apt.conf";
    let mut text = String::new();
    if std::path::Path::new(MAIN).exists() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "#include \"{MAIN}\";");
    }
    for scheme in ["http", "https"] {
        for name in ["Proxy", "Proxy-Auto-Detect", "ProxyAutoDetect"] {
            let _ = writeln!(text, "#clear Acquire::{scheme}::{name};");
        }
    }
    text + settings
}
