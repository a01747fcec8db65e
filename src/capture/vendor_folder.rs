//! The folder of vendored bodies, which lies beside its inventory and has its name without the extension.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::{
    bodies::CachedBody,
    inventory::{Body, Entry, StoreName, earlier_vendored_name, vendored_name},
    regular_file::{Links, open_regular, same_bytes},
};

/// The folder leads out of the one that the inventory is in.
#[derive(Debug, thiserror::Error)]
#[error(
    "the folder for vendored bodies, '{}', is a link that leads out of the inventory's folder; put a folder in its place, or name another inventory with -o",
    folder.display()
)]
pub struct LeadsOut {
    folder: PathBuf,
}

/// Where vendored bodies are kept.
#[derive(Clone, Debug)]
pub struct VendorFolder {
    /// The folder that the inventory is in.
    root: PathBuf,
    /// This folder's name in there.
    name: PathBuf,
}

/// What was done to have a body in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It was there already.
    Already,
    /// It was not there.
    New,
    /// A file of its name was there, with other bytes.
    Replaced,
}

impl VendorFolder {
    /// The folder beside the inventory at this path, which is absolute. It need not exist.
    #[must_use]
    pub fn beside(inventory: &Path) -> Self {
        Self {
            root: inventory.parent().unwrap_or(Path::new("/")).to_owned(),
            name: PathBuf::from(inventory.file_stem().unwrap_or_default()),
        }
    }

    /// Makes sure that what is written into it stays beside the inventory.
    ///
    /// # Errors
    ///
    /// Where it is a link to a folder that is not below the inventory's.
    pub fn check(&self) -> Result<(), LeadsOut> {
        let folder = self.root.join(&self.name);
        let is_link = folder.symlink_metadata().is_ok_and(|it| it.is_symlink());
        let stays = || {
            Some(
                folder
                    .canonicalize()
                    .ok()?
                    .starts_with(self.root.canonicalize().ok()?),
            )
        };
        if is_link && stays() != Some(true) {
            return Err(LeadsOut { folder });
        }
        Ok(())
    }

    /// The file that a body is to be kept in, relative to the inventory's folder. Where one of `known`, the
    /// entries for the same request, has the body under the name that earlier versions gave it, that stays.
    pub(super) fn file_for(
        &self,
        body: &CachedBody,
        name: &StoreName,
        known: &[&Entry],
    ) -> PathBuf {
        let earlier = self.name.join(earlier_vendored_name(&body.hash, name));
        let is_known = known
            .iter()
            .any(|entry| matches!(&entry.body, Body::File(file) if *file == earlier));
        // 48 bits are no proof.
        if is_known && self.has(&earlier, &body.path) != Some(false) {
            return earlier;
        }
        self.name.join(vendored_name(&body.hash, name))
    }

    /// Whether `file`, relative to the inventory's folder, has the bytes of the file at `body`; `None` where
    /// there is no such file.
    fn has(&self, file: &Path, body: &Path) -> Option<bool> {
        let there = open_regular(&self.root.join(file), Links::Refuse).ok()?;
        let body = open_regular(body, Links::Follow);
        // What cannot be read is not known to be the same.
        Some(
            body.and_then(|body| same_bytes(there, body))
                .unwrap_or(false),
        )
    }

    /// Copies the file at `body` to `file`, relative to the inventory's folder. Nothing is taken for what it
    /// should be by its name or length, and a link in its place is replaced.
    ///
    /// # Errors
    ///
    /// Where one cannot be read, or the other not be written.
    pub fn place(&self, body: &Path, file: &Path) -> io::Result<Placed> {
        let placed = match self.has(file, body) {
            Some(true) => return Ok(Placed::Already),
            Some(false) => Placed::Replaced,
            None => Placed::New,
        };
        let target = self.root.join(file);
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        let mut copy = tempfile::Builder::new()
            .prefix(".proxy_content-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)?;
        io::copy(&mut open_regular(body, Links::Follow)?, &mut copy)?;
        copy.persist(&target).map_err(|error| error.error)?;
        Ok(placed)
    }

    /// Where `file`, relative to the inventory's folder, is.
    #[must_use]
    pub fn absolute(&self, file: &Path) -> PathBuf {
        self.root.join(file)
    }
}
