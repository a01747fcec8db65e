//! Runs cases three times, and compares.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path, sync::Arc};

use buildproxy::inventory::{Entry, nix::Document};

use super::case::{Case, Difference, Expect};
use crate::support::{Heard, RawOrigin, Reply, Scene, need, reply, run};

/// The headers that a client may go by.
const COMPARED: [&str; 13] = [
    "content-type",
    "content-encoding",
    "content-disposition",
    "content-range",
    "content-length",
    "etag",
    "last-modified",
    "link",
    "location",
    "www-authenticate",
    "x-linked-etag",
    "x-linked-size",
    "x-repo-commit",
];

/// The three ways, in order; each is a folder of what was seen.
const WAYS: [&str; 3] = ["direct", "captured", "replayed"];

/// What a client saw.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    exit: String,
    status: String,
    headers: BTreeMap<&'static str, Vec<String>>,
    body: Vec<u8>,
}

/// Runs `cases`, and fails with all differences that there are.
#[track_caller]
pub(super) fn compare(cases: Vec<Case>) {
    compare_with(cases, &[]);
}

/// The same, with options for the capture.
#[track_caller]
pub(super) fn compare_with(cases: Vec<Case>, options: &[&str]) {
    need("curl", "curl");
    let scene = Scene::new();
    let cases = Arc::new(cases);
    let of_origin = Arc::clone(&cases);
    let origin = RawOrigin::start(move |heard| answer(&of_origin, heard));

    let direct = origin.connect_to().join(" ");
    let direct = format!("{direct} --cacert {}", origin.ca().display());
    let script = script(&cases, &origin);
    for way in WAYS {
        fs::create_dir(scene.path(way)).unwrap();
        let options = if way == "direct" { &direct } else { "" };
        scene.write(
            &format!("{way}.sh"),
            &format!("WAY={way} OPTIONS='{options}'\n{script}"),
        );
    }
    run(scene.command("sh").arg("direct.sh")).ok();
    origin.heard();

    let mut capture = scene.buildproxy(&["capture", "--no-prefill"]);
    capture.args(origin.connect_to()).args(options);
    capture.env("SSL_CERT_FILE", origin.ca());
    let captured = run(capture.args(["--", "sh", "captured.sh"])).ok();
    let heard = origin.heard();

    // Every pin can be fetched again, by whoever has nothing but the file.
    let mut fetch = scene.buildproxy(&["check", "--fetch"]);
    fetch
        .args(origin.connect_to())
        .env("SSL_CERT_FILE", origin.ca());
    let proven = run(&mut fetch);
    assert!(proven.status == 0, "{}\n{}", proven.stdout, proven.stderr);
    drop(origin);

    let inventory = scene.read("proxy_content.nix");
    let document =
        Document::parse(&inventory).unwrap_or_else(|error| panic!("{error}\n{inventory}"));
    let entries: Vec<&Entry> = document
        .entries()
        .iter()
        .map(|located| &located.entry)
        .collect();

    let mut replay = scene.offline(env!("CARGO_BIN_EXE_buildproxy"));
    run(replay.args(["replay", "proxy_content.nix", "--", "sh", "replayed.sh"])).ok();

    let mut report = String::new();
    for (index, case) in cases.iter().enumerate() {
        let recorded: Vec<Entry> = entries
            .iter()
            .filter(|entry| belongs(index, entry.url.host(), entry.url.path()))
            .map(|entry| (*entry).clone())
            .collect();
        let heard: Vec<Heard> = heard
            .iter()
            .filter(|heard| belongs(index, &heard.host, &heard.target))
            .cloned()
            .collect();
        check(case, index, &scene, &recorded, &heard, &mut report);
    }
    assert!(
        report.is_empty(),
        "{report}\ncaptured:\n{}",
        captured.stderr
    );
}

/// Whether a request is of the case with this number: by its host, or by its path where that is an
/// address.
fn belongs(index: usize, host: &str, path: &str) -> bool {
    host.to_ascii_lowercase()
        .contains(&format!(".c{index}.example.org"))
        || path.starts_with(&format!("/c{index}/"))
}

fn answer(cases: &[Case], heard: &Heard) -> Reply {
    let found = cases
        .iter()
        .enumerate()
        .find(|(index, _)| belongs(*index, &heard.host, &heard.target));
    let Some((index, case)) = found else {
        return reply(400, format!("no case is {} {}\n", heard.host, heard.target));
    };
    let own = format!("/c{index}/");
    let target = match heard.target.strip_prefix(&own) {
        Some(rest) => format!("/{rest}"),
        None => heard.target.clone(),
    };
    match case.routes.iter().find(|(known, _)| *known == target) {
        Some((_, answer)) => answer(heard),
        None => reply(400, format!("the case has no {target}\n")),
    }
}

