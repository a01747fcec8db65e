//! What is measured.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::{
    Scale, capture,
    load::{Connections, Load, Route, connect, count, download},
    peer::{Peer, Server},
    process::{Core, pinned},
    site::{SMALL, Site},
};

/// One measurement, of each of some peers.
pub(super) struct Row {
    pub(super) name: String,
    /// The peer by which the others are measured.
    pub(super) base: &'static str,
    /// Whether a peer can do it at all.
    pub(super) peers: fn(&Peer) -> bool,
    /// Measures one peer, once.
    pub(super) measure: Measure,
}

/// Measures one peer, once.
type Measure = Box<dyn Fn(&Site, &Peer) -> anyhow::Result<Vec<Figure>>>;

/// Picks the way to a server.
type Pick = fn(&Server) -> Route;

impl Row {
    pub(super) fn is_for(&self, peer: &Peer) -> bool {
        (self.peers)(peer)
    }
}

/// A result. One measurement may have several.
pub(super) struct Figure {
    /// What else of the row; nothing for the row itself.
    pub(super) of: &'static str,
    pub(super) unit: Unit,
    pub(super) value: f64,
}

/// What a value counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Seconds,
    PerSecond,
    BytesPerSecond,
    Bytes,
    /// A ratio.
    Times,
}

impl Unit {
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Self::Seconds if value < 1e-3 => format!("{:.1} µs", value * 1e6),
            Self::Seconds if value < 1.0 => format!("{:.2} ms", value * 1e3),
            Self::Seconds => format!("{value:.2} s"),
            Self::PerSecond => format!("{value:.0}"),
            Self::BytesPerSecond => format!("{:.0} MB/s", value / 1e6),
            Self::Times => format!("{value:.2}"),
            Self::Bytes => format!("{:.1} MiB", value / f64::from(1 << 20)),
        }
    }
}

/// All of them, in the order of the table. Captures have the program `nginx` as upstream.
pub(super) fn rows(scale: Scale, nginx: &Path) -> Vec<Row> {
    let many = scale.many;
    let mut rows = Vec::new();
    for entries in [1_000, many] {
        rows.push(row(
            format!("start to first answer, {entries} entries"),
            move |site, peer| start(site, peer, entries),
        ));
    }
    for connections in [1, 32] {
        for entries in [10, many] {
            let plural = if connections == 1 { "" } else { "s" };
            rows.push(row(
                format!("requests/s, {connections} connection{plural}, {entries} entries"),
                move |site, peer| requests(site, peer, connections, entries),
            ));
        }
    }
    rows.push(row(
        "new connections/s, 32 at a time".to_owned(),
        new_connections,
    ));
    let size = size(scale.large);
    for (scheme, route) in ROUTES {
        for (what, range) in [("", false), (" by a range", true)] {
            rows.push(Row {
                peers: if range { gives_ranges } else { streams },
                ..row(format!("{size} over {scheme}{what}"), move |site, peer| {
                    large(site, peer, route, range)
                })
            });
        }
    }
    rows.extend(capture::rows(scale, nginx));
    rows
}

/// Whether a peer does not hold all of a body in memory.
fn streams(peer: &Peer) -> bool {
    !matches!(peer, Peer::Mitmproxy(_))
}

/// Whether a peer gives a part of a body, too.
fn gives_ranges(peer: &Peer) -> bool {
    streams(peer) && !matches!(peer, Peer::Hudsucker(_))
}

/// A number of bytes, as a row's name has it.
pub(super) fn size(bytes: u64) -> String {
    match bytes >> 30 {
        0 => format!("{} MiB", bytes >> 20),
        gibibytes => format!("{gibibytes} GiB"),
    }
}

/// How a server is asked for each scheme.
const ROUTES: [(&str, Pick); 2] = [
    ("TLS", |server| server.https),
    ("http", |server| server.http),
];

