//! What does no input or output, in numbers: `cargo bench --bench pure`.
//!
//! Keys and the matcher are in the way of each request of a replay, the manifest before the first. The
//! inventory is written after the last request of a capture, when a person waits.

#![expect(
    clippy::unwrap_used,
    reason = "what is measured here is right, or there is no benchmark"
)]

use std::{
    collections::BTreeMap,
    hint::black_box,
    path::{Path, PathBuf},
};

use buildproxy::{
    capture::{Exchange, Outcome, Question, VendorFolder, assemble},
    emit::{Changes, print},
    inventory::{
        Body, Condition, Entry, Headers, Pin, Sri, StoreName, Url, manifest, nix::Document,
        query::IgnoredQuery,
    },
    replay::{Answer, Content, Key, Matcher, Secret},
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// What a client asks for: seven hosts, with a query here and there.
fn url(number: usize) -> Url {
    let host = number % 7;
    let query = if number.is_multiple_of(10) {
        "?format=raw"
    } else {
        ""
    };
    let text = format!("https://host{host}.example.org/o/r{number}/a-{number}.0.tar.gz{query}");
    Url::parse(&text).unwrap()
}

fn hash(number: usize) -> Sri {
    Sri::sha256_of(&number.to_le_bytes())
}

fn headers(number: usize) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in [
        ("content-type", "application/gzip".to_owned()),
        ("etag", format!("\"{number:x}-5f3e\"")),
        ("last-modified", "Sat, 01 Jan 2022 00:00:00 GMT".to_owned()),
    ] {
        headers.insert(name, &value).unwrap();
    }
    headers
}

fn pins(numbers: impl Iterator<Item = usize>) -> Vec<Entry> {
    let pin = |number| {
        let url = url(number);
        let body = Body::Pin(Pin::new(
            StoreName::of(&url),
            url.clone(),
            Some(hash(number)),
        ));
        Entry {
            headers: headers(number),
            ..Entry::get(url, body)
        }
    };
    numbers.map(pin).collect()
}

fn exchanges(number: usize) -> Vec<Exchange> {
    let exchange = |number| {
        let url = url(number);
        Exchange {
            question: Question {
                url: url.clone(),
                ignore_query: IgnoredQuery::default(),
                method: Method::GET,
                authorization: false,
                accept: None,
                git_protocol: None,
                body: None,
            },
            source: url,
            status: StatusCode::OK,
            headers: headers(number),
            outcome: Outcome::Pinned(hash(number)),
            redirects: 0,
        }
    };
    (0..number).map(exchange).collect()
}

fn get<'a>(url: &'a Url, headers: &'a HeaderMap) -> Key<'a> {
    Key {
        url,
        method: &Method::GET,
        headers,
        secret: Secret::None,
        body: None,
    }
}

fn key(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("key");
    let text = "https://host1.example.org/simple/a-b/?format=raw&token=secret";
    group.bench_function("url of a request", |bencher| {
        bencher.iter(|| {
            let url = Url::parse(black_box(text)).unwrap();
            url.without_secrets().into_owned()
        });
    });
    let mut sent = HeaderMap::new();
    sent.insert("accept", HeaderValue::from_static("application/json"));
    let url = url(1);
    let key = get(&url, &sent);
    let condition = Condition {
        headers: BTreeMap::from([("accept".to_owned(), "application/json".to_owned())]),
        ..Condition::default()
    };
    group.bench_function("condition", |bencher| {
        bencher.iter(|| key.fit(black_box(&condition)));
    });
}

fn matcher(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("matcher");
    let sent = HeaderMap::new();
    for number in [10, 100_000] {
        let answer = |number| Answer {
            url: url(number),
            method: Method::GET,
            condition: Condition::default(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            content: Content::Text("hello".into()),
        };
        let matcher = Matcher::new((0..number).map(answer).collect());
        for (what, url) in [("hit", url(number / 2)), ("miss", url(number))] {
            let key = get(&url, &sent);
            group.bench_function(BenchmarkId::new(what, number), |bencher| {
                bencher.iter(|| matcher.find(black_box(&key)));
            });
        }
    }
}

fn reading_a_manifest(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("manifest");
    group.sample_size(10);
    for number in [10_000, 100_000] {
        let mut entries = pins(0..number);
        for entry in &mut entries {
            let name = StoreName::of(&entry.url);
            let store = "/nix/store/q8ks9cq6p0wnv3zyd2vxl8d2g5xpl4ys";
            entry.body = Body::File(PathBuf::from(format!("{store}-{name}")));
        }
        let text = manifest::write(&entries).unwrap();
        group.bench_function(BenchmarkId::new("read", number), |bencher| {
            bencher.iter(|| manifest::read(black_box(&text)).unwrap().len());
        });
    }
}

/// All of 10,000 entries, as at the end of a capture.
fn writing_an_inventory(criterion: &mut Criterion) {
    const ENTRIES: usize = 10_000;
    let mut group = criterion.benchmark_group("inventory");
    group.sample_size(10);
    let folder = VendorFolder::beside(Path::new("/build/proxy_content.nix"));
    let exchanges = exchanges(ENTRIES);
    group.bench_function("assemble", |bencher| {
        bencher.iter_with_setup(
            || exchanges.clone(),
            |exchanges| assemble(exchanges, &folder, &[], Changes::Keep),
        );
    });
    let entries = pins(0..ENTRIES);
    group.bench_function("print", |bencher| {
        bencher.iter(|| print(black_box(&entries)));
    });
    let text = print(&entries);
    group.bench_function("parse", |bencher| {
        bencher.iter(|| Document::parse(black_box(&text)).unwrap());
    });
    let document = Document::parse(&text).unwrap();
    for (what, from) in [("nothing", 0), ("a half", ENTRIES / 2)] {
        let captured = pins(from..from + ENTRIES);
        group.bench_function(BenchmarkId::new("merge, new", what), |bencher| {
            bencher.iter(|| document.merge(black_box(&captured), Changes::Keep));
        });
    }
}

criterion_group!(
    benches,
    key,
    matcher,
    reading_a_manifest,
    writing_an_inventory
);
criterion_main!(benches);
