//! Stands in for `tls.rs` where the feature `tls` is not compiled in: nothing can be opened.

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;

use super::socket::Transport;
use crate::error::StartError;
use crate::shutdown::Drain;

/// Which files.
#[derive(Debug, Clone)]
#[expect(
    dead_code,
    reason = "the flags are known, so that the error can name the feature"
)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) client_ca: Option<PathBuf>,
}

/// Never there.
#[derive(Debug, Clone)]
pub(crate) struct Tls(Infallible);

impl Tls {
    /// # Errors
    ///
    /// [`StartError::Feature`], always.
    pub(crate) fn open(_: TlsFiles, _: Drain) -> Result<Self, StartError> {
        Err(StartError::Feature {
            flag: "--tls-cert-file",
            feature: "tls",
        })
    }

    #[expect(clippy::unused_async, reason = "as its twin in tls.rs")]
    pub(super) async fn accept(&self, _: Transport) -> io::Result<Transport> {
        match self.0 {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g5_without_the_feature_a_tls_flag_is_an_error_that_names_it() {
        let error = StartError::Feature {
            flag: "--tls-cert-file",
            feature: "tls",
        };
        let text = error.to_string();
        assert!(
            text.contains("--tls-cert-file") && text.contains("`tls`"),
            "{text}"
        );
    }
}
