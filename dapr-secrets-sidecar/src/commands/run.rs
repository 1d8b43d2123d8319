//! `run`: loads the stores, opens the listeners, says that it is ready, and serves until it is told to end.

use std::sync::Arc;
use std::time::Duration;

use dapr_secrets_service::{Engine, Environment, Profile};
use http::Request;
use hyper::body::Incoming;
use tower::Layer;
use tower_dapr_token::RequireTokenLayer;

use crate::args::{ProfileArg, RunArgs};
use crate::env::Settings;
use crate::error::StartError;
use crate::gauge::Gauge;
use crate::health::RuntimeApi;
use crate::listen::{self, Listening};
use crate::load;
use crate::reload::{self, Reloader};
use crate::shutdown::{Ended, Shutdown, Signals};
use crate::{telemetry, token};

const HTTP_PORT_FLAG: &str = "--dapr-http-port";

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
    let token = token::layer(&**environment, profile, args.insecure_allow_anonymous)?;
    let loader = load::loader(&args, &settings, environment);
    // Taken first: what is written while the files are loaded is seen as a change.
    let files = loader.files_state();
    let engine = load::load(&args, &settings, loader.clone())?;
    let reloader = Reloader::new(loader, engine.clone(), files);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    let ended = runtime.block_on(serve(args, settings, profile, engine, reloader, token));
    // What the drain has cut off is not waited for.
    runtime.shutdown_background();
    ended
}

async fn serve(
    args: RunArgs,
    settings: Settings,
    profile: Profile,
    engine: Engine,
    reloader: Reloader,
    token: RequireTokenLayer,
) -> Result<Ended, StartError> {
    let limit = Duration::from_secs(args.dapr_graceful_shutdown_seconds.into());
    let shutdown = Shutdown::new(Signals::listen()?, limit);
    reload::spawn(reloader)?;
    let http = listen::bind(
        &args.dapr_listen_addresses,
        settings.http_port,
        HTTP_PORT_FLAG,
    )
    .await?;
    let addresses = listen::addresses(&http, HTTP_PORT_FLAG)?;
    let listening = Listening::new(http.len());
    let api = RuntimeApi::new(
        engine,
        profile,
        settings.app_id,
        listening.clone(),
        shutdown.stop_request(),
    );
    let make_service = move |requests: Gauge| {
        let api = api.clone();
        // Behind the token check, so that an answer to a stranger is none that the drain waits for.
        token.layer(tower::service_fn(move |request: Request<Incoming>| {
            let (api, requests) = (api.clone(), requests.clone());
            async move { api.answer(request, &requests).await }
        }))
    };
    for listener in http {
        listen::spawn(
            listener,
            make_service.clone(),
            &shutdown.drain(),
            &listening,
        );
    }
    warn_of_closed_listeners(
        settings.grpc_port,
        args.enable_metrics.then_some(args.metrics_port),
    );
    telemetry::ready(&addresses, args.log_as_json);
    Ok(shutdown.wait().await)
}

/// Says once which ports a caller would look for in vain.
fn warn_of_closed_listeners(grpc_port: u16, metrics_port: Option<u16>) {
    let mut closed = vec![format!("grpc (port {grpc_port})")];
    closed.extend(metrics_port.map(|port| format!("metrics (port {port})")));
    tracing::warn!(
        listeners = closed.join(", "),
        "this version does not serve these listeners yet; they are not opened"
    );
}
