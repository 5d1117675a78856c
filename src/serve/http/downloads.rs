//! Files: the tables of an assessment as `lightsout assess` writes them, and who uses a protocol as
//! `lightsout report who` does.

use std::sync::Arc;

use arrow::array::RecordBatch;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};

use super::asked::{Asked, Pairs, Range};
use super::desk::Desk;
use super::pages::named;
use super::trouble::Trouble;
use crate::error::{Error, Result};
use crate::report::assessment::{Rows, TABLES};
use lightsout_output::table;
use lightsout_query::catalog::Report;

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
    State(desk): State<Arc<Desk>>,
    name: Result<Path<String>, PathRejection>,
    uri: Uri,
    pairs: Pairs,
) -> Result<Response, Trouble> {
    let no_page = || Trouble::NoPage { path: uri.path().to_owned() };
    let (table, rows, kind) = name.ok().and_then(|Path(name)| file(&name)).ok_or_else(no_page)?;
    let asked = Asked::read(pairs, &["as_of", "days"])?;
    let made = async {
        let (_, decided) = desk.decided(&asked).await?;
        desk.turns.run(async move { written(&[rows(&decided.assessment)?], kind) }).await
    };
    desk.in_time(made).await.map(|bytes| attachment(table, kind, bytes))
}

/// `/tenants/ID/who.csv` and `.json`.
pub(super) async fn of_tenant(
    State(desk): State<Arc<Desk>>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
    pairs: Pairs,
) -> Result<Response, Trouble> {
    let no_page = || Trouble::NoPage { path: uri.path().to_owned() };
    let Path((tenant_id, name)) = path.map_err(|_| no_page())?;
    let tenant_id = named(Ok(Path(tenant_id)))?;
    let kind = split(&name).filter(|(name, _)| *name == "who").ok_or_else(no_page)?.1;
    let asked = Asked::read(pairs, &["as_of", "days"])?;
    let made = async {
        let (snapshot, decided) = desk.decided(&asked).await?;
        decided.judged(&snapshot, &tenant_id)?;
        let (queries, _wish) = desk.queries(&snapshot)?;
        let rows = async move {
            let who = Report::find("who")?;
            let parameters = who.bind(&decided.campaign, decided.range.window(), &tenant_id);
            let rows = queries.run(who.name, who.sql, &parameters).await?;
            written(&rows, kind)
        };
        desk.turns.run(rows).await
    };
    desk.in_time(made).await.map(|bytes| attachment("who", kind, bytes))
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
