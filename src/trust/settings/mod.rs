//! What a person's clients are set to themselves: proxies that beat the environment.
//!
//! Everybody behind a company's proxy has such settings, and a client that has one goes past us without a
//! word. So they are read before the command starts, which takes no process but where git has one. What
//! they name serves two purposes: settings of ours outrank them ([`super::Files`] and the table), and
//! a capture goes on by the proxy that the client would have used.
//!
//! Where nobody is set to anything, nothing more than the table's variables is set, so that a build may
//! still lead a client elsewhere by the environment.

mod apt;
mod git;
mod java;
mod keyed;
mod lines;
mod route;
mod unreached;

use std::{
    ffi::OsString,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

pub(super) use java::{GRADLE_PROPERTIES, names_a_proxy};
pub use route::Route;

/// A client whose own settings are outranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// apt.
    Apt,
    /// cargo.
    Cargo,
    /// curl.
    Curl,
    /// gem, and bundler.
    Gem,
    /// git.
    Git,
    /// Gradle, by its properties.
    Gradle,
    /// A Java virtual machine, by options.
    Java,
    /// npm, pnpm and yarn 1.
    Npm,
    /// pip.
    Pip,
    /// R.
    R,
    /// wget.
    Wget,
    /// wget2.
    Wget2,
    /// yarn 4.
    Yarn,
}

impl Client {
    /// As a person knows it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Cargo => "cargo",
            Self::Curl => "curl",
            Self::Gem => "gem",
            Self::Git => "git",
            Self::Gradle => "Gradle",
            Self::Java => "Java",
            Self::Npm => "npm",
            Self::Pip => "pip",
            Self::R => "R",
            Self::Wget => "wget",
            Self::Wget2 => "wget2",
            Self::Yarn => "yarn",
        }
    }
}

/// A setting of a person's that beats the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Whose.
    pub client: Client,
    /// Its name, where the client has several with one meaning (git).
    pub key: Option<String>,
    /// The file, or the variable.
    pub place: String,
    /// Where it leads. `None` is wherever the environment does.
    pub route: Option<Route>,
    /// The address of ours behind which that way is taken, if it is not the usual one.
    door: Option<SocketAddr>,
}

/// A client that goes where its settings say, whatever we set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// Whose they are.
    pub client: &'static str,
    /// The file.
    pub place: PathBuf,
}

/// All that was found.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    found: Vec<Setting>,
    unreached: Vec<Unreached>,
    environment: Route,
    extended: Extended,
}

/// What our settings begin with, of clients that have any.
#[derive(Clone, Debug, Default)]
pub(super) struct Extended {
    /// A person's curlrc.
    pub(super) curlrc: String,
    /// A person's Renviron.
    pub(super) renviron: String,
    /// The commands of gem that are given a proxy as an option, with all of their options.
    pub(super) gem: Vec<(String, String)>,
    /// Gradle's folder, with its properties.
    pub(super) gradle: Option<(PathBuf, String)>,
}

impl Settings {
    /// Reads what there is for whoever works in the current folder, with the variables that `own` gives.
    #[must_use]
    pub fn read(own: impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = std::env::current_dir().unwrap_or_default();
        Self::of(&Person { own: &own, folder })
    }

    fn of(person: &Person<'_>) -> Self {
        let mut found = git::settings(person);
        found.extend(apt::setting(person));
        found.extend(keyed::settings(person));
        Self {
            extended: keyed::extended(person, &found),
            found,
            unreached: unreached::unreached(person),
            environment: Route::of_environment(|name| person.variable(name)),
        }
    }

    /// The settings of one client.
    pub fn of_client(&self, client: Client) -> impl Iterator<Item = &Setting> {
        let settings = self.found.iter();
        settings.filter(move |setting| setting.client == client)
    }

    /// Whether a client has any.
    #[must_use]
    pub fn has(&self, client: Client) -> bool {
        self.of_client(client).next().is_some()
    }

    pub(super) fn extended(&self) -> &Extended {
        &self.extended
    }

    /// Who goes past us.
    #[must_use]
    pub fn unreached(&self) -> &[Unreached] {
        &self.unreached
    }

    /// Has `open` say behind which address of ours the way of each setting is taken that leads elsewhere than
    /// the environment does.
    ///
    /// # Errors
    ///
    /// That of `open`.
    pub fn open_doors<E>(
        &mut self,
        mut open: impl FnMut(&Setting, &Route) -> Result<Option<SocketAddr>, E>,
    ) -> Result<(), E> {
        for setting in &mut self.found {
            let route = setting.route.as_ref();
            let route = route.filter(|route| route.leads_elsewhere(&self.environment));
            if let Some(route) = route.cloned() {
                setting.door = open(setting, &route)?;
            }
        }
        Ok(())
    }
}

impl Setting {
    /// The address of ours behind which its way is taken, if it is not the usual one.
    #[must_use]
    pub fn door(&self) -> Option<SocketAddr> {
        self.door
    }
}

/// Whose settings are read: somebody in a folder, with an environment.
struct Person<'a> {
    own: &'a dyn Fn(&str) -> Option<OsString>,
    folder: PathBuf,
}

impl Person<'_> {
    /// A variable that is not empty.
    fn variable(&self, name: &str) -> Option<String> {
        let value = (self.own)(name)?.into_string().ok()?;
        Some(value).filter(|value| !value.is_empty())
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    /// A path in the folder.
    fn here(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// A path in the home.
    fn home(&self, path: &str) -> PathBuf {
        let home = self.variable("HOME").unwrap_or_default();
        Path::new(&home).join(path)
    }

    /// A path below the folder of a person's configuration (XDG base directories).
    fn configuration(&self, path: &str) -> PathBuf {
        match self.variable("XDG_CONFIG_HOME") {
            Some(folder) => Path::new(&folder).join(path),
            None => self.home(".config").join(path),
        }
    }
}

/// The paths that a file for all users of the machine may have.
fn of_system(path: &str) -> [PathBuf; 3] {
    ["/etc", "/usr/local/etc", "/opt/homebrew/etc"].map(|folder| Path::new(folder).join(path))
}

/// The files in a folder, by their names.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// Those files that can be read.
fn texts(files: &[PathBuf]) -> impl Iterator<Item = (&Path, String)> {
    files.iter().filter_map(|path| {
        // A relative path would be one without a home.
        let bytes = fs::read(path).ok().filter(|_| path.is_absolute())?;
        Some((&**path, String::from_utf8_lossy(&bytes).into_owned()))
    })
}
