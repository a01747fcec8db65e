//! A whole `proxy_content.nix`.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use rnix::Root;
use rnix::ast::{self, BinOpKind, Expr, Param};
use rowan::ast::AstNode;

use super::entry::{self, Fetchurl};
use super::error::NixError;
use super::literal::peel;
use super::nesting;
use super::source::Source;
use super::spans::Spans;
use crate::inventory::{Algorithm, CONTENT_LENGTH, Declared, Entry, Id, Listing};

/// Names that a literal file uses, and that its function must not bind to something else.
const RESERVED: &[&str] = &["builtins", "false", "null", "true"];

/// A file together with the entries that it lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    text: String,
    listing: Listing,
    place: Place,
}

/// An entry, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The entry.
    pub entry: Entry,
    /// The line that it starts on, from 1.
    pub line: usize,
    /// What the file says of the length of its body, which is never used.
    pub length: Option<String>,
    /// Where its parts stand; `None` where only Nix knows.
    pub(crate) spans: Option<Spans>,
}

impl Located {
    /// An entry of which only the line is known.
    #[must_use]
    pub fn at(line: usize, declared: Declared) -> Self {
        Self {
            entry: declared.entry,
            line,
            length: declared.length,
            spans: None,
        }
    }

    /// The line of its `file`, from 1, as far as it is known.
    #[must_use]
    pub fn body_line(&self) -> usize {
        let file = self.spans.as_ref().and_then(|spans| spans.file.as_ref());
        file.map_or(self.line, |span| span.line)
    }

    /// The line of the URL that its `fetchurl` fetches, from 1, as far as it is known.
    #[must_use]
    pub fn pin_line(&self) -> usize {
        let pin = self.spans.as_ref().and_then(|spans| spans.pin.as_ref());
        pin.map_or_else(|| self.body_line(), |pin| pin.url.line)
    }

    /// The algorithm that its hash has to have where it stands, if it has to have one.
    #[must_use]
    pub fn hash_algorithm(&self) -> Option<Algorithm> {
        self.spans.as_ref()?.pin.as_ref()?.only
    }

    /// The line of its `content-length`, from 1, as far as it is known.
    #[must_use]
    pub fn length_line(&self) -> usize {
        let spans = self.spans.as_ref();
        let mut headers = spans.iter().flat_map(|spans| &spans.headers.values);
        let length = headers.find(|header| header.name == CONTENT_LENGTH);
        length.map_or(self.line, |header| header.value.line)
    }

    /// Whether it stands as a literal in the text, and can be edited there.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.spans.is_some()
    }

    /// The line of its hash, from 1, as far as it is known.
    #[must_use]
    pub fn hash_line(&self) -> usize {
        let pin = self.spans.as_ref().and_then(|spans| spans.pin.as_ref());
        pin.map_or_else(|| self.body_line(), |pin| pin.hash.line)
    }
}

/// All that can be read of a file, and all that is wrong with the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspected {
    /// The entries that can be read.
    pub listing: Listing,
    /// What is wrong: with the file as a whole, and with each entry that cannot be read.
    pub errors: Vec<NixError>,
}

/// Where entries can be added. All ranges are bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The list, its brackets included.
    pub(crate) list: Range<usize>,
    /// Its items.
    pub(crate) items: Vec<Range<usize>>,
    /// How `fetchurl` comes in, or could.
    pub(crate) function: Function,
}

/// The function around the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// There is none. The expression starts at this byte.
    None(usize),
    /// It has `fetchurl` already.
    Fetchurl,
    /// `{ … }:` without `fetchurl`.
    Pattern {
        /// The byte after its `{`.
        open: usize,
        /// Where its first argument, or its `...`, starts.
        first: Option<usize>,
    },
    /// `name:`, which ends at this byte.
    Name(usize),
}

