//! Flags of the listeners and of the token file.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::HeaderValue;

use super::listen_address;
use super::values::{size, span};
use crate::cors::origin;
use crate::listen::Limits;

/// What `--allowed-origins` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Any,
    One(HeaderValue),
}

/// Part of the flags of `run`.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct ListenArgs {
    /// Serve on sockets in this folder instead of on ports, `dapr-<app id>-http.socket`, mode 0660; needs --app-id
    #[arg(long, value_name = "DIR")]
    pub(crate) unix_domain_socket: Option<PathBuf>,

    /// Port for the two health routes alone, without a token; 0 picks a free one [default: none]
    #[arg(long, value_name = "PORT")]
    pub(crate) dapr_public_port: Option<u16>,

    /// Address of the public port [default: 0.0.0.0, which is every IPv4 address of this machine]
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    pub(crate) dapr_public_listen_address: Option<IpAddr>,

    /// Serve TLS with this certificate chain, in PEM; it is read again when it changes
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert_file: Option<PathBuf>,

    /// The certificate's private key, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key_file: Option<PathBuf>,

    /// Ask clients for a certificate of one of these authorities, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_client_ca_file: Option<PathBuf>,

    /// Browser origins that may call, as a comma list, or * for any [default: none]
    #[arg(long, value_name = "ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub(crate) allowed_origins: Vec<Origin>,

    /// Most connections that are open at once; at the limit the one that is idle longest is closed
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) max_connections: u32,

    /// Most requests with a valid token that are answered at once; more are refused with 503
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(crate) max_concurrent_requests: u32,

    /// Longest head of a request, such as 16Ki or 65536; at least 8Ki [default: 16Ki]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) read_buffer_size: Option<usize>,

    /// Deprecated: --read-buffer-size in whole KiB
    #[arg(long, value_name = "KIB", value_parser = clap::value_parser!(u32).range(0..=16_384))]
    pub(crate) dapr_http_read_buffer_size: Option<u32>,

    /// File with the token, one a line, the current one first; it is read again when it changes [default: $DAPR_API_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub(crate) api_token_file: Option<PathBuf>,

    /// How long a token is still accepted after the file has named another; 0 ends it at once
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = span)]
    pub(crate) api_token_overlap: Duration,
}

impl ListenArgs {
    /// The limits of a connection, and what about the flags is worth a notice.
    pub(crate) fn limits(&self) -> (Limits, Vec<&'static str>) {
        let mut notices = Vec::new();
        let mut limits = Limits::default();
        let kib = self.dapr_http_read_buffer_size;
        if kib.is_some() {
            notices.push(if self.read_buffer_size.is_some() {
                "--dapr-http-read-buffer-size is deprecated, and --read-buffer-size is given: it has no effect"
            } else {
                "--dapr-http-read-buffer-size is deprecated: use --read-buffer-size"
            });
        }
        let kib = kib.and_then(|kib| usize::try_from(kib).ok()?.checked_mul(1024));
        if let Some(bytes) = self.read_buffer_size.or(kib) {
            if bytes < crate::listen::LEAST_READ_BUFFER {
                notices.push("a read buffer of less than 8Ki is raised to 8Ki: the HTTP server takes no smaller one");
            }
            limits.read_buffer = bytes.max(crate::listen::LEAST_READ_BUFFER);
        }
        (limits, notices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_g1_a_read_buffer_is_at_least_8_kib() {
        let rows = [
            ("none", None, None, 16 * 1024, 0),
            ("given", Some(32 * 1024), None, 32 * 1024, 0),
            ("the least", Some(8 * 1024), None, 8 * 1024, 0),
            ("too small", Some(8 * 1024 - 1), None, 8 * 1024, 1),
            ("zero", Some(0), None, 8 * 1024, 1),
            ("deprecated", None, Some(64), 64 * 1024, 1),
            ("daprd's default", None, Some(4), 8 * 1024, 2),
            ("both", Some(32 * 1024), Some(4), 32 * 1024, 1),
        ];
        for (name, size, kib, expected, notices) in rows {
            let args = ListenArgs {
                read_buffer_size: size,
                dapr_http_read_buffer_size: kib,
                ..ListenArgs::default()
            };
            let (limits, told) = args.limits();
            assert_eq!(
                (limits.read_buffer, told.len()),
                (expected, notices),
                "{name}"
            );
        }
    }

    #[test]
    fn api_g1_api_g6_values_that_mean_nothing_are_refused() {
        let rows = [
            ("--max-connections", "0"),
            ("--max-connections", "1000001"),
            ("--max-connections", "-1"),
            ("--max-concurrent-requests", "0"),
            ("--read-buffer-size", "1Gi"),
            ("--dapr-http-read-buffer-size", "16385"),
            ("--dapr-http-read-buffer-size", "4Ki"),
            ("--dapr-public-port", "65536"),
            ("--dapr-public-listen-address", "localhost"),
            ("--api-token-overlap", "1d"),
            ("--api-token-file", ""),
            ("--unix-domain-socket", ""),
            ("--tls-cert-file", ""),
            ("--allowed-origins", "app.example"),
        ];
        for (flag, value) in rows {
            let arguments = ["dapr-secrets-sidecar", &format!("{flag}={value}")].map(Into::into);
            let error = crate::args::parse(arguments.to_vec()).expect_err(flag);
            assert_eq!(error.exit_code(), 2, "{flag}={value}");
            assert!(error.to_string().contains(flag), "{flag}={value}: {error}");
        }
    }

    #[test]
    fn api_g6_the_defaults_of_the_flags_are_those_of_the_limits() {
        let arguments = vec!["dapr-secrets-sidecar".into()];
        let args = crate::args::parse(arguments)
            .expect("no flag is required")
            .args
            .listen;
        assert_eq!(
            (args.max_connections, args.max_concurrent_requests),
            (1024, 1024)
        );
        assert_eq!(args.api_token_overlap, Duration::from_secs(3600));
        let (limits, notices) = args.limits();
        let seconds = [limits.handshake, limits.head, limits.idle].map(|limit| limit.as_secs());
        assert_eq!((limits.read_buffer, limits.streams), (16 * 1024, 64));
        assert_eq!((seconds, notices.len()), ([10, 10, 75], 0));
    }
}
