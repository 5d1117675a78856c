//! A decision: verdicts with the id that the same inputs always give, and the row that names what it follows from.

mod earlier;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::parts_hasher::PartsHasher;
use lightsout_assess::assess;
use lightsout_lake::schema::Table;
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
pub const RULES_VERSION: u32 = 6;

/// The columns of a [`DecisionHead`].
pub(crate) const HEAD_COLUMNS: [&str; 6] =
    ["decision_id", "decided_at", "campaign", "roster_hash", "rules_version", "lake_versions"];

/// What tells recorded decisions apart: all but what can be large.
#[derive(Debug, Clone, Deserialize)]
pub struct DecisionHead {
    pub decision_id: String,
    pub decided_at: DateTime<Utc>,
    pub campaign: String,
    pub(crate) roster_hash: String,
    rules_version: Option<u32>,
    #[serde(default)]
    lake_versions: Option<String>,
    /// Counted from 1 in the order in which the lake's decisions were made; 0 if nobody has counted.
    #[serde(skip)]
    pub(crate) number: i64,
}

/// Sorts the heads of decisions, the oldest first. Which of two came first is told by the lake that they were made
/// from: a clock may have been wrong by a year, and the decision by it would be the latest for that year.
pub(crate) fn sort_oldest_first(heads: &mut [DecisionHead]) {
    heads.sort_by_cached_key(|head| (head.decisions_before(), head.decided_at, head.decision_id.clone()));
}

impl DecisionHead {
    /// The version of the table `decisions` that the decision was made beside.
    fn decisions_before(&self) -> Option<u64> {
        let versions: BTreeMap<String, u64> = serde_json::from_str(self.lake_versions.as_deref()?).ok()?;
        versions.get(Table::Decisions.as_str()).copied()
    }

    pub(crate) const fn has_verdicts(&self) -> bool {
        self.rules_version.is_some()
    }
}

/// A row of `decisions`. Its tenants are rows of `decision_tenants`, its roster's of `rosters`.
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
    /// The version of the rules that it was made by; `None`: an earlier program kept it, with roster and evidence of
    /// all tenants in the row, and without verdicts.
    pub rules_version: Option<u32>,
    /// Number of its tenants.
    pub tenants: Option<u64>,
    roster: Option<String>,
    evidence: Option<String>,
}

impl DecisionRow {
    /// Whether the lake has what was decided of each tenant, and not only what it was decided from.
    #[must_use]
    pub const fn has_verdicts(&self) -> bool {
        self.rules_version.is_some()
    }

    #[must_use]
    pub const fn window(&self) -> Window {
        Window { first: self.window_start, end: self.window_end }
    }

    /// The rules of its campaign.
    ///
    /// # Errors
    /// Fails if they are not what this program, or one before it, writes.
    pub fn campaign_rules(&self) -> serde_json::Result<Campaign> {
        serde_json::from_str(&self.campaign_rules)
    }

    /// Whether it was made when a day was either covered or not, and not counted.
    #[must_use]
    pub fn is_of_earlier_rules(&self) -> bool {
        earlier::is_earlier(self.evidence_text())
    }

    /// The version of the rules that it was made by, which is part of its id: `None` for the first ones, and for a row
    /// of an earlier program that was changed since.
    ///
    /// # Errors
    /// Fails only if the window can't be written as JSON.
    pub fn made_by_rules(&self) -> serde_json::Result<Option<u32>> {
        if self.has_verdicts() {
            return Ok(self.rules_version);
        }
        let mut basis = PartsHasher::default();
        basis.text(self.evidence_text());
        basis.json(&self.window())?;
        for part in [&self.campaign_rules, self.roster_text(), &self.queries_hash, &self.seed.to_string()] {
            basis.text(part);
        }
        Ok((1..=RULES_VERSION).rev().find(|version| self.decision_id == basis.clone().id(*version)))
    }

    /// The roster that an earlier program kept in the row.
    ///
    /// # Errors
    /// Fails if it is not what this program, or one before it, writes.
    pub(crate) fn roster_in_row(&self) -> serde_json::Result<Roster> {
        serde_json::from_str(self.roster_text())
    }

    /// The evidence that an earlier program kept in the row; that of earlier rules as far as it says the same.
    ///
    /// # Errors
    /// Fails if it is not what this program, or one before it, writes.
    pub(crate) fn evidence_in_row(&self) -> serde_json::Result<Vec<TenantEvidence>> {
        if self.is_of_earlier_rules() {
            earlier::read(self.evidence_text())
        } else {
            serde_json::from_str(self.evidence_text())
        }
    }

    fn roster_text(&self) -> &str {
        self.roster.as_deref().unwrap_or_default()
    }

    fn evidence_text(&self) -> &str {
        self.evidence.as_deref().unwrap_or_default()
    }
}

