//! The calls of gRPC that a real daprd answered, and what is answered otherwise on purpose. The sidecar's tests
//! replay them as well.

use std::fs;
use std::path::Path;

use http::Response;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use prost::Message;
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::dapr::{
    GetBulkSecretRequest, GetBulkSecretResponse, GetMetadataResponse, GetSecretRequest,
    GetSecretResponse,
};

/// One call, and what daprd answered.
pub(crate) struct Line(Value);

impl Line {
    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().expect("recorded")
    }

    pub(crate) fn name(&self) -> &str {
        self.text("name")
    }

    pub(crate) fn path(&self) -> &str {
        self.text("method")
    }

    fn method(&self) -> &str {
        self.path().rsplit('/').next().expect("a split has a part")
    }

    /// The values of the token header; `<token>` is the right one.
    pub(crate) fn tokens(&self) -> Vec<&str> {
        let tokens = self.0["tokens"].as_array().expect("recorded");
        tokens
            .iter()
            .map(|token| token.as_str().expect("recorded"))
            .collect()
    }

    /// Whether daprd had any store.
    pub(crate) fn has_stores(&self) -> bool {
        self.0.get("stores").is_none()
    }

    /// What is sent: the message with its prefix.
    pub(crate) fn body(&self) -> Vec<u8> {
        let message = if let Some(request) = self.0.get("request") {
            self.encode(request)
        } else if let Some(length) = self.0.get("length") {
            vec![0; usize::try_from(length.as_u64().expect("recorded")).expect("a length")]
        } else {
            let digits = self.text("bytes");
            let pairs = (0..digits.len()).step_by(2);
            pairs
                .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("recorded"))
                .collect()
        };
        let length = u32::try_from(message.len()).expect("a length");
        [&[0][..], &length.to_be_bytes(), &message].concat()
    }

    fn encode(&self, request: &Value) -> Vec<u8> {
        let text = |field: &str| request[field].as_str().unwrap_or_default().to_owned();
        let metadata = request["metadata"].as_object().cloned().unwrap_or_default();
        let metadata = metadata
            .into_iter()
            .map(|(key, value)| (key, value.as_str().expect("recorded").to_owned()))
            .collect();
        match self.method() {
            "GetSecret" => GetSecretRequest {
                store_name: text("store_name"),
                key: text("key"),
                metadata,
            }
            .encode_to_vec(),
            "GetBulkSecret" => GetBulkSecretRequest {
                store_name: text("store_name"),
                metadata,
            }
            .encode_to_vec(),
            _ => Vec::new(),
        }
    }
}

pub(crate) fn lines() -> Vec<Line> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../dapr-secrets-service/tests/recorded/daprd-1.18.1/grpc.ndjson");
    let lines = fs::read_to_string(file).expect("recorded");
    let lines = lines.lines();
    lines
        .map(|line| Line(serde_json::from_str(line).expect("recorded")))
        .collect()
}

/// What we answered.
pub(crate) struct Outcome {
    pub(crate) status: Status,
    /// Without its prefix.
    pub(crate) message: Bytes,
}

impl Outcome {
    pub(crate) async fn of(response: Response<Incoming>) -> Self {
        assert_eq!(response.status(), 200);
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("whole");
        let status = Status::from_header_map(&head.headers)
            .or_else(|| Status::from_header_map(body.trailers()?));
        Self {
            status: status.expect("a status"),
            message: body
                .to_bytes()
                .get(5..)
                .map(Bytes::copy_from_slice)
                .unwrap_or_default(),
        }
    }

    /// The message as JSON, empty maps left out.
    fn json(&self, method: &str) -> Value {
        let texts = |map: &std::collections::HashMap<String, String>| -> Value {
            map.iter()
                .map(|(key, value)| (key.clone(), json!(value)))
                .collect()
        };
        let mut members = Map::new();
        match method {
            "GetSecret" => {
                let answer = GetSecretResponse::decode(&*self.message).expect("a message");
                members.insert("data".into(), texts(&answer.data));
            }
            "GetBulkSecret" => {
                let answer = GetBulkSecretResponse::decode(&*self.message).expect("a message");
                let secrets = answer.data.iter();
                let data = secrets
                    .map(|(name, secret)| {
                        (name.clone(), json!({"secrets": texts(&secret.secrets)}))
                    })
                    .collect();
                members.insert("data".into(), data);
            }
            _ => {
                let answer = GetMetadataResponse::decode(&*self.message).expect("a message");
                members.insert("id".into(), json!(answer.id));
                members.insert("extended_metadata".into(), texts(&answer.extended_metadata));
                members.insert("runtime_version".into(), json!(answer.runtime_version));
                let components = answer.registered_components.into_iter();
                let components = components.map(|component| {
                    let mut shown = json!({
                        "name": component.name,
                        "type": component.r#type,
                        "version": component.version,
                    });
                    if !component.capabilities.is_empty() {
                        shown["capabilities"] = json!(component.capabilities);
                    }
                    shown
                });
                members.insert("registered_components".into(), components.collect());
            }
        }
        members.retain(|_, value| {
            value.as_object().is_none_or(|map| !map.is_empty())
                && value.as_array().is_none_or(|list| !list.is_empty())
        });
        Value::Object(members)
    }
}

/// A line that is answered otherwise on purpose.
pub(crate) struct Exception {
    pub(crate) name: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) expected: Expected,
}

/// What is answered instead.
pub(crate) enum Expected {
    /// The same secrets, numbers, booleans and null as their JSON text.
    Scalars,
    /// This code, and words of ours.
    Code(Code),
    /// The same without what has no meaning here, and with our version.
    Metadata,
}

