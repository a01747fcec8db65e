//! The files that clients' variables point to, for as long as the run takes.
//!
//! Where a person has such a file, ours begins with what it says: it is extended, not replaced.

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs::{self, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry};
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use super::{Client, Roots, Terms, Way, extensions, settings::GRADLE_PROPERTIES};

/// The password of the Java trust store. There is nothing secret in it, but Java wants one.
pub(super) const TRUST_STORE_PASSWORD: &str = "changeit";

/// What the name of the folder begins with.
const PREFIX: &str = "buildproxy-";

/// What Gradle keeps in its folder for the next time.
const GRADLE_FOLDERS: [&str; 6] = [
    "caches",
    "daemon",
    "jdks",
    "native",
    "notifications",
    "wrapper",
];

/// Why the files cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The folder for temporary files cannot be written.
    #[error("failed to write '{}', which clients are to read", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of the person's own cannot be read.
    #[error("failed to read '{}', which {variable} names", path.display())]
    Own {
        /// The file.
        path: PathBuf,
        /// The variable that names it.
        variable: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The trust store cannot be made.
    #[error("failed to make a trust store for Java")]
    TrustStore(#[source] p12_keystore::error::Error),
}

/// One of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// The authority's certificate as PEM.
    Authority,
    /// Certificates as PEM.
    Bundle,
    /// The same for Java: PKCS 12 (RFC 7292).
    TrustStore,
    /// Settings of wget.
    Wgetrc,
    /// Settings of wget2.
    Wget2rc,
    /// Settings of apt.
    AptConf,
    /// More of them, which apt reads last.
    AptMain,
    /// Settings of git.
    Gitconfig,
    /// Settings of curl.
    Curlrc,
    /// Settings of gem and bundler.
    Gemrc,
    /// Variables of R.
    Renviron,
    /// Settings of PHP.
    PhpSettings,
    /// The folder that all of them are in, to which clients may add files of their own.
    Folder,
    /// A folder of Gradle's.
    GradleFolder,
}

impl File {
    fn name(self) -> &'static str {
        match self {
            Self::Authority => "authority.crt",
            Self::Bundle => "ca-bundle.crt",
            Self::TrustStore => "trust-store.p12",
            Self::Wgetrc => "wgetrc",
            Self::Wget2rc => "wget2rc",
            Self::AptConf => "apt.conf",
            Self::AptMain => "apt-main.conf",
            Self::Gitconfig => "gitconfig",
            Self::Curlrc => ".curlrc",
            Self::Gemrc => "gemrc",
            Self::Renviron => "Renviron",
            Self::PhpSettings => "buildproxy.ini",
            // PHP reads what ends in `.ini`, curl its one file, and a folder more would cost more than a file.
            Self::Folder => ".",
            Self::GradleFolder => "gradle",
        }
    }

    fn readers(self) -> Readers {
        match self {
            // There may be passwords in the settings that they begin with.
            Self::Wgetrc
            | Self::Wget2rc
            | Self::Curlrc
            | Self::Gemrc
            | Self::Renviron
            | Self::GradleFolder => Readers::Owner,
            Self::Authority
            | Self::Bundle
            | Self::TrustStore
            | Self::AptConf
            | Self::AptMain
            | Self::Gitconfig
            | Self::PhpSettings
            | Self::Folder => Readers::Everybody,
        }
    }
}

/// Who may read a file, whatever the umask says: apt, for one, started by root, downloads as another
/// user.
#[derive(Clone, Copy)]
enum Readers {
    Owner,
    Everybody,
}

impl Readers {
    fn of_file(self) -> Permissions {
        Permissions::from_mode(match self {
            Self::Owner => 0o600,
            Self::Everybody => 0o644,
        })
    }

    fn of_folder(self) -> Permissions {
        Permissions::from_mode(match self {
            Self::Owner => 0o700,
            Self::Everybody => 0o755,
        })
    }
}

/// All of them, in a temporary folder of their own. They go when this is dropped.
///
/// There are certificates in them and no key.
#[derive(Debug)]
pub struct Files {
    folder: TempDir,
}