/// What is decided from can't be kept.
#[derive(Debug, thiserror::Error)]
#[error("a decision: {source}")]
pub struct KeepError {
    #[from]
    source: serde_json::Error,
}

/// The id of a decision, from what it follows from and the version of its rules.
fn id(
    basis: &Basis<'_>,
    campaign_rules: &str,
    queries_hash: &str,
    rules_version: u32,
) -> serde_json::Result<String> {
    let mut parts = PartsHasher::default();
    parts.json(basis.evidence)?;
    parts.json(&basis.window)?;
    parts.text(campaign_rules);
    parts.json(basis.roster)?;
    parts.text(queries_hash);
    parts.text(&basis.seed.to_string());
    Ok(parts.id(rules_version))
}

/// The hash of names and texts of queries.
#[must_use]
pub(crate) fn queries_hash(queries: &[(&str, &str)]) -> String {
    let mut parts = PartsHasher::default();
    for part in queries.iter().flat_map(|(name, sql)| [name, sql]) {
        parts.text(part);
    }
    parts.finish()
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
    let campaign_rules = serde_json::to_string(basis.campaign)?;
    let queries_hash = queries_hash(basis.queries);
    let decision_id = id(basis, &campaign_rules, &queries_hash, RULES_VERSION)?;
    let mut campaign_hash = PartsHasher::default();
    campaign_hash.text(&campaign_rules);
    let mut roster_hash = PartsHasher::default();
    roster_hash.json(basis.roster)?;
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
        campaign_hash: campaign_hash.finish(),
        roster_hash: roster_hash.finish(),
        queries_hash,
        seed: basis.seed,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        lake_versions,
        campaign_rules,
        rules_version: Some(RULES_VERSION),
        tenants: Some(assessment.tenants.len() as u64),
        roster: None,
        evidence: None,
    };
    Ok((assessment, row))
}

/// A row as an earlier program kept it: evidence and roster in one text each.
#[cfg(test)]
pub(crate) fn in_row(basis: &Basis<'_>, rules_version: u32) -> DecisionRow {
    let (_, row) = decide(basis, DateTime::UNIX_EPOCH, String::new()).expect("a decision");
    let id = id(basis, &row.campaign_rules, &row.queries_hash, rules_version).expect("JSON");
    let text = |json: serde_json::Result<String>| Some(json.expect("JSON"));
    let (roster, evidence) =
        (text(serde_json::to_string(basis.roster)), text(serde_json::to_string(basis.evidence)));
    DecisionRow { decision_id: id, rules_version: None, tenants: None, roster, evidence, ..row }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_tells_by_which_rules_it_was_made() {
        let campaign = lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("built in");
        let window = Window::before("2026-11-01".parse().expect("a day"), 30);
        let roster = Roster::default();
        let evidence = [TenantEvidence { records: 7, ..TenantEvidence::default() }];
        let basis = Basis {
            campaign: &campaign,
            roster: &roster,
            evidence: &evidence,
            window,
            queries: &[],
            seed: 7,
        };
        let (_, row) = decide(&basis, DateTime::UNIX_EPOCH, String::new()).expect("a decision");
        assert_eq!(row.made_by_rules().expect("JSON"), Some(RULES_VERSION));
        // Of those that earlier programs kept only the id tells it, so it must be what it was.
        let row = in_row(&basis, RULES_VERSION);
        assert_eq!(row.made_by_rules().expect("JSON"), Some(RULES_VERSION));
        let mut row = in_row(&basis, 2);
        assert_eq!(row.made_by_rules().expect("JSON"), Some(2));
        assert_eq!(row.evidence_in_row().expect("JSON"), evidence);
        row.decision_id = "70dadcbe095750eb836af68531581ba6".to_owned();
        assert_eq!(row.made_by_rules().expect("JSON"), None);
    }

    #[test]
    fn the_latest_decision_is_the_one_of_the_newest_lake_whatever_the_clock_said() {
        let head = |id: &str, year: i32, versions: Option<&str>| DecisionHead {
            decision_id: id.to_owned(),
            decided_at: format!("{year}-11-02T09:00:00Z").parse().expect("a time"),
            campaign: "a".to_owned(),
            roster_hash: String::new(),
            rules_version: None,
            lake_versions: versions.map(str::to_owned),
            number: 0,
        };
        let beside = |version: u64| format!("{{\"decisions\":{version},\"sources\":9}}");
        let mut heads = [
            head("by a clock a year fast", 2027, Some(&beside(3))),
            head("after it", 2026, Some(&beside(4))),
            head("beside it", 2026, Some(&beside(3))),
            head("of an unknown lake", 2028, None),
        ];
        sort_oldest_first(&mut heads);
        let order = heads.map(|head| head.decision_id);
        assert_eq!(order, ["of an unknown lake", "beside it", "by a clock a year fast", "after it"]);
    }
}
