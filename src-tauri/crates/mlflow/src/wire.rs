//! Protobuf-JSON as MLflow's clients speak it: fields in snake or camel case, 64-bit numbers as
//! numbers or text, NaN as text; and errors as `{error_code, message}`.

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use cairn_api::tracking::TrackingError;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An error in MLflow's form.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE", message)
    }
    pub(crate) fn internal(error: &impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", error.to_string())
    }
    pub(crate) fn missing(field: &str) -> Self {
        Self::invalid(format!(
            "Missing value for required parameter '{field}'. See the API docs for more information about request parameters."
        ))
    }
    pub(crate) fn unknown_endpoint(method: &Method, name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "ENDPOINT_NOT_FOUND",
            format!("Cairn does not serve {method} {name}. docs/mlflow.md lists what it serves."),
        )
    }
    pub(crate) fn response(self) -> Response {
        // MLflow's words for the class of an error; its clients read the code and the message.
        let class = if self.code == "RESOURCE_DOES_NOT_EXIST" { "RESOURCE_NOT_FOUND" } else { self.code };
        json_response(self.status, &json!({ "error_code": self.code, "message": self.message, "sqlstate": "KAM00", "error_class": class }))
    }
}

impl From<TrackingError> for Failure {
    fn from(error: TrackingError) -> Self {
        match error {
            TrackingError::Invalid(m) => Self::invalid(m),
            TrackingError::NotFound(m) => Self::new(StatusCode::NOT_FOUND, "RESOURCE_DOES_NOT_EXIST", m),
            TrackingError::AlreadyExists(m) => Self::new(StatusCode::BAD_REQUEST, "RESOURCE_ALREADY_EXISTS", m),
            TrackingError::State(m) => Self::new(StatusCode::BAD_REQUEST, "INVALID_STATE", m),
            TrackingError::Denied(m) => Self::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", m),
            TrackingError::Internal(m) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", m),
        }
    }
}

pub(crate) fn json_response(status: StatusCode, value: &Value) -> Response {
    text_response(status, value.to_string())
}

/// JSON that is written already.
pub(crate) fn text_response(status: StatusCode, text: String) -> Response {
    Response::builder().status(status).header(header::CONTENT_TYPE, "application/json").body(Body::from(text)).unwrap_or_default()
}

pub(crate) fn server_info() -> Value {
    json!({
        "store_type": "SqlStore", "workspaces_enabled": false, "trace_archival_enabled": false,
        "multipart_uploads_enabled": true, "multipart_downloads_enabled": false, "artifact_serving_enabled": true,
        "skill_content_max_size": 0, "skill_content_max_files": 0, "presigned_upload_run_id_supported": false, "presigned_upload_model_id_supported": false,
        "model_artifact_presigned_downloads_supported": false, "features_enabled": { "gateway": false, "scheduled_issue_detection": false }, "tracking_auth": "",
        "artifacts_presigned_only": false,
    })
}

/// The fields of a request, wherever they stood.
#[derive(Debug, Clone, Default)]
pub(crate) struct Input {
    fields: Map<String, Value>,
}