/// The client's part of all cases, the same in each way.
fn script(cases: &[Case], origin: &RawOrigin) -> String {
    let mut script = r#"curl() { command curl -q -sS --noproxy '' --max-time 20 $OPTIONS "$@"; }
step() {
    step=$WAY/$1; shift
    curl -D $step.head -o $step.body "$@" 2>$step.said; echo $? >$step.exit
}
"#
    .to_owned();
    for (index, case) in cases.iter().enumerate() {
        for (number, step) in case.steps.iter().enumerate() {
            let arguments = step
                .arguments
                .replace("HTTPS_IP", &format!("127.0.0.1:{}", origin.https))
                .replace("HTTP_IP", &format!("127.0.0.1:{}", origin.http))
                .replace("LOUD", &format!("One.C{index}.Example.Org"))
                .replace("ONE", &format!("one.c{index}.example.org"))
                .replace("TWO", &format!("two.c{index}.example.org"))
                .replace("H2", &format!("h2.c{index}.example.org"))
                .replace("WRONG", &format!("wrong.c{index}.example.org"))
                .replace("CASE", &format!("c{index}"));
            if let Some(there) = step.there {
                writeln!(script, "printf %s '{there}' >$WAY/{index}.{number}.body").unwrap();
            }
            writeln!(script, "step {index}.{number} {arguments}").unwrap();
        }
    }
    script
}

fn check(
    case: &Case,
    index: usize,
    scene: &Scene,
    recorded: &[Entry],
    heard: &[Heard],
    report: &mut String,
) {
    let mut differed = Vec::new();
    for number in 0..case.steps.len() {
        let [direct, captured, replayed] =
            WAYS.map(|way| see(scene, &format!("{way}/{index}.{number}")));
        let mut say = |text: String| {
            let arguments = &case.steps[number].arguments;
            writeln!(report, "{}: curl {arguments}\n  {text}", case.name).unwrap();
        };
        for (way, seen) in [("captured", &captured), ("replayed", &replayed)] {
            for what in differences(case.expect, &direct, seen) {
                if allowed(&case.differences, what, &direct, seen) {
                    differed.push(what);
                } else {
                    say(format!(
                        "{what}: {} directly, {} {way}",
                        show(&direct, what),
                        show(seen, what)
                    ));
                }
            }
        }
    }
    for difference in &case.differences {
        if !differed.contains(&difference.what) {
            writeln!(
                report,
                "{}: no difference in {}",
                case.name, difference.what
            )
            .unwrap();
        }
    }
    if case.expect == Expect::Failure && !recorded.is_empty() {
        writeln!(report, "{}: recorded {recorded:#?}", case.name).unwrap();
    }
    if let Some(check) = &case.inventory {
        println!("{}: what was recorded", case.name);
        check(recorded);
    }
    if let Some(check) = &case.upstream {
        println!("{}: what upstream heard", case.name);
        check(heard);
    }
}

/// What `seen` differs in from `direct`.
fn differences(expect: Expect, direct: &Seen, seen: &Seen) -> Vec<&'static str> {
    if expect == Expect::Failure {
        let fail = [direct, seen].iter().all(|seen| seen.exit != "0");
        return if fail { Vec::new() } else { vec!["exit"] };
    }
    let mut differences = Vec::new();
    for (what, same) in [
        ("exit", direct.exit == seen.exit),
        ("status", direct.status == seen.status),
        ("body", direct.body == seen.body),
    ] {
        if !same {
            differences.push(what);
        }
    }
    let header = |name: &&str| direct.headers.get(name) != seen.headers.get(name);
    differences.extend(COMPARED.into_iter().filter(header));
    differences
}

fn allowed(differences: &[Difference], what: &str, direct: &Seen, seen: &Seen) -> bool {
    if !differences.iter().any(|difference| difference.what == what) {
        return false;
    }
    // Even so: a failure stays a failure, and a length is true.
    match what {
        "exit" => (direct.exit == "0") == (seen.exit == "0"),
        "content-length" => seen.headers.get(what).is_none_or(|length| {
            // Of a body that curl decoded, it is another.
            let coded = seen.headers.contains_key("content-encoding");
            coded || *length == [seen.body.len().to_string()]
        }),
        _ => true,
    }
}

fn show(seen: &Seen, what: &str) -> String {
    match what {
        "exit" => seen.exit.clone(),
        "status" => seen.status.clone(),
        "body" if seen.body.len() > 300 => format!("{} bytes", seen.body.len()),
        "body" => format!("{:?}", String::from_utf8_lossy(&seen.body)),
        header => format!("{:?}", seen.headers.get(header)),
    }
}

/// Reads what curl wrote.
fn see(scene: &Scene, step: &str) -> Seen {
    let read = |kind: &str| {
        let path = scene.path(&format!("{step}.{kind}"));
        if path.exists() {
            fs::read(Path::new(&path)).unwrap()
        } else {
            Vec::new()
        }
    };
    let heads = read("head");
    let heads: String = heads.iter().copied().map(char::from).collect();
    // The last of several: after redirects, interim answers, and that of CONNECT. Trailers follow.
    let blocks = heads.split("\r\n\r\n");
    let blocks = blocks.filter(|block| block.starts_with("HTTP/"));
    let head = blocks.last().unwrap_or("");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let mut headers: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let name = name.to_ascii_lowercase();
        if let Some(name) = COMPARED.into_iter().find(|known| *known == name) {
            headers
                .entry(name)
                .or_default()
                .push(value.trim().to_owned());
        }
    }
    let body = read("body");
    // With -I, curl writes the head there.
    let body = if body.starts_with(b"HTTP/") {
        Vec::new()
    } else {
        body
    };
    Seen {
        exit: String::from_utf8(read("exit")).unwrap().trim().to_owned(),
        status: status.unwrap_or_default().to_owned(),
        headers,
        body,
    }
}
