//! Kept decisions of a case, for tests: `decisions.json` has one a line, as people write them. The campaign is
//! the name of a built-in one, roster and evidence are JSON, and hashes are left out. A line with `rules_version` is kept
//! tenant by tenant, with the verdicts that these rules reach, or those in `verdicts` by tenant; one without is kept as
//! earlier programs did, in the row.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::RecordBatch;
use lightsout_decisions::decision::{Basis, decide};
use lightsout_decisions::{rosters, tenants};
use lightsout_lake::rows::to_batch;
use lightsout_lake::schema::Table;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::TenantVerdict;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The rows of the tables that decisions lie in.
pub(crate) fn of(case: &Path) -> Vec<(Table, RecordBatch)> {
    let text = std::fs::read_to_string(case.join("decisions.json")).unwrap_or_default();
    let mut tables = Vec::new();
    for line in text.lines() {
        let wrong = |error| panic!("{}: {error}: {line}", case.display());
        let row: Value = serde_json::from_str(line).unwrap_or_else(wrong);
        let name = row["campaign"].as_str().expect("a campaign");
        let campaign = lightsout_config::campaign_file::load(name).expect("a built-in campaign");
        if row["rules_version"].is_null() {
            tables.push((Table::Decisions, in_row(row, &campaign)));
        } else {
            tables.extend(by_tenant(&row, &campaign));
        }
    }
    tables
}

fn in_row(mut row: Value, campaign: &Campaign) -> RecordBatch {
    row["campaign_rules"] = json!(serde_json::to_string(campaign).expect("JSON"));
    for column in ["roster", "evidence"] {
        row[column] = json!(row[column].to_string());
    }
    for column in ["campaign_hash", "roster_hash", "queries_hash", "lake_versions"] {
        row[column] = json!("");
    }
    row["seed"] = json!(0);
    row["program_version"] = json!("0.1.0");
    row["window_end"] = row["as_of"].clone();
    to_batch(Table::Decisions, &[row]).expect("the table's columns")
}

fn member<T: DeserializeOwned>(row: &Value, name: &str) -> T {
    serde_json::from_value(row[name].clone()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn by_tenant(row: &Value, campaign: &Campaign) -> Vec<(Table, RecordBatch)> {
    let (roster, evidence): (Roster, Vec<TenantEvidence>) = (member(row, "roster"), member(row, "evidence"));
    let window = Window { first: member(row, "window_start"), end: member(row, "as_of") };
    let basis = Basis { campaign, roster: &roster, evidence: &evidence, window, queries: &[], seed: 0 };
    let decided = decide(&basis, member(row, "decided_at"), "{}".to_owned());
    let (mut assessment, mut decision) = decided.expect("a decision");
    decision.decision_id = member(row, "decision_id");
    decision.rules_version = member(row, "rules_version");
    assessment.decision_id.clone_from(&decision.decision_id);
    let verdicts: Option<BTreeMap<String, TenantVerdict>> = member(row, "verdicts");
    for (tenant_id, verdict) in verdicts.unwrap_or_default() {
        let tenant = assessment.tenants.iter_mut().find(|tenant| tenant.tenant_id == tenant_id);
        tenant.expect("a tenant of the decision").verdict = verdict;
    }
    let tenants = tenants::batches(&assessment, &evidence).map(|rows| (Table::DecisionTenants, rows));
    let rosters = rosters::batches(&decision.roster_hash, &roster, None).map(|rows| (Table::Rosters, rows));
    let mut tables: Vec<(Table, RecordBatch)> =
        tenants.chain(rosters).map(|(table, rows)| (table, rows.expect("rows"))).collect();
    tables.push((Table::Decisions, to_batch(Table::Decisions, &[decision]).expect("the table's columns")));
    tables
}
