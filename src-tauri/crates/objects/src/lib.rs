//! Files in object stores (S3 and what speaks like it, Google Cloud Storage, Azure, WebDAV over http, a
//! folder), by address. Synchronous: whoever calls is off the async threads already.
//!
//! Secrets are passed in, or stand in the variables that the stores' own tools read
//! (`AWS_ACCESS_KEY_ID`, `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_STORAGE_ACCOUNT_KEY`, …). None is ever in an address.

use futures_util::StreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig, WriteMultipart};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::Runtime;
use url::Url;

/// Files up to this size are sent in one piece.
const WHOLE_MAX: u64 = 32 * 1024 * 1024;
/// The pieces of larger ones.
const PIECE: usize = 8 * 1024 * 1024;

/// Why a file could not be sent, found or fetched.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    #[error("\"{0}\" is no address of a file in an object store")]
    Address(String),
    #[error("there is nothing at {0}")]
    NotFound(String),
    #[error("the object store does not let this computer in")]
    Denied,
    #[error("no name and secret for the object store are known on this computer")]
    NoLogin,
    #[error("the object store does not answer: {0}")]
    Unreachable(String),
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    #[error("it was stopped")]
    Stopped,
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Other(String),
}

/// The name and secret of this computer's user at a store.
#[derive(Clone, Default)]
pub struct Login {
    pub name: String,
    pub secret: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a store says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    pub size: u64,
    /// Its entity tag or version: another content has another.
    pub version: Option<String>,
}

/// A folder in a store, or one file.
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    at: ObjectPath,
    address: String,
    runtime: &'static Runtime,
}

fn runtime() -> Result<&'static Runtime, ObjectError> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(found) = RUNTIME.get() {
        return Ok(found);
    }
    // A second provider in one process is refused, and then one is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    Ok(RUNTIME.get_or_init(|| made))
}

