//! A kept decision once more: its verdicts as they were decided (`verdicts`), its evidence judged by the rules of this
//! version (`judged_today`), with a session over the lake as it was (`reopen`), or made again from that lake and
//! compared (`remake`). None of them records anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::compare;
use crate::decision::{Basis, DecisionRow, RULES_VERSION, decide, queries_hash};
use crate::error::{Error, Result};
use crate::store;
use lightsout_assess::assess;
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::{Assessment, TenantAssessment};
use lightsout_query::Queries;
use lightsout_query::evidence::EVIDENCE_QUERIES;

/// Tenants that a message names as examples.
const EXAMPLES_MAX: usize = 5;

/// What a decision leaves for the stages after it.
pub struct Assessed {
    pub campaign: Campaign,
    pub roster: Roster,
    pub assessment: Assessment,
    /// Over the snapshot that it was made from.
    pub queries: Queries,
}

const EARLIER_RULES: &str = "it was made by earlier rules for the days that a log covers, which this version does \
                             not have; assess again with: lightsout assess";

const fn unreadable(source: serde_json::Error) -> Error {
    Error::Unreadable { source }
}

/// What a decision follows from, with the queries of this version.
#[must_use]
pub fn basis<'a>(
    campaign: &'a Campaign,
    roster: &'a Roster,
    evidence: &'a [TenantEvidence],
    window: Window,
    seed: u64,
) -> Basis<'a> {
    Basis { campaign, roster, evidence, window, queries: &EVIDENCE_QUERIES, seed }
}

/// The campaign and the roster that a decision was made with.
///
/// # Errors
/// Fails if the lake does not have them as they were.
pub fn rules(lake: &Lake, row: &DecisionRow) -> Result<(Campaign, Roster)> {
    Ok((row.campaign_rules().map_err(unreadable)?, store::roster(lake, row)?))
}

/// The rules that a kept decision was made by, in words; `None` for those of this version.
///
/// # Errors
/// Fails if the row is not what this program writes.
pub fn other_rules(row: &DecisionRow) -> Result<Option<String>> {
    Ok(match row.made_by_rules().map_err(unreadable)? {
        Some(RULES_VERSION) => None,
        Some(version) if version > RULES_VERSION => Some(format!("newer rules ({version})")),
        Some(version) => Some(format!("earlier rules ({version})")),
        None => Some("earlier rules".to_owned()),
    })
}

/// The verdicts of a kept decision as they were decided. An earlier program kept none: then those that the rules of this
/// version reach from its evidence.
///
/// # Errors
/// Fails if the lake does not have all of the decision.
pub fn verdicts(lake: &Lake, row: &DecisionRow, tell: fn(&str)) -> Result<Assessment> {
    let (id, made_by) = (&row.decision_id, other_rules(row)?);
    if let Some(tenants) = store::verdicts(lake, row)? {
        if let Some(made_by) = made_by {
            tell(&format!(
                "decision {id} was made by {made_by}: its verdicts are shown as they were decided; rules \
                 {RULES_VERSION} may decide differently"
            ));
        }
        return Ok(assessment(row, tenants));
    }
    if let Some(made_by) = made_by {
        tell(&format!(
            "decision {id} was made by {made_by}: its evidence is judged here by rules {RULES_VERSION}, so a verdict may \
             differ from the original one"
        ));
    }
    judged_today(lake, row)
}

/// What the rules of this version make of the evidence that a decision keeps.
///
/// # Errors
/// Fails if the lake does not have all of the decision.
pub fn judged_today(lake: &Lake, row: &DecisionRow) -> Result<Assessment> {
    let (campaign, roster) = rules(lake, row)?;
    let evidence = store::evidence(lake, row)?;
    Ok(assessment(row, assess(&campaign, &roster, &evidence, row.window())))
}

fn assessment(row: &DecisionRow, tenants: Vec<TenantAssessment>) -> Assessment {
    Assessment {
        decision_id: row.decision_id.clone(),
        campaign: row.campaign.clone(),
        window: row.window(),
        tenants,
    }
}

/// Whether this program would decide by the rules and queries that the decision was made by.
///
/// # Errors
/// Fails with the reason if it would not.
pub fn same_rules(row: &DecisionRow) -> Result<()> {
    let (then, now) = (&row.program_version, env!("CARGO_PKG_VERSION"));
    let differs = if row.is_of_earlier_rules() {
        EARLIER_RULES.to_owned()
    } else if let Some(made_by) = other_rules(row)? {
        format!("it was made by {made_by}, and these are rules {RULES_VERSION}: assess again")
    } else if row.queries_hash != queries_hash(&EVIDENCE_QUERIES) {
        format!("lightsout {then} made it with its queries and rules, but this is {now}; assess again")
    } else {
        return Ok(());
    };
    Err(Error::Differs { id: row.decision_id.clone(), differs })
}

/// Says which decision it is whose data the lake has lost.
fn lost(row: &DecisionRow, error: lightsout_lake::Error) -> Error {
    use lightsout_lake::Error as LakeError;
    match error {
        LakeError::NoVersion { .. } | LakeError::DataGone { .. } => {
            Error::Differs { id: row.decision_id.clone(), differs: error.to_string() }
        }
        other => other.into(),
    }
}

