//! [`Tls`]: the handshake, and the certificate files, which are read again while the process runs (feature `tls`).
//!
//! rustls over aws-lc-rs, which is handed over, so that no default of the process matters. TLS 1.2 and 1.3. With a file
//! of client authorities, a client must have a certificate of one of them.
//!
//! The files are read every two seconds: they are small, and a time that a file claims for itself says little. What is
//! new must be the same 100 ms later and must fit together; else the last good files stay in force, which is told once.
//! Connections that are open stay as they are. Sessions of before the change are not resumed, since the new settings
//! begin without any: a client of a removed authority has to show its certificate again.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::socket::Transport;
use crate::error::StartError;
use crate::shutdown::Drain;

/// Far more than a chain or a bundle of authorities needs.
const MAX_FILE_LEN: u64 = 1024 * 1024;
/// Three small reads; a shorter time would gain nothing beside what writes such files.
const POLL: Duration = Duration::from_secs(2);
/// For how long new files must stay as they are.
const SETTLE: Duration = Duration::from_millis(100);

/// Which files.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// Authorities of clients; with them a client must have a certificate.
    pub(crate) client_ca: Option<PathBuf>,
}

/// The settings in force; clones follow the same files.
#[derive(Debug, Clone)]
pub(crate) struct Tls(watch::Receiver<Arc<ServerConfig>>);

impl Tls {
    /// Reads the files, and again and again until the drain begins. To be called in the runtime.
    ///
    /// # Errors
    ///
    /// [`StartError::Tls`]
    pub(crate) fn open(files: TlsFiles, mut drain: Drain) -> Result<Self, StartError> {
        let (mut reloader, tls) =
            Reloader::begin(files).map_err(|problem| StartError::Tls(problem.to_string()))?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = drain.begun() => return,
                    () = tokio::time::sleep(POLL) => reloader.reload().await,
                }
            }
        });
        Ok(tls)
    }

    /// The handshake of one connection; it is not bounded in time.
    pub(super) async fn accept(&self, transport: Transport) -> io::Result<Transport> {
        let config = Arc::clone(&self.0.borrow());
        let stream = TlsAcceptor::from(config).accept(transport).await?;
        Ok(Box::new(stream))
    }
}

/// What is in the files. The key is wiped.
#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
}

/// What is wrong with a file. It holds nothing of what is in it.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    path: PathBuf,
    what: String,
}

impl Problem {
    fn new(path: &Path, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

/// Reads the files again.
struct Reloader {
    files: Arc<TlsFiles>,
    in_force: Contents,
    publish: watch::Sender<Arc<ServerConfig>>,
    /// What was told, and is still so.
    failing: Option<Problem>,
    /// How often new files could not be used.
    failures: u64,
}

impl Reloader {
    fn begin(files: TlsFiles) -> Result<(Self, Tls), Problem> {
        let in_force = read(&files)?;
        let config = config(&files, &in_force)?;
        let (publish, settings) = watch::channel(config);
        let reloader = Self {
            files: Arc::new(files),
            in_force,
            publish,
            failing: None,
            failures: 0,
        };
        Ok((reloader, Tls(settings)))
    }

    /// Puts new files in force, if there are any that can be used.
    async fn reload(&mut self) {
        match self.load().await {
            Ok(news) => {
                if self.failing.take().is_some() {
                    tracing::info!("the TLS files can be used again");
                }
                if let Some((contents, config)) = news {
                    self.in_force = contents;
                    self.publish.send_replace(config);
                    tracing::info!("new TLS files are in force");
                }
            }
            Err(problem) => {
                if self.failing.as_ref() != Some(&problem) {
                    self.failures += 1;
                    tracing::error!(
                        failures = self.failures,
                        "the new TLS files cannot be used, the last good ones stay: {problem}"
                    );
                    self.failing = Some(problem);
                }
            }
        }
    }

    /// What is new; `None` if nothing is, or if it still changes.
    async fn load(&self) -> Result<Option<(Contents, Arc<ServerConfig>)>, Problem> {
        let contents = self.read().await?;
        if contents == self.in_force {
            return Ok(None);
        }
        tokio::time::sleep(SETTLE).await;
        if self.read().await? != contents {
            return Ok(None);
        }
        let config = config(&self.files, &contents)?;
        Ok(Some((contents, config)))
    }

    async fn read(&self) -> Result<Contents, Problem> {
        let files = Arc::clone(&self.files);
        let reading = tokio::task::spawn_blocking(move || read(&files));
        match reading.await {
            Ok(read) => read,
            // The runtime ends, or the reading panicked, which nothing in it does.
            Err(_) => Err(Problem::new(
                &self.files.certificate,
                "it could not be read",
            )),
        }
    }
}

fn read(files: &TlsFiles) -> Result<Contents, Problem> {
    Ok(Contents {
        certificate: read_file(&files.certificate)?.to_vec(),
        key: read_file(&files.key)?,
        client_ca: files
            .client_ca
            .as_deref()
            .map(|path| read_file(path).map(|content| content.to_vec()))
            .transpose()?,
    })
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let unreadable = |error: io::Error| Problem::new(path, error.to_string());
    // Before it is opened, because opening a pipe would wait for somebody to write.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Problem::new(path, "it is no file"));
    }
    let room = metadata.len().min(MAX_FILE_LEN) + 1;
    let file = File::open(path).map_err(unreadable)?;
    // Room for all that is read: a growing vector would leave unwiped copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(
        usize::try_from(2 * room).unwrap_or_default(),
    ));
    file.take(MAX_FILE_LEN + 1)
        .read_to_end(&mut content)
        .map_err(unreadable)?;
    if content.len() as u64 > MAX_FILE_LEN {
        return Err(Problem::new(path, "it is larger than 1 MiB"));
    }
    Ok(content)
}

fn config(files: &TlsFiles, contents: &Contents) -> Result<Arc<ServerConfig>, Problem> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(&files.certificate, &contents.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&contents.key)
        .map_err(|_| Problem::new(&files.key, "it holds no private key in PEM"))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Problem::new(&files.certificate, error.to_string()))?;
    let builder = match (&files.client_ca, &contents.client_ca) {
        (Some(path), Some(content)) => {
            let mut authorities = RootCertStore::empty();
            for certificate in certificates(path, content)? {
                authorities
                    .add(certificate)
                    .map_err(|error| Problem::new(path, error.to_string()))?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider)
                    .build()
                    .map_err(|error| Problem::new(path, error.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
        _ => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        let path = files.key.display();
        Problem::new(&files.certificate, format!("with the key {path}: {error}"))
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path, content: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(content)
        .collect::<Result<_, _>>()
        // The error may quote the file.
        .map_err(|_| Problem::new(path, "it is no PEM that can be read"))?;
    if certificates.is_empty() {
        return Err(Problem::new(path, "it holds no certificate in PEM"));
    }
    Ok(certificates)
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
