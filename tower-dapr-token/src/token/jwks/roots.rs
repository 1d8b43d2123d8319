//! Whom the server of the keys must be vouched for by: root certificates, and TLS over aws-lc-rs (`T6`).
//!
//! The roots are those of the operating system (`rustls-native-certs`), so that what an operator trusts or distrusts
//! on a machine, such as the authority of a company, holds here too. A list compiled into the program grows old with
//! it. The verifier of the platform has more rules of its own to know; on Linux, where Dapr runs, it reads the same
//! files.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::ConfigError;

/// Several times the bundle of an operating system.
const MAX_PEM_LEN: usize = 1024 * 1024;

/// Where the roots come from.
#[derive(Clone, Default)]
pub(super) enum Roots {
    /// The operating system, or the files that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    #[default]
    System,
    /// The same, if there are any: it begins over plain `http`, and TLS may never be needed.
    SystemIfAny,
    /// These and no others, as PEM.
    Pem(Arc<[u8]>),
    /// None: nothing is ever fetched over TLS.
    Unused,
}

impl Roots {
    /// Reads them. Those of the operating system are files, of some hundred KiB, which are read here and now.
    pub(super) fn into_tls_config(self) -> Result<ClientConfig, ConfigError> {
        let store = self.into_store()?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| refused("the TLS library offers no safe version"))?;
        Ok(config.with_root_certificates(store).with_no_client_auth())
    }

    fn into_store(self) -> Result<RootCertStore, ConfigError> {
        match self {
            Self::System => needed(system()),
            Self::SystemIfAny => Ok(system()),
            Self::Pem(pem) => from_pem(&pem),
            Self::Unused => Ok(RootCertStore::empty()),
        }
    }
}

fn system() -> RootCertStore {
    let mut store = RootCertStore::empty();
    // A file that cannot be read, or a certificate that cannot be used, must not hide the others.
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    store
}

fn needed(store: RootCertStore) -> Result<RootCertStore, ConfigError> {
    if store.is_empty() {
        return Err(refused(
            "the operating system has no root certificates, or none that can be read",
        ));
    }
    Ok(store)
}

/// All of them must be good: they were named one by one.
fn from_pem(pem: &[u8]) -> Result<RootCertStore, ConfigError> {
    if pem.len() > MAX_PEM_LEN {
        return Err(refused("the root certificates are longer than 1 MiB"));
    }
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|_| refused("the root certificates are not valid PEM"))?;
        store
            .add(certificate)
            .map_err(|_| refused("a root certificate is not a valid X.509 certificate"))?;
    }
    if store.is_empty() {
        return Err(refused("there is no certificate in the PEM text"));
    }
    Ok(store)
}

fn refused(reason: &'static str) -> ConfigError {
    ConfigError::RootCertificate { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t6_a_system_without_root_certificates_is_an_error() {
        let error = needed(RootCertStore::empty()).expect_err("none");
        assert!(
            error.to_string().contains("root_certificate(..)"),
            "{error}"
        );
    }

    #[test]
    fn t6_root_certificates_are_read_whole_or_refused() {
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = rcgen::CertificateParams::default()
            .self_signed(&key)
            .expect("a certificate");
        let good = certificate.pem();
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let table: &[(&str, String, Result<usize, &str>)] = &[
            ("one", good.clone(), Ok(1)),
            ("two", format!("{good}{good}"), Ok(2)),
            (
                "with text around",
                format!("our root:\n{good}\nthe end"),
                Ok(1),
            ),
            ("nothing", String::new(), Err("no certificate")),
            ("a key", key.serialize_pem(), Err("no certificate")),
            (
                "not base64",
                good.replace("MII", "*!*"),
                Err("not valid PEM"),
            ),
            (
                "cut",
                good[..good.len() - 30].to_owned(),
                Err("not valid PEM"),
            ),
            (
                "not X.509",
                no_certificate.to_owned(),
                Err("not a valid X.509"),
            ),
            (
                "one of two bad",
                format!("{good}{no_certificate}"),
                Err("not a valid X.509"),
            ),
            ("too long", " ".repeat(MAX_PEM_LEN + 1), Err("1 MiB")),
        ];
        for (name, pem, expected) in table {
            // Those of the operating system are not among them.
            match (Roots::Pem(pem.as_bytes().into()).into_store(), expected) {
                (Ok(store), Ok(len)) => assert_eq!(store.len(), *len, "{name}"),
                (Err(ConfigError::RootCertificate { reason }), Err(part)) => {
                    assert!(reason.contains(part), "{name}: {reason}");
                }
                (result, _) => panic!("{name}: {result:?}"),
            }
        }
    }
}
