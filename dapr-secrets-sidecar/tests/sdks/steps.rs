//! What the clients ask of the recording's stores, and what comes of it in each profile: the table of `docs/spec/secrets-api.md` D.

use serde_json::{Value, json};
use tonic::Code;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Profile {
    Documented,
    Daprd,
}

/// What comes of a step, whatever the protocol.
pub(crate) enum Outcome {
    /// The keys of one secret, in their order.
    One(&'static [(&'static str, &'static str)]),
    /// Secrets by their names.
    All(Value),
    Failed(Failure),
}

pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) details: Option<Details>,
    pub(crate) http: Http,
}

/// The details of an error over gRPC.
pub(crate) struct Details {
    pub(crate) reason: &'static str,
    pub(crate) metadata: Value,
    /// Its type, its name, and whose it is.
    pub(crate) resource: Option<[&'static str; 3]>,
}

/// The same over HTTP.
pub(crate) enum Http {
    /// 204: not an error.
    NoContent,
    /// Status, what HTTP calls it, and `errorCode`.
    Error(u16, &'static str, &'static str),
    /// No client that speaks HTTP gets there.
    NotAsked,
}

/// One thing that a client asks.
pub(crate) struct Step {
    /// `STORE/NAME`, or `STORE` for all its secrets.
    pub(crate) asked: &'static str,
    comes: Comes,
}

enum Comes {
    One(&'static [(&'static str, &'static str)]),
    All(Value),
    Missing,
    /// A variable that is not set.
    Unset,
    Forbidden,
    NoStore,
    TokenRefused,
}

impl Step {
    fn new(asked: &'static str, comes: Comes) -> Self {
        Self { asked, comes }
    }

    fn store(&self) -> &'static str {
        self.asked
            .split_once('/')
            .map_or(self.asked, |(store, _)| store)
    }

    fn secret(&self) -> &'static str {
        self.asked.split_once('/').map_or("", |(_, name)| name)
    }

    pub(crate) fn outcome(&self, profile: Profile) -> Outcome {
        let documented = profile == Profile::Documented;
        let (store, secret) = (self.store(), self.secret());
        let about_the_secret = |reason| Details {
            reason,
            metadata: json!({"store": store, "secret": secret}),
            resource: Some(["secret", secret, store]),
        };
        let not_found = format!(
            "failed getting secret with key {secret} from secret store {store}: secret {secret} not found"
        );
        let failure = match &self.comes {
            Comes::One(keys) => return Outcome::One(keys),
            Comes::All(secrets) => return Outcome::All(secrets.clone()),
            Comes::Unset if !documented => return Outcome::One(&[("NOPE", "")]),
            Comes::Missing | Comes::Unset if documented => Failure {
                code: Code::NotFound,
                message: not_found,
                details: Some(about_the_secret("SECRET_NOT_FOUND")),
                http: Http::NoContent,
            },
            Comes::Missing | Comes::Unset => Failure {
                code: Code::Internal,
                message: not_found,
                details: None,
                http: Http::Error(500, "Internal Server Error", "ERR_SECRET_GET"),
            },
            Comes::Forbidden => Failure {
                code: Code::PermissionDenied,
                message: format!("access denied by policy to get \"{secret}\" from \"{store}\""),
                details: documented.then(|| about_the_secret("PERMISSION_DENIED")),
                http: Http::Error(403, "Forbidden", "ERR_PERMISSION_DENIED"),
            },
            Comes::NoStore => Failure {
                code: Code::InvalidArgument,
                message: format!("failed finding secret store with key {store}"),
                details: documented.then(|| Details {
                    reason: "SECRET_STORE_NOT_FOUND",
                    metadata: json!({"store": store}),
                    resource: Some(["secretstore", store, ""]),
                }),
                http: if documented {
                    Http::Error(400, "Bad Request", "ERR_SECRET_STORE_NOT_FOUND")
                } else {
                    Http::Error(401, "Unauthorized", "ERR_SECRET_STORE_NOT_FOUND")
                },
            },
            Comes::TokenRefused => Failure {
                code: Code::Unauthenticated,
                message: if documented {
                    "invalid api token".to_owned()
                } else {
                    "Unauthorized".to_owned()
                },
                details: Some(Details {
                    reason: if documented {
                        "API_TOKEN_INVALID"
                    } else {
                        "Unauthorized"
                    },
                    metadata: json!({
                        "http.code": "401",
                        "http.error_message": "authentication error: api token mismatch",
                    }),
                    resource: None,
                }),
                http: Http::NotAsked,
            },
        };
        Outcome::Failed(failure)
    }
}

/// With the right token.
pub(crate) fn secrets() -> Vec<Step> {
    let several = Step::new(
        "multistore/db",
        Comes::One(&[
            ("password", "p@ss"),
            ("port", "5432"),
            ("tls", "true"),
            ("user", "admin"),
        ]),
    );
    [several].into_iter().chain(as_daprd()).collect()
}

/// Those in which the sidecar does not differ from daprd on purpose, which shows a number as `%!s(float64=5432)`.
pub(crate) fn as_daprd() -> Vec<Step> {
    vec![
        Step::new(
            "filestore/redisPassword",
            Comes::One(&[("redisPassword", "hunter2")]),
        ),
        Step::new("filestore/empty", Comes::One(&[("empty", "")])),
        Step::new("filestore/uni", Comes::One(&[("uni", "héllo ✓")])),
        Step::new("filestore/ctl", Comes::One(&[("ctl", "line1\nline2\ttab")])),
        Step::new(
            "filestore/html",
            Comes::One(&[("html", "<a href='x'>&amp;</a>")]),
        ),
        // Of four times as many secrets: the scope lets these through.
        Step::new(
            "allowlisted",
            Comes::All(json!({
                "redisPassword": {"redisPassword": "hunter2"},
                "a/b": {"a/b": "slash"},
            })),
        ),
        Step::new(
            "envstore",
            Comes::All(json!({"EMPTY": {"EMPTY": ""}, "GREETING": {"GREETING": "hi"}})),
        ),
        Step::new("denyall", Comes::All(json!({}))),
        Step::new("filestore/nope", Comes::Missing),
        Step::new("envstore/NOPE", Comes::Unset),
        Step::new("allowlisted/uni", Comes::Forbidden),
        // Who has no access does not learn whether there is such a secret.
        Step::new("allowlisted/nope", Comes::Forbidden),
        Step::new("otherapp/redisPassword", Comes::NoStore),
        Step::new("nostore/x", Comes::NoStore),
        Step::new("nostore", Comes::NoStore),
    ]
}

/// With another token.
pub(crate) fn refusals() -> Vec<Step> {
    vec![
        Step::new("filestore/redisPassword", Comes::TokenRefused),
        Step::new("allowlisted", Comes::TokenRefused),
        Step::new("nostore/x", Comes::TokenRefused),
    ]
}
