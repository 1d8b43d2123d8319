//! Real servers, which hold the service in the three ways in which frameworks hold it.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower_dapr_token::{RequireToken, RequireTokenLayer};
use tower_layer::Layer as _;
use tower_service::Service;

/// How a server holds the layer's service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    /// In an axum router.
    Router,
    /// hyper-util clones it for every request, so each request begins with the tokens as they were when the server began.
    PerRequest,
    /// One for each connection: it keeps the tokens that it saw last.
    PerConnection,
}

/// Which protocol a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Serves on a port of its own until the runtime ends.
pub(crate) async fn serve(
    layer: &RequireTokenLayer,
    holding: Holding,
    protocol: Protocol,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    if holding == Holding::Router {
        let app = Router::new()
            .route("/", get(|| async {}))
            .layer(layer.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        return Ok(address);
    }
    let service = layer.layer(App);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            match holding {
                Holding::PerConnection => {
                    let kept = Kept(Arc::new(Mutex::new(service)));
                    tokio::spawn(connection(stream, protocol, kept));
                }
                _ => {
                    tokio::spawn(connection(
                        stream,
                        protocol,
                        TowerToHyperService::new(service),
                    ));
                }
            }
        }
    });
    Ok(address)
}

async fn connection<S, B>(stream: TcpStream, protocol: Protocol, service: S)
where
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: hyper::body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let io = TokioIo::new(stream);
    // A client that goes away is no fault: it would say so itself.
    match protocol {
        Protocol::Http1 => {
            let server = hyper::server::conn::http1::Builder::new();
            let _ = server.serve_connection(io, service).await;
        }
        Protocol::Http2 => {
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(io, service).await;
        }
    }
}

/// The app behind the layer.
#[derive(Clone, Debug)]
struct App;

impl Service<Request<Incoming>> for App {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Incoming>) -> Self::Future {
        ready(Ok(Response::default()))
    }
}

/// One service that is never cloned again.
struct Kept(Arc<Mutex<RequireToken<App>>>);

type Answer = Result<Response<tower_dapr_token::ResponseBody<Full<Bytes>>>, Infallible>;

impl hyper::service::Service<Request<Incoming>> for Kept {
    type Response = Response<tower_dapr_token::ResponseBody<Full<Bytes>>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // The app is always ready.
        let mut service = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Box::pin(service.call(request))
    }
}
