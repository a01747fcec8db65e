//! What the README says to try first; and its chapter on Nix, done as it says: its files are written, its changes are made, and its
//! commands are run, in the order in which they stand there. Of its sections each begins with what stands
//! before the first of them.
//!
//! - A block of `make` or `nix` is a file, whose name is the last code in the line of text before it.
//! - A `diff` changes that file: what it keeps and takes away stands there in one piece.
//! - In a `console`, what follows `$ ` is typed, and the lines below are said, among others and in this
//!   order. `…` stands for anything, and a line may go on. Where one begins with `error:`, the command
//!   fails; all others do not.
//!
//! There is nothing else in the chapter: a block of another kind is a mistake. What is to be tried with Nix
//! is tried as well.

use std::fs;

use buildproxy::proxy::Body;
use http::Response;

use crate::support::{
    Asked, Machine, Nix, Origin, Scene, answer, checkout, need, of_this_machine, run, system, text,
    with_both,
};

with_both![
    what_it_says_with_a_flake,
    what_it_says_without_flakes,
    what_it_says_to_try_with_nix,
];

const SECTIONS: [&str; 2] = ["With a flake", "Without flakes"];

fn what_it_says_with_a_flake(nix: &Nix) {
    follow(nix, SECTIONS[0]);
}

fn what_it_says_without_flakes(nix: &Nix) {
    follow(nix, SECTIONS[1]);
}

#[test]
fn there_are_no_other_sections_in_the_nix_chapter() {
    let chapter = chapter();
    let headings = chapter.iter().map(|section| section.heading.as_str());
    let headings: Vec<_> = headings.collect();
    assert_eq!(headings, ["", SECTIONS[0], SECTIONS[1]]);
    for section in &chapter[1..] {
        let fails = |step: &Step| matches!(step, Step::Type(command) if command.fails());
        assert!(section.steps.iter().any(fails), "{}", section.heading);
        let last = section.steps.last();
        let works = matches!(last, Some(Step::Type(command)) if !command.fails());
        assert!(works, "{}: {last:?}", section.heading);
    }
}

/// In a clone of the repository, and with the registry that cargo is configured for here; but buildproxy is compiled
/// already. Somebody who does it once more gets the same.
#[test]
fn what_it_says_to_try_first_and_once_more() {
    need("cargo", "cargo");
    let scene = Scene::new();
    let mut copy = scene.command("cp");
    run(copy.arg("-r").args([checkout("example"), scene.path("")])).ok();
    let readme = fs::read_to_string(checkout("README.md")).unwrap();
    let (_, commands) = readme.split_once("\n## Try it\n").unwrap();
    let (_, commands) = commands.split_once("```sh\n").unwrap();
    let (commands, _) = commands.split_once("```\n").unwrap();
    let commands = commands.replace("cargo run --release --", env!("CARGO_BIN_EXE_buildproxy"));
    for (time, new) in [("first", 3), ("second", 0)] {
        let mut shell = of_this_machine("sh", &scene.path(""));
        let tried = run(shell.args(["-euc", &commands])).ok();
        assert_eq!(tried.stdout, "the same, without a network\n", "{time}");
        tried
            .says(&format!("3 downloads captured ({new} new, "))
            .says("buildproxy: 3 requests were answered\n");
    }
}

/// In a clone of the repository.
fn what_it_says_to_try_with_nix(nix: &Nix) {
    need("make", "make");
    need("unshare", "util-linux");
    let origin = Origin::start(apache);
    let machine = Machine::new(nix, &origin);
    let readme = fs::read_to_string(checkout("README.md")).unwrap();
    for (command, then) in [
        (
            "nix run .#buildproxy-capture -- -o content.nix -- make -C example/src",
            "diff content.nix example/proxy_content.nix",
        ),
        (
            "nix profile install .",
            "cd ~/.nix-profile && bin/buildproxy --version && ls \
             share/man/man1/buildproxy-capture.1 share/bash-completion/completions/buildproxy.bash",
        ),
    ] {
        assert!(readme.contains(command), "{command}");
        let all = format!("cd ../buildproxy && {command} && {then}");
        machine.shell(&all).ok();
    }
}

/// www.apache.org, as far as the chapter goes.
fn apache(asked: &Asked) -> Response<Body> {
    match asked.url.as_str() {
        "https://www.apache.org/licenses/LICENSE-2.0.txt" => {
            text(include_str!("../../LICENSE-APACHE"))
        }
        "https://www.apache.org/licenses/LICENSE-1.1.txt" => {
            text(" * 1. Redistributions of source code must retain the above copyright\n")
        }
        _ => answer(404, &[], "not here\n"),
    }
}

