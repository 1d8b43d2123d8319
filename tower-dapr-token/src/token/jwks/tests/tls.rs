//! `https`, with certificates that are made here.

use std::sync::{Arc, Mutex};

use http::Response;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::{JwksErrorKind, KeySetSink, RemoteKeys};
use super::support::{Asked, Names, TokioClock, serve};
use crate::error::ConfigError;

/// A certificate authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A server on loopback with a certificate for these names.
    async fn server(&self, params: CertificateParams) -> u16 {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let private_key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private_key)
            .expect("a pair");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that does not trust us ends the handshake.
                if let Ok(stream) = acceptor.accept(stream).await {
                    let answer = Arc::new(|_: &_| Response::new(Names::document(&["a"])));
                    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
                    serve(stream, answer, asked).await;
                }
            }
        });
        port
    }
}

fn named(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("valid names")
}

async fn load(keys: RemoteKeys) -> Result<(), JwksErrorKind> {
    let names = Arc::new(Names::default());
    let set = keys
        .start(Arc::clone(&names) as _, TokioClock::start(), None)
        .expect("valid");
    let result = set.first_load().await;
    assert_eq!(names.holds("a"), result.is_ok());
    result.map_err(|error| error.kind())
}

#[tokio::test]
async fn t6_over_https_a_server_is_believed_whose_certificate_a_given_root_vouches_for() {
    let authority = Authority::new();
    let stranger = Authority::new();
    let mut expired = named(&["127.0.0.1"]);
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let both = format!("{}{}", stranger.pem, authority.pem);
    let table: Vec<(
        &str,
        CertificateParams,
        &str,
        &str,
        Result<(), JwksErrorKind>,
    )> = vec![
        (
            "address",
            named(&["127.0.0.1"]),
            "127.0.0.1",
            &authority.pem,
            Ok(()),
        ),
        (
            "name",
            named(&["localhost"]),
            "localhost",
            &authority.pem,
            Ok(()),
        ),
        (
            "second root",
            named(&["localhost"]),
            "localhost",
            &both,
            Ok(()),
        ),
        (
            "unknown root",
            named(&["127.0.0.1"]),
            "127.0.0.1",
            &stranger.pem,
            Err(JwksErrorKind::Untrusted),
        ),
        (
            "other name",
            named(&["login.example.com"]),
            "127.0.0.1",
            &authority.pem,
            Err(JwksErrorKind::Untrusted),
        ),
        (
            "name for address",
            named(&["localhost"]),
            "127.0.0.1",
            &authority.pem,
            Err(JwksErrorKind::Untrusted),
        ),
        (
            "expired",
            expired,
            "127.0.0.1",
            &authority.pem,
            Err(JwksErrorKind::Untrusted),
        ),
    ];
    for (name, params, host, root, expected) in table {
        let port = authority.server(params).await;
        let keys = RemoteKeys::jwks(format!("https://{host}:{port}/keys")).root_certificate(root);
        assert_eq!(load(keys).await, expected, "{name}");
    }
    assert!(
        CryptoProvider::get_default().is_none(),
        "the default of the process is neither needed nor set"
    );
}

#[tokio::test]
async fn t6_plain_http_behind_an_https_address_is_no_server_to_believe() {
    let server = super::support::Server::start(|_| Response::new(Names::document(&["a"]))).await;
    let authority = Authority::new();
    let keys = RemoteKeys::jwks(format!("https://{}/keys", server.address))
        .root_certificate(&authority.pem);
    assert_eq!(load(keys).await, Err(JwksErrorKind::Untrusted));
}

#[tokio::test]
async fn t6_https_behind_a_plain_http_address_is_an_error() {
    let authority = Authority::new();
    let port = authority.server(named(&["127.0.0.1"])).await;
    let keys = RemoteKeys::jwks(format!("http://127.0.0.1:{port}/keys"));
    assert_eq!(load(keys).await, Err(JwksErrorKind::Broken));
}

#[tokio::test]
async fn t6_root_certificates_that_are_none_are_refused_at_configuration() {
    let error = RemoteKeys::jwks("https://127.0.0.1:1/keys")
        .root_certificate("not a certificate")
        .start(Arc::new(Names::default()), TokioClock::start(), None)
        .expect_err("refused");
    assert!(
        matches!(error, ConfigError::RootCertificate { .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("root_certificate(..)"),
        "{error}"
    );
}
