//! Default providers of the process that nobody can use: who asks one of them panics, or gets no connection.

use std::panic::catch_unwind;

use jsonwebtoken::crypto::{CryptoProvider, KeyUtils};
use jsonwebtoken::{Algorithm, DecodingKey};

#[allow(
    clippy::panic,
    reason = "what the library's own default does, and worse for who asks it"
)]
static SIGNATURES: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| panic!("the default of the process was asked to sign"),
    verifier_factory: |_, _| panic!("the default of the process was asked to verify"),
    key_utils: KeyUtils::new_unimplemented(),
};

/// What another crate of the program may do at any time, once.
pub(crate) fn install() {
    SIGNATURES.install_default().expect("nobody was faster");
    let mut tls = rustls::crypto::aws_lc_rs::default_provider();
    tls.cipher_suites.clear();
    tls.kx_groups.clear();
    tls.install_default().expect("nobody was faster");

    let asked = catch_unwind(|| {
        let key = DecodingKey::from_secret(b"a secret");
        jsonwebtoken::crypto::verify("", b"", &key, Algorithm::HS256)
    });
    assert!(asked.is_err(), "it is in force for signatures");
    let tls = rustls::crypto::CryptoProvider::get_default().expect("installed");
    let config = rustls::ClientConfig::builder_with_provider(tls.clone());
    assert!(
        config.with_safe_default_protocol_versions().is_err(),
        "it is in force for TLS"
    );
}
