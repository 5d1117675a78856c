//! Why a tenant has its verdict, as a person and as a machine read it.

mod program;

use program::{Place, sample};
use serde_json::Value;

const LAKE: &str = "lake";
const HARBOUR_LANE: &str = "11dd7c61-8b82-4198-a138-2195ef1d85cd";
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
        "--sql adds the SQL behind each number",
    ] {
        assert!(by_id.contains(told), "{told} is not in\n{by_id}");
    }
    // The answer first, then who, then the numbers it rests on; SQL on demand.
    let at = |text: &str| by_id.find(text).unwrap_or_else(|| panic!("{text} is not in\n{by_id}"));
    assert!(by_id.starts_with("Old Mill Printworks, "), "{by_id}");
    assert!(at("in_use: imap4") < at("who: users with usage"), "{by_id}");
    assert!(at("who: users with usage") < at("coverage: #") && !by_id.contains("SELECT"), "{by_id}");
    let with_sql = explain(&place, &[OLD_MILL, "--sql"]);
    assert!(with_sql.contains("-- protocol_usage:") && with_sql.contains("SELECT * FROM ("), "{with_sql}");
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

#[test]
fn each_user_is_told_with_the_client_and_what_can_take_its_place() {
    let place = sample_lake();
    let text = explain(&place, &[OLD_MILL]);
    assert!(text.contains("what can replace each client"), "{text}");
    let json: Value = serde_json::from_str(&explain(&place, &[OLD_MILL, "--format", "json"])).expect("JSON");
    let who = json["who"].as_array().expect("users");
    assert!(!who.is_empty());
    for row in who {
        let told = |member: &str| row["client"][member].as_str().expect("text").to_owned();
        assert!(text.contains(&format!("  - {}: {}", told("kind"), told("name"))), "{row}");
        assert!(text.contains(&told("advice")) && told("source").starts_with("https://"), "{row}");
        if row["user_agent"] == "BAV2ROPC" {
            assert_eq!(told("kind"), "not known", "Exchange's own agent tells nothing of the client");
        }
    }
}

#[test]
fn attempts_are_told_apart_with_their_codes_and_sources_and_add_up_to_what_was_counted() {
    let place = sample_lake();
    let text = explain(&place, &[HARBOUR_LANE]);
    assert!(
        text.contains("attempted: refused or interrupted") && text.contains("attempted: sources"),
        "{text}"
    );
    let json: Value =
        serde_json::from_str(&explain(&place, &[HARBOUR_LANE, "--format", "json"])).expect("JSON");
    let sum = |rows: &str, protocol: &Value| -> u64 {
        let rows = json["attempts"][rows].as_array().expect("rows");
        let of_protocol = rows.iter().filter(|row| row["protocol"] == *protocol);
        of_protocol.map(|row| row["sign_ins"].as_u64().expect("a count")).sum()
    };
    let mut all = 0;
    for protocol in json["tenant"]["protocols"].as_array().expect("protocols") {
        let count = |name: &str| protocol[name].as_u64().expect("a count");
        let tried = count("interrupted") + count("blocked") + count("failures");
        for rows in ["codes", "sources"] {
            assert_eq!(sum(rows, &protocol["protocol"]), tried, "{rows} of {}", protocol["protocol"]);
        }
        all += tried;
    }
    assert!(all > 0, "the sample has sprays");
}

#[test]
fn every_uncovered_day_is_in_a_gap_and_one_that_is_too_long_has_a_cure() {
    let place = sample_lake();
    let json: Value =
        serde_json::from_str(&explain(&place, &["Tidewater Legal", "--format", "json"])).expect("JSON");
    let gaps = json["gaps"].as_array().expect("gaps");
    for category in json["calendar"].as_array().expect("categories") {
        let uncovered =
            category["days"].as_array().expect("days").iter().filter(|day| **day != "covered").count();
        let of_category = gaps.iter().filter(|gap| gap["category"] == category["category"]);
        let days: i64 = of_category.map(|gap| gap["days"].as_i64().expect("days")).sum();
        assert_eq!(days, i64::try_from(uncovered).expect("few"), "{}", category["category"]);
    }
    assert!(gaps.iter().any(|gap| gap["too_long"] == true), "{gaps:?}");
    for gap in gaps {
        assert_eq!(gap["too_long"] == true, gap["cure"].is_string(), "{gap}");
    }
}
