//! The web pages.

mod guard;
mod listener;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Ends;
use super::access::Access;
use super::engine::Engine;
use super::live::Live;
use listener::Connections;

/// What every page is made from.
pub(super) struct Served {
    pub(super) live: Arc<Live>,
    pub(super) engine: Arc<Engine>,
}

/// Serves until the server ends; answers that are under way are finished.
pub(crate) async fn serve(
    listener: TcpListener,
    live: Arc<Live>,
    engine: Arc<Engine>,
    access: Arc<Access>,
    mut ends: Ends,
) {
    let is_loopback = listener.local_addr().is_ok_and(|at| at.ip().is_loopback());
    let guard = guard::Guard { access: Arc::clone(&access), is_loopback };
    let guarded = axum::middleware::from_fn_with_state(Arc::new(guard), guard::guard);
    let pages = Router::new()
        .route("/healthz", get(health))
        .with_state(Arc::new(Served { live, engine }))
        .layer(guarded);
    let ended = async move {
        // An error is that there is nobody left to say so.
        let _ = ends.wait_for(|ended| *ended).await;
    };
    let connections = Connections::new(listener, access.tls());
    // It has no error: the listener goes on after each.
    let _ = axum::serve(connections, pages).with_graceful_shutdown(ended).await;
}

/// 200 with the lake's versions; 503 if its newest commits can't be read.
async fn health(State(served): State<Arc<Served>>) -> Response {
    let snapshot = served.live.current().await;
    let versions: serde_json::Map<String, Value> = snapshot
        .versions()
        .iter()
        .map(|(table, version)| (table.as_str().to_owned(), json!(version)))
        .collect();
    let (status, trouble) = match served.live.trouble().await {
        None => (StatusCode::OK, Value::Null),
        Some(told) => (StatusCode::SERVICE_UNAVAILABLE, json!(told)),
    };
    let body =
        json!({ "lake": versions, "queries_at_work": served.engine.at_work_now(), "trouble": trouble })
            .to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
