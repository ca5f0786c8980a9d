//! Files by content address: `objects/ab/cdef…`. Written once, never changed.

use crate::{Store, StoreError};
use cairn_core::canonical::sha256;
use cairn_core::id::Digest;
use std::io::{Read, Write};
use std::path::PathBuf;

impl Store {
    /// Where a file of this content lies, or would.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        let (head, tail) = digest.as_str().split_at(2);
        self.dir().join("objects").join(head).join(tail)
    }

    /// Stores some bytes; the same bytes twice take the room once.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = sha256(bytes);
        let path = self.blob_path(&digest);
        if path.is_file() {
            return Ok(digest);
        }
        let folder = path.parent().ok_or_else(|| std::io::Error::other("no folder"))?;
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_data()?;
        // Renamed only when complete: a name always stands for its whole content.
        file.persist(&path).map_err(|e| e.error)?;
        Ok(digest)
    }

    /// The content of a file, or `None` when this computer does not hold it.
    pub fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        match std::fs::File::open(self.blob_path(digest)) {
            Ok(mut file) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                Ok(Some(bytes))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
