//! Kept decisions of a case, for tests: `decisions.json` has one a line, as people write them. The campaign is
//! the name of a built-in one, roster and evidence are JSON, and hashes are left out.

use std::path::Path;

use arrow::array::RecordBatch;
use lightsout_lake::schema::Table;
use serde_json::{Value, json};

/// The rows of the table.
pub(crate) fn of(case: &Path) -> RecordBatch {
    let text = std::fs::read_to_string(case.join("decisions.json")).unwrap_or_default();
    let rows: Vec<Value> = text.lines().map(|line| row(line, case)).collect();
    lightsout_lake::rows::to_batch(Table::Decisions, &rows).expect("the table's columns")
}

fn row(line: &str, case: &Path) -> Value {
    let wrong = |error| panic!("{}: {error}: {line}", case.display());
    let mut row: Value = serde_json::from_str(line).unwrap_or_else(wrong);
    let name = row["campaign"].as_str().expect("a campaign").to_owned();
    let campaign = lightsout_config::campaign_file::load(&name).expect("a built-in campaign");
    row["campaign_rules"] = json!(serde_json::to_string(&campaign).expect("JSON"));
    for column in ["roster", "evidence"] {
        row[column] = json!(row[column].to_string());
    }
    for column in ["campaign_hash", "roster_hash", "queries_hash", "lake_versions"] {
        row[column] = json!("");
    }
    row["seed"] = json!(0);
    row["program_version"] = json!("0.1.0");
    row["window_end"] = row["as_of"].clone();
    row
}
