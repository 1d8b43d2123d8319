//! [`RequireToken`]: the inbound flow itself.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::body::ResponseBody;
use super::decide::Decides;
use super::exempt::Exemptions;
use super::extract::{Extraction, Mode};
use super::forward::{self, Details, Pass};
use super::future::ResponseFuture;
use super::marker::Immediate;
use super::reject::{self, CustomAnswers, Dialect, Refusal, Rejection, RejectionKind};
use crate::observe::{Decision, Observer, Outcome};
use crate::token::{Snapshot, Verifier};

/// What a layer and all services made from it share.
pub(super) struct Policy {
    pub(super) extraction: Extraction,
    pub(super) decides: Decides,
    exemptions: Exemptions,
    dialect: Dialect,
    custom_answers: Option<Box<CustomAnswers>>,
    with_extensions: bool,
    observer: Option<Arc<dyn Observer>>,
    /// Whether either of the two was asked for.
    pub(super) announces: bool,
    route: Route,
}

/// Which way the decision goes: one test for the usual request, whatever a builder may ask for.
enum Route {
    /// The header is taken out, and nobody is told.
    Take,
    /// The same, and names like it are stripped too.
    TakeAndStrip,
    /// The header is left in place, and nobody is told.
    Keep,
    /// Any option.
    Unusual,
}

/// The inbound check around a service; made by [`RequireTokenLayer`](crate::RequireTokenLayer).
///
/// The inner service is called only for requests that may pass, is never cloned, and its readiness
/// and errors are its own. Cloning allocates nothing. Its second parameter is that of the layer; `Waiting` alone asks
/// for an inner service that is `Clone`.
pub struct RequireToken<S, M = Immediate> {
    pub(super) inner: S,
    pub(super) policy: Arc<Policy>,
    /// The tokens as this service saw them last, where they can change (`R8`).
    pub(super) seen: Option<Arc<Snapshot>>,
    way: PhantomData<fn() -> M>,
}

impl<S: Clone, M> Clone for RequireToken<S, M> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            policy: Arc::clone(&self.policy),
            seen: self.seen.clone(),
            way: PhantomData,
        }
    }
}

impl<S, M> RequireToken<S, M> {
    pub(super) fn new(inner: S, policy: Arc<Policy>) -> Self {
        let seen = policy
            .decides
            .live
            .as_ref()
            .map(|live| live.reader.snapshot());
        Self {
            inner,
            policy,
            seen,
            way: PhantomData,
        }
    }

    /// The service behind the check.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service behind the check, to be changed.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service without the check.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequireToken<S, Immediate>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        match self.policy.decide(&mut self.seen, &mut request) {
            Ok(pass) => ResponseFuture::forward(forward::forward(&mut self.inner, request, pass)),
            Err(kind) => ResponseFuture::refused(self.policy.refuse(kind, &mut request)),
        }
    }
}

impl Policy {
    /// Everything that decides, with nobody told of it.
    pub(super) fn new(
        extraction: Extraction,
        decides: Decides,
        exemptions: Exemptions,
        dialect: Dialect,
    ) -> Self {
        let route = match extraction.mode {
            Mode::Take => Route::Take,
            Mode::Keep => Route::Keep,
            Mode::Custom(_) if extraction.takes_and_strips() => Route::TakeAndStrip,
            Mode::Custom(_) => Route::Unusual,
        };
        let route = if decides.is_unusual() {
            Route::Unusual
        } else {
            route
        };
        Self {
            extraction,
            decides,
            exemptions,
            dialect,
            custom_answers: None,
            with_extensions: false,
            observer: None,
            announces: false,
            route,
        }
    }

    /// Answers otherwise than by the table.
    pub(super) fn answer_with(mut self, custom: CustomAnswers) -> Self {
        self.custom_answers = custom.is_needed().then(|| Box::new(custom));
        self
    }

