//! Capture, beside the same downloads from the same nginx without a proxy.
//!
//! nginx has one core, the client another, and buildproxy, which stands between them, both.

use std::{
    cell::RefCell,
    fs::{self, File},
    path::Path,
    process::{ChildStdin, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::{
    Scale,
    load::{Route, download, one_by_one},
    parts::Parts,
    peer::{Peer, Server, first_line, start_hudsucker},
    process::Background,
    row::{Figure, Row, Unit, as_client, row, size},
    site::{HOST, SMALL, Site},
};

pub(super) fn rows(scale: Scale, nginx: &Path) -> Vec<Row> {
    let upstream = Peer::Nginx(nginx.to_owned());
    let files = scale.many / 100;
    // Deleted one by one between the rounds, they would be in the way of those that come after: ext4 looks
    // for a while at each inode that was deleted before it takes another.
    let kept = RefCell::new(Vec::new());
    let (of_large, of_small) = (upstream.clone(), upstream);
    let rows = [
        row(
            format!("capture of {} over TLS", size(scale.large)),
            move |site, peer| large(Way::open(site, peer, &of_large)?),
        ),
        row(
            format!("capture of {files} files of 4 KiB, a new connection each"),
            move |site, peer| small(Way::open(site, peer, &of_small)?, files, &kept),
        ),
    ];
    let of_ours = |row| Row {
        // What it writes is for itself.
        peers: |peer| !matches!(peer, Peer::Mitmproxy(_)),
        ..row
    };
    rows.into_iter().map(of_ours).collect()
}

fn large(way: Way<'_>) -> anyhow::Result<Vec<Figure>> {
    let length = way.site.scale.large;
    let elapsed = as_client(way.site, async {
        let (got, elapsed) = download(way.route(), "large", "").await?;
        ensure!(got == length, "{got} bytes instead of {length}");
        Ok(elapsed)
    })?;
    let mut figures = way.figures(elapsed)?;
    if let Between::Capture(_) = way.between {
        figures.extend(parts(way.site, &figures)?);
    }
    way.close(1)?;
    Ok(figures)
}

/// What the parts of the work take, each alone, and what the whole takes beside them.
fn parts(site: &Site, whole: &[Figure]) -> anyhow::Result<Vec<Figure>> {
    let parts = Parts::measure(site)?;
    let whole = whole.iter().find(|figure| figure.of == CPU);
    let whole = whole.map_or(0.0, |figure| figure.value);
    let mut figures: Vec<Figure> = parts
        .named()
        .map(|(of, time)| Figure {
            of,
            unit: Unit::Seconds,
            value: time.as_secs_f64(),
        })
        .into();
    figures.push(Figure {
        of: "server CPU by the sum of these",
        unit: Unit::Times,
        value: whole / parts.sum().as_secs_f64(),
    });
    Ok(figures)
}

fn small(way: Way<'_>, files: usize, kept: &RefCell<Vec<TempDir>>) -> anyhow::Result<Vec<Figure>> {
    let names = (1..=files).map(|number| number.to_string());
    let elapsed = as_client(way.site, one_by_one(way.route(), names, SMALL))?;
    let figures = way.figures(elapsed)?;
    kept.borrow_mut().extend(way.close(files)?);
    Ok(figures)
}

/// How a figure of the whole is called.
const CPU: &str = "server CPU";

/// nginx, and what is before it.
struct Way<'a> {
    site: &'a Site,
    server: Server,
    between: Between,
    cpu_before: Duration,
}

/// What stands between the client and nginx.
enum Between {
    Nothing,
    Capture(Capture),
    /// A proxy that records nothing.
    Hudsucker(Server),
}

impl<'a> Way<'a> {
    fn open(site: &'a Site, peer: &Peer, upstream: &Peer) -> anyhow::Result<Self> {
        let server = upstream.start(site, 10)?;
        let between = match peer {
            Peer::Buildproxy(program) | Peer::Before(program) => {
                Between::Capture(Capture::start(site, program, &server)?)
            }
            Peer::Hudsucker(program) => {
                let to = server.https.address.to_string();
                Between::Hudsucker(start_hudsucker(site, program, &["capture", &to])?)
            }
            Peer::Nginx(_) | Peer::Mitmproxy(_) => Between::Nothing,
        };
        let mut way = Self {
            site,
            server,
            between,
            cpu_before: Duration::ZERO,
        };
        way.cpu_before = way.process().cpu()?;
        Ok(way)
    }

    fn process(&self) -> &Background {
        match &self.between {
            Between::Nothing => &self.server.process,
            Between::Capture(capture) => &capture.process,
            Between::Hudsucker(proxy) => &proxy.process,
        }
    }

    fn route(&self) -> Route {
        match &self.between {
            Between::Nothing => self.server.https,
            Between::Capture(capture) => capture.route,
            Between::Hudsucker(proxy) => proxy.https,
        }
    }

    fn figures(&self, elapsed: Duration) -> anyhow::Result<Vec<Figure>> {
        let process = self.process();
        Ok(vec![
            Figure {
                of: "",
                unit: Unit::Seconds,
                value: elapsed.as_secs_f64(),
            },
            Figure {
                of: CPU,
                unit: Unit::Seconds,
                value: process.cpu()?.saturating_sub(self.cpu_before).as_secs_f64(),
            },
            Figure {
                of: "peak memory",
                unit: Unit::Bytes,
                value: process.peak()?,
            },
        ])
    }

    /// Ends the capture, which has to have recorded so many pins. Gives the folder with all that it wrote.
    fn close(self, pins: usize) -> anyhow::Result<Option<TempDir>> {
        match self.between {
            Between::Capture(capture) => capture.end(pins).map(Some),
            Between::Nothing | Between::Hudsucker(_) => Ok(None),
        }
    }
}

/// A capture whose command does nothing until its input ends.
struct Capture {
    process: Background,
    route: Route,
    input: ChildStdin,
    folder: TempDir,
}

impl Capture {
    fn start(site: &Site, program: &Path, upstream: &Server) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("capture-")
            .tempdir_in(site.path(""))?;
        let mut command = Command::new(program);
        command.args(["capture", "--no-prefill", "--output"]);
        command.arg(folder.path().join("content.nix"));
        command.arg("--body-cache").arg(folder.path().join("cache"));
        let to = format!("{HOST}:443:{}", upstream.https.address);
        command.args(["--connect-to", &to, "--", "sh", "-c"]);
        command.arg(r#"echo "$https_proxy"; read -r _ || true"#);
        command.env("SSL_CERT_FILE", site.path("nginx.crt"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(File::create(folder.path().join("log"))?);
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let line = first_line(&mut child);
        let process = Background::child(child)?;
        let line = line?;
        let address = line.trim_start_matches("http://").parse();
        let address = address.with_context(|| format!("buildproxy said '{line}'"))?;
        Ok(Self {
            process,
            route: Route {
                address,
                tls: true,
                proxy: true,
            },
            input: input.context("no input")?,
            folder,
        })
    }

    fn end(self, pins: usize) -> anyhow::Result<TempDir> {
        drop(self.input);
        self.process.ended()?;
        let log = fs::read_to_string(self.folder.path().join("log"))?;
        let inventory = fs::read_to_string(self.folder.path().join("content.nix"))?;
        let recorded = inventory.matches("file = fetchurl {").count();
        ensure!(recorded == pins, "{recorded} pins instead of {pins}: {log}");
        Ok(self.folder)
    }
}
