//! The inbound flow, from a configuration and a request to the verdict, the forwarded request and the answer.

mod answer;
mod oracle;
mod scene;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body::Body as _;
use http_body_util::Full;
use tower_dapr_token::{Authenticated, Exempt, Protocol, Rejection, ResponseBody};
use tower_layer::Layer as _;
use tower_service::Service;

use self::answer::Answer;
use self::oracle::Verdict;
use self::scene::Scene;
use crate::poll;

/// Sends the request of the input through the layer of the input.
///
/// # Panics
///
/// If anything is otherwise than the oracle says.
pub fn check(input: &[u8]) -> String {
    let scene = Scene::read(input);
    let Some(layer) = scene.layer() else {
        assert!(
            !oracle::is_valid(&scene),
            "a valid configuration was refused"
        );
        return "no-layer".to_owned();
    };
    assert!(
        oracle::is_valid(&scene),
        "an invalid configuration was taken"
    );
    let verdict = oracle::verdict(&scene);

    let mut service = layer.layer(Inner::default());
    let response = poll::call(&mut service, scene.request());
    let seen = &service.get_ref().seen;
    match verdict {
        Verdict::Refused(reason) => {
            assert!(seen.is_empty(), "a refused request came through");
            check_refusal(&scene, reason, response);
            format!(
                "refused-{reason}{}",
                if oracle::format(&scene).is_some() {
                    "-grpc"
                } else {
                    ""
                }
            )
        }
        Verdict::Accepted(_) | Verdict::Exempt => {
            let [parts] = seen.as_slice() else {
                unreachable!("let through once, and not {} times", seen.len());
            };
            check_forwarded(&scene, &verdict, parts);
            assert_eq!(response.status(), Inner::STATUS, "the inner answer");
            assert_eq!(
                by_name(response.headers()),
                inner_headers(),
                "the inner answer"
            );
            assert_eq!(
                content(response.into_body()),
                Inner::BODY,
                "the inner answer"
            );
            match verdict {
                Verdict::Exempt => "exempt".to_owned(),
                _ => "accepted".to_owned(),
            }
        }
    }
}

fn check_forwarded(scene: &Scene, verdict: &Verdict, parts: &Parts) {
    assert_eq!(parts.method, scene.method);
    assert_eq!(parts.uri, scene.uri);
    assert_eq!(parts.version, scene.version);
    assert_eq!(
        by_name(&parts.headers),
        oracle::forwarded(scene),
        "what the inner service sees"
    );
    for (name, value) in &parts.headers {
        let kept = oracle::is_token_header(scene, name.as_str().as_bytes());
        assert_eq!(value.is_sensitive(), kept, "{name}");
    }
    let authenticated = parts.extensions.get::<Authenticated>();
    let exempt = parts.extensions.get::<Exempt>();
    match verdict {
        _ if !scene.options.extensions => assert!(parts.extensions.is_empty()),
        Verdict::Accepted(slot) => {
            assert_eq!(authenticated.map(Authenticated::slot), Some(*slot));
            assert!(exempt.is_none());
        }
        _ => assert!(exempt.is_some() && authenticated.is_none()),
    }
}

fn check_refusal(
    scene: &Scene,
    reason: oracle::Reason,
    response: Response<ResponseBody<Full<Bytes>>>,
) {
    let expected = Answer::of(scene, reason);
    assert_eq!(response.status().as_u16(), expected.status);
    assert_eq!(by_name(response.headers()), expected.headers);
    match response.extensions().get::<Rejection>() {
        None => assert!(!scene.options.rejection),
        Some(rejection) => {
            assert!(scene.options.rejection);
            assert_eq!(rejection.kind().as_str(), reason.to_string());
            let grpc = rejection.protocol() == Protocol::Grpc;
            assert_eq!(grpc, oracle::format(scene).is_some());
        }
    }
    let body = response.into_body();
    assert_eq!(body.is_end_stream(), expected.body.is_empty());
    assert_eq!(body.size_hint().exact(), Some(expected.body.len() as u64));
    assert_eq!(content(body), expected.body);
}

/// Every name with its values in their order.
pub(crate) fn by_name(headers: &HeaderMap) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut names = BTreeMap::<String, Vec<Vec<u8>>>::new();
    for (name, value) in headers {
        names
            .entry(name.as_str().to_owned())
            .or_default()
            .push(value.as_bytes().to_vec());
    }
    names
}

fn content(mut body: ResponseBody<Full<Bytes>>) -> Vec<u8> {
    let mut content = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut context) {
        content.extend_from_slice(frame.data_ref().expect("no trailers"));
    }
    content
}

fn inner_headers() -> BTreeMap<String, Vec<Vec<u8>>> {
    BTreeMap::from([("x-inner".to_owned(), vec![b"yes".to_vec()])])
}

/// Keeps what reaches it. Must not be called before it was asked whether it is ready.
#[derive(Default)]
struct Inner {
    ready: bool,
    seen: Vec<Parts>,
}

impl Inner {
    const STATUS: u16 = 207;
    const BODY: &[u8] = b"inner";
}

impl Service<Request<()>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called before it was ready"
        );
        self.seen.push(request.into_parts().0);
        let response = Response::builder()
            .status(Self::STATUS)
            .header("x-inner", "yes")
            .body(Full::new(Bytes::from_static(Self::BODY)));
        ready(Ok(response.expect("valid")))
    }
}
