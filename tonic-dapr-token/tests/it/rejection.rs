//! A refusal read back on the client's side, and hostile statuses.

use std::collections::HashMap;

use serde::Deserialize;
use tonic::{Code, Status};
use tonic_dapr_token::TokenRejection::{Invalid, Missing, Unavailable};
use tonic_dapr_token::{RequireTokenLayer, TokenRejection};
use tonic_types::{ErrorDetails, StatusExt as _};
use tower::{Layer, ServiceExt as _};

use crate::support::{Echo, NAME, TOKEN, UNARY, WRONG};

const COMPLAINT: &str = "http.error_message";

fn info(reason: &str, domain: &str, complaint: &str) -> ErrorDetails {
    let metadata = HashMap::from([(COMPLAINT.to_owned(), complaint.to_owned())]);
    ErrorDetails::with_error_info(reason, domain, metadata)
}

fn status(code: Code, details: ErrorDetails) -> Status {
    Status::with_error_details(code, "", details)
}

/// The refusal of a layer, as its client reads it.
async fn refused(daprd_compat: bool, values: &[&str]) -> Status {
    let mut builder = RequireTokenLayer::builder().token(TOKEN.parse().expect("valid"));
    if daprd_compat {
        builder = builder.daprd_compat();
    }
    let layer: RequireTokenLayer = builder.build().expect("valid").into();
    let mut request = http::Request::post(UNARY)
        .version(http::Version::HTTP_2)
        .header("content-type", "application/grpc");
    for value in values {
        request = request.header(NAME, *value);
    }
    let request = request.body(tonic::body::Body::empty()).expect("valid");
    let response = layer.layer(Echo::default()).oneshot(request).await;
    let response = response.expect("infallible");
    Status::from_header_map(response.headers()).expect("a status")
}

#[tokio::test]
async fn x4_j3_j7_the_reason_is_read_back_from_either_dialect() {
    for daprd_compat in [false, true] {
        for (values, expected) in [
            (&[][..], Missing),
            (&[WRONG], Invalid),
            (&[""], Invalid),
            (&[TOKEN, TOKEN], Invalid),
        ] {
            let status = refused(daprd_compat, values).await;
            let name = format!("{values:?}, as daprd: {daprd_compat}");
            assert_eq!(
                TokenRejection::from_status(&status),
                Some(expected),
                "{name}"
            );
        }
    }
}

#[derive(Deserialize)]
struct Recorded {
    call: String,
    code: String,
    message: String,
    details: Vec<HashMap<String, RecordedInfo>>,
}

#[derive(Deserialize)]
struct RecordedInfo {
    reason: String,
    domain: String,
    metadata: HashMap<String, String>,
}

#[test]
fn x4_the_recorded_refusals_of_daprd_are_known() {
    let text = include_str!(
        "../../../tower-dapr-token/tests/recorded/daprd-1.18.1/daprd-refusals-grpc.ndjson"
    );
    let mut count = 0;
    for line in text.lines() {
        let recorded: Recorded = serde_json::from_str(line).expect("a recorded line");
        assert_eq!(recorded.code, "UNAUTHENTICATED");
        let info = &recorded.details[0]["ErrorInfo"];
        let details =
            ErrorDetails::with_error_info(&info.reason, &info.domain, info.metadata.clone());
        let status = Status::with_error_details(Code::Unauthenticated, &recorded.message, details);
        let expected = match recorded.call.as_str() {
            "no token" => Missing,
            _ => Invalid,
        };
        assert_eq!(
            TokenRejection::from_status(&status),
            Some(expected),
            "{}",
            recorded.call
        );
        count += 1;
    }
    assert_eq!(count, 4);
}

