//! The report of all tenants, and the page of each.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};

use super::downloads;
use super::error_page::PageError;
use super::request::{self, PageRequest, Pairs, Range};
use super::server_state::{Decided, ServerState, key};
use crate::error::Result;
use lightsout_model::tenant::Roster;
use lightsout_query::Queries;
use lightsout_report::explain::{Explanation, Judged, rows};
use lightsout_report::page::tenant::{Address, TenantLinks, TenantPage, render_tenant};
use lightsout_report::page::{self, Links, render};

/// The address of the report over a window.
fn home(range: Range) -> String {
    format!("/?{}", range.query())
}

/// The address of a tenant's page.
fn tenant(tenant_id: &str) -> String {
    format!("/tenants/{}", request::encoded(tenant_id))
}

fn html(page: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// `/`: the report, of all tenants or of those that are searched for.
pub(super) async fn report(
    State(state): State<Arc<ServerState>>,
    pairs: Pairs,
) -> Result<Response, PageError> {
    let request = PageRequest::read(pairs, &["as_of", "days", "tenant"])?;
    let made = async {
        let (snapshot, decided) = state.decided(&request).await?;
        if request.search.is_empty() {
            let rendered = decided.page.get_or_try_init(|| {
                let (roster, decided) = (Arc::clone(&snapshot.roster), Arc::clone(&decided));
                state.limit.run(async move { of_all(&decided, &roster, &PageRequest::default()) })
            });
            return rendered.await.cloned();
        }
        let roster = Arc::clone(&snapshot.roster);
        state.limit.run(async move { of_all(&decided, &roster, &request) }).await
    };
    state.in_time(made).await.map(html)
}

fn of_all(decided: &Decided, roster: &Roster, request: &PageRequest) -> Result<Bytes> {
    let Decided { range, campaign, assessment, usage, .. } = decided;
    let home = home(*range);
    let query = range.query();
    let found = request.found(&assessment.tenants, roster);
    let links = Links {
        file: &|name| downloads::address(name, *range),
        tenant: Some(&|tenant_id| format!("{}?{query}", tenant(tenant_id))),
        asked: Some(page::Asked { home: &home, search: &request.search, found: found.as_ref() }),
    };
    let standing = decided.standing();
    Ok(render(&page::Snapshot { campaign, assessment, usage, standing }, &links)?.into())
}

/// `/tenants/ID`: why a tenant has its verdict, and who is left.
pub(super) async fn of_tenant(
    State(state): State<Arc<ServerState>>,
    tenant_id: Result<Path<String>, PathRejection>,
    pairs: Pairs,
) -> Result<Response, PageError> {
    let tenant_id = named(tenant_id)?;
    let request = PageRequest::read(pairs, &["as_of", "days"])?;
    let made = async {
        let (snapshot, decided) = state.decided(&request).await?;
        // Whoever is not known takes no place among those that are kept.
        decided.judged(&snapshot, &tenant_id)?;
        let of_today = format!("{tenant_id} {}", decided.today());
        let key = key(&snapshot, Some(decided.range), Some(of_today));
        let page = state.tenants.get(key, async {
            let judged = decided.judged(&snapshot, &tenant_id)?;
            let (queries, _wish) = state.queries(&snapshot)?;
            let decided = Arc::clone(&decided);
            state.limit.run(async move { explained(&queries, &decided, judged).await }).await
        });
        Ok::<_, PageError>((*page.await?).clone())
    };
    state.in_time(made).await.map(html)
}

async fn explained(queries: &Queries, decided: &Decided, judged: Judged) -> Result<Bytes> {
    let (range, window, campaign) = (decided.range, decided.range.window(), &decided.campaign);
    let tenant_id = judged.tenant.tenant_id.clone();
    let addresses: Vec<Address> = rows(queries, "top_ip_addresses", campaign, window, &tenant_id).await?;
    let explanation = Explanation::gather(queries, campaign, window, judged).await?;
    let own = tenant(&tenant_id);
    let who = |extension: &str| format!("{own}/who.{extension}?{}", range.query());
    let (home, who_csv, who_json) = (home(range), who("csv"), who("json"));
    let links = TenantLinks { home: &home, own: &own, who_csv: &who_csv, who_json: &who_json };
    let page = TenantPage {
        campaign,
        decision_id: &decided.assessment.decision_id,
        explanation: &explanation,
        addresses: &addresses,
        standing: decided.standing(),
    };
    Ok(render_tenant(&page, &links)?.into())
}

/// The id in a path.
pub(super) fn named(tenant_id: Result<Path<String>, PathRejection>) -> Result<String, PageError> {
    tenant_id.map(|Path(id)| id).map_err(|_| PageError::NoTenant { id: "bytes that are not text".to_owned() })
}

/// `/tenants`: the list of them is on the report.
pub(super) async fn tenants(pairs: Pairs) -> Result<Redirect, PageError> {
    let PageRequest { as_of, days, .. } = PageRequest::read(pairs, &["as_of", "days"])?;
    let pairs = [("as_of", as_of.map(|day| day.to_string())), ("days", days.map(|days| days.to_string()))];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
    Ok(Redirect::to(&format!("/?{}#by-tenant", pairs.collect::<Vec<_>>().join("&"))))
}
