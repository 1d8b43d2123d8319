//! [`JwtRules`]: what a token must say to be accepted (`T4`).

use std::time::Duration;

use super::algorithm::{Algorithm, Algorithms};
use super::error::JwtConfigError;
use super::subject::SubjectRule;
use crate::error::ConfigError;

/// Larger values keep expired tokens alive.
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// What the tokens of one issuer, or of several that share keys, must claim.
///
/// `exp`, `aud` and `iss` are required, and cannot be waived: a token without them would pass for ever, or was made
/// for another service. A clock may be 60 s off. Signatures with a shared secret are refused unless
/// [`algorithms`](Self::algorithms) names them, because each verifier could forge tokens.
///
/// ```
/// use std::time::Duration;
/// use tower_dapr_token::{Algorithm, JwtRules, SubjectRule};
///
/// let rules = JwtRules::new("https://issuer.example", "orders")
///     .algorithms([Algorithm::ES256])
///     .add_subject(SubjectRule::spiffe("spiffe://example.org/ns/shop/"))
///     .max_lifetime(Duration::from_secs(3600));
/// ```
#[derive(Clone, Debug)]
#[must_use = "rules do nothing until a layer is built with them"]
pub struct JwtRules {
    /// Empty: a token must not name one (`T5`).
    pub(super) issuers: Vec<String>,
    pub(super) audiences: Vec<String>,
    pub(super) leeway: Duration,
    pub(super) subjects: Vec<SubjectRule>,
    pub(super) max_lifetime: Option<Duration>,
    pub(super) scopes: Vec<String>,
    /// Which claim the scopes are read from, if not from `scope`.
    pub(super) scope_claim: Option<String>,
    pub(super) algorithms: Algorithms,
    pub(super) types: Types,
    pub(super) allow_kidless: bool,
}

