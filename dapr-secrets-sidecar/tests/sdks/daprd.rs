//! A real daprd, started as the recorded one was. It listens on Unix sockets, because it cannot say which free port it took; the
//! clients come over TCP and are handed on.

use std::ffi::OsStr;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Ports;
use crate::process::{Sidecar, Start, TOKEN};
use crate::recording;

pub(crate) struct Daprd {
    ports: Ports,
    // It is killed before its folder goes.
    _process: Sidecar,
    _folder: TempDir,
}

impl Daprd {
    pub(crate) fn start(binary: &OsStr) -> Self {
        let folder = TempDir::new().expect("a folder");
        let start = Start::through(Command::new(binary))
            .env("DAPR_API_TOKEN", TOKEN)
            .args(["--enable-metrics=false"])
            .args(["--dapr-internal-grpc-listen-address", "127.0.0.1"])
            .args(["--unix-domain-socket"]);
        let process = recording::as_recorded(start.args([folder.path()]))
            .serve_when("dapr initialized. Status: Running");
        let socket = |api: &str| folder.path().join(format!("dapr-t-{api}.socket"));
        let ports = Ports {
            http: handed_on(socket("http")),
            grpc: handed_on(socket("grpc")),
        };
        Self {
            ports,
            _process: process,
            _folder: folder,
        }
    }

    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }
}

/// A free port, from which every connection is handed on to this socket, as long as the test program runs.
fn handed_on(socket: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            // Once daprd is gone there is nothing to connect to.
            let _ = hand_on(client, &socket);
        }
    });
    address
}

fn hand_on(client: TcpStream, socket: &Path) -> io::Result<()> {
    let server = UnixStream::connect(socket)?;
    let (mut from_client, mut to_client) = (client.try_clone()?, client);
    let (mut from_server, mut to_server) = (server.try_clone()?, server);
    std::thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        to_server.shutdown(Shutdown::Write)
    });
    std::thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut to_client);
        to_client.shutdown(Shutdown::Write)
    });
    Ok(())
}
