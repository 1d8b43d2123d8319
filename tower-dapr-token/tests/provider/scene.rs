//! Layers with every kind of key, of which one is fetched over TLS, and what they must answer.

use std::convert::Infallible;
use std::fs;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use tempfile::TempDir;
use tower::util::ServiceFn;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_dapr_token::{
    Algorithm, JwtHandle, JwtKeys, JwtSigner, KeySetFile, RemoteKeys, RequireTokenLayer, Waiting,
};

use crate::authority::Authority;
use crate::signing::{ISSUER, Key, NOW, Wall, forged, key_set, rules, signed};

const SECRET: [u8; 64] = [7; 64];

pub(crate) struct Scene {
    fixed: RequireTokenLayer,
    secret: RequireTokenLayer,
    file: RequireTokenLayer,
    remote: RequireTokenLayer<Waiting>,
    minted: JwtHandle,
    key: Key,
    document: Arc<Mutex<String>>,
    _folder: TempDir,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let key = Key::new("first");
        let document = Arc::new(Mutex::new(key_set(&[&key])));
        let authority = Authority::new();
        let served = Arc::clone(&document);
        let answer = move |_: &str| served.lock().expect("no test panicked").clone();
        let origin = authority.serve(answer).await;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jwks.json");
        fs::write(&path, key_set(&[&key])).expect("written");

        let builder = || RequireTokenLayer::builder().wall_clock(Wall::at(NOW));
        let keys = JwtKeys::key_set(key_set(&[&key])).expect("a key");
        let by_secret = JwtKeys::secret(SECRET).expect("long enough");
        let file = KeySetFile::builder(&path).build().expect("a key");
        let signer = JwtSigner::builder()
            .pem(key.private_key())
            .key_id("first")
            .issuer(ISSUER)
            .audience("orders")
            .build()
            .expect("valid");
        let minted = JwtHandle::builder(signer).wall_clock(Wall::at(NOW)).build();
        let remote = RemoteKeys::jwks(format!("{origin}/keys")).root_certificate(authority.root());
        Self {
            fixed: builder().jwt(keys, rules()).build().expect("valid"),
            secret: builder()
                .jwt(by_secret, rules().algorithms([Algorithm::HS256]))
                .build()
                .expect("valid"),
            file: builder()
                .key_set_file(&file, rules())
                .build()
                .expect("valid"),
            remote: builder()
                .remote_keys(remote, rules())
                .build()
                .await
                .expect("keys over TLS"),
            minted: minted.expect("a token"),
            key,
            document,
            _folder: folder,
        }
    }

    /// Tokens that were never seen before, good and bad, so that signatures are computed.
    pub(crate) async fn judge(&self, caller: &str) {
        let claims = format!(
            r#"{{"iss":"{ISSUER}","aud":"orders","sub":"{caller}","exp":{}}}"#,
            NOW + 60
        );
        let good = self.key.token_of(caller);
        let by_secret = signed(&claims, &SECRET);
        self.minted.refresh().expect("signed");
        let minted = self.minted.header_value().expect("a token");
        let minted = minted.to_str().expect("ASCII");
        let table = [
            ("minted", minted, 200, 401),
            ("good", good.as_str(), 200, 401),
            ("by the secret", &by_secret, 401, 200),
            ("by another secret", &signed(&claims, &[8; 64]), 401, 401),
            (
                "by another key",
                &Key::new("first").token_of(caller),
                401,
                401,
            ),
            ("forged", &forged("first"), 401, 401),
            ("no JWT", "a.b.c", 401, 401),
        ];
        for (name, token, asymmetric, symmetric) in table {
            for (kind, got, expected) in [
                (
                    "fixed",
                    ask(self.fixed.layer(app()), token).await,
                    asymmetric,
                ),
                ("file", ask(self.file.layer(app()), token).await, asymmetric),
                (
                    "remote",
                    ask(self.remote.layer(app()), token).await,
                    asymmetric,
                ),
                (
                    "secret",
                    ask(self.secret.layer(app()), token).await,
                    symmetric,
                ),
            ] {
                assert_eq!(got, expected, "{caller}: {name}, keys: {kind}");
            }
        }
    }

    /// The issuer has a new key, which is fetched over TLS while a request waits.
    pub(crate) async fn roll_over(&self) {
        let new = Key::new("second");
        *self.document.lock().expect("no test panicked") = key_set(&[&new]);
        assert_eq!(ask(self.remote.layer(app()), &new.token()).await, 200);
        assert_eq!(ask(self.remote.layer(app()), &self.key.token()).await, 401);
    }
}

type App = fn(Request<()>) -> Ready<Result<Response<()>, Infallible>>;

fn app() -> ServiceFn<App> {
    service_fn(|_| ready(Ok(Response::new(()))))
}

async fn ask<S, B>(service: S, token: &str) -> u16
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let request = Request::post("/orders").header("dapr-api-token", token);
    let asked = service.oneshot(request.body(()).expect("valid")).await;
    asked.expect("infallible").status().as_u16()
}
