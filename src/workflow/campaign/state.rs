//! What every campaign command works on: the lake, the campaign's ledger, the decisions that were announced, and one
//! clock.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::rehearsal::is_rehearsal;
use crate::error::{Error, Result};
use crate::{MEMORY_LIMIT_BYTES, Tell, session};
use lightsout_campaign::announce::OffElsewhere;
use lightsout_campaign::objections::cause;
use lightsout_campaign::{AnnouncedTenant, Clock, Event, LakeTimes, Ledger};
use lightsout_decisions::decision::DecisionRow;
use lightsout_decisions::{reproduce, store};
use lightsout_lake::Lake;
use lightsout_lake::commit::Locked;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::roster_changes::no_longer_excluded;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::{Assessment, TenantAssessment};
use lightsout_query::Queries;

/// A decision that something was announced on, with the rules and tenants of then.
pub struct Decided {
    /// With the contacts of the campaign file as it is now.
    pub campaign: Campaign,
    /// As it is now, if the command names one; else the decision's.
    pub roster: Roster,
    pub window: Window,
    /// What was decided; of a decision that has no verdicts, its evidence judged by the rules of this version.
    pub assessment: Assessment,
    /// If it was made by other rules than those of this version.
    pub other_rules: Option<OtherRules>,
}

/// The rules that a decision was made by, and what those of this version make of its evidence.
pub struct OtherRules {
    /// In words.
    pub made_by: String,
    pub judged_today: Assessment,
}

/// See the file's first lines.
pub struct CampaignState {
    pub lake: Lake,
    /// As the file says now. What was announced follows the decision's.
    pub campaign: Campaign,
    pub roster: Option<Roster>,
    /// The time that it is said to be.
    pub now: DateTime<Utc>,
    /// The system's clock; in a rehearsal, `now`.
    pub wall: DateTime<Utc>,
    /// The lake is a copy to rehearse in.
    pub is_rehearsal: bool,
    /// In a rehearsal: no log is later than this, and none is missing for that.
    logs_until: DateTime<Utc>,
    pub ledger: Ledger,
    latest: Option<DecisionRow>,
    tell: Tell,
}

impl CampaignState {
    /// Reads the ledger and the campaign's latest decision.
    ///
    /// # Errors
    /// Fails if the lake can't be read.
    pub async fn read(
        lake: Lake,
        campaign: Campaign,
        roster: Option<Roster>,
        clock: Clock,
        tell: Tell,
    ) -> Result<Self> {
        let latest = store::latest_head(&lake, &campaign.name)?;
        let latest = latest.map(|head| store::find(&lake, &head.decision_id)).transpose()?;
        let Clock { now, wall } = clock;
        let is_rehearsal = is_rehearsal(lake.root());
        let mut state = Self {
            lake,
            campaign,
            roster,
            now,
            wall: if is_rehearsal { now } else { wall },
            is_rehearsal,
            logs_until: wall,
            ledger: Ledger::default(),
            latest,
            tell,
        };
        state.read_ledger().await?;
        Ok(state)
    }

    /// The same campaign over a lake to rehearse in.
    ///
    /// # Errors
    /// Fails if it can't be read.
    pub(super) async fn over(&self, lake: Lake) -> Result<Self> {
        let clock = Clock { now: self.now, wall: self.wall };
        Self::read(lake, self.campaign.clone(), self.roster.clone(), clock, self.tell).await
    }

    /// Sets both clocks of a rehearsal.
    pub(super) const fn set_clock(&mut self, now: DateTime<Utc>) {
        self.now = now;
        self.wall = now;
    }