impl JwtRules {
    /// Tokens of this issuer, made for this audience. Both are compared byte by byte: `https://a` and `https://a/` are
    /// two issuers.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuers: vec![issuer.into()],
            ..Self::without_issuer(audience.into())
        }
    }

    /// Tokens that name no issuer.
    pub(super) fn without_issuer(audience: String) -> Self {
        Self {
            issuers: Vec::new(),
            audiences: vec![audience],
            leeway: Duration::from_secs(60),
            subjects: Vec::new(),
            max_lifetime: None,
            scopes: Vec::new(),
            scope_claim: None,
            algorithms: Algorithms::asymmetric(),
            types: Types::default(),
            allow_kidless: false,
        }
    }

    /// Accepts this issuer too, under the same keys. Give an issuer with keys of its own rules of its own.
    pub fn add_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// Expects this audience in place of the one before.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences = vec![audience.into()];
        self
    }

    /// Accepts tokens made for this audience too.
    pub fn add_audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// How far the issuer's clock may be off, instead of 60 s. At most 300 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Accepts tokens of this subject, and of those that further calls name. Without a call every subject will do,
    /// even none.
    pub fn add_subject(mut self, rule: SubjectRule) -> Self {
        self.subjects.push(rule);
        self
    }

    /// Refuses tokens that live longer, from `iat` to `exp`; `iat` is then required.
    pub fn max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = Some(lifetime);
        self
    }

    /// Refuses tokens without this scope. It is looked for in `scope`, a string of names with single spaces between (RFC
    /// 8693 section 4.2), or where [`scope_claim`](Self::scope_claim) says. Each call adds one; all are required.
    pub fn require_scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Looks for the required scopes in this claim, and no longer in `scope`: for issuers that name it otherwise, such
    /// as `scp` with Microsoft Entra ID (a string) and with Okta (an array). Both forms are taken: a string of names with
    /// single spaces between, or an array of strings, each of which is one name.
    ///
    /// ```
    /// use tower_dapr_token::JwtRules;
    ///
    /// let rules = JwtRules::new("https://login.example.com/tenant/v2.0", "orders")
    ///     .scope_claim("scp")
    ///     .require_scope("orders.read");
    /// ```
    pub fn scope_claim(mut self, name: impl Into<String>) -> Self {
        self.scope_claim = Some(name.into());
        self
    }

    /// Accepts these algorithms alone, instead of every one that needs no shared secret. The key still decides: a
    /// token never gets an algorithm that its key is not for.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts these values of the header `typ` alone, ignoring case, and no token without one. By default it may be
    /// absent, `JWT` or `at+jwt`. A value means the same with `application/` before it.
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.types = Types::only(types.into_iter().map(Into::into));
        self
    }

    /// Accepts this value of the header `typ` too.
    pub fn add_type(mut self, typ: impl Into<String>) -> Self {
        self.types = self.types.and(typ.into());
        self
    }

    /// Tries a token that names no key with up to four keys. By default it is accepted only if exactly one key fits,
    /// because each further key multiplies the cost of a bad token.
    pub fn allow_kidless(mut self) -> Self {
        self.allow_kidless = true;
        self
    }

    /// Which algorithms are accepted: what a key must be for to be of use.
    pub(crate) fn allowed(&self) -> Algorithms {
        self.algorithms
    }

    /// That keys which discovery finds for this issuer are to vouch for its tokens, and not for those of others alone
    /// (`T6`). Rules that name no issuer (`T5`) go with every one.
    #[cfg(feature = "jwks")]
    pub(crate) fn check_discovery(&self, issuer: &str) -> Result<(), ConfigError> {
        if self.issuers.is_empty() || self.are_for(Some(issuer)) {
            return Ok(());
        }
        Err(JwtConfigError::Rule {
            setting: "new",
            reason: "names another issuer than discovery(..): give both the issuer that signs the tokens, byte by byte",
        }
        .into())
    }

    /// Whether these rules are for tokens with this `iss`.
    pub(super) fn are_for(&self, issuer: Option<&str>) -> bool {
        match issuer {
            Some(issuer) => self.issuers.iter().any(|configured| configured == issuer),
            None => self.issuers.is_empty(),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |setting, reason| Err(JwtConfigError::Rule { setting, reason }.into());
        if self.issuers.iter().any(String::is_empty) {
            return wrong(
                "new",
                "has an empty issuer: give the value of `iss` in its tokens",
            );
        }
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return wrong(
                "audience",
                "has an empty audience: give the value of `aud` that means this service",
            );
        }
        if self.leeway > MAX_LEEWAY {
            return wrong("leeway", "is longer than 300 s: set the clocks instead");
        }
        if self.algorithms.is_empty() {
            return wrong("algorithms", "names none: leave it out, or name one");
        }
        if self.max_lifetime == Some(Duration::ZERO) {
            return wrong("max_lifetime", "is 0: no token could be accepted");
        }
        if !self.scopes.iter().all(|scope| is_scope(scope)) {
            return wrong(
                "require_scope",
                "is not one scope: call it once for each, without spaces",
            );
        }
        if let Some(claim) = &self.scope_claim {
            if claim.is_empty() || REGISTERED.contains(&claim.as_str()) {
                return wrong(
                    "scope_claim",
                    "names no claim that could hold scopes: give the issuer's own, such as `scp`",
                );
            }
            if self.scopes.is_empty() {
                return wrong(
                    "scope_claim",
                    "is read for required scopes alone: add require_scope(..), or leave it out",
                );
            }
        }
        if self.types.are_blank() {
            return wrong(
                "types",
                "names none, or an empty one: no token could be accepted",
            );
        }
        match self.subjects.iter().find_map(SubjectRule::fault) {
            Some(reason) => wrong("add_subject", reason),
            None => Ok(()),
        }
    }
}

/// The claims of RFC 7519 section 4.1, which mean something else.
const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// RFC 6749 section 3.3.
fn is_scope(scope: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    !scope.is_empty() && scope.bytes().all(is_allowed)
}

/// Which values of the header `typ` are accepted.
#[derive(Clone, Debug)]
pub(super) struct Types {
    may_be_absent: bool,
    names: Vec<String>,
}

