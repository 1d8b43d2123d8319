//! `healthcheck`: asks a sidecar of this machine whether it is healthy, for a container that has no shell and no `curl`.
//!
//! The question is `GET /v1.0/healthz`, or with `--outbound` `GET /v1.0/healthz/outbound`; neither needs a token, and none
//! is read. Only 204 is healthy: another status may come from another program on that port. Nothing is printed then, and
//! everything together is bounded by `--timeout`.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use dapr_secrets_service::Environment;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::args::{self, RunArgs};
use crate::env::Settings;
use crate::error::StartError;
use crate::listen;
use crate::shutdown::Ended;

pub(crate) const NOTES: &str = "\
Example, in a Dockerfile and in a pod:
  HEALTHCHECK CMD [\"/dapr-secrets-sidecar\", \"healthcheck\"]

  readinessProbe: {exec: {command: [/dapr-secrets-sidecar, healthcheck, --outbound]}}

The connection is not encrypted: beside a sidecar that serves TLS, ask its --dapr-public-port.

Environment:
  APP_ID, DAPR_HTTP_PORT
                   stand in for --app-id, --dapr-http-port

Exit codes:
  0      healthy
  1      not healthy, not reached, or no answer in time: stderr says which
  2      a flag was refused";

/// How much of an answer is read: its first line fits, whoever answers.
const STATUS_LINE_MAX: usize = 256;

/// Longest time that can be asked for: a probe that takes longer tells nothing.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// The arguments of `healthcheck`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct HealthcheckArgs {
    /// Ask whether every store is initialised that must be, in place of whether every listener is up
    #[arg(long)]
    outbound: bool,

    /// Addresses as `run` was given them: the first is asked, and for `0.0.0.0` and `::` the loopback address
    #[arg(
        long,
        value_name = "ADDRESSES",
        value_delimiter = ',',
        default_value = "127.0.0.1",
        value_parser = args::listen_address
    )]
    dapr_listen_addresses: Vec<IpAddr>,

    /// Port of the HTTP API [default: $DAPR_HTTP_PORT, or 3500]
    #[arg(long, value_name = "PORT")]
    dapr_http_port: Option<u16>,

    /// Port for the health routes alone, if `run` was given one: it is asked in place of the HTTP API's, which may speak TLS
    #[arg(long, value_name = "PORT", conflicts_with = "unix_domain_socket")]
    dapr_public_port: Option<u16>,

    /// Address of the public port [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS", value_parser = args::listen_address)]
    dapr_public_listen_address: Option<IpAddr>,

    /// Folder of the Unix sockets: `dapr-<app id>-http.socket` in it is asked, and no port; needs --app-id
    #[arg(long, value_name = "DIR")]
    unix_domain_socket: Option<PathBuf>,

    /// Identity of the app, which is part of the name of its socket [default: $APP_ID, or none]
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,

    /// How long all of it may take, 1ms to 60s
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = timeout)]
    timeout: Duration,
}

/// # Errors
///
/// [`StartError::Unhealthy`] when the answer is anything but 204, or none.
pub(crate) fn healthcheck(
    args: &HealthcheckArgs,
    environment: &dyn Environment,
) -> Result<Ended, StartError> {
    let target = Target::resolve(args, environment)?;
    let path = if args.outbound {
        "/v1.0/healthz/outbound"
    } else {
        "/v1.0/healthz"
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    let answered =
        runtime.block_on(async { tokio::time::timeout(args.timeout, target.ask(path)).await });
    let why = match answered {
        Ok(Ok(Some(204))) => return Ok(Ended::Drained),
        Ok(Ok(Some(status))) => format!("answered {status} to GET {path}"),
        Ok(Ok(None)) => format!("did not answer in HTTP to GET {path}"),
        Ok(Err(error)) => format!("cannot be asked: {error}"),
        Err(_) => format!("did not answer GET {path} within {:?}", args.timeout),
    };
    Err(StartError::Unhealthy {
        whom: target.to_string(),
        why,
    })
}

/// Who is asked.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Port(SocketAddr),
    Socket(PathBuf),
}

impl Target {
    fn resolve(args: &HealthcheckArgs, environment: &dyn Environment) -> Result<Self, StartError> {
        let as_run = RunArgs {
            app_id: args.app_id.clone(),
            dapr_http_port: args.dapr_http_port,
            ..RunArgs::default()
        };
        let settings = Settings::resolve(&as_run, environment)?;
        if let Some(folder) = &args.unix_domain_socket {
            let path = listen::socket_path(folder, settings.app_id.as_deref(), "http")?;
            return Ok(Self::Socket(path));
        }
        let (ip, port) = match args.dapr_public_port {
            Some(port) => (args.dapr_public_listen_address, port),
            None => (
                args.dapr_listen_addresses.first().copied(),
                settings.http_port,
            ),
        };
        let ip = match ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)) {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Ok(Self::Port(SocketAddr::new(ip, port)))
    }

    /// The status of the answer; `None` when it is no HTTP.
    async fn ask(&self, path: &str) -> io::Result<Option<u16>> {
        match self {
            Self::Port(address) => exchange(TcpStream::connect(address).await?, path).await,
            Self::Socket(socket) => exchange(UnixStream::connect(socket).await?, path).await,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(address) => write!(f, "{address}"),
            Self::Socket(socket) => write!(f, "{}", socket.display()),
        }
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    path: &str,
) -> io::Result<Option<u16>> {
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::with_capacity(STATUS_LINE_MAX);
    let mut stream = stream.take(STATUS_LINE_MAX as u64);
    while !answer.contains(&b'\n') && stream.read_buf(&mut answer).await? > 0 {}
    Ok(status(&answer))
}

