//! The benchmark itself, so that it still works when somebody wants to know.

#[path = "../bench/harness/mod.rs"]
mod harness;

use clap::Parser;
use harness::{Options, measure};

use crate::support::own_clients;

#[test]
fn the_benchmark_measures_something_in_each_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::parse_from(["bench"]);
    options.smoke = true;
    options.nginx = own_clients().join("nginx/usr/sbin/nginx");
    options.hudsucker = Some(own_clients().join("hudsucker/release/buildproxy-hudsucker"));
    folder.path().clone_into(&mut options.folder);
    let report = measure(&options).unwrap();
    let rows: Vec<&str> = report
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(2)
        .collect();
    assert!(rows.len() > 10, "{report}");
    for row in rows {
        let columns: Vec<_> = row.split('|').map(str::trim).collect();
        let ["", name, ours, nginx, hudsucker, ratio, ""] = columns[..] else {
            panic!("{row}");
        };
        assert_ne!(ours, "–", "{row}");
        // What a capture is made of nobody has but us.
        if !name.ends_with(" alone") && !name.ends_with("the sum of these") {
            assert!(![nginx, ratio].contains(&"–"), "{row}");
            assert_eq!(hudsucker == "–", name.contains(" by a range"), "{row}");
        }
    }
}