impl Default for Types {
    /// The forms in use; others belong to other protocols.
    fn default() -> Self {
        Self {
            may_be_absent: true,
            names: vec!["JWT".to_owned(), "at+jwt".to_owned()],
        }
    }
}

impl Types {
    pub(super) fn only(names: impl IntoIterator<Item = String>) -> Self {
        Self {
            may_be_absent: false,
            names: names.into_iter().collect(),
        }
    }

    pub(super) fn and(mut self, name: String) -> Self {
        self.names.push(name);
        self
    }

    pub(super) fn admit(&self, typ: Option<&str>) -> bool {
        typ.map_or(self.may_be_absent, |typ| {
            let typ = without_prefix(typ);
            self.names
                .iter()
                .any(|name| without_prefix(name).eq_ignore_ascii_case(typ))
        })
    }

    fn are_blank(&self) -> bool {
        let is_blank = |name: &String| without_prefix(name).is_empty();
        self.names.is_empty() || self.names.iter().any(is_blank)
    }
}

/// A type is the same with `application/` before it, if no other slash is in it (RFC 7515 section 4.1.9).
fn without_prefix(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => typ,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t4_rules_that_no_token_could_meet_are_an_error() {
        let rules = || JwtRules::new("https://issuer.example", "orders");
        let table: &[(&str, JwtRules, Option<&str>)] = &[
            ("plain", rules(), None),
            ("no issuer", JwtRules::new("", "orders"), Some("new")),
            (
                "an empty further issuer",
                rules().add_issuer(""),
                Some("new"),
            ),
            ("no audience", JwtRules::new("a", ""), Some("audience")),
            (
                "an empty further audience",
                rules().add_audience(""),
                Some("audience"),
            ),
            (
                "the longest leeway",
                rules().leeway(Duration::from_secs(300)),
                None,
            ),
            (
                "a longer leeway",
                rules().leeway(Duration::from_millis(300_001)),
                Some("leeway"),
            ),
            ("no algorithm", rules().algorithms([]), Some("algorithms")),
            (
                "no life",
                rules().max_lifetime(Duration::ZERO),
                Some("max_lifetime"),
            ),
            ("a scope", rules().require_scope("orders:read"), None),
            (
                "two scopes in one",
                rules().require_scope("a b"),
                Some("require_scope"),
            ),
            (
                "an empty scope",
                rules().require_scope(""),
                Some("require_scope"),
            ),
            (
                "another claim for scopes",
                rules().require_scope("a").scope_claim("scp"),
                None,
            ),
            (
                "a claim without a name",
                rules().require_scope("a").scope_claim(""),
                Some("scope_claim"),
            ),
            (
                "a claim that means something else",
                rules().require_scope("a").scope_claim("aud"),
                Some("scope_claim"),
            ),
            (
                "a claim that nothing is looked for in",
                rules().scope_claim("scp"),
                Some("scope_claim"),
            ),
            (
                "no types",
                rules().types(Vec::<String>::new()),
                Some("types"),
            ),
            ("an empty type", rules().add_type(""), Some("types")),
            (
                "an empty type behind the usual prefix",
                rules().types(["JWT", "application/"]),
                Some("types"),
            ),
            (
                "the same, added and in another case",
                rules().add_type("Application/"),
                Some("types"),
            ),
            (
                "the prefix twice, which is a name",
                rules().add_type("application/application/"),
                None,
            ),
            (
                "an empty subject",
                rules().add_subject(SubjectRule::exact("")),
                Some("add_subject"),
            ),
            (
                "a SPIFFE id",
                rules().add_subject(SubjectRule::spiffe("spiffe://a/b")),
                None,
            ),
            (
                "no SPIFFE id",
                rules().add_subject(SubjectRule::spiffe("https://a/b")),
                Some("add_subject"),
            ),
        ];
        for (name, rules, expected) in table {
            let setting = match rules.check() {
                Ok(()) => None,
                Err(ConfigError::Jwt {
                    error: JwtConfigError::Rule { setting, .. },
                }) => Some(setting),
                Err(other) => panic!("{name}: {other}"),
            };
            assert_eq!(setting, *expected, "{name}");
        }
    }
}
