//! Where every tenant of a campaign stands, and what comes next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::NaiveDate;
use serde::Serialize;

use super::announce::announceable;
use super::state::{AnnouncedTenant, Ledger};
use lightsout_model::campaign::Campaign;
use lightsout_model::change::{HoldCause, ProtocolChange};
use lightsout_model::protocol::Protocol;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::{Assessment, Reason, TenantAssessment, TenantVerdict};

/// What a tenant is at. The first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantState {
    UsedAfterChange,
    OnHold,
    Due,
    Announced,
    Done,
    OptedOut,
    Withdrawn,
    Eligible,
    NotEligible,
}

impl TenantState {
    pub const ALL: [Self; 9] = [
        Self::UsedAfterChange,
        Self::OnHold,
        Self::Due,
        Self::Announced,
        Self::Done,
        Self::OptedOut,
        Self::Withdrawn,
        Self::Eligible,
        Self::NotEligible,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UsedAfterChange => "used_after_change",
            Self::OnHold => "on_hold",
            Self::Due => "due",
            Self::Announced => "announced",
            Self::Done => "done",
            Self::OptedOut => "opted_out",
            Self::Withdrawn => "withdrawn",
            Self::Eligible => "eligible",
            Self::NotEligible => "not_eligible",
        }
    }

    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::UsedAfterChange => "Something that was turned off was used afterwards",
            Self::OnHold => "Part of what was announced is on hold",
            Self::Due => "The day has come, and protocols are due to be turned off",
            Self::Announced => "Announced, and the day has not come yet",
            Self::Done => "Something was turned off, and nothing is left to do",
            Self::OptedOut => "The tenant keeps everything that was announced",
            Self::Withdrawn => "The announcement was withdrawn, and nothing was announced since",
            Self::Eligible => "Eligible by the latest decision, and not announced yet",
            Self::NotEligible => "Not eligible by the latest decision",
        }
    }
}

impl fmt::Display for TenantState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRow {
    pub tenant_id: String,
    pub display_name: Option<String>,
    pub state: TenantState,
    /// Of the latest decision, where there is one that has the tenant.
    pub verdict: Option<TenantVerdict>,
    pub announced_on: Option<NaiveDate>,
    pub effective_date: Option<NaiveDate>,
    pub protocols_announced: Vec<Protocol>,
    pub protocols_pending: Vec<Protocol>,
    pub protocols_on_hold: Vec<Protocol>,
    pub protocols_opted_out: Vec<Protocol>,
    pub protocols_off: Vec<Protocol>,
    /// Turned off, and used afterwards.
    pub protocols_used_after_change: Vec<Protocol>,
    /// The latest day of that usage.
    pub last_used: Option<NaiveDate>,
    /// Protocol, day and by whom, of each that was opted out.
    pub opt_outs: Vec<String>,
    pub hold_causes: Vec<HoldCause>,
    /// Why, as it was when the holds were recorded.
    pub hold_reasons: Vec<Reason>,
    /// Why the latest decision has no verdict on a tenant that nothing was announced to.
    pub missing_evidence: Vec<Reason>,
    /// Whom to ask, by the roster.
    pub contacts: Vec<String>,
    /// The decision that was announced, else the latest.
    pub decision_id: Option<String>,
    pub next_step: String,
}

