//! What an operator looks at each morning: the work list, and what has changed since yesterday.

use chrono::Utc;
use serde_json::Value;

use crate::mishaps::{BRACKENRIDGE, HARBOUR_LANE, LAKE, campaign, decided};
use crate::program::Place;

/// One more sign-in by IMAP, and the log of that hour.
fn somebody_uses_imap(place: &Place, tenant: &str, day: &str) {
    place.write("late.json", imap_sign_in(tenant, day).as_bytes());
    place.run(LAKE, &["ingest", "late.json"]);
}

fn imap_sign_in(tenant: &str, day: &str) -> String {
    format!(
        r#"{{"time":"{day}T08:20:00Z","operationName":"Sign-in activity","category":"NonInteractiveUserSignInLogs","tenantId":"{tenant}","properties":{{"id":"99000000-0000-4000-8000-000000000001","createdDateTime":"{day}T08:15:00Z","userPrincipalName":"old.scanner@harbourlane.example.net","clientAppUsed":"IMAP4","userAgent":"BAV2ROPC","resourceId":"00000002-0000-0ff1-ce00-000000000000","status":{{"errorCode":0}}}}}}"#
    )
}

fn json(place: &Place, arguments: &[&str]) -> (i32, Value) {
    let flags = ["--campaign", "quick.toml", "--json"];
    let output = place.tries(LAKE, &[&["campaign"], arguments, &flags].concat());
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("it ends by itself"), report)
}

fn task<'a>(report: &'a Value, name: &str) -> Vec<&'a str> {
    let ids = report["result"]["tasks"][name]["tenant_ids"].as_array().expect("a list of ids");
    ids.iter().filter_map(Value::as_str).collect()
}

#[test]
fn the_work_list_says_what_is_due_what_is_held_and_whom_to_ask() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    let (code, report) = json(&place, &["status", "--now", "2026-11-02"]);
    assert_eq!(
        (code, report["exit_code"].as_i64(), report["command"].as_str()),
        (0, Some(0), Some("campaign status"))
    );
    assert_eq!(report["result"]["counts"]["announced"], 4);
    assert_eq!(report["result"]["calendar"][0]["day"], "2026-11-03");
    assert!(task(&report, "due_today").is_empty());
    let asked = task(&report, "ask_for_evidence");
    assert!(!asked.is_empty(), "some logs of the sample have gaps");

    let (_, report) = json(&place, &["status", "--now", "2026-11-03"]);
    assert_eq!(task(&report, "due_today").len(), 4);
    somebody_uses_imap(&place, HARBOUR_LANE, "2026-11-02");
    campaign(&place, "2026-11-03", &["recheck"]);
    let (_, report) = json(&place, &["status", "--now", "2026-11-04"]);
    assert!(task(&report, "overdue").contains(&BRACKENRIDGE));
    assert!(task(&report, "on_hold").contains(&HARBOUR_LANE), "{report:#}");
    let rows = report["result"]["tenants"].as_array().expect("rows");
    let held = rows.iter().find(|row| row["tenant_id"] == HARBOUR_LANE).expect("a row");
    assert_eq!(held["contacts"], "it@harbourlane.example.net");
    assert!(held["hold_reasons"].as_str().is_some_and(|told| told.contains("in_use")), "{held}");
}

#[test]
fn the_work_list_fits_eighty_columns_and_its_filters_refuse_unknown_values() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    let flags = ["--campaign", "quick.toml", "--now", "2026-11-03", "--format", "table"];
    let output = place.run(LAKE, &[&["campaign", "status"], &flags[..]].concat());
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.starts_with("campaign basic-auth-all-protocols on 2026-11-03: 17 tenants\n"), "{text}");
    assert!(text.contains("due_today (4): ") && text.contains("ask_for_evidence"), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for wrong in [["--state", "asleep"], ["--tenant", "nobody.example.com"], ["--due-by", "soon"]] {
        let (code, ..) = campaign(&place, "2026-11-03", &[&["status"], &wrong[..]].concat());
        assert_eq!(code, 2, "{wrong:?}");
    }
    let (_, rows, _) = campaign(&place, "2026-11-03", &["status", "--due-by", "2026-11-02"]);
    assert!(rows.is_empty(), "their day is the next");
    let (_, rows, _) = campaign(&place, "2026-11-03", &["status", "--due-by", "2026-11-03"]);
    assert_eq!(rows.len(), 4);
}

#[test]
fn a_hold_since_yesterday_is_worse_and_the_announcement_before_it_is_not() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    let diff = |now: &str, since: &str| json(&place, &["diff", "--now", now, "--since", since]);
    let (code, report) = diff("2026-11-02T12:00:00Z", "2026-11-01");
    assert_eq!(
        (code, report["result"]["changed"].as_u64(), report["result"]["worse"].as_u64()),
        (0, Some(4), Some(0))
    );
    somebody_uses_imap(&place, HARBOUR_LANE, "2026-11-02");
    campaign(&place, "2026-11-03", &["recheck"]);
    let (code, report) = diff("2026-11-03T12:00:00Z", "2026-11-03");
    assert_eq!((code, report["exit_code"].as_i64()), (4, Some(4)));
    let rows = report["result"]["tenants"].as_array().expect("rows");
    let held = rows.iter().find(|row| row["worse"] == true).expect("a row");
    assert_eq!(
        (held["tenant_id"].as_str(), held["state_after"].as_str()),
        (Some(HARBOUR_LANE), Some("on_hold"))
    );
    let (code, report) = diff("2026-11-03T12:00:00Z", "2026-11-03T06:00:00Z");
    assert_eq!((code, report["result"]["changed"].as_u64()), (0, Some(0)), "nothing since then");
    let (code, ..) = campaign(&place, "2026-11-03", &["diff", "--since", "2026-11-09"]);
    assert_eq!(code, 2, "a day to come");
}

#[test]
fn new_usage_since_the_last_decision_is_told_with_both_verdicts() {
    let place = decided();
    let between = Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    let diff = || json(&place, &["diff", "--since", &between]);
    let (code, report) = diff();
    assert_eq!((code, report["result"]["changed"].as_u64()), (0, Some(0)));
    somebody_uses_imap(&place, HARBOUR_LANE, "2026-10-30");
    place.run(LAKE, &["assess", "--campaign", "quick.toml", "--as-of", "2026-11-02"]);
    let (code, report) = diff();
    assert_eq!(code, 4, "{report:#}");
    let rows = report["result"]["tenants"].as_array().expect("rows");
    assert_eq!(rows.len(), 1, "{report:#}");
    let (before, after) = (rows[0]["verdict_before"].as_str(), rows[0]["verdict_after"].as_str());
    assert_eq!((before, after), (Some("no_impact"), Some("warning")));
    assert!(rows[0]["why"].as_str().is_some_and(|why| why.contains("imap4: ")), "{report:#}");
    assert_eq!(rows[0]["protocols_in_use_after"], "imap4");
}