impl Input {
    pub(crate) fn read(method: &Method, query: &str, headers: &HeaderMap, body: &[u8]) -> Result<Self, Failure> {
        if method == Method::GET || (body.is_empty() && !query.is_empty()) {
            return Ok(Self::from_query(query));
        }
        let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !body.is_empty() && !media.starts_with("application/json") {
            return Err(Failure::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", "Bad Request. Content-Type must be application/json."));
        }
        // As MLflow does: a body that is no JSON counts as empty, so the first required field is missing.
        let fields = match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) | Err(_) => Map::new(),
        };
        Self::from_map(fields)
    }

    fn from_query(query: &str) -> Self {
        let mut fields = Map::new();
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(key), Value::from(decode(value)));
            match fields.get_mut(&key) {
                Some(Value::Array(list)) => list.push(value),
                Some(before) => *before = Value::Array(vec![before.clone(), value]),
                None => {
                    fields.insert(key, value);
                }
            }
        }
        Self { fields }
    }

    pub(crate) fn from_map(fields: Map<String, Value>) -> Result<Self, Failure> {
        let mut plain = Map::new();
        for (key, value) in fields {
            let snake = snake(&key);
            if plain.contains_key(&snake) {
                return Err(Failure::invalid(format!("Field '{snake}' stands twice in the request, in two spellings.")));
            }
            plain.insert(snake, value);
        }
        Ok(Self { fields: plain })
    }

    pub(crate) fn of(value: &Value) -> Result<Self, Failure> {
        Self::from_map(value.as_object().cloned().unwrap_or_default())
    }

    pub(crate) fn value(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).filter(|v| !v.is_null())
    }

    /// A text field; numbers are taken as their text. Empty is as good as missing.
    pub(crate) fn text(&self, field: &str) -> Result<Option<String>, Failure> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|t| !t.is_empty())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(bad_value(field, other)),
        }
    }

    pub(crate) fn require(&self, field: &str) -> Result<String, Failure> {
        self.text(field)?.ok_or_else(|| Failure::missing(field))
    }

    /// `run_id`, or the old `run_uuid`.
    pub(crate) fn run_id(&self) -> Result<String, Failure> {
        match self.text("run_id")? {
            Some(id) => Ok(id),
            None => self.text("run_uuid")?.ok_or_else(|| Failure::missing("run_id")),
        }
    }

    pub(crate) fn int(&self, field: &str) -> Result<Option<i64>, Failure> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Number(n)) if n.as_i64().is_some() => Ok(n.as_i64()),
            // Some clients send whole numbers as 1.0; protobuf takes them, and nothing else.
            #[allow(clippy::cast_possible_truncation)]
            Some(Value::Number(n)) => match n.as_f64() {
                Some(f) if f.fract() == 0.0 && f.abs() < 9.0e15 => Ok(Some(f as i64)),
                _ => Err(bad_value(field, &Value::Number(n.clone()))),
            },
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| bad_value(field, &Value::from(text.clone()))),
            Some(other) => Err(bad_value(field, other)),
        }
    }

    pub(crate) fn number(&self, field: &str) -> Result<f64, Failure> {
        match self.value(field) {
            None => Err(Failure::missing(field)),
            Some(Value::Number(n)) => n.as_f64().ok_or_else(|| bad_value(field, &Value::Number(n.clone()))),
            Some(Value::String(text)) => match text.as_str() {
                "NaN" => Ok(f64::NAN),
                "Infinity" => Ok(f64::INFINITY),
                "-Infinity" => Ok(f64::NEG_INFINITY),
                other => other.parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(|| bad_value(field, &Value::from(other))),
            },
            Some(other) => Err(bad_value(field, other)),
        }
    }

    pub(crate) fn list(&self, field: &str) -> Result<Vec<Value>, Failure> {
        match self.value(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items.clone()),
            Some(Value::String(one)) => Ok(vec![Value::from(one.clone())]),
            Some(other) => Err(bad_value(field, other)),
        }
    }

    pub(crate) fn texts(&self, field: &str) -> Result<Vec<String>, Failure> {
        self.list(field)?
            .into_iter()
            .map(|v| match v {
                Value::String(text) => Ok(text),
                Value::Number(n) => Ok(n.to_string()),
                other => Err(bad_value(field, &other)),
            })
            .collect()
    }

    /// A list of `{key, value}`.
    pub(crate) fn pairs(&self, field: &str) -> Result<Vec<(String, String)>, Failure> {
        self.list(field)?
            .iter()
            .map(|item| {
                let item = Self::of(item)?;
                Ok((item.require("key")?, item.text("value")?.unwrap_or_default()))
            })
            .collect()
    }

    /// A list of `{key, value}` whose keys nobody looks at: MLflow takes any with a new run.
    pub(crate) fn labels(&self, field: &str) -> Result<BTreeMap<String, String>, Failure> {
        let pair = |item: &Value| {
            let item = Self::of(item)?;
            Ok((item.text("key")?.unwrap_or_default(), item.text("value")?.unwrap_or_default()))
        };
        self.list(field)?.iter().map(pair).collect()
    }

    pub(crate) fn map(&self, field: &str) -> Result<BTreeMap<String, String>, Failure> {
        Ok(self.pairs(field)?.into_iter().collect())
    }
}

fn bad_value(field: &str, value: &Value) -> Failure {
    Failure::invalid(format!("Invalid value {value} for parameter '{field}' supplied."))
}

fn snake(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 2);
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

/// Undoes percent and plus encoding.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[i], hex(i + 1), hex(i + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                i += 3;
            }
            (b'+', _, _) => {
                out.push(b' ');
                i += 1;
            }
            (byte, _, _) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A double as protobuf-JSON: NaN and infinities as text.
pub(crate) fn double(value: f64) -> Value {
    if value.is_nan() {
        Value::from("NaN")
    } else if value.is_infinite() {
        Value::from(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        Value::from(value)
    }
}

pub(crate) fn key_values(map: &BTreeMap<String, String>) -> Vec<Value> {
    map.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

/// Leaves out what is empty, as protobuf-JSON does.
pub(crate) fn compact(pairs: Vec<(&str, Value)>) -> Value {
    let empty = |v: &Value| v.is_null() || v.as_array().is_some_and(Vec::is_empty);
    Value::Object(pairs.into_iter().filter(|(_, v)| !empty(v)).map(|(k, v)| (k.to_owned(), v)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Input, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        Input::read(&Method::POST, "", &headers, body.as_bytes())
    }

    #[test]
    fn a_bare_nan_is_an_error_and_not_a_zero() {
        // MLflow stores value 0, step 0, time 0 for this; a silent zero is worse than a 400.
        let input = read(r#"{"run_id":"r","key":"k","value":NaN}"#).unwrap();
        assert!(input.number("value").is_err());
        assert!(read(r#"{"value":"NaN"}"#).unwrap().number("value").unwrap().is_nan());
    }

    #[test]
    fn both_spellings_are_read_but_not_at_once() {
        assert_eq!(read(r#"{"runId":"a"}"#).unwrap().run_id().unwrap(), "a");
        assert_eq!(read(r#"{"run_uuid":"b"}"#).unwrap().run_id().unwrap(), "b");
        assert!(read(r#"{"runId":"a","run_id":"a"}"#).is_err());
        assert_eq!(read(r#"{"step":"12"}"#).unwrap().int("step").unwrap(), Some(12));
    }
}