fn follow(nix: &Nix, heading: &str) {
    need("curl", "curl");
    need("git", "git");
    need("make", "make");
    need("unshare", "util-linux");
    let origin = Origin::start(apache);
    let machine = Machine::new(nix, &origin);
    for section in chapter() {
        if section.heading.is_empty() || section.heading == heading {
            for step in &section.steps {
                step.take(&machine, &origin);
            }
        }
    }
}

#[derive(Debug)]
struct Section {
    heading: String,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Write { file: String, text: String },
    Change { file: String, diff: String },
    Type(Command),
}

#[derive(Debug)]
struct Command {
    typed: String,
    says: Vec<String>,
}

/// The sections of the chapter; the first is what stands before any heading.
fn chapter() -> Vec<Section> {
    let readme = fs::read_to_string(checkout("README.md")).unwrap();
    let (_, chapter) = readme.split_once("\n## In Nix\n").unwrap();
    let (chapter, _) = chapter.split_once("\n## ").unwrap();
    let mut sections = vec![Section {
        heading: String::new(),
        steps: Vec::new(),
    }];
    let mut before = "";
    let mut lines = chapter.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("### ") {
            sections.push(Section {
                heading: heading.to_owned(),
                steps: Vec::new(),
            });
        } else if let Some(kind) = line.trim_start().strip_prefix("```") {
            let steps = &mut sections.last_mut().unwrap().steps;
            steps.extend(block(kind, before, &mut lines));
        } else if !line.is_empty() {
            let is_code = ["    ", "\t", "~~~"]
                .iter()
                .any(|start| line.starts_with(start));
            assert!(!is_code, "a block of another kind: {line}");
            before = line;
        }
    }
    sections
}

/// The steps of a block of code, up to its end.
fn block<'a>(kind: &str, before: &str, lines: &mut impl Iterator<Item = &'a str>) -> Vec<Step> {
    let mut text = String::new();
    for line in lines.by_ref().take_while(|line| *line != "```") {
        text.push_str(line);
        text.push('\n');
    }
    // Between the last two backticks.
    let file = || match before.rsplit('`').nth(1) {
        Some(file) => file.to_owned(),
        None => panic!("what file is this?\n{before}\n{text}"),
    };
    let here = || text.replace("x86_64-linux", &system());
    match kind {
        "console" => commands(&text),
        "diff" => vec![Step::Change {
            file: file(),
            diff: here(),
        }],
        "make" | "nix" => vec![Step::Write {
            file: file(),
            text: here(),
        }],
        _ => panic!("a block of {kind:?} is not run:\n{text}"),
    }
}

fn commands(text: &str) -> Vec<Step> {
    let mut commands: Vec<Command> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(typed), _) => commands.push(Command {
                typed: typed.to_owned(),
                says: Vec::new(),
            }),
            (None, Some(command)) => command.says.push(line.to_owned()),
            (None, None) => panic!("who says this?\n{text}"),
        }
    }
    assert!(!commands.is_empty(), "nothing is typed");
    commands.into_iter().map(Step::Type).collect()
}

impl Step {
    fn take(&self, machine: &Machine, origin: &Origin) {
        match self {
            Self::Write { file, text } => machine.write(file, text),
            Self::Change { file, diff } => {
                let text = fs::read_to_string(machine.file(file)).unwrap();
                machine.write(file, &changed(&text, diff));
            }
            Self::Type(command) => command.run(machine, origin),
        }
    }
}

/// A text with a change made.
fn changed(text: &str, diff: &str) -> String {
    let side = |other: char| {
        let lines = diff.lines().filter(|line| !line.starts_with(other));
        lines
            .flat_map(|line| [&line[1..], "\n"])
            .collect::<String>()
    };
    let (old, new) = (side('+'), side('-'));
    assert_eq!(text.matches(&old).count(), 1, "{old}\nis not in\n{text}");
    text.replace(&old, &new)
}

impl Command {
    fn fails(&self) -> bool {
        self.says.iter().any(|line| line.starts_with("error:"))
    }

    fn run(&self, machine: &Machine, origin: &Origin) {
        let asked = origin.asked().len();
        let ran = machine.shell(&self.typed);
        // Everything is in the store when Nix comes for it.
        if self.typed.starts_with("nix build") || self.typed.starts_with("nix-build") {
            assert_eq!(origin.asked().len(), asked, "{self:?} downloads");
        }
        assert_eq!(ran.status != 0, self.fails(), "{self:?}\n{}", ran.stdout);
        let mut said = ran.stdout.lines();
        for line in &self.says {
            let found = said.any(|said| is_said(line, said));
            assert!(found, "{line}\nis not in\n{}", ran.stdout);
        }
    }
}

/// Whether a line says what the README has of it.
fn is_said(shown: &str, said: &str) -> bool {
    let mut parts = shown.split('…');
    let rest = said.strip_prefix(parts.next().unwrap_or_default());
    let rest = parts.fold(rest, |rest, part| Some(rest?.split_once(part)?.1));
    rest.is_some()
}
