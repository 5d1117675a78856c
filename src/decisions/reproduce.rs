//! A kept decision once more: judged from the evidence that it keeps (`reread`), or made again from the lake as it
//! was (`remake`). Neither records anything.

use std::collections::BTreeMap;
use std::path::Path;

use crate::decision::{Basis, DecisionRow, RULES_VERSION, decide};
use crate::error::{Error, Result};
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::Assessment;
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
                             not have; decide again by those of today with: lightsout assess";

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
/// Fails if the row is not what this program writes.
pub fn rules(row: &DecisionRow) -> Result<(Campaign, Roster)> {
    let campaign = serde_json::from_str(&row.campaign_rules).map_err(unreadable)?;
    Ok((campaign, serde_json::from_str(&row.roster).map_err(unreadable)?))
}

/// The rules that a kept decision was made by, in words; `None` for those of this version.
///
/// # Errors
/// Fails if the row is not what this program writes.
pub fn earlier_rules(row: &DecisionRow) -> Result<Option<String>> {
    Ok(match row.rules_version().map_err(unreadable)? {
        Some(RULES_VERSION) => None,
        Some(version) => Some(format!("earlier rules ({version})")),
        None => Some("earlier rules".to_owned()),
    })
}

/// The verdicts of a kept decision, from its own evidence, by the rules of this version.
///
/// # Errors
/// Fails if the row is not what this program writes.
pub fn reread(row: &DecisionRow, tell: fn(&str)) -> Result<Assessment> {
    let (campaign, roster) = rules(row)?;
    let evidence = row.stored_evidence().map_err(unreadable)?;
    if let Some(made_by) = earlier_rules(row)? {
        tell(&format!(
            "decision {} was made by {made_by}: its evidence is judged here by rules {RULES_VERSION}, so a verdict may \
             differ from what was told then",
            row.decision_id
        ));
    }
    let window = Window { first: row.window_start, end: row.window_end };
    Ok(decide(&basis(&campaign, &roster, &evidence, window, row.seed), row.decided_at, String::new())?.0)
}

/// Whether a decision read again from its own evidence is still itself.
///
/// # Errors
/// Fails with the reason if it is not.
pub fn same_id(row: &DecisionRow, reread: &Assessment) -> Result<()> {
    if reread.decision_id == row.decision_id {
        return Ok(());
    }
    let (then, now) = (&row.program_version, env!("CARGO_PKG_VERSION"));
    let differs = if row.is_of_earlier_rules() {
        EARLIER_RULES.to_owned()
    } else if let Some(made_by) = earlier_rules(row)? {
        format!("it was made by {made_by}, and these are rules {RULES_VERSION}: assess again")
    } else {
        format!("lightsout {then} made it with its queries and rules, and this is {now}; assess again")
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

/// Makes a kept decision again, from the lake at `root` as it was.
///
/// # Errors
/// Fails with what differs if it does not come out the same.
pub async fn remake(root: &Path, row: &DecisionRow, memory_limit_bytes: usize) -> Result<Assessed> {
    let differs = |differs: String| Error::Differs { id: row.decision_id.clone(), differs };
    if row.is_of_earlier_rules() {
        return Err(differs(EARLIER_RULES.to_owned()));
    }
    let (campaign, roster) = rules(row)?;
    let versions: BTreeMap<Table, u64> = serde_json::from_str(&row.lake_versions).map_err(unreadable)?;
    let window = Window { first: row.window_start, end: row.window_end };
    let lake = Lake::open_at(root, &versions).await.map_err(|error| lost(row, error))?;
    let counted_from =
        [Table::SignInRecords, Table::Sources, Table::Rejects, Table::Dismissals, Table::TenantSettings];
    for table in counted_from {
        lake.check_files(table).map_err(|error| lost(row, error))?;
    }
    let queries = Queries::over(&lake, memory_limit_bytes).await?;
    let evidence = queries.evidence(&campaign, window).await?;
    let basis = basis(&campaign, &roster, &evidence, window, row.seed);
    let (assessment, again) = decide(&basis, row.decided_at, row.lake_versions.clone())?;
    if again.decision_id != row.decision_id {
        let mut parts = Vec::new();
        if again.queries_hash != row.queries_hash {
            parts.push("the queries are others".to_owned());
        }
        if again.evidence != row.evidence {
            let kept = row.stored_evidence().map_err(unreadable)?;
            let tenants: Vec<&str> = kept
                .iter()
                .filter(|tenant| !evidence.contains(tenant))
                .map(|tenant| tenant.tenant_id.as_str())
                .take(EXAMPLES_MAX)
                .collect();
            parts.push(format!("the evidence is other, for example of {}", tenants.join(", ")));
        }
        if let Some(made_by) = earlier_rules(row)? {
            parts
                .push(format!("it was made by {made_by}, and these are rules {RULES_VERSION}: assess again"));
        }
        if parts.is_empty() {
            parts.push("campaign, roster or window read differently".to_owned());
        }
        return Err(differs(parts.join("; ")));
    }
    Ok(Assessed { campaign, roster, assessment, queries })
}