#[test]
fn x4_only_a_dapr_error_info_with_its_own_code_is_a_refusal_of_the_token() {
    use Code::{Internal, PermissionDenied, Unauthenticated};

    let mismatch = "authentication error: api token mismatch";
    let ours = |reason: &str| info(reason, "dapr.io", "");
    let mut beside = ours("API_TOKEN_MISSING");
    beside.add_help_link("why", "https://example.com");
    let table = [
        (
            "missing",
            Unauthenticated,
            ours("API_TOKEN_MISSING"),
            Some(Missing),
        ),
        (
            "invalid",
            Unauthenticated,
            ours("API_TOKEN_INVALID"),
            Some(Invalid),
        ),
        (
            "later",
            Code::Unavailable,
            ours("AUTH_UNAVAILABLE"),
            Some(Unavailable),
        ),
        ("others beside it", Unauthenticated, beside, Some(Missing)),
        (
            "daprd",
            Unauthenticated,
            info("Unauthorized", "dapr.io", mismatch),
            Some(Invalid),
        ),
        (
            "daprd, of something else",
            Unauthenticated,
            info("Unauthorized", "dapr.io", "access denied by policy"),
            None,
        ),
        (
            "another code",
            PermissionDenied,
            ours("API_TOKEN_MISSING"),
            None,
        ),
        (
            "code of the other",
            Code::Unavailable,
            ours("API_TOKEN_INVALID"),
            None,
        ),
        ("and back", Unauthenticated, ours("AUTH_UNAVAILABLE"), None),
        ("internal", Internal, ours("API_TOKEN_MISSING"), None),
        (
            "another domain",
            Unauthenticated,
            info("API_TOKEN_MISSING", "example.com", ""),
            None,
        ),
        (
            "domain in capitals",
            Unauthenticated,
            info("API_TOKEN_MISSING", "DAPR.IO", ""),
            None,
        ),
        (
            "another reason",
            Unauthenticated,
            ours("API_KEY_INVALID"),
            None,
        ),
        (
            "reason with more",
            Unauthenticated,
            ours("API_TOKEN_MISSING "),
            None,
        ),
        ("no reason", Unauthenticated, ours(""), None),
        (
            "no ErrorInfo",
            Unauthenticated,
            ErrorDetails::with_help_link("why", "https://example.com"),
            None,
        ),
        ("nothing", Unauthenticated, ErrorDetails::new(), None),
    ];
    for (name, code, details, expected) in table {
        let status = status(code, details);
        assert_eq!(TokenRejection::from_status(&status), expected, "{name}");
    }
    let bare = Status::unauthenticated("missing api token");
    assert_eq!(TokenRejection::from_status(&bare), None, "words alone");
}

#[tokio::test]
async fn x4_hostile_details_are_no_refusal_and_no_panic() {
    let good = refused(false, &[]).await.details().to_vec();
    let read = |details: Vec<u8>| {
        let status = Status::with_details(Code::Unauthenticated, "", details.into());
        TokenRejection::from_status(&status)
    };
    assert_eq!(read(good.clone()), Some(Missing));
    for length in 0..good.len() {
        assert_eq!(read(good[..length].to_vec()), None, "cut at {length}");
    }
    // Whatever a changed byte makes of it, it is read or not, and nothing else happens.
    let mut told = 0;
    for at in 0..good.len() {
        for byte in 0..=u8::MAX {
            let mut changed = good.clone();
            changed[at] = byte;
            told += usize::from(read(changed).is_some());
        }
    }
    assert!(told > good.len(), "the unchanged one at least, once a byte");
    for (name, details) in [
        ("zeros", vec![0; 8192]),
        ("ones", vec![0xff; 8192]),
        (
            "a length beyond all",
            [&[0x1a][..], &[0xff; 9], &[1]].concat(),
        ),
        ("empty members", [0x1a, 0].repeat(4096)),
        ("groups without end", vec![0x0b; 8192]),
        ("nested", (0..2000).flat_map(|_| [0x1a, 0x7f]).collect()),
    ] {
        assert_eq!(read(details), None, "{name}");
    }
    // An unknown field of this size in front: as large as is looked at, and one more.
    let padded = |total: usize| {
        let padding = total - good.len() - 4;
        let low = u8::try_from(padding & 0x7f).expect("seven bits") | 0x80;
        let high = u8::try_from(padding >> 7).expect("seven bits");
        assert!(high < 0x80);
        let mut details = vec![0x82, 0x01, low, high];
        details.resize(4 + padding, b'x');
        details.extend_from_slice(&good);
        assert_eq!(details.len(), total);
        details
    };
    assert_eq!(read(padded(8192)), Some(Missing));
    assert_eq!(read(padded(8193)), None, "not looked into");
}

#[test]
fn x4_it_says_what_is_wrong_and_is_an_error_like_any_other() {
    let error: Box<dyn std::error::Error + Send + Sync> = Box::new(Invalid);
    assert_eq!(error.to_string(), "the api token was not accepted");
    assert_eq!(Missing.to_string(), "the call carried no api token");
    assert_eq!(
        Unavailable.to_string(),
        "the api token could not be checked"
    );
}
