//! The preset for tokens of Dapr's certificate authority, Sentry (`T5`).

use super::algorithm::Algorithm;
use super::error::JwtConfigError;
use super::rules::JwtRules;
use super::subject::{SubjectRule, is_trust_domain};
use crate::error::ConfigError;

impl JwtRules {
    /// Tokens that Dapr's Sentry signs for the workloads of this trust domain.
    ///
    /// `aud` must be the trust domain, or what [`audience`](Self::audience) and [`add_audience`](Self::add_audience)
    /// say; `sub` must lie under `spiffe://trust-domain/ns/`; RS256, ES256 and EdDSA are accepted. Sentry leaves
    /// `iss` out unless it is configured there, so a token must not have one; with [`add_issuer`](Self::add_issuer)
    /// it must have that one.
    ///
    /// daprd never sends such a token in `dapr-api-token` by itself (dapr/dapr #5886, closed as stale): it reaches an
    /// app only if the calling workload puts it there.
    ///
    /// # Errors
    ///
    /// If the name cannot be a trust domain: 1 to 255 lower-case letters, digits, `.`, `-` and `_`.
    ///
    /// ```
    /// use tower_dapr_token::JwtRules;
    ///
    /// let rules = JwtRules::dapr_sentry("public")?.audience("orders");
    /// assert!(JwtRules::dapr_sentry("https://public").is_err());
    /// # Ok::<(), tower_dapr_token::ConfigError>(())
    /// ```
    pub fn dapr_sentry(trust_domain: impl Into<String>) -> Result<Self, ConfigError> {
        let trust_domain = trust_domain.into();
        if !is_trust_domain(&trust_domain) {
            return Err(JwtConfigError::Rule {
                setting: "dapr_sentry",
                reason: "has no trust domain: give the name alone, such as `public` or `cluster.local`",
            }
            .into());
        }
        let below = SubjectRule::spiffe(format!("spiffe://{trust_domain}/ns/"));
        Ok(Self::without_issuer(trust_domain)
            .add_subject(below)
            .algorithms([Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]))
    }
}
