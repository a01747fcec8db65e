//! What is served: files, a manifest that gives each of them a URL, a certificate for nginx.

use std::{
    fmt::Write as _,
    fs::{self, File, Permissions},
    io::{BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::Scale;

/// The host of all URLs.
pub(super) const HOST: &str = "bench.example.org";

/// Bytes of a small file.
pub(super) const SMALL: u64 = 4096;

/// The folder with everything that is served.
#[derive(Debug)]
pub(super) struct Site {
    folder: PathBuf,
    pub(super) scale: Scale,
}

impl Site {
    /// Makes what is not there yet.
    pub(super) fn prepare(folder: &Path, scale: Scale) -> anyhow::Result<Self> {
        let folder = std::path::absolute(folder)?;
        let site = Self { folder, scale };
        let files = site.path("files");
        let failed = || format!("failed to write the files to serve, '{}'", files.display());
        fs::create_dir_all(&files).with_context(failed)?;
        for number in 0..scale.many {
            let file = files.join(number.to_string());
            if fs::metadata(&file).is_ok_and(|file| file.len() == SMALL) {
                continue;
            }
            let line = format!("{number:063}\n");
            fs::write(&file, line.repeat(64)).with_context(failed)?;
        }
        let large = site.path("files").join("large");
        if !fs::metadata(&large).is_ok_and(|file| file.len() == scale.large) {
            // There may be one of another size, which could not be written to.
            let _ = fs::remove_file(&large);
            let mut file = BufWriter::new(File::create(&large).with_context(failed)?);
            let piece: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
            for _ in 0..scale.large >> 20 {
                file.write_all(&piece).with_context(failed)?;
            }
            file.flush().with_context(failed)?;
            fix(&large).with_context(failed)?;
        }
        for entries in [10, 1_000, scale.many] {
            site.write_manifest(entries).with_context(failed)?;
        }
        site.write_certificate()?;
        Ok(site)
    }

    /// A path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The manifest of the first so many files, and of the large one.
    pub(super) fn manifest(&self, entries: usize) -> PathBuf {
        self.path(&format!("manifest-{entries}.json"))
    }

    /// As `builtins.toJSON` writes it, with the headers that nginx gives.
    fn write_manifest(&self, entries: usize) -> anyhow::Result<()> {
        let mut json = String::from("[");
        let numbers = (1..entries).map(|number| number.to_string());
        for name in std::iter::once("large".to_owned()).chain(numbers) {
            for scheme in ["https", "http"] {
                if scheme == "http" && name != "large" {
                    continue;
                }
                let file = self.path("files").join(&name);
                write!(
                    json,
                    r#"{{"file":"{}","headers":{{"content-type":"application/octet-stream","etag":"\"65a0b1c2-1000\"","last-modified":"Fri, 12 Jan 2024 03:04:05 GMT"}},"url":"{scheme}://{HOST}/files/{name}"}},"#,
                    file.display(),
                )?;
            }
        }
        json.pop();
        json.push(']');
        let manifest = self.manifest(entries);
        let _ = fs::remove_file(&manifest);
        fs::write(&manifest, json)?;
        fix(&manifest)?;
        Ok(())
    }

    /// For P-256, as buildproxy's are.
    fn write_certificate(&self) -> anyhow::Result<()> {
        let key = rcgen::KeyPair::generate()?;
        let params = rcgen::CertificateParams::new([HOST.to_owned()])?;
        let certificate = params.self_signed(&key)?;
        fs::write(self.path("nginx.key"), key.serialize_pem())?;
        fs::write(self.path("nginx.crt"), certificate.pem())?;
        Ok(())
    }
}

/// Makes a file one that nobody may write to, as in a store.
fn fix(path: &Path) -> std::io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(0o444))
}
