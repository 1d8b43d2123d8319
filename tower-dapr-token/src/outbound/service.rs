//! [`InjectToken`]: sets one header, if the request goes where the token may go.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use http::header::AUTHORIZATION;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response};
use tower_service::Service;

use super::future::{ResponseFuture, Sent};
use super::origin::Origins;
use crate::header::DAPR_API_TOKEN;
use crate::observe::{Injection, Observer};
#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
use crate::token::JwtHandle;
use crate::token::{Snapshot, TokenHandle, TokenReader};

/// What a layer and all services made from it share.
pub(super) struct Plan {
    /// The value, where nothing was asked for but to overwrite `dapr-api-token`: the usual request pays for
    /// one test and not for one per option.
    usual: Option<HeaderValue>,
    settings: Settings,
}

/// What a builder was asked for.
pub(super) struct Settings {
    pub(super) header: HeaderName,
    pub(super) value: Value,
    pub(super) origins: Origins,
    pub(super) keep_existing: bool,
    pub(super) leave_elsewhere: bool,
    pub(super) observer: Option<Arc<dyn Observer>>,
}

/// What is sent.
pub(super) enum Value {
    /// The same for ever, marked sensitive; none if the layer is optional and there is no token.
    Fixed(Option<HeaderValue>),
    /// What a reader says, whose newest snapshot each service keeps.
    Live {
        reader: TokenReader,
        /// Where the layer was built from a source: its reload lasts as long as the layer and its services.
        _source: Option<TokenHandle>,
    },
    /// A JWT, which ends by itself: the clock is read for each request (`I9`).
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    Jwt(JwtHandle),
}

/// Injects the token into requests for a client; made by [`InjectTokenLayer`](crate::InjectTokenLayer).
///
/// It never fails a request, keeps the inner service's error type, and is cloned without allocating.
#[derive(Clone)]
pub struct InjectToken<S> {
    inner: S,
    plan: Arc<Plan>,
    /// The tokens as this service saw them last, where they can change (`R8`).
    seen: Option<Arc<Snapshot>>,
}

impl<S> InjectToken<S> {
    pub(super) fn new(inner: S, plan: Arc<Plan>) -> Self {
        let seen = match &plan.settings.value {
            Value::Fixed(_) => None,
            Value::Live { reader, .. } => Some(reader.snapshot()),
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Value::Jwt(_) => None,
        };
        Self { inner, plan, seen }
    }

    /// The client behind it.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The client behind it, to be changed.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The client without the injection.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, ResBody> Service<Request<B>> for InjectToken<S>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if self.plan.apply_usual(&mut request) {
            ResponseFuture::new(self.inner.call(request), None)
        } else {
            self.call_unusual(request)
        }
    }
}

impl<S> InjectToken<S> {
    /// The same with every option, in a function of its own, so that the usual request pays for none of them.
    #[cold]
    #[inline(never)]
    fn call_unusual<B>(&mut self, mut request: Request<B>) -> ResponseFuture<S::Future>
    where
        S: Service<Request<B>>,
    {
        let sent = self.plan.settings.apply(&mut self.seen, &mut request);
        ResponseFuture::new(self.inner.call(request), sent)
    }
}

impl Plan {
    pub(super) fn new(settings: Settings) -> Self {
        let usual = settings.header == DAPR_API_TOKEN
            && !settings.keep_existing
            && settings.observer.is_none();
        let fixed = match &settings.value {
            Value::Fixed(value) => value.clone(),
            Value::Live { .. } => None,
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Value::Jwt(_) => None,
        };
        Self {
            usual: fixed.filter(|_| usual),
            settings,
        }
    }

    /// Whether that was all there is to do.
    #[inline]
    fn apply_usual<B>(&self, request: &mut Request<B>) -> bool {
        match &self.usual {
            Some(value) if self.settings.origins.allow_usual(request.uri()) => {
                // Drops every value that is there already: one value, or nobody can tell which counts.
                // A map that is full is not usual.
                let headers = request.headers_mut();
                headers.try_insert(DAPR_API_TOKEN, value.clone()).is_ok()
            }
            _ => false,
        }
    }
}

impl Settings {
    fn apply<B>(&self, seen: &mut Option<Arc<Snapshot>>, request: &mut Request<B>) -> Option<Sent> {
        let (injection, sent) = match &self.value {
            Value::Fixed(value) => (self.inject(value.as_ref(), request), None),
            Value::Live { reader, .. } => {
                // Counted before the token is looked up: a load that begins in between is one too many, not
                // one too few.
                let sent = Sent::now(reader);
                let injection = self.inject(reader.current(seen).header(), request);
                (
                    injection,
                    (injection == Injection::Injected).then_some(sent),
                )
            }
            #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
            Value::Jwt(handle) => {
                let slot = handle.slot();
                // As above.
                let sent = Sent::jwt(slot);
                // Nothing is minted for a request that does not get it.
                let value = (self.origins.allow(request.uri()))
                    .then(|| self.jwt(handle))
                    .flatten();
                let injection = self.inject(value.as_ref(), request);
                (
                    injection,
                    (injection == Injection::Injected).then_some(sent),
                )
            }
        };
        if let Some(observer) = &self.observer {
            observer.on_injection(injection);
        }
        sent
    }

    fn inject<B>(&self, value: Option<&HeaderValue>, request: &mut Request<B>) -> Injection {
        if !self.origins.allow(request.uri()) {
            if !self.leave_elsewhere {
                let headers = request.headers_mut();
                headers.remove(&self.header);
                headers.remove(DAPR_API_TOKEN);
            }
            return Injection::OriginNotAllowed;
        }
        self.set(value, request.headers_mut())
    }

    /// The JWT of this moment, in the form that the header asks for.
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    pub(super) fn jwt(&self, handle: &JwtHandle) -> Option<HeaderValue> {
        handle.slot().header_value(self.header == AUTHORIZATION)
    }

    /// Sets the header of a request that goes to an allowed origin.
    #[inline]
    pub(super) fn set(&self, value: Option<&HeaderValue>, headers: &mut HeaderMap) -> Injection {
        let Some(value) = value else {
            // What the caller set, or somebody whose headers it copied, must not take the place of our token (`I2`).
            // A fixed one that is not there is `optional()`: there is nothing of ours.
            if !self.keep_existing && !matches!(self.value, Value::Fixed(_)) {
                headers.remove(&self.header);
            }
            return Injection::NoToken;
        };
        if self.keep_existing && keep_one(headers, &self.header) {
            return Injection::KeptExisting;
        }
        // A map that is full refuses a value even in place of another of its name, which must not go out as if it were
        // ours: it is taken out, and that makes room. Without one the request goes on without the token (`I2`).
        for _ in 0..2 {
            if headers.try_insert(&self.header, value.clone()).is_ok() {
                return Injection::Injected;
            }
            headers.remove(&self.header);
        }
        Injection::NoRoom
    }
}

/// Marks the caller's value, if there is exactly one. Of several nobody can tell which counts.
fn keep_one(headers: &mut HeaderMap, name: &HeaderName) -> bool {
    if headers.get_all(name).iter().count() != 1 {
        return false;
    }
    if let Some(value) = headers.get_mut(name) {
        value.set_sensitive(true);
    }
    true
}

impl<S: fmt::Debug> fmt::Debug for InjectToken<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InjectToken")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
