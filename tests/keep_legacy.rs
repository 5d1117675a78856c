//! A lake that counts provably modern sign-ins without keeping them decides as a full lake does, or more cautiously.

mod program;

use std::fs;

use program::{Place, sample};

const FULL: &str = "full";
const LEGACY: &str = "legacy";
const TENANT: &str = "00000000-0000-4000-8000-000000000001";

fn texts(place: &Place, lake: &str, arguments: &[&str]) -> String {
    String::from_utf8(place.run(lake, arguments).stdout).expect("text")
}

/// A sign-in of the tenant; `client_app` with its comma, or nothing.
fn record(id: u32, day: u32, emitted: &str, client_app: &str) -> String {
    format!(
        r#"{{"time":"{emitted}","category":"SignInLogs","tenantId":"{TENANT}","properties":{{"id":"10000000-0000-4000-8000-{id:012}","createdDateTime":"2026-10-{day:02}T08:15:30Z","userId":"20000000-0000-4000-8000-000000000001","userPrincipalName":"ada@example.com","resourceDisplayName":"Office 365 Exchange Online",{client_app}"status":{{"errorCode":0}}}}}}"#
    )
}

const BROWSER: &str = r#""clientAppUsed":"Browser","#;

#[test]
fn the_sample_is_judged_as_by_a_full_lake() {
    let place = Place::new();
    let full = place.ingest(FULL, &[&sample("logs")]);
    let legacy = place.ingest(LEGACY, &[&sample("logs"), "--keep", "legacy"]);
    assert_eq!(full["counted"], 0);
    let number = |name: &str| legacy[name].as_u64().expect("a number");
    assert!(number("counted") > number("rows"), "nearly all of a log is modern: {legacy}");
    assert_eq!(number("rows") + number("counted"), full["rows"].as_u64().expect("a number"));
    for name in ["records", "rejected", "not_sign_ins"] {
        assert_eq!(legacy[name], full[name], "{name}");
    }
    let modern = "SELECT count(*) FROM sign_in_records WHERE provably_modern";
    assert_eq!(place.csv(LEGACY, modern), ["0"]);
    assert_eq!(place.csv(LEGACY, "SELECT sum(counted) FROM sources"), [number("counted").to_string()]);
    place.run(LEGACY, &["lake", "verify", "--deep"]);

    let roster = sample("roster.csv");
    for lake in [FULL, LEGACY] {
        let out = format!("{lake}-out");
        place.run(lake, &["assess", "--roster", &roster, "--as-of", "2026-11-02", "--out", &out]);
    }
    for file in ["assessment.csv", "protocol_usage.csv", "coverage_gaps.csv"] {
        let of = |lake: &str| {
            let text = fs::read_to_string(place.path(&format!("{lake}-out/{file}"))).expect("a table");
            // The decision is another one: its number is the last column.
            let lines =
                text.lines().map(|line| line.rsplit_once(',').map_or(line, |(line, _)| line).to_owned());
            lines.collect::<Vec<_>>()
        };
        assert!(of(FULL).len() > 3);
        assert_eq!(of(LEGACY), of(FULL), "{file}");
    }
}

#[test]
fn what_a_modern_record_would_have_explained_stays_a_doubt() {
    let place = Place::new();
    let mut lines: Vec<String> =
        (1..=31).map(|day| record(day, day, &format!("2026-10-{day:02}T08:20:00Z"), BROWSER)).collect();
    // The same sign-in twice: the first record does not state the client app.
    lines.push(record(99, 20, "2026-10-20T08:16:00Z", ""));
    lines.push(record(99, 20, "2026-10-20T08:20:00Z", BROWSER));
    place.write("log.json", lines.join("\n").as_bytes());
    let unclear = "SELECT count(*) FROM sign_ins WHERE protocol = 'not_stated'";
    place.ingest(FULL, &["log.json"]);
    assert_eq!(place.csv(FULL, unclear), ["0"]);
    let report = place.ingest(LEGACY, &["log.json", "--keep", "legacy"]);
    assert_eq!((&report["rows"], &report["counted"]), (&1.into(), &32.into()));
    assert_eq!(place.csv(LEGACY, unclear), ["1"]);
    let told = texts(&place, LEGACY, &["explain", TENANT, "--as-of", "2026-11-01", "--format", "json"]);
    assert!(told.contains("client_not_stated"), "{told}");
    let told = texts(&place, FULL, &["explain", TENANT, "--as-of", "2026-11-01", "--format", "json"]);
    assert!(!told.contains("client_not_stated"), "{told}");
}

#[test]
fn a_file_that_grows_and_rejects_that_are_tried_again_are_counted_too() {
    let place = Place::new();
    let without = |id, day| {
        let line = record(id, day, &format!("2026-10-{day:02}T08:20:00Z"), BROWSER);
        line.replace(&format!(r#""tenantId":"{TENANT}","#), "")
    };
    let mut lines = vec![record(1, 1, "2026-10-01T08:20:00Z", BROWSER), without(2, 2)];
    place.write("log.json", (lines.join("\n") + "\n").as_bytes());
    let report = place.ingest(LEGACY, &["log.json", "--keep", "legacy"]);
    assert_eq!((&report["rows"], &report["counted"], &report["rejected"]), (&0.into(), &1.into(), &1.into()));
    // Nothing is said to this command of what is kept.
    let report = texts(&place, LEGACY, &["lake", "replay", "--tenant", TENANT, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("a report");
    assert_eq!((&report["rows"], &report["counted"]), (&0.into(), &1.into()), "{report}");
    place.run(LEGACY, &["lake", "verify", "--deep"]);

    lines.push(record(3, 3, "2026-10-03T08:20:00Z", BROWSER));
    lines.push(record(4, 4, "2026-10-04T08:20:00Z", r#""clientAppUsed":"IMAP4","#));
    place.write("log.json", (lines.join("\n") + "\n").as_bytes());
    place.ingest(LEGACY, &["log.json", "--keep", "legacy", "--tenant", TENANT]);
    place.run(LEGACY, &["lake", "verify", "--deep"]);
    let days = "SELECT count(*), count(DISTINCT sign_in_id) FROM sign_in_records";
    assert_eq!(place.csv(LEGACY, days), ["1,1"]);
}
