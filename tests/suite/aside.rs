//! Ranges that are asked for beside the download of the whole.
//!
//! The origin gives the first part of a file, and no more of it until it has been asked for a range. So
//! whoever waits for the range to come with the whole waits in vain.

use std::{io, sync::Arc};

use buildproxy::proxy::{Body, stream};
use bytes::Bytes;
use futures_util::{StreamExt, stream as streams};
use http::Response;
use tokio::sync::watch;

use crate::support::{Asked, Origin, Ran, Scene, answer, need, own_clients, run};

/// What of the file comes at once.
const FIRST: usize = 64 << 10;

/// A file on an origin.
#[derive(Clone)]
struct Slow {
    whole: Bytes,
    headers: &'static [(&'static str, &'static str)],
    /// Whether a range has been asked for.
    asked: Arc<watch::Sender<bool>>,
}

impl Slow {
    /// A mebibyte, no two parts of which are the same.
    fn new() -> Self {
        let numbers = (0_u32..1 << 18).flat_map(u32::to_be_bytes);
        Self::of(numbers.collect::<Vec<u8>>().into())
    }

    fn of(whole: Bytes) -> Self {
        Self {
            whole,
            headers: &[
                ("content-type", "application/zip"),
                ("etag", "\"1\""),
                ("last-modified", "Sat, 01 Jan 2022 00:00:00 GMT"),
            ],
            asked: Arc::new(watch::channel(false).0),
        }
    }

    /// The whole, most of which comes when a range has been asked for.
    fn whole(&self) -> Response<Body> {
        let mut response = self.without_length();
        let length = self.whole.len().into();
        response.headers_mut().insert("content-length", length);
        response
    }

    fn without_length(&self) -> Response<Body> {
        let first = self.whole.slice(..FIRST);
        let rest = self.whole.slice(FIRST..);
        let mut asked = self.asked.subscribe();
        let rest = streams::once(async move {
            asked
                .wait_for(|asked| *asked)
                .await
                .map_err(io::Error::other)?;
            Ok(rest)
        });
        let mut response = answer(200, self.headers, "");
        *response.body_mut() = stream(streams::iter([Ok(first)]).chain(rest));
        response
    }

    /// The range that is asked for, as `make` makes it of its start and end; or else the whole.
    fn ranged(
        &self,
        asked: &Asked,
        make: impl Fn(&Self, usize, usize) -> Response<Body>,
    ) -> Response<Body> {
        let Some(range) = asked.header("range") else {
            return self.whole();
        };
        self.asked.send_replace(true);
        let (start, end) = bounds(range, self.whole.len());
        make(self, start, end)
    }

    fn part(&self, start: usize, end: usize) -> Response<Body> {
        self.part_of(self.whole.slice(start..end), start, end)
    }

    /// These bytes as the answer to that range.
    fn part_of(&self, bytes: Bytes, start: usize, end: usize) -> Response<Body> {
        let mut response = answer(206, self.headers, "");
        let range = format!("bytes {start}-{}/{}", end - 1, self.whole.len());
        let headers = response.headers_mut();
        headers.insert("content-range", range.parse().unwrap());
        *response.body_mut() = buildproxy::proxy::full(bytes);
        response
    }
}

/// Of a Range header with one range, of what has this length.
fn bounds(range: &str, length: usize) -> (usize, usize) {
    let range = range.strip_prefix("bytes=").unwrap();
    let (first, last) = range.split_once('-').unwrap();
    match (first.parse::<usize>(), last.parse::<usize>()) {
        (Err(_), Ok(suffix)) => (length - suffix, length),
        (Ok(first), Err(_)) => (first, length),
        (Ok(first), Ok(last)) => (first, length.min(last + 1)),
        (Err(_), Err(_)) => panic!("{range}"),
    }
}

/// Captures curl's download of these ranges, each of which is to be in `whole`.
fn capture(scene: &Scene, origin: &Origin, whole: &Bytes, ranges: &[&str]) -> Ran {
    need("curl", "curl");
    let captured = scene.capture_script(origin, &script(ranges)).ok();
    check(scene, whole, ranges);
    captured
}

fn script(ranges: &[&str]) -> String {
    let ranges = ranges.join(" ");
    format!(
        "for range in {ranges}; do
            curl -sSfL --max-time 30 -u user:password -D head$range -o body$range -r $range https://a.example.org/x
        done"
    )
}

#[track_caller]
fn check(scene: &Scene, whole: &Bytes, ranges: &[&str]) {
    for range in ranges {
        let (start, end) = bounds(&format!("bytes={range}"), whole.len());
        let body = std::fs::read(scene.path(&format!("body{range}"))).unwrap();
        assert!(body == whole[start..end], "{range}: {} bytes", body.len());
        let head = scene.read(&format!("head{range}")).to_lowercase();
        let length = whole.len();
        for line in [
            format!("content-range: bytes {start}-{}/{length}\r\n", end - 1),
            format!("content-length: {}\r\n", end - start),
            "content-type: application/zip\r\n".to_owned(),
            "etag: \"1\"\r\n".to_owned(),
        ] {
            assert!(head.contains(&line), "{line} is not in {head}");
        }
    }
}

