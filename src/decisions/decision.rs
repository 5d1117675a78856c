//! A decision: verdicts with the id that the same inputs always give, and the row that keeps them.

mod earlier;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use lightsout_assess::assess;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::Assessment;

/// Everything that a decision follows from.
#[derive(Debug)]
pub struct Basis<'a> {
    pub campaign: &'a Campaign,
    pub roster: &'a Roster,
    pub evidence: &'a [TenantEvidence],
    pub window: Window,
    /// Names and texts of the queries that found the evidence.
    pub queries: &'a [(&'static str, &'static str)],
    pub seed: u64,
}

/// Another number where the same evidence may be judged otherwise than before.
const RULES_VERSION: &str = "4";

/// A row of `decisions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DecisionRow {
    pub decision_id: String,
    pub decided_at: DateTime<Utc>,
    pub campaign: String,
    pub as_of: NaiveDate,
    pub window_start: NaiveDate,
    pub window_end: NaiveDate,
    pub campaign_hash: String,
    pub roster_hash: String,
    pub queries_hash: String,
    pub seed: u64,
    pub program_version: String,
    pub lake_versions: String,
    pub campaign_rules: String,
    pub roster: String,
    pub evidence: String,
}

impl DecisionRow {
    /// Whether it was made when a day was either covered or not, and not counted.
    #[must_use]
    pub fn is_of_earlier_rules(&self) -> bool {
        earlier::is_earlier(&self.evidence)
    }

    /// The evidence that it keeps; that of earlier rules as far as it says the same.
    ///
    /// # Errors
    /// Fails if it is not what this program, or one before it, writes.
    pub fn kept_evidence(&self) -> serde_json::Result<Vec<TenantEvidence>> {
        if self.is_of_earlier_rules() {
            earlier::read(&self.evidence)
        } else {
            serde_json::from_str(&self.evidence)
        }
    }
}

/// What is decided from can't be kept.
#[derive(Debug, thiserror::Error)]
#[error("a decision: {source}")]
pub struct KeepError {
    #[from]
    source: serde_json::Error,
}

fn json(value: &impl Serialize) -> Result<String, KeepError> {
    Ok(serde_json::to_string(value)?)
}

fn hash(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Decides, and says what is to be kept of it.
///
/// # Errors
/// Fails only if the basis can't be written as JSON.
pub fn decide(
    basis: &Basis<'_>,
    decided_at: DateTime<Utc>,
    lake_versions: String,
) -> Result<(Assessment, DecisionRow), KeepError> {
    let evidence = json(&basis.evidence)?;
    let campaign_rules = json(basis.campaign)?;
    let roster = json(basis.roster)?;
    let queries: Vec<&str> = basis.queries.iter().flat_map(|(name, sql)| [*name, *sql]).collect();
    let queries_hash = hash(&queries);
    let window = json(&basis.window)?;
    let seed = basis.seed.to_string();
    let decision_id =
        hash(&[&evidence, &window, &campaign_rules, &roster, &queries_hash, &seed, RULES_VERSION]);
    let assessment = Assessment {
        decision_id: decision_id.clone(),
        campaign: basis.campaign.name.clone(),
        window: basis.window,
        tenants: assess(basis.campaign, basis.roster, basis.evidence, basis.window),
    };
    let row = DecisionRow {
        decision_id,
        decided_at,
        campaign: basis.campaign.name.clone(),
        as_of: basis.window.end,
        window_start: basis.window.first,
        window_end: basis.window.end,
        campaign_hash: hash(&[&campaign_rules]),
        roster_hash: hash(&[&roster]),
        queries_hash,
        seed: basis.seed,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        lake_versions,
        campaign_rules,
        roster,
        evidence,
    };
    Ok((assessment, row))
}
