//! What each SDK makes of an outcome, in the words of the clients beside this file.

use serde_json::{Map, Value, json};
use tonic::Code;

use crate::steps::{Details, Failure, Http, Outcome};

/// `value` for what was read, `error` for a failure.
fn line(outcome: &Outcome, error: impl FnOnce(&Failure) -> Value) -> Value {
    match outcome {
        Outcome::One(keys) => {
            let keys = keys
                .iter()
                .map(|(key, value)| ((*key).to_owned(), json!(value)));
            json!({"value": keys.collect::<Map<_, _>>()})
        }
        Outcome::All(secrets) => json!({"value": secrets}),
        Outcome::Failed(failure) => json!({"error": error(failure)}),
    }
}

/// A code as most languages spell it: `NOT_FOUND`.
fn spelled(code: Code) -> String {
    let mut spelled = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !spelled.is_empty() {
            spelled.push('_');
        }
        spelled.push(letter.to_ascii_uppercase());
    }
    spelled
}

fn error_info(details: &Details) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": details.reason,
        "domain": "dapr.io",
        "metadata": details.metadata,
    })
}

/// Code, message, and every kind of detail.
pub(crate) fn python(outcome: &Outcome) -> Value {
    line(outcome, |failure| {
        let mut details = json!({});
        if let Some(told) = &failure.details {
            details["error_info"] = error_info(told);
            if let Some([kind, name, owner]) = told.resource {
                let mut resource = json!({
                    "@type": "type.googleapis.com/google.rpc.ResourceInfo",
                    "resource_type": kind,
                    "resource_name": name,
                });
                // Its JSON leaves out what is empty.
                if !owner.is_empty() {
                    resource["owner"] = json!(owner);
                }
                details["resource_info"] = resource;
            }
        }
        json!({
            "status_code": spelled(failure.code),
            "message": failure.message,
            "error_code": failure.details.as_ref().map_or("UNKNOWN", |told| told.reason),
            "details": details,
        })
    })
}

/// Status and body. It takes 204 for a success, and gives an empty text in place of an object: in the documented profile a secret
/// that does not exist is no error for it.
pub(crate) fn javascript_http(outcome: &Outcome) -> Value {
    if let Outcome::Failed(Failure {
        http: Http::NoContent,
        ..
    }) = outcome
    {
        return json!({"value": ""});
    }
    line(outcome, |failure| {
        let Http::Error(status, text, code) = failure.http else {
            panic!("no error over HTTP: {}", failure.message)
        };
        let mut body = json!({"errorCode": code, "message": failure.message});
        if let Some(details) = &failure.details {
            body["details"] = json!([error_info(details)]);
        }
        json!({"error": text, "status": status, "body": body})
    })
}

/// Code, message, and details as bytes. Of a secret with several keys it gives the first alone.
pub(crate) fn javascript_grpc(outcome: &Outcome) -> Value {
    if let Outcome::One([first, ..]) = outcome {
        let (key, value) = first;
        return json!({"value": {*key: value}});
    }
    line(outcome, |failure| {
        let mut details = Vec::new();
        if let Some(told) = &failure.details {
            details.push("google.rpc.ErrorInfo");
            details.extend(told.resource.map(|_| "google.rpc.ResourceInfo"));
        }
        let code = spelled(failure.code).to_lowercase();
        json!({
            "name": "ConnectError",
            "code": i32::from(failure.code),
            "message": format!("[{code}] {}", failure.message),
            "details": details,
        })
    })
}

/// Code, and every kind of detail; the message has the SDK's own words in front.
pub(crate) fn go(outcome: &Outcome) -> Value {
    line(outcome, |failure| {
        let code = format!("{:?}", failure.code);
        let message = format!(
            "error invoking service: rpc error: code = {code} desc = {}",
            failure.message
        );
        let mut shown = json!({"code": code, "message": message});
        if let Some(details) = &failure.details {
            shown["reason"] = json!(details.reason);
            shown["metadata"] = details.metadata.clone();
            if let Some(resource) = details.resource {
                shown["resource"] = json!(resource);
            }
        }
        shown
    })
}

/// Code, and details by their kind and name; the message has the code in front. The status is that of HTTP, which it does not speak.
pub(crate) fn java(outcome: &Outcome) -> Value {
    line(outcome, |failure| {
        let code = spelled(failure.code);
        let details = failure.details.as_ref();
        json!({
            "code": code,
            "message": format!("{code}: {}", failure.message),
            "status": 0,
            "reason": details.map(|told| told.reason),
            "resource": details.and_then(|told| told.resource).map(|[_, name, _]| name),
        })
    })
}

/// A text for people. A program learns that it failed.
pub(crate) fn rust(outcome: &Outcome) -> Value {
    line(outcome, |failure| {
        let (code, message) = (failure.code, &failure.message);
        json!(format!(
            "GrpcError(GrpcError {{ _status: Status {{ code: {code:?}, message: {message:?}"
        ))
    })
}
