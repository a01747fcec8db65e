//! `buildproxy update`: fetches pins again, and writes their new hashes into the inventory.
//!
//! A person may edit the file at the same time. It is read once more before it is written, and a new hash
//! goes where the old one still is.

use std::{
    collections::HashMap,
    io::{Write, stdout},
    path::Path,
};

use globset::Glob;

use super::{
    Context, Failure, Status, fetch::fetch_all, inventory, output::Target, prefill::prefill,
};
use crate::{
    check::{fetched, wrong_length},
    cli::{EvalArgs, FileOrGlob, INVENTORY, UpdateArgs},
    emit::Mending,
    inventory::{
        Body, Entry, Id, Pin,
        nix::{Document, Located},
    },
    report::{count, say},
    upstream::{Keep, Received},
};

pub(super) fn run(args: &UpdateArgs) -> Result<Status, Failure> {
    let (file, globs) = match &args.first {
        Some(FileOrGlob::File(file)) => (file.as_path(), args.globs.iter().collect()),
        Some(FileOrGlob::Glob(glob)) => {
            let globs = std::iter::once(glob).chain(&args.globs);
            (Path::new(INVENTORY), globs.collect())
        }
        None => (Path::new(INVENTORY), Vec::new()),
    };
    let target = Target::new(file)?;
    let document = inventory::read_document(target.path(), &args.evaluation)?;
    let pins = chosen(&document, file, &globs)?;
    let cache = (!args.check).then(|| args.cache.open()).transpose()?;
    let keep = cache.as_ref().map_or(Keep::No, Keep::In);
    let wanted: Vec<_> = pins
        .iter()
        .map(|(located, pin)| {
            let demanded = located.hash_algorithm();
            (*pin, demanded.unwrap_or(pin.algorithm()))
        })
        .collect();
    let outcomes = fetch_all(&wanted, &args.upstream, keep)?;

    let mut fetches = Vec::new();
    let mut failed = 0;
    for (&(located, pin), outcome) in pins.iter().zip(&outcomes) {
        if let Ok(got) = outcome.as_ref() {
            fetches.push(Change { located, pin, got });
        } else {
            let finding = fetched(located, pin, outcome);
            let text = finding.map(|finding| finding.text(file));
            say(text.unwrap_or_default().trim_end());
            failed += 1;
        }
    }
    let Written { made, left, mended } = if args.check {
        Written::nothing(fetches)
    } else {
        write(&target, fetches, &args.evaluation)?
    };
    for (change, why) in &left {
        let Change { pin, got, .. } = change;
        let (new, line, url) = (&got.hash, change.located.hash_line(), &pin.url);
        let file = file.display();
        say(&format!("{file}:{line}: the hash of {url} {why}: {new}"));
    }
    print(&made)?;
    if !mended.is_empty() {
        say(&format!("{}: deleted {mended}", file.display()));
    }
    failed += left.len();
    if let Some(cache) = &cache {
        for change in &made {
            change.warn_of_headers(file);
        }
        if !args.no_prefill {
            let entries: Vec<Entry> = made.iter().map(Change::entry).collect();
            prefill(&entries, cache);
        }
    }
    let done = if args.check { "drifted" } else { "updated" };
    say(&format!(
        "{}: {}, {} {done}, {failed} failed",
        file.display(),
        count(pins.len(), "pin"),
        made.len(),
    ));
    let differs = failed > 0 || (args.check && !made.is_empty());
    Ok(Status::done_if(!differs))
}

/// The pins that are to be fetched: those that a glob matches, or all.
fn chosen<'a>(
    document: &'a Document,
    file: &Path,
    globs: &[&Glob],
) -> Result<Vec<(&'a Located, &'a Pin)>, Failure> {
    let matchers: Vec<_> = globs.iter().map(|glob| glob.compile_matcher()).collect();
    let mut used = vec![false; matchers.len()];
    let mut pins = Vec::new();
    for located in document.entries() {
        let Body::Pin(pin) = &located.entry.body else {
            continue;
        };
        let mut wanted = matchers.is_empty();
        for (matcher, used) in matchers.iter().zip(&mut used) {
            let mut urls = std::iter::once(&located.entry.url).chain(pin.urls());
            if urls.any(|url| matcher.is_match(url.as_str())) {
                (*used, wanted) = (true, true);
            }
        }
        if wanted {
            pins.push((located, pin));
        }
    }
    let unused = globs.iter().zip(used).find(|(_, used)| !used);
    if let Some((glob, _)) = unused {
        let file = file.display();
        let said = format!("no pin in '{file}' has a URL like '{glob}'");
        return Err(Failure::Said(said));
    }
    Ok(pins)
}

