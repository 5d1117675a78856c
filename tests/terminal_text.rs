//! Nothing that comes from outside reaches a terminal as a control character: a hostile text stands in every place where
//! logs, archives, rosters, arguments and files can bring text, and is looked for in all that the program says.

#![cfg(unix)]

#[path = "program/archives.rs"]
mod archives;
mod program;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Output;

use archives::zip;
use program::{OPERATOR, Place};
use serde_json::{Value, json};

/// A window's title, colours, a screen that is cleared, the same by one byte, and a line that is written backwards.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[31m\u{1b}[2J\u{9b}2J\u{8}\u{7f}\u{202e}\u{2066}";
const TENANT: &str = "11111111-aaaa-4000-8000-000000000001";
const LAKE: &str = "lake";

/// Whether a terminal does anything else with a character than showing it. Line ends and tabs are the program's own.
fn is_control(character: char) -> bool {
    let is_bidi = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    is_bidi || character.is_control() && !matches!(character, '\n' | '\t')
}

fn check(what: &str, output: &Output, failures: &mut String) {
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = String::from_utf8_lossy(bytes);
        if let Some(line) = text.lines().find(|line| line.contains(is_control)) {
            writeln!(failures, "{what}: {stream}: {}", line.escape_debug()).expect("memory");
        }
    }
}

fn record(id: u32, client_app: &str) -> Value {
    json!({
        "time": "2026-10-05T08:00:00Z",
        "category": "SignInLogs",
        "operationName": "Sign-in activity",
        "tenantId": TENANT,
        "resultType": "0",
        "resultDescription": HOSTILE,
        HOSTILE: HOSTILE,
        "properties": {
            "id": format!("10000000-0000-4000-8000-{id:012}"),
            "createdDateTime": "2026-10-05T08:00:00Z",
            "userPrincipalName": format!("ada{HOSTILE}@example.com"),
            "userDisplayName": HOSTILE,
            "userId": format!("id{HOSTILE}"),
            "appDisplayName": format!("App{HOSTILE}"),
            "resourceDisplayName": format!("Office 365 Exchange Online{HOSTILE}"),
            "clientAppUsed": client_app,
            "userAgent": format!("BAV2ROPC{HOSTILE}"),
            "ipAddress": format!("192.0.2.7{HOSTILE}"),
            "location": { "countryOrRegion": HOSTILE },
            "conditionalAccessStatus": HOSTILE,
            "status": { "errorCode": 0, "failureReason": HOSTILE },
        },
    })
}

/// Logs with the text in names of files, members of archives, keys, values and headers.
fn write_inputs(place: &Place) {
    let lines = |records: &[Value]| {
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        lines.join("\n") + "\n"
    };
    let records = [
        record(1, "IMAP4"),
        record(2, &format!("IMAP4{HOSTILE}")),
        record(3, "Browser"),
        json!({ "time": HOSTILE, "category": "SignInLogs", "tenantId": TENANT, "properties": { "createdDateTime": HOSTILE } }),
        json!({ "category": HOSTILE, "tenantId": HOSTILE, "properties": { HOSTILE: 1 } }),
    ];
    place.write(&format!("logs/folder{HOSTILE}/log{HOSTILE}.json"), lines(&records).as_bytes());
    place.write("logs/unknown.json", json!({ HOSTILE: HOSTILE }).to_string().as_bytes());
    place.write("logs/text.txt", format!("{HOSTILE} of 2026-10-05\n").as_bytes());
    place.write("logs/table.csv", format!("{HOSTILE},b{HOSTILE}\n1,2\n").as_bytes());
    place.write(
        "logs/names.csv",
        format!("TimeGenerated,ResultType,UserPrincipalName,ClientAppUsed,AADTenantId,{HOSTILE}\n{HOSTILE},0,a,b,{HOSTILE},c\n")
            .as_bytes(),
    );
    place.write(
        "logs/archive.zip",
        &zip(&[(format!("member{HOSTILE}.json"), lines(&[record(4, "POP3")]).into_bytes())]),
    );
    place.write("logs/refused.zip", &zip(&[(format!("{HOSTILE}.json"), b"{\"a\":\"2026-10-05\"}".to_vec())]));
    place.write(&format!("logs/.hidden{HOSTILE}.json"), b"{}");
    place.write(
        "roster.csv",
        format!("tenant_id,display_name,contacts,excluded,exclusion_reason,{HOSTILE}\n{TENANT},Name{HOSTILE},ada@example.com,,,{HOSTILE}\n")
            .as_bytes(),
    );
    place.write("bad_roster.csv", format!("tenant_id,{HOSTILE}\n{HOSTILE},1\n").as_bytes());
    place.write("bad.toml", format!("name = '{HOSTILE}'\n").as_bytes());
    place.write("odd.toml", b"name = \"a\\u001b[31m\"\n\"b\\u001b[2J\" = 1\n");
    place.write("broken.parquet", HOSTILE.as_bytes());
}

