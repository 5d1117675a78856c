//! Where things stand: what the events of a campaign come to, taken one after the other in the order in which they were
//! recorded. [`Ledger::of`] is the only definition; the view `campaign_changes` shows what it gives.
//!
//! The order is the place in the ledger, never the time that a command was told: an opt-out that is taken back and made
//! again counts whatever `--now` said. Events of earlier versions have no place: they come first, by their time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::event::{Announcement, Event, EventKind, Explanation, Hold, Reschedule, UsageAfterChange};
use super::history::{ProtocolHistory, instant};
use lightsout_model::change::{Change, ProtocolChange};
use lightsout_model::protocol::Protocol;

/// One tenant that something was announced to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncedTenant {
    /// What an earlier announcement turned off is among its protocols.
    pub change: Change,
    pub announcement: Announcement,
    pub announced_at: DateTime<Utc>,
    /// By the system's clock: before that day nothing is turned off, whatever the time is said to be.
    pub not_before: NaiveDate,
    /// Why, of the protocols that are on hold, and since when.
    pub holds: BTreeMap<Protocol, (Hold, DateTime<Utc>)>,
    /// Since when the tenant keeps protocols.
    pub opted_out_at: BTreeMap<Protocol, DateTime<Utc>>,
    /// When protocols were turned off, of those that are, also if they were used afterwards.
    pub off_at: BTreeMap<Protocol, DateTime<Utc>>,
    /// Turned off by an announcement before this one, which was withdrawn.
    pub off_earlier: BTreeSet<Protocol>,
    /// Opt-outs and confirmations that were taken back.
    pub opted_in: BTreeSet<Protocol>,
    pub corrected: BTreeSet<Protocol>,
    /// The latest end of a hold, and the latest new date.
    pub released_at: Option<DateTime<Utc>>,
    pub rescheduled_at: Option<DateTime<Utc>>,
    /// [`Self::due_on`] before the latest new date.
    pub due_before: Option<NaiveDate>,
    /// The date that the tenant was told of for each protocol.
    pub told_dates: BTreeMap<Protocol, NaiveDate>,
}

impl AnnouncedTenant {
    /// The first day on which something of the change may be turned off: its date has come, and the days of notice have
    /// passed by the system's clock.
    #[must_use]
    pub fn due_on(&self) -> NaiveDate {
        self.change.effective_date.max(self.not_before)
    }

    /// Whether protocols that a hold or an opt-out kept need a new date: that of the change has come, or it is one that
    /// was given to other protocols meanwhile, of which nobody was told for these.
    #[must_use]
    pub fn needs_new_date(&self, protocols: &[Protocol], latest: NaiveDate) -> bool {
        let date = self.change.effective_date;
        date <= latest || protocols.iter().any(|protocol| self.told_dates.get(protocol) != Some(&date))
    }

    /// What a withdrawal takes back: all that was announced and is still on.
    #[must_use]
    pub fn withdrawable(&self) -> Vec<Protocol> {
        self.change.that(|state| {
            matches!(
                state,
                ProtocolChange::Pending | ProtocolChange::OptedOut { .. } | ProtocolChange::OnHold { .. }
            )
        })
    }
}

/// What was taken back from a tenant by its latest withdrawal; nothing was announced to it since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawnTenant {
    /// Its protocols are those that are no longer to be turned off, as they stood.
    pub change: Change,
    pub announcement: Announcement,
    pub announced_at: DateTime<Utc>,
    pub withdrawn_at: DateTime<Utc>,
    pub by: Option<String>,
}

/// Every tenant of a campaign that something was announced to, by tenant id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// A tenant whose announcement was withdrawn is here only if something of it has been turned off.
    pub tenants: BTreeMap<String, AnnouncedTenant>,
    pub withdrawn: BTreeMap<String, WithdrawnTenant>,
    /// The ids of all announcements, in the order in which they were made.
    pub announcements: Vec<String>,
    /// The place of the next event.
    pub next_position: u64,
}

/// An event whose detail is not what this program writes.
#[derive(Debug, thiserror::Error)]
#[error("an event of the campaign: {source}")]
pub struct StateError {
    #[from]
    source: serde_json::Error,
}

