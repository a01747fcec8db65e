//! What the command sees in the place of the system's settings: certificates, hosts, and where names are
//! asked for.

use std::{
    collections::BTreeSet,
    ffi::CString,
    fs, io,
    net::IpAddr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// Where systems have their bundle of certificates.
const BUNDLES: [&str; 9] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/usr/lib/ssl/cert.pem",
];

/// Where systems have their certificates one by one, named by hashes.
const CERTIFICATES: &str = "/etc/ssl/certs";

/// The authority's name in such a folder: what `openssl x509 -subject_hash` says of it, which is made of
/// its subject, and so is always the same.
const HASHED: &str = "bec0b8e5.0";

/// Sockets of services that look names up elsewhere.
const SERVICES: [&str; 4] = [
    "/run/nscd/socket",
    "/var/run/nscd/socket",
    "/run/systemd/resolve/io.systemd.Resolve",
    "/run/systemd/resolve/io.systemd.Resolve.Monitor",
];

/// What is to be mounted.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The folder of certificates, with one more.
    pub(super) certificates: Option<Layers>,
    /// Whom the system asks for names. Some programs ask them whatever the files say.
    pub(super) nameservers: Vec<IpAddr>,
    /// Files that are put over others, afterwards.
    pub(super) binds: Vec<(PathBuf, PathBuf)>,
}

/// A folder that is made of two.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Layers {
    pub(super) target: PathBuf,
    pub(super) options: CString,
}

/// The files that take the place of the system's. They go when this is dropped.
#[derive(Debug)]
pub(super) struct Etc {
    folder: TempDir,
    plan: Plan,
}

impl Etc {
    /// `bundle` is the file with the certificates that clients are to trust, `authority` that of the
    /// authority alone.
    pub(super) fn make(bundle: &Path, authority: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("buildproxy-").tempdir()?;
        let mut etc = Self {
            folder,
            plan: Plan::default(),
        };
        etc.layer(authority)?;
        let mut targets = BTreeSet::new();
        for target in BUNDLES {
            // Several are one file, by links.
            if let Ok(target) = fs::canonicalize(target) {
                targets.insert(target);
            }
        }
        let certificates = targets.into_iter();
        etc.plan.binds = certificates.map(|to| (bundle.to_owned(), to)).collect();
        let own = fs::read_to_string("/etc/resolv.conf");
        etc.plan.nameservers = nameservers(&own.unwrap_or_default());
        etc.replace("/etc/hosts", &hosts())?;
        etc.replace("/etc/resolv.conf", "nameserver 127.0.0.1\n")?;
        if let Ok(own) = fs::read_to_string("/etc/nsswitch.conf") {
            etc.replace("/etc/nsswitch.conf", &nsswitch(&own))?;
        }
        for service in SERVICES {
            etc.replace(service, "")?;
        }
        Ok(etc)
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Puts a file of ours over `target`, if that is there.
    fn replace(&mut self, target: &str, content: &str) -> io::Result<()> {
        let Ok(target) = fs::canonicalize(target) else {
            return Ok(());
        };
        if self.plan.binds.iter().any(|(_, known)| *known == target) {
            return Ok(());
        }
        let name = format!("file-{}", self.plan.binds.len());
        let source = self.folder.path().join(name);
        fs::write(&source, content)?;
        self.plan.binds.push((source, target));
        Ok(())
    }

    /// Lays a folder with the authority's certificate over the one of the system.
    fn layer(&mut self, authority: &Path) -> io::Result<()> {
        let Ok(target) = fs::canonicalize(CERTIFICATES) else {
            return Ok(());
        };
        let upper = self.folder.path().join("certificates");
        fs::create_dir(&upper)?;
        fs::copy(authority, upper.join(HASHED))?;
        let mut options = b"lowerdir=".to_vec();
        escape(&mut options, &upper);
        options.push(b':');
        escape(&mut options, &target);
        let options = CString::new(options)?;
        self.plan.certificates = Some(Layers { target, options });
        Ok(())
    }
}

/// Colons separate layers, and commas options.
fn escape(options: &mut Vec<u8>, path: &Path) {
    for byte in path.as_os_str().as_bytes() {
        if matches!(byte, b':' | b',' | b'\\') {
            options.push(b'\\');
        }
        options.push(*byte);
    }
}

/// This machine is what runs on it. All other names are asked for, also those that the system's own file
/// has, or they would pass us by.
fn hosts() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    let own = if name.is_empty() || name.contains(char::is_whitespace) {
        ""
    } else {
        &name
    };
    format!("127.0.0.1 localhost {own}\n::1 localhost ip6-localhost ip6-loopback\n")
}

/// Whom a `resolv.conf` names.
fn nameservers(own: &str) -> Vec<IpAddr> {
    let lines = own.lines().map(str::split_whitespace);
    let servers = lines.filter_map(|mut words| {
        let is_server = words.next() == Some("nameserver");
        let address = words.next().filter(|_| is_server)?;
        address.parse::<IpAddr>().ok()
    });
    // As many as the C library takes.
    let distinct: BTreeSet<_> = servers.take(3).collect();
    distinct.into_iter().collect()
}

/// The settings of the system's own name service, but for hosts: those are in the file, or asked for.
fn nsswitch(own: &str) -> String {
    let is_hosts = |line: &&str| line.trim_start().starts_with("hosts:");
    let mut lines: Vec<_> = own.lines().filter(|line| !is_hosts(line)).collect();
    lines.push("hosts: files dns");
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_are_looked_up_elsewhere() {
        let own = "passwd: files systemd\nhosts: mymachines resolve [!UNAVAIL=return] files dns\n";
        assert_eq!(nsswitch(own), "passwd: files systemd\nhosts: files dns\n");
    }

    #[test]
    fn nameservers_are_found() {
        let own = "# a\nsearch x\nnameserver 127.0.0.53 # b\nnameserver fd00::1\nnameserver x\n";
        let found: [IpAddr; 2] = ["127.0.0.53".parse().unwrap(), "fd00::1".parse().unwrap()];
        assert_eq!(nameservers(own), found);
    }

    #[test]
    fn this_machine_has_a_name() {
        assert!(hosts().starts_with("127.0.0.1 localhost "));
    }
}
