//! Rechecking: is what was announced still true? Also the first step of `apply`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::notice_batch::{NoticeBatch, NoticeCount, NoticeFiles, TenantNotice};
use super::state::{CampaignState, Decided, OtherRules, tenant_of};
use crate::error::{Error, Result};
use lightsout_campaign::objections::hold_reasons;
use lightsout_campaign::recheck::recheck as events_of;
use lightsout_campaign::{Event, EventKind};
use lightsout_model::change::ProtocolChange;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Reason, TenantAssessment};
use lightsout_notify::lists::ListRow;
use lightsout_notify::notice::NoticeKind;
use lightsout_query::Queries;

/// What a recheck found and recorded.
pub struct Rechecked {
    pub decided: BTreeMap<String, Decided>,
    /// By tenant id, as each looks now.
    pub judged: BTreeMap<String, TenantAssessment>,
    pub events: Vec<Event>,
    pub notices: NoticeCount,
    pub still_used: Vec<StillUsed>,
}

/// Usage of a protocol after the day that it was turned off: the script has not run, or not everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StillUsed {
    pub tenant_id: String,
    pub protocol: Protocol,
    pub off_on: NaiveDate,
}

/// A tenant that was put on hold, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held<'a> {
    pub tenant_id: &'a str,
    /// Reason codes.
    pub codes: Vec<&'static str>,
    /// Of these, what stood in the evidence of its announcement already, and the earlier rules that cleared it then:
    /// the rules have changed, and not the log.
    pub cleared_then: Option<(Vec<&'static str>, &'a str)>,
}

impl Rechecked {
    /// The tenants that were put on hold.
    #[must_use]
    pub fn held(&self, state: &CampaignState) -> Vec<Held<'_>> {
        let held = self.events.iter().filter(|event| event.event == EventKind::Held);
        held.map(|event| self.held_tenant(&event.tenant_id, state)).collect()
    }

    fn held_tenant<'a>(&'a self, tenant_id: &'a str, state: &CampaignState) -> Held<'a> {
        let tenant = state.ledger.tenants.get(tenant_id);
        let reasons = tenant.map(|tenant| hold_reasons(&state.campaign, tenant, self.judged.get(tenant_id)));
        let codes = Reason::codes(&reasons.unwrap_or_default());
        let decided = tenant.and_then(|tenant| self.decided.get(&tenant.change.decision_id));
        let cleared_then = decided.and_then(|decided| {
            let OtherRules { made_by, judged_today } = decided.other_rules.as_ref()?;
            let then = tenant_of(judged_today, tenant_id)?;
            let found: Vec<&str> = then
                .evidence_reasons
                .iter()
                .chain(&then.objections)
                .map(Reason::code)
                .filter(|code| codes.contains(code))
                .collect();
            (!found.is_empty()).then_some((found, made_by.as_str()))
        });
        Held { tenant_id, codes, cleared_then }
    }

    /// How many events of a kind were recorded.
    #[must_use]
    pub fn count(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|event| event.event == kind).count()
    }
}

/// Checks every tenant that something is still to be done for, records what follows, and writes the
/// notices of all that are on hold.
///
/// # Errors
/// Fails if the lake or a file can't be written.
pub async fn recheck(state: &mut CampaignState, files: &NoticeFiles) -> Result<Rechecked> {
    let queries = state.queries().await?;
    let decided = state.announced_on()?;
    let mut judged: BTreeMap<String, TenantAssessment> = BTreeMap::new();
    for (id, decision) in &decided {
        let mut found = state.judge_now(decision, &queries).await?;
        found.retain(|tenant_id, _| {
            state.ledger.tenants.get(tenant_id).is_some_and(|tenant| tenant.change.decision_id == *id)
        });
        judged.extend(found);
    }
    let lock = state.lock().await?;
    let events = events_of(&state.campaign, &state.ledger, &judged, state.roster.is_some(), state.now);
    state.record(&lock, &events).await?;
    drop(lock);

    let notices = write(state, &decided, &judged, &events, &queries, files).await.map_err(Error::recorded)?;
    let still_used = still_used(state, &decided, &queries).await?;
    Ok(Rechecked { decided, judged, events, notices, still_used })
}

