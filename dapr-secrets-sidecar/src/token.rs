//! The token check in front of everything: which token, which answer, which paths need none.
//!
//! The token comes from a file that is read again and again, or from `DAPR_API_TOKEN` (`docs/spec/secrets-api.md`, G2).
//! Exempt are exactly `GET /v1.0/healthz` and `GET /v1.0/healthz/outbound`, compared byte by byte with the path as sent,
//! and on the gRPC port exactly the methods of `grpc.health.v1.Health`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dapr_secrets_service::{Environment, Profile};
use http::Method;
use tower_dapr_token::{
    ConfigError, Decision, InvalidToken, Notice, Observer, Outcome, Overlap, Reloaded,
    RequireTokenBuilder, RequireTokenLayer, SourceError, TokenHandle, TokenReader,
};

use crate::error::StartError;
use crate::telemetry::INSECURE;

/// The probes of HTTP that every platform sends without a token.
const EXEMPT: [&str; 2] = ["/v1.0/healthz", "/v1.0/healthz/outbound"];

/// Which API the check is in front of: each has its own probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    Http,
    Grpc,
}

/// Reads the token from a file, and again when it changes, as long as the handle is held.
///
/// A token that the file names no longer is accepted for the time of `overlap`; 0 ends it at once. It blocks for 100 ms,
/// and is to be called in the runtime.
///
/// # Errors
///
/// [`StartError::Token`]: a file that is not there, or holds no usable token.
pub(crate) fn follow(path: &Path, overlap: Duration) -> Result<TokenHandle, StartError> {
    TokenHandle::builder()
        .file(path)
        .overlap(Overlap::For(overlap))
        .observer(Arc::new(Log::default()))
        .watch_files()
        .build()
        .map_err(StartError::Token)
}

/// Builds the layer over the token of a file, or else of the environment.
///
/// `allow_anonymous` lets the process start without a token; a token that is set is enforced all the same, and a broken
/// one is an error all the same.
///
/// # Errors
///
/// [`StartError::Token`]: unset, empty and unusable are told apart.
pub(crate) fn layer(
    api: Api,
    file: Option<TokenReader>,
    environment: &dyn Environment,
    profile: Profile,
    allow_anonymous: bool,
) -> Result<RequireTokenLayer, StartError> {
    // What concerns both APIs is said once.
    let is_told = api == Api::Http;
    if let Some(file) = file {
        if is_told && environment.var("DAPR_API_TOKEN").is_some() {
            tracing::warn!("--api-token-file is given, so DAPR_API_TOKEN has no effect");
        }
        if is_told && allow_anonymous {
            tracing::warn!(
                "--api-token-file is given, so --insecure-allow-anonymous has no effect"
            );
        }
        return preset(api, profile)
            .reader(file)
            .build()
            .map_err(StartError::Token);
    }
    let lookup = |name: &str| environment.var(name);
    let enforced = preset(api, profile)
        .dapr_token()
        .environment(&lookup)
        .build();
    match enforced {
        Ok(layer) => {
            if is_told && allow_anonymous {
                tracing::warn!(
                    "DAPR_API_TOKEN is set, so --insecure-allow-anonymous has no effect"
                );
            }
            Ok(layer)
        }
        Err(error) if allow_anonymous && is_absent(&error) => preset(api, profile)
            .insecure_allow_all()
            .build()
            .map_err(StartError::Token),
        Err(error) => Err(StartError::Token(error)),
    }
}

fn preset(api: Api, profile: Profile) -> RequireTokenBuilder<'static> {
    let builder = RequireTokenLayer::builder();
    let builder = match api {
        Api::Http => EXEMPT
            .into_iter()
            .fold(builder, |builder, path| builder.exempt(Method::GET, path))
            .observer(Arc::new(Log::default())),
        Api::Grpc => builder
            .grpc_health()
            .observer(Arc::new(SecondLog::default())),
    };
    if profile == Profile::Daprd {
        builder.daprd_compat()
    } else {
        builder
    }
}

/// Whether no token is configured, as opposed to one that cannot be used.
fn is_absent(error: &ConfigError) -> bool {
    matches!(
        error,
        ConfigError::TokenUnset { .. }
            | ConfigError::TokenInvalid {
                reason: InvalidToken::Empty,
                ..
            }
    )
}

/// Writes to the log what the layer tells: no token, no header and no path is among it.
#[derive(Debug, Default)]
struct Log {
    /// The first load of a file is no change.
    loaded: AtomicBool,
}

impl Observer for Log {
    fn on_decision(&self, decision: &Decision) {
        if let Outcome::Denied(rejection) = decision.outcome() {
            let reason = rejection.kind().as_str();
            tracing::debug!(target: "dapr_token::rejection", reason, "a request was refused");
        }
    }

    fn on_reload(&self, result: Result<Reloaded, &SourceError>) {
        // What fails comes as a notice, once.
        if result.is_ok_and(|reloaded| reloaded == Reloaded::Changed) {
            if self.loaded.swap(true, Ordering::Relaxed) {
                tracing::info!("the token file names another token, which is in force");
            } else {
                tracing::info!("the token is that of its file");
            }
        }
    }

    fn on_notice(&self, notice: &Notice) {
        match notice {
            Notice::Exemptions(_) => tracing::info!("{notice}"),
            Notice::NotEnforcing => tracing::warn!(target: INSECURE, "{notice}"),
            _ => tracing::warn!("{notice}"),
        }
    }
}

/// The same for the second layer, without what the first one has told of the token that they share.
#[derive(Debug, Default)]
struct SecondLog(Log);

impl Observer for SecondLog {
    fn on_decision(&self, decision: &Decision) {
        self.0.on_decision(decision);
    }

    fn on_notice(&self, notice: &Notice) {
        if matches!(notice, Notice::Exemptions(_)) {
            self.0.on_notice(notice);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn environment(token: Option<&str>) -> BTreeMap<String, String> {
        token
            .map(|token| ("DAPR_API_TOKEN".to_owned(), token.to_owned()))
            .into_iter()
            .collect()
    }

    #[test]
    fn api_g2_only_an_absent_token_can_be_waived() {
        // token, started without the flag, started with it
        let rows = [
            ("set", Some("a-token-of-16-bytes-or-more"), true, true),
            ("unset", None, false, true),
            ("empty", Some(""), false, true),
            ("blank", Some(" \n"), false, true),
            ("control character", Some("a\u{1}b"), false, false),
            ("space", Some("a b"), false, false),
        ];
        for (name, token, strict, waived) in rows {
            for (api, profile) in [
                (Api::Http, Profile::Documented),
                (Api::Http, Profile::Daprd),
                (Api::Grpc, Profile::Documented),
                (Api::Grpc, Profile::Daprd),
            ] {
                let environment = environment(token);
                assert_eq!(
                    layer(api, None, &environment, profile, false).is_ok(),
                    strict,
                    "{name}"
                );
                assert_eq!(
                    layer(api, None, &environment, profile, true).is_ok(),
                    waived,
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn auth_r1_no_other_variable_stands_in_for_the_token() {
        let environment = BTreeMap::from(
            ["APP_API_TOKEN", "DAPR_API_TOKEN_PREVIOUS", "dapr_api_token"]
                .map(|name| (name.to_owned(), "a-token-of-16-bytes-or-more".to_owned())),
        );
        for allow_anonymous in [false, true] {
            // A previous token without a current one is a mistake that no flag forgives.
            layer(
                Api::Http,
                None,
                &environment,
                Profile::Documented,
                allow_anonymous,
            )
            .expect_err("no current token");
        }
    }
}
