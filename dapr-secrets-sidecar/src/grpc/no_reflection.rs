//! Stands in for `reflection.rs` in a build without it: no such service.

use std::convert::Infallible;

use http::{Request, Response};
use hyper::body::Incoming;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;

pub(super) struct Reflection;

impl Reflection {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) fn find(
        &self,
        _: &str,
    ) -> Option<BoxCloneSyncService<Request<Incoming>, Response<Body>, Infallible>> {
        None
    }
}
