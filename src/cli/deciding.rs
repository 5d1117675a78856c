//! What `run`, `assess` and `notices` share: reaching a decision, keeping it, and making a kept one
//! again from the lake as it was.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::shared::{self, Global, MEMORY_LIMIT_BYTES, Rules, now, open_lake};
use crate::error::{Error, Result};
use lightsout_decisions::decision::{Basis, DecisionRow, decide};
use lightsout_lake::Lake;
use lightsout_lake::commit::Manifest;
use lightsout_lake::schema::Table;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::tenant::{Named, Roster, tenant_id};
use lightsout_model::verdict::Assessment;
use lightsout_query::Queries;
use lightsout_query::evidence::EVIDENCE_QUERIES;

/// What a decision leaves for the stages after it.
pub(super) struct Assessed {
    pub(super) campaign: Campaign,
    pub(super) roster: Roster,
    pub(super) assessment: Assessment,
    pub(super) queries: Queries,
}

/// Decides by today's lake, keeps the decision, writes the assessment.
pub(super) async fn assess(rules: &Rules, out: &Path, global: &Global) -> Result<Assessed> {
    let (campaign, roster) = rules.load()?;
    let mut lake = open_lake(global).await?;
    drop(lake.lock().await?);
    let queries = crate::session::open(&lake, MEMORY_LIMIT_BYTES).await?;
    let coverage = queries.coverage().await?;
    let window = shared::window(rules.as_of, &campaign, &roster, &coverage, &lake)?;
    let evidence = queries.evidence_on(coverage, &campaign, window.first, window.end_at()).await?;
    let basis = basis(&campaign, &roster, &evidence, window, 0);
    let versions: BTreeMap<Table, u64> = lake.versions()?.into_iter().collect();
    let versions =
        serde_json::to_string(&versions).map_err(|source| Error::Json { what: "versions", source })?;
    let (assessment, row) = decide(&basis, now(), versions)?;
    // What is published follows from a decision that the lake knows.
    keep(&mut lake, &row).await?;
    crate::report::assessment::write_all(out, &assessment).map_err(Error::recorded)?;
    Ok(Assessed { campaign, roster, assessment, queries })
}

fn basis<'a>(
    campaign: &'a Campaign,
    roster: &'a Roster,
    evidence: &'a [TenantEvidence],
    window: Window,
    seed: u64,
) -> Basis<'a> {
    Basis { campaign, roster, evidence, window, queries: &EVIDENCE_QUERIES, seed }
}

/// Records the decision unless the lake has it.
async fn keep(lake: &mut Lake, row: &DecisionRow) -> Result<()> {
    if kept(lake)?.iter().any(|kept| kept.decision_id == row.decision_id) {
        return Ok(());
    }
    let batch = lightsout_lake::rows::to_batch(Table::Decisions, std::slice::from_ref(row))?;
    let batch_id = uuid::Uuid::new_v4().simple().to_string();
    let name = format!("part-{batch_id}");
    let lock = lake.lock().await?;
    // Another process may have reached the same meanwhile.
    if kept(lake)?.iter().any(|kept| kept.decision_id == row.decision_id) {
        return Ok(());
    }
    let file = lightsout_lake::write::write_file(lake.root(), Table::Decisions, &name, &batch)?;
    let manifest = Manifest { batch_id, files: vec![file], replaced: Vec::new() };
    Ok(lake.commit(&lock, &manifest, row.decided_at.timestamp_millis()).await?)
}

/// A kept decision without its evidence, which can be large.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DecisionHead {
    pub(super) decision_id: String,
    pub(super) decided_at: DateTime<Utc>,
    pub(super) campaign: String,
}

/// Every kept decision, the oldest first.
pub(super) fn kept(lake: &Lake) -> Result<Vec<DecisionHead>> {
    let columns = ["decision_id", "decided_at", "campaign"];
    let mut heads = Vec::new();
    for batch in lake.read(Table::Decisions, Some(&columns))? {
        heads.extend(lightsout_lake::rows::from_batch::<DecisionHead>(&batch?)?);
    }
    heads.sort_by(|a, b| (a.decided_at, &a.decision_id).cmp(&(b.decided_at, &b.decision_id)));
    Ok(heads)
}

/// A kept decision by its id.
pub(super) fn find(lake: &Lake, id: &str) -> Result<DecisionRow> {
    for batch in lake.read_where(Table::Decisions, "decision_id", id)? {
        for row in lightsout_lake::rows::from_batch::<DecisionRow>(&batch?)? {
            if row.decision_id == id {
                return Ok(row);
            }
        }
    }
    let ids: Vec<String> = kept(lake)?
        .iter()
        .rev()
        .take(5)
        .map(|head| format!("{} ({})", head.decision_id, head.campaign))
        .collect();
    let known =
        if ids.is_empty() { "none, make one with: lightsout assess".to_owned() } else { ids.join(", ") };
    Err(Error::NoDecision { id: id.to_owned(), known })
}

/// The latest decision of a campaign, if there is one.
pub(super) fn latest_head(lake: &Lake, campaign: &str) -> Result<Option<DecisionHead>> {
    Ok(kept(lake)?.into_iter().rfind(|head| head.campaign == campaign))
}

/// The latest decision of a campaign.
pub(super) fn latest(lake: &Lake, campaign: &str) -> Result<DecisionRow> {
    let head = latest_head(lake, campaign)?
        .ok_or_else(|| Error::NoDecisionYet { campaign: campaign.to_owned(), lake: lake.name() })?;
    find(lake, &head.decision_id)
}

