//! Rechecking: is what was announced still true? Also the first step of `apply`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};

use super::notice_batch::{NoticeBatch, NoticeCount, NoticeFiles, SENT, TenantNotice, out_belongs_to};
use super::state::{CampaignState, Decided, OtherRules, tenant_of};
use crate::error::{Error, Result};
use lightsout_campaign::objections::hold_reasons;
use lightsout_campaign::recheck::{LastUsed, Recheck, recheck as events_of};
use lightsout_campaign::{AnnouncedTenant, Event, EventKind};
use lightsout_model::change::{Change, ProtocolChange};
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

/// Usage of a protocol after the day that it was turned off: the script has not run, or somebody has undone it.
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
    out_belongs_to(&files.out, state)?;
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
    let last_used = last_used(state, &decided, &queries).await?;
    let lock = state.lock().await?;
    let events = events_of(Recheck {
        campaign: &state.campaign,
        ledger: &state.ledger,
        now_judged: &judged,
        last_used: &last_used,
        roster_is_current: state.roster.is_some(),
        clock: state.clock(),
    });
    state.record(&lock, &events).await?;
    drop(lock);

    let notices = write(state, &decided, &judged, &events, &queries, files).await.map_err(Error::recorded)?;
    write_news(state, &decided, &judged, &queries, files).await.map_err(Error::recorded)?;
    Ok(Rechecked { decided, judged, events, notices, still_used: still_used(state) })
}

/// The latest usage of what was turned off and may be used again.
async fn last_used(
    state: &CampaignState,
    decided: &BTreeMap<String, Decided>,
    queries: &Queries,
) -> Result<LastUsed> {
    let done = state.ledger.tenants.values().filter(|tenant| !tenant.change.off().is_empty());
    let first = done.filter_map(|tenant| tenant.off_at.values().min()).min();
    let mut last_used = LastUsed::new();
    let Some(first) = first.map(DateTime::date_naive) else { return Ok(last_used) };
    // By the rules of each decision: what counts as usage is the campaign's to say.
    for (id, decision) in decided {
        for (tenant_id, rows) in queries.who_until(&decision.campaign, first, state.now, "*").await? {
            let tenant = state.ledger.tenants.get(&tenant_id);
            if tenant.is_none_or(|tenant| tenant.change.decision_id != *id) {
                continue;
            }
            let of_tenant = last_used.entry(tenant_id).or_default();
            for row in rows {
                let last = of_tenant.entry(row.protocol).or_insert(row.last_seen);
                *last = row.last_seen.max(*last);
            }
        }
    }
    Ok(last_used)
}

/// What was used after it was turned off, also if an earlier recheck has recorded it.
fn still_used(state: &CampaignState) -> Vec<StillUsed> {
    let of_tenant = |change: &Change| -> Vec<StillUsed> {
        let used = change.protocols.iter().filter_map(|(protocol, state)| match state {
            ProtocolChange::UsedAfterChange { off_on, .. } => {
                Some(StillUsed { tenant_id: change.tenant_id.clone(), protocol: *protocol, off_on: *off_on })
            }
            ProtocolChange::Pending
            | ProtocolChange::OptedOut { .. }
            | ProtocolChange::OnHold { .. }
            | ProtocolChange::Off { .. } => None,
        });
        used.collect()
    };
    state.ledger.tenants.values().flat_map(|tenant| of_tenant(&tenant.change)).collect()
}

/// The notices and lists of what is news to tenants: an end of a hold and a new date, of today or of which no notice was
/// written yet, and usage after the change.
async fn write_news(
    state: &CampaignState,
    decided: &BTreeMap<String, Decided>,
    judged: &BTreeMap<String, TenantAssessment>,
    queries: &Queries,
    files: &NoticeFiles,
) -> Result<()> {
    let today = state.clock().reached();
    // A command that was killed, or could not write, has told nobody.
    let is_news = |tenant: &AnnouncedTenant, kind: NoticeKind, at: Option<DateTime<Utc>>| {
        let Some(day) = at.map(|at| at.date_naive()) else { return false };
        let is_open = !tenant.change.pending().is_empty();
        day == today || is_open && !is_written(&files.out, day, kind, &tenant.change.tenant_id)
    };
    let is_rescheduled =
        |tenant: &AnnouncedTenant| is_news(tenant, NoticeKind::Rescheduled, tenant.rescheduled_at);
    // A new date says that the hold has ended, too.
    let is_released = |tenant: &AnnouncedTenant| {
        tenant.released_at > tenant.rescheduled_at
            && is_news(tenant, NoticeKind::Released, tenant.released_at)
    };
    let is_used = |tenant: &AnnouncedTenant| !tenant.change.used_after_change().is_empty();
    let news: [News; 3] = [
        (NoticeKind::Released, &is_released, Change::pending),
        (NoticeKind::Rescheduled, &is_rescheduled, Change::pending),
        (NoticeKind::UsedAfterChange, &is_used, Change::used_after_change),
    ];
    for news in news {
        write_one(state, decided, judged, queries, files, news).await?;
    }
    Ok(())
}

