//! Why a tenant has its verdict, as a person and as a machine read it.

mod program;

use program::{Place, sample};
use serde_json::Value;

const LAKE: &str = "lake";
const OLD_MILL: &str = "23220695-6f56-4566-aba9-b1fad220a1c8";

fn sample_lake() -> Place {
    let place = Place::new();
    place.ingest(LAKE, &[&sample("logs")]);
    place
}

fn explain(place: &Place, arguments: &[&str]) -> String {
    let roster = sample("roster.csv");
    let arguments = [&["explain"], arguments, &["--roster", &roster, "--as-of", "2026-11-02"]].concat();
    let output = place.tries(LAKE, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_tenant_is_found_by_id_name_and_domain_and_told_why() {
    let place = sample_lake();
    let by_id = explain(&place, &[OLD_MILL]);
    assert_eq!(explain(&place, &["old mill printworks"]), by_id);
    for told in [
        "warning in campaign basic-auth-all-protocols, window 2026-10-03 to 2026-11-01",
        "in_use: imap4 is in use by 1 user, 11 sign-ins",
        "non_interactive: 30 of 30 days",
        "scanner@oldmill.example.com",
        "-- protocol_usage:",
    ] {
        assert!(by_id.contains(told), "{told} is not in\n{by_id}");
    }
    let gap = explain(&place, &["Tidewater Legal"]);
    assert!(gap.contains("--covers 2026-"), "the cure is told:\n{gap}");

    let unknown = place.tries(LAKE, &["explain", "nobody.example.com"]);
    let told = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(unknown.status.code() == Some(2) && told.contains("domain or name of the roster"), "{told}");
}

#[test]
fn the_sql_behind_each_number_runs_as_it_is_printed_and_gives_that_number() {
    let place = sample_lake();
    let json: Value = serde_json::from_str(&explain(&place, &[OLD_MILL, "--format", "json"])).expect("JSON");
    let queries = json["queries"].as_array().expect("queries");
    let mut usage = Vec::new();
    for query in queries {
        let rows = place.sql(LAKE, query["sql"].as_str().expect("text"));
        assert!(rows.iter().all(|row| row["tenant_id"] == OLD_MILL), "{rows:?}");
        if query["name"] == "protocol_usage" {
            usage = rows;
        }
    }
    assert_eq!(queries.len(), 8);
    for protocol in json["tenant"]["protocols"].as_array().expect("protocols") {
        let found = usage.iter().find(|row| row["protocol"] == protocol["protocol"]);
        for count in ["users", "sign_ins", "interrupted", "blocked", "failures", "unknown"] {
            let expected = found.map_or(Value::from(0), |row| row[count].clone());
            assert_eq!(protocol[count], expected, "{count} of {}", protocol["protocol"]);
        }
    }
    assert_eq!(json["activity"].as_array().map(Vec::len), Some(3));
}