impl Ledger {
    /// Takes the events of one campaign, in any order; one that is there twice happened once.
    ///
    /// # Errors
    /// Fails if an event's detail is not what this program writes.
    pub fn of(mut events: Vec<Event>) -> Result<Self, StateError> {
        events.sort_by(|a, b| place(a).cmp(&place(b)));
        let mut known = BTreeSet::new();
        events.retain(|event| known.insert(event.event_id.clone()));
        let counted = events.len() as u64;
        let last = events.iter().filter_map(|event| event.ledger_position).max();
        let mut fold = Fold::default();
        for event in &events {
            fold.take(event)?;
        }
        let mut tenants = BTreeMap::new();
        for (tenant_id, open) in fold.tenants {
            tenants.insert(tenant_id, open.tenant());
        }
        Ok(Self {
            tenants,
            withdrawn: fold.withdrawn,
            announcements: fold.announcements,
            next_position: last.map_or(0, |last| last + 1).max(counted),
        })
    }

    /// Whether a change was announced to the tenant and not withdrawn.
    #[must_use]
    pub fn is_announced(&self, tenant_id: &str) -> bool {
        self.tenants.contains_key(tenant_id) && !self.withdrawn.contains_key(tenant_id)
    }

    /// The id of the latest announcement to the tenant, withdrawn or not.
    #[must_use]
    pub fn announcement_of(&self, tenant_id: &str) -> Option<&str> {
        let open = self.tenants.get(tenant_id).map(|tenant| &tenant.announcement);
        let withdrawn = self.withdrawn.get(tenant_id).map(|tenant| &tenant.announcement);
        withdrawn.or(open).map(|announcement| announcement.announcement_id.as_str())
    }

    /// The changes alone, as notices take them.
    #[must_use]
    pub fn changes(&self) -> BTreeMap<String, Change> {
        self.tenants.iter().map(|(id, tenant)| (id.clone(), tenant.change.clone())).collect()
    }
}

/// Events with a place come by it. Those of earlier versions come before them: first the announcements, then the rest
/// by its time; of a hold and its release at one instant the hold stays.
fn place(event: &Event) -> (Option<u64>, bool, DateTime<Utc>, bool, &str) {
    let is_hold = event.event == EventKind::Held;
    let follows = event.event != EventKind::Announced;
    (event.ledger_position, follows, event.happened_at, is_hold, &event.event_id)
}

/// A tenant while its events are taken.
struct Open {
    tenant_id: String,
    decision_id: String,
    announcement: Announcement,
    announced_at: DateTime<Utc>,
    effective_date: NaiveDate,
    effective_date_before: Option<NaiveDate>,
    not_before: NaiveDate,
    why: Option<String>,
    protocols: BTreeMap<Protocol, ProtocolHistory>,
    off_earlier: BTreeSet<Protocol>,
    released_at: Option<DateTime<Utc>>,
    rescheduled_at: Option<DateTime<Utc>>,
    due_before: Option<NaiveDate>,
}

impl Open {
    fn tenant(&self) -> AnnouncedTenant {
        let of = |is: fn(&ProtocolHistory) -> bool| {
            self.protocols.iter().filter(|(_, history)| is(history)).map(|(protocol, _)| *protocol).collect()
        };
        let states = self.protocols.iter().map(|(protocol, history)| (*protocol, history.state())).collect();
        let off_at = self.protocols.iter().filter_map(|(protocol, history)| Some((*protocol, history.off?)));
        let opted_out_at = self.protocols.iter().filter_map(|(protocol, history)| {
            let is_out = matches!(history.state(), ProtocolChange::OptedOut { .. });
            history.opted_out_at().filter(|_| is_out).map(|at| (*protocol, at))
        });
        let holds = self.protocols.iter().filter_map(|(protocol, history)| {
            let is_on_hold = matches!(history.state(), ProtocolChange::OnHold { .. });
            history.hold.clone().filter(|_| is_on_hold).map(|hold| (*protocol, hold))
        });
        AnnouncedTenant {
            change: Change {
                tenant_id: self.tenant_id.clone(),
                decision_id: self.decision_id.clone(),
                announced_on: self.announcement.notice_date.unwrap_or(self.announced_at.date_naive()),
                effective_date: self.effective_date,
                effective_date_before: self.effective_date_before,
                why: self.why.clone(),
                protocols: states,
            },
            announcement: self.announcement.clone(),
            announced_at: self.announced_at,
            not_before: self.not_before,
            holds: holds.collect(),
            opted_out_at: opted_out_at.collect(),
            off_at: off_at.collect(),
            off_earlier: self.off_earlier.clone(),
            opted_in: of(|history| history.opted_in),
            corrected: of(|history| history.corrected),
            released_at: self.released_at,
            rescheduled_at: self.rescheduled_at,
            due_before: self.due_before,
            told_dates: self
                .protocols
                .iter()
                .filter_map(|(protocol, history)| Some((*protocol, history.told_date?)))
                .collect(),
        }
    }

