//! TCP listeners.

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpListener;

use crate::error::StartError;

/// Binds `port` on each address; `flag` is named in the error.
///
/// # Errors
///
/// [`StartError::Listen`] for the first address that cannot be bound; those before it are closed again.
pub(crate) async fn bind(
    addresses: &[IpAddr],
    port: u16,
    flag: &'static str,
) -> Result<Vec<TcpListener>, StartError> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for ip in addresses {
        let address = SocketAddr::new(*ip, port);
        let listener = TcpListener::bind(address)
            .await
            .map_err(|cause| StartError::Listen {
                address,
                flag,
                cause,
            })?;
        listeners.push(listener);
    }
    Ok(listeners)
}

/// The addresses that `listeners` are bound to, free ports filled in.
///
/// # Errors
///
/// [`StartError::Listen`] when the system cannot tell.
pub(crate) fn addresses(
    listeners: &[TcpListener],
    flag: &'static str,
) -> Result<Vec<SocketAddr>, StartError> {
    let address = |listener: &TcpListener| {
        listener.local_addr().map_err(|cause| StartError::Listen {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            flag,
            cause,
        })
    };
    listeners.iter().map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn api_g1_port_0_picks_a_free_port_on_every_address() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let listeners = bind(&[loopback, loopback], 0, "--x")
            .await
            .expect("free ports");
        let addresses = addresses(&listeners, "--x").expect("bound");
        assert_eq!(addresses.len(), 2);
        assert!(addresses.iter().all(|address| address.port() != 0));
        assert_ne!(addresses[0], addresses[1]);
    }

    #[tokio::test]
    async fn a_port_in_use_is_named_with_its_flag() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let taken = bind(&[loopback], 0, "--x").await.expect("a free port");
        let address = addresses(&taken, "--x").expect("bound")[0];
        let error = bind(&[loopback], address.port(), "--x")
            .await
            .expect_err("taken");
        let text = error.to_string();
        assert!(text.contains(&address.to_string()), "{text}");
        assert!(text.contains("--x"), "{text}");
    }
}
