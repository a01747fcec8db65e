//! The README's table of clients, which is made of the list.

use std::{env, fmt::Write, fs};

use super::{
    ALL,
    client::{Client, Explicit},
    driver::{MODES, Mode},
};
use crate::support::checkout;

/// Set to 1, the table is written instead of compared.
const UPDATE: &str = "BUILDPROXY_TEST_UPDATE";

const START: &str = "<!-- made by tests/suite/matrix/readme.rs -->\n";
const END: &str = "<!-- so far -->\n";

fn table() -> String {
    let mut table = String::from("| client |");
    for mode in MODES {
        // Writing to a string does not fail.
        let _ = write!(table, " {} |", mode.name());
    }
    table.push_str(" |\n");
    table.push_str(&"| --- ".repeat(MODES.len() + 2));
    table.push_str("|\n");
    for client in ALL {
        let _ = write!(table, "| {} |", client.name);
        for &mode in MODES {
            let _ = write!(table, " {} |", cell(client, mode));
        }
        let remarks = match client.explicit {
            Explicit::No(why) => why,
            Explicit::Yes | Explicit::From { .. } => client.remarks,
        };
        let _ = writeln!(table, " {remarks} |");
    }
    table
}

fn cell(client: &Client, mode: Mode) -> String {
    match (mode, client.explicit) {
        (Mode::Transparent, _) | (Mode::Explicit, Explicit::Yes) => "yes".to_owned(),
        (Mode::Explicit, Explicit::No(_)) => "no".to_owned(),
        (Mode::Explicit, Explicit::From { version, .. }) => format!("from {version}"),
    }
}

#[test]
fn readme_has_the_table() {
    let path = checkout("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(START).unwrap();
    let (there, after) = rest.split_once(END).unwrap();
    let table = table();
    if env::var_os(UPDATE).is_some_and(|value| value == "1") {
        fs::write(&path, [before, START, &table, END, after].concat()).unwrap();
    } else {
        assert!(
            there == table,
            "README's table of clients is not what the matrix says.\n\
             hint: {UPDATE}=1 cargo test readme_has_the_table\n\n{table}"
        );
    }
}
