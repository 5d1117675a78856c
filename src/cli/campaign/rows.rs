//! What the campaign commands print: one row per tenant, the same names for the same things.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use chrono::NaiveDate;

use lightsout_campaign::diff::DiffRow;
use lightsout_campaign::event::Hold;
use lightsout_campaign::objections::reasons_now;
use lightsout_campaign::plan::Due;
use lightsout_campaign::status::StatusRow;
use lightsout_campaign::work_list::Task;
use lightsout_campaign::{AnnouncedTenant, Ledger, WithdrawnTenant};
use lightsout_model::campaign::Campaign;
use lightsout_model::change::{Change, HoldCause, ProtocolChange};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Reason, TenantAssessment};
use lightsout_notify::reason_text;
use lightsout_report::Result;
use lightsout_report::columns::{Columns, joined};
use lightsout_workflow::campaign::rehearse::CalendarRow;

type Names = BTreeMap<String, String>;

fn found<'a>(ledger: &'a Ledger, tenants: impl Iterator<Item = &'a str>) -> Vec<&'a AnnouncedTenant> {
    let mut tenants: Vec<&AnnouncedTenant> = tenants.filter_map(|id| ledger.tenants.get(id)).collect();
    tenants.sort_by(|a, b| a.change.tenant_id.cmp(&b.change.tenant_id));
    tenants.dedup_by(|a, b| a.change.tenant_id == b.change.tenant_id);
    tenants
}

fn states(change: &Change, is: impl Fn(&ProtocolChange) -> bool) -> String {
    joined(&change.that(is))
}

pub(super) fn announced<'a>(
    ledger: &'a Ledger,
    names: &Names,
    tenants: impl Iterator<Item = &'a str>,
) -> Result<RecordBatch> {
    let rows = found(ledger, tenants);
    Columns::of(&rows)
        .text("tenant_id", |row| Some(row.change.tenant_id.clone()))
        .text("display_name", |row| names.get(&row.change.tenant_id).cloned())
        .text("kind", |row| Some(row.announcement.kind.as_str().to_owned()))
        .text("protocols", |row| Some(states(&row.change, |_| true)))
        .day("announced_on", |row| Some(row.change.announced_on))
        .day("effective_date", |row| Some(row.change.effective_date))
        .text("decision_id", |row| Some(row.change.decision_id.clone()))
        .text("announcement_id", |row| Some(row.announcement.announcement_id.clone()))
        .number("seed", |row| i64::try_from(row.announcement.seed).ok())
        .batch()
}

pub(super) fn opted_out<'a>(
    ledger: &'a Ledger,
    names: &Names,
    tenants: impl Iterator<Item = &'a str>,
) -> Result<RecordBatch> {
    let opted_out = |tenant: &'a AnnouncedTenant| {
        tenant.change.protocols.iter().filter_map(move |(protocol, state)| match state {
            ProtocolChange::OptedOut { on, by } => Some((tenant, *protocol, *on, by.clone())),
            _ => None,
        })
    };
    let rows: Vec<(&AnnouncedTenant, Protocol, NaiveDate, Option<String>)> =
        found(ledger, tenants).into_iter().flat_map(opted_out).collect();
    Columns::of(&rows)
        .text("tenant_id", |(tenant, ..)| Some(tenant.change.tenant_id.clone()))
        .text("display_name", |(tenant, ..)| names.get(&tenant.change.tenant_id).cloned())
        .text("protocol", |(_, protocol, ..)| Some(protocol.to_string()))
        .day("opted_out_on", |(_, _, on, _)| Some(*on))
        .text("by_whom", |(.., by)| by.clone())
        .day("effective_date", |(tenant, ..)| Some(tenant.change.effective_date))
        .batch()
}

