//! The answers that this binary gives itself, and the only status codes in it (`docs/spec/secrets-api.md`, D and G3).
//!
//! An error body is `{"errorCode", "message", "details"}`; the `daprd` profile leaves the details out. Everything is
//! marked `cache-control: no-store`.

use bytes::Bytes;
use dapr_secrets_service::Profile;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

type Answer = Response<Full<Bytes>>;

/// What a caller is told whose answer was not made in time, whichever API it uses.
pub(crate) const TOOK_TOO_LONG: &str = "the request took too long";

/// 204: healthy, or about to shut down.
pub(crate) fn no_content() -> Answer {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    no_store(&mut response);
    response
}

/// 200 with a JSON body.
pub(crate) fn json(body: &impl Serialize) -> Answer {
    match serde_json::to_vec(body) {
        Ok(bytes) => with_body(StatusCode::OK, bytes),
        // Out of memory is no error here, and a body of strings and lists has no other way to fail.
        Err(_) => with_body(StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    }
}

/// 500: a listener is down.
pub(crate) fn not_ready(profile: Profile) -> Answer {
    error(
        profile,
        StatusCode::INTERNAL_SERVER_ERROR,
        "ERR_HEALTH_NOT_READY",
        "dapr is not ready",
    )
}

/// 500: a store is not initialised; which one is told to nobody without a token, so not here.
pub(crate) fn outbound_not_ready(profile: Profile) -> Answer {
    error(
        profile,
        StatusCode::INTERNAL_SERVER_ERROR,
        "ERR_OUTBOUND_HEALTH_NOT_READY",
        "dapr outbound is not ready",
    )
}

/// 405 with the methods that the path knows.
pub(crate) fn method_not_allowed(profile: Profile, allow: &'static str) -> Answer {
    let mut response = error(
        profile,
        StatusCode::METHOD_NOT_ALLOWED,
        "ERR_METHOD_NOT_ALLOWED",
        "this path does not know the method",
    );
    let allow = HeaderValue::from_static(allow);
    response.headers_mut().insert(ALLOW, allow);
    response
}

/// 404: the public port serves probes alone.
pub(crate) fn not_found(profile: Profile) -> Answer {
    error(
        profile,
        StatusCode::NOT_FOUND,
        "ERR_NOT_FOUND",
        "there is nothing at this path",
    )
}

/// 500: the answer was not made in time.
pub(crate) fn deadline_passed(profile: Profile) -> Answer {
    error_because(
        profile,
        StatusCode::INTERNAL_SERVER_ERROR,
        "ERR_SECRET_GET",
        "BACKEND_UNAVAILABLE",
        TOOK_TOO_LONG,
    )
}

/// What there is too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overload {
    /// Large answers that wait for their readers.
    Answers,
    /// Requests that are being answered.
    Requests,
}

impl Overload {
    /// For the caller, whichever API it uses.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Answers => "too many large answers are still being sent; try again",
            Self::Requests => "too many requests are being answered; try again",
        }
    }
}

/// 503: to be tried again.
pub(crate) fn overloaded(profile: Profile, overload: Overload) -> Answer {
    let mut response = error(
        profile,
        StatusCode::SERVICE_UNAVAILABLE,
        "ERR_OVERLOADED",
        overload.message(),
    );
    let a_second = HeaderValue::from_static("1");
    response.headers_mut().insert(RETRY_AFTER, a_second);
    response
}

/// The answer to `HEAD`: what `GET` would get, without its body.
pub(crate) fn without_body(mut response: Answer) -> Answer {
    *response.body_mut() = Full::default();
    response
}

#[derive(Serialize)]
struct ErrorBody {
    #[serde(rename = "errorCode")]
    code: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<[ErrorInfo; 1]>,
}

/// `google.rpc.ErrorInfo` as Dapr writes it in JSON.
#[derive(Serialize)]
struct ErrorInfo {
    #[serde(rename = "@type")]
    kind: &'static str,
    reason: &'static str,
    domain: &'static str,
    metadata: serde_json::Map<String, serde_json::Value>,
}

