//! [`StartError`]: what keeps the process from starting. Each text says what to do and holds no secret.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tower_dapr_token::ConfigError;

/// Why the process does not start; it then ends with exit code 1.
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
    /// An address could not be listened on.
    Listen {
        address: SocketAddr,
        flag: &'static str,
        cause: io::Error,
    },
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
            Self::Resources(problems) => f.write_str(&problems.join("\n")),
            Self::Token(cause) => write!(f, "{cause}"),
            Self::Runtime(cause) => write!(f, "the runtime cannot be started: {cause}"),
            Self::Signals(cause) => write!(f, "signals cannot be listened to: {cause}"),
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
