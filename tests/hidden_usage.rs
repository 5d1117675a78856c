//! Inputs in which usage could hide: it is read, or holds its tenant from being cleared.

mod program;
#[path = "program/tar_archive.rs"]
mod tar_archive;

use std::fmt::Write as _;

use program::Place;
use tar_archive::tar;

const LAKE: &str = "lake";
const TENANT: &str = "00000000-0000-4000-8000-0000000000aa";

fn diagnostic(id: u32, time: &str, category: &str, client: &str, resource: &str) -> String {
    format!(
        r#"{{"time":"{time}","category":"{category}","operationName":"Sign-in activity","tenantId":"{TENANT}","properties":{{"id":"10000000-0000-4000-8000-{id:012}","createdDateTime":"{time}","userPrincipalName":"scanner@example.com","clientAppUsed":"{client}","resourceDisplayName":"{resource}","status":{{"errorCode":0}}}}}}"#
    )
}

fn imap(id: u32) -> String {
    diagnostic(
        id,
        "2026-10-05T08:15:30Z",
        "NonInteractiveUserSignInLogs",
        "IMAP4",
        "Office 365 Exchange Online",
    )
}

/// Ingests one file into a lake of its own.
fn ingested(name: &str, bytes: &[u8]) -> (Place, Option<i32>, String) {
    let place = Place::new();
    place.write(name, bytes);
    let output = place.tries(LAKE, &["ingest", name, "--tenant", TENANT]);
    (place, output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn refused(place: &Place) -> String {
    place.csv(LAKE, "SELECT count(*) FROM sources WHERE fate = 'refused'").concat()
}

fn clients(place: &Place) -> Vec<String> {
    place.csv(LAKE, "SELECT client_app FROM sign_in_records ORDER BY 1")
}

#[test]
fn a_log_that_begins_with_records_of_other_kinds_is_read() {
    let logon = r#"{"EventID":4624,"Channel":"Security","TimeCreated":"2026-10-05T08:00:00Z","LogonType":3}"#;
    let audit = r#"{"id":"Directory_1","activityDateTime":"2026-10-05T08:00:00Z","activityDisplayName":"Update user"}"#;
    for (name, other) in [("logons.json", logon), ("audits.json", audit)] {
        let lines = format!("{}{}\n", format!("{other}\n").repeat(300), imap(1));
        let (place, _, told) = ingested(name, lines.as_bytes());
        assert_eq!(clients(&place), ["IMAP4"], "{told}");
        assert_eq!(
            place.csv(LAKE, "SELECT records, rows, rejected + not_sign_ins AS others FROM sources"),
            ["301,1,300"],
            "{told}"
        );
    }
    let list = format!("[{}{}]", format!("{audit},").repeat(100), imap(1));
    let (place, _, told) = ingested("list.json", list.as_bytes());
    assert_eq!(clients(&place), ["IMAP4"], "{told}");
    let quoted = |json: &str| format!("\"{}\"", json.replace('"', "\"\""));
    let mut table = "_time,EventCode,_raw\n".to_owned();
    for _ in 0..300 {
        writeln!(table, "2026-10-05T08:00:00Z,4624,{}", quoted("LogName=Security EventCode=4624"))
            .expect("text");
    }
    writeln!(table, "2026-10-05T08:15:30Z,,{}", quoted(&imap(1))).expect("text");
    let (place, _, told) = ingested("splunk.csv", table.as_bytes());
    assert_eq!(clients(&place), ["IMAP4"], "{told}");
}

#[test]
fn what_names_a_legacy_client_is_not_passed_as_a_look_alike() {
    let inside = r#"{"user":"scanner@example.com","client":"Authenticated SMTP","at":"5 October"}"#;
    // The words may come far behind what is looked at to recognise it.
    let long = format!(
        "{}{}\n",
        format!("{}\n", r#"{"EventID":4624,"LogonType":3,"Data":"..........................."}"#)
            .repeat(100_000),
        r#"{"EventID":1,"client":"IMAP4"}"#
    );
    let held: [(&str, &[u8]); 6] = [
        ("list.json", &format!(r#"{{"count":1,"signIns":[{inside}]}}"#).into_bytes()),
        ("lines.json", br#"{"count":3,"user":"scanner@example.com","client":"IMAP4"}"#),
        ("summary.csv", b"user,client,count\nscanner@example.com,IMAP4,31\n"),
        (
            "table.csv",
            b"Timestamp,AccountDisplayName,LogonType,ClientAppUsed\n2026-10-05,Scanner,Password,SMTP\n",
        ),
        ("events.csv", b"EventCode,properties.clientAppUsed\n,Browser\n"),
        ("long.json", long.as_bytes()),
    ];
    for (name, bytes) in held {
        let (place, exit, told) = ingested(name, bytes);
        assert_eq!((exit, refused(&place).as_str()), (Some(3), "1"), "{name}: {told}");
    }
    for (name, bytes) in [
        ("summary.csv", &b"client,count_\nBrowser,31\n"[..]),
        ("events.csv", b"EventID,LogonType,TargetUserName\n4624,3,anna\n"),
        ("workbook.json", br#"{"fallbackResourceIds":[],"query":"where ClientAppUsed == 'IMAP4'"}"#),
    ] {
        let (place, exit, told) = ingested(name, bytes);
        assert_eq!((exit, refused(&place).as_str()), (Some(3), "0"), "{name}: {told}");
    }
}

#[test]
fn a_download_without_a_byte_of_text_states_no_days() {
    let days = |name: &str, bytes: &[u8]| {
        let (place, _, _) = ingested(name, bytes);
        place.csv(LAKE, "SELECT count(*) FROM coverage_entries").concat()
    };
    let name = "NonInteractiveSignIns_2026-10-01_2026-10-31";
    for blank in [&b""[..], b"\n", b"\xef\xbb\xbf"] {
        assert_eq!(days(&format!("{name}.csv"), blank), "0", "{blank:?}");
    }
    assert_eq!(days(&format!("{name}.csv.crdownload"), b"[]"), "0");
    assert_ne!(days(&format!("{name}.json"), b"[]"), "0", "it says that there were none");
}

#[test]
fn a_blob_of_another_log_than_its_path_names_does_not_prove_its_hour() {
    let path = format!(
        "insights-logs-noninteractiveusersigninlogs/tenantId={TENANT}/y=2026/m=10/d=05/h=08/m=00/PT1H.json"
    );
    let hours = |bytes: &[u8]| {
        let (place, _, _) = ingested(&path, bytes);
        place.csv(LAKE, "SELECT count(*) FROM coverage_entries WHERE category = 'non_interactive'").concat()
    };
    let of =
        |category: &str| diagnostic(1, "2026-10-05T08:15:30Z", category, "Browser", "Portal").into_bytes();
    assert_ne!(hours(b""), "0", "an hour without records was logged all the same");
    assert_ne!(hours(&of("NonInteractiveUserSignInLogs")), "0");
    assert_eq!(hours(&of("SignInLogs")), "0");
    assert_eq!(hours(&of("AuditLogs")), "0");
}

#[test]
fn a_client_app_makes_a_sign_in_of_a_category_that_nobody_knows() {
    for category in ["Interactive", "-", "Anmeldungen"] {
        let record = diagnostic(1, "2026-10-05T08:15:30Z", category, "IMAP4", "Office 365 Exchange Online");
        let (place, _, told) = ingested("log.json", format!("{record}\n").as_bytes());
        assert_eq!(clients(&place), ["IMAP4"], "{category}: {told}");
    }
    let record = diagnostic(1, "2026-10-05T08:15:30Z", "RiskyUsers", "", "");
    let (place, _, told) = ingested("log.json", format!("{}\n{record}\n", imap(2)).as_bytes());
    assert_eq!(place.csv(LAKE, "SELECT rows, not_sign_ins FROM sources"), ["1,1"], "{told}");
}

#[test]
fn a_resource_that_is_not_named_is_none() {
    for word in ["Unknown", "-", "N/A", "#N/A", "None", "null", "(blank)", "undefined"] {
        let record = diagnostic(1, "2026-10-05T08:15:30Z", "SignInLogs", "Other clients", word);
        let (place, _, _) = ingested("log.json", record.as_bytes());
        assert_eq!(place.csv(LAKE, "SELECT resource_name IS NULL FROM sign_in_records"), ["true"], "{word}");
    }
}

#[test]
fn a_cell_too_many_is_rejected_where_other_rows_have_none() {
    let header = "Date (UTC),Request ID,Username,Application,Client app,Status,User agent";
    let row = |id: u32, app: &str, agent: &str| {
        format!(
            "2026-10-05T08:15:30Z,10000000-0000-4000-8000-{id:012},anna@example.com,{app},IMAP4,Success,{agent}"
        )
    };
    let table = format!("{header}\n{}\n{}\n", row(1, "Mail", "agent"), row(2, "Example, Inc.", ""));
    let (place, _, told) = ingested("InteractiveSignIns.csv", table.as_bytes());
    assert_eq!(place.csv(LAKE, "SELECT rows, rejected FROM sources"), ["1,1"], "{told}");
    let table = format!("{header}\n{},\n{},\n", row(1, "Mail", "agent"), row(2, "Mail", ""));
    let (place, _, told) = ingested("InteractiveSignIns.csv", table.as_bytes());
    assert_eq!(place.csv(LAKE, "SELECT rows, rejected FROM sources"), ["2,0"], "{told}");
}

#[test]
fn an_archive_that_breaks_off_between_two_files_is_cut() {
    const BLOCK: usize = 512;
    let members = [("a.json".to_owned(), imap(1).into_bytes()), ("b.json".to_owned(), imap(2).into_bytes())];
    let whole = tar(&members);
    let (place, exit, told) = ingested("logs.tar", &whole);
    assert_eq!((exit, clients(&place).len()), (Some(0), 2), "{told}");
    // The header of a folder; then each file's header and content.
    let of_file = BLOCK + members[0].1.len().next_multiple_of(BLOCK);
    for files in [1, 2] {
        let (place, exit, told) = ingested("logs.tar", &whole[..BLOCK + files * of_file]);
        assert_eq!((exit, clients(&place).len()), (Some(3), files), "{told}");
        assert!(told.contains("breaks off"), "{told}");
    }
}

#[test]
fn an_export_that_ends_at_a_limit_without_an_order_proves_no_day() {
    let days = |count: u32| {
        let mut lines = String::new();
        for n in 0..count {
            let at = n.wrapping_mul(7919) % count;
            let time = format!("2026-10-{:02}T08:{:02}:30Z", 1 + at % 28, at % 60);
            writeln!(lines, "{}", diagnostic(at, &time, "SignInLogs", "Browser", "Portal")).expect("text");
        }
        let (place, _, _) = ingested("log.json", lines.as_bytes());
        place.csv(LAKE, "SELECT count(*) FROM coverage_entries WHERE kind = 'records'").concat()
    };
    assert_eq!(days(30_000), "0");
    assert_ne!(days(29_999), "0");
}

#[test]
fn answers_that_say_they_lack_something_prove_no_day() {
    let answer = |more: &str| format!(r#"{{{more},"results":[{}]}}"#, imap(1));
    for more in [
        r#""terminated_early":true"#,
        r#""messages":[{"type":"WARN","text":"Search results might be incomplete"}]"#,
    ] {
        let (_, exit, told) = ingested("answer.json", answer(more).as_bytes());
        assert_eq!(exit, Some(3), "{more}: {told}");
    }
    for more in [r#""terminated_early":false"#, r#""messages":[{"type":"INFO","text":"done"}]"#] {
        let (_, exit, told) = ingested("answer.json", answer(more).as_bytes());
        assert_eq!(exit, Some(0), "{more}: {told}");
    }
}