impl Files {
    /// Makes the files for clients that come on these `terms`. They are to trust the `authority` and `roots`.
    /// What a person has of settings is found by the variables that `own` gives.
    ///
    /// # Errors
    ///
    /// Where one cannot be written, or the person's cannot be read.
    pub fn make(
        authority: &CertificateDer<'static>,
        roots: &Roots,
        terms: &Terms,
        own: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, FilesError> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir();
        let folder = folder.map_err(|source| FilesError::Write {
            path: std::env::temp_dir(),
            source,
        })?;
        open_to(folder.path(), Readers::Everybody)?;
        let files = Self { folder };
        let certificates = || std::iter::once(authority).chain(roots.iter());
        files.write(File::Bundle, to_pem(certificates()))?;
        // To make files is most of what a start takes; another name for one takes next to nothing.
        let is_bundle = roots.iter().next().is_none();
        let linked = || fs::hard_link(files.path(File::Bundle), files.path(File::Authority));
        if !is_bundle || linked().is_err() {
            files.write(File::Authority, to_pem(std::iter::once(authority)))?;
        }
        files.write(File::TrustStore, to_pkcs12(certificates())?)?;

        let bundle = files.path(File::Bundle);
        let bundle = bundle.display();
        let home = own("HOME").map(PathBuf::from).unwrap_or_default();
        let named = |variable, file| {
            let path = own(variable).filter(|path| !path.is_empty())?;
            let path = PathBuf::from(path);
            (!has_gone(&path, file)).then_some(path)
        };
        let settings = |variable, file, default: &str| -> Result<String, FilesError> {
            let (path, must_be) = match named(variable, file) {
                Some(path) => (path, true),
                None => (home.join(default), false),
            };
            match fs::read_to_string(&path) {
                Ok(text) => Ok(text + "\n"),
                Err(_) if !must_be => Ok(String::new()),
                Err(source) => Err(FilesError::Own {
                    path,
                    variable,
                    source,
                }),
            }
        };
        let of_wget = settings("WGETRC", File::Wgetrc, ".wgetrc")?;
        files.write(
            File::Wgetrc,
            format!(
                "{of_wget}{}ca_certificate = {bundle}\n",
                extensions::wgetrc(terms)
            ),
        )?;
        let of_second = settings("WGET2RC", File::Wget2rc, ".wget2rc")?;
        files.write(
            File::Wget2rc,
            format!(
                "{of_second}{}ca-certificate = {bundle}\n",
                extensions::wget2rc(terms)
            ),
        )?;
        let mut apt = String::new();
        if let Some(own) = named("APT_CONFIG", File::AptConf) {
            apt = format!("#include \"{}\";\n", own.display());
        }
        let (proxy, user) = match terms.way {
            Way::Proxy(_) => (terms.proxy_of(Client::Apt), ""),
            // As apt says that there is none, whatever the rest of its settings has. Started by root, it
            // would go on as a user that the namespace does not have.
            Way::Transparent => ("DIRECT".to_owned(), "APT::Sandbox::User \"root\";\n"),
        };
        let ours = format!(
            "Acquire::http::Proxy \"{proxy}\";\n\
             Acquire::https::Proxy \"{proxy}\";\n\
             Acquire::https::CAInfo \"{bundle}\";\n\
             {user}"
        );
        files.write(File::AptMain, extensions::apt_main(&ours))?;
        let main = files.path(File::AptMain);
        let apt = format!("{apt}{ours}Dir::Etc::main \"{}\";\n", main.display());
        files.write(File::AptConf, apt)?;
        files.outrank(terms)?;
        let ini = format!("curl.cainfo = \"{bundle}\"\nopenssl.cafile = \"{bundle}\"\n");
        files.write(File::PhpSettings, ini)?;
        Ok(files)
    }

    /// Makes the files that outrank a person's own, of clients that may have any.
    fn outrank(&self, terms: &Terms) -> Result<(), FilesError> {
        self.write(File::Gitconfig, extensions::gitconfig(terms))?;
        let has = |client| terms.settings.has(client);
        if has(Client::Curl) {
            let bundle = self.path(File::Bundle).display().to_string();
            let curlrc = extensions::curlrc(terms, &bundle);
            self.write(File::Curlrc, curlrc)?;
        }
        if has(Client::Gem) {
            self.write(File::Gemrc, extensions::gemrc(terms))?;
        }
        if has(Client::R) {
            self.write(File::Renviron, extensions::renviron(terms))?;
        }
        if let Some((own, properties)) = &terms.settings.extended().gradle {
            self.make_gradle_folder(own, &extensions::gradle_properties(terms, properties))?;
        }
        Ok(())
    }

    /// Where a file is, absolute.
    #[must_use]
    pub fn path(&self, file: File) -> PathBuf {
        let path = self.folder.path().join(file.name());
        // Without what is superfluous.
        path.components().collect()
    }

    /// Makes a folder for Gradle that has all of the person's `own`, but with these properties.
    fn make_gradle_folder(&self, own: &Path, properties: &str) -> Result<(), FilesError> {
        let folder = self.path(File::GradleFolder);
        let failed = |source| FilesError::Write {
            path: folder.clone(),
            source,
        };
        fs::create_dir(&folder).map_err(failed)?;
        open_to(&folder, File::GradleFolder.readers())?;
        // What Gradle would make there is to be the person's, if it can be.
        for name in GRADLE_FOLDERS {
            let _ = fs::create_dir_all(own.join(name));
        }
        for entry in fs::read_dir(own).into_iter().flatten().flatten() {
            if entry.file_name() != GRADLE_PROPERTIES {
                let link = folder.join(entry.file_name());
                std::os::unix::fs::symlink(entry.path(), link).map_err(failed)?;
            }
        }
        write(
            &folder.join(GRADLE_PROPERTIES),
            properties,
            File::GradleFolder.readers(),
        )
    }

    fn write(&self, file: File, content: impl AsRef<[u8]>) -> Result<(), FilesError> {
        write(&self.path(file), content, file.readers())
    }
}

