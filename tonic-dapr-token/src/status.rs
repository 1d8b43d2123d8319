//! Refusals and tonic's [`Status`]: the one of this side, and the one that a client got. Nothing else here names
//! a gRPC code.

use std::fmt;
use std::sync::OnceLock;

use tonic::{Code, Status};
use tonic_types::{ErrorInfo, StatusExt as _};
use tower_dapr_token::{HeaderVerifier, Rejection};

/// Details longer than this are not looked into, in bytes: ours have less than 300, and all headers together have
/// at most 8 KiB unless a client was told otherwise.
const MAX_DETAILS: usize = 8 * 1024;

/// The domain of Dapr's ErrorInfo (`J3`).
const DOMAIN: &str = "dapr.io";

/// The refusals of one verifier, each made when it is first needed: an answer depends on its kind alone.
#[derive(Debug, Default)]
pub(crate) struct Refusals([OnceLock<Status>; KINDS]);

/// How many kinds of refusal there are. One that comes later is made anew each time.
const KINDS: usize = 16;

impl Refusals {
    /// The refusal of the layer as a status.
    pub(crate) fn of(&self, verifier: &HeaderVerifier, rejection: &Rejection) -> Status {
        match self.0.get(rejection.kind() as usize) {
            Some(made) => made.get_or_init(|| refusal(verifier, rejection)).clone(),
            None => refusal(verifier, rejection),
        }
    }
}

/// The refusal of the layer as a status: its code, message and details.
fn refusal(verifier: &HeaderVerifier, rejection: &Rejection) -> Status {
    let answer = verifier.answer(rejection);
    match Status::from_header_map(answer.headers()) {
        Some(told) => {
            Status::with_details(told.code(), told.message(), told.details().to_vec().into())
        }
        // Never taken: the answer to a gRPC call has a status. Were it, the call is refused all the same.
        None => Status::unauthenticated("invalid api token"),
    }
}

/// Why the other side refused a call, read from the [`Status`] that a client got (`J3`).
///
/// It knows the refusals of this crate and of `tower-dapr-token`, and those of daprd itself. What the status says
/// is the server's word: act on it, do not trust it.
///
/// ```
/// use tonic::Status;
/// use tonic_dapr_token::TokenRejection;
///
/// fn advice(status: &Status) -> Option<&'static str> {
///     match TokenRejection::from_status(status)? {
///         TokenRejection::Missing => Some("set DAPR_API_TOKEN"),
///         TokenRejection::Unavailable => Some("try again soon"),
///         _ => Some("DAPR_API_TOKEN is not the token that the server has"),
///     }
/// }
/// # assert_eq!(advice(&Status::not_found("no such secret")), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenRejection {
    /// The call carried no token.
    Missing,
    /// The call carried a token that was not accepted. Nobody is told why (`J4`).
    Invalid,
    /// The server had nothing to compare the token with; the same call may pass later.
    Unavailable,
}

impl TokenRejection {
    /// The refusal in this status; `None` if the call failed for another reason.
    ///
    /// The ErrorInfo in the details decides, together with the code. A code alone does not: a service may answer
    /// UNAUTHENTICATED for reasons of its own.
    #[must_use]
    pub fn from_status(status: &Status) -> Option<Self> {
        if status.details().len() > MAX_DETAILS {
            return None;
        }
        let info = status.get_details_error_info()?;
        if info.domain != DOMAIN {
            return None;
        }
        let (code, rejection) = Self::from_info(&info)?;
        (status.code() == code).then_some(rejection)
    }

    fn from_info(info: &ErrorInfo) -> Option<(Code, Self)> {
        match info.reason.as_str() {
            "API_TOKEN_MISSING" => Some((Code::Unauthenticated, Self::Missing)),
            "API_TOKEN_INVALID" => Some((Code::Unauthenticated, Self::Invalid)),
            "AUTH_UNAVAILABLE" => Some((Code::Unavailable, Self::Unavailable)),
            // daprd's own (`J7`), which tells the two apart in words alone.
            "Unauthorized" => match info.metadata.get("http.error_message")?.as_str() {
                "missing api token in request metadata" => {
                    Some((Code::Unauthenticated, Self::Missing))
                }
                "authentication error: api token mismatch" => {
                    Some((Code::Unauthenticated, Self::Invalid))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

impl fmt::Display for TokenRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the call carried no api token",
            Self::Invalid => "the api token was not accepted",
            Self::Unavailable => "the api token could not be checked",
        })
    }
}

impl std::error::Error for TokenRejection {}
