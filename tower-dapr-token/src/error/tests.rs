//! Every [`ConfigError`], as a user would meet it, and what it tells him to do.

use std::ffi::OsString;

use http::{HeaderName, Method};

use super::ConfigError;
use crate::token::{LoadedTokens, Token, TokenHandle, TokenSet, TokenSource};
use crate::{InjectTokenLayer, RequireTokenLayer, SourceError};

/// In every input, and in no message.
const SECRET: &str = "hunter2-hunter2-hunter2";

/// Lists the variants. One that is missing here does not compile, because there is no other arm; and one without a row
/// in the table fails the test.
macro_rules! variants {
    ($($(#[$condition:meta])* $variant:ident),+ $(,)?) => {
        const EVERY: &[&str] = &[$($(#[$condition])* stringify!($variant)),+];

        fn name(error: &ConfigError) -> &'static str {
            match error {
                $($(#[$condition])* ConfigError::$variant { .. } => stringify!($variant),)+
            }
        }
    };
}

variants!(
    TokenUnset,
    TokenInvalid,
    PreviousWithoutCurrent,
    TokenSource,
    PreviousBesideSource,
    NothingToReload,
    MaxStale,
    NobodyReloads,
    NoRuntime,
    NothingToWatch,
    NoTokenSource,
    SeveralTokenSources,
    TooManyTokens,
    HeaderName,
    ValueLimit,
    ExemptPath,
    Port,
    Origin,
    PlaintextOrigin,
    NoOrigin,
    KeySetUrl,
    RootCertificate,
    KeyRefresh,
    #[cfg(feature = "jwks")]
    KeySet,
    OriginNotAllowed,
    NeedsRequest,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    Jwt,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    KeySetFile,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    JwtSigner,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    JwtSource,
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    NobodyRenews,
);

/// The variant, a part of its message that says what to do, and how to get it.
type Row = (&'static str, &'static str, ConfigError);

fn token(text: &str) -> Token {
    text.parse().expect("valid")
}

fn secret() -> Token {
    token(SECRET)
}

/// Gives a token, and has no file.
struct Says;

impl TokenSource for Says {
    fn load(&self) -> Result<LoadedTokens, SourceError> {
        Ok(LoadedTokens::new(secret()))
    }

    fn is_atomic(&self) -> bool {
        true
    }
}

fn variables(set: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + Sync {
    move |asked| {
        let found = set.iter().find(|(name, _)| *name == asked);
        found.map(|(_, value)| OsString::from(value))
    }
}

fn of_tokens() -> Vec<Row> {
    let unset = variables(&[]);
    let invalid = variables(&[("APP_API_TOKEN", "hunter2-hunter2-hunter2 and more")]);
    let previous = variables(&[("DAPR_API_TOKEN_PREVIOUS", SECRET)]);
    let inbound = RequireTokenLayer::builder;
    let outbound = InjectTokenLayer::builder;
    let handle = TokenHandle::builder;
    let nine = (0..9).try_fold(TokenSet::new(secret()), |set, i| {
        set.add_previous(token(&format!("{SECRET}-{i}")))
    });
    vec![
        (
            "TokenUnset",
            "DAPR_API_TOKEN is not set: set it to the token",
            outbound()
                .dapr_token()
                .environment(&unset)
                .any_loopback_port()
                .build()
                .expect_err("unset"),
        ),
        (
            "TokenInvalid",
            "the token in APP_API_TOKEN contains a space, a control character or a byte that is not ASCII: use 1 to",
            inbound()
                .app_token()
                .environment(&invalid)
                .build()
                .expect_err("a space"),
        ),
        (
            "TokenInvalid",
            "the token is empty: use 1 to",
            " \n".parse::<Token>().expect_err("blank"),
        ),
        (
            "PreviousWithoutCurrent",
            "set DAPR_API_TOKEN to the current token, or unset DAPR_API_TOKEN_PREVIOUS",
            outbound()
                .dapr_token()
                .environment(&previous)
                .any_loopback_port()
                .build()
                .expect_err("no current one"),
        ),
        (
            "TokenSource",
            "is not there; put 1 to 8 tokens there, one a line",
            inbound()
                .file("/no-such-folder/token")
                .build()
                .expect_err("no file"),
        ),
        (
            "PreviousBesideSource",
            "let the source list the previous token",
            inbound()
                .source(Says)
                .add_previous(secret())
                .build()
                .expect_err("both"),
        ),
        (
            "NothingToReload",
            "build_with_handle() has no effect on these tokens: name a source that can be read again",
            inbound()
                .token(secret())
                .build_with_handle()
                .expect_err("a literal"),
        ),
        (
            "MaxStale",
            "max_stale of 1s would refuse requests between two readings of the source: use at least 30 s",
            handle()
                .source(Says)
                .max_stale(std::time::Duration::from_secs(1))
                .build()
                .expect_err("too short"),
        ),
        (
            "NobodyReloads",
            "add reload_in_background() (feature `tokio`), or build_with_handle() and call refresh()",
            inbound()
                .source(Says)
                .max_stale(std::time::Duration::from_secs(60))
                .build()
                .expect_err("nobody reads it again"),
        ),
        (
            "NoTokenSource",
            "no token was configured: name a source",
            inbound().build().expect_err("nothing named"),
        ),
        (
            "SeveralTokenSources",
            "name exactly one",
            inbound()
                .token(secret())
                .source(Says)
                .build()
                .expect_err("two"),
        ),
        (
            "TooManyTokens",
            "remove the oldest",
            nine.expect_err("nine"),
        ),
        (
            "ValueLimit",
            "it must be at least the length of the longest configured token and at most 1024",
            inbound()
                .token(secret())
                .max_value_len(8)
                .build()
                .expect_err("longer than that"),
        ),
        #[cfg(feature = "tokio")]
        (
            "NoRuntime",
            "build inside one, or, for tokens, leave out reload_in_background() and call refresh()",
            handle()
                .source(Says)
                .reload_in_background()
                .build()
                .expect_err("no runtime"),
        ),
        // Nothing asks for a runtime here.
        #[cfg(not(feature = "tokio"))]
        ("NoRuntime", "build inside one", ConfigError::NoRuntime),
        #[cfg(feature = "inotify")]
        (
            "NothingToWatch",
            "let files() of the source name what it reads, or ask for reload_in_background() instead",
            handle()
                .source(Says)
                .watch_files()
                .build()
                .expect_err("no files"),
        ),
        // Nothing is watched here.
        #[cfg(not(feature = "inotify"))]
        ("NothingToWatch", "let files()", ConfigError::NothingToWatch),
    ]
}

fn of_requests() -> Vec<Row> {
    let inbound = || RequireTokenLayer::builder().token(secret());
    let outbound = || InjectTokenLayer::builder().token(secret());
    let dapr = |set: &'static [(&'static str, &'static str)]| {
        let environment = variables(set);
        InjectTokenLayer::builder()
            .dapr_token()
            .environment(&environment)
            .build()
            .expect_err("no such address")
    };
    vec![
        (
            "HeaderName",
            "`x_token` cannot carry the token: choose a name of its own, without `_`",
            inbound()
                .header_name(HeaderName::from_static("x_token"))
                .build()
                .expect_err("an underscore"),
        ),
        (
            "HeaderName",
            "`grpc-timeout` cannot carry the token: choose a name of its own, without `_`, that does not begin with \
             `-` or `grpc-` nor end in `-bin`",
            outbound()
                .header_name(HeaderName::from_static("grpc-timeout"))
                .any_loopback_port()
                .build()
                .expect_err("a name of gRPC"),
        ),
        (
            "ExemptPath",
            "give the exact path as it is sent",
            inbound()
                .exempt(Method::GET, "/healthz?deep")
                .build()
                .expect_err("a query"),
        ),
        (
            "Origin",
            "the origin has no scheme that can carry a token: write it as `http://host:port` or `https://host:port`",
            "ftp://host"
                .parse::<crate::Origin>()
                .expect_err("no scheme"),
        ),
        (
            "Origin",
            "the address in DAPR_GRPC_ENDPOINT names a DNS server, which is not supported: write it as \
             `http://host:port`, `https://host:port`, `dns:host:port?tls=true` or `unix:path`",
            dapr(&[("DAPR_GRPC_ENDPOINT", "dns://8.8.8.8/host:443")]),
        ),
        (
            "Origin",
            "the address in DAPR_HTTP_ENDPOINT has user information: write it as",
            dapr(&[(
                "DAPR_HTTP_ENDPOINT",
                "https://hunter2-hunter2-hunter2@dapr.example.com",
            )]),
        ),
        (
            "Port",
            "DAPR_HTTP_PORT is not a port: set it to the number that the sidecar listens on, 1 to 65535, or unset it",
            dapr(&[("DAPR_HTTP_PORT", "http://127.0.0.1:3500")]),
        ),
        (
            "Port",
            "DAPR_GRPC_PORT is not a port: set it to the number",
            dapr(&[("DAPR_GRPC_PORT", "hunter2-hunter2-hunter2")]),
        ),
        (
            "PlaintextOrigin",
            "http://orders.example:80 would get the token unencrypted: use https, or list the origin with \
             allow_plaintext()",
            outbound()
                .add_origin("http://orders.example".parse().expect("an origin"))
                .build()
                .expect_err("readable"),
        ),
        (
            "NoOrigin",
            "add one with add_origin(..), allow loopback, or name a Unix socket with for_fixed_origin(..)",
            outbound().build().expect_err("nowhere to go"),
        ),
        (
            "OriginNotAllowed",
            "https://orders.example:443 may not get the token: if it is meant to, list it with add_origin(..)",
            outbound()
                .any_loopback_port()
                .build_injector("https://orders.example".parse().expect("an origin"))
                .expect_err("not listed"),
        ),
        (
            "NeedsRequest",
            "has no effect on headers alone, which tell neither method nor address: use a layer, or leave it out",
            inbound()
                .http_health()
                .build_verifier()
                .expect_err("no path"),
        ),
        (
            "NeedsRequest",
            "leave_for_other_origins() has no effect on headers alone",
            outbound()
                .any_loopback_port()
                .leave_for_other_origins()
                .build_injector("http://127.0.0.1:3500".parse().expect("an origin"))
                .expect_err("no address"),
        ),
    ]
}

#[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
fn of_jwts() -> Vec<Row> {
    use crate::{JwtFile, JwtHandle, JwtKeys, JwtRules, JwtSigner, KeySetFile};

    let no_set = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&no_set, SECRET).expect("written");

    let rules = || JwtRules::new("https://issuer.example", "orders");
    let key =
        || JwtKeys::secret("64 bytes that are a secret in tests alone and nowhere else......");
    vec![
        (
            "Jwt",
            "give a public key in PEM or DER to pem(..)",
            JwtKeys::pem(SECRET).expect_err("no key"),
        ),
        (
            "Jwt",
            "set the clocks instead",
            RequireTokenLayer::builder()
                .jwt(
                    key().expect("long enough"),
                    rules()
                        .algorithms([crate::Algorithm::HS256])
                        .leeway(std::time::Duration::from_secs(3600)),
                )
                .build()
                .expect_err("an hour"),
        ),
        (
            "KeySetFile",
            "put one JSON Web Key Set of 1 to 64 keys there",
            KeySetFile::builder(no_set.path())
                .build()
                .expect_err("no set"),
        ),
        (
            "JwtSigner",
            "pem(..) of the JWT signer is missing: give the private key",
            JwtSigner::builder()
                .issuer(SECRET)
                .build()
                .expect_err("no key"),
        ),
        (
            "JwtSource",
            "is not there; the source must give one JWT of at most 8 KiB whose `exp` is ahead",
            JwtHandle::builder(JwtFile::new("/no-such-folder/jwt"))
                .build()
                .expect_err("no file"),
        ),
        (
            "NobodyRenews",
            "add reload_in_background() (feature `tokio`), or give jwt_handle(..) a handle on which you call refresh()",
            InjectTokenLayer::builder()
                .jwt(JwtFile::new("/no-such-folder/jwt"))
                .any_loopback_port()
                .build()
                .expect_err("nobody"),
        ),
    ]
}

/// In a runtime, which fetches the keys.
#[cfg(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto")))]
async fn of_keys() -> Vec<Row> {
    use crate::{JwtRules, RemoteKeys};

    let build = async |keys: RemoteKeys| {
        RequireTokenLayer::builder()
            .remote_keys(keys, JwtRules::new("https://issuer.example", "orders"))
            .build()
            .await
            .expect_err("no keys")
    };
    // Takes connections and says nothing: none of them is an answer.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("bound");
    let hangs_up = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let rows = vec![
        (
            "KeySetUrl",
            "use an `https` address without user information",
            build(RemoteKeys::jwks(format!("https://{SECRET}@keys.example/"))).await,
        ),
        (
            "RootCertificate",
            "give the root certificates as PEM with root_certificate(..), or install those of the operating system",
            build(RemoteKeys::jwks("https://keys.example/").root_certificate(SECRET)).await,
        ),
        (
            "KeyRefresh",
            "refresh_every does not fit: use a minute to a day",
            build(
                RemoteKeys::jwks("https://keys.example/")
                    .refresh_every(std::time::Duration::from_secs(1)),
            )
            .await,
        ),
        (
            "KeyRefresh",
            "use at least two minutes",
            build(
                RemoteKeys::jwks("https://keys.example/")
                    .max_stale(std::time::Duration::from_secs(1)),
            )
            .await,
        ),
        (
            "KeySet",
            "put that right, or start without keys with build_lazy(), which answers 503 until they come",
            build(RemoteKeys::jwks(format!("http://{address}/{SECRET}"))).await,
        ),
    ];
    hangs_up.abort();
    rows
}

/// Nothing fetches keys here.
#[cfg(not(all(feature = "jwks", any(feature = "jwt", feature = "jwt-rust-crypto"))))]
async fn of_keys() -> Vec<Row> {
    let reason = "is odd";
    vec![
        (
            "KeySetUrl",
            "use an `https`",
            ConfigError::KeySetUrl { reason },
        ),
        (
            "RootCertificate",
            "give the root certificates",
            ConfigError::RootCertificate { reason },
        ),
        ("KeyRefresh", "is odd", ConfigError::KeyRefresh { reason }),
        #[cfg(feature = "jwks")]
        (
            "KeySet",
            "build_lazy()",
            ConfigError::KeySet {
                error: crate::token::jwks::JwksErrorKind::NotAKeySet.into(),
            },
        ),
    ]
}

#[test]
fn o4_every_config_error_says_what_to_do_and_holds_no_secret() {
    let mut rows = of_tokens();
    rows.extend(of_requests());
    #[cfg(any(feature = "jwt", feature = "jwt-rust-crypto"))]
    rows.extend(of_jwts());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    rows.extend(runtime.block_on(of_keys()));
    for (variant, advice, error) in &rows {
        let text = error.to_string();
        assert_eq!(name(error), *variant, "{text}");
        assert!(text.contains(advice), "{variant}: {text}");
        assert!(!format!("{text} {error:?}").contains(SECRET), "{variant}");
    }
    for variant in EVERY {
        assert!(
            rows.iter().any(|(row, ..)| row == variant),
            "no row: {variant}"
        );
    }
}
