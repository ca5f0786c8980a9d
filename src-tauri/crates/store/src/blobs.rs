//! Files by content address: `objects/ab/cdef…`. Written once, never changed.

use crate::{Store, StoreError};
use cairn_core::canonical::Hasher;
use cairn_core::id::Digest;
use std::io::{Read, Write};
use std::path::PathBuf;

/// A file on its way into the store: written to, hashed meanwhile, gone if it is dropped.
pub struct Incoming {
    file: tempfile::NamedTempFile,
    hash: Hasher,
    size: u64,
}

impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.add(&bytes[..n]);
        self.size += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Store {
    /// Where a file of this content lies, or would.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        let (head, tail) = digest.as_str().split_at(2);
        self.dir().join("objects").join(head).join(tail)
    }

    /// Begins a file whose content is still coming.
    pub fn incoming(&self) -> Result<Incoming, StoreError> {
        // Beside the others, so that the last step is a rename.
        let folder = self.dir().join("objects");
        std::fs::create_dir_all(&folder)?;
        Ok(Incoming { file: tempfile::NamedTempFile::new_in(&folder)?, hash: Hasher::default(), size: 0 })
    }

    /// Keeps a file whose content has come; the same content twice takes the room once.
    pub fn keep_incoming(&self, incoming: Incoming) -> Result<(Digest, u64), StoreError> {
        let Incoming { file, hash, size } = incoming;
        let digest = hash.digest();
        let path = self.blob_path(&digest);
        let folder = path.parent().ok_or_else(|| std::io::Error::other("no folder"))?;
        std::fs::create_dir_all(folder)?;
        file.as_file().sync_data()?;
        // Renamed only when complete: a name always stands for its whole content. One that is there already
        // is replaced by its like, so that it is young again and no clean-up takes it before it has its owner.
        file.persist(&path).map_err(|e| e.error)?;
        Ok((digest, size))
    }

    /// Stores some bytes.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let mut incoming = self.incoming()?;
        incoming.write_all(bytes)?;
        Ok(self.keep_incoming(incoming)?.0)
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
impl crate::store::Reader<'_> {
    /// Whether this computer holds the content of a digest.
    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.store.blob_path(digest).is_file()
    }
}
