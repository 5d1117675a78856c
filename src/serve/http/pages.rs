//! The report of all tenants, and the page of each.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};

use super::asked::{self, Asked, Pairs, Range};
use super::desk::{Decided, Desk, key};
use super::downloads;
use super::trouble::Trouble;
use crate::error::Result;
use crate::report::explain::{Explanation, Judged, rows};
use crate::report::page::tenant::{Address, TenantLinks, TenantPage, render_tenant};
use crate::report::page::{self, Links, render};
use crate::serve::live::Rules;
use lightsout_query::Queries;

/// The address of the report over a window.
fn home(range: Range) -> String {
    format!("/?{}", range.query())
}

/// The address of a tenant's page.
fn tenant(tenant_id: &str) -> String {
    format!("/tenants/{}", asked::encoded(tenant_id))
}

fn html(page: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// `/`: the report, of all tenants or of those that are searched for.
pub(super) async fn report(State(desk): State<Arc<Desk>>, pairs: Pairs) -> Result<Response, Trouble> {
    let asked = Asked::read(pairs, &["as_of", "days", "tenant"])?;
    let made = async {
        let (snapshot, decided) = desk.decided(&asked).await?;
        if asked.search.is_empty() {
            let rendered = decided.page.get_or_try_init(|| {
                let (rules, decided) = (Arc::clone(&snapshot.rules), Arc::clone(&decided));
                desk.turns.run(async move { of_all(&decided, &rules, &Asked::default()) })
            });
            return rendered.await.cloned();
        }
        let rules = Arc::clone(&snapshot.rules);
        desk.turns.run(async move { of_all(&decided, &rules, &asked) }).await
    };
    desk.in_time(made).await.map(html)
}

fn of_all(decided: &Decided, rules: &Rules, asked: &Asked) -> Result<Bytes> {
    let Decided { range, campaign, assessment, usage, .. } = decided;
    let home = home(*range);
    let query = range.query();
    let found = asked.found(&assessment.tenants, &rules.roster);
    let links = Links {
        file: &|name| downloads::address(name, *range),
        tenant: Some(&|tenant_id| format!("{}?{query}", tenant(tenant_id))),
        asked: Some(page::Asked { home: &home, search: &asked.search, found: found.as_ref() }),
    };
    Ok(render(&page::Snapshot { campaign, assessment, usage }, &links)?.into())
}

/// `/tenants/ID`: why a tenant has its verdict, and who is left.
pub(super) async fn of_tenant(
    State(desk): State<Arc<Desk>>,
    tenant_id: Result<Path<String>, PathRejection>,
    pairs: Pairs,
) -> Result<Response, Trouble> {
    let tenant_id = named(tenant_id)?;
    let asked = Asked::read(pairs, &["as_of", "days"])?;
    let made = async {
        let (snapshot, decided) = desk.decided(&asked).await?;
        // Whoever is not known takes no place among those that are kept.
        decided.judged(&snapshot, &tenant_id)?;
        let key = key(&snapshot, Some(decided.range), Some(tenant_id.clone()));
        let page = desk.tenants.get(key, async {
            let judged = decided.judged(&snapshot, &tenant_id)?;
            let (queries, _wish) = desk.queries(&snapshot)?;
            let decided = Arc::clone(&decided);
            desk.turns.run(async move { explained(&queries, &decided, judged).await }).await
        });
        Ok::<_, Trouble>((*page.await?).clone())
    };
    desk.in_time(made).await.map(html)
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
    };
    Ok(render_tenant(&page, &links)?.into())
}

/// The id in a path.
pub(super) fn named(tenant_id: Result<Path<String>, PathRejection>) -> Result<String, Trouble> {
    tenant_id.map(|Path(id)| id).map_err(|_| Trouble::NoTenant { id: "bytes that are no text".to_owned() })
}

/// `/tenants`: the list of them is on the report.
pub(super) async fn tenants(pairs: Pairs) -> Result<Redirect, Trouble> {
    let Asked { as_of, days, .. } = Asked::read(pairs, &["as_of", "days"])?;
    let pairs = [("as_of", as_of.map(|day| day.to_string())), ("days", days.map(|days| days.to_string()))];
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
    Ok(Redirect::to(&format!("/?{}#by-tenant", pairs.collect::<Vec<_>>().join("&"))))
}
