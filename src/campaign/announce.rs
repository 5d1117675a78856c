//! Picks the tenants that are told that protocols go off, and fixes the day.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::dates::{days_between, effective_date};
use super::event::{Announcement, ChangeKind, Event, EventKind};
use super::objections::{cause, reasons};
use super::state::Ledger;
use lightsout_model::campaign::Campaign;
use lightsout_model::change::HoldCause;
use lightsout_model::protocol::Protocol;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::{Assessment, Reason, TenantAssessment, TenantVerdict};

/// What a selection is made from.
#[derive(Debug)]
pub struct Selection<'a> {
    pub campaign: &'a Campaign,
    /// The decision that is announced.
    pub assessment: &'a Assessment,
    /// As it is now, which may be later than the decision's.
    pub roster: &'a Roster,
    /// By tenant id: how each looks now, from the first day of the decision's window until today.
    pub now_judged: &'a BTreeMap<String, TenantAssessment>,
    pub ledger: &'a Ledger,
    /// Tenants of a wave; `None`: everyone eligible.
    pub wave: Option<u32>,
    /// `None`: one that follows from the decision.
    pub seed: Option<u64>,
    pub now: DateTime<Utc>,
    /// The day that the notices are given; `None`: that of `now`.
    pub notice_date: Option<NaiveDate>,
    pub by_whom: Option<&'a str>,
    /// What other campaigns have turned off.
    pub off_elsewhere: &'a OffElsewhere,
}

/// Protocols that other campaigns have turned off, by tenant id, each with one such campaign.
pub type OffElsewhere = BTreeMap<String, BTreeMap<Protocol, String>>;

/// Adds what a campaign has turned off, as far as it still is: neither corrected nor used since.
pub fn add_off(off: &mut OffElsewhere, campaign: &str, ledger: &Ledger) {
    for (tenant_id, tenant) in &ledger.tenants {
        for protocol in tenant.change.off() {
            let of_tenant = off.entry(tenant_id.clone()).or_default();
            of_tenant.entry(protocol).or_insert_with(|| campaign.to_owned());
        }
    }
}

/// Why a tenant with something to announce is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassedOver {
    /// Once in a campaign, unless it was withdrawn.
    AlreadyAnnounced {
        on: NaiveDate,
    },
    ExcludedByRoster {
        note: String,
    },
    ExcludedByCampaign {
        key: &'static str,
    },
    /// Everything to be announced is off already: by roster or settings, or by another campaign.
    AlreadyOff {
        campaign: Option<String>,
    },
    /// The tenant has opted out of everything that is left, of an announcement that was withdrawn.
    KeptByTenant,
    /// Usage since the decision.
    Overtaken {
        reasons: Vec<Reason>,
    },
    /// The evidence does not suffice up to today: a recheck would put the change on hold at once.
    NotCovered {
        reasons: Vec<Reason>,
    },
    /// Eligible, and not drawn into this wave.
    NotDrawn,
    /// Eligible, and the campaign lets no more be between notice and change.
    NoRoom,
}

/// Who is told, and who is not.
#[derive(Debug)]
pub struct Picked {
    pub announcement_id: String,
    pub seed: u64,
    /// New ones; none if the same wave was drawn before.
    pub events: Vec<Event>,
    /// When the same wave was drawn before.
    pub drawn_before: Option<DateTime<Utc>>,
    /// By tenant id.
    pub passed_over: BTreeMap<String, PassedOver>,
}

struct Candidate<'a> {
    tenant_id: &'a str,
    kind: ChangeKind,
    protocols: Vec<Protocol>,
}

