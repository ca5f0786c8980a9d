//! What holds for the whole workspace: how large files may be that travel, and where larger ones go.

use crate::ApiError;
use crate::host::Host;
use crate::workspaces::Nothing;
use cairn_core::op::{Kind, Op};
use cairn_core::setting::Setting;
use cairn_core::text::Body;
use cairn_store::Reader;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Settings {
    /// The largest file that travels through git with the log, in bytes.
    #[ts(type = "number")]
    pub shared_file_max: u64,
    /// The most that the setting before may be.
    #[ts(type = "number")]
    pub shared_file_limit: u64,
    /// Where larger files go; empty: they stay on the computer that has them.
    pub object_store: String,
    /// The largest file that goes there, in bytes.
    #[ts(type = "number")]
    pub stored_file_max: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ChangeSetting {
    /// `shared_file_max`, `object_store` or `stored_file_max`.
    pub setting: String,
    pub value: String,
}

/// What a setting says; its default where nobody set it to something that is a value.
pub(crate) fn text(r: &Reader<'_>, setting: Setting) -> Result<String, ApiError> {
    let found = r.record(Kind::Setting, setting.as_str())?.map(|s| s.text("value")).filter(|v| setting.accepts(v));
    Ok(found.unwrap_or_else(|| setting.default_value().to_owned()))
}

pub(crate) fn number(r: &Reader<'_>, setting: Setting) -> Result<u64, ApiError> {
    Ok(text(r, setting)?.parse().unwrap_or_else(|_| setting.default_number()))
}

pub fn get(host: &Host, _: Nothing) -> Result<Settings, ApiError> {
    host.workspace()?.read(|r| {
        Ok(Settings {
            shared_file_max: number(r, Setting::SharedFileMax)?,
            shared_file_limit: cairn_core::envelope::ATTACHMENT_MAX,
            object_store: text(r, Setting::ObjectStore)?,
            stored_file_max: number(r, Setting::StoredFileMax)?,
        })
    })
}

pub fn change(host: &Host, request: ChangeSetting) -> Result<Settings, ApiError> {
    let setting = Setting::ALL
        .into_iter()
        .find(|s| s.as_str() == request.setting)
        .ok_or_else(|| ApiError::invalid(format!("\"{}\" is no setting of a workspace", request.setting)))?;
    let value = request.value.trim().trim_end_matches('/').to_owned();
    if !setting.accepts(&value) {
        let hint = match setting {
            Setting::SharedFileMax => format!("It is a number of bytes, at most {}.", cairn_core::envelope::ATTACHMENT_MAX),
            Setting::StoredFileMax => "It is a number of bytes.".to_owned(),
            Setting::ObjectStore => {
                "It looks like s3://bucket/folder, gs://…, az://…, https://… or file:///folder; empty for none.".to_owned()
            }
        };
        return Err(ApiError::invalid(format!("\"{value}\" is no value for this")).hint(hint));
    }
    let value = Body::parse(&value).map_err(|e| ApiError::invalid(e.to_string()))?;
    host.workspace()?.append(Op::SettingChanged { setting, value })?;
    get(host, Nothing {})
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct StoreSignIn {
    /// The access key's id, or the account.
    pub name: String,
    /// Its secret; empty: forget it.
    pub secret: String,
}

/// Keeps this computer's login at the team's object store in the system keyring.
pub fn store_sign_in(host: &Host, request: StoreSignIn) -> Result<StoreAnswer, ApiError> {
    let workspace = host.workspace()?;
    let address = workspace.read(|r| text(r, Setting::ObjectStore))?;
    if address.is_empty() {
        return Err(ApiError::invalid("The workspace has no object store").hint("Name one first."));
    }
    crate::content::set_login(&workspace, &address, &request.name, &request.secret)?;
    try_store(host, Nothing {})
}

/// Whether the object store answers this computer.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct StoreAnswer {
    pub answers: bool,
    pub sentence: String,
    pub hint: Option<String>,
}

/// Tries the team's object store out: is it there, and may this computer read and write?
pub fn try_store(host: &Host, _: Nothing) -> Result<StoreAnswer, ApiError> {
    let workspace = host.workspace()?;
    let tried = || -> Result<(), ApiError> {
        let store = crate::content::team_store(&workspace)?.ok_or_else(|| ApiError::invalid("The workspace has no object store"))?;
        let probe = workspace.dir().join("object-store-probe");
        std::fs::write(&probe, b"Cairn looks whether it may write here.\n").map_err(|e| ApiError::new("io", e.to_string()))?;
        let sent = store.send("cairn-probe", &probe, &|| true);
        std::fs::remove_file(&probe).map_err(|e| ApiError::new("io", e.to_string()))?;
        sent?;
        store.fetch("cairn-probe", &mut std::io::sink(), 1_000, &|| true)?;
        Ok(())
    };
    Ok(match tried() {
        Ok(()) => {
            StoreAnswer { answers: true, sentence: "The object store answers, and this computer may write there.".to_owned(), hint: None }
        }
        Err(error) => StoreAnswer { answers: false, sentence: error.message, hint: error.hint },
    })
}
