//! Step 4: an outcome becomes status, headers and body. The only file that names a status code of
//! HTTP.
//!
//! Success bodies are JSON objects with sorted keys. Error bodies are
//! `{"errorCode", "message", "details"}`; the daprd profile leaves the details out. Every answer
//! forbids storing it.

use std::time::Duration;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Response, StatusCode};

use super::body::ResponseBody;
use super::json::{estimate, write_object, write_secret, write_text};
use super::route::Refusal;
use crate::api::Profile;
use crate::api::failed::{self, failed_names};
use crate::api::wiped::WipedBuffer;
use crate::bulk::BulkSecrets;
use crate::error::{Error, ErrorKind};
use crate::secret::SecretMap;

/// What a throttling backend's caller is told to wait when the backend does not say.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);

/// Writes the answer to one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoder {
    profile: Profile,
    has_body: bool,
}

/// A line of the status table.
enum Row {
    /// An error with a body.
    Failure(Failure),
    /// No content, no body.
    NoContent,
    /// The secret as if it were there, with an empty value.
    EmptyValue,
}

struct Failure {
    status: StatusCode,
    code: &'static str,
    /// `reason` of the details, where it is not the code without `ERR_`.
    reason: Option<&'static str>,
    message: Message,
}

/// What the caller is told in words.
#[derive(Clone, Copy)]
enum Message {
    /// The error's own text.
    OfTheError,
    /// That there is no such store.
    NoSuchStore,
}

const fn failure(status: StatusCode, code: &'static str) -> Failure {
    Failure {
        status,
        code,
        reason: None,
        message: Message::OfTheError,
    }
}

const fn row(status: StatusCode, code: &'static str) -> Row {
    Row::Failure(failure(status, code))
}

const fn no_such_store(status: StatusCode) -> Row {
    Row::Failure(Failure {
        message: Message::NoSuchStore,
        ..failure(status, "ERR_SECRET_STORE_NOT_FOUND")
    })
}

const fn backend(reason: &'static str) -> Row {
    Row::Failure(Failure {
        reason: Some(reason),
        ..failure(StatusCode::INTERNAL_SERVER_ERROR, "ERR_SECRET_GET")
    })
}

/// What Dapr documents.
fn documented(kind: ErrorKind) -> Row {
    match kind {
        ErrorKind::StoresNotConfigured => row(
            StatusCode::INTERNAL_SERVER_ERROR,
            "ERR_SECRET_STORES_NOT_CONFIGURED",
        ),
        ErrorKind::StoreNotFound => no_such_store(StatusCode::BAD_REQUEST),
        ErrorKind::StoreMisconfigured => {
            row(StatusCode::BAD_REQUEST, "ERR_SECRET_STORE_MISCONFIGURED")
        }
        ErrorKind::PermissionDenied => row(StatusCode::FORBIDDEN, "ERR_PERMISSION_DENIED"),
        ErrorKind::NotFound | ErrorKind::Unset | ErrorKind::VersionNotFound => Row::NoContent,
        ErrorKind::InvalidRequest => row(StatusCode::BAD_REQUEST, "ERR_BAD_REQUEST"),
        ErrorKind::BackendDenied => backend("BACKEND_DENIED"),
        ErrorKind::BackendThrottled => backend("BACKEND_THROTTLED"),
        ErrorKind::BackendTimeout | ErrorKind::BackendUnavailable => backend("BACKEND_UNAVAILABLE"),
        ErrorKind::Corrupt => backend("SECRET_CORRUPT"),
    }
}

/// What daprd 1.18 answers. It knows no store that failed to start.
fn daprd(kind: ErrorKind) -> Row {
    match kind {
        ErrorKind::StoresNotConfigured => row(
            StatusCode::INTERNAL_SERVER_ERROR,
            "ERR_SECRET_STORES_NOT_CONFIGURED",
        ),
        ErrorKind::StoreNotFound | ErrorKind::StoreMisconfigured => {
            no_such_store(StatusCode::UNAUTHORIZED)
        }
        ErrorKind::PermissionDenied => row(StatusCode::FORBIDDEN, "ERR_PERMISSION_DENIED"),
        ErrorKind::Unset => Row::EmptyValue,
        ErrorKind::InvalidRequest => row(StatusCode::BAD_REQUEST, "ERR_BAD_REQUEST"),
        ErrorKind::NotFound
        | ErrorKind::VersionNotFound
        | ErrorKind::BackendDenied
        | ErrorKind::BackendThrottled
        | ErrorKind::BackendTimeout
        | ErrorKind::BackendUnavailable
        | ErrorKind::Corrupt => row(StatusCode::INTERNAL_SERVER_ERROR, "ERR_SECRET_GET"),
    }
}

