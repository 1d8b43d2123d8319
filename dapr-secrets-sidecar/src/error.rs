//! [`StartError`]: what keeps the process from starting, or a command from its result. Each text says what to do and holds no
//! secret.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use dapr_secrets_service::InvalidRequest;
use tower_dapr_token::ConfigError;

/// Why the process does not start, or has no result; it then ends with exit code 1.
#[derive(Debug)]
pub(crate) enum StartError {
    /// A crash could write secrets to disk.
    CoreDumps(io::Error),
    /// `--mode kubernetes`, which this version cannot serve.
    KubernetesMode,
    /// An environment variable that stands in for a flag holds something else. Its value is not shown.
    Variable {
        name: &'static str,
        expected: &'static str,
    },
    /// What is wrong in component, configuration and secrets files: one text each, with file and line.
    Resources(Vec<String>),
    /// No token, or one that cannot be used.
    Token(ConfigError),
    /// The asynchronous runtime could not be started.
    Runtime(io::Error),
    /// SIGTERM and SIGINT could not be listened to.
    Signals(io::Error),
    /// A Unix socket is asked for, and no file can be named after the app id.
    AppId,
    /// A Unix socket could not be made.
    Socket { path: PathBuf, what: String },
    /// The TLS files cannot be used; the text names the file.
    #[cfg(feature = "tls")]
    Tls(String),
    /// A flag is given without the one that it belongs to.
    Without {
        flag: &'static str,
        needs: &'static str,
    },
    /// Two flags that do not go together.
    Conflict {
        flag: &'static str,
        with: &'static str,
    },
    /// A flag needs a feature that is not compiled in.
    Feature {
        flag: &'static str,
        feature: &'static str,
    },
    /// An address could not be listened on.
    Listen {
        address: SocketAddr,
        flag: &'static str,
        cause: io::Error,
    },
    /// Request metadata that no store takes.
    Metadata(InvalidRequest),
    /// What `get` could not read: one text each.
    Unread(Vec<String>),
    /// No answer to `healthcheck`, or another one than 204.
    Unhealthy { whom: String, why: String },
    /// The operating system gave no random bytes.
    Random(getrandom::Error),
    /// The result could not be written to stdout.
    Output(io::Error),
}

/// One problem, as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// `file:line: message`
    Placed(String),
    /// A message alone.
    General(String),
}

impl StartError {
    /// Every problem by itself.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Resources(problems) => problems.iter().cloned().map(Problem::Placed).collect(),
            Self::Unread(problems) => problems.iter().cloned().map(Problem::General).collect(),
            other => vec![Problem::General(other.to_string())],
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CoreDumps(cause) => write!(f, "core dumps cannot be turned off: {cause}"),
            Self::KubernetesMode => f.write_str(
                "--mode kubernetes: this version has no Kubernetes secret store; use --mode standalone with \
                 --resources-path",
            ),
            Self::Variable { name, expected } => {
                write!(
                    f,
                    "the environment variable {name} must be {expected}; correct or unset it"
                )
            }
            Self::Resources(problems) | Self::Unread(problems) => f.write_str(&problems.join("\n")),
            Self::Metadata(cause) => write!(f, "--metadata: {cause}"),
            Self::Unhealthy { whom, why } => write!(f, "{whom} {why}"),
            Self::Random(cause) => write!(
                f,
                "the random number generator of the operating system failed: {cause}"
            ),
            Self::Output(cause) => write!(f, "stdout cannot be written to: {cause}"),
            Self::Token(cause) => write!(f, "{cause}"),
            Self::Runtime(cause) => write!(f, "the runtime cannot be started: {cause}"),
            Self::Signals(cause) => write!(f, "signals cannot be listened to: {cause}"),
            Self::AppId => f.write_str(
                "--unix-domain-socket needs an --app-id of at most 64 letters, digits, `.`, `_` and `-`: the socket is \
                 named after it",
            ),
            Self::Socket { path, what } => {
                write!(f, "cannot listen on {}: {what}", path.display())
            }
            #[cfg(feature = "tls")]
            Self::Tls(what) => write!(f, "the TLS files cannot be used: {what}"),
            Self::Without { flag, needs } => write!(f, "{flag} needs {needs} as well"),
            Self::Conflict { flag, with } => {
                write!(f, "{flag} does not go together with {with}")
            }
            Self::Feature { flag, feature } => write!(
                f,
                "{flag} needs the feature `{feature}`, which is not compiled into this binary"
            ),
            Self::Listen {
                address,
                flag,
                cause,
            } => {
                write!(f, "cannot listen on {address}: {cause}")?;
                match cause.kind() {
                    io::ErrorKind::AddrInUse => {
                        write!(
                            f,
                            "; choose another {flag}, or 0 for a free one, or stop what listens there"
                        )
                    }
                    io::ErrorKind::PermissionDenied => {
                        write!(f, "; choose a {flag} of 1024 or above")
                    }
                    io::ErrorKind::AddrNotAvailable => {
                        write!(
                            f,
                            "; choose an address of this machine in --dapr-listen-addresses"
                        )
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for StartError {}
