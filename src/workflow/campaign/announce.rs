//! Announcing: pick tenants, fix their day, record it, write their notices.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::notice_batch::{NoticeBatch, NoticeCount, NoticeFiles, TenantNotice, out_belongs_to};
use super::state::{CampaignState, Decided, tenant_of};
use crate::error::{Error, Result};
use lightsout_campaign::announce::{Picked, Selection, announceable, pick, tenants_to_warn, warning_events};
use lightsout_campaign::event::ChangeKind;
use lightsout_campaign::guards::{self, DecisionAge, Stop};
use lightsout_campaign::roster_guard::{RosterGuard, same_exclusions};
use lightsout_campaign::{AnnouncedTenant, Event};
use lightsout_decisions::{reproduce, store};
use lightsout_model::change::{Change, ProtocolChange};
use lightsout_model::evidence::WhoRow;
use lightsout_model::protocol::Protocol;
use lightsout_notify::lists::ListRow;
use lightsout_notify::notice::NoticeKind;

/// What is announced, to how many, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct AnnounceRequest<'a> {
    /// The decision; `None`: the campaign's latest.
    pub decision_id: Option<&'a str>,
    /// Tenants of the wave; `None`: the campaign's, else everybody eligible.
    pub wave: Option<u32>,
    /// What the draw begins with; `None`: one that follows from the decision.
    pub seed: Option<u64>,
    /// The day of the notices; `None`: today.
    pub notice_date: Option<NaiveDate>,
    pub by_whom: Option<&'a str>,
    /// Whether fewer days than the campaign's may be left until its effective date.
    pub short_notice: bool,
    /// Whether all other tenants get warnings and requests for evidence.
    pub warnings: bool,
    /// Whether a decision that lacks exclusions of the roster may be announced.
    pub despite_roster: bool,
}

/// What was announced.
pub struct Announced {
    pub picked: Picked,
    /// The tenants of the whole announcement, also those of an earlier run that was cut short.
    pub tenant_ids: Vec<String>,
    pub notice_date: NaiveDate,
    pub effective_date: NaiveDate,
    /// Days between notice and change that the campaign wants.
    pub notice_days: u32,
    pub notices: NoticeCount,
    pub warnings: Option<NoticeCount>,
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::PastNoticeDate { date, today } => Self::PastNoticeDate { date, today },
            Stop::ShortNotice { .. } => Self::ShortNotice(stop.to_string()),
            Stop::NoOperator { .. } => Self::NoOperator(stop.to_string()),
            Stop::Decision(why) => Self::NotAnnounced(why),
        }
    }
}

/// Records the announcement and writes its notices. Notices are rendered before anything is recorded, so that a
/// wrong template stops it in time.
///
/// # Errors
/// Fails if nothing may be announced now, or the lake or a file can't be written.
pub async fn announce(
    state: &mut CampaignState,
    request: AnnounceRequest<'_>,
    files: &NoticeFiles,
) -> Result<Announced> {
    guards::operator(&state.campaign)?;
    out_belongs_to(&files.out, state)?;
    let row = state.decision(request.decision_id)?;
    reproduce::same_rules(&row)?;
    let mut decided = state.decided(&row)?;
    decided.campaign = guards::same_rules(&state.campaign, decided.campaign, &row.decision_id)?;
    let (roster, roster_name) = state.roster_that_holds(&row)?;
    same_exclusions(RosterGuard {
        campaign: &state.campaign.name,
        decision_id: &row.decision_id,
        decided_with: &store::roster(&state.lake, &row)?,
        roster: &roster,
        roster_name: &roster_name,
        is_accepted: request.despite_roster && request.decision_id.is_some(),
    })?;
    decided.roster = roster;
    let age = DecisionAge { decision_id: &row.decision_id, window: decided.window };
    let (notice_date, effective_date) =
        guards::days(&decided.campaign, age, request.notice_date, request.short_notice, state.now)?;
    let queries = state.queries().await?;
    let now_judged = state.judge_now(&decided, &queries).await?;
    let who = queries.who(&decided.campaign, decided.window, "*").await?;

    let off_elsewhere = state.off_elsewhere(&queries).await?;

    let lock = state.lock().await?;
    let picked = pick(&Selection {
        campaign: &decided.campaign,
        assessment: &decided.assessment,
        roster: &decided.roster,
        now_judged: &now_judged,
        ledger: &state.ledger,
        wave: request.wave,
        seed: request.seed,
        now: state.now,
        notice_date: request.notice_date,
        by_whom: request.by_whom,
        off_elsewhere: &off_elsewhere,
    });
    let batch = NoticeBatch::begin(files, "announced")?.of_announcement(&picked.announcement_id);
    let (notices, changes) = expected_from(state, &decided, &picked.events);
    batch.rehearse(state, &decided, notices, &changes, &who)?;
    state.record(&lock, &picked.events).await?;
    if request.warnings {
        let told = tenants_to_warn(&decided.assessment, &decided.roster, &state.ledger);
        let history = state.queries().await?.of_campaign("campaign_history", &state.campaign.name).await?;
        let by_whom = request.by_whom;
        let events = warning_events(&decided.campaign, &row.decision_id, &told, &history, state.now, by_whom);
        state.record(&lock, &events).await?;
    }
    drop(lock);

    let of_this = |tenant: &&AnnouncedTenant| {
        let is_announced = state.ledger.is_announced(&tenant.change.tenant_id);
        is_announced && tenant.announcement.announcement_id == picked.announcement_id
    };
    let announced: Vec<&AnnouncedTenant> = state.ledger.tenants.values().filter(of_this).collect();
    let tenant_ids = announced.iter().map(|tenant| tenant.change.tenant_id.clone()).collect();
    let notices = write(state, &decided, &announced, batch, &who).map_err(Error::recorded)?;
    let warnings = request.warnings.then(|| write_warnings(state, &decided, &who, files));
    let warnings = warnings.transpose().map_err(Error::recorded)?;
    let notice_days = decided.campaign.notice_days;
    Ok(Announced { picked, tenant_ids, notice_date, effective_date, notice_days, notices, warnings })
}

