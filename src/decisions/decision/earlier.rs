//! The evidence of decisions that were made by earlier rules: days were covered or not, whatever covered them,
//! and all logs of a tenant had one horizon.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::Value;

use lightsout_model::evidence::{DayRange, TenantEvidence};
use lightsout_model::sign_in::Category;

/// The member that only they have. Quotes within texts are escaped, so no text can pass for it.
const MEMBER: &str = "\"covered\":";

pub(super) fn is_earlier(evidence: &str) -> bool {
    evidence.contains(MEMBER)
}

/// What their evidence says beside what it says today too.
#[derive(Deserialize)]
struct Earlier {
    #[serde(default)]
    coverage: std::collections::BTreeMap<Category, Covered>,
    latest_at: Option<DateTime<Utc>>,
    declared_until: Option<NaiveDate>,
}

#[derive(Deserialize)]
struct Covered {
    #[serde(default)]
    covered: Vec<DayRange>,
}

/// Covered days become days that were seen, without their number of records.
pub(super) fn read(evidence: &str) -> serde_json::Result<Vec<TenantEvidence>> {
    let tenants: Vec<Value> = serde_json::from_str(evidence)?;
    tenants.iter().map(tenant).collect()
}

fn tenant(value: &Value) -> serde_json::Result<TenantEvidence> {
    let mut tenant = TenantEvidence::deserialize(value)?;
    let Earlier { coverage, latest_at, declared_until } = Earlier::deserialize(value)?;
    for (category, Covered { covered }) in coverage {
        let today = tenant.coverage.entry(category).or_default();
        today.first_seen = covered.first().map(|days| days.first);
        today.storage = covered;
        today.latest_at = latest_at;
        today.stated = declared_until.map(|day| DayRange { first: day, last: day }).into_iter().collect();
    }
    Ok(tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covered_days_of_a_decision_by_earlier_rules_are_read_as_seen() {
        let kept = r#"[{"tenant_id":"t","records":213,"protocols":{},"coverage":{"interactive":{"covered":
            [{"first":"2026-09-28","last":"2026-10-02"}],"incomplete":[],"missing_columns":[]}},
            "latest_at":"2026-11-03T08:00:00Z","declared_until":null}]"#;
        assert!(is_earlier(kept));
        let tenant = read(kept).expect("evidence").remove(0);
        let coverage = &tenant.coverage[&Category::Interactive];
        assert_eq!((tenant.records, coverage.storage.len(), coverage.stated.len()), (213, 1, 0));
        assert!(coverage.latest_at.is_some());
        let today = serde_json::to_string(&[tenant]).expect("JSON");
        assert!(!is_earlier(&today), "{today}");
    }
}
