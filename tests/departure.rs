//! A tenant that leaves, and what has become old: nothing of it stays in the lake, accounts add up, and no verdict is
//! better for it.

mod program;

use std::fs;

use program::Place;
use serde_json::{Value, json};

const LAKE: &str = "lake";
const LEAVING: &str = "00000000-0000-4000-8000-00000000000a";
const STAYING: &str = "00000000-0000-4000-8000-00000000000b";

fn record(tenant: &str, month: u32, day: u32, category: &str, app: &str) -> String {
    let time = format!("2026-{month:02}-{day:02}T08:15:00Z");
    let user = if tenant == LEAVING { "ada@leaving.example" } else { "bob@staying.example" };
    json!({
        "time": time, "category": category, "tenantId": tenant,
        "properties": {
            "id": format!("{:08}-0000-4000-8000-{}{month:02}{day:02}", category.len(), &tenant[28..]),
            "createdDateTime": time, "userPrincipalName": user, "clientAppUsed": app,
            "status": {"errorCode": 0}, "resourceDisplayName": "Office 365 Exchange Online",
        }
    })
    .to_string()
}

fn days(tenants: &[&str], month: u32, app: impl Fn(&str, u32) -> &'static str) -> String {
    let mut lines = Vec::new();
    for day in 1..31 {
        for tenant in tenants {
            lines.push(record(tenant, month, day, "SignInLogs", app(tenant, day)));
            lines.push(record(tenant, month, day, "NonInteractiveUserSignInLogs", "Browser"));
        }
    }
    lines.join("\n")
}

/// Two tenants in one file, and the one that leaves in a file of its own, with a reject of nobody known.
fn lake() -> Place {
    let place = Place::new();
    let imap = |tenant: &str, day: u32| if tenant == LEAVING && day == 20 { "IMAP4" } else { "Browser" };
    let both = days(&[LEAVING, STAYING], 9, imap);
    let broken = format!(r#"{{"time":"2026-09-20T08:1","tenantId":"","note":"{LEAVING}""#);
    place.write("both.json", format!("{both}\n{broken}").as_bytes());
    place.write(&format!("tenantId={LEAVING}/own.json"), days(&[LEAVING], 8, imap).as_bytes());
    for input in ["both.json", &format!("tenantId={LEAVING}")] {
        place.tries(LAKE, &["ingest", input]);
    }
    let roster = format!("tenant_id,display_name\n{LEAVING},Leaving Ltd\n{STAYING},Staying Ltd\n");
    place.write("roster.csv", roster.as_bytes());
    place.run(LAKE, &["roster", "set", "roster.csv"]);
    place.run(LAKE, &["assess", "--as-of", "2026-10-01", "--out", "out"]);
    place
}

fn id(place: &Place) -> String {
    place.csv(LAKE, "SELECT decision_id FROM decisions ORDER BY decided_at DESC LIMIT 1").concat()
}

#[test]
fn a_tenant_that_left_is_named_nowhere_and_accounts_add_up() {
    let place = lake();
    let decision = id(&place);
    let refused = place.tries(LAKE, &["lake", "prune", "--tenant", LEAVING]);
    assert_eq!(refused.status.code(), Some(2), "nobody can be asked");
    let before = program::files(&place.path(LAKE));
    let would: Value = serde_json::from_slice(
        &place.run(LAKE, &["lake", "prune", "--tenant", LEAVING, "--dry-run", "--json"]).stdout,
    )
    .expect("a report");
    assert_eq!(would["rows"][0]["rows"], json!(120), "{would}");
    assert_eq!(before, program::files(&place.path(LAKE)), "a dry run writes nothing");

    let report: Value = serde_json::from_slice(
        &place.run(LAKE, &["lake", "prune", "--tenant", LEAVING, "--yes", "--json"]).stdout,
    )
    .expect("a report");
    assert_eq!((&report["still_named"], &report["rows"][0]["rows"]), (&json!([]), &json!(120)), "{report}");
    for (name, text) in program::files(&place.path(LAKE)) {
        let text = String::from_utf8_lossy(&text).into_owned();
        for gone in [LEAVING, "ada@leaving.example", "Leaving Ltd"] {
            assert!(!text.contains(gone) && !name.contains(gone), "{gone} in {name}");
        }
    }
    for query in [
        "SELECT count(*) FROM sign_in_records WHERE user_principal_name LIKE '%leaving%'",
        "SELECT count(*) FROM sources WHERE path LIKE '%000a%'",
        "SELECT count(*) FROM rosters WHERE roster_row LIKE '%Leaving%'",
    ] {
        assert_eq!(place.csv(LAKE, query), ["0"], "{query}");
    }
    place.run(LAKE, &["lake", "verify", "--deep"]);
    let account = "SELECT sum(records), sum(rows), sum(rejected), sum(pruned) FROM sources";
    assert_eq!(
        place.csv(LAKE, account),
        ["121,60,1,60"],
        "a reject of nobody known stays, without its bytes"
    );
    assert_eq!(place.sql(LAKE, "SELECT raw FROM rejects"), [json!({ "raw": "" })]);

    let again = place.tries(LAKE, &["assess", "--decision", &decision, "--out", "again"]);
    let stderr = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.code() == Some(1) && stderr.contains("pruned"), "{stderr}");
    place.run(LAKE, &["assess", "--as-of", "2026-10-01", "--out", "after"]);
    let text = fs::read_to_string(place.path("after/assessment.csv")).expect("an assessment");
    assert!(text.contains(STAYING) && !text.contains(LEAVING), "{text}");
}

#[test]
fn pruned_days_are_not_covered_and_no_window_looks_back_before_them() {
    let place = lake();
    place.run(LAKE, &["lake", "prune", "--before", "2026-09-10", "--yes"]);
    place.run(LAKE, &["lake", "verify", "--deep"]);
    assert_eq!(
        place.csv(LAKE, "SELECT count(*) FROM sign_in_records WHERE event_date < DATE '2026-09-10'"),
        ["0"]
    );
    for arguments in
        [&["assess", "--as-of", "2026-10-01"][..], &["explain", STAYING, "--as-of", "2026-10-01"]]
    {
        let output = place.tries(LAKE, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("pruned before 2026-09-10"), "{stderr}");
    }
    // Long enough after, only the days that are there count.
    place.run(LAKE, &["assess", "--as-of", "2026-12-20", "--out", "out"]);
    let text = fs::read_to_string(place.path("out/assessment.csv")).expect("an assessment");
    assert!(!text.contains("no_impact"), "{text}");
}

#[test]
fn an_export_holds_all_of_one_tenant_and_nothing_of_another() {
    let place = lake();
    for format in ["parquet", "csv", "ndjson"] {
        let out = format!("export-{format}");
        place.run(LAKE, &["lake", "export", "--tenant", LEAVING, "--out", &out, "--format", format]);
        let manifest: Value =
            serde_json::from_slice(&fs::read(place.path(&out).join("manifest.json")).expect("a manifest"))
                .expect("JSON");
        let rows = |table: &str| {
            let files = manifest["files"].as_array().expect("files");
            let name = format!("{table}.{format}");
            files.iter().find(|file| file["file"] == json!(name)).map(|file| file["rows"].clone())
        };
        assert_eq!(rows("sign_in_records"), Some(json!(120)), "{manifest}");
        assert_eq!((rows("decisions"), rows("sources")), (Some(json!(1)), Some(json!(2))), "{manifest}");
        for (name, text) in program::files(&place.path(&out)) {
            let text = String::from_utf8_lossy(&text).into_owned();
            assert!(!text.contains(STAYING) && !text.contains("staying"), "{name}");
        }
    }
}