/// The status in the first line of an HTTP/1 answer.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let line = str::from_utf8(line).ok()?;
    let rest = line
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    let digits = rest.split([' ', '\r']).next()?;
    let is_status = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_status.then(|| digits.parse().ok()).flatten()
}

/// A span of time within bounds.
fn timeout(text: &str) -> Result<Duration, String> {
    args::span(text)
        .ok()
        .filter(|time| !time.is_zero() && *time <= TIMEOUT_MAX)
        .ok_or_else(|| "expected a time from 1ms to 60s, such as 2s or 500ms".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn api_g4_times_have_a_unit_and_bounds() {
        for (text, millis) in [
            ("2s", Some(2000)),
            ("500ms", Some(500)),
            ("1ms", Some(1)),
            ("60s", Some(60_000)),
            ("60000ms", Some(60_000)),
            ("61s", None),
            ("0s", None),
            ("2", None),
            ("s", None),
            ("", None),
            ("+2s", None),
            ("-2s", None),
            ("2 s", None),
            ("1.5s", None),
            ("1m", Some(60_000)),
            ("2m", None),
            ("0", None),
            ("99999999999999999999s", None),
        ] {
            let parsed = timeout(text).ok();
            assert_eq!(parsed, millis.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn api_g4_the_status_is_read_from_the_first_line_alone() {
        let rows: [(&[u8], Option<u16>); 11] = [
            (b"HTTP/1.1 204 No Content\r\n", Some(204)),
            (b"HTTP/1.0 500\r\n", Some(500)),
            (b"HTTP/1.1 204", Some(204)),
            (b"HTTP/1.1 2040 x\r\n", None),
            (b"HTTP/1.1 +20 x\r\n", None),
            (b"HTTP/1.1  204\r\n", None),
            (b"HTTP/2 204\r\n", None),
            (b"x\nHTTP/1.1 204\r\n", None),
            (b"\x15\x03\x03\x00\x02\x02\x32", None),
            (b"HTTP/1.1 \xff04\r\n", None),
            (b"", None),
        ];
        for (answer, expected) in rows {
            assert_eq!(status(answer), expected, "{}", answer.escape_ascii());
        }
    }

    #[test]
    fn api_g4_the_one_that_is_asked_is_the_one_that_run_would_be() {
        let args = HealthcheckArgs {
            outbound: false,
            dapr_listen_addresses: vec![[127, 0, 0, 1].into()],
            dapr_http_port: None,
            dapr_public_port: None,
            dapr_public_listen_address: None,
            unix_domain_socket: None,
            app_id: None,
            timeout: Duration::from_secs(2),
        };
        let with_socket = HealthcheckArgs {
            unix_domain_socket: Some("/run".into()),
            ..args.clone()
        };
        let public = |address: Option<IpAddr>| HealthcheckArgs {
            dapr_public_port: Some(2),
            dapr_public_listen_address: address,
            ..args.clone()
        };
        let listening = |addresses: &[IpAddr]| HealthcheckArgs {
            dapr_listen_addresses: addresses.to_vec(),
            dapr_http_port: Some(1),
            ..args.clone()
        };
        let v6 = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let v4 = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let rows = [
            ("defaults", args.clone(), &[][..], Some("127.0.0.1:3500")),
            (
                "variables",
                args.clone(),
                &[("DAPR_HTTP_PORT", "7"), ("APP_ID", "a")],
                Some("127.0.0.1:7"),
            ),
            (
                "every IPv4 address",
                listening(&[v4, v6]),
                &[],
                Some("127.0.0.1:1"),
            ),
            ("every IPv6 address", listening(&[v6]), &[], Some("[::1]:1")),
            (
                "one address",
                listening(&[[10, 0, 0, 7].into()]),
                &[],
                Some("10.0.0.7:1"),
            ),
            ("public port", public(None), &[], Some("127.0.0.1:2")),
            (
                "public port and address",
                public(Some(v6)),
                &[("DAPR_HTTP_PORT", "7")],
                Some("[::1]:2"),
            ),
            (
                "socket",
                with_socket.clone(),
                &[("APP_ID", "a")],
                Some("/run/dapr-a-http.socket"),
            ),
            (
                "socket of an app id that names no file",
                with_socket.clone(),
                &[("APP_ID", "../a")],
                None,
            ),
            ("socket without an app id", with_socket, &[], None),
        ];
        for (name, args, variables, expected) in rows {
            let environment: BTreeMap<String, String> = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let target = Target::resolve(&args, &environment).ok();
            assert_eq!(
                target.map(|target| target.to_string()).as_deref(),
                expected,
                "{name}"
            );
        }
    }
}
