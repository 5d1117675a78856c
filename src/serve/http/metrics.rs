//! Numbers for what watches over servers, in the text format of Prometheus. Nobody and no tenant is named.

use std::fmt::{Display, Write as _};
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::server_state::ServerState;

/// The content type that says which version of the format it is.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn metrics(State(state): State<Arc<ServerState>>) -> Response {
    let snapshot = state.live.current().await;
    let is_readable = state.live.last_error().await.is_none();
    let counts = state.engine.counts();
    let mut text = String::new();
    let mut add = |name: &str, kind: &str, help: &str, value: &dyn Display| {
        // A string takes all that is written.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    };
    add(
        "lightsout_lake_readable",
        "gauge",
        "Whether the newest commits of the lake can be read (1) or an older state is served (0).",
        &u8::from(is_readable),
    );
    let commits: u64 = snapshot.versions().iter().map(|(_, version)| version).sum();
    add(
        "lightsout_lake_table_versions",
        "counter",
        "Sum of the versions of the lake's tables: it grows with every commit.",
        &commits,
    );
    add(
        "lightsout_queries_at_work",
        "gauge",
        "Queries and pages that compute now.",
        &state.engine.at_work_now(),
    );
    add("lightsout_queries_total", "counter", "Queries of PostgreSQL clients.", &counts.begun);
    add(
        "lightsout_queries_failed_total",
        "counter",
        "Of these, those that ended with an error.",
        &counts.failed,
    );
    add("lightsout_query_rows_total", "counter", "Rows that were sent to PostgreSQL clients.", &counts.rows);
    let _ = write!(
        text,
        "# HELP lightsout_build_info The version that runs.\n# TYPE lightsout_build_info gauge\n\
         lightsout_build_info{{version=\"{}\"}} 1\n",
        env!("CARGO_PKG_VERSION")
    );
    ([(header::CONTENT_TYPE, TEXT)], text).into_response()
}