    /// The histories of what the event names and was announced.
    fn named(&mut self, event: &Event) -> impl Iterator<Item = (Protocol, &mut ProtocolHistory)> {
        let named = event.protocol_list();
        let all = self.protocols.iter_mut().map(|(protocol, history)| (*protocol, history));
        all.filter(move |(protocol, _)| named.contains(protocol))
    }
}

#[derive(Default)]
struct Fold {
    tenants: BTreeMap<String, Open>,
    withdrawn: BTreeMap<String, WithdrawnTenant>,
    announcements: Vec<String>,
}

impl Fold {
    fn take(&mut self, event: &Event) -> Result<(), StateError> {
        let detail = event.detail.as_deref().unwrap_or_default();
        if event.event == EventKind::Announced {
            self.announce(event, serde_json::from_str(detail)?);
            return Ok(());
        }
        if event.event == EventKind::OptedIn
            && let Some(withdrawn) = self.withdrawn.get_mut(&event.tenant_id)
        {
            for protocol in event.protocol_list() {
                withdrawn
                    .change
                    .protocols
                    .entry(protocol)
                    .and_modify(|state| *state = ProtocolChange::Pending);
            }
            return Ok(());
        }
        let Some(tenant) = self.tenants.get_mut(&event.tenant_id) else { return Ok(()) };
        let at = instant(event);
        match event.event {
            EventKind::Announced | EventKind::Warned | EventKind::EvidenceAsked => {}
            EventKind::OptedOut => {
                for (_, history) in tenant.named(event) {
                    history.opt_out(at, event.by_whom.as_deref());
                }
            }
            EventKind::OptedIn => {
                tenant.why = Some(explained(detail)?);
                for (_, history) in tenant.named(event) {
                    history.opt_in();
                }
            }
            EventKind::Held => {
                let hold: Hold = serde_json::from_str(detail)?;
                for (_, history) in tenant.named(event) {
                    history.hold = Some((hold.clone(), at));
                }
            }
            EventKind::Released => {
                tenant.released_at = Some(at);
                for (_, history) in tenant.named(event) {
                    history.hold = None;
                }
            }
            EventKind::Confirmed => {
                for (_, history) in tenant.named(event) {
                    history.turned_off(at);
                }
            }
            EventKind::Corrected => {
                tenant.why = Some(explained(detail)?);
                let is_withdrawn = self.withdrawn.contains_key(&event.tenant_id);
                let named = event.protocol_list();
                for (_, history) in tenant.named(event) {
                    history.correct();
                }
                // Nobody announces any more that these go off.
                let earlier = tenant.off_earlier.clone();
                tenant.protocols.retain(|protocol, history| {
                    !named.contains(protocol)
                        || history.off.is_some()
                        || !(is_withdrawn || earlier.contains(protocol))
                });
                tenant.off_earlier.retain(|protocol| tenant.protocols.contains_key(protocol));
                if tenant.protocols.is_empty() {
                    self.tenants.remove(&event.tenant_id);
                }
            }
            EventKind::UsedAfterChange => {
                let used: UsageAfterChange = serde_json::from_str(detail)?;
                for (protocol, history) in tenant.named(event) {
                    history.last_used = used.last_used.get(&protocol).copied().or(Some(at));
                }
            }
            EventKind::Rescheduled => {
                let Reschedule { why, notice_days } = serde_json::from_str(detail)?;
                if let Some(date) = event.effective_date {
                    tenant.due_before = Some(tenant.effective_date.max(tenant.not_before));
                    tenant.effective_date_before = Some(tenant.effective_date);
                    tenant.effective_date = date;
                    tenant.not_before = not_before(event, Some(notice_days), date);
                    tenant.rescheduled_at = Some(at);
                    tenant.why = Some(why);
                    let named = event.protocol_list();
                    for (protocol, history) in &mut tenant.protocols {
                        // Its notice names all that is pending.
                        if named.contains(protocol) || history.state() == ProtocolChange::Pending {
                            history.told_date = Some(date);
                        }
                    }
                }
            }
            EventKind::Withdrawn => {
                let why = explained(detail)?;
                self.withdraw(event, why);
            }
        }
        Ok(())
    }