/// One row per tenant of the ledger, the latest decision and the roster, sorted by tenant id.
#[must_use]
pub fn status(
    campaign: &Campaign,
    roster: &Roster,
    latest: Option<&Assessment>,
    ledger: &Ledger,
    today: NaiveDate,
) -> Vec<StatusRow> {
    let decided: BTreeMap<&str, &TenantAssessment> = latest
        .iter()
        .flat_map(|assessment| &assessment.tenants)
        .map(|tenant| (tenant.tenant_id.as_str(), tenant))
        .collect();
    let ids: BTreeSet<&str> = decided
        .keys()
        .copied()
        .chain(ledger.tenants.keys().map(String::as_str))
        .chain(ledger.withdrawn.keys().map(String::as_str))
        .chain(roster.tenants.keys().map(String::as_str))
        .collect();
    let row = |id: &str| {
        let decided = decided.get(id).copied();
        let settings = roster.tenants.get(id);
        let display_name = settings
            .and_then(|settings| settings.display_name.clone())
            .or_else(|| decided.and_then(|tenant| tenant.display_name.clone()));
        let verdict = decided.map(|tenant| tenant.verdict);
        let contacts = settings.map(|settings| settings.contacts.clone()).unwrap_or_default();
        if let Some(tenant) = ledger.tenants.get(id) {
            let row = of_announced(tenant, roster, today);
            let row = if ledger.is_announced(id) { row } else { withdrawn(row) };
            StatusRow { display_name, verdict, contacts, ..row }
        } else {
            let row = not_announced(campaign, roster, id, decided);
            let row = if ledger.withdrawn.contains_key(id) { withdrawn(row) } else { row };
            let decision_id = latest.map(|latest| latest.decision_id.clone());
            StatusRow { display_name, verdict, contacts, decision_id, ..row }
        }
    };
    ids.into_iter().map(row).collect()
}

impl StatusRow {
    /// A tenant that nothing is known of.
    #[must_use]
    pub fn of_nothing(id: &str) -> Self {
        Self {
            tenant_id: id.to_owned(),
            display_name: None,
            state: TenantState::NotEligible,
            verdict: None,
            announced_on: None,
            effective_date: None,
            protocols_announced: Vec::new(),
            protocols_pending: Vec::new(),
            protocols_on_hold: Vec::new(),
            protocols_opted_out: Vec::new(),
            protocols_off: Vec::new(),
            protocols_used_after_change: Vec::new(),
            last_used: None,
            opt_outs: Vec::new(),
            hold_causes: Vec::new(),
            hold_reasons: Vec::new(),
            missing_evidence: Vec::new(),
            contacts: Vec::new(),
            decision_id: None,
            next_step: String::new(),
        }
    }
}

fn of_announced(tenant: &AnnouncedTenant, roster: &Roster, today: NaiveDate) -> StatusRow {
    let change = &tenant.change;
    let settings = roster.tenants.get(&change.tenant_id);
    let pending = change.pending();
    // What the tenant has switched off itself needs nobody any more.
    let pending = settings.map_or_else(|| pending.clone(), |settings| settings.still_on(&pending));
    let state = if !change.used_after_change().is_empty() {
        TenantState::UsedAfterChange
    } else if !tenant.holds.is_empty() {
        TenantState::OnHold
    } else if !pending.is_empty() && tenant.due_on() <= today {
        TenantState::Due
    } else if !pending.is_empty() {
        TenantState::Announced
    } else if change.opted_out().len() == change.protocols.len() {
        TenantState::OptedOut
    } else {
        TenantState::Done
    };
    let mut hold_causes: Vec<HoldCause> = tenant.holds.values().map(|(hold, _)| hold.cause).collect();
    hold_causes.sort_unstable();
    hold_causes.dedup();
    let mut hold_reasons: Vec<Reason> =
        tenant.holds.values().flat_map(|(hold, _)| hold.reasons.clone()).collect();
    hold_reasons.sort_unstable();
    hold_reasons.dedup();
    StatusRow {
        state,
        announced_on: Some(change.announced_on),
        effective_date: Some(change.effective_date),
        protocols_announced: change.announced(),
        protocols_on_hold: change.on_hold(),
        protocols_opted_out: change.opted_out(),
        protocols_off: change.off(),
        protocols_used_after_change: change.used_after_change(),
        opt_outs: change.protocols.iter().filter_map(opt_out).collect(),
        decision_id: Some(change.decision_id.clone()),
        last_used: change.protocols.values().filter_map(last_used).max(),
        next_step: next_step(tenant, &pending, &hold_causes, today),
        protocols_pending: pending,
        hold_causes,
        hold_reasons,
        ..StatusRow::of_nothing(&change.tenant_id)
    }
}

