//! An issuer on loopback, for the tests of examples: a key, tokens signed with it, and a server of its discovery document
//! and its key set.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub(crate) struct Issuer {
    address: SocketAddr,
    key: RsaKeyPair,
    kid: &'static str,
}

impl Issuer {
    /// Begins to serve one new key of this name.
    pub(crate) fn start(kid: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let issuer = Self { address, key, kid };
        let documents = [issuer.configuration(), issuer.key_set()].map(|json| json.to_string());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let [configuration, key_set] = &documents;
                // A client that closes early is no error of the server.
                let _ = stream.and_then(|stream| answer(&stream, configuration, key_set));
            }
        });
        issuer
    }

    /// The value of `iss`, and the address that discovery begins at.
    pub(crate) fn name(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the key set is.
    pub(crate) fn key_set_url(&self) -> String {
        format!("{}/keys", self.name())
    }

    /// A token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let header = json!({ "alg": "RS256", "kid": self.kid });
        let [header, claims] = [&header, claims].map(|part| encoded(part.to_string().as_bytes()));
        let message = format!("{header}.{claims}");
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .expect("it signs");
        format!("{message}.{}", encoded(&signature))
    }

    fn configuration(&self) -> Value {
        json!({ "issuer": self.name(), "jwks_uri": self.key_set_url() })
    }

    fn key_set(&self) -> Value {
        // RFC 8017, A.1.1: the modulus, and at the end five bytes for the exponent, 65537.
        let public = self.key.public_key().as_ref();
        let end = public.len() - 5;
        let modulus = &public[end - self.key.public_modulus_len()..end];
        json!({ "keys": [{
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid,
            "n": encoded(modulus), "e": "AQAB",
        }] })
    }
}

/// Seconds since 1970.
#[allow(
    clippy::disallowed_methods,
    reason = "the program that is run has the clock of the system, by which its tokens must be good"
)]
pub(crate) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn answer(mut stream: &TcpStream, configuration: &str, key_set: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The rest of the head, so that nothing unread resets the connection.
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let (status, body) = match request.split(' ').nth(1) {
        Some("/.well-known/openid-configuration") => ("200 OK", configuration),
        Some("/keys") => ("200 OK", key_set),
        _ => ("404 Not Found", ""),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