/// The campaign and the roster that a decision was made with.
pub(super) fn rules(row: &DecisionRow) -> Result<(Campaign, Roster)> {
    let wrong = |source| Error::Json { what: "a kept decision", source };
    let campaign = serde_json::from_str(&row.campaign_rules).map_err(wrong)?;
    Ok((campaign, serde_json::from_str(&row.roster).map_err(wrong)?))
}

/// The verdicts of a kept decision, from its own evidence.
pub(super) fn reread(row: &DecisionRow) -> Result<Assessment> {
    let wrong = |source| Error::Json { what: "a kept decision", source };
    let (campaign, roster) = rules(row)?;
    let evidence = row.kept_evidence().map_err(wrong)?;
    if row.is_of_earlier_rules() {
        eprintln!(
            "decision {} was made by earlier rules: what is told of it here is judged again, by the rules of today, \
             from the days that it kept, and may differ from what was told then",
            row.decision_id
        );
    }
    let window = Window { first: row.window_start, end: row.window_end };
    Ok(decide(&basis(&campaign, &roster, &evidence, window, row.seed), row.decided_at, String::new())?.0)
}

const EARLIER_RULES: &str = "it was made by earlier rules for the days that a log covers, which this version does \
                             not have; decide again by those of today with: lightsout assess";

/// Tells which decision it is whose data the lake has lost.
fn lost(row: &DecisionRow, error: lightsout_lake::Error) -> Error {
    use lightsout_lake::Error as LakeError;
    match error {
        LakeError::NoVersion { .. } | LakeError::DataGone { .. } => {
            Error::DecisionDiffers { id: row.decision_id.clone(), differs: error.to_string() }
        }
        other => other.into(),
    }
}

/// Makes a kept decision again, from the lake as it was; records nothing.
///
/// Fails with what differs if it does not come out the same.
pub(super) async fn remake(global: &Global, row: &DecisionRow) -> Result<Assessed> {
    let wrong = |source| Error::Json { what: "a kept decision", source };
    let differs = |differs: String| Error::DecisionDiffers { id: row.decision_id.clone(), differs };
    if row.is_of_earlier_rules() {
        return Err(differs(EARLIER_RULES.to_owned()));
    }
    let (campaign, roster) = rules(row)?;
    let versions: BTreeMap<Table, u64> = serde_json::from_str(&row.lake_versions).map_err(wrong)?;
    let window = Window { first: row.window_start, end: row.window_end };
    let lake = Lake::open_at(&global.lake, &versions).await.map_err(|error| lost(row, error))?;
    let counted_from =
        [Table::SignInRecords, Table::Sources, Table::Rejects, Table::Dismissals, Table::TenantSettings];
    for table in counted_from {
        // Those that evidence is counted from.
        lake.check_files(table).map_err(|error| lost(row, error))?;
    }
    let queries = crate::session::open(&lake, MEMORY_LIMIT_BYTES).await?;
    let evidence = queries.evidence(&campaign, window).await?;
    let basis = basis(&campaign, &roster, &evidence, window, row.seed);
    let (assessment, again) = decide(&basis, row.decided_at, row.lake_versions.clone())?;
    if again.decision_id != row.decision_id {
        let mut parts = Vec::new();
        if again.queries_hash != row.queries_hash {
            parts.push("the queries are others".to_owned());
        }
        if again.evidence != row.evidence {
            let kept = row.kept_evidence().map_err(wrong)?;
            let tenants: Vec<&str> = kept
                .iter()
                .filter(|tenant| !evidence.contains(tenant))
                .map(|tenant| tenant.tenant_id.as_str())
                .take(5)
                .collect();
            parts.push(format!("the evidence is other, for example of {}", tenants.join(", ")));
        }
        if parts.is_empty() {
            parts.push("campaign, roster or window read differently".to_owned());
        }
        return Err(differs(parts.join("; ")));
    }
    Ok(Assessed { campaign, roster, assessment, queries })
}

/// Whether a decision read again from its own evidence is still itself.
pub(super) fn same_id(row: &DecisionRow, reread: &Assessment) -> Result<()> {
    if reread.decision_id == row.decision_id {
        return Ok(());
    }
    let (then, now) = (&row.program_version, env!("CARGO_PKG_VERSION"));
    let differs = if row.is_of_earlier_rules() {
        EARLIER_RULES.to_owned()
    } else {
        format!("lightsout {then} made it with its queries and rules, and this is {now}; assess again")
    };
    Err(Error::DecisionDiffers { id: row.decision_id.clone(), differs })
}

/// The tenant that an id, a domain or a name of the roster stands for. `known` are ids that stand for
/// themselves.
pub(super) fn find_tenant(named: &str, roster: &Roster, known: &[&str]) -> Result<String> {
    let wanted = tenant_id(named).unwrap_or_else(|| named.trim().to_lowercase());
    if roster.tenants.contains_key(&wanted) || known.contains(&wanted.as_str()) {
        return Ok(wanted);
    }
    let found = || named.to_owned();
    match roster.find(named) {
        Named::One(id) => Ok(id.to_owned()),
        Named::Nobody => {
            let some = known.iter().take(3).copied().collect::<Vec<_>>().join(", ");
            let some = if some.is_empty() { some } else { format!(" (such as {some})") };
            let expected = format!(
                "the id of one of {} known tenants{some}, or a domain or name of the roster (--roster FILE)",
                known.len()
            );
            Err(Error::Usage { flag: "TENANT", expected, found: found() })
        }
        Named::Several(several) => {
            let expected = format!("one tenant; of that name the roster has {}", several.join(", "));
            Err(Error::Usage { flag: "TENANT", expected, found: found() })
        }
    }
}
