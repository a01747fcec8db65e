//! One entry of the list.

use std::path::PathBuf;

use http::{Method, StatusCode};
use rnix::ast::{Attr, Expr};

use super::attrs::{Attrs, Field};
use super::error::NixError;
use super::fetchurl;
use super::literal::{canonical, peel};
use super::source::Source;
use super::spans::{HeaderSpan, HeaderSpans, PinSpans, Spans, Whole};
use crate::inventory::{Body, Condition, ConditionError, Declared, Entry, Headers, Url};

const WITHIN: &str = "an entry";
const KNOWN: &[&str] = &["url", "method", "status_code", "headers", "file", "request"];
const KNOWN_IN_REQUEST: &[&str] = &["headers", "authorization", "body", "ignoreQuery"];

/// Whether `fetchurl` is among the arguments of the file's function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetchurl {
    Defined,
    Undefined,
}

/// Reads an item of the list.
pub(super) fn read(
    source: &Source,
    fetchurl: Fetchurl,
    item: &Expr,
) -> Result<(Declared, Spans), NixError> {
    let peeled = peel(item.clone());
    let Some(Expr::AttrSet(set)) = &peeled else {
        return Err(source.not(
            "a set",
            "an item of the list",
            peeled.as_ref().unwrap_or(item),
        ));
    };
    let mut attrs = Attrs::read(source, set)?;
    let line = attrs.line;
    let Some(field) = attrs.take("url") else {
        // A slip of the pen in the name says more than that the name is missing.
        attrs.refuse_rest(WITHIN, KNOWN)?;
        return Err(NixError::Missing {
            line,
            name: "url",
            within: WITHIN,
        });
    };
    let url = Url::parse(&field.string(source)?).map_err(|error| NixError::Url {
        line: field.line,
        error,
    })?;
    let mut spans = Spans {
        item: source.span(item).range,
        set: source.span(set).range,
        url: field.span(source)?,
        status: None,
        file: None,
        pin: None,
        headers: HeaderSpans::default(),
    };
    let method = match attrs.take("method") {
        Some(field) => method(source, &field)?,
        None => Method::GET,
    };
    let status = match attrs.take("status_code") {
        Some(field) => {
            let status = status(source, &field)?;
            spans.status = Some(field.span(source)?);
            status
        }
        None => StatusCode::OK,
    };
    let headers = match attrs.take("headers") {
        Some(field) => {
            let (headers, written) = headers(source, field)?;
            spans.headers = written;
            headers
        }
        None => Headers::new(),
    };
    let body = match attrs.take("file") {
        Some(field) => {
            let (body, pin) = body(source, fetchurl, &field)?;
            spans.file = Some(field.span(source)?);
            spans.pin = pin;
            body
        }
        None => Body::Empty,
    };
    let condition = match attrs.take("request") {
        Some(field) => condition(source, field)?,
        None => Condition::default(),
    };
    attrs.refuse_rest(WITHIN, KNOWN)?;
    let entry = Entry {
        url,
        method,
        status,
        headers,
        body,
        condition,
    };
    let of = entry.url.clone();
    match Declared::new(entry) {
        Ok(declared) => Ok((declared, spans)),
        Err(error) => Err(NixError::Entry {
            line,
            url: of,
            error,
        }),
    }
}

fn method(source: &Source, field: &Field) -> Result<Method, NixError> {
    let text = field.string(source)?;
    Method::from_bytes(text.as_bytes()).map_err(|_| NixError::Method {
        line: field.line,
        text,
    })
}

fn status(source: &Source, field: &Field) -> Result<StatusCode, NixError> {
    let number = source.integer(&field.quoted(), field.expr("a number")?)?;
    u16::try_from(number)
        .ok()
        .and_then(|number| StatusCode::from_u16(number).ok())
        .ok_or(NixError::Status {
            line: field.line,
            number,
        })
}

fn headers(source: &Source, field: Field) -> Result<(Headers, HeaderSpans), NixError> {
    let mut headers = Headers::new();
    let mut spans = HeaderSpans {
        whole: field.span(source).map_or(Whole::Scattered, Whole::Set),
        values: Vec::new(),
    };
    for field in field.set(source)?.rest() {
        let values = match field.expr("a string or a list of strings")? {
            Expr::List(list) => source.strings(&field.quoted(), list)?,
            _ => vec![field.string(source)?],
        };
        headers
            .declare(&field.name, values.iter().map(String::as_str))
            .map_err(|error| NixError::Header {
                line: field.line,
                error,
            })?;
        spans.values.push(HeaderSpan {
            name: field.name.to_ascii_lowercase(),
            value: field.span(source)?,
            definition: field.definition,
        });
    }
    Ok((headers, spans))
}

