//! `run`: loads the stores, opens the listeners, says that it is ready, and serves until it is told to end.

use std::sync::Arc;
use std::time::Duration;

use dapr_secrets_service::{Engine, Environment, Profile};
use http::Request;
use hyper::body::Incoming;
use tower::Layer;
use tower_dapr_token::{RequireTokenLayer, TokenHandle};

use crate::admission::Admission;
use crate::args::{Origin, ProfileArg, RunArgs};
use crate::backend::Backend;
use crate::budget::AnswerBudget;
use crate::cors::Cors;
use crate::env::Settings;
use crate::error::StartError;
use crate::gauge::Gauge;
use crate::health::RuntimeApi;
use crate::listen::{Crowd, Listening, Server};
use crate::listeners::Opened;
use crate::reload::{self, Reloader};
use crate::shutdown::{Ended, Shutdown, Signals};
use crate::{files, grpc, load, telemetry, token};

/// Probes come one at a time, and from few places.
const PUBLIC_CONNECTIONS: usize = 64;

/// # Errors
///
/// Whatever keeps the process from serving: see [`StartError`].
pub(crate) fn run(
    args: RunArgs,
    foreign: &[&str],
    environment: &Arc<dyn Environment>,
) -> Result<Ended, StartError> {
    telemetry::init(args.log_level.into(), args.log_as_json);
    if !foreign.is_empty() {
        let flags: Vec<_> = foreign.iter().map(|flag| format!("--{flag}")).collect();
        tracing::warn!(
            flags = flags.join(" "),
            "flags of daprd that mean nothing here are ignored"
        );
    }
    let settings = Settings::resolve(&args, &**environment)?;
    let profile = match args.profile {
        ProfileArg::Documented => Profile::Documented,
        ProfileArg::Daprd => Profile::Daprd,
    };
    let loader = load::loader(&args, &settings, environment);
    // Taken first: what is written while the files are loaded is seen as a change.
    let loaded = loader.files_state();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    let in_runtime = runtime.enter();
    let followed = args
        .listen
        .api_token_file
        .as_deref()
        .map(|path| token::follow(path, args.listen.api_token_overlap))
        .transpose()?;
    let token = |api| {
        token::layer(
            api,
            followed.as_ref().map(TokenHandle::reader),
            &**environment,
            profile,
            args.insecure_allow_anonymous,
        )
    };
    let tokens = Tokens {
        http: token(token::Api::Http)?,
        grpc: token(token::Api::Grpc)?,
    };
    drop(in_runtime);
    let engine = load::load(&args, &settings, loader.clone())?;
    let reloader = Reloader::new(loader, engine.clone(), loaded);
    let ended = runtime.block_on(serve(args, settings, profile, engine, reloader, tokens));
    // The file is followed as long as this is held.
    drop(followed);
    // What the drain has cut off is not waited for.
    runtime.shutdown_background();
    ended
}

/// The check in front of each API, over the same token.
struct Tokens {
    http: RequireTokenLayer,
    grpc: RequireTokenLayer,
}

async fn serve(
    args: RunArgs,
    settings: Settings,
    profile: Profile,
    engine: Engine,
    reloader: Reloader,
    tokens: Tokens,
) -> Result<Ended, StartError> {
    let (limits, notices) = args.listen.limits();
    for notice in notices {
        tracing::warn!("{notice}");
    }
    let connections = files::connections(args.listen.max_connections);
    let limit = Duration::from_secs(args.dapr_graceful_shutdown_seconds.into());
    let shutdown = Shutdown::new(Signals::listen()?, limit);
    reload::spawn(reloader)?;
    let mut opened = Opened::open(&args, &settings, &shutdown.drain()).await?;
    let names = opened.names();
    let server = Server {
        limits,
        crowd: Crowd::new(connections),
        drain: shutdown.drain(),
        listening: Listening::new(opened.count()),
    };
    let requests = usize::try_from(args.listen.max_concurrent_requests).unwrap_or(usize::MAX);
    let backend = Backend {
        engine,
        profile,
        app_id: settings.app_id.unwrap_or_default(),
        admission: Admission::new(requests),
        budget: AnswerBudget::new(),
    };
    let api = RuntimeApi::new(
        backend.clone(),
        server.listening.clone(),
        shutdown.stop_request(),
    );
    // Strangers may reach the public port: they make room for each other and for nobody else.
    let public_server = Server {
        crowd: Crowd::new(PUBLIC_CONNECTIONS.min(connections)),
        ..server.clone()
    };
    let public_api = api.clone();
    let make_public = move |_: Gauge| {
        let api = public_api.clone();
        tower::service_fn(move |request: Request<Incoming>| {
            let answer = api.answer_publicly(&request);
            async move { Ok(answer) }
        })
    };
    for listener in opened.public.listeners {
        public_server.spawn(listener, None, make_public.clone());
    }
    let cors = cors(&args);
    let make_service = move |requests: Gauge| {
        let api = api.clone();
        // Behind the token check, so that an answer to a stranger is none that the drain waits for.
        cors.around(
            tokens
                .http
                .layer(tower::service_fn(move |request: Request<Incoming>| {
                    let (api, requests) = (api.clone(), requests.clone());
                    async move { api.answer(request, &requests).await }
                })),
        )
    };
    for listener in opened.http.listeners {
        server.spawn(listener, opened.http.tls.clone(), make_service.clone());
    }
    let grpc_sockets = std::mem::take(&mut opened.grpc.sockets);
    grpc::serve(&server, opened.grpc, tokens.grpc, backend).await;
    // So that the drain does not wait for this one.
    drop((server, public_server));
    warn_of_closed_listeners(
        (!grpc::SERVED).then_some(settings.grpc_port),
        args.enable_metrics.then_some(args.metrics_port),
    );
    telemetry::ready(&names, args.log_as_json);
    let ended = shutdown.wait().await;
    drop((opened.http.sockets, grpc_sockets));
    Ok(ended)
}

/// daprd takes `*` alone, its default, for no CORS; its profile does so too.
fn cors(args: &RunArgs) -> Cors {
    let origins = &args.listen.allowed_origins;
    if args.profile == ProfileArg::Daprd && *origins == [Origin::Any] {
        tracing::warn!(
            "--allowed-origins * means no CORS to daprd, and so in its profile; name the origins"
        );
        return Cors::default();
    }
    Cors::new(origins)
}

/// Says once which ports a caller would look for in vain.
fn warn_of_closed_listeners(grpc_port: Option<u16>, metrics_port: Option<u16>) {
    let grpc = grpc_port.map(|port| format!("grpc (port {port})"));
    let metrics = metrics_port.map(|port| format!("metrics (port {port})"));
    let closed: Vec<_> = grpc.into_iter().chain(metrics).collect();
    if !closed.is_empty() {
        tracing::warn!(
            listeners = closed.join(", "),
            "this build does not serve these listeners; they are not opened"
        );
    }
}
