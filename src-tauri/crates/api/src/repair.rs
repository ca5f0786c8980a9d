//! A damaged workspace file or git store is put aside, never deleted, and made again from what is left
//! and from the shared place. The person is told in plain words what was mended.

use crate::ApiError;
use crate::host::{Host, Workspace};
use crate::sharing;
use crate::workspaces::Nothing;
use cairn_core::edge::Edge;
use cairn_core::id::{DeviceId, RunId};
use cairn_core::op::{OpLine, ReadLine};
use cairn_os::secrets::SecretStore;
use cairn_store::salvage::Damaged;
use cairn_store::{Store, StoreError};
use cairn_sync::Repo;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use ts_rs::TS;

/// Something that was damaged and is whole again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Mended {
    pub at_ms: i64,
    pub sentence: String,
    /// The folder with what was damaged.
    pub aside: String,
}

/// What must be known of this computer to make the workspace file again, beside it in plain JSON. The
/// device's name is no secret; its key is not here.
#[derive(Serialize, Deserialize)]
struct Identity {
    device: String,
    public_key: String,
    genesis: Option<String>,
    remote: Option<String>,
}

const IDENTITY: &str = "identity.json";
/// Up to this size the whole file is looked at when it is opened.
const LOOK_MAX: u64 = 64 * 1024 * 1024;

/// Opens a workspace, mending its file if it is damaged.
pub(crate) fn open(dir: &Path, edge: &Arc<dyn Edge>, secrets: &Arc<dyn SecretStore>) -> Result<Store, ApiError> {
    let missing = !Store::file(dir).is_file() && dir.join(IDENTITY).is_file();
    let small = std::fs::metadata(Store::file(dir)).is_ok_and(|m| m.len() <= LOOK_MAX);
    let opened = Store::open(dir).and_then(|store| if small { store.check().map(|()| store) } else { Ok(store) });
    match opened {
        Ok(store) => Ok(store),
        Err(StoreError::Damaged(what)) => again(dir, &what, edge, secrets),
        Err(StoreError::NoWorkspace(_)) if missing => again(dir, "it is gone", edge, secrets),
        Err(other) => Err(other.into()),
    }
}

/// Keeps beside the file what is needed to make it again.
pub(crate) fn remember(workspace: &Workspace) -> Result<(), ApiError> {
    let identity = workspace.read(|r| {
        Ok::<_, ApiError>(Identity {
            device: r.device()?.to_string(),
            public_key: r.local("public_key")?.unwrap_or_default(),
            genesis: r.local("genesis")?,
            remote: r.local("remote")?,
        })
    })?;
    let (path, text) = (workspace.dir().join(IDENTITY), serde_json::to_string_pretty(&identity)?);
    if std::fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
        return Ok(());
    }
    std::fs::write(&path, text).map_err(|e| StoreError::from(e).into())
}

fn again(dir: &Path, what: &str, edge: &Arc<dyn Edge>, secrets: &Arc<dyn SecretStore>) -> Result<Store, ApiError> {
    tracing::warn!("the workspace file in {} is damaged ({what}) and is made again", dir.display());
    let now = edge.now_ms();
    let aside = dir.join(format!("damaged-{now}"));
    let file = Store::put_aside(dir, &aside)?;
    let mut damaged = Damaged::open(&file);
    let mut locals = damaged.locals();
    if !locals.contains_key("device") {
        let kept: Option<Identity> = std::fs::read_to_string(dir.join(IDENTITY)).ok().and_then(|t| serde_json::from_str(&t).ok());
        let Some(kept) = kept else {
            return Err(ApiError::new("damaged", "The workspace file is damaged so far that it does not say whose computer this is").hint(
                format!(
                    "Join the workspace again in another folder; what was shared is in the shared place. The file is kept in {}.",
                    aside.display()
                ),
            ));
        };
        locals.insert("device".to_owned(), kept.device);
        locals.insert("public_key".to_owned(), kept.public_key);
        locals.extend(kept.genesis.map(|g| ("genesis".to_owned(), g)));
        locals.extend(kept.remote.map(|r| ("remote".to_owned(), r)));
    }
    let device = DeviceId::parse(locals["device"].clone())?;
    let store = Store::create(dir, &device)?;
    store.write(edge.as_ref(), |w| {
        // What is counted from the log is counted again.
        for (key, value) in locals.iter().filter(|(k, _)| !["device", "views", "judged_anew", "sent", "hlc"].contains(&k.as_str())) {
            w.set_local(key, value)?;
        }
        Ok::<_, StoreError>(())
    })?;
    let workspace = Workspace::from_store(store, device.clone(), Arc::clone(edge), Arc::clone(secrets));
    let taken = sharing::take_in_own_store(&workspace)?;
    let rest = rest(&workspace, &device, &mut damaged)?;
    let mut sentence = format!("The workspace file was damaged. It was made again from the log: {taken} operations");
    if rest > 0 {
        sentence += &format!(", and {rest} more that were not shared yet");
    }
    sentence += if damaged.lost {
        ". A part of the old file could not be read; the next sharing brings back what others have, and only what was written here alone and lay in that part is lost."
    } else {
        ". Nothing was lost."
    };
    tell(&workspace, now, sentence, &aside)?;
    Ok(workspace.store)
}

