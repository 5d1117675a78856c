//! What every campaign command works on: the lake, the campaign's ledger, the decisions that were
//! announced, and one clock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;

use super::super::deciding;
use super::super::shared::{Global, MEMORY_LIMIT_BYTES, Output, now, open_lake, read_roster};
use crate::error::{Error, Result};
use lightsout_campaign::{Event, Ledger, Refusal};
use lightsout_config::request_file::parse_time;
use lightsout_decisions::decision::DecisionRow;
use lightsout_lake::Lake;
use lightsout_lake::commit::{Locked, Manifest};
use lightsout_lake::schema::Table;
use lightsout_model::campaign::Campaign;
use lightsout_model::change::Request;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::protocol::Protocol;
use lightsout_model::tenant::{Roster, is_guid};
use lightsout_model::verdict::{Assessment, TenantAssessment};
use lightsout_query::Queries;

/// Flags of every command that reads or writes the ledger.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// A built-in campaign or a TOML file [default: basic-auth-all-protocols]
    #[arg(
        long,
        value_name = "NAME|FILE",
        default_value = "basic-auth-all-protocols",
        hide_default_value = true
    )]
    pub(super) campaign: String,
    /// The tenants as they are now [default: the roster of the decision]
    #[arg(long, value_name = "FILE")]
    pub(super) roster: Option<PathBuf>,
    /// The time it is, e.g. 2026-12-01 or 2026-12-01T09:30:00Z [default: the
    /// system's clock]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) now: Option<DateTime<Utc>>,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Flags of the commands that write notices.
#[derive(Debug, Args)]
pub(super) struct Files {
    /// Where files go
    #[arg(long, value_name = "DIR", default_value = "./out")]
    pub(super) out: PathBuf,
    /// Own notice templates, in a folder, by the names of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub(super) templates: Option<PathBuf>,
}

/// Whom a command is about: one on the command line, or a list.
#[derive(Debug, Args)]
pub(super) struct Whom {
    /// Tenant id, or a domain or name of the roster; or use --from
    #[arg(value_name = "TENANT", required_unless_present = "from", conflicts_with = "from")]
    tenant: Option<String>,
    #[expect(clippy::doc_markdown, reason = "help text, shown as it stands")]
    /// CSV of tenant_id[,protocols][,by_whom][,happened_at], or a list that a
    /// campaign command wrote
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Only this protocol, e.g. imap4; can be repeated [default: all that were
    /// announced]
    #[arg(long, value_name = "P", value_delimiter = ',', conflicts_with = "from")]
    protocol: Vec<Protocol>,
    /// Who asked for it, or did it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// When that was [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "from")]
    at: Option<DateTime<Utc>>,
}

pub(super) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    parse_time(text)
        .ok_or_else(|| "expected a day or a time, as in 2026-12-01 or 2026-12-01T09:30:00Z".to_owned())
}

/// A decision that something was announced on, with the rules and tenants of then.
pub(super) struct Decided {
    pub(super) campaign: Campaign,
    /// As it is now, if the command line names one; else the decision's.
    pub(super) roster: Roster,
    pub(super) window: Window,
    pub(super) assessment: Assessment,
}

/// See the file's first lines.
pub(super) struct Desk {
    pub(super) lake: Lake,
    /// As the file says now. What was announced follows the decision's.
    pub(super) campaign: Campaign,
    pub(super) roster: Option<Roster>,
    pub(super) now: DateTime<Utc>,
    pub(super) ledger: Ledger,
    latest: Option<DecisionRow>,
}

impl Desk {
    pub(super) async fn open(common: &Common, global: &Global) -> Result<Self> {
        let campaign = lightsout_config::campaign_file::load(&common.campaign)?;
        let lake = open_lake(global).await?;
        let latest = deciding::latest_head(&lake, &campaign.name)?;
        let latest = latest.map(|head| deciding::find(&lake, &head.decision_id)).transpose()?;
        let now = common.now.unwrap_or_else(now);
        let roster = common.roster.as_deref().map(|path| read_roster(path, now.date_naive())).transpose()?;
        let mut desk = Self { lake, campaign, roster, now, ledger: Ledger::default(), latest };
        desk.read_ledger().await?;
        Ok(desk)
    }

    pub(super) async fn queries(&self) -> Result<Queries> {
        Ok(crate::session::open(&self.lake, MEMORY_LIMIT_BYTES).await?)
    }

    pub(super) async fn read_ledger(&mut self) -> Result<()> {
        let rows = self.queries().await?.of_campaign("campaign_state", &self.campaign.name).await?;
        self.ledger = Ledger::of(rows)?;
        Ok(())
    }

    /// Waits for its turn and sees what others have recorded meanwhile. The turn ends when the lock is
    /// dropped.
    pub(super) async fn turn(&mut self) -> Result<Locked> {
        let lock = self.lake.lock().await?;
        self.read_ledger().await?;
        Ok(lock)
    }

