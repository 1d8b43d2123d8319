//! An authority, and a certificate of it for each side. Made when the program starts; in a deployment they are files.

use rcgen::{
    BasicConstraints, CertificateParams, Error, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tonic::transport::Identity;

/// What both sides are given.
pub(crate) struct Certificates {
    /// The authority's certificate, in PEM.
    pub(crate) authority: String,
    pub(crate) server: Identity,
    pub(crate) client: Identity,
}

impl Certificates {
    pub(crate) fn issue() -> Result<Self, Error> {
        let key = KeyPair::generate()?;
        let mut authority = CertificateParams::new([])?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = authority.self_signed(&key)?;
        let issuer = Issuer::new(authority, key);
        Ok(Self {
            authority: certificate.pem(),
            server: identity(&issuer, "localhost", ExtendedKeyUsagePurpose::ServerAuth)?,
            client: identity(&issuer, "daprd", ExtendedKeyUsagePurpose::ClientAuth)?,
        })
    }
}

fn identity(
    issuer: &Issuer<'_, KeyPair>,
    name: &str,
    purpose: ExtendedKeyUsagePurpose,
) -> Result<Identity, Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.extended_key_usages = vec![purpose];
    let certificate = params.signed_by(&key, issuer)?;
    Ok(Identity::from_pem(certificate.pem(), key.serialize_pem()))
}