/// Notices of the whole announcement, so that a run that was cut short is completed.
fn write(
    state: &CampaignState,
    decided: &Decided,
    announced: &[&AnnouncedTenant],
    mut batch: NoticeBatch,
    who: &BTreeMap<String, Vec<WhoRow>>,
) -> Result<NoticeCount> {
    let notices = announced.iter().filter_map(|tenant| {
        let mut protocols = tenant.change.announced();
        protocols.retain(|protocol| !tenant.off_earlier.contains(protocol));
        notice_of(decided, &tenant.change.tenant_id, tenant.announcement.kind, protocols)
    });
    // As it was announced: what an earlier announcement turned off is not in it.
    let changes = announced.iter().map(|tenant| {
        let mut change = tenant.change.clone();
        change.protocols.retain(|protocol, _| !tenant.off_earlier.contains(protocol));
        (change.tenant_id.clone(), change)
    });
    batch.write_changes(state, decided, decided.window, notices.collect(), who, &changes.collect())?;
    let of = |row: &ListRow| state.ledger.tenants.get(&row.tenant_id);
    batch.finish(
        state,
        &[
            ("kind", &|row| of(row).map(|tenant| tenant.announcement.kind.as_str().to_owned())),
            ("announced_on", &|row| of(row).map(|tenant| tenant.change.announced_on.to_string())),
            ("announcement_id", &|row| of(row).map(|tenant| tenant.announcement.announcement_id.clone())),
        ],
    )
}

fn notice_of(
    decided: &Decided,
    tenant_id: &str,
    kind: ChangeKind,
    protocols: Vec<Protocol>,
) -> Option<TenantNotice> {
    let kind = match kind {
        ChangeKind::NoImpact => NoticeKind::NoImpact,
        ChangeKind::SelectedProtocols => NoticeKind::SelectedProtocols,
    };
    let assessment = tenant_of(&decided.assessment, tenant_id)?.clone();
    Some(TenantNotice { kind: Some(kind), assessment, protocols, notice_date: None })
}

/// What the ledger will say once these events are recorded.
fn expected_from(
    state: &CampaignState,
    decided: &Decided,
    events: &[Event],
) -> (Vec<TenantNotice>, BTreeMap<String, Change>) {
    let mut changes = BTreeMap::new();
    let mut notices = Vec::new();
    for event in events {
        let protocols: Vec<Protocol> =
            event.protocols.split(';').filter_map(|protocol| protocol.parse().ok()).collect();
        let tenant = tenant_of(&decided.assessment, &event.tenant_id);
        let kind = tenant.and_then(|tenant| announceable(&decided.campaign, tenant)).map(|(kind, _)| kind);
        notices.extend(kind.and_then(|kind| notice_of(decided, &event.tenant_id, kind, protocols.clone())));
        let change = Change {
            tenant_id: event.tenant_id.clone(),
            decision_id: event.decision_id.clone().unwrap_or_default(),
            announced_on: state.now.date_naive(),
            effective_date: event.effective_date.unwrap_or(NaiveDate::MAX),
            effective_date_before: None,
            why: None,
            protocols: protocols.into_iter().map(|protocol| (protocol, ProtocolChange::Pending)).collect(),
        };
        changes.insert(event.tenant_id.clone(), change);
    }
    (notices, changes)
}

/// Warnings and requests for evidence: nothing is announced in them.
fn write_warnings(
    state: &CampaignState,
    decided: &Decided,
    who: &BTreeMap<String, Vec<WhoRow>>,
    files: &NoticeFiles,
) -> Result<NoticeCount> {
    let others = tenants_to_warn(&decided.assessment, &decided.roster, &state.ledger);
    let notices = others.into_iter().map(|(_, tenant)| TenantNotice {
        kind: NoticeKind::of(tenant.verdict),
        assessment: tenant.clone(),
        protocols: tenant.protocols_in_use.clone(),
        notice_date: None,
    });
    let mut batch = NoticeBatch::begin(files, "warned")?;
    batch.write(state, decided, decided.window, notices.collect(), who)?;
    batch.finish(state, &[])
}
