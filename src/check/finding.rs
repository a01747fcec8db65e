//! Findings, and how they read.

use std::path::Path;

use crate::inventory::nix::NixError;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The inventory cannot be used as it is.
    Error,
    /// It can, for now.
    Warning,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line that it is on, from 1; `None` where it is on none.
    pub line: Option<usize>,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub message: String,
    /// What the person can do.
    pub hint: Option<String>,
}

impl Finding {
    /// An error on a line.
    #[must_use]
    pub fn error(line: usize, message: String) -> Self {
        Self {
            line: Some(line),
            severity: Severity::Error,
            message,
            hint: None,
        }
    }

    /// A warning on a line.
    #[must_use]
    pub fn warning(line: usize, message: String) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(line, message)
        }
    }

    /// The same, with what the person can do.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// `FILE:LINE: error: what it is`, and below it the hint. Ends in a newline.
    #[must_use]
    pub fn text(&self, file: &Path) -> String {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let mut text = format!(
            "{}{line}: {}: {}\n",
            file.display(),
            self.severity.name(),
            self.message
        );
        if let Some(hint) = &self.hint {
            text.push_str("  hint: ");
            text.push_str(hint);
            text.push('\n');
        }
        text
    }
}

impl From<&NixError> for Finding {
    fn from(error: &NixError) -> Self {
        Self {
            hint: error.hint(),
            ..Self::error(error.line(), error.to_string())
        }
    }
}