impl Encoder {
    pub(super) fn new(profile: Profile, method: &Method) -> Self {
        Self {
            profile,
            has_body: method != Method::HEAD,
        }
    }

    pub(super) fn secret(self, secret: &SecretMap) -> Response<ResponseBody> {
        let mut json = WipedBuffer::with_capacity(estimate(secret));
        write_secret(&mut json, secret);
        self.json(StatusCode::OK, json)
    }

    pub(super) fn bulk(self, answer: &BulkSecrets) -> Response<ResponseBody> {
        let size: usize = answer
            .iter()
            .map(|(name, secret)| name.len() + 6 + estimate(secret))
            .sum();
        let mut json = WipedBuffer::with_capacity(size + 2);
        write_object(&mut json, answer.iter(), |json, secret| {
            write_secret(json, secret);
        });
        let mut response = self.json(StatusCode::OK, json);
        if let Some(list) = failed_names(answer) {
            response.headers_mut().insert(failed::HEADER, list);
        }
        response
    }

    pub(super) fn error(self, error: &Error) -> Response<ResponseBody> {
        let table_row = match self.profile {
            Profile::Documented => documented(error.kind()),
            Profile::Daprd => daprd(error.kind()),
        };
        let failure = match table_row {
            Row::Failure(failure) => failure,
            Row::NoContent => return no_content(),
            Row::EmptyValue => {
                let name = error.secret().unwrap_or_default();
                return self.secret(&SecretMap::single(name, ""));
            }
        };
        let message = match failure.message {
            Message::OfTheError => error.to_string(),
            Message::NoSuchStore => {
                format!("failed finding secret store with key {}", error.store())
            }
        };
        let mut subject = vec![("store", error.store())];
        subject.extend(error.secret().map(|name| ("secret", name)));
        let mut response = self.failure(&failure, &message, &subject);
        if self.profile == Profile::Documented && error.kind() == ErrorKind::BackendThrottled {
            let wait = error.retry_after().unwrap_or(RETRY_AFTER_DEFAULT);
            response
                .headers_mut()
                .insert(RETRY_AFTER, whole_seconds(wait));
        }
        response
    }

    pub(super) fn refusal(self, refusal: Refusal) -> Response<ResponseBody> {
        match refusal {
            Refusal::NotFound => self.failure(
                &failure(StatusCode::NOT_FOUND, "ERR_NOT_FOUND"),
                "there is nothing at this path",
                &[],
            ),
            Refusal::MethodNotAllowed => {
                let mut response = self.failure(
                    &failure(StatusCode::METHOD_NOT_ALLOWED, "ERR_METHOD_NOT_ALLOWED"),
                    "secrets are only read: use GET or HEAD",
                    &[],
                );
                response
                    .headers_mut()
                    .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
                response
            }
            Refusal::Bad(fault) => self.failure(
                &failure(StatusCode::BAD_REQUEST, "ERR_BAD_REQUEST"),
                fault.reason(),
                &[],
            ),
        }
    }

    fn failure(
        self,
        row: &Failure,
        message: &str,
        subject: &[(&'static str, &str)],
    ) -> Response<ResponseBody> {
        let mut json = WipedBuffer::with_capacity(256 + 2 * message.len());
        json.push(b"{\"errorCode\":");
        write_text(&mut json, row.code);
        json.push(b",\"message\":");
        write_text(&mut json, message);
        if self.profile == Profile::Documented {
            json.push(b",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\"");
            json.push(b",\"reason\":");
            let reason = row.reason.unwrap_or(row.code.trim_start_matches("ERR_"));
            write_text(&mut json, reason);
            json.push(b",\"domain\":\"dapr.io\",\"metadata\":");
            write_object(&mut json, subject.iter().copied(), write_text);
            json.push(b"}]");
        }
        json.push(b"}");
        self.json(row.status, json)
    }

    fn json(self, status: StatusCode, json: WipedBuffer) -> Response<ResponseBody> {
        let length = HeaderValue::from(json.len());
        let mut response = Response::new(if self.has_body {
            ResponseBody::wiped_on_drop(json)
        } else {
            ResponseBody::empty()
        });
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_LENGTH, length);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

fn no_content() -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn whole_seconds(wait: Duration) -> HeaderValue {
    let rounded_up = wait
        .as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0));
    HeaderValue::from(rounded_up.max(1))
}
