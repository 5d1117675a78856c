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
mod sites;

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
use super::audiences::Audiences;
use super::doors::WrongPasswords;
use super::engine::Engine;
use super::users::Users;
use error_page::PageError;
use lightsout_report::page::policy;
use server_state::ServerState;
use sites::Sites;

/// Serves until the server ends; answers that are under way are finished.
pub(crate) async fn serve(
    listener: TcpListener,
    audiences: Arc<Audiences>,
    engine: Arc<Engine>,
    access: Arc<Access>,
    users: Option<Arc<Users>>,
    wrong: Arc<WrongPasswords>,
    ends: Ends,
) {
    let is_loopback = listener.local_addr().is_ok_and(|at| at.ip().is_loopback());
    let tls = access.tls();
    let has_users = users.is_some();
    let guard = Arc::new(guard::Guard::new(access, users, wrong, is_loopback));
    let password = axum::middleware::from_fn_with_state(Arc::clone(&guard), guard::password);
    let host = axum::middleware::from_fn_with_state(guard, guard::host);
    let pages = Router::new()
        .fallback(sites::answer)
        .layer(password)
        // What watches over servers has no password.
        .route("/healthz", get(health))
        .with_state(Arc::new(Sites::new(audiences, engine, has_users)))
        .layer(host)
        .layer(axum::middleware::map_response(kept_in));
    listener::serve(listener, tls, pages, ends).await;
}

/// What a reader can ask for; what the server says of all readers together is for who sees everything.
fn pages(is_unrestricted: bool) -> Router<Arc<ServerState>> {
    let pages = Router::new()
        .route("/", get(pages::report))
        .route("/tenants", get(pages::tenants))
        .route("/tenants/{id}", get(pages::of_tenant))
        .route("/tenants/{id}/{file}", get(downloads::of_tenant))
        .route("/download/{file}", get(downloads::of_all))
        .fallback(async |uri: Uri| PageError::NoPage { path: uri.path().to_owned() });
    if is_unrestricted { pages.route("/metrics", get(metrics::metrics)) } else { pages }
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
async fn health(State(sites): State<Arc<Sites>>) -> Response {
    let live = sites.whole();
    let snapshot = live.current().await;
    let versions: serde_json::Map<String, Value> = snapshot
        .versions()
        .iter()
        .map(|(table, version)| (table.as_str().to_owned(), json!(version)))
        .collect();
    let (status, trouble) = match live.last_error().await {
        None => (StatusCode::OK, Value::Null),
        // It may name what only some users may see.
        Some(_) if sites.has_users() => {
            (StatusCode::SERVICE_UNAVAILABLE, json!("the newest commits can't be read"))
        }
        Some(told) => (StatusCode::SERVICE_UNAVAILABLE, json!(told)),
    };
    let body =
        json!({ "lake": versions, "queries_at_work": sites.engine().at_work_now(), "trouble": trouble })
            .to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