impl Document {
    /// Reads a file that is a literal list, with or without a function around it.
    ///
    /// # Errors
    ///
    /// [`NixError::NotLiteral`] where Nix has to evaluate the file first, see
    /// [`Document::evaluated`]; any other where the file is wrong.
    pub fn parse(text: &str) -> Result<Self, NixError> {
        let source = Source::new(text);
        let (list, function) = list(&source)?;
        let Inspected { listing, errors } = read_all(&source, &list, &function);
        match errors.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(Self {
                text: text.to_owned(),
                listing,
                place: place(&list, function),
            }),
        }
    }

    /// Reads as [`Document::parse`] does, and goes on after an error.
    #[must_use]
    pub fn inspect(text: &str) -> Inspected {
        let source = Source::new(text);
        match list(&source) {
            Ok((list, function)) => read_all(&source, &list, &function),
            Err(error) => Inspected {
                listing: Listing::default(),
                errors: vec![error],
            },
        }
    }

    /// A file that Nix has evaluated: `entries` are what it came to. Its text is only searched for
    /// the list that new entries can be added to, through `let`, `with`, `assert` and `++`.
    ///
    /// Of entries that stand in that list as literals, their places are known. The line of all others is
    /// that of the list.
    pub fn evaluated(text: &str, entries: Vec<Declared>) -> Result<Self, NixError> {
        let source = Source::new(text);
        let (function, body) = function(syntax(&source)?);
        let mut expr = body.ok_or_else(|| empty(&source))?.expr;
        let list = loop {
            let inner = match &expr {
                Expr::List(list) => break list.clone(),
                Expr::Paren(paren) => paren.expr(),
                Expr::LetIn(binding) => binding.body(),
                Expr::With(with) => with.body(),
                Expr::Assert(assertion) => assertion.body(),
                Expr::BinOp(sum) if sum.operator() == Some(BinOpKind::Concat) => {
                    let right = sum.rhs().and_then(peel);
                    if matches!(right, Some(Expr::List(_))) {
                        right
                    } else {
                        sum.lhs()
                    }
                }
                _ => None,
            };
            expr = inner.ok_or_else(|| source.not_list(&expr))?;
        };
        let line = source.line(&list);
        let written = read_items(&source, &list, Fetchurl::Defined).0;
        Ok(Self {
            text: text.to_owned(),
            listing: Listing::of(placed(entries, &written, line)),
            place: place(&list, function),
        })
    }

    /// The text, byte for byte as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The entries in the order of the file. No two have the same [`Entry::id`].
    #[must_use]
    pub fn entries(&self) -> &[Located] {
        &self.listing.entries
    }

    /// The entries with those that come too late to answer anything.
    #[must_use]
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }
}

/// The list of a literal file, and the function around it.
fn list(source: &Source) -> Result<(ast::List, Function), NixError> {
    let (function, body) = function(syntax(source)?);
    let body = body.ok_or_else(|| empty(source))?;
    let Expr::List(list) = body.expr else {
        return Err(source.not_list(&body.expr));
    };
    if let Some(name) = body.rebound {
        return Err(NixError::NotLiteral {
            line: source.line(&list),
            what: format!("a file whose argument is called `{name}`"),
        });
    }
    Ok((list, function))
}

fn read_all(source: &Source, list: &ast::List, function: &Function) -> Inspected {
    let fetchurl = if *function == Function::Fetchurl {
        Fetchurl::Defined
    } else {
        Fetchurl::Undefined
    };
    let (entries, errors) = read_items(source, list, fetchurl);
    Inspected {
        listing: Listing::of(entries),
        errors,
    }
}

/// The items of a list that can be read, and what is wrong with the others.
fn read_items(
    source: &Source,
    list: &ast::List,
    fetchurl: Fetchurl,
) -> (Vec<Located>, Vec<NixError>) {
    let mut entries = Vec::new();
    let mut errors = Vec::new();
    for item in list.items() {
        match entry::read(source, fetchurl, &item) {
            Ok((declared, spans)) => entries.push(Located {
                spans: Some(spans),
                ..Located::at(source.line(&item), declared)
            }),
            Err(error) => errors.push(error),
        }
    }
    (entries, errors)
}

/// The file's expression.
fn syntax(source: &Source) -> Result<Expr, NixError> {
    if let Some(offset) = nesting::too_deep(source.text) {
        return Err(NixError::NotLiteral {
            line: source.line_at(offset),
            what: "an expression this deeply nested".to_owned(),
        });
    }
    let root = Root::parse(source.text)
        .ok()
        .map_err(|error| source.syntax_error(&error))?;
    root.expr().ok_or_else(|| empty(source))
}