/// One row per tenant and cause.
pub(super) fn on_hold(
    campaign: &Campaign,
    ledger: &Ledger,
    judged: &BTreeMap<String, TenantAssessment>,
    names: &Names,
) -> Result<RecordBatch> {
    struct OnHold<'a> {
        tenant: &'a AnnouncedTenant,
        cause: HoldCause,
        protocols: Vec<Protocol>,
        hold: &'a Hold,
        since: NaiveDate,
    }
    let told = |row: &OnHold| {
        let judged = judged.get(&row.tenant.change.tenant_id);
        let reasons = reasons_now(campaign, row.hold, &row.protocols, judged);
        reasons.iter().map(reason_text).collect::<Vec<_>>().join("; ")
    };
    let mut rows: Vec<OnHold> = Vec::new();
    for tenant in ledger.tenants.values() {
        let mut causes: BTreeMap<HoldCause, OnHold> = BTreeMap::new();
        for (protocol, (hold, since)) in &tenant.holds {
            let since = since.date_naive();
            let new = || OnHold { tenant, cause: hold.cause, protocols: Vec::new(), hold, since };
            let row = causes.entry(hold.cause).or_insert_with(new);
            row.protocols.push(*protocol);
            row.since = row.since.min(since);
        }
        rows.extend(causes.into_values());
    }
    Columns::of(&rows)
        .text("tenant_id", |row| Some(row.tenant.change.tenant_id.clone()))
        .text("display_name", |row| names.get(&row.tenant.change.tenant_id).cloned())
        .text("cause", |row| Some(row.cause.as_str().to_owned()))
        .protocols("protocols", |row| &row.protocols)
        .day("on_hold_since", |row| Some(row.since))
        .day("effective_date", |row| Some(row.tenant.change.effective_date))
        .text("reasons", |row| Some(told(row)))
        .batch()
}

pub(super) fn due(due: &[Due], names: &Names) -> Result<RecordBatch> {
    Columns::of(due)
        .text("tenant_id", |row| Some(row.tenant_id.clone()))
        .text("display_name", |row| names.get(&row.tenant_id).cloned())
        .protocols("protocols", |row| &row.protocols)
        .day("effective_date", |row| Some(row.effective_date))
        .text("smtp_client_authentication", |row| {
            row.disables_smtp_client_authentication.then(|| "disable".to_owned())
        })
        .text("outlook_modern_auth", |row| row.enables_outlook_modern_auth.then(|| "enable".to_owned()))
        .batch()
}

pub(super) fn confirmed<'a>(
    ledger: &'a Ledger,
    names: &Names,
    tenants: impl Iterator<Item = &'a str>,
) -> Result<RecordBatch> {
    let rows = found(ledger, tenants);
    Columns::of(&rows)
        .text("tenant_id", |row| Some(row.change.tenant_id.clone()))
        .text("display_name", |row| names.get(&row.change.tenant_id).cloned())
        .text("protocols_off", |row| {
            Some(states(&row.change, |state| matches!(state, ProtocolChange::Off { .. })))
        })
        .day("off_on", |row| {
            row.change
                .protocols
                .values()
                .filter_map(|state| match state {
                    ProtocolChange::Off { on } => Some(*on),
                    _ => None,
                })
                .max()
        })
        .text("protocols_kept", |row| {
            Some(states(&row.change, |state| !matches!(state, ProtocolChange::Off { .. })))
        })
        .batch()
}

pub(super) fn withdrawn<'a>(
    ledger: &'a Ledger,
    names: &Names,
    tenants: impl Iterator<Item = &'a str>,
) -> Result<RecordBatch> {
    let rows: Vec<&WithdrawnTenant> = tenants.filter_map(|id| ledger.withdrawn.get(id)).collect();
    Columns::of(&rows)
        .text("tenant_id", |row| Some(row.change.tenant_id.clone()))
        .text("display_name", |row| names.get(&row.change.tenant_id).cloned())
        .text("protocols", |row| Some(states(&row.change, |_| true)))
        .day("withdrawn_on", |row| Some(row.withdrawn_at.date_naive()))
        .text("by_whom", |row| row.by.clone())
        .text("why", |row| row.change.why.clone())
        .day("effective_date", |row| Some(row.change.effective_date))
        .text("announcement_id", |row| Some(row.announcement.announcement_id.clone()))
        .batch()
}