/// The Range headers that the origin was asked with.
fn ranges(origin: &Origin) -> Vec<String> {
    let asked = origin.asked();
    let ranges = asked.iter().filter_map(|asked| asked.header("range"));
    ranges.map(str::to_owned).collect()
}

#[test]
fn a_range_that_comes_late_does_not_wait_for_the_rest() {
    let slow = Slow::new();
    let of_origin = slow.clone();
    let origin = Origin::start(move |asked| of_origin.ranged(asked, Slow::part));
    let scene = Scene::new();
    let ranges = ["-1000", "1000000-1000999", "700000-"];
    let captured = capture(&scene, &origin, &slow.whole, &ranges[..1]);
    captured.says("1 download captured (1 new, 1 pinned, 0 vendored");
    let asked = origin.asked();
    let asked = asked.iter().find(|asked| asked.header("range").is_some());
    let asked = asked.unwrap();
    assert_eq!(asked.header("range"), Some("bytes=1047576-1048575"));
    assert_eq!(asked.header("if-range"), Some("\"1\""));
    let captured = capture(&scene, &origin, &slow.whole, &ranges);
    assert!(!captured.stderr.contains("unstable"), "{}", captured.stderr);
    drop(origin);
    scene.replay_script(&script(&ranges)).ok();
    check(&scene, &slow.whole, &ranges);
}

#[test]
fn a_range_of_what_has_no_length_does_not_wait_for_it() {
    let slow = Slow::new();
    let of_origin = slow.clone();
    let origin = Origin::start(move |asked| match asked.header("range") {
        Some(_) => of_origin.ranged(asked, Slow::part),
        None => of_origin.without_length(),
    });
    let scene = Scene::new();
    let captured = capture(&scene, &origin, &slow.whole, &["-1000"]);
    assert!(!captured.stderr.contains("unstable"), "{}", captured.stderr);
    assert_eq!(ranges(&origin), ["bytes=-1000"]);
}

#[test]
fn what_begins_early_or_is_in_several_parts_comes_out_of_the_download() {
    let slow = Slow::new();
    slow.asked.send_replace(true);
    let of_origin = slow.clone();
    let origin = Origin::start(move |asked| of_origin.ranged(asked, Slow::part));
    let scene = Scene::new();
    capture(
        &scene,
        &origin,
        &slow.whole,
        &["0-99", "60000-70000", "200000-"],
    );
    let several = "curl -sSf -r 600000-600001,-5 https://a.example.org/x";
    scene.capture_script(&origin, several).ok();
    assert_eq!(ranges(&origin), [""; 0]);
}

/// Whatever upstream gives in place of the range, the client gets the right bytes.
#[test]
fn upstream_that_gives_something_else_is_waited_for() {
    type Make = fn(&Slow, usize, usize) -> Response<Body>;
    let kinds: [(&str, Make); 6] = [
        ("the whole", |slow, _, _| slow.whole()),
        ("a failure", |_, _, _| answer(503, &[], "busy\n")),
        ("another range", |slow, start, end| {
            slow.part(start - 1, end - 1)
        }),
        ("another length", |slow, start, end| {
            let mut response = slow.part(start, end);
            let range = format!("bytes {start}-{}/{}", end - 1, end + 7);
            let range = range.parse().unwrap();
            response.headers_mut().insert("content-range", range);
            response
        }),
        ("another version", |slow, start, end| {
            let bytes = vec![b'x'; end - start];
            let mut response = slow.part_of(bytes.into(), start, end);
            response
                .headers_mut()
                .insert("etag", "\"2\"".parse().unwrap());
            response
        }),
        ("half of it", |slow, start, end| {
            let half = slow.whole.slice(start..usize::midpoint(start, end));
            let mut response = slow.part(start, end);
            let broken = Err(io::Error::other("on purpose"));
            *response.body_mut() = stream(streams::iter([Ok(half), broken]));
            response
        }),
    ];
    for (kind, make) in kinds {
        println!("{kind}");
        let slow = Slow::new();
        let of_origin = slow.clone();
        let origin = Origin::start(move |asked| of_origin.ranged(asked, make));
        let scene = Scene::new();
        let captured = capture(&scene, &origin, &slow.whole, &["-500000"]);
        assert_eq!(ranges(&origin), ["bytes=548576-1048575"]);
        assert!(!captured.stderr.contains("unstable"), "{}", captured.stderr);
    }
}