impl Objects {
    /// Opens `s3://bucket/folder`, `gs://…`, `az://container/folder`, `http(s)://…` or `file:///folder`.
    /// `?endpoint=…&region=…` names a store that speaks like S3; `?account=…` the account of Azure.
    pub fn open(address: &str, login: Option<&Login>) -> Result<Self, ObjectError> {
        let bad = || ObjectError::Address(address.to_owned());
        // First: a client cannot be made before there is a provider of its cryptography.
        let runtime = runtime()?;
        let url = Url::parse(address).map_err(|_| bad())?;
        let option = |name: &str| url.query_pairs().find(|(k, _)| k == name).map(|(_, v)| v.into_owned());
        let host = url.host_str().unwrap_or_default();
        let set = |name: &str| std::env::var_os(name).is_some();
        let patience = RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(60), ..RetryConfig::default() };
        let endpoint = option("endpoint");
        let plain = endpoint.as_deref().is_some_and(|e| e.starts_with("http://")) || url.scheme() == "http";
        let client = ClientOptions::new()
            .with_allow_http(plain)
            .with_connect_timeout(Duration::from_secs(10))
            .with_timeout_disabled()
            .with_read_timeout(Duration::from_secs(60));
        let other = |e: object_store::Error| ObjectError::Other(e.to_string());
        let store: Arc<dyn ObjectStore> = match url.scheme() {
            "s3" => {
                let mut builder = AmazonS3Builder::from_env().with_bucket_name(host).with_client_options(client).with_retry(patience);
                if let Some(endpoint) = endpoint {
                    builder = builder.with_endpoint(endpoint);
                }
                match (option("region"), set("AWS_REGION") || set("AWS_DEFAULT_REGION")) {
                    (Some(region), _) => builder = builder.with_region(region),
                    (None, false) => builder = builder.with_region("us-east-1"),
                    (None, true) => {}
                }
                match login {
                    Some(login) => builder = builder.with_access_key_id(&login.name).with_secret_access_key(&login.secret),
                    // Without any of these the library would ask the network for a machine's own rights, and wait.
                    None if ![
                        "AWS_ACCESS_KEY_ID",
                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                    ]
                    .into_iter()
                    .any(set) =>
                    {
                        return Err(ObjectError::NoLogin);
                    }
                    None => {}
                }
                Arc::new(builder.build().map_err(other)?)
            }
            "gs" => {
                let mut builder =
                    GoogleCloudStorageBuilder::from_env().with_bucket_name(host).with_client_options(client).with_retry(patience);
                match login {
                    Some(login) => builder = builder.with_service_account_key(&login.secret),
                    None if !["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_KEY"]
                        .into_iter()
                        .any(set) =>
                    {
                        return Err(ObjectError::NoLogin);
                    }
                    None => {}
                }
                Arc::new(builder.build().map_err(other)?)
            }
            "az" => {
                let mut builder =
                    MicrosoftAzureBuilder::from_env().with_container_name(host).with_client_options(client).with_retry(patience);
                if let Some(account) = option("account") {
                    builder = builder.with_account(account);
                }
                match login {
                    Some(login) => builder = builder.with_account(&login.name).with_access_key(&login.secret),
                    None if !["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_CLIENT_ID"].into_iter().any(set) => {
                        return Err(ObjectError::NoLogin);
                    }
                    None => {}
                }
                Arc::new(builder.build().map_err(other)?)
            }
            "http" | "https" => {
                let mut url = url.clone();
                if let Some(login) = login {
                    url.set_username(&login.name).and_then(|()| url.set_password(Some(&login.secret))).map_err(|()| bad())?;
                }
                let root = &url[..url::Position::BeforePath];
                Arc::new(HttpBuilder::new().with_url(root).with_client_options(client).with_retry(patience).build().map_err(other)?)
            }
            "file" => Arc::new(LocalFileSystem::new()),
            _ => return Err(bad()),
        };
        let at = ObjectPath::from_url_path(url.path()).map_err(|_| bad())?;
        Ok(Self { store, at, address: address.to_owned(), runtime })
    }

    /// A path below the folder; the empty one is the file that the address names.
    fn path(&self, name: &str) -> ObjectPath {
        name.split('/').filter(|p| !p.is_empty()).fold(self.at.clone(), |at, part| at.join(part))
    }

    fn failed(&self, error: object_store::Error) -> ObjectError {
        use object_store::Error;
        match error {
            Error::NotFound { path, .. } => ObjectError::NotFound(if path.is_empty() { self.address.clone() } else { path }),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => ObjectError::Denied,
            Error::Generic { source, .. } => {
                // The innermost cause is what a person can do something about.
                let mut cause: &(dyn std::error::Error + 'static) = source.as_ref();
                while let Some(inner) = cause.source() {
                    cause = inner;
                }
                ObjectError::Unreachable(cause.to_string())
            }
            other => ObjectError::Other(other.to_string()),
        }
    }

    /// What is at a name; an error that says so where nothing is.
    pub fn about(&self, name: &str) -> Result<About, ObjectError> {
        let found = self.runtime.block_on(self.store.head(&self.path(name))).map_err(|e| self.failed(e))?;
        Ok(About { size: found.size, version: found.version.or(found.e_tag) })
    }

    /// The files below the folder, by their path in it, at most so many.
    pub fn list(&self, most: usize) -> Result<Vec<(String, About)>, ObjectError> {
        let prefix = format!("{}/", self.at);
        self.runtime.block_on(async {
            let mut found = Vec::new();
            let mut stream = self.store.list(Some(&self.at));
            while let Some(meta) = stream.next().await {
                let meta = meta.map_err(|e| self.failed(e))?;
                let path = meta.location.to_string();
                let name = path.strip_prefix(&prefix).unwrap_or(&path).to_owned();
                found.push((name, About { size: meta.size, version: meta.version.or(meta.e_tag) }));
                if found.len() >= most {
                    break;
                }
            }
            found.sort_by(|a, b| a.0.cmp(&b.0));
            Ok(found)
        })
    }

    /// Sends a file. `go_on` is asked between pieces.
    pub fn send(&self, name: &str, file: &Path, go_on: &dyn Fn() -> bool) -> Result<(), ObjectError> {
        let size = std::fs::metadata(file)?.len();
        let path = self.path(name);
        if size <= WHOLE_MAX {
            let bytes = std::fs::read(file)?;
            return self.runtime.block_on(self.store.put(&path, PutPayload::from(bytes))).map(drop).map_err(|e| self.failed(e));
        }
        let mut from = std::fs::File::open(file)?;
        self.runtime.block_on(async {
            let upload = self.store.put_multipart(&path).await.map_err(|e| self.failed(e))?;
            let mut upload = WriteMultipart::new_with_chunk_size(upload, PIECE);
            let mut buffer = vec![0_u8; 1 << 20];
            loop {
                if !go_on() {
                    upload.abort().await.map_err(|e| self.failed(e))?;
                    return Err(ObjectError::Stopped);
                }
                let read = from.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                upload.wait_for_capacity(4).await.map_err(|e| self.failed(e))?;
                upload.write(&buffer[..read]);
            }
            upload.finish().await.map(drop).map_err(|e| self.failed(e))
        })
    }

    /// Writes what is at a name somewhere, up to so many bytes.
    pub fn fetch(&self, name: &str, into: &mut dyn Write, most: u64, go_on: &dyn Fn() -> bool) -> Result<u64, ObjectError> {
        self.runtime.block_on(async {
            let found = self.store.get(&self.path(name)).await.map_err(|e| self.failed(e))?;
            if found.meta.size > most {
                return Err(ObjectError::TooLarge(most));
            }
            let mut stream = found.into_stream();
            let mut written = 0;
            while let Some(bytes) = stream.next().await {
                let bytes = bytes.map_err(|e| self.failed(e))?;
                written += bytes.len() as u64;
                // What a store says of the size is a claim.
                if written > most {
                    return Err(ObjectError::TooLarge(most));
                }
                if !go_on() {
                    return Err(ObjectError::Stopped);
                }
                into.write_all(&bytes)?;
            }
            Ok(written)
        })
    }
}

