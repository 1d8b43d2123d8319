//! The token check in front of everything: which token, which answer, which paths need none.
//!
//! The token comes from `DAPR_API_TOKEN` (`docs/spec/secrets-api.md`, G2). Exempt are exactly `GET /v1.0/healthz` and
//! `GET /v1.0/healthz/outbound`, compared byte by byte with the path as sent.

use std::sync::Arc;

use dapr_secrets_service::{Environment, Profile};
use http::Method;
use tower_dapr_token::{
    ConfigError, Decision, InvalidToken, Notice, Observer, Outcome, RequireTokenBuilder,
    RequireTokenLayer,
};

use crate::error::StartError;
use crate::telemetry::INSECURE;

/// The probes that every platform sends without a token.
const EXEMPT: [&str; 2] = ["/v1.0/healthz", "/v1.0/healthz/outbound"];

/// Builds the layer.
///
/// `allow_anonymous` lets the process start without a token; a token that is set is enforced all the same, and a broken
/// one is an error all the same.
///
/// # Errors
///
/// [`StartError::Token`]: unset, empty and unusable are told apart.
pub(crate) fn layer(
    environment: &dyn Environment,
    profile: Profile,
    allow_anonymous: bool,
) -> Result<RequireTokenLayer, StartError> {
    let lookup = |name: &str| environment.var(name);
    let enforced = preset(profile).dapr_token().environment(&lookup).build();
    match enforced {
        Ok(layer) => {
            if allow_anonymous {
                tracing::warn!(
                    "DAPR_API_TOKEN is set, so --insecure-allow-anonymous has no effect"
                );
            }
            Ok(layer)
        }
        Err(error) if allow_anonymous && is_absent(&error) => preset(profile)
            .insecure_allow_all()
            .build()
            .map_err(StartError::Token),
        Err(error) => Err(StartError::Token(error)),
    }
}

fn preset(profile: Profile) -> RequireTokenBuilder<'static> {
    let builder = RequireTokenLayer::builder().observer(Arc::new(Log));
    let builder = EXEMPT
        .into_iter()
        .fold(builder, |builder, path| builder.exempt(Method::GET, path));
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
#[derive(Debug)]
struct Log;

impl Observer for Log {
    fn on_decision(&self, decision: &Decision) {
        if let Outcome::Denied(rejection) = decision.outcome() {
            let reason = rejection.kind().as_str();
            tracing::debug!(target: "dapr_token::rejection", reason, "a request was refused");
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
            for profile in [Profile::Documented, Profile::Daprd] {
                let environment = environment(token);
                assert_eq!(
                    layer(&environment, profile, false).is_ok(),
                    strict,
                    "{name}"
                );
                assert_eq!(layer(&environment, profile, true).is_ok(), waived, "{name}");
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
            layer(&environment, Profile::Documented, allow_anonymous)
                .expect_err("no current token");
        }
    }
}