/// Whether the notice of a day lies among what is to be sent.
fn is_written(out: &Path, day: NaiveDate, kind: NoticeKind, tenant_id: &str) -> bool {
    out.join(SENT).join(format!("{day}-{}", kind.as_str())).join(tenant_id).is_dir()
}

/// The kind of the notices, also their list's name; whom it is about, and which protocols of theirs.
type News<'a> = (NoticeKind, &'a dyn Fn(&AnnouncedTenant) -> bool, fn(&Change) -> Vec<Protocol>);

async fn write_one(
    state: &CampaignState,
    decided: &BTreeMap<String, Decided>,
    judged: &BTreeMap<String, TenantAssessment>,
    queries: &Queries,
    files: &NoticeFiles,
    (kind, is, protocols): News<'_>,
) -> Result<()> {
    let name = kind.as_str();
    let tenants: Vec<&AnnouncedTenant> = state.ledger.tenants.values().filter(|tenant| is(tenant)).collect();
    // A list of an earlier day must not stay as if it were today's.
    let there = files.out.join("lists").join(format!("{name}.csv")).exists();
    if tenants.is_empty() && !there {
        return Ok(());
    }
    let mut batch = NoticeBatch::begin(files, name)?;
    for (id, decision) in decided {
        let of_this = tenants.iter().filter(|tenant| tenant.change.decision_id == *id);
        let notices = of_this.filter_map(|tenant| {
            let assessment = judged.get(&tenant.change.tenant_id)?.clone();
            let protocols = protocols(&tenant.change);
            let kind = (!protocols.is_empty()).then_some(kind);
            let notice_date = kind.and_then(|kind| match kind {
                NoticeKind::UsedAfterChange => last_used_on(&tenant.change),
                NoticeKind::Released => tenant.released_at.map(|at| at.date_naive()),
                NoticeKind::Rescheduled => tenant.rescheduled_at.map(|at| at.date_naive()),
                _ => None,
            });
            Some(TenantNotice { kind, assessment, protocols, notice_date })
        });
        let notices: Vec<TenantNotice> = notices.collect();
        if notices.is_empty() {
            continue;
        }
        let window = state.until_now(decision.window);
        let who = match kind {
            NoticeKind::UsedAfterChange => {
                queries.who_until(&decision.campaign, decision.window.first, state.now, "*").await?
            }
            _ => BTreeMap::new(),
        };
        batch.write(state, decision, window, notices, &who)?;
    }
    let before = |row: &ListRow| {
        let date = state.ledger.tenants.get(&row.tenant_id)?.change.effective_date_before?;
        Some(date.to_string())
    };
    let last_used = |row: &ListRow| {
        let day = last_used_on(&state.ledger.tenants.get(&row.tenant_id)?.change)?;
        Some(day.to_string())
    };
    batch.finish(state, &[("effective_date_before", &before), ("last_used_on", &last_used)])?;
    Ok(())
}

/// The latest use of what was turned off: its notice has the same day however often it is written.
fn last_used_on(change: &Change) -> Option<NaiveDate> {
    let days = change.protocols.values().filter_map(|state| match state {
        ProtocolChange::UsedAfterChange { last_used, .. } => Some(*last_used),
        ProtocolChange::Pending
        | ProtocolChange::OptedOut { .. }
        | ProtocolChange::OnHold { .. }
        | ProtocolChange::Off { .. } => None,
    });
    days.max()
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