/// Brings over what only the damaged file had; returns how many operations that were not sealed.
fn rest(workspace: &Workspace, device: &DeviceId, damaged: &mut Damaged) -> Result<u64, ApiError> {
    let sealed = workspace.read(|r| r.branch(device))?.map_or(0, |b| b.n);
    let lines = damaged.lines_after(device.as_str(), sealed);
    let (numbers, points) = (damaged.numbers(), damaged.points());
    workspace.write(|w| {
        let mut count = 0;
        for text in lines {
            let Ok(ReadLine::Known(line)) = OpLine::read(&text) else { continue };
            match w.append_why(line.op, line.why.as_deref()) {
                Ok(_) => count += 1,
                Err(error) => tracing::warn!("a line that was not shared yet could not be written again: {error}"),
            }
        }
        for (number, experiment) in numbers {
            w.number_experiment(&experiment, Some(number))?;
        }
        for series in points {
            if let Ok(run) = RunId::parse(series.run) {
                w.log_points(&run, series.points.iter().map(|p| (series.key.as_str(), *p)))?;
            }
        }
        Ok::<_, ApiError>(count)
    })
}

/// Looks at the git store and makes it again if anything of it cannot be read. For whoever saw `verify` complain.
pub fn repair(host: &Host, _: Nothing) -> Result<Vec<Mended>, ApiError> {
    let workspace = host.workspace()?;
    workspace.store.check()?;
    if !sharing::git_is_whole(&workspace) {
        git_store(&workspace)?;
    }
    mended(&workspace)
}

/// Puts a git store that cannot be read aside; the next round fills a new one. Own commits come from the file.
pub(crate) fn git_store(workspace: &Workspace) -> Result<(), ApiError> {
    let now = workspace.edge.now_ms();
    let (path, aside) = (workspace.dir().join("git"), workspace.dir().join(format!("damaged-{now}")));
    std::fs::create_dir_all(&aside).map_err(StoreError::from)?;
    std::fs::rename(&path, aside.join("git")).map_err(StoreError::from)?;
    let repo = Repo::open(&path)?;
    sharing::follow(workspace, &repo)?;
    tell(
        workspace,
        now,
        "The copy of the log that git keeps was damaged. It was made again from the workspace file and the shared place. Nothing was lost."
            .to_owned(),
        &aside,
    )
}

fn tell(workspace: &Workspace, at_ms: i64, sentence: String, aside: &Path) -> Result<(), ApiError> {
    let mut all = mended(workspace)?;
    all.insert(0, Mended { at_ms, sentence, aside: aside.display().to_string() });
    all.truncate(10);
    let text = serde_json::to_string(&all)?;
    workspace.write(|w| w.set_local("mended", &text)).map_err(ApiError::from)
}

/// What was mended lately, newest first.
pub(crate) fn mended(workspace: &Workspace) -> Result<Vec<Mended>, ApiError> {
    let kept = workspace.read(|r| r.local("mended"))?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}