/// Whether this is such a file of an earlier run, which took it away when it ended. The variables may have
/// stayed in a shell.
fn has_gone(path: &Path, file: File) -> bool {
    let folder = path
        .parent()
        .and_then(|folder| folder.file_name()?.to_str());
    path.ends_with(file.name())
        && folder.is_some_and(|folder| folder.starts_with(PREFIX))
        && !path.exists()
}

/// Says who may look into a folder.
fn open_to(folder: &Path, readers: Readers) -> Result<(), FilesError> {
    fs::set_permissions(folder, readers.of_folder()).map_err(|source| FilesError::Write {
        path: folder.to_owned(),
        source,
    })
}

fn write(path: &Path, content: impl AsRef<[u8]>, readers: Readers) -> Result<(), FilesError> {
    let permissions = readers.of_file();
    let write = || {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .mode(permissions.mode());
        let mut file = options.open(path)?;
        file.set_permissions(permissions)?;
        file.write_all(content.as_ref())
    };
    write().map_err(|source| FilesError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Certificates as PEM (RFC 7468).
fn to_pem<'a>(certificates: impl Iterator<Item = &'a CertificateDer<'static>>) -> String {
    let mut pem = String::new();
    for certificate in certificates {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let base64 = BASE64.encode(certificate);
        for line in base64.as_bytes().chunks(64) {
            // Writing to a string does not fail.
            let _ = writeln!(pem, "{}", String::from_utf8_lossy(line));
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

fn to_pkcs12<'a>(
    certificates: impl Iterator<Item = &'a CertificateDer<'static>>,
) -> Result<Vec<u8>, FilesError> {
    let mut store = KeyStore::new();
    for (number, certificate) in certificates.enumerate() {
        // What Java would not understand is left out, as it is by everybody else.
        if let Ok(certificate) = Certificate::from_der(certificate) {
            store.add_entry(&number.to_string(), KeyStoreEntry::Certificate(certificate));
        }
    }
    // Everybody may read it, so there is no use in making it slow.
    let writer = store.writer(TRUST_STORE_PASSWORD);
    let writer = writer.encryption_iterations(1).mac_iterations(1);
    writer.write().map_err(FilesError::TrustStore)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        proxy::Authority,
        trust::{Direct, Settings},
    };

    fn make(own: &[(&str, &Path)]) -> Result<Files, FilesError> {
        let authority = Authority::new().unwrap();
        let own = |name: &str| {
            let found = own.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.as_os_str().to_owned())
        };
        let terms = Terms {
            mode: crate::process::Mode::Replay,
            way: Way::Proxy("127.0.0.1:1234".parse().unwrap()),
            direct: Direct::default(),
            settings: Settings::default(),
        };
        Files::make(authority.certificate(), &Roots::none(), &terms, own)
    }

    #[test]
    fn settings_of_a_person_stay() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        fs::write(home.join(".wget2rc"), "verbose = off").unwrap();
        fs::write(home.join("mine"), "timeout = 5").unwrap();
        let files = make(&[
            ("HOME", home),
            ("WGETRC", &home.join("mine")),
            ("APT_CONFIG", &home.join("apt")),
        ])
        .unwrap();
        let read = |file| fs::read_to_string(files.path(file)).unwrap();
        assert!(read(File::Wgetrc).starts_with("timeout = 5\nca_certificate = "));
        assert!(read(File::Wget2rc).starts_with("verbose = off\nca-certificate = "));
        let include = format!("#include \"{}\";\n", home.join("apt").display());
        assert!(read(File::AptConf).starts_with(&include));
    }

    #[test]
    fn settings_of_a_run_that_has_ended_are_none() {
        let ended = make(&[]).unwrap();
        let settings = [File::Wgetrc, File::Wget2rc, File::AptConf];
        let [first, second, apt] = settings.map(|file| ended.path(file));
        let own: [(&str, &Path); 3] = [
            ("WGETRC", &first),
            ("WGET2RC", &second),
            ("APT_CONFIG", &apt),
        ];
        let read = |files: &Files, file| fs::read_to_string(files.path(file)).unwrap();
        let inner = make(&own).unwrap();
        let inherits = |files: &Files| settings.map(|file| read(files, file).lines().count());
        assert_eq!(inherits(&inner), [3, 3, 5]);
        drop(ended);
        let next = make(&own).unwrap();
        assert_eq!(inherits(&next), [1, 1, 4]);
    }

    #[test]
    fn certificates_are_for_everybody_and_passwords_are_not() {
        let files = make(&[]).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&files.path(File::Folder)), 0o755);
        for (file, expected) in [
            (File::Bundle, 0o644),
            (File::TrustStore, 0o644),
            (File::AptConf, 0o644),
            (File::Authority, 0o644),
            (File::PhpSettings, 0o644),
            (File::Wgetrc, 0o600),
            (File::Wget2rc, 0o600),
        ] {
            assert_eq!(mode(&files.path(file)), expected, "{file:?}");
        }
    }

    #[test]
    fn settings_that_are_named_have_to_be_there() {
        let error = make(&[("WGETRC", Path::new("/no/such/file"))]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to read '/no/such/file', which WGETRC names"
        );
    }
}