#[test]
fn hostile_text_from_any_place_reaches_no_terminal() {
    let place = Place::new();
    write_inputs(&place);
    let mut failures = String::new();
    let mut says = |arguments: &[&str]| {
        let output = place.loud(LAKE, arguments);
        let what = arguments.join(" ");
        check(&what.escape_debug().to_string(), &output, &mut failures);
        output
    };
    says(&["ingest", "logs", "--dry-run", "--verbose", "--tenant", TENANT]);
    says(&["ingest", "logs"]);
    says(&["ingest", "logs/names.csv", HOSTILE, "broken.parquet"]);
    says(&["ingest", "logs", "--tenant", HOSTILE]);
    says(&["roster", "set", "roster.csv"]);
    says(&["roster", "show"]);
    says(&["roster", "set", "bad_roster.csv"]);
    assert_eq!(says(&["assess", "--as-of", "2026-10-06"]).status.code(), Some(0));
    says(&["explain", TENANT]);
    says(&["explain", TENANT, "--sql"]);
    for arguments in [["explain", HOSTILE], ["report", HOSTILE], ["assess", HOSTILE], [HOSTILE, "x"]] {
        says(&arguments);
    }
    for campaign in [HOSTILE, "bad.toml", "odd.toml"] {
        says(&["assess", "--campaign", campaign]);
    }
    let names = says(&["sql", "SHOW TABLES", "--format", "csv"]);
    let names = String::from_utf8(names.stdout).expect("text");
    let tables: Vec<&str> = names.lines().skip(1).filter_map(|line| line.split(',').nth(2)).collect();
    assert!(tables.len() > 10, "{names}");
    for table in tables {
        says(&["sql", &format!("SELECT * FROM {table} LIMIT 20"), "--format", "table"]);
    }
    for format in ["table", "md"] {
        let sql = "SELECT user_principal_name, client_app, user_agent FROM sign_in_records";
        let shown = says(&["sql", sql, "--format", format]).stdout;
        assert!(String::from_utf8_lossy(&shown).contains("owned"), "the harmless rest is shown");
    }
    for sql in [
        format!("SELECT {HOSTILE}"),
        format!("SELECT \"{HOSTILE}\" FROM sign_ins"),
        format!("SELECT * FROM \"{HOSTILE}\""),
        "SELECT CAST(user_principal_name AS integer) FROM sign_in_records".to_owned(),
        "SELECT CAST(user_id AS timestamp) FROM sign_in_records".to_owned(),
        format!("EXPLAIN SELECT * FROM sign_ins WHERE user_id = '{HOSTILE}'"),
    ] {
        says(&["sql", &sql]);
    }
    says(&["sql", "SELECT 1", "--with", &format!("a=roster{HOSTILE}.csv")]);
    says(&["sql", "SELECT * FROM mine", "--with", "mine=roster.csv", "--format", "table"]);
    for report in
        ["protocol_usage", "who", "rejected_records", "top_user_agents", "coverage", "unclear_clients"]
    {
        says(&["report", report]);
        says(&["report", report, "--tenant", HOSTILE]);
    }
    says(&["lake", "status"]);
    says(&["lake", "verify"]);
    says(&["lake", "replay", "--dry-run"]);
    says(&["lake", "dismiss", "--tenant", TENANT, "--doubt", HOSTILE, "--by", HOSTILE, "--why", HOSTILE]);
    says(&[
        "lake",
        "dismiss",
        "--tenant",
        TENANT,
        "--doubt",
        "rejected_records",
        "--by",
        HOSTILE,
        "--why",
        HOSTILE,
    ]);
    says(&["explain", TENANT]);
    place.write(
        "operated.toml",
        &[&says(&["campaign", "show", "basic-auth-all-protocols"]).stdout, OPERATOR.as_bytes()].concat(),
    );
    says(&["assess", "--campaign", "operated.toml", "--as-of", "2026-10-06"]);
    says(&["campaign", "announce", "--campaign", "operated.toml", "--by", HOSTILE, "--warnings"]);
    says(&["campaign", "opt-out", TENANT, "--campaign", "operated.toml", "--by", HOSTILE]);
    says(&["campaign", "opt-out", HOSTILE, "--campaign", "operated.toml", "--by", HOSTILE]);
    says(&["campaign", "withdraw", TENANT, "--campaign", "operated.toml", "--by", HOSTILE, "--why", HOSTILE]);
    says(&["campaign", "status", "--campaign", "operated.toml"]);
    says(&["notices", "--out", &format!("out{HOSTILE}")]);
    says(&["run", "logs", "--out", &format!("run{HOSTILE}"), "--as-of", "2026-10-06"]);
    // A folder that holds a lake by a hostile name, and no lake.
    let elsewhere = place.loud(&format!("other{HOSTILE}"), &["lake", "status"]);
    check("another lake", &elsewhere, &mut failures);
    let no_text = OsStr::from_bytes(b"\xff\x1b[31m").to_owned();
    std::fs::write(place.path("logs").join(&no_text), b"{}").expect("a file without a name in UTF-8");
    check("no UTF-8", &place.loud(LAKE, &["ingest", "logs"]), &mut failures);
    assert!(failures.is_empty(), "{failures}");
}
