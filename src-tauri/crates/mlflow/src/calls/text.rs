//! Runs as MLflow writes them, for answers that hold many.

use cairn_api::tracking::runs::{self, stage};
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(super) struct Found<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) runs: Vec<Run<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_page_token: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Run<'a> {
    info: Info<'a>,
    data: Data<'a>,
    inputs: Inputs<'a>,
    outputs: Outputs<'a>,
}

#[derive(Serialize)]
struct Info<'a> {
    run_uuid: &'a str,
    experiment_id: String,
    run_name: &'a str,
    user_id: &'a str,
    status: &'a str,
    start_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    artifact_uri: String,
    lifecycle_stage: &'a str,
    run_id: &'a str,
}

#[derive(Serialize)]
struct Data<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "metrics")]
    metrics: &'a [cairn_api::tracking::Summary],
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "pairs")]
    params: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "pairs")]
    tags: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Inputs<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_inputs: Vec<ModelInput<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    dataset_inputs: &'a [Value],
}

#[derive(Serialize)]
struct ModelInput<'a> {
    model_id: &'a str,
}

#[derive(Serialize)]
struct Outputs<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_outputs: Vec<ModelOutput<'a>>,
}

#[derive(Serialize)]
struct ModelOutput<'a> {
    model_id: &'a str,
    step: i64,
}

#[derive(Serialize)]
struct Pair<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Metric<'a> {
    key: &'a str,
    #[serde(serialize_with = "double")]
    value: f64,
    timestamp: i64,
    step: i64,
}

fn double<S: Serializer>(value: &f64, s: S) -> Result<S::Ok, S::Error> {
    if value.is_nan() {
        s.serialize_str("NaN")
    } else if value.is_infinite() {
        s.serialize_str(if *value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        s.serialize_f64(*value)
    }
}

fn metrics<S: Serializer>(all: &[cairn_api::tracking::Summary], s: S) -> Result<S::Ok, S::Error> {
    let mut list = s.serialize_seq(Some(all.len()))?;
    for m in all {
        list.serialize_element(&Metric { key: &m.key, value: m.last.value, timestamp: m.last.ts, step: m.last.step })?;
    }
    list.end()
}

fn pairs<S: Serializer>(all: &BTreeMap<String, String>, s: S) -> Result<S::Ok, S::Error> {
    let mut list = s.serialize_seq(Some(all.len()))?;
    for (key, value) in all {
        list.serialize_element(&Pair { key, value })?;
    }
    list.end()
}

impl<'a> Run<'a> {
    pub(super) fn of(r: &'a runs::Run) -> Self {
        Self {
            info: Info {
                run_uuid: &r.id,
                experiment_id: r.experiment.to_string(),
                run_name: r.name(),
                user_id: &r.user,
                status: &r.status,
                start_time: r.start_ms,
                end_time: r.end_ms,
                artifact_uri: format!("mlflow-artifacts:/{}/{}/artifacts", r.experiment, r.id),
                lifecycle_stage: stage(r.deleted),
                run_id: &r.id,
            },
            data: Data { metrics: &r.metrics, params: &r.params, tags: &r.tags },
            inputs: Inputs {
                model_inputs: r.model_inputs.iter().map(|model_id| ModelInput { model_id }).collect(),
                dataset_inputs: &r.inputs,
            },
            outputs: Outputs { model_outputs: r.outputs.iter().map(|(model_id, step)| ModelOutput { model_id, step: *step }).collect() },
        }
    }
}
