//! Tables as Markdown.

use super::{
    peer::{OURS, Peer},
    row::Unit,
};

/// What was measured of one thing and one peer.
#[derive(Debug)]
pub(super) struct Cell {
    /// What was measured, the first column.
    pub(super) name: String,
    /// Whom.
    pub(super) peer: &'static str,
    /// The peer that all others are measured by.
    pub(super) base: &'static str,
    pub(super) unit: Unit,
    /// One value a round.
    pub(super) values: Vec<f64>,
}

impl Cell {
    fn median(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        } else {
            sorted[middle]
        }
    }

    fn show(&self) -> String {
        let unit = self.unit;
        let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.values.iter().copied().fold(0.0, f64::max);
        let median = unit.show(self.median());
        if self.values.len() == 1 {
            return median;
        }
        format!("{median} ({}–{})", unit.show(least), unit.show(most))
    }
}

/// A line for each thing, a column for each peer, and of buildproxy the ratio to the line's base.
pub(super) fn table(peers: &[Peer], cells: &[Cell]) -> String {
    let mut lines = vec![
        format!(
            "| median (range) | {} | ratio |",
            peers.iter().map(Peer::name).collect::<Vec<_>>().join(" | ")
        ),
        format!("| --- |{} --- |", " --- |".repeat(peers.len())),
    ];
    let mut names: Vec<&str> = Vec::new();
    for cell in cells {
        if !names.contains(&cell.name.as_str()) {
            names.push(&cell.name);
        }
    }
    for name in names {
        let of = |peer: &str| {
            let same = |cell: &&Cell| cell.name == name && cell.peer == peer;
            cells.iter().find(same)
        };
        let mut columns = vec![name.to_owned()];
        columns.extend(peers.iter().map(|peer| {
            let cell = of(peer.name());
            cell.map_or("–".to_owned(), Cell::show)
        }));
        let ratio = of(OURS).and_then(|ours| {
            let base = of(ours.base)?.median();
            (base > 0.0).then(|| ours.median() / base)
        });
        columns.push(ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}")));
        lines.push(format!("| {} |", columns.join(" | ")));
    }
    lines.join("\n") + "\n"
}