    /// Both clocks.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        Clock { now: self.now, wall: self.wall }
    }

    /// A session over the lake as this view sees it.
    ///
    /// # Errors
    /// Fails if the lake can't be read.
    pub async fn queries(&self) -> Result<Queries> {
        Ok(session::open_for_verdicts(&self.lake, MEMORY_LIMIT_BYTES).await?)
    }

    async fn read_ledger(&mut self) -> Result<()> {
        self.ledger = lightsout_ledger::read(&self.queries().await?, &self.campaign.name).await?;
        Ok(())
    }

    /// Takes the lake's lock and sees what others have recorded meanwhile.
    ///
    /// # Errors
    /// Fails if the lake can't be locked or read.
    pub async fn lock(&mut self) -> Result<Locked> {
        let lock = self.lake.lock().await?;
        let queries = self.queries().await?;
        if !self.is_rehearsal {
            self.clock().fits(lake_times(&queries).await?).map_err(Error::Clock)?;
        }
        self.ledger = lightsout_ledger::read(&queries, &self.campaign.name).await?;
        Ok(lock)
    }

    /// The last day of the lake's logs, if it is after the time that it is said to be: those days are not looked at.
    ///
    /// # Errors
    /// Fails if the lake can't be read.
    pub async fn not_looked_at(&self) -> Result<Option<NaiveDate>> {
        if self.now.date_naive() >= self.wall.date_naive() {
            return Ok(None);
        }
        let last = self.queries().await?.log_extent(None, "*").await?.last_day;
        Ok(last.filter(|day| *day > self.now.date_naive()))
    }

    /// Records events, all or none of them, and reads the ledger again.
    ///
    /// # Errors
    /// Fails if the lake can't be written.
    pub async fn record(&mut self, lock: &Locked, events: &[Event]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let next = self.ledger.next_position;
        lightsout_ledger::append(&mut self.lake, lock, events, next, self.wall, self.now).await?;
        self.read_ledger().await
    }

    /// The campaign's latest decision, if there is one.
    #[must_use]
    pub const fn latest(&self) -> Option<&DecisionRow> {
        self.latest.as_ref()
    }

    /// A kept decision of this campaign by its id, or its latest.
    ///
    /// # Errors
    /// Fails if there is none, or it is of another campaign.
    pub fn decision(&self, id: Option<&str>) -> Result<DecisionRow> {
        let Some(id) = id else {
            let (campaign, lake) = (self.campaign.name.clone(), self.lake.name());
            let none = || lightsout_decisions::Error::NoneYet { campaign, lake };
            return Ok(self.latest().cloned().ok_or_else(none)?);
        };
        let row = store::find(&self.lake, id)?;
        if row.campaign != self.campaign.name {
            let campaign = self.campaign.name.clone();
            return Err(Error::OtherCampaign { decision_id: id.to_owned(), campaign, other: row.campaign });
        }
        Ok(row)
    }

    /// The roster that was given, else that of the latest decision.
    ///
    /// # Errors
    /// Fails if the decision can't be read.
    pub fn current_roster(&self) -> Result<Roster> {
        match (&self.roster, self.latest()) {
            (Some(roster), _) => Ok(roster.clone()),
            (None, Some(row)) => Ok(store::roster(&self.lake, row)?),
            (None, None) => Ok(Roster::default()),
        }
    }

    /// The roster whose exclusions hold for an announcement, and its name in messages: the lake's, else that of the
    /// campaign's newest decision that was made with one, else that of the decision. One that was given adds to it.
    ///
    /// # Errors
    /// Fails if the lake can't be read.
    pub fn roster_that_holds(&self, row: &DecisionRow) -> Result<(Roster, String)> {
        if let Some(kept) = crate::roster::kept(&self.lake)? {
            let name = kept.told();
            let given = self.roster.clone().unwrap_or_else(|| kept.roster.clone());
            return Ok((with_exclusions(given, &kept.roster), name));
        }
        if let Some((decision_id, roster)) = store::newest_roster(&self.lake, &row.campaign)? {
            return Ok((roster, format!("the roster of decision {decision_id}")));
        }
        Ok((Roster::default(), String::new()))
    }

    /// Names of tenants, by id.
    ///
    /// # Errors
    /// Fails if the latest decision can't be read.
    pub fn names(&self) -> Result<BTreeMap<String, String>> {
        let tenants = self.current_roster()?.tenants.into_values();
        Ok(tenants.filter_map(|tenant| Some((tenant.tenant_id, tenant.display_name?))).collect())
    }

    /// A decision with its rules and its verdicts.
    ///
    /// # Errors
    /// Fails if the lake has lost a part of it.
    pub fn decided(&self, row: &DecisionRow) -> Result<Decided> {
        let in_lake = crate::roster::kept(&self.lake)?;
        let (mut campaign, kept) = reproduce::rules(&self.lake, row)?;
        campaign.take_contacts_of(&self.campaign);
        let other_rules = match reproduce::other_rules(row)? {
            Some(made_by) => {
                Some(OtherRules { made_by, judged_today: reproduce::judged_today(&self.lake, row)? })
            }
            None => None,
        };
        Ok(Decided {
            campaign,
            roster: match (self.roster.clone().unwrap_or(kept), in_lake) {
                (given, Some(in_lake)) => with_exclusions(given, &in_lake.roster),
                (given, None) => given,
            },
            window: row.window(),
            assessment: reproduce::verdicts(&self.lake, row, self.tell)?,
            other_rules,
        })
    }

    /// The decisions that something was announced on, by id.
    ///
    /// # Errors
    /// Fails if one of them is not in the lake.
    pub fn announced_on(&self) -> Result<BTreeMap<String, Decided>> {
        self.decisions(self.ledger.tenants.values().map(|tenant| tenant.change.decision_id.as_str()))
    }

    /// These decisions, each once, by id.
    ///
    /// # Errors
    /// Fails if one of them is not in the lake.
    pub fn decisions<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Result<BTreeMap<String, Decided>> {
        let mut decided = BTreeMap::new();
        for id in ids {
            if !decided.contains_key(id) {
                decided.insert(id.to_owned(), self.decided(&store::find(&self.lake, id)?)?);
            }
        }
        Ok(decided)
    }

    /// What other campaigns have turned off.
    ///
    /// # Errors
    /// Fails if their events can't be read.
    pub async fn off_elsewhere(&self, queries: &Queries) -> Result<OffElsewhere> {
        Ok(lightsout_ledger::off_elsewhere(queries, &self.campaign.name).await?)
    }

    /// Of the tenants that were announced on a decision of other rules, how many the rules of this version would not
    /// clear on its evidence, and how many there are.
    ///
    /// # Errors
    /// Fails if the lake has lost a part of it.
    pub fn cleared_no_longer(&self, row: &DecisionRow) -> Result<Option<(usize, usize)>> {
        if reproduce::other_rules(row)?.is_none() {
            return Ok(None);
        }
        let judged = reproduce::judged_today(&self.lake, row)?;
        let tenants = || {
            let tenants = self.ledger.tenants.values();
            tenants.filter(|tenant| tenant.change.decision_id == row.decision_id)
        };
        let is_kept = |tenant: &&AnnouncedTenant| {
            tenant_of(&judged, &tenant.change.tenant_id).is_none_or(|judged| {
                let announced = tenant.change.announced();
                announced.iter().any(|protocol| cause(&self.campaign, judged, *protocol).is_some())
            })
        };
        Ok(Some((tenants().filter(is_kept).count(), tenants().count())).filter(|(_, all)| *all > 0))
    }

    /// From the first day of a decision's window until yesterday; today is not over.
    #[must_use]
    pub fn until_now(&self, window: Window) -> Window {
        Window { first: window.first, end: self.looked_until().date_naive().max(window.end) }
    }

    /// Until when the logs are judged: now, and in a rehearsal of days to come as far as there can be logs.
    fn looked_until(&self) -> DateTime<Utc> {
        if self.is_rehearsal { self.now.min(self.logs_until) } else { self.now }
    }

    /// A decision's tenants as they look now, from the first day of its window on, by the same rules.
    ///
    /// # Errors
    /// Fails if the lake can't be read.
    pub async fn judge_now(
        &self,
        decided: &Decided,
        queries: &Queries,
    ) -> Result<BTreeMap<String, TenantAssessment>> {
        let Decided { campaign, roster, window, assessment, other_rules: _ } = decided;
        let mut evidence = queries.evidence_until(campaign, window.first, self.looked_until()).await?;
        // Of a tenant that the lake has lost, nothing is known: it is not passed over.
        let found: BTreeSet<&str> = evidence.iter().map(|tenant| tenant.tenant_id.as_str()).collect();
        let lost: Vec<TenantEvidence> = assessment
            .tenants
            .iter()
            .filter(|tenant| !found.contains(tenant.tenant_id.as_str()))
            .map(|tenant| TenantEvidence { tenant_id: tenant.tenant_id.clone(), ..TenantEvidence::default() })
            .collect();
        evidence.extend(lost);
        let judged = lightsout_assess::assess(campaign, roster, &evidence, self.until_now(*window));
        Ok(judged.into_iter().map(|tenant| (tenant.tenant_id.clone(), tenant)).collect())
    }
}

/// What the lake says of the time that it is.
async fn lake_times(queries: &Queries) -> Result<LakeTimes> {
    let last_log_day = queries.log_extent(None, "*").await?.last_day;
    Ok(LakeTimes { last_log_day, last_ingest: queries.last_ingest().await? })
}

/// One tenant's assessment of a decision, whose tenants are sorted.
#[must_use]
pub fn tenant_of<'a>(assessment: &'a Assessment, tenant_id: &str) -> Option<&'a TenantAssessment> {
    let at = assessment.tenants.binary_search_by(|tenant| tenant.tenant_id.as_str().cmp(tenant_id)).ok()?;
    assessment.tenants.get(at)
}

/// The contacts and settings of a roster that was given, the exclusions of it and of the lake's: only `roster set` lets
/// one end.
fn with_exclusions(mut given: Roster, kept: &Roster) -> Roster {
    let missing: Vec<_> = no_longer_excluded(kept, &given).into_iter().cloned().collect();
    for excluded in missing {
        let tenant = given.tenants.entry(excluded.tenant_id.clone()).or_insert_with(|| excluded.clone());
        tenant.exclude = excluded.exclude;
    }
    given
}
