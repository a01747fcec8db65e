//! Attribute sets: dotted paths, merged sets, and each name at most once.

use std::ops::Range;

use rnix::ast::{self, Attr, Expr, HasEntry as _};

use super::error::NixError;
use super::literal::peel;
use super::source::Source;
use super::spans::Span;

/// The attributes of a set, in their order. Values are looked at only when they are asked for,
/// since some of them do not matter.
pub(super) struct Attrs {
    /// The line that the set starts on.
    pub(super) line: usize,
    fields: Vec<Field>,
}

/// One attribute.
pub(super) struct Field {
    /// Its name.
    pub(super) name: String,
    /// The line of its name.
    pub(super) line: usize,
    /// Its value.
    pub(super) value: Value,
    /// All of `name = value;`, from the first of dotted names on.
    pub(super) definition: Range<usize>,
}

/// The value of an attribute.
pub(super) enum Value {
    /// What stands after the `=`, without parentheses.
    Expr(Expr),
    /// The set that comes of `a.b = …`.
    Set(Attrs),
}

impl Attrs {
    /// Reads a set. `rec`, `inherit` and computed names are left to Nix.
    pub(super) fn read(source: &Source, set: &ast::AttrSet) -> Result<Self, NixError> {
        if set.rec_token().is_some() {
            return Err(source.computed(&Expr::AttrSet(set.clone())));
        }
        let mut attrs = Self {
            line: source.line(set),
            fields: Vec::new(),
        };
        for entry in set.entries() {
            let definition = match entry {
                ast::Entry::AttrpathValue(definition) => definition,
                ast::Entry::Inherit(inherit) => {
                    return Err(NixError::NotLiteral {
                        line: source.line(&inherit),
                        what: "`inherit`".to_owned(),
                    });
                }
            };
            let line = source.line(&definition);
            let whole = source.span(&definition).range;
            let broken = || NixError::NotLiteral {
                line,
                what: "this attribute".to_owned(),
            };
            let path = definition.attrpath().ok_or_else(broken)?;
            let names: Vec<String> = path
                .attrs()
                .map(|attr| name_of(source, &attr))
                .collect::<Result<_, _>>()?;
            let value = definition.value().and_then(peel).ok_or_else(broken)?;
            let Some((first, rest)) = names.split_first() else {
                return Err(broken());
            };
            let value = rest.iter().rfold(Value::Expr(value), |value, name| {
                Value::Set(Self {
                    line,
                    fields: vec![Field {
                        name: name.clone(),
                        line,
                        value,
                        definition: whole.clone(),
                    }],
                })
            });
            let new = Field {
                name: first.clone(),
                line,
                value,
                definition: whole.clone(),
            };
            attrs.define(source, new)?;
        }
        Ok(attrs)
    }

    /// Adds an attribute. As in Nix, a set that is there already takes in the other's attributes.
    fn define(&mut self, source: &Source, new: Field) -> Result<(), NixError> {
        let Some(old) = self.fields.iter_mut().find(|field| field.name == new.name) else {
            self.fields.push(new);
            return Ok(());
        };
        let twice = NixError::Twice {
            line: new.line,
            name: new.name,
            first: old.line,
        };
        if let Value::Expr(Expr::AttrSet(set)) = &old.value {
            old.value = Value::Set(Self::read(source, set)?);
        }
        let more = match new.value {
            Value::Set(set) => set,
            Value::Expr(Expr::AttrSet(set)) => Self::read(source, &set)?,
            Value::Expr(_) => return Err(twice),
        };
        let Value::Set(set) = &mut old.value else {
            return Err(twice);
        };
        for field in more.fields {
            set.define(source, field)?;
        }
        Ok(())
    }

    /// Takes an attribute out.
    pub(super) fn take(&mut self, name: &str) -> Option<Field> {
        let at = self.fields.iter().position(|field| field.name == name)?;
        Some(self.fields.remove(at))
    }

    /// The attributes that were not taken.
    pub(super) fn rest(self) -> Vec<Field> {
        self.fields
    }

    /// Refuses what was not taken and is not known.
    pub(super) fn refuse_rest(
        self,
        within: &'static str,
        known: &[&'static str],
    ) -> Result<(), NixError> {
        let unknown = |field: &Field| !known.contains(&field.name.as_str());
        match self.fields.into_iter().find(unknown) {
            None => Ok(()),
            Some(field) => Err(NixError::Unknown {
                line: field.line,
                nearest: nearest(&field.name, known),
                name: field.name,
                within,
            }),
        }
    }
}

impl Field {
    /// The value, where it is not a set made of dotted names.
    pub(super) fn expr(&self, wanted: &'static str) -> Result<&Expr, NixError> {
        match &self.value {
            Value::Expr(expr) => Ok(expr),
            Value::Set(_) => Err(NixError::WrongType {
                line: self.line,
                what: self.quoted(),
                wanted,
                found: "a set",
            }),
        }
    }

    /// Where the value stands.
    pub(super) fn span(&self, source: &Source) -> Result<Span, NixError> {
        self.expr("a value").map(|expr| source.span(expr))
    }

    /// The value as a string.
    pub(super) fn string(&self, source: &Source) -> Result<String, NixError> {
        source.string(&self.quoted(), self.expr("a string")?)
    }

    /// The value as a set.
    pub(super) fn set(self, source: &Source) -> Result<Attrs, NixError> {
        match self.value {
            Value::Set(attrs) => Ok(attrs),
            Value::Expr(Expr::AttrSet(set)) => Attrs::read(source, &set),
            Value::Expr(ref expr) => Err(source.not("a set", &self.quoted(), expr)),
        }
    }

    /// The name as messages have it.
    pub(super) fn quoted(&self) -> String {
        format!("`{}`", self.name)
    }
}

/// The known name that resembles another most, if any does.
pub(super) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    known
        .iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(name, known), *known))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

fn name_of(source: &Source, attr: &Attr) -> Result<String, NixError> {
    match attr {
        Attr::Ident(ident) => Ok(ident.to_string()),
        Attr::Str(string) => source.decoded(string),
        Attr::Dynamic(dynamic) => Err(NixError::NotLiteral {
            line: source.line(dynamic),
            what: "a computed attribute name".to_owned(),
        }),
    }
}
