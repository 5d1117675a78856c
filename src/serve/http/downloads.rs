//! Files: the tables of an assessment as `lightsout assess` writes them, and who uses a protocol as
//! `lightsout report who` does.

use std::sync::Arc;

use arrow::array::RecordBatch;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};

use super::error_page::PageError;
use super::pages::named;
use super::request::{PageRequest, Pairs, Range};
use super::server_state::ServerState;
use crate::error::{Error, Result};
use lightsout_output::table;
use lightsout_query::catalog::Report;
use lightsout_report::assessment::{Rows, TABLES};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    Json,
}

/// The table and kind of a file by its name, if there is such a file.
fn file(name: &str) -> Option<(&'static str, Rows, Kind)> {
    let (table, kind) = split(name)?;
    TABLES.into_iter().find(|(name, _)| *name == table).map(|(name, rows)| (name, rows, kind))
}

fn split(name: &str) -> Option<(&str, Kind)> {
    let (table, extension) = name.split_once('.')?;
    match extension {
        "csv" => Some((table, Kind::Csv)),
        "json" => Some((table, Kind::Json)),
        _ => None,
    }
}

/// Where a file is served, if it is.
pub(super) fn address(name: &str, range: Range) -> Option<String> {
    file(name).map(|_| format!("/download/{name}?{}", range.query()))
}

/// `/download/NAME`: a table of all tenants.
pub(super) async fn of_all(
    State(state): State<Arc<ServerState>>,
    name: Result<Path<String>, PathRejection>,
    uri: Uri,
    pairs: Pairs,
) -> Result<Response, PageError> {
    let no_page = || PageError::NoPage { path: uri.path().to_owned() };
    let (table, rows, kind) = name.ok().and_then(|Path(name)| file(&name)).ok_or_else(no_page)?;
    let request = PageRequest::read(pairs, &["as_of", "days"])?;
    let made = async {
        let (_, decided) = state.decided(&request).await?;
        state.limit.run(async move { written(&[rows(&decided.assessment)?], kind) }).await
    };
    state.in_time(made).await.map(|bytes| attachment(table, kind, bytes))
}

/// `/tenants/ID/who.csv` and `.json`.
pub(super) async fn of_tenant(
    State(state): State<Arc<ServerState>>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
    pairs: Pairs,
) -> Result<Response, PageError> {
    let no_page = || PageError::NoPage { path: uri.path().to_owned() };
    let Path((tenant_id, name)) = path.map_err(|_| no_page())?;
    let tenant_id = named(Ok(Path(tenant_id)))?;
    let kind = split(&name).filter(|(name, _)| *name == "who").ok_or_else(no_page)?.1;
    let request = PageRequest::read(pairs, &["as_of", "days"])?;
    let made = async {
        let (snapshot, decided) = state.decided(&request).await?;
        decided.judged(&snapshot, &tenant_id)?;
        let (queries, _wish) = state.queries(&snapshot)?;
        let rows = async move {
            let who = Report::find("who")?;
            let parameters = who.bind(&decided.campaign, decided.range.window(), &tenant_id);
            let rows = queries.run(who.name, who.sql, &parameters).await?;
            written(&rows, kind)
        };
        state.limit.run(rows).await
    };
    state.in_time(made).await.map(|bytes| attachment("who", kind, bytes))
}

fn written(rows: &[RecordBatch], kind: Kind) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match kind {
        Kind::Csv => table::write_csv(&mut bytes, rows),
        Kind::Json => table::write_json(&mut bytes, rows),
    }
    .map_err(|source| Error::Arrow { what: "writing rows", source })?;
    Ok(bytes)
}

fn attachment(table: &str, kind: Kind, bytes: Vec<u8>) -> Response {
    let (extension, content_type) = match kind {
        Kind::Csv => ("csv", "text/csv; charset=utf-8"),
        Kind::Json => ("json", "application/json"),
    };
    let disposition = format!("attachment; filename=\"{table}.{extension}\"");
    let headers =
        [(header::CONTENT_TYPE, content_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, bytes).into_response()
}
