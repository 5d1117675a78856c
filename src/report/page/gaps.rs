//! Of whom the logs cannot tell, why, and from which day on a verdict is possible.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};

use super::data::{Links, TENANT_ROWS_MAX};
use super::markup::Markup;
use super::model::Model;
use super::tables::{Listed, chunks, tenant_cell};
use crate::closing;
use lightsout_model::evidence::Window;
use lightsout_model::verdict::{CoverageGap, Reason, TenantAssessment, TenantVerdict};

/// When a tenant gets a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Possible {
    /// If logs are collected without a gap until then.
    From(NaiveDate),
    /// Now, for a window that ends sooner.
    Now { as_of: NaiveDate },
    /// When what is missing has been exported and ingested.
    OnceExported,
    /// When somebody has looked at what the log leaves open.
    OnceCleared,
}

impl Possible {
    /// What the reasons of a tenant leave open. The one that takes longest decides.
    pub(super) fn of(tenant: &TenantAssessment, window: Window) -> Self {
        let reasons = || tenant.reasons.iter().chain(&tenant.evidence_reasons);
        let needs_export = |reason: &Reason| {
            matches!(
                reason,
                Reason::NoRecords
                    | Reason::CategoryMissing { .. }
                    | Reason::ColumnMissing { .. }
                    | Reason::NotSettled { last_provable_day: None, .. }
                    | Reason::RefusedFiles { .. }
                    | Reason::FilteredExport { .. }
                    | Reason::NearIdle { .. }
                    | Reason::UnknownOutcome { .. }
            )
        };
        if reasons().any(needs_export) {
            return Self::OnceExported;
        }
        let first_day = |reason: &Reason| match reason {
            Reason::WindowLongerThanHistory { possible_from, .. } => Some(*possible_from),
            Reason::Gap { days, .. } => gap_is_past(days.last, window),
            _ => None,
        };
        if let Some(day) = reasons().filter_map(first_day).max() {
            return Self::From(day);
        }
        // An earlier window would not make that go away, and a later one ends in a warning.
        if reasons().any(|reason| matches!(reason, Reason::UsedAfterWindow { .. })) {
            return Self::OnceCleared;
        }
        let settled = |reason: &Reason| match reason {
            Reason::NotSettled { last_provable_day: Some(day), .. } => day.succ_opt(),
            _ => None,
        };
        if let Some(as_of) = reasons().filter_map(settled).min() {
            return Self::Now { as_of };
        }
        let lacks_days = |reason: &Reason| matches!(reason, Reason::DaysMissing { .. });
        if reasons().any(lacks_days) { Self::OnceExported } else { Self::OnceCleared }
    }
}

/// The first `as_of` whose window holds nothing of a gap.
fn gap_is_past(last: NaiveDate, window: Window) -> Option<NaiveDate> {
    last.succ_opt()?.checked_add_signed(TimeDelta::days(window.days()))
}

fn undecided<'m, 'a>(model: &'m Model<'a>) -> impl Iterator<Item = &'a TenantAssessment> + use<'m, 'a> {
    model.tenants.iter().copied().filter(|tenant| tenant.verdict == TenantVerdict::InsufficientEvidence)
}

/// The reasons, how many tenants each keeps from a verdict, and what cures it.
pub(super) fn reasons(model: &Model<'_>) -> Markup {
    let mut found: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for tenant in undecided(model) {
        let of_tenant: BTreeMap<&str, &str> =
            tenant.reasons.iter().map(|reason| (reason.code(), closing::cure(reason))).collect();
        for (code, cure) in of_tenant {
            found.entry(code).or_insert((0, cure)).0 += 1;
        }
    }
    let mut html = Markup::default();
    html.raw(
        "<table><caption>Why the logs cannot tell. One tenant may have several reasons.</caption><thead><tr>",
    )
    .raw("<th scope=col>Reason<th scope=col class=n>Tenants<th scope=col>What to do</thead><tbody>\n");
    for (code, (tenants, cure)) in found {
        html.raw("<tr><th scope=row>").text(&in_words(code)).raw("<td class=n>").number(tenants);
        html.raw("<td>").sentence(cure).raw("\n");
    }
    html.raw("</tbody></table>");
    html
}

/// Those tenants, one row each.
pub(super) fn table(model: &Model<'_>, links: &Links<'_>) -> Listed {
    let tenants: Vec<&TenantAssessment> = undecided(model).filter(|tenant| links.shows(tenant)).collect();
    let shown = &tenants[..tenants.len().min(TENANT_ROWS_MAX)];
    let mut head = Markup::default();
    head.raw(
        "<th scope=col class=t>Tenant<th scope=col class=r>Reasons<th scope=col class=g>Days not covered",
    )
    .raw("<th scope=col class=s>A verdict is possible");
    let row = |tenant: &&TenantAssessment, html: &mut Markup| {
        tenant_cell(tenant, links, html);
        html.raw("<td>").sentence(&codes(tenant)).raw("<td>");
        for (at, part) in missing(tenant, model.window).into_iter().enumerate() {
            html.raw(if at > 0 { "<br>" } else { "" }).sentence(&part);
        }
        html.raw("<td>");
        match Possible::of(tenant, model.window) {
            Possible::From(day) => html.raw("from ").day(day),
            Possible::Now { as_of } => html.raw("now, <code>--as-of ").day(as_of).raw("</code>"),
            Possible::OnceExported => html.raw("once exported"),
            Possible::OnceCleared => html.raw("after review"),
        };
    };
    let caption = "Tenants without sufficient evidence";
    Listed { markup: chunks("gaps", caption, &head, shown, row), left_out: tenants.len() - shown.len() }
}

/// The reasons of a verdict as words.
pub(super) fn codes(tenant: &TenantAssessment) -> String {
    Reason::codes(&tenant.reasons).into_iter().map(in_words).collect::<Vec<_>>().join(", ")
}

fn in_words(code: &str) -> String {
    code.replace('_', " ")
}

/// Of each required log with too long a gap: how many days lack, and the longest run of them.
fn missing(tenant: &TenantAssessment, window: Window) -> Vec<String> {
    let mut parts = Vec::new();
    for (category, seen) in &tenant.days_seen {
        let gaps = tenant.gaps.iter().filter(|gap| gap.category == *category);
        let Some(longest) = gaps.filter(|gap| gap.is_too_long()).max_by_key(|gap| gap.length_days()) else {
            continue;
        };
        let all = window.days();
        let lacking = all - i64::from(*seen);
        let log = in_words(category.as_str());
        parts.push(if *seen == 0 {
            format!("{log}: all {all}")
        } else {
            format!("{log}: {lacking} of {all}, {}", run(longest))
        });
    }
    parts
}

fn run(gap: &CoverageGap) -> String {
    format!("{} in a row from {}", gap.length_days(), gap.days.first)
}