    /// Records events, all or none of them, and reads the ledger again.
    pub(super) async fn record(&mut self, lock: &Locked, events: &[Event]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let batch = lightsout_lake::rows::to_batch(Table::CampaignEvents, events)?;
        let batch_id = uuid::Uuid::new_v4().simple().to_string();
        let name = format!("part-{batch_id}");
        let file = lightsout_lake::write::write_file(self.lake.root(), Table::CampaignEvents, &name, &batch)?;
        let manifest = Manifest { batch_id, files: vec![file], replaced: Vec::new() };
        self.lake.commit(lock, &manifest, self.now.timestamp_millis()).await?;
        self.read_ledger().await
    }

    /// The campaign's latest decision, if there is one.
    pub(super) const fn latest(&self) -> Option<&DecisionRow> {
        self.latest.as_ref()
    }

    /// A kept decision of this campaign by its id, or its latest.
    pub(super) fn decision(&self, id: Option<&str>) -> Result<DecisionRow> {
        let Some(id) = id else {
            let (campaign, lake) = (self.campaign.name.clone(), self.lake.name());
            return self.latest().cloned().ok_or(Error::NoDecisionYet { campaign, lake });
        };
        let row = deciding::find(&self.lake, id)?;
        if row.campaign != self.campaign.name {
            return Err(Error::Usage {
                flag: "--decision",
                expected: format!(
                    "a decision of campaign {} (or name its own with --campaign)",
                    self.campaign.name
                ),
                found: format!("{id}, of campaign {}", row.campaign),
            });
        }
        Ok(row)
    }

    /// The roster of the command line, else of the latest decision.
    pub(super) fn current_roster(&self) -> Result<Roster> {
        match (&self.roster, self.latest()) {
            (Some(roster), _) => Ok(roster.clone()),
            (None, Some(row)) => Ok(deciding::rules(row)?.1),
            (None, None) => Ok(Roster::default()),
        }
    }

    /// Names of tenants, by id.
    pub(super) fn names(&self) -> Result<BTreeMap<String, String>> {
        let tenants = self.current_roster()?.tenants.into_values();
        Ok(tenants.filter_map(|tenant| Some((tenant.tenant_id, tenant.display_name?))).collect())
    }

    pub(super) fn decided(&self, row: &DecisionRow) -> Result<Decided> {
        let (campaign, kept) = deciding::rules(row)?;
        Ok(Decided {
            campaign,
            roster: self.roster.clone().unwrap_or(kept),
            window: Window { first: row.window_start, end: row.window_end },
            assessment: deciding::reread(row)?,
        })
    }

    /// The decisions that something was announced on, by id.
    pub(super) fn announced_on(&self) -> Result<BTreeMap<String, Decided>> {
        let mut decided = BTreeMap::new();
        for tenant in self.ledger.tenants.values() {
            let id = &tenant.change.decision_id;
            if !decided.contains_key(id) {
                decided.insert(id.clone(), self.decided(&deciding::find(&self.lake, id)?)?);
            }
        }
        Ok(decided)
    }

    /// From the first day of a decision's window until yesterday; today is not over.
    pub(super) fn until_now(&self, window: Window) -> Window {
        Window { first: window.first, end: self.now.date_naive().max(window.end) }
    }

    /// A decision's tenants as they look now, from the first day of its window on, by the same rules.
    pub(super) async fn judge_now(
        &self,
        decided: &Decided,
        queries: &Queries,
    ) -> Result<BTreeMap<String, TenantAssessment>> {
        let Decided { campaign, roster, window, assessment } = decided;
        let mut evidence = queries.evidence_until(campaign, window.first, self.now).await?;
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

    /// The requests of a command line or of a list.
    pub(super) fn requests(&self, whom: &Whom) -> Result<Vec<Request>> {
        if let Some(path) = &whom.from {
            let mut requests = lightsout_config::request_file::read(path, super::LIST_COLUMNS)?;
            for request in &mut requests {
                request.by_whom = request.by_whom.take().or_else(|| whom.by.clone());
            }
            return Ok(requests);
        }
        let named = whom.tenant.as_deref().unwrap_or_default();
        let known: Vec<&str> = self.ledger.tenants.keys().map(String::as_str).collect();
        // An id may be of anybody: the ledger says whether something was announced to it.
        let id = named.trim().to_ascii_lowercase();
        let tenant_id =
            if is_guid(&id) { id } else { deciding::find_tenant(named, &self.current_roster()?, &known)? };
        Ok(vec![Request {
            tenant_id,
            protocols: (!whom.protocol.is_empty()).then(|| whom.protocol.clone()),
            by_whom: whom.by.clone(),
            happened_at: whom.at,
            line: None,
        }])
    }
}

/// One tenant's assessment of a decision, whose tenants are sorted.
pub(super) fn tenant_of<'a>(assessment: &'a Assessment, tenant_id: &str) -> Option<&'a TenantAssessment> {
    let at = assessment.tenants.binary_search_by(|tenant| tenant.tenant_id.as_str().cmp(tenant_id)).ok()?;
    assessment.tenants.get(at)
}

/// Tells refusals on stderr, each with its reason.
pub(super) fn tell_refusals(refused: &[Refusal]) {
    for refusal in refused {
        let line = refusal.line.map(|line| format!("line {line}, ")).unwrap_or_default();
        eprintln!("refused: {line}tenant {}: {}", refusal.tenant_id, refusal.why);
    }
}
