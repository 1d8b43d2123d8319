//! Step 4: an outcome becomes a status and a message. The only file that names a status code of gRPC.
//!
//! An error is told by headers alone: its code, its message, and in the documented profile the details of
//! a `google.rpc.Status`.

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::body::GrpcBody;
use super::dapr::GetMetadataResponse;
use super::route::Refusal;
use super::wire;
use crate::api::Profile;
use crate::api::failed::{self, failed_names};
use crate::api::wiped::WipedBuffer;
use crate::bulk::BulkSecrets;
use crate::error::{Error, ErrorKind};
use crate::secret::SecretMap;

const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const DOMAIN: &str = "dapr.io";
/// What a throttling backend's caller is told to wait when the backend does not say.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);
/// How much of a secret's name an error repeats, in bytes. Encoded, and in message and details alike,
/// it is then within the 8 KiB that clients take by default.
const NAME_SHOWN_MAX: usize = 256;
const TOO_LARGE: &str = "more than 16 MiB; ask for less with the request metadata key `prefix`";

/// Writes the answer to one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoder {
    profile: Profile,
}

/// A line of the status table.
enum Row {
    Failure(Failure),
    /// The secret as if it were there, with an empty value.
    EmptyValue,
}

#[derive(Clone, Copy)]
struct Failure {
    code: Code,
    reason: &'static str,
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

/// What an error is about, as `google.rpc.ResourceInfo` names it.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Nothing,
    Store(&'a str),
    Secret { store: &'a str, name: &'a str },
}

const fn failure(code: Code, reason: &'static str) -> Failure {
    Failure {
        code,
        reason,
        message: Message::OfTheError,
    }
}

const fn row(code: Code, reason: &'static str) -> Row {
    Row::Failure(failure(code, reason))
}

const fn no_such_store() -> Row {
    Row::Failure(Failure {
        message: Message::NoSuchStore,
        ..failure(Code::InvalidArgument, "SECRET_STORE_NOT_FOUND")
    })
}

/// What Dapr documents, and more exact codes where it says nothing.
fn documented(kind: ErrorKind) -> Row {
    match kind {
        ErrorKind::StoresNotConfigured => {
            row(Code::FailedPrecondition, "SECRET_STORES_NOT_CONFIGURED")
        }
        ErrorKind::StoreNotFound => no_such_store(),
        ErrorKind::StoreMisconfigured => {
            row(Code::FailedPrecondition, "SECRET_STORE_MISCONFIGURED")
        }
        ErrorKind::PermissionDenied => row(Code::PermissionDenied, "PERMISSION_DENIED"),
        ErrorKind::NotFound | ErrorKind::Unset => row(Code::NotFound, "SECRET_NOT_FOUND"),
        ErrorKind::VersionNotFound => row(Code::NotFound, "SECRET_VERSION_NOT_FOUND"),
        ErrorKind::InvalidRequest => row(Code::InvalidArgument, "BAD_REQUEST"),
        ErrorKind::BackendDenied => row(Code::Internal, "BACKEND_DENIED"),
        ErrorKind::BackendThrottled => row(Code::ResourceExhausted, "BACKEND_THROTTLED"),
        ErrorKind::BackendTimeout | ErrorKind::BackendUnavailable => {
            row(Code::Unavailable, "BACKEND_UNAVAILABLE")
        }
        ErrorKind::Corrupt => row(Code::DataLoss, "SECRET_CORRUPT"),
    }
}

/// What daprd 1.18 answers. It knows no store that failed to start.
fn daprd(kind: ErrorKind) -> Row {
    match kind {
        ErrorKind::StoresNotConfigured => {
            row(Code::FailedPrecondition, "SECRET_STORES_NOT_CONFIGURED")
        }
        ErrorKind::StoreNotFound | ErrorKind::StoreMisconfigured => no_such_store(),
        ErrorKind::PermissionDenied => row(Code::PermissionDenied, "PERMISSION_DENIED"),
        ErrorKind::Unset => Row::EmptyValue,
        ErrorKind::InvalidRequest => row(Code::InvalidArgument, "BAD_REQUEST"),
        ErrorKind::NotFound
        | ErrorKind::VersionNotFound
        | ErrorKind::BackendDenied
        | ErrorKind::BackendThrottled
        | ErrorKind::BackendTimeout
        | ErrorKind::BackendUnavailable
        | ErrorKind::Corrupt => row(Code::Internal, "SECRET_GET"),
    }
}

/// The caller's deadline passed before a store had answered.
fn deadline(profile: Profile) -> Failure {
    match profile {
        Profile::Documented => failure(Code::DeadlineExceeded, "BACKEND_UNAVAILABLE"),
        Profile::Daprd => failure(Code::Internal, "SECRET_GET"),
    }
}

impl Encoder {
    pub(super) fn new(profile: Profile) -> Self {
        Self { profile }
    }

    pub(super) fn secret(self, secret: &SecretMap) -> Response<GrpcBody> {
        answer(wire::secret(secret))
    }