const SCALARS: &str = "a scalar of a file is its JSON text, not Go's %!s(...)";
const NAMES: &str = "what cannot be a name is INVALID_ARGUMENT, and the words are ours";
const WORDS: &str = "the words are those of Go's libraries";
const METADATA: &str = "members without a meaning here are left out, and the version is ours";

const fn except(name: &'static str, reason: &'static str, expected: Expected) -> Exception {
    Exception {
        name,
        reason,
        expected,
    }
}

/// The lines with the right token, about the service of the secrets, that differ.
pub(crate) const EXCEPTIONS: [Exception; 20] = [
    except("get number", SCALARS, Expected::Scalars),
    except("get bool", SCALARS, Expected::Scalars),
    except("get null", SCALARS, Expected::Scalars),
    except("get multi valued", SCALARS, Expected::Scalars),
    except("bulk", SCALARS, Expected::Scalars),
    except("bulk multi valued", SCALARS, Expected::Scalars),
    except("bulk deny list", SCALARS, Expected::Scalars),
    except("bulk with metadata", SCALARS, Expected::Scalars),
    except(
        "get without store",
        NAMES,
        Expected::Code(Code::InvalidArgument),
    ),
    except(
        "get without name",
        NAMES,
        Expected::Code(Code::InvalidArgument),
    ),
    except("get nothing", NAMES, Expected::Code(Code::InvalidArgument)),
    except(
        "get nul in name",
        NAMES,
        Expected::Code(Code::InvalidArgument),
    ),
    except(
        "get name of 2049 bytes",
        NAMES,
        Expected::Code(Code::InvalidArgument),
    ),
    except(
        "bulk without store",
        NAMES,
        Expected::Code(Code::InvalidArgument),
    ),
    except(
        "get bytes that are no message",
        WORDS,
        Expected::Code(Code::Internal),
    ),
    except(
        "get text that is not utf-8",
        WORDS,
        Expected::Code(Code::Internal),
    ),
    except(
        "get message of 4 mib",
        WORDS,
        Expected::Code(Code::ResourceExhausted),
    ),
    except("metadata", METADATA, Expected::Metadata),
    except("no stores: metadata", METADATA, Expected::Metadata),
    except(
        "unknown method",
        "a method that is not served is no call to another app",
        Expected::Code(Code::Unimplemented),
    ),
];

/// Compares an answer with the recorded one, or with what the exception says.
pub(crate) fn judge(line: &Line, outcome: &Outcome, exception: Option<&Exception>) {
    let name = line.name();
    let recorded = line.text("code");
    let code = outcome.status.code();
    let told = format!("{name}: {}", outcome.status);
    match exception.map(|exception| &exception.expected) {
        None => {
            assert_eq!(spelled(code), recorded, "{told}");
            assert_eq!(outcome.status.message(), line.text("message"), "{name}");
            if code == Code::Ok {
                assert_eq!(outcome.json(line.method()), line.0["response"], "{name}");
            }
            judge_details(line, &outcome.status);
        }
        Some(Expected::Scalars) => {
            assert_eq!(code, Code::Ok, "{told}");
            let recorded = &line.0["response"];
            let ours = outcome.json(line.method());
            assert_eq!(ours, without_go_formats(recorded), "{name}");
            assert_ne!(ours, *recorded, "{name} is no exception");
        }
        Some(Expected::Code(expected)) => {
            assert_eq!(code, *expected, "{told}");
            let is_same =
                spelled(code) == recorded && outcome.status.message() == line.text("message");
            assert!(!is_same, "{name} is no exception");
        }
        Some(Expected::Metadata) => {
            assert_eq!(code, Code::Ok, "{told}");
            let mut recorded = line.0["response"].clone();
            let members = recorded.as_object_mut().expect("recorded");
            for left_out in ["actor_runtime", "enabled_features"] {
                members.remove(left_out).expect("recorded");
            }
            let version = json!(env!("CARGO_PKG_VERSION"));
            members["extended_metadata"]["daprRuntimeVersion"] = version.clone();
            members.insert("runtime_version".into(), version);
            assert_eq!(outcome.json(line.method()), recorded, "{name}");
        }
    }
}

/// Recorded details are at most one ErrorInfo.
fn judge_details(line: &Line, status: &Status) {
    let recorded = line.0["details"].as_array().expect("recorded");
    let Some(recorded) = recorded.first() else {
        assert!(status.details().is_empty(), "{}", line.name());
        return;
    };
    let info = status.get_details_error_info().expect("an ErrorInfo");
    let ours = json!({"ErrorInfo": {
        "reason": info.reason,
        "domain": info.domain,
        "metadata": info.metadata,
    }});
    assert_eq!(ours, *recorded, "{}", line.name());
}

/// A code as the recordings spell it: `INVALID_ARGUMENT`.
fn spelled(code: Code) -> String {
    if code == Code::Ok {
        return "OK".to_owned();
    }
    let mut spelled = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !spelled.is_empty() {
            spelled.push('_');
        }
        spelled.push(letter.to_ascii_uppercase());
    }
    spelled
}

fn without_go_formats(body: &Value) -> Value {
    match body {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), without_go_formats(value)))
            .collect(),
        Value::String(text) => Value::String(match text.as_str() {
            "%!s(<nil>)" => "null".to_owned(),
            formatted if formatted.starts_with("%!s(") => formatted
                .trim_end_matches(')')
                .split('=')
                .next_back()
                .expect("a split has a last part")
                .to_owned(),
            _ => text.clone(),
        }),
        other => other.clone(),
    }
}
