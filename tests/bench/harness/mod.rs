//! Measures buildproxy and its peers side by side, and prints tables as Markdown.
//!
//! A measurement starts a peer on one core, works on it from another, reads what the kernel counted
//! and ends it. The peers take turns, round by round, so that whatever else the machine does meets
//! all of them; what is printed are medians, ranges, and the ratio to the peer that a row is measured
//! by. To measure something more, add a [`Row`](row::Row).

mod capture;
mod load;
mod machine;
mod parts;
mod peer;
mod process;
mod row;
mod site;
mod table;

use std::{
    io::{Write, stderr},
    path::PathBuf,
    time::Duration,
};

use clap::Parser;
use machine::Machine;
use peer::Peer;
use row::{Figure, Row, rows};
use site::Site;
use table::{Cell, table};

/// Measures buildproxy and its peers, and prints a table.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// How often each peer has its turn.
    #[arg(long, default_value_t = 7)]
    pub(crate) rounds: usize,
    /// Few rounds, each short, of small files: to see where one is while changing something.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only rows with such a word in their name.
    #[arg(long, value_name = "WORD")]
    pub(crate) only: Vec<String>,
    /// The program to measure.
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_buildproxy"))]
    pub(crate) buildproxy: PathBuf,
    /// Another build of it, to compare with.
    #[arg(long, value_name = "FILE")]
    pub(crate) before: Option<PathBuf>,
    /// nginx, as `tests/bench/get-nginx` gets it.
    #[arg(long, value_name = "FILE", default_value = "nginx")]
    pub(crate) nginx: PathBuf,
    /// The least proxy that hudsucker makes, as `tests/bench/get-hudsucker` builds it, to be measured as well.
    #[arg(long, value_name = "FILE")]
    pub(crate) hudsucker: Option<PathBuf>,
    /// mitmproxy's mitmdump, to be measured as well.
    #[arg(long, value_name = "FILE")]
    pub(crate) mitmdump: Option<PathBuf>,
    /// Where the files are kept that are served.
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/bench"))]
    pub(crate) folder: PathBuf,
    /// As little as there can be, only to see that all of it works.
    #[arg(skip)]
    pub(crate) smoke: bool,
    /// What cargo gives to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How much of everything.
#[derive(Clone, Copy, Debug)]
struct Scale {
    rounds: usize,
    /// How long requests are made, a measurement.
    load: Duration,
    /// Bytes of the large file.
    large: u64,
    /// Entries of a large inventory.
    many: usize,
    /// Starts, a measurement.
    starts: usize,
    /// Whether server and client have a core each.
    pinned: bool,
}

impl Options {
    fn scale(&self) -> Scale {
        let full = Scale {
            rounds: self.rounds.max(1),
            load: Duration::from_secs(2),
            large: 2 << 30,
            many: 100_000,
            starts: 5,
            pinned: true,
        };
        if self.smoke {
            Scale {
                rounds: 1,
                load: Duration::from_millis(20),
                large: 4 << 20,
                many: 2_000,
                starts: 1,
                pinned: false,
            }
        } else if self.quick {
            Scale {
                rounds: self.rounds.min(3),
                load: Duration::from_millis(500),
                large: 512 << 20,
                starts: 3,
                ..full
            }
        } else {
            full
        }
    }
}

/// Measures, and gives the report: the machine, and a table.
pub(crate) fn measure(options: &Options) -> anyhow::Result<String> {
    let scale = options.scale();
    let peers = Peer::all(options);
    let machine = Machine::look(&peers)?;
    let site = Site::prepare(&options.folder, scale)?;
    let wanted = |row: &Row| {
        options.only.is_empty() || options.only.iter().any(|word| row.name.contains(word))
    };
    let rows: Vec<Row> = rows(scale, &options.nginx)
        .into_iter()
        .filter(wanted)
        .collect();
    let mut cells: Vec<Cell> = Vec::new();
    for round in 1..=scale.rounds {
        for row in &rows {
            for peer in peers.iter().filter(|peer| row.is_for(peer)) {
                let figures = (row.measure)(&site, peer)?;
                if !options.smoke {
                    let shown = figures.iter().map(|figure| figure.unit.show(figure.value));
                    let shown = shown.collect::<Vec<_>>().join(", ");
                    let of = scale.rounds;
                    writeln!(
                        stderr(),
                        "{round}/{of} {}, {}: {shown}",
                        row.name,
                        peer.name()
                    )?;
                }
                note(&mut cells, row, peer, figures);
            }
        }
    }
    Ok(format!("{machine}\n\n{}", table(&peers, &cells)))
}

/// Notes what one measurement gave.
fn note(cells: &mut Vec<Cell>, row: &Row, peer: &Peer, figures: Vec<Figure>) {
    for figure in figures {
        let name = match figure.of {
            "" => row.name.clone(),
            of => format!("{}: {of}", row.name),
        };
        let of_figure = |cell: &&mut Cell| cell.name == name && cell.peer == peer.name();
        match cells.iter_mut().find(of_figure) {
            Some(cell) => cell.values.push(figure.value),
            None => cells.push(Cell {
                name,
                peer: peer.name(),
                base: row.base,
                unit: figure.unit,
                values: vec![figure.value],
            }),
        }
    }
}