fn error(
    profile: Profile,
    status: StatusCode,
    code: &'static str,
    message: &'static str,
) -> Answer {
    let reason = code.strip_prefix("ERR_").unwrap_or(code);
    error_because(profile, status, code, reason, message)
}

fn error_because(
    profile: Profile,
    status: StatusCode,
    code: &'static str,
    reason: &'static str,
    message: &'static str,
) -> Answer {
    let details = (profile != Profile::Daprd).then(|| {
        [ErrorInfo {
            kind: "type.googleapis.com/google.rpc.ErrorInfo",
            reason,
            domain: "dapr.io",
            metadata: serde_json::Map::new(),
        }]
    });
    let body = ErrorBody {
        code,
        message,
        details,
    };
    let mut response = json(&body);
    *response.status_mut() = status;
    response
}

fn with_body(status: StatusCode, body: Vec<u8>) -> Answer {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, length);
    no_store(&mut response);
    response
}

fn no_store(response: &mut Answer) {
    let value = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body;

    /// What `Full` holds, read without a runtime.
    fn text(response: &Answer) -> String {
        format!("{:?}", response.body())
    }

    #[test]
    fn api_g3_api_g6_every_own_answer_has_its_status_and_code() {
        let rows = [
            (
                "not ready",
                not_ready(Profile::Documented),
                500,
                "ERR_HEALTH_NOT_READY",
            ),
            (
                "outbound",
                outbound_not_ready(Profile::Documented),
                500,
                "ERR_OUTBOUND_HEALTH_NOT_READY",
            ),
            (
                "method",
                method_not_allowed(Profile::Documented, "POST"),
                405,
                "ERR_METHOD_NOT_ALLOWED",
            ),
            (
                "too many answers",
                overloaded(Profile::Documented, Overload::Answers),
                503,
                "ERR_OVERLOADED",
            ),
            (
                "too many requests",
                overloaded(Profile::Documented, Overload::Requests),
                503,
                "ERR_OVERLOADED",
            ),
            (
                "too late",
                deadline_passed(Profile::Documented),
                500,
                "ERR_SECRET_GET",
            ),
            (
                "nothing there",
                not_found(Profile::Documented),
                404,
                "ERR_NOT_FOUND",
            ),
        ];
        for (name, response, status, code) in rows {
            assert_eq!(response.status().as_u16(), status, "{name}");
            assert_eq!(
                response.headers()["content-type"],
                "application/json",
                "{name}"
            );
            assert_eq!(response.headers()["cache-control"], "no-store", "{name}");
            assert!(text(&response).contains(code), "{name}");
        }
        assert_eq!(
            method_not_allowed(Profile::Daprd, "POST").headers()["allow"],
            "POST"
        );
        for overload in [Overload::Answers, Overload::Requests] {
            let answer = overloaded(Profile::Daprd, overload);
            assert_eq!(answer.headers()["retry-after"], "1", "{overload:?}");
        }
        assert!(text(&deadline_passed(Profile::Documented)).contains("BACKEND_UNAVAILABLE"));
        assert_eq!(no_content().status().as_u16(), 204);
    }

    #[test]
    fn details_are_left_out_in_the_daprd_profile() {
        let documented = text(&outbound_not_ready(Profile::Documented));
        assert!(documented.contains("google.rpc.ErrorInfo"), "{documented}");
        assert!(
            documented.contains("OUTBOUND_HEALTH_NOT_READY"),
            "{documented}"
        );
        let daprd = text(&outbound_not_ready(Profile::Daprd));
        assert!(!daprd.contains("details"), "{daprd}");
    }

    #[test]
    fn api_g3_a_head_answer_keeps_the_headers_of_get() {
        let get = json(&["x"]);
        let length = get.headers()["content-length"].clone();
        let head = without_body(get);
        assert_eq!(head.headers()["content-length"], length);
        assert!(head.body().is_end_stream());
    }
}