/// The address of a file or folder of this computer.
pub fn local_address(path: &Path) -> Option<String> {
    Url::from_file_path(path).ok().map(|u| u.to_string())
}

/// The path behind a `file:` address.
pub fn local_path(address: &str) -> Option<PathBuf> {
    let url = Url::parse(address).ok().filter(|u| u.scheme() == "file")?;
    url.to_file_path().ok()
}

/// Whether an address names a folder: its path ends in a slash.
pub fn is_folder(address: &str) -> bool {
    Url::parse(address).is_ok_and(|u| u.path().ends_with('/'))
}

/// The address of a file below a folder's, whatever else the address says.
pub fn below(folder: &str, name: &str) -> String {
    match Url::parse(folder) {
        Ok(mut url) => {
            if let Ok(mut parts) = url.path_segments_mut() {
                parts.pop_if_empty().extend(name.split('/'));
            }
            url.to_string()
        }
        Err(_) => format!("{folder}{name}"),
    }
}

/// Whether a text is an address that a file may be referred to by, without a login in it.
pub fn is_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|u| {
        matches!(u.scheme(), "s3" | "gs" | "az" | "http" | "https" | "file") && u.username().is_empty()
            && u.password().is_none()
            // What a web address asks for stands after its path and may be a signature: it is neither kept nor sent.
            && !(u.scheme().starts_with("http") && u.query().is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_an_object_store() {
        let dir = tempfile::tempdir().unwrap();
        let store = Objects::open(&format!("file://{}/sub", dir.path().display()), None).unwrap();
        let file = dir.path().join("big.bin");
        let bytes: Vec<u8> = (0..40_000_000_u32).map(|i| (i % 251) as u8).collect();
        std::fs::write(&file, &bytes).unwrap();
        assert!(matches!(store.about("ab/cd"), Err(ObjectError::NotFound(_))));
        store.send("ab/cd", &file, &|| true).unwrap();
        assert_eq!(store.about("ab/cd").unwrap().size, 40_000_000);
        let mut back = Vec::new();
        assert_eq!(store.fetch("ab/cd", &mut back, u64::MAX, &|| true).unwrap(), 40_000_000);
        assert!(back == bytes, "every byte comes back");
        assert_eq!(store.list(10).unwrap(), [("ab/cd".to_owned(), store.about("ab/cd").unwrap())]);
        assert!(matches!(store.fetch("ab/cd", &mut Vec::new(), 10, &|| true), Err(ObjectError::TooLarge(10))));
        assert!(matches!(store.send("x", &file, &|| false), Err(ObjectError::Stopped)));
    }

    #[test]
    fn a_path_with_spaces_comes_back_from_its_address() {
        let path = Path::new("/data/größe 1/a#b?.csv");
        assert_eq!(local_path(&local_address(path).unwrap()).as_deref(), Some(path));
        assert!(
            !is_address("https://host/get?sig=abc")
                && is_folder("s3://b/dir/?endpoint=http://h")
                && !is_folder("s3://b/x?endpoint=http://h/")
        );
        assert_eq!(below("s3://b/dir/?endpoint=http://h", "a b/c#d"), "s3://b/dir/a%20b/c%23d?endpoint=http://h");
        assert!(is_address("s3://bucket/x") && !is_address("https://ann:pw@host/x") && !is_address("javascript:1"));
    }

    #[test]
    fn what_is_no_address_and_what_cannot_be_reached_are_said_so() {
        assert!(matches!(Objects::open("nonsense", None), Err(ObjectError::Address(_))));
        assert!(matches!(Objects::open("ftp://host/x", None), Err(ObjectError::Address(_))));
        let login = Login { name: "n".into(), secret: "s".into() };
        let closed = Objects::open("s3://bucket/x?endpoint=http://127.0.0.1:9", Some(&login)).unwrap();
        assert!(matches!(closed.about("a"), Err(ObjectError::Unreachable(_))));
    }
}
