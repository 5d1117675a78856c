//! Settings and the "SMTP AUTH clients" report, from the file to the verdict.

use serde_json::Value;

use crate::program::Place;

const LAKE: &str = "lake";
const TENANT: &str = "00000061-0000-4000-8000-000000000000";
const OTHER: &str = "00000062-0000-4000-8000-000000000000";
const SMTP_OFF: &str = include_str!("smtp-off.json");
const REPORT: &str = "Sender address;Domain;TLS 1.0;TLS 1.1;TLS 1.2;Messages sent;Authentication protocol\r\n\
    scanner@weaver.example.com;weaver.example.com;0;0;100;41;Basic\r\n\
    crm@weaver.example.com;weaver.example.com;0;0;100;12;OAuth\r\n";
const CLEAN: &str = "Sender address,Domain,TLS 1.2,Messages sent,Authentication protocol\n\
    crm@weaver.example.com,weaver.example.com,100,12,OAuth\n";
const UNCLEAR: &str = "Domain,Sender address,TLS 1.2,Messages sent\n\
    weaver.example.com,scanner@weaver.example.com,100,41\n";

/// Verdict, reasons, and the verdict of SMTP AUTH.
fn assessed(place: &Place, campaign: &str) -> String {
    place.run(LAKE, &["assess", "--campaign", campaign, "--as-of", "2026-11-02", "--out", "out"]);
    let table = |name: &str| {
        let text = std::fs::read_to_string(place.path("out").join(name)).expect("a table");
        serde_json::from_str::<Vec<Value>>(&text).expect("rows")
    };
    let row = &table("assessment.json")[0];
    let smtp = table("protocol_usage.json").into_iter().find(|row| row["protocol"] == "smtp_auth");
    let reasons = row["reasons"].as_str().expect("codes").replace(';', " ");
    let verdict = |row: &Value| row["verdict"].as_str().expect("a verdict").to_owned();
    format!("{} ({}); smtp_auth {}", verdict(row), reasons, smtp.as_ref().map_or("-".into(), verdict))
}

fn explained(place: &Place) -> String {
    let output =
        place.run(LAKE, &["explain", TENANT, "--campaign", "smtp-auth-2026", "--as-of", "2026-11-02"]);
    String::from_utf8(output.stdout).expect("text")
}

fn in_utf_16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

#[test]
fn a_tenant_whose_smtp_auth_is_off_is_left_out_without_any_log() {
    let place = Place::new();
    place.write("in/settings.json", &in_utf_16(SMTP_OFF));
    let report = place.ingest(LAKE, &["in"]);
    assert_eq!((&report["files_ingested"], &report["rows"]), (&1.into(), &0.into()), "{report}");
    assert_eq!(assessed(&place, "smtp-auth-2026"), "excluded (already_off); smtp_auth already_off");
    let listed = std::fs::read_to_string(place.path("out/lists/excluded.csv")).expect("the list");
    assert!(listed.contains(TENANT), "{listed}");

    let whole = assessed(&place, "basic-auth-all-protocols");
    assert_eq!(whole, "insufficient_evidence (no_records); smtp_auth already_off", "PowerShell is not off");

    // The same content under another name is the same source.
    place.write("in/copy.json", &in_utf_16(SMTP_OFF));
    let report = place.ingest(LAKE, &["in"]);
    assert_eq!(report["files_seen_before"], 2, "{report}");
    assert_eq!(
        place.csv(LAKE, "SELECT tenant_id, kind, complete FROM tenant_settings"),
        [format!("{TENANT},exchange_settings,true")]
    );
    assert_eq!(
        place.csv(LAKE, "SELECT shape, records, rows, not_sign_ins FROM sources"),
        ["exchange_settings,1,0,1"]
    );
    assert!(place.tries(LAKE, &["lake", "verify"]).status.success());
}

#[test]
fn a_sign_in_of_the_window_comes_before_settings_that_say_off() {
    let place = Place::new();
    place.write("settings.json", SMTP_OFF.as_bytes());
    let record = format!(
        r#"{{"time":"2026-10-20T08:20:00Z","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"{TENANT}","properties":{{"id":"10000000-0000-4000-8000-000000000001","createdDateTime":"2026-10-20T08:15:00Z","userPrincipalName":"scanner@weaver.example.com","clientAppUsed":"Authenticated SMTP","status":{{"errorCode":0}}}}}}"#
    );
    place.write("sign-in.json", record.as_bytes());
    place.ingest(LAKE, &["settings.json", "sign-in.json"]);
    assert_eq!(assessed(&place, "smtp-auth-2026"), "warning (in_use); smtp_auth in_use");
}

