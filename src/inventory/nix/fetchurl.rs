//! `fetchurl { … }`, as far as it fetches just the bytes behind a URL.

use rnix::ast::{self, Expr};

use super::attrs::{Attrs, Field, nearest};
use super::error::NixError;
use super::literal::peel;
use super::source::Source;
use super::spans::{PinSpans, Span};
use crate::inventory::{
    Algorithm, FetchOption, Pin, Sri, SriError, StoreName, StoreNameError, Url, UrlError, mirrors,
};

const WITHIN: &str = "`fetchurl`";

/// Attributes that say how to fetch, but change neither the bytes nor the name.
const HARMLESS: &[&str] = &[
    "allowSubstitutes",
    "meta",
    "netrcImpureEnvVars",
    "passthru",
    "preferLocalBuild",
];

/// Attributes that change the bytes, unless they are false.
const SWITCHES: &[&str] = &["downloadToTemp", "executable", "recursiveHash", "showURLs"];

/// Attributes that change the bytes, or are hashes that are not known here.
const EFFECTIVE: &[&str] = &["md5", "postFetch", "sha1"];

/// What a person may have meant.
const KNOWN: &[&str] = &[
    "curlOpts",
    "curlOptsList",
    "hash",
    "name",
    "outputHash",
    "outputHashAlgo",
    "sha256",
    "sha512",
    "url",
    "urls",
];

/// Reads the argument of `fetchurl`.
pub(super) fn read(source: &Source, set: &ast::AttrSet) -> Result<(Pin, PinSpans), NixError> {
    let mut attrs = Attrs::read(source, set)?;
    let line = attrs.line;
    let (addresses, written) = addresses(source, &mut attrs)?;
    let name = name(source, &mut attrs, &addresses[0], written.line)?;
    let hash = hash(source, &mut attrs)?;
    let option = option(source, &mut attrs);
    for field in attrs.rest() {
        refuse_unless_harmless(source, &field)?;
    }
    let Some(Given { hash, span, only }) = hash else {
        return Err(NixError::Missing {
            line,
            name: "hash",
            within: WITHIN,
        });
    };
    let wrong = |error| match error {
        // `mirror://…`: only nixpkgs knows what it stands for.
        UrlError::OtherScheme { scheme, .. } => NixError::NotLiteral {
            line: written.line,
            what: format!("a {scheme} URL"),
        },
        error => NixError::Url {
            line: written.line,
            error,
        },
    };
    let pin = Pin {
        name,
        url: Url::parse(&addresses[0]).map_err(wrong)?,
        mirrors: mirrors(&addresses[1..]).map_err(wrong)?,
        option,
        hash,
    };
    let spans = PinSpans {
        url: written,
        hash: span,
        only,
    };
    Ok((pin, spans))
}

/// A name that the store does not take, on `line`.
pub(super) fn refuse_name(line: usize) -> impl Fn(StoreNameError) -> NixError {
    move |error| NixError::StoreName { line, error }
}

/// A hash attribute that is there.
struct Given {
    /// `None` where it was emptied, is all zeros, or `lib.fakeHash`.
    hash: Option<Sri>,
    span: Span,
    /// The algorithm that it has to have here.
    only: Option<Algorithm>,
}

/// The name of what it gives. The line of what is wrong is that of the name, or else that of the URL.
fn name(
    source: &Source,
    attrs: &mut Attrs,
    address: &str,
    line: usize,
) -> Result<StoreName, NixError> {
    let mut line = line;
    let mut text = |name: &str| match attrs.take(name) {
        Some(field) if !is_null(field.expr("a string")?) => {
            line = field.line;
            field.string(source).map(Some)
        }
        _ => Ok(None),
    };
    let (pname, version, name) = (text("pname")?, text("version")?, text("name")?);
    let versioned = pname.zip(version);
    let versioned = versioned.map(|(pname, version)| format!("{pname}-{version}"));
    StoreName::of_fetchurl(name.as_deref(), versioned.as_deref(), address)
        .map_err(refuse_name(line))
}

/// What makes its requests other than plain ones, if anything does.
fn option(source: &Source, attrs: &mut Attrs) -> Option<FetchOption> {
    let mut given = FetchOption::ALL.into_iter().filter(|option| {
        let field = attrs.take(option.attribute());
        field.is_some_and(|field| !is_nothing(source, &field))
    });
    let first = given.next();
    // All of them are taken out.
    given.for_each(drop);
    first
}

/// Whether a value is null, or an empty string or list.
fn is_nothing(source: &Source, field: &Field) -> bool {
    match field.expr("a value").ok().cloned().and_then(peel) {
        Some(Expr::List(list)) => list.items().next().is_none(),
        Some(Expr::Str(_)) => field.string(source).is_ok_and(|text| text.is_empty()),
        Some(expr) => is_null(&expr),
        None => false,
    }
}

