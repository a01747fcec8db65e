//! Clients that resolve what they read against where it was, at the end of all redirects.

use buildproxy::proxy::Body;
use http::Response;

use crate::support::{Asked, Origin, Scene, answer, need, run};

/// What has parts beside it and above it: the last of its path, its media type, and its text.
const INDEXES: &[(&str, &str, &str)] = &[
    (
        "mod",
        "text/javascript",
        "import { part } from './part.js';\nimport { common } from '../common.js';\nexport default `1.0 ${part} ${common}`;\n",
    ),
    (
        "mod.ts",
        "application/octet-stream",
        "import { part } from './part.js';\nexport * from \"../common.js\";\n",
    ),
    (
        "style",
        "text/css",
        "a { background: url(part.js) }\n@import url(../common.js);\n",
    ),
    (
        "manifest",
        "application/json",
        "{ \"url\": \"part.js\", \"next\": \"../common.js\" }\n",
    ),
    (
        "list",
        "application/vnd.apple.mpegurl",
        "#EXTM3U\npart.js\n../common.js\n",
    ),
    (
        "feed",
        "application/rss+xml",
        "<item href=\"part.js\"/><item href=\"../common.js\"/>\n",
    ),
    (
        "stream",
        "application/dash+xml",
        "<S media=\"part.js\"/><S media=\"../common.js\"/>\n",
    ),
    (
        "page",
        "text/html",
        "<a href=\"part.js\"></a><a href=\"../common.js\"></a>\n",
    ),
];

/// Prints each URL that is got, and what. It knows the syntax of all of them.
const CLIENT: &str = r#"
import re, sys, urllib.parse, urllib.request
def get(url):
    with urllib.request.urlopen(url) as answer:
        text = answer.read().decode()
        print(answer.geturl(), repr(text))
        for reference in re.findall(r"[\w./]*(?:part|common)\.js", text):
            get(urllib.parse.urljoin(answer.geturl(), reference))
for url in sys.argv[1:]:
    get(url)
"#;

/// The index without its version, which redirects to that with it; parts are there, and nowhere else.
fn origin() -> Origin {
    Origin::start(serve)
}

fn serve(asked: &Asked) -> Response<Body> {
    let scripts = [("content-type", "text/javascript")];
    match asked.url.as_str() {
        "https://cdn.example.org/p/1.0/part.js" => {
            answer(200, &scripts, "export const part = 'part';\n")
        }
        "https://cdn.example.org/p/common.js" => {
            answer(200, &scripts, "export const common = 'and shared';\n")
        }
        url => {
            let index = INDEXES.iter().find_map(|(name, media_type, text)| {
                if url == format!("https://a.example.org/{name}") {
                    let to = format!("https://cdn.example.org/p/1.0/{name}");
                    return Some(answer(302, &[("location", &to)], ""));
                }
                let here = url == format!("https://cdn.example.org/p/1.0/{name}");
                here.then(|| answer(200, &[("content-type", media_type)], text))
            });
            index.unwrap_or_else(|| answer(404, &[], "not here\n"))
        }
    }
}

#[test]
fn a_client_finds_the_parts_of_what_it_was_redirected_to() {
    need("python3", "python3");
    let scene = Scene::new();
    scene.write("client.py", CLIENT);
    let urls = INDEXES
        .iter()
        .map(|(name, ..)| format!("https://a.example.org/{name}"));
    let urls: Vec<String> = urls.collect();
    let origin = origin();
    let mut direct = scene.command("python3");
    for variable in ["http_proxy", "https_proxy"] {
        direct.env(variable, origin.as_proxy());
    }
    direct.env("SSL_CERT_FILE", origin.ca());
    let direct = run(direct.arg("client.py").args(&urls)).ok();
    assert_eq!(
        direct.stdout.lines().count(),
        3 * urls.len(),
        "{}",
        direct.stdout
    );

    let script = format!("python3 client.py {}", urls.join(" "));
    let captured = scene.capture_script(&origin, &script).ok();
    assert_eq!(captured.stdout, direct.stdout);
    drop(origin);
    assert_eq!(scene.replay_script(&script).ok().stdout, direct.stdout);
}