#[test]
fn mailboxes_that_enable_smtp_auth_against_the_organisation_are_named() {
    let place = Place::new();
    let mut settings: Value = serde_json::from_str(SMTP_OFF).expect("JSON");
    settings["mailbox_switches"]["SmtpClientAuthenticationDisabled"] =
        serde_json::json!({"true": 1, "false": 1, "null": 5, "absent": 0});
    settings["smtp_enabled_mailboxes"] = serde_json::json!(["scanner@weaver.example.com"]);
    // Nor does a policy help that allows Basic Authentication for it.
    settings["authentication_policies"][0]["AllowBasicAuthSmtp"] = true.into();
    place.write("settings.json", settings.to_string().as_bytes());
    place.ingest(LAKE, &["settings.json"]);
    assert_eq!(assessed(&place, "smtp-auth-2026"), "insufficient_evidence (no_records); smtp_auth unproven");
    let told = explained(&place);
    for expected in
        ["enabled against that in 1 of 7 mailboxes", "scanner@weaver.example.com", "settings.json"]
    {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
}

#[test]
fn a_report_warns_until_one_of_the_window_has_no_sender_by_basic() {
    let place = Place::new();
    place.write("smtp_2026-08-05_2026-11-01.csv", REPORT.as_bytes());
    let refused = place.tries(LAKE, &["ingest", "smtp_2026-08-05_2026-11-01.csv"]);
    assert_eq!(refused.status.code(), Some(3));
    place.ingest(LAKE, &["smtp_2026-08-05_2026-11-01.csv", "--tenant", TENANT]);
    assert_eq!(assessed(&place, "smtp-auth-2026"), "warning (in_use); smtp_auth in_use");
    let told = explained(&place);
    assert!(told.contains("names 1 sender; it counts messages, not sign-ins"), "{told}");
    place.run(LAKE, &["notices", "--out", "out", "--campaign", "smtp-auth-2026"]);
    let notice = std::fs::read_to_string(place.path("out/notices").join(TENANT).join("notice.md"));
    let notice = notice.expect("a warning");
    assert!(notice.contains("names 1 sender whose mail goes out over SMTP AUTH"), "{notice}");

    place.write("smtp_2026-10-03_2026-11-01.csv", CLEAN.as_bytes());
    place.ingest(LAKE, &["smtp_2026-10-03_2026-11-01.csv", "--tenant", TENANT]);
    assert_eq!(assessed(&place, "smtp-auth-2026"), "insufficient_evidence (no_records); smtp_auth unproven");
}

#[test]
fn a_report_without_the_protocol_is_a_doubt_and_no_usage() {
    let place = Place::new();
    place.write("smtp_2026-10-03_2026-11-01.csv", UNCLEAR.as_bytes());
    place.ingest(LAKE, &["smtp_2026-10-03_2026-11-01.csv", "--tenant", TENANT]);
    let told = assessed(&place, "smtp-auth-2026");
    assert_eq!(told, "insufficient_evidence (no_records smtp_report); smtp_auth unproven");
}

#[test]
fn settings_of_another_tenant_or_cut_short_are_refused_and_say_why() {
    let place = Place::new();
    place.write("settings.json", SMTP_OFF.as_bytes());
    let report = place.ingest(LAKE, &["settings.json", "--tenant", OTHER]);
    let why = report["refused"][0]["detail"].as_str().expect("a reason");
    assert!(why.contains(TENANT) && why.contains(OTHER), "it names both: {why}");
    place.write("cut.json", &SMTP_OFF.as_bytes()[..700]);
    let report = place.ingest(LAKE, &["cut.json"]);
    let why = report["refused"][0]["detail"].as_str().expect("a reason");
    assert!(why.contains("expected the JSON that the settings collector writes; EOF"), "{why}");
    assert_eq!(place.csv(LAKE, "SELECT count(*) FROM tenant_settings"), ["0"]);
}

#[test]
fn the_collector_is_printed_and_written() {
    let place = Place::new();
    let output = place.run(LAKE, &["settings", "script"]);
    assert!(String::from_utf8(output.stdout).expect("text").contains("Get-CASMailbox"));
    place.run(LAKE, &["settings", "script", "--output", "collect.ps1"]);
    assert!(place.path("collect.ps1").exists());
}
