//! Datasets and their versions.

use crate::ApiError;
use crate::error::title;
use crate::host::Host;
use crate::people::{Person, person_at};
use crate::projects::ProjectRef;
use cairn_core::id::{DatasetId, DatasetVersionId, ProjectId};
use cairn_core::op::{Column, Kind, Op};
use cairn_ingest::csv_file::{self, CsvError};
use cairn_store::Reader;
use cairn_store::records::Record;
use serde::{Deserialize, Serialize};
use std::path::Path;
use ts_rs::TS;

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Dataset {
    pub id: String,
    pub name: String,
    /// Newest first.
    pub versions: Vec<DatasetVersion>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DatasetVersion {
    pub id: String,
    pub number: u32,
    pub file: String,
    pub digest: String,
    pub size: u64,
    pub rows: u64,
    pub columns: Vec<ColumnView>,
    pub by: Person,
    pub at_ms: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ColumnView {
    pub name: String,
    pub dtype: String,
    pub missing: u64,
    pub distinct: Option<u64>,
    /// As text: every digit, and no rounding on the way.
    pub min: Option<String>,
    pub mean: Option<String>,
    pub max: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ImportCsv {
    pub project: String,
    /// A file on this computer, or the `.dvc` file that stands for it.
    pub path: String,
    /// An existing dataset's name makes this its next version.
    pub name: String,
}

pub fn list(host: &Host, request: ProjectRef) -> Result<Vec<Dataset>, ApiError> {
    host.workspace()?.read(|r| {
        let found = r.records(Kind::Dataset, Some(&request.project))?;
        found.iter().filter(|d| !d.deleted()).map(|d| view(r, d)).collect()
    })
}

/// Registers a CSV file as a version: its digest, rows, columns and types. The file stays where it is.
pub fn import_csv(host: &Host, request: ImportCsv) -> Result<Dataset, ApiError> {
    let workspace = host.workspace()?;
    let name = title("Name of the dataset", &request.name)?;
    let given = Path::new(&request.path);
    // A `.dvc` file stands for the file that DVC keeps, by its fingerprint.
    let pointed = if given.extension().is_some_and(|e| e == "dvc") {
        Some(cairn_ingest::dvc::data_of(given).map_err(|e| {
            ApiError::new("bad_file", e.to_string()).hint("Cairn registers the very data that DVC names, so it must be here.")
        })?)
    } else {
        None
    };
    let profile = csv_file::profile(pointed.as_deref().unwrap_or(given)).map_err(csv_error)?;
    let path = if pointed.is_some() { given.with_extension("") } else { given.to_owned() };
    let project = ProjectId::parse(request.project)?;
    let version = DatasetVersionId::parse(workspace.edge.new_id())?;
    let fresh = DatasetId::parse(workspace.edge.new_id())?;
    let file = path.file_name().map_or_else(|| request.path.clone(), |n| n.to_string_lossy().into_owned());
    let id = workspace.write(|w| {
        w.require(Kind::Project, project.as_str())?;
        let known = w.records(Kind::Dataset, Some(project.as_str()))?;
        let known = known.iter().find(|d| !d.deleted() && d.get("name") == Some(name.as_str()));
        let dataset = match known {
            Some(found) => DatasetId::parse(found.id.clone())?,
            None => {
                w.append(Op::DatasetCreated { dataset: fresh.clone(), project: project.clone(), name })?;
                fresh
            }
        };
        let versions = w.records(Kind::DatasetVersion, Some(dataset.as_str()))?;
        if let Some(same) = versions.iter().find(|v| v.get("digest") == Some(profile.digest.as_str())) {
            return Err(ApiError::conflict(format!("This very file is version {} already", same.text("number")))
                .hint("Nothing has changed in it, so there is no new version to register."));
        }
        let number = u32::try_from(versions.len()).unwrap_or(u32::MAX).saturating_add(1);
        w.append(Op::DatasetVersionAdded {
            version,
            dataset: dataset.clone(),
            number,
            file,
            digest: profile.digest,
            size: profile.size,
            rows: profile.rows,
            columns: profile.columns,
        })?;
        Ok(dataset)
    })?;
    workspace.read(|r| view(r, &r.require(Kind::Dataset, id.as_str())?))
}

fn csv_error(error: CsvError) -> ApiError {
    let hint = match &error {
        CsvError::Read { .. } => "Check that the file exists and that you may read it.",
        CsvError::Empty(_) | CsvError::NoRows(_) => "Choose a file with a header line and at least one row.",
        CsvError::Binary(_) => "Save the table as CSV (comma-separated text) and try again.",
        CsvError::Ragged { .. } => {
            "Every line needs as many fields as the header; look at the line named here for a missing quote or comma."
        }
        CsvError::Encoding { .. } => "Save the file as UTF-8 and try again.",
        CsvError::TooWide { .. } => "Split the table, or keep only the columns that are used.",
        CsvError::SameName { .. } => "Give every column its own name.",
    };
    ApiError::new("bad_file", error.to_string()).hint(hint)
}

fn view(r: &Reader<'_>, dataset: &Record) -> Result<Dataset, ApiError> {
    let acl = r.acl()?;
    let mut versions: Vec<DatasetVersion> =
        r.records(Kind::DatasetVersion, Some(&dataset.id))?.iter().filter(|v| !v.deleted()).map(|v| version_view(&acl, v)).collect();
    versions.reverse();
    Ok(Dataset { id: dataset.id.clone(), name: dataset.text("name"), versions })
}

fn version_view(acl: &cairn_core::authority::Acl, v: &Record) -> DatasetVersion {
    let columns: Vec<Column> = serde_json::from_value(v.json("columns")).unwrap_or_default();
    let count = |field: &str| v.int(field).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    DatasetVersion {
        id: v.id.clone(),
        number: u32::try_from(count("number")).unwrap_or(0),
        file: v.text("file"),
        digest: v.text("digest"),
        size: count("size"),
        rows: count("rows"),
        columns: columns
            .into_iter()
            .map(|c| ColumnView {
                name: c.name,
                dtype: c.dtype,
                missing: c.missing,
                distinct: c.distinct,
                min: c.min.map(String::from),
                mean: c.mean.map(String::from),
                max: c.max.map(String::from),
            })
            .collect(),
        by: person_at(acl, &v.device),
        at_ms: v.at_ms,
    }
}