    /// Of a tenant that has an announcement, the first is the one that holds.
    fn announce(&mut self, event: &Event, announcement: Announcement) {
        let id = &event.tenant_id;
        let is_withdrawn = self.withdrawn.contains_key(id);
        if self.tenants.contains_key(id) && !is_withdrawn {
            return;
        }
        if !self.announcements.contains(&announcement.announcement_id) {
            self.announcements.push(announcement.announcement_id.clone());
        }
        self.withdrawn.remove(id);
        // What was turned off before stays so.
        let before = self.tenants.remove(id).map(|tenant| tenant.protocols).unwrap_or_default();
        let off_earlier: BTreeSet<Protocol> = before.keys().copied().collect();
        let effective_date = event.effective_date.unwrap_or(NaiveDate::MAX);
        let told = ProtocolHistory::announced_for(effective_date);
        let named = event.protocol_list().into_iter().map(|protocol| (protocol, told.clone()));
        let mut protocols: BTreeMap<Protocol, ProtocolHistory> = named.collect();
        protocols.extend(before);
        let not_before = not_before(event, announcement.notice_days, effective_date);
        let open = Open {
            tenant_id: id.clone(),
            decision_id: event.decision_id.clone().unwrap_or_default(),
            announcement,
            announced_at: event.happened_at,
            effective_date,
            effective_date_before: None,
            not_before,
            why: None,
            protocols,
            off_earlier,
            released_at: None,
            rescheduled_at: None,
            due_before: None,
        };
        self.tenants.insert(id.clone(), open);
    }

    fn withdraw(&mut self, event: &Event, why: String) {
        let Some(open) = self.tenants.get_mut(&event.tenant_id) else { return };
        let tenant = open.tenant();
        let named = event.protocol_list();
        let mut taken_back = tenant.withdrawable();
        taken_back.retain(|protocol| named.contains(protocol));
        open.protocols.retain(|protocol, _| !taken_back.contains(protocol));
        let mut change = Change { why: Some(why), ..tenant.change };
        change.protocols.retain(|protocol, _| taken_back.contains(protocol));
        if open.protocols.is_empty() {
            self.tenants.remove(&event.tenant_id);
        }
        let withdrawn = WithdrawnTenant {
            change,
            announcement: tenant.announcement,
            announced_at: tenant.announced_at,
            withdrawn_at: instant(event),
            by: event.by_whom.clone(),
        };
        self.withdrawn.insert(event.tenant_id.clone(), withdrawn);
    }
}

fn explained(detail: &str) -> Result<String, StateError> {
    let Explanation { why } = serde_json::from_str(detail)?;
    Ok(why)
}

/// The first day by the system's clock on which something may be turned off. Earlier versions kept no such clock: of
/// theirs the effective date counts alone.
fn not_before(event: &Event, notice_days: Option<u32>, effective_date: NaiveDate) -> NaiveDate {
    match (event.recorded_at, notice_days) {
        (Some(recorded_at), Some(days)) => {
            recorded_at.date_naive().checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX)
        }
        _ => effective_date,
    }
}