/// Picks.
///
/// The same decision, size and seed are the same wave: drawn again it gives no event, whatever has
/// changed since. Which tenants a seed draws depends on no order and on no other tenant.
#[must_use]
pub fn pick(selection: &Selection<'_>) -> Picked {
    let campaign = selection.campaign;
    let decision_id = &selection.assessment.decision_id;
    let seed = selection.seed.unwrap_or_else(|| number(&[decision_id.as_bytes()]));
    let wave = selection.wave.or(campaign.waves.size);
    let size = wave.map_or_else(|| "all".to_owned(), |wave| wave.to_string());
    let announcement_id = hash(&[&campaign.name, decision_id, &size, &seed.to_string()]);

    let mut passed_over = BTreeMap::new();
    let mut eligible = Vec::new();
    for tenant in &selection.assessment.tenants {
        let Some((kind, protocols)) = announceable(campaign, tenant) else { continue };
        match passed(selection, tenant, &protocols) {
            Ok(protocols) => eligible.push(Candidate { tenant_id: &tenant.tenant_id, kind, protocols }),
            Err(why) => drop(passed_over.insert(tenant.tenant_id.clone(), why)),
        }
    }
    let of_wave = selection.ledger.tenants.values();
    let drawn_before = of_wave
        .filter(|tenant| wave.is_some() && tenant.announcement.announcement_id == announcement_id)
        .filter(|tenant| selection.ledger.is_announced(&tenant.change.tenant_id))
        .map(|tenant| tenant.announced_at)
        .min();

    let pending = selection.ledger.tenants.values().filter(|tenant| !tenant.change.pending().is_empty());
    let room = campaign.waves.pending_max.map(|max| (max as usize).saturating_sub(pending.count()));
    let drawn = if drawn_before.is_some() { 0 } else { wave.map_or(usize::MAX, |wave| wave as usize) };
    let left_out = if room.is_some_and(|room| room < drawn) && drawn_before.is_none() {
        PassedOver::NoRoom
    } else {
        PassedOver::NotDrawn
    };
    let drawn = drawn.min(room.unwrap_or(usize::MAX));
    let counted = eligible.len() as u64;
    eligible.sort_by_key(|candidate| {
        (number(&[&seed.to_le_bytes(), candidate.tenant_id.as_bytes()]), candidate.tenant_id)
    });
    let not_drawn = eligible.split_off(drawn.min(eligible.len()));
    passed_over
        .extend(not_drawn.into_iter().map(|candidate| (candidate.tenant_id.to_owned(), left_out.clone())));
    eligible.sort_by_key(|candidate| candidate.tenant_id);

    let today = selection.now.date_naive();
    let notice_date = selection.notice_date.filter(|date| *date != today);
    let given_on = notice_date.unwrap_or(today);
    let effective_date = effective_date(campaign, given_on);
    let days = days_between(given_on, effective_date);
    let notice_days = days.min(campaign.notice_days).saturating_add(days_between(today, given_on));
    let event = |candidate: Candidate<'_>| {
        let announcement = Announcement {
            announcement_id: announcement_id.clone(),
            kind: candidate.kind,
            seed,
            wave,
            eligible: counted,
            notice_date,
            notice_days: Some(notice_days),
            short_notice: days < campaign.notice_days,
        };
        let kind = EventKind::Announced;
        Event::new(&campaign.name, candidate.tenant_id, kind, &candidate.protocols, selection.now)
            .on_decision(decision_id)
            .effective(effective_date)
            .by(selection.by_whom)
            .told(&announcement)
    };
    let events = eligible.into_iter().map(event).collect();
    Picked { announcement_id, seed, events, drawn_before, passed_over }
}

/// What a verdict lets be announced.
#[must_use]
pub fn announceable(campaign: &Campaign, tenant: &TenantAssessment) -> Option<(ChangeKind, Vec<Protocol>)> {
    match tenant.verdict {
        TenantVerdict::NoImpact => Some((ChangeKind::NoImpact, campaign.scope())),
        TenantVerdict::Warning if !tenant.protocols_clear.is_empty() => {
            Some((ChangeKind::SelectedProtocols, tenant.protocols_clear.clone()))
        }
        _ => None,
    }
}

