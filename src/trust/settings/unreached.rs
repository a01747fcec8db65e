//! Clients that go where their own settings say, whatever we set.

use std::path::PathBuf;

use super::{
    Person, Unreached, files_in,
    lines::{Line, lines},
    texts,
};

/// Clients that nothing we set outranks.
pub(super) fn unreached(person: &Person<'_>) -> Vec<Unreached> {
    let known: [(&str, Vec<PathBuf>, &[&str]); 7] = [
        (
            "uv",
            vec![
                person.here("uv.toml"),
                person.configuration("uv/uv.toml"),
                "/etc/uv/uv.toml".into(),
            ],
            &["http-proxy", "https-proxy"],
        ),
        (
            "yarn 1 (http)",
            vec![person.here(".yarnrc"), person.home(".yarnrc")],
            &["proxy"],
        ),
        (
            "conda",
            vec![person.home(".condarc"), "/etc/conda/.condarc".into()],
            &["proxy_servers"],
        ),
        (
            "Mercurial",
            vec![person.home(".hgrc"), person.configuration("hg/hgrc")],
            &["http_proxy.host"],
        ),
        (
            "Subversion",
            vec![
                person.home(".subversion/servers"),
                "/etc/subversion/servers".into(),
            ],
            &["*.http-proxy-host"],
        ),
        (
            "gcloud",
            files_in(&person.configuration("gcloud/configurations")),
            &["proxy.address"],
        ),
        (
            "yarn 4",
            vec![person.here(".yarnrc.yml"), person.home(".yarnrc.yml")],
            // Those for some hosts.
            &[">httpProxy", ">httpsProxy"],
        ),
    ];
    let mut unreached = Vec::new();
    for (client, files, keys) in known {
        for (place, text) in texts(&files) {
            let leads = |line: &Line| keys.iter().any(|key| line.is(key));
            if lines(&text).iter().any(leads) {
                unreached.push(Unreached {
                    client,
                    place: place.to_owned(),
                });
            }
        }
    }
    unreached.extend(in_xml(person));
    unreached
}

/// Maven and `NuGet`, whose settings are XML.
fn in_xml(person: &Person<'_>) -> Vec<Unreached> {
    let mut maven = vec![person.home(".m2/settings.xml")];
    for variable in ["MAVEN_HOME", "M2_HOME"] {
        let home = person.variable(variable);
        maven.extend(home.map(|home| format!("{home}/conf/settings.xml").into()));
    }
    maven.extend(
        [
            "/etc/maven/settings.xml",
            "/usr/share/maven/conf/settings.xml",
        ]
        .map(Into::into),
    );
    // One may be a link to another.
    maven.dedup_by_key(|path| path.canonicalize().ok());
    let nuget = [
        person.here("nuget.config"),
        person.here("NuGet.Config"),
        person.home(".nuget/NuGet/NuGet.Config"),
        person.home(".config/NuGet/NuGet.Config"),
    ];
    let found = |client, text: fn(&str) -> bool, files: &[_]| {
        let files = texts(files).filter(|(_, content)| text(content));
        let unreached = files.map(|(place, _)| Unreached {
            client,
            place: place.to_owned(),
        });
        unreached.collect::<Vec<_>>()
    };
    let mut unreached = found("Maven", has_active_proxy, &maven);
    unreached.extend(found("NuGet", has_proxy_key, &nuget));
    unreached
}

/// Whether Maven's settings have a proxy that is not switched off.
fn has_active_proxy(text: &str) -> bool {
    let text = without_comments(text);
    let mut proxies = text.split("<proxy>").skip(1);
    proxies.any(|proxy| {
        let proxy = proxy.split("</proxy>").next().unwrap_or_default();
        let active = proxy.split("<active>").nth(1);
        let active = active.and_then(|active| active.split('<').next());
        proxy.contains("<host>") && active.is_none_or(|active| active.trim() != "false")
    })
}

/// Whether `NuGet`'s have one.
fn has_proxy_key(text: &str) -> bool {
    let text = without_comments(text).to_ascii_lowercase();
    text.contains("key=\"http_proxy\"")
}

fn without_comments(text: &str) -> String {
    let mut parts = text.split("<!--");
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let after = part.split_once("-->").map(|(_, after)| after);
        rest.push_str(after.unwrap_or_default());
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_counts_where_it_is_active() {
        let settings = |active: &str| {
            format!("<settings><proxies><proxy>{active}<host>a</host></proxy></proxies></settings>")
        };
        assert!(has_active_proxy(&settings("")));
        assert!(has_active_proxy(&settings("<active>true</active>")));
        assert!(!has_active_proxy(&settings("<active> false </active>")));
        assert!(!has_active_proxy(&format!("<!-- {} -->", settings(""))));
    }

    #[test]
    fn a_key_of_nuget_is_found() {
        let key = "<config><add key=\"http_proxy\" value=\"http://a:1\" /></config>";
        assert!(has_proxy_key(key));
        assert!(!has_proxy_key(&format!("<!--{key}--><config/>")));
    }
}
