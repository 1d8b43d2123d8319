//! The answers to gRPC calls that this binary gives itself, and the only status codes of gRPC in it
//! (`docs/spec/secrets-api.md`, D).
//!
//! In the documented profile they have details: an ErrorInfo, and a RetryInfo where trying again helps.

use std::collections::HashMap;
use std::time::Duration;

use dapr_secrets_service::Profile;
use http::{Response, StatusCode};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::encode::{Overload, TOOK_TOO_LONG};

/// When an overloaded process is to be asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// RESOURCE_EXHAUSTED: to be tried again.
pub(super) fn overloaded(profile: Profile, overload: Overload) -> Response<Body> {
    let code = Code::ResourceExhausted;
    error(
        profile,
        code,
        "OVERLOADED",
        overload.message(),
        Some(RETRY_AFTER),
    )
}

/// The answer was not made in time.
pub(super) fn deadline_passed(profile: Profile) -> Response<Body> {
    let code = match profile {
        Profile::Daprd => Code::Internal,
        _ => Code::DeadlineExceeded,
    };
    error(profile, code, "BACKEND_UNAVAILABLE", TOOK_TOO_LONG, None)
}

/// UNIMPLEMENTED: no service of this binary.
pub(super) fn unknown_service(profile: Profile) -> Response<Body> {
    let message = "this service is not served";
    error(profile, Code::Unimplemented, "UNIMPLEMENTED", message, None)
}

/// 505: gRPC needs HTTP/2.
pub(super) fn not_http2() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
    response
}

fn error(
    profile: Profile,
    code: Code,
    reason: &str,
    message: &str,
    wait: Option<Duration>,
) -> Response<Body> {
    if profile == Profile::Daprd {
        return Status::new(code, message).into_http();
    }
    let mut details = ErrorDetails::with_error_info(reason, "dapr.io", HashMap::new());
    if wait.is_some() {
        details.set_retry_info(wait);
    }
    Status::with_error_details(code, message, details).into_http()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_d_every_own_answer_has_its_code_in_both_profiles() {
        let rows: [(&str, fn(Profile) -> Response<Body>, Code, Code, &str); 4] = [
            (
                "answers",
                |profile| overloaded(profile, Overload::Answers),
                Code::ResourceExhausted,
                Code::ResourceExhausted,
                "OVERLOADED",
            ),
            (
                "requests",
                |profile| overloaded(profile, Overload::Requests),
                Code::ResourceExhausted,
                Code::ResourceExhausted,
                "OVERLOADED",
            ),
            (
                "our deadline",
                deadline_passed,
                Code::DeadlineExceeded,
                Code::Internal,
                "BACKEND_UNAVAILABLE",
            ),
            (
                "another service",
                unknown_service,
                Code::Unimplemented,
                Code::Unimplemented,
                "UNIMPLEMENTED",
            ),
        ];
        let status = |response: &Response<Body>| Status::from_header_map(response.headers());
        for (name, answer, documented, daprd, reason) in rows {
            let told = status(&answer(Profile::Documented)).expect(name);
            assert_eq!(told.code(), documented, "{name}");
            let details = told.get_error_details();
            let info = details.error_info().expect(name);
            assert_eq!(
                (&*info.reason, &*info.domain),
                (reason, "dapr.io"),
                "{name}"
            );
            let retries = details.retry_info().is_some();
            assert_eq!(retries, reason == "OVERLOADED", "{name}");
            let told = status(&answer(Profile::Daprd)).expect(name);
            assert_eq!(told.code(), daprd, "{name}");
            assert!(told.details().is_empty(), "{name}");
        }
        assert_eq!(not_http2().status(), 505);
    }
}
