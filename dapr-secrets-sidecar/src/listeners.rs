//! [`Opened`]: the listeners that the flags ask for. All are bound before any of them serves, so that a port in use ends
//! the process before a request is answered.

use std::net::{IpAddr, Ipv4Addr};

use crate::args::RunArgs;
use crate::env::Settings;
use crate::error::StartError;
use crate::grpc;
use crate::listen::{self, Listener, SocketFile, Tls, TlsFiles};
use crate::shutdown::Drain;

const HTTP_PORT_FLAG: &str = "--dapr-http-port";
const GRPC_PORT_FLAG: &str = "--dapr-grpc-port";
const PUBLIC_PORT_FLAG: &str = "--dapr-public-port";

/// Where one API listens.
#[derive(Debug, Default)]
pub(crate) struct Api {
    pub(crate) listeners: Vec<Listener>,
    /// For the ready line.
    pub(crate) names: Vec<String>,
    /// Removed when this is dropped.
    pub(crate) sockets: Vec<SocketFile>,
    /// For ports; whoever may open a Unix socket is on this machine.
    pub(crate) tls: Option<Tls>,
}

/// Everything that listens.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) http: Api,
    /// Nothing in a build without gRPC.
    pub(crate) grpc: Api,
    /// The health routes alone, without TLS and without a token.
    pub(crate) public: Api,
}

impl Opened {
    /// # Errors
    ///
    /// The first listener that cannot be had, or TLS files that cannot be used.
    pub(crate) async fn open(
        args: &RunArgs,
        settings: &Settings,
        drain: &Drain,
    ) -> Result<Self, StartError> {
        let tls = tls_files(args)?
            .map(|files| Tls::open(files, drain.clone()))
            .transpose()?;
        let http = api(
            args,
            settings,
            "http",
            settings.http_port,
            HTTP_PORT_FLAG,
            tls.clone(),
        )
        .await?;
        let grpc = if grpc::SERVED {
            let port = settings.grpc_port;
            api(args, settings, "grpc", port, GRPC_PORT_FLAG, tls).await?
        } else if args.dapr_grpc_port.is_some() {
            return Err(StartError::Feature {
                flag: GRPC_PORT_FLAG,
                feature: "grpc",
            });
        } else {
            Api::default()
        };
        let public = match args.listen.dapr_public_port {
            None => Api::default(),
            Some(port) => {
                let address = args.listen.dapr_public_listen_address;
                let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
                tcp(&[address], port, PUBLIC_PORT_FLAG, None).await?
            }
        };
        Ok(Self { http, grpc, public })
    }

    /// How many listeners there are.
    pub(crate) fn count(&self) -> usize {
        self.http.listeners.len() + self.grpc.listeners.len() + self.public.listeners.len()
    }

    /// The parts of the ready line.
    pub(crate) fn names(&self) -> Vec<(&'static str, Vec<String>)> {
        let apis = [
            ("http", &self.http),
            ("grpc", &self.grpc),
            ("public", &self.public),
        ];
        apis.into_iter()
            .filter(|(_, api)| !api.names.is_empty())
            .map(|(name, api)| (name, api.names.clone()))
            .collect()
    }
}

/// A socket if sockets are asked for, as in daprd, else the ports.
async fn api(
    args: &RunArgs,
    settings: &Settings,
    name: &str,
    port: u16,
    flag: &'static str,
    tls: Option<Tls>,
) -> Result<Api, StartError> {
    let Some(folder) = &args.listen.unix_domain_socket else {
        return tcp(&args.dapr_listen_addresses, port, flag, tls).await;
    };
    let (listener, file) = listen::bind_unix(folder, settings.app_id.as_deref(), name).await?;
    Ok(Api {
        listeners: vec![Listener::Unix(listener)],
        names: vec![format!("unix:{}", file.path().display())],
        sockets: vec![file],
        tls: None,
    })
}

async fn tcp(
    addresses: &[IpAddr],
    port: u16,
    flag: &'static str,
    tls: Option<Tls>,
) -> Result<Api, StartError> {
    let listeners = listen::bind(addresses, port, flag).await?;
    let names = listen::addresses(&listeners, flag)?;
    Ok(Api {
        listeners: listeners.into_iter().map(Listener::Tcp).collect(),
        names: names.iter().map(ToString::to_string).collect(),
        sockets: Vec::new(),
        tls,
    })
}

/// The TLS flags, which belong together.
fn tls_files(args: &RunArgs) -> Result<Option<TlsFiles>, StartError> {
    const CERTIFICATE: &str = "--tls-cert-file";
    const KEY: &str = "--tls-key-file";
    const CLIENT_CA: &str = "--tls-client-ca-file";
    const SOCKET: &str = "--unix-domain-socket";

    let flags = &args.listen;
    let without = |flag, needs| Err(StartError::Without { flag, needs });
    match (
        &flags.tls_cert_file,
        &flags.tls_key_file,
        &flags.tls_client_ca_file,
    ) {
        (None, None, None) => Ok(None),
        (Some(_), None, _) => without(CERTIFICATE, KEY),
        (None, Some(_), _) => without(KEY, CERTIFICATE),
        (None, None, Some(_)) => without(CLIENT_CA, CERTIFICATE),
        (Some(_), Some(_), _) if flags.unix_domain_socket.is_some() => Err(StartError::Conflict {
            flag: CERTIFICATE,
            with: SOCKET,
        }),
        (Some(certificate), Some(key), client_ca) => Ok(Some(TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
            client_ca: client_ca.clone(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::args::ListenArgs;

    #[test]
    fn api_g5_tls_flags_belong_together() {
        let given = |is: bool| is.then(|| PathBuf::from("a.pem"));
        // certificate, key, authorities, socket; what is missing or in the way
        let rows = [
            (false, false, false, false, None),
            (false, false, false, true, None),
            (true, true, false, false, None),
            (true, true, true, false, None),
            (true, false, false, false, Some("--tls-key-file")),
            (true, false, true, false, Some("--tls-key-file")),
            (false, true, false, false, Some("--tls-cert-file")),
            (false, false, true, false, Some("--tls-cert-file")),
            (true, true, true, true, Some("--unix-domain-socket")),
        ];
        for (certificate, key, client_ca, socket, missing) in rows {
            let args = RunArgs {
                listen: ListenArgs {
                    tls_cert_file: given(certificate),
                    tls_key_file: given(key),
                    tls_client_ca_file: given(client_ca),
                    unix_domain_socket: given(socket),
                    ..ListenArgs::default()
                },
                ..RunArgs::default()
            };
            let row = (certificate, key, client_ca, socket);
            match (tls_files(&args), missing) {
                (Ok(files), None) => {
                    assert_eq!(files.is_some(), certificate, "{row:?}");
                    let has_ca = files.is_some_and(|files| files.client_ca.is_some());
                    assert_eq!(has_ca, client_ca, "{row:?}");
                }
                (Err(error), Some(missing)) => {
                    assert!(error.to_string().contains(missing), "{row:?}: {error}");
                }
                (result, _) => panic!("{row:?}: {result:?}"),
            }
        }
    }
}