#[test]
fn a_range_with_other_bytes_than_the_whole_is_told_of() {
    let slow = Slow::new();
    let of_origin = slow.clone();
    let origin = Origin::start(move |asked| {
        of_origin.ranged(asked, |slow, start, end| {
            slow.part_of(vec![b'x'; end - start].into(), start, end)
        })
    });
    let scene = Scene::new();
    let script = "curl -sSf --max-time 30 -r -10 https://a.example.org/x";
    let captured = scene.capture_script(&origin, script).ok();
    assert_eq!(captured.stdout, "xxxxxxxxxx");
    captured.says(
        "unstable: https://a.example.org/x: a range had other bytes than the whole, which is recorded",
    );
}

/// The range is asked for where the download is, and with what that was asked with.
#[test]
fn a_range_is_asked_for_where_the_redirect_led() {
    let slow = Slow::new();
    let of_origin = slow.clone();
    let origin = Origin::start(move |asked| match asked.url.as_str() {
        "https://a.example.org/x" => answer(302, &[("location", "/y")], ""),
        "https://a.example.org/y" => {
            let to = ("location", "https://cdn.example.org/z?signature=1");
            answer(302, &[to, ("set-cookie", "seen=1")], "")
        }
        "https://cdn.example.org/z?signature=1" => of_origin.ranged(asked, Slow::part),
        other => panic!("{other}"),
    });
    let scene = Scene::new();
    capture(&scene, &origin, &slow.whole, &["-1000"]).says("1 pinned");
    let asked = origin.asked();
    let ranged = asked.iter().filter(|asked| asked.header("range").is_some());
    let ranged: Vec<_> = ranged.collect();
    assert_eq!(ranged.len(), 1);
    assert_eq!(ranged[0].url, "https://cdn.example.org/z?signature=1");
    assert_eq!(ranged[0].header("authorization"), None);
    // On the same server, it stays.
    let slow = Slow::new();
    let of_origin = slow.clone();
    let origin = Origin::start(move |asked| of_origin.ranged(asked, Slow::part));
    capture(&scene, &origin, &slow.whole, &["-1000"]);
    let asked = origin.asked();
    let ranged = asked.iter().find(|asked| asked.header("range").is_some());
    let authorization = ranged.unwrap().header("authorization");
    assert_eq!(authorization, Some("Basic dXNlcjpwYXNzd29yZA=="));
}

/// uv reads the directory of a wheel first, and pip does where it is told to.
#[test]
fn clients_that_read_the_directory_of_a_wheel_first_do_not_wait_for_all_of_it() {
    let uv = own_clients().join("python/bin/uv");
    assert!(uv.exists(), "this test needs uv; tests/run installs it");
    need("python3", "python3");
    let scene = Scene::new();
    let make = "
import os, zipfile
with zipfile.ZipFile('large-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('large/data', os.urandom(1 << 20))
    wheel.writestr('large/__init__.py', '')
    info = 'large-1.0.dist-info/'
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: large\\nVersion: 1.0\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    names = ['large/data', 'large/__init__.py', info + 'METADATA', info + 'WHEEL', info + 'RECORD']
    wheel.writestr(info + 'RECORD', ''.join(name + ',,\\n' for name in names))
";
    run(scene.command("python3").args(["-c", make])).ok();
    let wheel = std::fs::read(scene.path("large-1.0-py3-none-any.whl")).unwrap();
    let uv = uv.display();
    for install in [
        format!(
            "UV_HTTP_TIMEOUT=20 UV_HTTP_RETRIES=0 {uv} --no-cache pip install --quiet --target there \
             --index-url https://a.example.org/simple large"
        ),
        "pip download --quiet --no-cache-dir --disable-pip-version-check --use-feature=fast-deps --timeout 20 \
         --retries 0 --index-url https://a.example.org/simple large"
            .to_owned(),
    ] {
        let slow = Slow::of(wheel.clone().into());
        let of_origin = slow.clone();
        let origin = Origin::start(move |asked| match asked.url.as_str() {
            "https://a.example.org/simple/large/" => answer(
                200,
                &[("content-type", "text/html")],
                "<a href=\"/large-1.0-py3-none-any.whl\">large-1.0-py3-none-any.whl</a>",
            ),
            "https://a.example.org/large-1.0-py3-none-any.whl" => {
                let mut response = of_origin.ranged(asked, Slow::part);
                let bytes = "bytes".parse().unwrap();
                response.headers_mut().insert("accept-ranges", bytes);
                response
            }
            _ => answer(404, &[], ""),
        });
        let captured = scene.capture_script(&origin, &install).ok();
        assert!(!ranges(&origin).is_empty(), "{install}");
        assert!(!captured.stderr.contains("unstable"), "{}", captured.stderr);
        drop(origin);
        run(scene.command("rm").args(["-rf", "there", "large-1.0-py3-none-any.whl"])).ok();
        scene.replay_script(&install).ok();
    }
}