/// A row that compares with nginx.
pub(super) fn row(
    name: String,
    measure: impl Fn(&Site, &Peer) -> anyhow::Result<Vec<Figure>> + 'static,
) -> Row {
    Row {
        name,
        base: "nginx",
        peers: |_| true,
        measure: Box::new(measure),
    }
}

/// From the call of the program, through its going into the background, to the end of the first answer. The
/// median of several.
fn start(site: &Site, peer: &Peer, entries: usize) -> anyhow::Result<Vec<Figure>> {
    let mut times = Vec::new();
    for _ in 0..site.scale.starts {
        let since = Instant::now();
        let server = peer.start(site, entries)?;
        as_client(site, async {
            let mut first = Connections::open(server.https, 1, names(2), SMALL).await?;
            first.ask(Duration::ZERO).await?;
            first.ask(Duration::from_nanos(1)).await
        })?;
        times.push(since.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(vec![Figure {
        of: "",
        unit: Unit::Seconds,
        value: times[times.len() / 2],
    }])
}

/// Small files on connections that stay open.
fn requests(
    site: &Site,
    peer: &Peer,
    connections: usize,
    entries: usize,
) -> anyhow::Result<Vec<Figure>> {
    let server = peer.start(site, entries)?;
    let scale = site.scale;
    as_client(site, async {
        let names = names(entries);
        let mut open = Connections::open(server.https, connections, names, SMALL).await?;
        open.ask(scale.load / 10).await?;
        let before = server.process.cpu()?;
        let load = open.ask(scale.load).await?;
        let cpu = server.process.cpu()?.saturating_sub(before);
        Ok(of_load(&load, cpu))
    })
}

/// A new connection for each request.
fn new_connections(site: &Site, peer: &Peer) -> anyhow::Result<Vec<Figure>> {
    let server = peer.start(site, 10)?;
    let scale = site.scale;
    as_client(site, async {
        connect(server.https, 32, "1", scale.load / 10).await?;
        let before = server.process.cpu()?;
        let load = connect(server.https, 32, "1", scale.load).await?;
        let cpu = server.process.cpu()?.saturating_sub(before);
        Ok(of_load(&load, cpu))
    })
}

fn of_load(load: &Load, cpu: Duration) -> Vec<Figure> {
    vec![
        Figure {
            of: "",
            unit: Unit::PerSecond,
            value: load.rate(),
        },
        Figure {
            of: "p99",
            unit: Unit::Seconds,
            value: load.p99(),
        },
        Figure {
            of: "server CPU each",
            unit: Unit::Seconds,
            value: cpu.as_secs_f64() / count(load.latencies.len().max(1)),
        },
    ]
}

/// The large file, whole, or all but its first byte.
fn large(site: &Site, peer: &Peer, route: Pick, range: bool) -> anyhow::Result<Vec<Figure>> {
    let server = peer.start(site, 10)?;
    let (headers, expected) = if range {
        ("Range: bytes=1-\r\n", site.scale.large - 1)
    } else {
        ("", site.scale.large)
    };
    as_client(site, async {
        let (length, elapsed) = download(route(&server), "large", headers).await?;
        ensure!(length == expected, "{length} bytes instead of {expected}");
        let length = count(usize::try_from(length >> 20)?) * f64::from(1 << 20);
        Ok(vec![
            Figure {
                of: "",
                unit: Unit::BytesPerSecond,
                value: length / elapsed.as_secs_f64(),
            },
            Figure {
                of: "server CPU",
                unit: Unit::Seconds,
                value: server.process.cpu()?.as_secs_f64(),
            },
            Figure {
                of: "peak memory",
                unit: Unit::Bytes,
                value: server.process.peak()?,
            },
        ])
    })
}

/// The files of an inventory of so many entries.
fn names(entries: usize) -> impl Iterator<Item = String> {
    (1..entries).map(|number| number.to_string())
}

/// Works as a client, on the client's core.
pub(super) fn as_client<T>(
    site: &Site,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if site.scale.pinned {
        pinned(Core::Client, || runtime.block_on(work))?
    } else {
        runtime.block_on(work)
    }
}