/// Where tenants stand after an opt-in or a correction.
pub(super) fn taken_back<'a>(
    ledger: &'a Ledger,
    names: &Names,
    tenants: impl Iterator<Item = &'a str>,
) -> Result<RecordBatch> {
    let rows = found(ledger, tenants);
    Columns::of(&rows)
        .text("tenant_id", |row| Some(row.change.tenant_id.clone()))
        .text("display_name", |row| names.get(&row.change.tenant_id).cloned())
        .text("protocols_pending", |row| Some(joined(&row.change.pending())))
        .text("protocols_opted_out", |row| Some(joined(&row.change.opted_out())))
        .text("protocols_off", |row| Some(joined(&row.change.off())))
        .day("effective_date", |row| Some(row.change.effective_date))
        .day("effective_date_before", |row| row.change.effective_date_before)
        .text("why", |row| row.change.why.clone())
        .batch()
}

pub(super) fn calendar(calendar: &[CalendarRow], names: &Names) -> Result<RecordBatch> {
    Columns::of(calendar)
        .day("date", |row| Some(row.date))
        .text("step", |row| Some(row.step.to_owned()))
        .text("tenant_id", |row| Some(row.tenant_id.clone()))
        .text("display_name", |row| names.get(&row.tenant_id).cloned())
        .text("protocols", |row| Some(row.protocols.clone()))
        .day("effective_date", |row| row.effective_date)
        .batch()
}

/// One row per tenant that differs.
pub(super) fn diff(rows: &[DiffRow]) -> Result<RecordBatch> {
    Columns::of(rows)
        .text("tenant_id", |row| Some(row.tenant_id.clone()))
        .text("display_name", |row| row.display_name.clone())
        .boolean("worse", |row| Some(row.is_worse))
        .text("verdict_before", |row| row.verdict_before.map(|verdict| verdict.to_string()))
        .text("verdict_after", |row| row.verdict_after.map(|verdict| verdict.to_string()))
        .text("state_before", |row| row.state_before.map(|state| state.to_string()))
        .text("state_after", |row| row.state_after.map(|state| state.to_string()))
        .protocols("protocols_in_use_before", |row| &row.in_use_before)
        .protocols("protocols_in_use_after", |row| &row.in_use_after)
        .text("why", |row| Some(row.why.join("; ")))
        .batch()
}

pub(super) fn status(rows: &[StatusRow], today: NaiveDate) -> Result<RecordBatch> {
    let sentences = |reasons: &[Reason]| reasons.iter().map(reason_text).collect::<Vec<_>>().join("; ");
    Columns::of(rows)
        .text("tenant_id", |row| Some(row.tenant_id.clone()))
        .text("display_name", |row| row.display_name.clone())
        .text("state", |row| Some(row.state.to_string()))
        .text("verdict", |row| row.verdict.map(|verdict| verdict.to_string()))
        .day("announced_on", |row| row.announced_on)
        .day("effective_date", |row| row.effective_date)
        .protocols("protocols_announced", |row| &row.protocols_announced)
        .protocols("protocols_pending", |row| &row.protocols_pending)
        .protocols("protocols_on_hold", |row| &row.protocols_on_hold)
        .protocols("protocols_opted_out", |row| &row.protocols_opted_out)
        .protocols("protocols_off", |row| &row.protocols_off)
        .text("opt_outs", |row| Some(row.opt_outs.join("; ")))
        .text("hold_causes", |row| {
            Some(row.hold_causes.iter().map(|cause| cause.as_str()).collect::<Vec<_>>().join(";"))
        })
        .text("decision_id", |row| row.decision_id.clone())
        .text("next_step", |row| Some(row.next_step.clone()))
        .text("tasks", |row| {
            Some(Task::of(row, today).into_iter().map(Task::as_str).collect::<Vec<_>>().join(";"))
        })
        .text("hold_reasons", |row| Some(sentences(&row.hold_reasons)))
        .text("missing_evidence", |row| Some(sentences(&row.missing_evidence)))
        .text("contacts", |row| Some(row.contacts.join(";")))
        .protocols("protocols_used_after_change", |row| &row.protocols_used_after_change)
        .day("last_used", |row| row.last_used)
        .batch()
}