/// The protocols to be told of, or why there is nothing to tell.
fn passed(
    selection: &Selection<'_>,
    tenant: &TenantAssessment,
    protocols: &[Protocol],
) -> Result<Vec<Protocol>, PassedOver> {
    let id = &tenant.tenant_id;
    let announced = selection.ledger.tenants.get(id);
    if let Some(announced) = announced.filter(|_| selection.ledger.is_announced(id)) {
        return Err(PassedOver::AlreadyAnnounced { on: announced.change.announced_on });
    }
    let settings = selection.roster.tenants.get(id);
    if let Some(note) = settings.and_then(|settings| settings.exclude.clone()) {
        return Err(PassedOver::ExcludedByRoster { note });
    }
    let waves = &selection.campaign.waves;
    if waves.exclude_tenants.contains(id) {
        return Err(PassedOver::ExcludedByCampaign { key: "exclude_tenants" });
    }
    let cloud = settings.and_then(|settings| settings.cloud.as_deref()).unwrap_or("worldwide");
    if waves.exclude_clouds.iter().any(|excluded| excluded.eq_ignore_ascii_case(cloud)) {
        return Err(PassedOver::ExcludedByCampaign { key: "exclude_clouds" });
    }
    let mut still_on = settings.map_or_else(|| protocols.to_vec(), |settings| settings.still_on(protocols));
    let now_judged = selection.now_judged.get(id);
    let off_since = |protocol: Protocol| now_judged.is_some_and(|judged| judged.is_already_off(protocol));
    still_on.retain(|protocol| !tenant.is_already_off(*protocol) && !off_since(*protocol));
    // By an announcement of this campaign that was withdrawn afterwards.
    let off_here = announced.map(|tenant| tenant.change.off()).unwrap_or_default();
    still_on.retain(|protocol| !off_here.contains(protocol));
    // An opt-out outlives its announcement: the tenant need not ask again.
    let kept = selection.ledger.withdrawn.get(id).map(|withdrawn| withdrawn.change.opted_out());
    let count = still_on.len();
    still_on.retain(|protocol| !kept.iter().flatten().any(|kept| kept == protocol));
    if still_on.is_empty() && count > 0 {
        return Err(PassedOver::KeptByTenant);
    }
    let off_elsewhere = selection.off_elsewhere.get(id);
    let elsewhere = |protocol: &Protocol| off_elsewhere.and_then(|off| off.get(protocol)).cloned();
    let by_others = still_on.iter().find_map(elsewhere);
    still_on.retain(|protocol| elsewhere(protocol).is_none());
    if still_on.is_empty() {
        return Err(PassedOver::AlreadyOff { campaign: by_others });
    }
    let campaign = selection.campaign;
    let Some(judged) = now_judged else {
        return Err(PassedOver::NotCovered { reasons: vec![Reason::NoRecords] });
    };
    let causes: BTreeSet<HoldCause> =
        still_on.iter().filter_map(|protocol| cause(campaign, judged, *protocol)).collect();
    let reasons = |cause| reasons(campaign, judged, cause, &still_on);
    if causes.contains(&HoldCause::Usage) {
        Err(PassedOver::Overtaken { reasons: reasons(HoldCause::Usage) })
    } else if causes.contains(&HoldCause::Coverage) {
        Err(PassedOver::NotCovered { reasons: reasons(HoldCause::Coverage) })
    } else {
        Ok(still_on)
    }
}

/// The tenants that are told something else than a change: a warning, or which evidence is missing. Those
/// that a change was announced to, and excluded ones, are told nothing here.
#[must_use]
pub fn tenants_to_warn<'a>(
    assessment: &'a Assessment,
    roster: &Roster,
    ledger: &Ledger,
) -> Vec<(EventKind, &'a TenantAssessment)> {
    let of = |tenant: &'a TenantAssessment| {
        let kind = match tenant.verdict {
            TenantVerdict::Warning => EventKind::Warned,
            TenantVerdict::InsufficientEvidence => EventKind::EvidenceAsked,
            TenantVerdict::NoImpact | TenantVerdict::Excluded => return None,
        };
        let id = &tenant.tenant_id;
        let excluded = roster.tenants.get(id).is_some_and(|settings| settings.exclude.is_some());
        (!excluded && !ledger.is_announced(id)).then_some((kind, tenant))
    };
    assessment.tenants.iter().filter_map(of).collect()
}

/// The events of those that the history does not hold yet: a tenant is told once on a decision.
#[must_use]
pub fn warning_events(
    campaign: &Campaign,
    decision_id: &str,
    told: &[(EventKind, &TenantAssessment)],
    history: &[Event],
    now: DateTime<Utc>,
    by_whom: Option<&str>,
) -> Vec<Event> {
    let known: BTreeSet<(&str, EventKind)> = history
        .iter()
        .filter(|event| event.decision_id.as_deref() == Some(decision_id))
        .map(|event| (event.tenant_id.as_str(), event.event))
        .collect();
    let new = told.iter().filter(|(kind, tenant)| !known.contains(&(tenant.tenant_id.as_str(), *kind)));
    new.map(|(kind, tenant)| {
        Event::new(&campaign.name, &tenant.tenant_id, *kind, &tenant.protocols_in_use, now)
            .on_decision(decision_id)
            .by(by_whom)
    })
    .collect()
}

fn hash(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// A number that nobody chose, and that the same bytes always give; fits a signed column.
fn number(parts: &[&[u8]]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes) >> 1
}