fn empty(source: &Source) -> NixError {
    NixError::Syntax {
        line: source.line_at(source.text.len()),
        column: 1,
        what: "the file is empty".to_owned(),
    }
}

/// What the file's function, or the file, gives.
struct Given {
    expr: Expr,
    /// A name that the function binds although it means something else in a literal.
    rebound: Option<String>,
}

/// The function around the list, and what it gives.
fn function(expr: Expr) -> (Function, Option<Given>) {
    let start = range(&expr).start;
    let Some(peeled) = peel(expr) else {
        return (Function::None(start), None);
    };
    let Expr::Lambda(lambda) = peeled else {
        let given = Given {
            expr: peeled,
            rebound: None,
        };
        return (Function::None(start), Some(given));
    };
    let mut names = Vec::new();
    let function = match lambda.param() {
        Some(Param::Pattern(pattern)) => {
            names.extend(pattern.pat_entries().filter_map(|entry| entry.ident()));
            names.extend(pattern.pat_bind().and_then(|bind| bind.ident()));
            pattern_function(&pattern)
        }
        Some(Param::IdentParam(name)) => {
            names.extend(name.ident());
            Function::Name(range(&name).end)
        }
        None => Function::None(start),
    };
    let rebound = names
        .iter()
        .map(ToString::to_string)
        .find(|name| RESERVED.contains(&name.as_str()));
    let given = lambda
        .body()
        .and_then(peel)
        .map(|expr| Given { expr, rebound });
    (function, given)
}

fn pattern_function(pattern: &ast::Pattern) -> Function {
    let is_fetchurl = |entry: ast::PatEntry| {
        entry
            .ident()
            .is_some_and(|name| name.to_string() == "fetchurl")
    };
    if pattern.pat_entries().any(is_fetchurl) {
        return Function::Fetchurl;
    }
    let brace = pattern
        .syntax()
        .children_with_tokens()
        .filter_map(rowan::NodeOrToken::into_token)
        .find(|token| token.kind() == rnix::SyntaxKind::TOKEN_L_BRACE);
    let pattern_start = range(pattern).start;
    let first = pattern
        .pat_entries()
        .next()
        .map(|entry| range(&entry).start)
        .or_else(|| {
            pattern
                .ellipsis_token()
                .map(|token| token.text_range().start().into())
        });
    Function::Pattern {
        open: brace.map_or(pattern_start, |token| token.text_range().end().into()),
        first,
    }
}

fn place(list: &ast::List, function: Function) -> Place {
    Place {
        list: range(list),
        items: list.items().map(|item| range(&item)).collect(),
        function,
    }
}

fn range(node: &impl AstNode<Language = rnix::NixLanguage>) -> Range<usize> {
    node.syntax().text_range().into()
}

/// Entries that Nix has evaluated, each with its place where it is `written` as a literal.
///
/// Of those for the same request, any may be computed: only where all of them are literals is it known which
/// is which.
fn placed(entries: Vec<Declared>, written: &[Located], line: usize) -> Vec<Located> {
    let mut places: HashMap<Id, VecDeque<&Located>> = HashMap::new();
    for located in written {
        places
            .entry(located.entry.id())
            .or_default()
            .push_back(located);
    }
    let mut number: HashMap<Id, usize> = HashMap::new();
    for declared in &entries {
        *number.entry(declared.entry.id()).or_default() += 1;
    }
    places.retain(|id, places| number.get(id) == Some(&places.len()));
    let mut found: Vec<Option<Located>> = Vec::with_capacity(entries.len());
    for declared in &entries {
        let places = places.get_mut(&declared.entry.id());
        let located = places.and_then(VecDeque::pop_front);
        // What stands there could mean something else, but this is what it came to.
        let located = located.filter(|located| located.entry == declared.entry);
        found.push(located.cloned());
    }
    let found = entries.into_iter().zip(found);
    found
        .map(|(declared, found)| found.unwrap_or_else(|| Located::at(line, declared)))
        .collect()
}