/// A session over the lake as it was when it was decided.
async fn queries_then(lake: &Lake, row: &DecisionRow, memory_limit_bytes: usize) -> Result<Queries> {
    let versions: BTreeMap<Table, u64> = serde_json::from_str(&row.lake_versions).map_err(unreadable)?;
    let then = Lake::open_at(lake.root(), &versions).await.map_err(|error| lost(row, error))?;
    let counted_from =
        [Table::SignInRecords, Table::Sources, Table::Rejects, Table::Dismissals, Table::TenantSettings];
    for table in counted_from {
        then.check_files(table).map_err(|error| lost(row, error))?;
    }
    then.check_contents(&counted_from)?;
    Ok(Queries::over(&then, memory_limit_bytes).await?)
}

/// A kept decision with its verdicts as they were decided, over the lake as it was.
///
/// # Errors
/// Fails if the lake has lost a part of it, or an earlier program decided it by other rules and kept no verdicts.
pub async fn reopen(
    lake: &Lake,
    row: &DecisionRow,
    memory_limit_bytes: usize,
    tell: fn(&str),
) -> Result<Assessed> {
    if !row.has_verdicts() {
        same_rules(row)?;
    }
    let (campaign, roster) = rules(lake, row)?;
    let assessment = verdicts(lake, row, tell)?;
    let queries = queries_then(lake, row, memory_limit_bytes).await?;
    Ok(Assessed { campaign, roster, assessment, queries })
}

/// Makes a kept decision again, from the lake as it was.
///
/// # Errors
/// Fails with what differs if it does not come out the same.
pub async fn remake(lake: &Lake, row: &DecisionRow, memory_limit_bytes: usize) -> Result<Assessed> {
    let differs =
        |parts: Vec<String>| Error::Differs { id: row.decision_id.clone(), differs: parts.join("; ") };
    if row.is_of_earlier_rules() {
        return Err(differs(vec![EARLIER_RULES.to_owned()]));
    }
    let (campaign, roster) = rules(lake, row)?;
    let queries = queries_then(lake, row, memory_limit_bytes).await?;
    let evidence = queries.evidence(&campaign, row.window()).await?;
    let basis = basis(&campaign, &roster, &evidence, row.window(), row.seed);
    let (assessment, again) = decide(&basis, row.decided_at, row.lake_versions.clone())?;
    let decided = store::verdicts(lake, row)?;
    let judged_otherwise = decided.as_deref().and_then(|then| judged_otherwise(then, &assessment.tenants));
    if again.decision_id == row.decision_id {
        // The same rules over the same evidence: whoever changed one of them forgot the version of the rules.
        if let Some(judged_otherwise) = judged_otherwise {
            return Err(differs(vec![judged_otherwise]));
        }
        return Ok(Assessed { campaign, roster, assessment, queries });
    }
    let mut parts = Vec::new();
    if again.queries_hash != row.queries_hash {
        parts.push("the queries have changed".to_owned());
    }
    let evidence_then = store::evidence(lake, row)?;
    let others = other_evidence(&evidence_then, &evidence);
    if !others.is_empty() {
        parts.push(format!("the evidence differs, for example for {}", others.join(", ")));
    }
    if let Some(made_by) = other_rules(row)? {
        parts.push(format!("it was made by {made_by}, and these are rules {RULES_VERSION}: assess again"));
    }
    if parts.is_empty() {
        parts.push("the campaign, roster or window differs".to_owned());
    }
    parts.extend(judged_otherwise);
    Err(differs(parts))
}

/// Some tenants whose evidence is not what it was, or that only one of both has.
fn other_evidence<'a>(then: &'a [TenantEvidence], now: &'a [TenantEvidence]) -> Vec<&'a str> {
    let by_id = |evidence: &'a [TenantEvidence]| -> BTreeMap<&'a str, &'a TenantEvidence> {
        evidence.iter().map(|tenant| (tenant.tenant_id.as_str(), tenant)).collect()
    };
    let (then, now) = (by_id(then), by_id(now));
    let ids: BTreeSet<&str> = then.keys().chain(now.keys()).copied().collect();
    ids.into_iter().filter(|id| then.get(id) != now.get(id)).take(EXAMPLES_MAX).collect()
}

/// Which tenants are judged otherwise than it was decided, in words; `None`: none.
fn judged_otherwise(then: &[TenantAssessment], now: &[TenantAssessment]) -> Option<String> {
    let changes = compare(then, now);
    let told: Vec<String> = changes
        .iter()
        .take(EXAMPLES_MAX)
        .map(|change| {
            let verdict = |verdict: &Option<String>| verdict.clone().unwrap_or_else(|| "missing".to_owned());
            let (before, after) = (verdict(&change.before), verdict(&change.after));
            let why =
                if change.why.is_empty() { String::new() } else { format!(" ({})", change.why.join(", ")) };
            format!("{} {before} -> {after}{why}", change.tenant_id)
        })
        .collect();
    let count = changes.len();
    let all = then.len();
    (count > 0)
        .then(|| format!("{count} of {all} tenants are judged differently, such as {}", told.join("; ")))
}
