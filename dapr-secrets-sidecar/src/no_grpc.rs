//! Stands in for `grpc/` in a build without it: nothing is served.

use tower_dapr_token::RequireTokenLayer;

use crate::backend::Backend;
use crate::listen::Server;
use crate::listeners::Api;

/// Whether this binary serves gRPC.
pub(crate) const SERVED: bool = false;

/// There are no listeners to serve it on.
pub(crate) async fn serve(_: &Server, _: Api, _: RequireTokenLayer, _: Backend) {}
