//! The web pages: the report of all tenants as it is now, a page of each, and files to download. Everything is
//! there without script, nothing is recorded, and nobody is named in what the server says of itself.

mod cache;
mod concurrency_limit;
mod downloads;
mod error_page;
mod guard;
mod listener;
mod metrics;
mod pages;
mod request;
mod server_state;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Ends;
use super::access::Access;
use super::doors::WrongPasswords;
use super::engine::Engine;
use super::live::Live;
use error_page::PageError;
use lightsout_report::page::policy;
use server_state::ServerState;

/// Serves until the server ends; answers that are under way are finished.
pub(crate) async fn serve(
    listener: TcpListener,
    live: Arc<Live>,
    engine: Arc<Engine>,
    access: Arc<Access>,
    wrong: Arc<WrongPasswords>,
    ends: Ends,
) {
    let is_loopback = listener.local_addr().is_ok_and(|at| at.ip().is_loopback());
    let tls = access.tls();
    let guard = Arc::new(guard::Guard::new(access, wrong, is_loopback));
    let password = axum::middleware::from_fn_with_state(Arc::clone(&guard), guard::password);
    let host = axum::middleware::from_fn_with_state(guard, guard::host);
    let pages = pages()
        .layer(password)
        // What watches over servers has no password.
        .route("/healthz", get(health))
        .with_state(Arc::new(ServerState::new(live, engine)))
        .layer(host)
        .layer(axum::middleware::map_response(kept_in));
    listener::serve(listener, tls, pages, ends).await;
}

fn pages() -> Router<Arc<ServerState>> {
    Router::new()
        .route("/", get(pages::report))
        .route("/tenants", get(pages::tenants))
        .route("/tenants/{id}", get(pages::of_tenant))
        .route("/tenants/{id}/{file}", get(downloads::of_tenant))
        .route("/download/{file}", get(downloads::of_all))
        .route("/metrics", get(metrics::metrics))
        .fallback(async |uri: Uri| PageError::NoPage { path: uri.path().to_owned() })
}

/// What every answer says of itself: it is not kept, not sniffed, not framed, and loads nothing.
async fn kept_in(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = format!("{}; frame-ancestors 'none'", policy(true));
    // It is made of letters that a header may have.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// 200 with the lake's versions; 503 if its newest commits can't be read.
async fn health(State(state): State<Arc<ServerState>>) -> Response {
    let snapshot = state.live.current().await;
    let versions: serde_json::Map<String, Value> = snapshot
        .versions()
        .iter()
        .map(|(table, version)| (table.as_str().to_owned(), json!(version)))
        .collect();
    let (status, trouble) = match state.live.last_error().await {
        None => (StatusCode::OK, Value::Null),
        Some(told) => (StatusCode::SERVICE_UNAVAILABLE, json!(told)),
    };
    let body = json!({ "lake": versions, "queries_at_work": state.engine.at_work_now(), "trouble": trouble })
        .to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
