//! Whose program is at the other end of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::OnceCell;

/// A connection, with what has been found out about its other end.
#[derive(Clone)]
pub struct Connection {
    peer: SocketAddr,
    own: SocketAddr,
    ours: Arc<OnceCell<bool>>,
}

impl Connection {
    /// Between these addresses.
    pub fn new(peer: SocketAddr, own: SocketAddr) -> Self {
        Self {
            peer,
            own,
            ours: Arc::default(),
        }
    }

    /// Whether the other end is a socket of the user that this process runs as. Known on Linux alone, and only of programs on this
    /// machine.
    pub async fn belongs_to_us(&self) -> bool {
        let (peer, own) = (self.peer, self.own);
        let look = || async move {
            tokio::task::spawn_blocking(move || is_ours(peer, own))
                .await
                .unwrap_or(false)
        };
        *self.ours.get_or_init(look).await
    }
}

/// Looks for the socket in the kernel's tables.
#[cfg(target_os = "linux")]
fn is_ours(peer: SocketAddr, own: SocketAddr) -> bool {
    let same = |left: SocketAddr, right: SocketAddr| {
        left.port() == right.port() && left.ip().to_canonical() == right.ip().to_canonical()
    };
    let user = rustix::process::geteuid().as_raw();
    let tables = [procfs::net::tcp(), procfs::net::tcp6()];
    // A host without IPv6 has one table.
    let mut sockets = tables.into_iter().flatten().flatten();
    sockets.any(|socket| {
        // Sockets that nobody holds any more are listed with user 0 and without an inode.
        same(socket.local_address, peer) && same(socket.remote_address, own) && socket.inode != 0 && socket.uid == user
    })
}

#[cfg(not(target_os = "linux"))]
fn is_ours(_: SocketAddr, _: SocketAddr) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_of_this_process_is_its_users() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let client = tokio::net::TcpStream::connect(own).await.unwrap();
        let (_server, peer) = listener.accept().await.unwrap();
        assert!(Connection::new(peer, own).belongs_to_us().await);
        let nobody = SocketAddr::new(peer.ip(), 1);
        assert!(!Connection::new(nobody, own).belongs_to_us().await);
        drop(client);
    }
}
