//! Why a verb failed: what a person reads, and the exit status.
//!
//! There is a variant for each error that a verb can meet, so that none gets by without a decision on its
//! exit status.

use std::io;

use super::{
    ImportError, InventoryError, Status, add::HeaderError, bundle::BundleError, output::WriteError,
    replay::Unanswered,
};
#[cfg(target_os = "linux")]
use crate::transparent::TransparentError;
use crate::{
    bodies::CacheError,
    capture::LeadsOut,
    check::FolderError,
    inventory::UrlError,
    process::ChildError,
    proxy::AuthorityError,
    report::{chain, say},
    trust::FilesError,
};

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// An inventory cannot be used.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// A lock cannot be used.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Entries cannot be answered.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// What was given as a URL is none.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// What was given as a header is none.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// An inventory cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Vendored bodies would not stay beside their inventory.
    #[error(transparent)]
    LeadsOut(#[from] LeadsOut),
    /// The certificates cannot be written where they are wanted.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The body cache cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The folder of vendored bodies cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// There is no certificate authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The files for clients cannot be made.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The command cannot be run.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// There is no network for the command.
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Transparent(#[from] TransparentError),
    /// A glob is too large.
    #[error(transparent)]
    Glob(#[from] globset::Error),
    /// The system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A failure, and what it kept from being done.
    #[error("{what}")]
    During {
        /// What could not be done.
        what: String,
        /// Why.
        source: Box<Failure>,
    },
    /// There is no more to it than that.
    #[error("{0}")]
    Said(String),
}

impl Failure {
    /// The exit status.
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Inventory(_) | Self::Import(_) => Status::Wrong,
            Self::Unanswered(unanswered) => unanswered.status(),
            Self::Url(_) | Self::Header(_) => Status::Usage,
            Self::During { source, .. } => source.status(),
            #[cfg(target_os = "linux")]
            Self::Transparent(_) => Status::Failed,
            Self::Write(_)
            | Self::LeadsOut(_)
            | Self::Bundle(_)
            | Self::Cache(_)
            | Self::Folder(_)
            | Self::Authority(_)
            | Self::Files(_)
            | Self::Child(_)
            | Self::Glob(_)
            | Self::Io(_)
            | Self::Said(_) => Status::Failed,
        }
    }

    /// What the person can do.
    fn hint(&self) -> Option<String> {
        match self {
            Self::Inventory(error) => error.hint(),
            Self::Unanswered(unanswered) => unanswered.hint().map(str::to_owned),
            Self::During { source, .. } => source.hint(),
            #[cfg(target_os = "linux")]
            Self::Transparent(error) => error.hint().map(Into::into),
            _ => None,
        }
    }

    /// Tells a person what went wrong and what to do.
    pub(super) fn tell(&self) {
        let failed = chain(self);
        match self.hint() {
            Some(hint) => say(&format!("{failed}\nhint: {hint}")),
            None => say(&failed),
        }
    }
}

/// Says what could not be done, of whatever can fail.
pub(super) trait Context<T> {
    /// With what a failure kept from being done.
    fn context(self, what: &str) -> Result<T, Failure>;

    /// The same, made where it is needed.
    fn with_context(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    fn context(self, what: &str) -> Result<T, Failure> {
        self.with_context(|| what.to_owned())
    }

    fn with_context(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::During {
            what: what(),
            source: Box::new(error.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{cli::EvalArgs, commands::inventory::read_document};

    #[test]
    fn what_it_kept_from_being_done_does_not_change_the_exit_status() {
        let there = read_document(
            Path::new("/nowhere/proxy_content.nix"),
            &EvalArgs::default(),
        );
        let failure = there.map(drop).context("nothing is written").unwrap_err();
        assert_eq!(failure.status(), Status::Wrong);
        let told = chain(&failure);
        assert!(
            told.starts_with("nothing is written: failed to read the inventory '/nowhere/"),
            "{told}"
        );
        let url: Result<(), Failure> = "x"
            .parse::<crate::inventory::Url>()
            .map(drop)
            .map_err(Into::into);
        assert_eq!(url.unwrap_err().status(), Status::Usage);
        let said = Err::<(), _>(io::Error::other("no"))
            .context("failed to print")
            .unwrap_err();
        assert_eq!(
            (said.status(), chain(&said)),
            (Status::Failed, "failed to print: no".to_owned())
        );
    }
}
