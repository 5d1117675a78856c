//! Who is connected, so that another connection can cancel what they run, and a closed one ends it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use datafusion_postgres::pgwire::api::cancel::CancelHandler;
use datafusion_postgres::pgwire::messages::cancel::CancelRequest;
use datafusion_postgres::pgwire::messages::startup::SecretKey;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How soon it is seen that a client has gone.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Ends what a client runs: each change is one wish.
pub(super) type Stop = watch::Sender<u64>;

/// What a running query listens to.
pub(super) type Stopped = watch::Receiver<u64>;

type Key = (i32, Vec<u8>);

/// See the file's first lines.
#[derive(Default)]
pub(super) struct Clients {
    by_key: Mutex<HashMap<Key, Arc<Stop>>>,
}

/// A client's entry; it is gone with it.
pub(super) struct Entry {
    clients: Arc<Clients>,
    key: Key,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.clients.by_key.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

fn key(pid: i32, secret: &SecretKey) -> Key {
    let secret = match secret {
        SecretKey::I32(secret) => secret.to_be_bytes().to_vec(),
        SecretKey::Bytes(secret) => secret.to_vec(),
    };
    (pid, secret)
}

impl Clients {
    pub(super) fn enter(self: &Arc<Self>, pid: i32, secret: &SecretKey, stop: Arc<Stop>) -> Entry {
        let key = key(pid, secret);
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), stop);
        Entry { clients: Arc::clone(self), key }
    }

    fn stop(&self, pid: i32, secret: &SecretKey) {
        let stop = self.by_key.lock().unwrap_or_else(PoisonError::into_inner).get(&key(pid, secret)).cloned();
        if let Some(stop) = stop {
            self::stop(&stop);
        }
    }
}

/// Ends what runs now; what comes later is not meant.
pub(super) fn stop(stop: &Stop) {
    stop.send_modify(|wishes| *wishes = wishes.wrapping_add(1));
}

/// Cancel requests, which come on a connection of their own.
pub(super) struct Cancels(pub(super) Arc<Clients>);

#[async_trait]
impl CancelHandler for Cancels {
    async fn on_cancel_request(&self, request: CancelRequest) {
        self.0.stop(request.pid, &request.secret_key);
    }
}

/// Waits until the other side has closed the connection, which nobody reads while a query runs.
pub(super) async fn closed(stream: &TcpStream) {
    loop {
        match stream.ready(Interest::READABLE).await {
            Ok(ready) if !ready.is_read_closed() => tokio::time::sleep(LOOK_EVERY).await,
            _ => return,
        }
    }
}
