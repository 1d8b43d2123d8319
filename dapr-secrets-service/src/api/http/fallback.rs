//! The secrets service in front of another one, which gets what is no path of ours.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::ResponseBody;
use super::future::ResponseFuture;
use super::route::Refusal;
use super::{SecretsService, encode::Encoder};

/// [`SecretsService`] for its own paths, another service for every other path.
///
/// A path of ours that is asked for with another method, or whose names cannot be read, is
/// refused here: it never reaches the other service. Made by
/// [`SecretsServiceBuilder::build_with_fallback`](super::SecretsServiceBuilder::build_with_fallback).
#[derive(Debug, Clone)]
pub struct WithFallback<F> {
    secrets: SecretsService,
    fallback: F,
}

impl<F> WithFallback<F> {
    pub(super) fn new(secrets: SecretsService, fallback: F) -> Self {
        Self { secrets, fallback }
    }
}

impl<B, F, FB> Service<Request<B>> for WithFallback<F>
where
    F: Service<Request<B>, Response = Response<FB>>,
{
    type Response = Response<FallbackBody<FB>>;
    type Error = F::Error;
    type Future = FallbackFuture<F::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), F::Error>> {
        self.fallback.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.secrets.route(&request) {
            Err(Refusal::NotFound) => FallbackFuture {
                inner: FutureInner::Fallback {
                    future: self.fallback.call(request),
                },
            },
            routed => {
                let encoder = Encoder::new(self.secrets.profile, request.method());
                FallbackFuture {
                    inner: FutureInner::Secrets {
                        future: self.secrets.respond(routed, encoder),
                    },
                }
            }
        }
    }
}

pin_project! {
    /// The response future of [`WithFallback`].
    #[derive(Debug)]
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct FallbackFuture<F> {
        #[pin]
        inner: FutureInner<F>,
    }
}

pin_project! {
    #[project = FutureProjection]
    #[derive(Debug)]
    enum FutureInner<F> {
        Secrets { future: ResponseFuture },
        Fallback { #[pin] future: F },
    }
}

impl<F, FB, E> Future for FallbackFuture<F>
where
    F: Future<Output = Result<Response<FB>, E>>,
{
    type Output = Result<Response<FallbackBody<FB>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().inner.project() {
            FutureProjection::Secrets { future } => match ready!(Pin::new(future).poll(cx)) {
                Ok(response) => Poll::Ready(Ok(response.map(FallbackBody::secrets))),
                Err(never) => match never {},
            },
            FutureProjection::Fallback { future } => {
                let response = ready!(future.poll(cx))?;
                Poll::Ready(Ok(response.map(FallbackBody::fallback)))
            }
        }
    }
}

pin_project! {
    /// The response body of [`WithFallback`]: ours, or that of the other service.
    #[derive(Debug)]
    pub struct FallbackBody<B> {
        #[pin]
        inner: BodyInner<B>,
    }
}

pin_project! {
    #[project = BodyProjection]
    #[derive(Debug)]
    enum BodyInner<B> {
        Secrets { body: ResponseBody },
        Fallback { #[pin] body: B },
    }
}

impl<B> FallbackBody<B> {
    fn secrets(body: ResponseBody) -> Self {
        Self {
            inner: BodyInner::Secrets { body },
        }
    }

    fn fallback(body: B) -> Self {
        Self {
            inner: BodyInner::Fallback { body },
        }
    }
}

impl<B: Body<Data = Bytes>> Body for FallbackBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().inner.project() {
            BodyProjection::Secrets { body } => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never: Infallible| match never {}),
            BodyProjection::Fallback { body } => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            BodyInner::Secrets { body } => body.is_end_stream(),
            BodyInner::Fallback { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            BodyInner::Secrets { body } => body.size_hint(),
            BodyInner::Fallback { body } => body.size_hint(),
        }
    }
}
