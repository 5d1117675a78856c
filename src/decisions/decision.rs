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
pub const RULES_VERSION: u32 = 4;

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

    /// The version of the rules that it was made by, which is part of its id: `None` for the first ones, and for a row
    /// that was changed since.
    ///
    /// # Errors
    /// Fails only if the window can't be written as JSON.
    pub fn rules_version(&self) -> serde_json::Result<Option<u32>> {
        let window = serde_json::to_string(&Window { first: self.window_start, end: self.window_end })?;
        let is_of = |version: &u32| {
            let Self { evidence, campaign_rules, roster, queries_hash, .. } = self;
            let seed = self.seed.to_string();
            self.decision_id
                == id(&[evidence, &window, campaign_rules, roster, queries_hash, &seed], *version)
        };
        Ok((1..=RULES_VERSION).rev().find(is_of))
    }

    /// The evidence that it keeps; that of earlier rules as far as it says the same.
    ///
    /// # Errors
    /// Fails if it is not what this program, or one before it, writes.
    pub fn stored_evidence(&self) -> serde_json::Result<Vec<TenantEvidence>> {
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

/// The id of a decision, from what it follows from and the version of its rules.
fn id(basis: &[&str], rules_version: u32) -> String {
    let version = rules_version.to_string();
    let parts: Vec<&str> = basis.iter().copied().chain([version.as_str()]).collect();
    hash(&parts)
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
        id(&[&evidence, &window, &campaign_rules, &roster, &queries_hash, &seed], RULES_VERSION);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_tells_by_which_rules_it_was_made() {
        let campaign = lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("built in");
        let window = Window::before("2026-11-01".parse().expect("a day"), 30);
        let roster = Roster::default();
        let basis =
            Basis { campaign: &campaign, roster: &roster, evidence: &[], window, queries: &[], seed: 7 };
        let (_, mut row) = decide(&basis, DateTime::UNIX_EPOCH, String::new()).expect("a decision");
        assert_eq!(row.rules_version().expect("JSON"), Some(RULES_VERSION));
        let window = serde_json::to_string(&window).expect("JSON");
        let of = [row.evidence.as_str(), &window, &row.campaign_rules, &row.roster, &row.queries_hash, "7"];
        row.decision_id = id(&of, 2);
        assert_eq!(row.rules_version().expect("JSON"), Some(2));
        row.decision_id = "70dadcbe095750eb836af68531581ba6".to_owned();
        assert_eq!(row.rules_version().expect("JSON"), None);
    }
}