    pub(super) fn bulk(self, store: &str, secrets: &BulkSecrets) -> Response<GrpcBody> {
        let Some(message) = wire::bulk(secrets) else {
            return self.failure(
                failure(Code::ResourceExhausted, "ANSWER_TOO_LARGE"),
                &format!("failed getting secrets from secret store {store}: {TOO_LARGE}"),
                Subject::Store(store),
                None,
            );
        };
        let mut response = answer(message);
        if let Some(list) = failed_names(secrets) {
            response.headers_mut().insert(failed::HEADER, list);
        }
        response
    }

    pub(super) fn metadata(self, metadata: &GetMetadataResponse) -> Response<GrpcBody> {
        answer(wire::plain(metadata))
    }

    pub(super) fn error(self, error: &Error) -> Response<GrpcBody> {
        let table_row = match self.profile {
            Profile::Documented => documented(error.kind()),
            Profile::Daprd => daprd(error.kind()),
        };
        match table_row {
            Row::Failure(failure) => self.told(failure, error),
            Row::EmptyValue => {
                let name = error.secret().unwrap_or_default();
                self.secret(&SecretMap::single(name, ""))
            }
        }
    }

    pub(super) fn deadline(self, error: &Error) -> Response<GrpcBody> {
        self.told(deadline(self.profile), error)
    }

    pub(super) fn refusal(self, refusal: Refusal) -> Response<GrpcBody> {
        let (failure, message) = match refusal {
            Refusal::NotGrpc => return not_grpc(),
            Refusal::UnknownMethod => (
                failure(Code::Unimplemented, "UNIMPLEMENTED"),
                "this method is not served",
            ),
            Refusal::Compressed => {
                let mut response = self.failure(
                    failure(Code::Unimplemented, "COMPRESSED"),
                    "compressed messages are not read",
                    Subject::Nothing,
                    None,
                );
                response
                    .headers_mut()
                    .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
                return response;
            }
            Refusal::TooLarge => (
                failure(Code::ResourceExhausted, "REQUEST_TOO_LARGE"),
                "the message is larger than 4194304 bytes",
            ),
            Refusal::Unreadable => (
                failure(Code::Internal, "UNREADABLE"),
                "the message cannot be read",
            ),
            Refusal::DeadlinePassed => (deadline(self.profile), super::DEADLINE_PASSED),
            Refusal::Bad(fault) => (
                failure(Code::InvalidArgument, "BAD_REQUEST"),
                fault.reason(),
            ),
        };
        self.failure(failure, message, Subject::Nothing, None)
    }

    /// What an error of the engine says.
    fn told(self, failure: Failure, error: &Error) -> Response<GrpcBody> {
        let error = error.with_name_cut(NAME_SHOWN_MAX);
        let store = error.store();
        let message = match failure.message {
            Message::OfTheError => error.to_string(),
            Message::NoSuchStore => format!("failed finding secret store with key {store}"),
        };
        let subject = match (error.kind(), error.secret()) {
            (
                ErrorKind::StoresNotConfigured
                | ErrorKind::StoreNotFound
                | ErrorKind::StoreMisconfigured,
                _,
            )
            | (_, None) => Subject::Store(store),
            (_, Some(name)) => Subject::Secret { store, name },
        };
        let wait = (error.kind() == ErrorKind::BackendThrottled)
            .then(|| error.retry_after().unwrap_or(RETRY_AFTER_DEFAULT));
        self.failure(failure, &message, subject, wait)
    }

    fn failure(
        self,
        row: Failure,
        message: &str,
        subject: Subject<'_>,
        wait: Option<Duration>,
    ) -> Response<GrpcBody> {
        match self.profile {
            Profile::Daprd => Status::new(row.code, message),
            Profile::Documented => {
                Status::with_error_details(row.code, message, details(row.reason, subject, wait))
            }
        }
        .into_http()
    }
}

fn details(reason: &str, subject: Subject<'_>, wait: Option<Duration>) -> ErrorDetails {
    let named: &[(&str, &str)] = match subject {
        Subject::Nothing => &[],
        Subject::Store(store) => &[("store", store)],
        Subject::Secret { store, name } => &[("store", store), ("secret", name)],
    };
    let metadata: HashMap<String, String> = named
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
    match subject {
        Subject::Nothing => {}
        Subject::Store(store) => {
            details.set_resource_info("secretstore", store, "", "");
        }
        Subject::Secret { store, name } => {
            details.set_resource_info("secret", name, store, "");
        }
    }
    if wait.is_some() {
        details.set_retry_info(wait);
    }
    details
}

/// A message; its trailers say that all is well.
fn answer(message: WipedBuffer) -> Response<GrpcBody> {
    let mut response = Response::new(GrpcBody::new(message));
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    response
}

/// What comes after a message.
pub(super) fn trailers() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
    trailers
}

/// The answer to a request that is no call of gRPC: one of HTTP.
fn not_grpc() -> Response<GrpcBody> {
    let mut response = Response::new(GrpcBody::default());
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}