    /// Who is told: the handlers, through the extensions of the request, and an observer.
    pub(super) fn announce_to(
        mut self,
        with_extensions: bool,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        self.announces = with_extensions || observer.is_some();
        if self.announces {
            self.route = Route::Unusual;
        }
        self.with_extensions = with_extensions;
        self.observer = observer;
        self
    }

    /// Extract, verify, and only if that did not let the request through, look for an exemption.
    #[inline]
    fn decide<B>(
        &self,
        seen: &mut Option<Arc<Snapshot>>,
        request: &mut Request<B>,
    ) -> Result<Pass, RejectionKind> {
        let verifier = match &self.decides.live {
            None => &self.decides.verifier,
            Some(live) => live.reader.current(seen).verifier(),
        };
        let headers = request.headers_mut();
        let verdict = match self.route {
            Route::Take | Route::TakeAndStrip => {
                let verdict = self.extraction.take(verifier, headers);
                if let Route::TakeAndStrip = self.route {
                    self.extraction.strip_others(headers);
                }
                verdict
            }
            Route::Keep => self.extraction.keep(verifier, headers),
            Route::Unusual => return self.decide_unusual(verifier, request),
        };
        match verdict {
            Ok(verified) => Ok(Pass::Verified(verified)),
            Err(kind) => self.exempt_or_refuse(request, kind),
        }
    }

    /// The same with every option, in a function of its own, so that the usual request pays for none of them.
    #[inline(never)]
    fn decide_unusual<B>(
        &self,
        verifier: &Verifier,
        request: &mut Request<B>,
    ) -> Result<Pass, RejectionKind> {
        let (verdict, details) =
            self.decides
                .judge(&self.extraction, verifier, request.headers_mut());
        let decision = match verdict {
            Ok(verified) => Ok(Pass::Verified(verified)),
            Err(kind) => self.exempt_or_refuse(request, kind),
        };
        if self.announces {
            self.announce(request, &decision, &details);
        }
        decision
    }

    /// What a request that was not verified may still be.
    #[inline]
    pub(super) fn exempt_or_refuse<B>(
        &self,
        request: &Request<B>,
        kind: RejectionKind,
    ) -> Result<Pass, RejectionKind> {
        match self.exemptions.find(request) {
            Some(exempt) => Ok(Pass::Exempt(exempt)),
            None => self.decides.verifier.pardon(kind).map(Pass::Verified),
        }
    }

    /// Marks the request for its handlers and tells the observer, where either was asked for.
    pub(super) fn announce<B>(
        &self,
        request: &mut Request<B>,
        decision: &Result<Pass, RejectionKind>,
        details: &Details,
    ) {
        if let (true, Ok(pass)) = (self.with_extensions, decision) {
            forward::mark(request, pass, details);
        }
        if let Some(observer) = &self.observer {
            observer.on_decision(&describe(request, decision, details));
        }
    }

    /// The request's body is dropped by the caller without having been polled.
    #[inline]
    pub(super) fn refuse<B>(&self, kind: RejectionKind, request: &mut Request<B>) -> Refusal {
        match &self.custom_answers {
            None => Refusal::new(kind, request, self.dialect),
            Some(custom) => custom.refuse(kind, request, self.dialect),
        }
    }
}

/// What an observer is told.
fn describe<B>(
    request: &Request<B>,
    decision: &Result<Pass, RejectionKind>,
    details: &Details,
) -> Decision {
    let protocol = reject::protocol(request);
    let outcome = match decision {
        Ok(Pass::Verified(verified)) => Outcome::Allowed {
            slot: verified.slot(),
        },
        Ok(Pass::Exempt(_)) => Outcome::Exempt,
        Err(kind) => Outcome::Denied(Rejection::new(*kind, protocol)),
    };
    let decision = Decision::new(outcome, protocol, details.mode);
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    let decision = decision.with_cache(details.cache);
    decision
}

impl<S: fmt::Debug, M> fmt::Debug for RequireToken<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireToken")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