/// The URLs, of which there is one, and where they stand.
fn addresses(source: &Source, attrs: &mut Attrs) -> Result<(Vec<String>, Span), NixError> {
    if let Some(field) = attrs.take("url") {
        if let Some(urls) = attrs.take("urls") {
            return Err(NixError::NotLiteral {
                line: urls.line,
                what: "`fetchurl` with both `url` and `urls`".to_owned(),
            });
        }
        return Ok((vec![field.string(source)?], field.span(source)?));
    }
    let missing = NixError::Missing {
        line: attrs.line,
        name: "url",
        within: WITHIN,
    };
    let field = attrs.take("urls").ok_or(missing.clone())?;
    let Expr::List(list) = field.expr("a list")? else {
        return Err(source.not("a list", "`urls`", field.expr("a list")?));
    };
    let all = source.strings("a URL", list)?;
    if all.is_empty() {
        return Err(missing);
    }
    Ok((all, field.span(source)?))
}

/// The one hash among the attributes; `None` where there is none.
fn hash(source: &Source, attrs: &mut Attrs) -> Result<Option<Given>, NixError> {
    let algorithm = match attrs.take("outputHashAlgo") {
        Some(field) if !is_null(field.expr("a string")?) => {
            Some((field.string(source)?, field.line))
        }
        _ => None,
    };
    let mut found: Option<(Field, Option<Algorithm>)> = None;
    for (name, of) in [
        ("hash", None),
        ("sha256", Some(Algorithm::Sha256)),
        ("sha512", Some(Algorithm::Sha512)),
        ("outputHash", None),
    ] {
        let Some(field) = attrs.take(name) else {
            continue;
        };
        if let Some((first, _)) = &found {
            return Err(NixError::Twice {
                line: field.line,
                name: "hash".to_owned(),
                first: first.line,
            });
        }
        found = Some((field, of));
    }
    let Some((field, of)) = found else {
        return Ok(None);
    };
    let text = match field.expr("a string")? {
        placeholder if is_placeholder(placeholder) => String::new(),
        _ => field.string(source)?,
    };
    let refuse = |error: SriError, line: usize| match error {
        SriError::Algorithm { name } => NixError::NotLiteral {
            line,
            what: format!("a {name} hash"),
        },
        error => NixError::Hash { line, error },
    };
    let only = match (of, algorithm) {
        (None, Some((name, line))) if field.name == "outputHash" && !name.is_empty() => {
            match name.parse() {
                Ok(algorithm) => Some(algorithm),
                Err(_) if text.is_empty() => None,
                Err(error) => return Err(refuse(error, line)),
            }
        }
        (of, _) => of,
    };
    let hash = if text.is_empty() {
        None
    } else {
        let hash = match only {
            Some(algorithm) => Sri::parse_as(algorithm, &text),
            None => text.parse(),
        };
        Some(hash.map_err(|error| refuse(error, field.line))?)
    };
    Ok(Some(Given {
        hash: hash.filter(|hash| !hash.is_fake()),
        span: field.span(source)?,
        only,
    }))
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Ident(ident) if ident.to_string() == "null")
}

/// Whether this is one of the hashes that nixpkgs has for those that are not known yet.
fn is_placeholder(expr: &Expr) -> bool {
    const PLACEHOLDERS: [&str; 3] = ["lib.fakeHash", "lib.fakeSha256", "lib.fakeSha512"];
    matches!(expr, Expr::Select(name) if PLACEHOLDERS.contains(&name.to_string().as_str()))
}

/// Passes what does not change the bytes; leaves to Nix what may.
fn refuse_unless_harmless(source: &Source, field: &Field) -> Result<(), NixError> {
    let name = field.name.as_str();
    if HARMLESS.contains(&name) {
        return Ok(());
    }
    let expr = field.expr("a value").ok().cloned().and_then(peel);
    let without_effect = expr.is_some_and(|expr| match name {
        "postFetch" => source.string(name, &expr).is_ok_and(|text| text.is_empty()),
        "outputHashMode" => source.string(name, &expr).is_ok_and(|text| text == "flat"),
        _ => SWITCHES.contains(&name) && source.boolean(name, &expr) == Ok(false),
    });
    if without_effect {
        return Ok(());
    }
    // A slip of the pen is worth a better answer than "ask Nix".
    match nearest(name, KNOWN) {
        Some(known)
            if !EFFECTIVE.contains(&name) && strsim::damerau_levenshtein(name, known) == 1 =>
        {
            Err(NixError::Unknown {
                line: field.line,
                name: field.name.clone(),
                within: WITHIN,
                nearest: Some(known),
            })
        }
        _ => Err(NixError::NotLiteral {
            line: field.line,
            what: format!("`fetchurl` with `{name}`"),
        }),
    }
}