async fn still_used(
    state: &CampaignState,
    decided: &BTreeMap<String, Decided>,
    queries: &Queries,
) -> Result<Vec<StillUsed>> {
    let done = state.ledger.tenants.values().filter(|tenant| !tenant.change.off().is_empty());
    let decisions: BTreeSet<&String> = done.map(|tenant| &tenant.change.decision_id).collect();
    let firsts = decisions.into_iter().filter_map(|id| decided.get(id)).map(|decided| decided.window.first);
    let Some(first) = firsts.min() else { return Ok(Vec::new()) };
    let mut found = BTreeSet::new();
    for (tenant_id, rows) in queries.who_until(&state.campaign, first, state.now, "*").await? {
        let Some(tenant) = state.ledger.tenants.get(&tenant_id) else { continue };
        for row in rows {
            if let Some(ProtocolChange::Off { on }) = tenant.change.protocols.get(&row.protocol)
                && row.last_seen.date_naive() > *on
            {
                found.insert(StillUsed { tenant_id: tenant_id.clone(), protocol: row.protocol, off_on: *on });
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// The notices of all that are on hold, and their list.
async fn write(
    state: &CampaignState,
    decided: &BTreeMap<String, Decided>,
    judged: &BTreeMap<String, TenantAssessment>,
    events: &[Event],
    queries: &Queries,
    files: &NoticeFiles,
) -> Result<NoticeCount> {
    let mut batch = NoticeBatch::begin(files, "on_hold")?;
    for (id, decision) in decided {
        let on_hold = state
            .ledger
            .tenants
            .iter()
            .filter(|(_, tenant)| tenant.change.decision_id == *id && !tenant.holds.is_empty());
        let notices: Vec<TenantNotice> = on_hold
            .filter_map(|(tenant_id, tenant)| Some((judged.get(tenant_id)?, tenant)))
            .map(|(judged, tenant)| TenantNotice {
                kind: Some(NoticeKind::Hold),
                assessment: judged.clone(),
                protocols: tenant.change.on_hold(),
                notice_date: tenant.holds.values().map(|(_, since)| since.date_naive()).max(),
            })
            .collect();
        if !notices.is_empty() {
            let who = queries.who_until(&decision.campaign, decision.window.first, state.now, "*").await?;
            batch.write(state, decision, state.until_now(decision.window), notices, &who)?;
        }
    }
    let causes = |row: &ListRow| {
        let holds = state.ledger.tenants.get(&row.tenant_id)?.holds.values();
        let causes: BTreeSet<&str> = holds.map(|(hold, _)| hold.cause.as_str()).collect();
        Some(causes.into_iter().collect::<Vec<_>>().join(";"))
    };
    let codes = |row: &ListRow| {
        let tenant = state.ledger.tenants.get(&row.tenant_id)?;
        let reasons: Vec<Reason> = hold_reasons(&state.campaign, tenant, judged.get(&row.tenant_id));
        Some(Reason::codes(&reasons).join(";"))
    };
    let since = |row: &ListRow| {
        let holds = state.ledger.tenants.get(&row.tenant_id)?.holds.values();
        holds.map(|(_, since)| since.date_naive()).max().map(|day| day.to_string())
    };
    // So that a mailing job can send what is new.
    let held: BTreeSet<&str> = events
        .iter()
        .filter(|event| event.event == EventKind::Held)
        .map(|event| event.tenant_id.as_str())
        .collect();
    let new =
        |row: &ListRow| Some(if held.contains(row.tenant_id.as_str()) { "yes" } else { "no" }.to_owned());
    batch.finish(
        state,
        &[("causes", &causes), ("hold_reasons", &codes), ("on_hold_since", &since), ("new", &new)],
    )
}