/// A pin that was fetched. It is a change where it gave other bytes than its hash says, or has none yet.
struct Change<'a> {
    located: &'a Located,
    pin: &'a Pin,
    got: &'a Received,
}

impl Change<'_> {
    /// Whether there is anything to write.
    fn is_one(&self) -> bool {
        self.pin.hash.as_ref() != Some(&self.got.hash)
    }

    /// The entry as it is now.
    fn entry(&self) -> Entry {
        let pin = Pin {
            hash: Some(self.got.hash.clone()),
            ..self.pin.clone()
        };
        Entry {
            body: Body::Pin(pin),
            ..self.located.entry.clone()
        }
    }

    /// Tells of headers that came with the old bytes. They stay: a person may want them so.
    fn warn_of_headers(&self, file: &Path) {
        let Located { entry, line, .. } = self.located;
        let names: Vec<&str> = entry.headers.of_the_bytes().collect();
        let names = names.join(", ");
        if !names.is_empty() {
            let (file, url) = (file.display(), &entry.url);
            say(&format!(
                "{file}:{line}: warning: of {url}, these headers may be those of other bytes: {names}\n  \
                 hint: delete them, or let `buildproxy capture --update` write them"
            ));
        }
    }
}

/// Why a hash is not written.
enum Left {
    /// It does not stand there as such, or may mean something else as well.
    Computed,
    /// Somebody else has changed it.
    Edited,
}

impl std::fmt::Display for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Computed => "is computed, and not found in the file; it should be",
            Self::Edited => "was edited meanwhile, and stays as it is; what was fetched has",
        })
    }
}

/// What came of writing.
struct Written<'a> {
    /// What was written.
    made: Vec<Change<'a>>,
    /// What was not.
    left: Vec<(Change<'a>, Left)>,
    /// What was mended on the way.
    mended: Mending,
}

impl<'a> Written<'a> {
    /// All went well, as far as there was anything to do.
    fn nothing(mut fetches: Vec<Change<'a>>) -> Self {
        fetches.retain(Change::is_one);
        Self {
            made: fetches,
            left: Vec::new(),
            mended: Mending::default(),
        }
    }
}

/// Writes new hashes into what the file is by now, and mends the entries whose pins were fetched.
fn write<'a>(
    target: &Target,
    fetches: Vec<Change<'a>>,
    evaluation: &EvalArgs,
) -> Result<Written<'a>, Failure> {
    if fetches.is_empty() {
        return Ok(Written::nothing(fetches));
    }
    let _turn = target.turn();
    let now = inventory::read_document(target.path(), evaluation)
        .context("nothing is written, because the inventory was changed meanwhile")?;
    let there: HashMap<Id, usize> = now
        .entries()
        .iter()
        .enumerate()
        .map(|(place, located)| (located.entry.id(), place))
        .collect();
    let is_same = |place: usize, pin: &Pin| match &now.entries()[place].entry.body {
        Body::Pin(now) => now.hash == pin.hash && now.urls().eq(pin.urls()),
        _ => false,
    };
    let mut made = Vec::new();
    let mut left = Vec::new();
    let mut lengths = HashMap::new();
    for change in fetches {
        let place = there.get(&change.located.entry.id()).copied();
        match place.filter(|place| is_same(*place, change.pin)) {
            Some(place) => {
                lengths.insert(place, change.got.length);
                if change.is_one() {
                    made.push((place, change));
                }
            }
            None if change.is_one() => left.push((change, Left::Edited)),
            None => {}
        }
    }
    let mended = now.mending(
        |place| lengths.contains_key(&place),
        |place, located| {
            let length = lengths.get(&place);
            length.is_some_and(|length| wrong_length(located, *length).is_some())
        },
    );
    let hashes: Vec<_> = made
        .iter()
        .map(|(place, change)| (*place, change.got.hash.clone()))
        .collect();
    let (text, kept) = now.rehash(&hashes, &mended);
    if text != now.text() {
        target.write(&text)?;
    }
    let (computed, made): (Vec<_>, Vec<_>) = made
        .into_iter()
        .partition(|(place, _)| kept.contains(place));
    let computed = computed
        .into_iter()
        .map(|(_, change)| (change, Left::Computed));
    left.extend(computed);
    let made = made.into_iter().map(|(_, change)| change).collect();
    Ok(Written { made, left, mended })
}

/// One line for each: the URL, the old hash or `-`, and the new one.
fn print(changes: &[Change]) -> Result<(), Failure> {
    let mut stdout = stdout().lock();
    let printed = changes.iter().try_for_each(|Change { pin, got, .. }| {
        let old = pin.hash.as_ref().map(ToString::to_string);
        let old = old.as_deref().unwrap_or("-");
        writeln!(stdout, "{} {old} {}", pin.url, got.hash)
    });
    printed.context("failed to print what has changed")
}
