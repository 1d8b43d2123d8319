//! The flow where a request may wait for a key (`T7`), beside the one that decides at once: it decides at once too, and
//! only a token whose key is not known, on a path that is not exempt, waits.
//!
//! The instance of the inner service that is ready goes with the request that waits, and its clone takes its place: to
//! call the clone would be to call what nobody found ready (tower-rs/tower #547).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::ResponseBody;
use super::forward::{self, Pass};
use super::future::ResponseFuture;
use super::marker::Waiting;
use super::reject::RejectionKind;
use super::remote::KeptToken;
use super::service::{Policy, RequireToken};
use crate::token::Snapshot;
use crate::token::jwks::WaitForKeys;

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequireToken<S, Waiting>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = WaitingFuture<S, ReqBody>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let state = match self.policy.decide_or_wait(&mut self.seen, &mut request) {
            FirstLook::Decided(decision) => State::Decided {
                future: self.policy.act(decision, &mut self.inner, request),
            },
            FirstLook::Waits(wait, token) => {
                let clone = self.inner.clone();
                let held = Held {
                    wait,
                    token,
                    request,
                    inner: std::mem::replace(&mut self.inner, clone),
                    policy: Arc::clone(&self.policy),
                };
                State::Waits {
                    held: Some(Box::new(held)),
                }
            }
        };
        WaitingFuture { state }
    }
}

/// What a first look at a request brought.
enum FirstLook {
    Decided(Result<Pass, RejectionKind>),
    /// The observer and the handler are told when it is decided.
    Waits(WaitForKeys, KeptToken),
}

impl Policy {
    /// Extract, verify, and look for an exemption, as always. What would then be refused for want of a key waits, if it
    /// may.
    fn decide_or_wait<B>(
        &self,
        seen: &mut Option<Arc<Snapshot>>,
        request: &mut Request<B>,
    ) -> FirstLook {
        let Some(jwt) = &self.decides.jwt else {
            // Not built so; and without a check nothing may pass.
            return FirstLook::Decided(Err(RejectionKind::Unavailable));
        };
        let verifier = match &self.decides.live {
            None => &self.decides.verifier,
            Some(live) => live.reader.current(seen).verifier(),
        };
        let judged = jwt.judge(&self.extraction, verifier, request.headers_mut());
        let decision = match judged.verdict {
            Ok(verified) => Ok(Pass::Verified(verified)),
            Err(kind) => self.exempt_or_refuse(request, kind),
        };
        if let (Err(_), Some(unknown)) = (&decision, judged.unknown)
            && let Some((wait, token)) = jwt.remote.wait_for(unknown)
        {
            return FirstLook::Waits(wait, token);
        }
        if self.announces {
            self.announce(request, &decision, &judged.details);
        }
        FirstLook::Decided(decision)
    }

    /// The second and last look at a token whose key was fetched meanwhile, or was not.
    fn decide_after_wait<B>(
        &self,
        token: &KeptToken,
        request: &mut Request<B>,
    ) -> Result<Pass, RejectionKind> {
        let jwt = self
            .decides
            .jwt
            .as_ref()
            .ok_or(RejectionKind::Unavailable)?;
        let (verdict, details) = jwt.judge_again(token.as_bytes());
        let decision = verdict.map(Pass::Verified);
        if self.announces {
            self.announce(request, &decision, &details);
        }
        decision
    }

    /// Forwards or refuses.
    fn act<S, B>(
        &self,
        decision: Result<Pass, RejectionKind>,
        inner: &mut S,
        mut request: Request<B>,
    ) -> ResponseFuture<S::Future>
    where
        S: Service<Request<B>>,
    {
        match decision {
            Ok(pass) => ResponseFuture::forward(forward::forward(inner, request, pass)),
            Err(kind) => ResponseFuture::refused(self.refuse(kind, &mut request)),
        }
    }
}

/// All that a request needs to be decided later.
struct Held<S, B> {
    wait: WaitForKeys,
    token: KeptToken,
    request: Request<B>,
    /// It is ready, and goes unused if the request is refused.
    inner: S,
    policy: Arc<Policy>,
}

impl<S, B> Held<S, B>
where
    S: Service<Request<B>>,
{
    fn decide(mut self) -> ResponseFuture<S::Future> {
        let decision = self
            .policy
            .decide_after_wait(&self.token, &mut self.request);
        self.policy.act(decision, &mut self.inner, self.request)
    }
}

pin_project! {
    /// The response future of a [`RequireToken`] that may wait for keys. It is boxed
    /// while it waits, which few requests do; whoever drops it then leaves the queue.
    #[must_use = "futures do nothing unless polled"]
    pub struct WaitingFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Decided { #[pin] future: ResponseFuture<S::Future> },
        // Taken out when it is decided.
        Waits { held: Option<Box<Held<S, B>>> },
    }
}

impl<S, B, ResBody> Future for WaitingFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let held = match state.as_mut().project() {
                StateProj::Decided { future } => return future.poll(cx),
                StateProj::Waits { held } => held,
            };
            if let Some(held) = held
                && Pin::new(&mut held.wait).poll(cx).is_pending()
            {
                return Poll::Pending;
            }
            // It was taken and the state not set only if `decide` panicked in between, as a handler's `call` or an observer
            // may. Nobody may poll a future after that, and an `async fn` panics then too: there is no answer left to give.
            let held = held.take().expect("not polled again after a panic");
            let future = held.decide();
            state.set(State::Decided { future });
        }
    }
}

impl<S, B> fmt::Debug for WaitingFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingFuture").finish_non_exhaustive()
    }
}