/// What a new announcement could say, it says; the state tells that there was one before.
fn withdrawn(row: StatusRow) -> StatusRow {
    match row.state {
        TenantState::UsedAfterChange => row,
        TenantState::Eligible => StatusRow {
            state: TenantState::Withdrawn,
            next_step: "withdrawn; it can be announced again".to_owned(),
            ..row
        },
        TenantState::OnHold
        | TenantState::Due
        | TenantState::Announced
        | TenantState::Done
        | TenantState::OptedOut
        | TenantState::Withdrawn
        | TenantState::NotEligible => StatusRow { state: TenantState::Withdrawn, ..row },
    }
}

fn opt_out((protocol, state): (&Protocol, &ProtocolChange)) -> Option<String> {
    let ProtocolChange::OptedOut { on, by } = state else { return None };
    Some(
        by.as_ref().map_or_else(|| format!("{protocol} on {on}"), |by| format!("{protocol} on {on} by {by}")),
    )
}

const fn last_used(state: &ProtocolChange) -> Option<NaiveDate> {
    match state {
        ProtocolChange::UsedAfterChange { last_used, .. } => Some(*last_used),
        ProtocolChange::Pending
        | ProtocolChange::OptedOut { .. }
        | ProtocolChange::OnHold { .. }
        | ProtocolChange::Off { .. } => None,
    }
}

fn next_step(
    tenant: &AnnouncedTenant,
    pending: &[Protocol],
    holds: &[HoldCause],
    today: NaiveDate,
) -> String {
    let effective = tenant.due_on();
    let mut steps = Vec::new();
    if !tenant.change.used_after_change().is_empty() {
        steps.push("used after the change: turn it off again and confirm, or correct".to_owned());
    }
    steps.extend(holds.iter().map(|cause| match cause {
        HoldCause::Usage => "in use: withdraw it, and announce it again once it is no longer used".to_owned(),
        HoldCause::Coverage => "supply the missing logs, then recheck".to_owned(),
        HoldCause::Excluded => "excluded by the roster".to_owned(),
    }));
    if !pending.is_empty() && effective <= today {
        steps.push("apply, then confirm".to_owned());
    } else if !pending.is_empty() {
        let days = (effective - today).num_days();
        steps.push(format!("apply on {effective}, in {days} {}", if days == 1 { "day" } else { "days" }));
    }
    if steps.is_empty() { "nothing".to_owned() } else { steps.join("; ") }
}

fn not_announced(
    campaign: &Campaign,
    roster: &Roster,
    id: &str,
    decided: Option<&TenantAssessment>,
) -> StatusRow {
    let Some(tenant) = decided else {
        return StatusRow {
            next_step: "assess: the latest decision does not include it".to_owned(),
            ..StatusRow::of_nothing(id)
        };
    };
    let settings = roster.tenants.get(id);
    let excluded = settings.is_some_and(|settings| settings.exclude.is_some());
    let cloud = settings.and_then(|settings| settings.cloud.as_deref());
    let not_in_waves = campaign.waves.excludes(id, cloud);
    let (state, next_step) = match announceable(campaign, tenant) {
        _ if excluded || tenant.verdict == TenantVerdict::Excluded => {
            (TenantState::NotEligible, "excluded by the roster".to_owned())
        }
        Some(_) if not_in_waves => (TenantState::NotEligible, "excluded by the campaign's waves".to_owned()),
        Some((_, protocols)) => {
            let left = settings.map_or_else(|| protocols.clone(), |settings| settings.still_on(&protocols));
            match left.len() {
                0 => (TenantState::NotEligible, "nothing: everything is already off".to_owned()),
                _ => (TenantState::Eligible, "announce".to_owned()),
            }
        }
        None => {
            let mut codes: Vec<&str> = tenant.reasons.iter().map(Reason::code).collect();
            codes.dedup();
            (TenantState::NotEligible, format!("{}: {}", tenant.verdict, codes.join(", ")))
        }
    };
    let missing_evidence = match tenant.verdict {
        TenantVerdict::InsufficientEvidence => tenant.reasons.clone(),
        TenantVerdict::NoImpact | TenantVerdict::Warning | TenantVerdict::Excluded => Vec::new(),
    };
    StatusRow { state, missing_evidence, next_step, ..StatusRow::of_nothing(id) }
}
