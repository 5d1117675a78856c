//! What was not read, or not as it was meant: refused files and what cures them, lines without a time, lists in place
//! of texts, rows of users among those of applications.

use super::program::Place;
use super::{A, LAKE, code, diagnostic, is_clear, is_held_by, modern_log, verdict};

// A storage blob is appended to: what it holds later has what it held before.
#[test]
fn a_blob_that_has_grown_cures_its_refusal() {
    let place = Place::new();
    place.write("logs/log.json", modern_log(A, 0).as_bytes());
    let blob = format!("logs/insights-logs-signinlogs/tenantId={A}/y=2026/m=10/d=06/h=08/m=00/PT1H.json");
    place.write(&blob, b"{\"records\":[\n");
    assert_eq!(code(&place, &["ingest", "logs"]).0, 3);
    is_held_by(&place, A, "refused_files");
    let record = diagnostic(A, 90_001, "2026-10-06T08:15:30Z", "SignInLogs", "Browser");
    place.write(&blob, format!("{{\"records\":[{record}]}}").as_bytes());
    place.ingest(LAKE, &["logs"]);
    is_clear(&place, A);
}

// The days of the window that the file held were lost, and with them the time of its unreadable line.
#[test]
fn a_line_without_a_time_counts_in_a_file_of_days_near_the_window() {
    for (day, expected) in [("2026-11-02", "insufficient_evidence"), ("2026-06-20", "no_impact")] {
        let place = Place::new();
        place.write("logs/log.json", modern_log(A, 0).as_bytes());
        let line =
            |id: u32, client: &str| diagnostic(A, id, &format!("{day}T08:15:30Z"), "SignInLogs", client);
        let untimed = line(90_002, "IMAP4").replace(&format!("\"time\":\"{day}"), "\"time\":\"1626-11-02");
        let untimed =
            untimed.replace(&format!("\"createdDateTime\":\"{day}"), "\"createdDateTime\":\"1626-11-02");
        place.write("logs/week.json", format!("{}\n{untimed}\n", line(90_001, "Browser")).as_bytes());
        code(&place, &["ingest", "logs", "--max-rejects", "100%"]);
        assert_eq!(verdict(&place, A).0, expected, "{day}");
    }
}

// A list was taken for nothing, so a rewrite agent or a password grant in one left a modern client alone.
#[test]
fn what_a_record_says_of_its_client_in_a_list_counts() {
    let line = |client: &str, more: &str| {
        let line = diagnostic(A, 90_001, "2026-10-06T08:15:30Z", "SignInLogs", "Browser");
        let line = line.replace("\"clientAppUsed\":\"Browser\"", &format!("\"clientAppUsed\":{client}"));
        line.replace("\"status\"", &format!("{more},\"resourceId\":\"{EXCHANGE}\",\"status\""))
    };
    for (what, text) in [
        ("the protocol", line(r#""Browser""#, r#""authenticationProtocol":["ropc"]"#)),
        ("one of two", line(r#""Browser""#, r#""authenticationProtocol":["oAuth2","ropc"]"#)),
        ("text that is a list", line(r#""Browser""#, r#""authenticationProtocol":"[\"ropc\"]""#)),
        ("the agent", line(r#""Browser""#, r#""userAgent":["BAV2ROPC"]"#)),
        ("the client", line(r#"["IMAP4"]"#, r#""userAgent":"x""#)),
    ] {
        let place = Place::new();
        place.write("log.json", format!("{}{text}\n", modern_log(A, 0)).as_bytes());
        place.ingest(LAKE, &["log.json"]);
        assert_eq!(verdict(&place, A).0, "warning", "{what}");
    }
}

const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";

#[test]
fn a_users_row_counts_in_a_file_that_is_named_for_applications() {
    let place = Place::new();
    place.write("log.json", modern_log(A, 0).as_bytes());
    let row = "2026-10-11T09:00:00Z,40000000-0000-4000-8000-000000000001,a@example.com,IMAP4,Success";
    place.write(
        "ApplicationSignIns_2026-10-01_2026-11-01.csv",
        format!("Date (UTC),Request ID,Username,Client app,Status\n{row}\n").as_bytes(),
    );
    place.ingest(LAKE, &["log.json", "ApplicationSignIns_2026-10-01_2026-11-01.csv", "--tenant", A]);
    assert_eq!(verdict(&place, A).0, "warning");
}
