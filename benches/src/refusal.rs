//! What an answer to a refused request is made of: the same answers as ours, built by hand and without any check.
//!
//! A row adds one step to the row that it builds upon, so the cost of a step is the difference of two rows. They show
//! what a refusal costs whoever decides on it, and what is left to gain.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use tower_service::Service;

use crate::case::Case;
use crate::drive::{Outcome, Plan, drive};
use crate::floor::Body;
use crate::request::Shape;

const HTTP_BODY: &[u8] = br#"{"errorCode":"ERR_API_TOKEN_INVALID","message":"invalid api token"}"#;
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
/// As long as real details are; what they say does not matter to their cost.
const GRPC_DETAILS: &str = "CBASEWludmFsaWQgYXBpIHRva2VuGqABCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZv\
     EnQKEUFQSV9UT0tFTl9JTlZBTElEEgdkYXByLmlvGhAKCWh0dHAuY29kZRIDNDAxGkQKEmh0dHAuZXJyb3JfbWVz\
     c2FnZRIuYXV0aGVudGljYXRpb24gZXJyb3I6IGFwaSB0b2tlbiBtaXNtYXRjaA";

/// How the header map of the answer comes about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Map {
    /// A new one, which allocates with its first header.
    New,
    /// The request's, cleared.
    Reused,
}

/// The answers; [`STEPS`] says how they build upon each other.
pub const CASES: &[Case] = &[
    http("refuse-bare-status", |plan| {
        refuse::<0, false>(plan, Map::New)
    }),
    http("refuse-reused-map", |plan| {
        refuse::<0, false>(plan, Map::Reused)
    }),
    http("refuse-1-header", |plan| {
        refuse::<1, false>(plan, Map::Reused)
    }),
    http("refuse-2-headers", |plan| {
        refuse::<2, false>(plan, Map::Reused)
    }),
    http("refuse-3-headers", |plan| {
        refuse::<3, false>(plan, Map::Reused)
    }),
    http("refuse-3-headers-and-body", |plan| {
        refuse::<3, true>(plan, Map::Reused)
    }),
    http("refuse-all-with-a-new-map", |plan| {
        refuse::<3, true>(plan, Map::New)
    }),
    grpc("refuse-grpc-reused-map", refuse_grpc::<0>),
    grpc("refuse-grpc-1-header", refuse_grpc::<1>),
    grpc("refuse-grpc-2-headers", refuse_grpc::<2>),
    grpc("refuse-grpc-3-headers", refuse_grpc::<3>),
    grpc("refuse-grpc-4-headers", refuse_grpc::<4>),
];

/// A row, the row that it builds upon, and the step between the two.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The case.
    pub case: &'static str,
    /// The case whose cost is part of it.
    pub upon: Option<&'static str>,
    /// What it does more.
    pub adds: &'static str,
}

/// The cases, step by step.
pub const STEPS: &[Step] = &[
    step(
        "refuse-bare-status",
        None,
        "drop the request, answer 401 and nothing else",
    ),
    step(
        "refuse-reused-map",
        Some("refuse-bare-status"),
        "clear the request's header map and answer with it",
    ),
    step(
        "refuse-1-header",
        Some("refuse-reused-map"),
        "insert `content-type`",
    ),
    step(
        "refuse-2-headers",
        Some("refuse-1-header"),
        "insert `cache-control`",
    ),
    step(
        "refuse-3-headers",
        Some("refuse-2-headers"),
        "insert `www-authenticate`",
    ),
    step(
        "refuse-3-headers-and-body",
        Some("refuse-3-headers"),
        "the body, static bytes",
    ),
    step(
        "refuse-all-with-a-new-map",
        Some("refuse-3-headers-and-body"),
        "a new map in the place of the request's",
    ),
    step(
        "refuse-grpc-reused-map",
        None,
        "gRPC: clear the request's header map and answer 200 with it",
    ),
    step(
        "refuse-grpc-1-header",
        Some("refuse-grpc-reused-map"),
        "insert `content-type`",
    ),
    step(
        "refuse-grpc-2-headers",
        Some("refuse-grpc-1-header"),
        "insert `grpc-status`",
    ),
    step(
        "refuse-grpc-3-headers",
        Some("refuse-grpc-2-headers"),
        "insert `grpc-message`",
    ),
    step(
        "refuse-grpc-4-headers",
        Some("refuse-grpc-3-headers"),
        "insert `grpc-status-details-bin`",
    ),
];

const fn step(case: &'static str, upon: Option<&'static str>, adds: &'static str) -> Step {
    Step { case, upon, adds }
}

const fn http(name: &'static str, run: fn(Plan) -> Outcome) -> Case {
    Case::shown(name, "bare-wrong", StatusCode::UNAUTHORIZED, run)
}

const fn grpc(name: &'static str, run: fn(Plan) -> Outcome) -> Case {
    Case::shown(name, "bare-wrong-grpc", StatusCode::OK, run)
}

fn refuse<const HEADERS: usize, const BODY: bool>(plan: Plan, map: Map) -> Outcome {
    let service = Refuse(move |headers| {
        let mut headers = match map {
            Map::New => HeaderMap::new(),
            Map::Reused => cleared(headers),
        };
        if HEADERS > 0 {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
        }
        if HEADERS > 1 {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if HEADERS > 2 {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Dapr-Api-Token"),
            );
        }
        let body = if BODY { HTTP_BODY } else { b"" };
        answer(StatusCode::UNAUTHORIZED, headers, body)
    });
    drive::<_, Body, _>(plan, Shape::Wrong, service)
}

fn refuse_grpc<const HEADERS: usize>(plan: Plan) -> Outcome {
    let service = Refuse(|headers| {
        let mut headers = cleared(headers);
        if HEADERS > 0 {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/grpc"),
            );
        }
        if HEADERS > 1 {
            headers.insert(GRPC_STATUS, HeaderValue::from_static("16"));
        }
        if HEADERS > 2 {
            headers.insert(GRPC_MESSAGE, HeaderValue::from_static("invalid api token"));
        }
        if HEADERS > 3 {
            headers.insert(GRPC_STATUS_DETAILS, HeaderValue::from_static(GRPC_DETAILS));
        }
        answer(StatusCode::OK, headers, b"")
    });
    drive::<_, Body, _>(plan, Shape::WrongGrpc, service)
}

fn cleared(mut headers: HeaderMap) -> HeaderMap {
    headers.clear();
    headers
}

fn answer(status: StatusCode, headers: HeaderMap, body: &'static [u8]) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from_static(body)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Refuses everything with what the function makes of the request's header map.
struct Refuse<F>(F);

impl<F, Q> Service<Request<Q>> for Refuse<F>
where
    F: FnMut(HeaderMap) -> Response<Body>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let (parts, _) = request.into_parts();
        ready(Ok((self.0)(parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::find;

    #[test]
    fn every_answer_is_a_step_and_builds_upon_one_before_it() {
        assert_eq!(STEPS.len(), CASES.len());
        for (index, step) in STEPS.iter().enumerate() {
            assert!(find(CASES, step.case).is_some(), "{}", step.case);
            let before = &STEPS[..index];
            assert!(
                step.upon
                    .is_none_or(|upon| before.iter().any(|step| step.case == upon)),
                "{}",
                step.case
            );
        }
    }
}