fn condition(source: &Source, field: Field) -> Result<Condition, NixError> {
    let mut attrs = field.set(source)?;
    let mut condition = Condition::default();
    if let Some(field) = attrs.take("headers") {
        for field in field.set(source)?.rest() {
            condition
                .declare(&field.name, &field.string(source)?)
                .map_err(|error| NixError::Condition {
                    line: field.line,
                    error,
                })?;
        }
    }
    if let Some(field) = attrs.take("authorization") {
        condition.authorization = source.boolean(&field.quoted(), field.expr("a boolean")?)?;
    }
    if let Some(field) = attrs.take("body") {
        let hash = field
            .string(source)?
            .parse()
            .map_err(|error| NixError::Hash {
                line: field.line,
                error,
            })?;
        condition.body = Some(hash);
    }
    if let Some(field) = attrs.take("ignoreQuery") {
        const WANTED: &str = "a list of strings";
        let expr = field.expr(WANTED)?;
        let Expr::List(list) = expr else {
            return Err(source.not(WANTED, &field.quoted(), expr));
        };
        for name in source.strings(&field.quoted(), list)? {
            let name = name.parse().map_err(ConditionError::from);
            name.and_then(|name| condition.declare_ignored(name))
                .map_err(|error| NixError::Condition {
                    line: field.line,
                    error,
                })?;
        }
    }
    attrs.refuse_rest("`request`", KNOWN_IN_REQUEST)?;
    Ok(condition)
}

fn body(
    source: &Source,
    fetchurl: Fetchurl,
    field: &Field,
) -> Result<(Body, Option<PinSpans>), NixError> {
    const WANTED: &str = "a file";
    let expr = field.expr(WANTED)?;
    if let Some(path) = source.path(expr)? {
        return Ok((Body::File(path), None));
    }
    match expr {
        Expr::Ident(ident) if ident.to_string() == "null" => Ok((Body::Empty, None)),
        Expr::Str(string) => {
            let text = source.decoded(string)?;
            let path = PathBuf::from(&text);
            if path.is_absolute() {
                Ok((Body::File(canonical(&path)), None))
            } else {
                Err(NixError::RelativeText {
                    line: field.line,
                    text,
                })
            }
        }
        Expr::Apply(call) => {
            let (Some(function), Some(argument)) =
                (call.lambda().and_then(peel), call.argument().and_then(peel))
            else {
                return Err(source.computed(expr));
            };
            match (&function, &argument) {
                (Expr::Ident(name), Expr::AttrSet(set)) if name.to_string() == "fetchurl" => {
                    match fetchurl {
                        Fetchurl::Defined => {
                            let (pin, spans) = fetchurl::read(source, set)?;
                            Ok((Body::Pin(pin), Some(spans)))
                        }
                        Fetchurl::Undefined => Err(NixError::NoFetchurl {
                            line: source.line(name),
                        }),
                    }
                }
                (Expr::Apply(inner), text) => {
                    let (Some(function), Some(name)) = (
                        inner.lambda().and_then(peel),
                        inner.argument().and_then(peel),
                    ) else {
                        return Err(source.computed(expr));
                    };
                    if !is_to_file(&function) {
                        return Err(source.computed(expr));
                    }
                    let line = source.line(&name);
                    let name = source.string("the name of the text", &name)?;
                    let text = Body::Text {
                        name: name.parse().map_err(fetchurl::refuse_name(line))?,
                        text: source.string("the text", text)?,
                    };
                    Ok((text, None))
                }
                _ => Err(source.computed(expr)),
            }
        }
        _ => Err(source.not(WANTED, &field.quoted(), expr)),
    }
}

/// Whether this is `builtins.toFile`.
fn is_to_file(function: &Expr) -> bool {
    let Expr::Select(select) = function else {
        return false;
    };
    let builtins =
        matches!(select.expr(), Some(Expr::Ident(ident)) if ident.to_string() == "builtins");
    let mut names = select.attrpath().into_iter().flat_map(|path| path.attrs());
    let to_file = matches!(names.next(), Some(Attr::Ident(ident)) if ident.to_string() == "toFile");
    builtins && to_file && names.next().is_none() && select.default_expr().is_none()
}
