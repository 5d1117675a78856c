//! The small inputs of `LIGHTSOUT_CASES`: exports as people hold them, with the right result of each. What their table says
//! in words is said here for the program.

use std::path::PathBuf;

use serde_json::Value;

use super::program::Place;

/// What must come of one input.
#[derive(Clone, Copy)]
enum Right {
    /// So many rows and records that are no sign-ins, no reject, and one row that has these columns.
    Rows(u64, u64, &'static [(&'static str, &'static str)]),
    /// Refused once, in words that hold these.
    Refused(&'static [&'static str]),
    /// Refused, but with this argument one row with these columns.
    Asks(&'static [&'static str], &'static [&'static str], &'static [(&'static str, &'static str)]),
    /// Of `run`: what is said holds the first words, and not the second.
    Told(&'static [&'static str], &'static [&'static str]),
}

const SMTP: &[(&str, &str)] = &[("protocol", "smtp_auth"), ("outcome", "success")];
const BASIC_SMTP: &[(&str, &str)] =
    &[("protocol", "smtp_auth"), ("auth_method", "basic"), ("outcome", "success")];
const IMAP: &[(&str, &str)] = &[("protocol", "imap4"), ("outcome", "success")];

fn right(file: &str) -> Option<Right> {
    use Right::{Asks, Refused, Rows, Told};
    Some(match file {
        "filebeat-event-before-message.ndjson"
        | "filebeat-message-before-event.ndjson"
        | "elasticsearch-search-answer.json"
        | "splunk-search-export.json" => Rows(1, 0, BASIC_SMTP),
        "log-analytics-api.json"
        | "advanced-hunting-over-signinlogs.json"
        | "steampipe.json"
        | "eventhub-capture.avro"
        | "SigninLogs.parquet"
        | "signins.tar.gz" => Rows(1, 0, SMTP),
        "InteractiveSignIns_2026-10-01_2026-10-31.xlsx" => Refused(&["Excel workbook", "CSV UTF-8"]),
        "graph-error.json" => Refused(&[
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
            "P1",
        ]),
        "cr-line-ends-quoted.csv" => Rows(3, 0, IMAP),
        "cr-line-ends-unquoted.csv" => Rows(2, 0, IMAP),
        "rejected-row-windows-1252.csv" => Rows(
            3,
            0,
            &[
                ("protocol", "imap4"),
                ("outcome", "success"),
                ("user_principal_name", "joerg@example.com"),
                ("encoding", "windows-1252"),
            ],
        ),
        "renamed-portal-download.csv" => Rows(
            1,
            0,
            &[("category", ""), ("advice", "1 record of unknown category"), ("advice", "--category")],
        ),
        "one-day-export.ndjson" => Told(&["2026-11-05"], &["export the other log too"]),
        "hawk-converted-ual.json" => Asks(
            &["05/10/2026", "--date-order"],
            &["--date-order", "day-first"],
            &[("protocol", "other_legacy"), ("auth_method", "basic"), ("signed_in_at", "2026-10-05")],
        ),
        "directory-audit-among-signins.json" => Rows(1, 1, SMTP),
        "hungarian-dates.csv" => Rows(1, 0, &[("signed_in_at", "2026-10-05T08:15:30")]),
        "slovak-dates.csv" => Rows(1, 0, &[("signed_in_at", "2026-10-13T08:15:30")]),
        "blocked-530003.json" => {
            Rows(1, 0, &[("protocol", "exchange_activesync"), ("outcome", "blocked"), ("unknown_codes", "")])
        }
        _ => return None,
    })
}

/// What is wrong with a row, or with what was said of its file.
fn differs(place: &Place, lake: &str, report: &Value, columns: &[(&str, &str)]) -> Option<String> {
    let query = "SELECT r.*, s.encoding FROM sign_in_records r JOIN sources s ON s.source_id = r.source_id";
    let rows = place.sql(lake, query);
    let holds = |row: &Value| {
        columns.iter().all(|(column, expected)| match *column {
            "advice" => report["advice"].to_string().contains(expected),
            "unknown_codes" => report["unknown_codes"]
                .as_object()
                .is_some_and(|codes| codes.is_empty() == expected.is_empty()),
            column => match &row[column] {
                Value::Null => expected.is_empty(),
                value => value.as_str().is_some_and(|text| text.starts_with(expected)),
            },
        })
    };
    (!rows.iter().any(holds))
        .then(|| format!("expected a row with {columns:?}, found {rows:#?} and {report:#}"))
}

fn counts(report: &Value) -> [u64; 3] {
    ["rows", "not_sign_ins", "rejected"].map(|name| report[name].as_u64().expect("a count"))
}

fn wrong(file: &str, arguments: &[&str], right: Right) -> Option<String> {
    let place = Place::new();
    let folder = PathBuf::from(std::env::var_os("LIGHTSOUT_CASES").expect("looked at before")).join("shapes");
    place.write(file, &std::fs::read(folder.join(file)).expect("the input"));
    let with = |more: &[&'static str]| {
        let all: Vec<&str> =
            [file].into_iter().chain(arguments.iter().copied()).chain(more.iter().copied()).collect();
        place.ingest("lake", &all)
    };
    let refusal = |report: &Value, words: &[&str]| {
        let told = report["refused"][0]["detail"].as_str().unwrap_or_default();
        let once = report["files_refused"] == 1 && words.iter().all(|word| told.contains(word));
        (!once).then(|| format!("expected one refusal with {words:?}, found {report:#}"))
    };
    match right {
        Right::Rows(rows, others, columns) => {
            let report = with(&[]);
            let expected = [rows, others, 0];
            if counts(&report) != expected {
                return Some(format!("expected {expected:?} rows, others and rejects, found {report:#}"));
            }
            differs(&place, "lake", &report, columns)
        }
        Right::Refused(words) => refusal(&with(&[]), words),
        Right::Asks(words, argument, columns) => refusal(&with(&[]), words).or_else(|| {
            let report = with(argument);
            differs(&place, "lake", &report, columns)
        }),
        Right::Told(words, not) => {
            let output = place.loud("lake", &["run", file]);
            let told = String::from_utf8_lossy(&output.stderr).into_owned()
                + &String::from_utf8_lossy(&output.stdout);
            let right =
                words.iter().all(|word| told.contains(word)) && !not.iter().any(|word| told.contains(word));
            (!right).then(|| format!("expected {words:?} and not {not:?}, found {told}"))
        }
    }
}

#[test]
fn every_case_of_an_export_has_its_right_result() {
    let Some(folder) = std::env::var_os("LIGHTSOUT_CASES") else {
        eprintln!("SKIPPED: LIGHTSOUT_CASES is not set, which names the folder of the cases");
        return;
    };
    let table = PathBuf::from(folder).join("shapes/EXPECTED.tsv");
    let Ok(table) = std::fs::read_to_string(&table) else {
        eprintln!("SKIPPED: {} is not there", table.display());
        return;
    };
    let mut failed = Vec::new();
    for line in table.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let mut cells = line.split('\t');
        let file = cells.next().unwrap_or_default();
        let arguments: Vec<&str> = cells.next().unwrap_or_default().split_whitespace().collect();
        let found = match right(file) {
            Some(right) => wrong(file, &arguments, right),
            None => Some("nothing here says what is right".to_owned()),
        };
        eprintln!("{file}: {}", if found.is_none() { "right" } else { "WRONG" });
        failed.extend(found.map(|found| format!("{file}: {found}")));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
