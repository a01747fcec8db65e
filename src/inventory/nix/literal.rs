//! Literals: strings, numbers, paths and what may stand around them.

use std::path::{Component, Path, PathBuf};

use rnix::SyntaxKind::TOKEN_STRING_CONTENT;
use rnix::ast::{self, BinOpKind, Expr, InterpolPart, LiteralKind, UnaryOpKind};
use rowan::ast::AstNode as _;

use super::error::NixError;
use super::source::Source;

/// An expression without the parentheses around it; `None` only where there was a syntax error.
pub(super) fn peel(mut expr: Expr) -> Option<Expr> {
    while let Expr::Paren(paren) = expr {
        expr = paren.expr()?;
    }
    Some(expr)
}

/// What an expression is, to say it in a message.
enum Kind {
    /// A literal of this type.
    Literal(&'static str),
    /// Something to evaluate.
    Computed(&'static str),
    /// A name, or names joined by dots.
    Named(String),
}

fn kind(expr: &Expr) -> Kind {
    match expr {
        Expr::Str(_) => Kind::Literal("a string"),
        Expr::PathAbs(_) | Expr::PathRel(_) => Kind::Literal("a path"),
        Expr::List(_) => Kind::Literal("a list"),
        Expr::AttrSet(set) if set.rec_token().is_some() => Kind::Computed("`rec`"),
        Expr::AttrSet(_) => Kind::Literal("a set"),
        Expr::Lambda(_) => Kind::Literal("a function"),
        Expr::Literal(literal) => match literal.kind() {
            LiteralKind::Float(_) => Kind::Literal("a fraction"),
            LiteralKind::Integer(_) => Kind::Literal("a number"),
            LiteralKind::Uri(_) => Kind::Literal("a string"),
        },
        Expr::Ident(ident) => match ident.to_string().as_str() {
            "null" => Kind::Literal("null"),
            "true" | "false" => Kind::Literal("a boolean"),
            name => Kind::Named(name.to_owned()),
        },
        Expr::Select(select) => Kind::Named(select.to_string()),
        Expr::Apply(_) => Kind::Computed("a function call"),
        Expr::Assert(_) => Kind::Computed("`assert`"),
        Expr::IfElse(_) => Kind::Computed("`if`"),
        Expr::LegacyLet(_) | Expr::LetIn(_) => Kind::Computed("`let`"),
        Expr::With(_) => Kind::Computed("`with`"),
        Expr::HasAttr(_) => Kind::Computed("the operator `?`"),
        Expr::CurPos(_) => Kind::Computed("`__curPos`"),
        Expr::PathHome(_) => Kind::Computed("a path in the home folder"),
        Expr::PathSearch(_) => Kind::Computed("a path to search for"),
        Expr::BinOp(operation) => match operation.operator() {
            Some(BinOpKind::Add) => Kind::Computed("the operator `+`"),
            Some(BinOpKind::Concat) => Kind::Computed("the operator `++`"),
            Some(BinOpKind::Update) => Kind::Computed("the operator `//`"),
            _ => Kind::Computed("an operator"),
        },
        Expr::UnaryOp(operation) => match (operation.operator(), operation.expr()) {
            (Some(UnaryOpKind::Negate), Some(Expr::Literal(_))) => {
                Kind::Literal("a negative number")
            }
            _ => Kind::Computed("an operator"),
        },
        Expr::Error(_) | Expr::Paren(_) | Expr::Root(_) => Kind::Computed("this expression"),
    }
}

impl Source<'_> {
    /// The error for an expression that is not what was wanted.
    pub(super) fn not(&self, wanted: &'static str, what: &str, expr: &Expr) -> NixError {
        match kind(expr) {
            Kind::Literal(found) => NixError::WrongType {
                line: self.line(expr),
                what: what.to_owned(),
                wanted,
                found,
            },
            _ => self.computed(expr),
        }
    }

    /// The error for a whole file that is not a list.
    pub(super) fn not_list(&self, expr: &Expr) -> NixError {
        match kind(expr) {
            Kind::Literal(found) => NixError::NotList {
                line: self.line(expr),
                found,
            },
            _ => self.computed(expr),
        }
    }

    /// The error for an expression that only Nix can evaluate.
    pub(super) fn computed(&self, expr: &Expr) -> NixError {
        let what = match kind(expr) {
            Kind::Literal(what) | Kind::Computed(what) => what.to_owned(),
            Kind::Named(name) => format!("`{name}`"),
        };
        NixError::NotLiteral {
            line: self.line(expr),
            what,
        }
    }

    /// The value of a string; `what` is the attribute that it belongs to.
    pub(super) fn string(&self, what: &str, expr: &Expr) -> Result<String, NixError> {
        match expr {
            Expr::Paren(paren) => match paren.expr() {
                Some(inner) => self.string(what, &inner),
                None => Err(self.computed(expr)),
            },
            Expr::Str(string) => self.decoded(string),
            Expr::Literal(literal) => match literal.kind() {
                LiteralKind::Uri(uri) => Ok(uri.to_string()),
                LiteralKind::Integer(_) | LiteralKind::Float(_) => {
                    Err(self.not("a string", what, expr))
                }
            },
            _ => Err(self.not("a string", what, expr)),
        }
    }

    /// The text that a string stands for.
    pub(super) fn decoded(&self, string: &ast::Str) -> Result<String, NixError> {
        let holds = |piece: &str| {
            string
                .syntax()
                .children_with_tokens()
                .filter_map(rowan::NodeOrToken::into_token)
                .any(|token| token.kind() == TOKEN_STRING_CONTENT && token.text().contains(piece))
        };
        // Nix makes some line ends another, and rnix counts an escaped one as the start of a line.
        for (piece, what) in [
            ("\r", "a string with a carriage return in it"),
            ("''\\\n", "a string with an escaped line end"),
        ] {
            if holds(piece) {
                return Err(NixError::NotLiteral {
                    line: self.line(string),
                    what: what.to_owned(),
                });
            }
        }
        let mut text = String::new();
        for part in string.normalized_parts() {
            match part {
                InterpolPart::Literal(literal) => text.push_str(&literal),
                InterpolPart::Interpolation(inner) => {
                    return Err(NixError::NotLiteral {
                        line: self.line(&inner),
                        what: "an interpolation".to_owned(),
                    });
                }
            }
        }
        Ok(text)
    }

    /// The value of an integer.
    pub(super) fn integer(&self, what: &str, expr: &Expr) -> Result<i64, NixError> {
        let peeled = peel(expr.clone());
        if let Some(Expr::Literal(literal)) = &peeled
            && let LiteralKind::Integer(integer) = literal.kind()
            && let Ok(value) = integer.value()
        {
            return Ok(value);
        }
        Err(self.not("a number", what, peeled.as_ref().unwrap_or(expr)))
    }

    /// The value of a boolean.
    pub(super) fn boolean(&self, what: &str, expr: &Expr) -> Result<bool, NixError> {
        let peeled = peel(expr.clone());
        match &peeled {
            Some(Expr::Ident(ident)) if ident.to_string() == "true" => Ok(true),
            Some(Expr::Ident(ident)) if ident.to_string() == "false" => Ok(false),
            _ => Err(self.not("a boolean", what, peeled.as_ref().unwrap_or(expr))),
        }
    }

    /// The values of a list of strings.
    pub(super) fn strings(&self, what: &str, list: &ast::List) -> Result<Vec<String>, NixError> {
        list.items().map(|item| self.string(what, &item)).collect()
    }

    /// The value of a path, or of a path with a string added; `None` where it is neither.
    pub(super) fn path(&self, expr: &Expr) -> Result<Option<PathBuf>, NixError> {
        let plain = match expr {
            Expr::PathAbs(path) => path.syntax(),
            Expr::PathRel(path) => path.syntax(),
            Expr::BinOp(sum) if sum.operator() == Some(BinOpKind::Add) => {
                let (Some(left), Some(right)) =
                    (sum.lhs().and_then(peel), sum.rhs().and_then(peel))
                else {
                    return Ok(None);
                };
                let Expr::Str(right) = right else {
                    return Ok(None);
                };
                let Some(base) = self.path(&left)? else {
                    return Ok(None);
                };
                let added = self.decoded(&right)?;
                // Without the slash, it would prolong the last name of the path.
                if !added.starts_with('/') {
                    return Ok(None);
                }
                let mut whole = base.into_os_string();
                if whole.is_empty() {
                    whole.push(".");
                }
                whole.push(added);
                return Ok(Some(canonical(Path::new(&whole))));
            }
            _ => return Ok(None),
        };
        if plain.children().next().is_some() {
            return Err(NixError::NotLiteral {
                line: self.line(expr),
                what: "an interpolation in a path".to_owned(),
            });
        }
        Ok(Some(canonical(Path::new(&plain.to_string()))))
    }
}

/// The path as Nix understands it: `.` and `..` resolved by name alone. A relative one has no `./`
/// in front, but may have `..` there.
pub(super) fn canonical(path: &Path) -> PathBuf {
    let mut kept: Vec<Component> = Vec::new();
    for component in path.components() {
        match (component, kept.last()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                kept.pop();
            }
            _ => kept.push(component),
        }
    }
    kept.iter().collect()
}
