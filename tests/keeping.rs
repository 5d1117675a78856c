//! A lake that is kept for long: few files of many, nothing lost, and decisions that are made again
//! from versions whose files no table has any more.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use lightsout_ingest::find::find;
use lightsout_ingest::{IngestSettings, Progress, ingest};
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;
use serde_json::{Value, json};

mod growing;
mod program;
mod sharing;

use program::{Place, files};

const LAKE: &str = "lake";
const TENANT: &str = "00000000-0000-4000-8000-000000000001";
const OTHER: &str = "00000000-0000-4000-8000-000000000002";

/// 2026-03-01, and so many days later.
fn day(number: i64) -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day") + chrono::TimeDelta::days(number)
}

/// One day's log of two tenants: legacy, modern and service sign-ins; the last sign-in of the day
/// before once more; now and then a record that can't be read.
fn log_of(number: i64) -> String {
    let record = |tenant: &str, category: &str, id: i64, app: &str, number: i64| {
        let time = format!("{}T08:15:{:02}Z", day(number), id % 60);
        json!({
            "time": time, "category": category, "tenantId": tenant,
            "properties": {
                "id": format!("{id:08}-0000-4000-8000-{number:012}"), "createdDateTime": time,
                "userPrincipalName": format!("user{}@example.com", id % 3), "clientAppUsed": app,
                "status": {"errorCode": 0}, "resourceDisplayName": "Office 365 Exchange Online",
            }
        })
        .to_string()
    };
    let mut lines = Vec::new();
    for tenant in [TENANT, OTHER] {
        let legacy = if number % 7 == 0 && tenant == TENANT { "IMAP4" } else { "Browser" };
        lines.push(record(tenant, "SignInLogs", 1, legacy, number));
        lines.push(record(
            tenant,
            "NonInteractiveUserSignInLogs",
            2,
            "Mobile Apps and Desktop clients",
            number,
        ));
        lines.push(record(tenant, "ServicePrincipalSignInLogs", 3, "", number));
        lines.push(record(tenant, "SignInLogs", 1, "POP3", (number - 1).max(0)));
    }
    if number % 10 == 3 {
        lines.push(format!(r#"{{"time":"{}T08:1"#, day(number)));
        lines.push(record("", "SignInLogs", 9, "POP3", number).replace(r#""tenantId":"","#, ""));
    }
    lines.join("\n")
}

fn settings(now: i64) -> IngestSettings {
    IngestSettings {
        roster: lightsout_model::tenant::Roster::default(),
        skip_unrecognised: false,
        tenant_id: None,
        category: None,
        date_order: None,
        covers: None,
        jobs: 1,
        memory_limit_bytes: 64 << 20,
        keep: lightsout_ingest::Keep::All,
        dry_run: false,
        now,
    }
}

/// Ingests the days one by one, each with the commits of a run of its own.
fn days_pass(place: &Place, days: std::ops::Range<i64>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut lake = Lake::open_or_create(&place.path(LAKE)).await.expect("the lake");
        for number in days {
            let name = format!("logs/{number}.json");
            place.write(&name, log_of(number).as_bytes());
            let inputs = find(&[place.path(&name).display().to_string()]).expect("the file").inputs;
            let now = day(number + 1).and_hms_opt(3, 0, 0).expect("a time").and_utc().timestamp_micros();
            let settings = settings(now);
            ingest(&mut lake, inputs, &settings, &Progress::default()).await.expect("ingested");
        }
    });
}

/// Decides by the lake as it is; the decision's id.
fn decide(place: &Place, as_of: i64, out: &str) -> String {
    place.run(LAKE, &["assess", "--as-of", &day(as_of).to_string(), "--window-days", "30", "--out", out]);
    place.csv(LAKE, "SELECT decision_id FROM decisions ORDER BY decided_at DESC LIMIT 1").concat()
}

fn told(place: &Place, arguments: &[&str]) -> Value {
    serde_json::from_slice(&place.run(LAKE, arguments).stdout).expect("a report")
}

/// Every row of every table as text, sorted.
fn rows(place: &Place, lake: &str) -> BTreeMap<&'static str, Vec<String>> {
    let of = |table: Table| {
        let rows = place.sql(lake, &format!("SELECT * FROM {}", table.as_str()));
        let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
        rows.sort();
        (table.as_str(), rows)
    };
    Table::ALL.into_iter().map(of).collect()
}

fn data_files(place: &Place, lake: &str, table: &str) -> Vec<String> {
    let all = files(&place.path(lake).join(table));
    all.into_keys().filter(|path| path.ends_with(".parquet") && !path.starts_with("_delta_log")).collect()
}

/// What is wrong with a table as it was, if anything is.
fn wrong_at(place: &Place, table: Table, version: u64) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let versions = BTreeMap::from([(table, version)]);
    let opened = runtime.block_on(Lake::open_at(&place.path(LAKE), &versions)).expect("its log is whole");
    opened.check_files(table).err().map(|error| error.to_string())
}

#[test]
fn decisions_are_made_again_after_many_commits_two_compactions_and_a_vacuum() {
    let place = Place::new();
    days_pass(&place, 0..20);
    let early = decide(&place, 20, "early");
    days_pass(&place, 20..55);
    place.run(LAKE, &["lake", "compact"]);
    let middle = decide(&place, 55, "middle");
    days_pass(&place, 55..80);
    let late = decide(&place, 80, "late");
    place.run(LAKE, &["lake", "replay", "--tenant", OTHER]);
    days_pass(&place, 80..100);
    place.run(LAKE, &["lake", "compact"]);
    let before = rows(&place, LAKE);

    let report = told(&place, &["lake", "vacuum", "--older-than", "0d", "--json"]);
    let deleted = report["deleted"].as_array().expect("files").len();
    let kept = report["kept_for_decisions_files"].as_u64().expect("a count");
    assert!(deleted > 20 && kept > 100, "{deleted} deleted, {kept} kept");
    assert_eq!(report["lost_versions"], json!([]));
    assert_eq!(rows(&place, LAKE), before);
    place.run(LAKE, &["lake", "verify"]);
    for (id, out) in [(&early, "early"), (&middle, "middle"), (&late, "late")] {
        place.run(LAKE, &["assess", "--decision", id, "--out", "again"]);
        assert_eq!(files(&place.path(out)), files(&place.path("again")), "{out}");
        fs::remove_dir_all(place.path("again")).expect("removed");
    }
    assert_eq!(rows(&place, LAKE), before, "nothing new is recorded");
    // What no decision names is gone, so it is the vacuum's regard for decisions that keeps the others.
    let of_no_decision = wrong_at(&place, Table::SignInRecords, 95).expect("its files are gone");
    assert!(of_no_decision.contains("version 95 of the table sign_in_records"), "{of_no_decision}");
    // Deciding goes on as before.
    place.run(LAKE, &["assess", "--as-of", &day(80).to_string(), "--window-days", "30", "--out", "late"]);
}

#[test]
fn compaction_keeps_every_row_and_every_answer_and_a_second_one_finds_nothing_to_do() {
    let place = Place::new();
    days_pass(&place, 0..33);
    decide(&place, 33, "out");
    decide(&place, 32, "out");
    let reports = |place: &Place| -> Vec<Vec<String>> {
        ["protocol_usage", "who", "coverage", "attempts", "unclear_clients"]
            .iter()
            .map(|name| {
                let as_of = day(33).to_string();
                let output = place.run(LAKE, &["report", name, "--as-of", &as_of, "--format", "csv"]);
                String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
            })
            .collect()
    };
    let (before, answers) = (rows(&place, LAKE), reports(&place));
    let times = "SELECT count(*), count(DISTINCT sign_in_id || tenant_id) FROM sign_in_records";
    let counts = place.csv(LAKE, times);
    assert_eq!(counts, ["264,198"], "the log repeats records, and they stay");

    let would = told(&place, &["lake", "compact", "--dry-run", "--json"]);
    assert_eq!(data_files(&place, LAKE, "sign_in_records").len(), 33 * 3, "a dry run writes nothing");
    let report = told(&place, &["lake", "compact", "--json"]);
    let of = |report: &Value, key: &str| {
        report
            .as_array()
            .expect("tables")
            .iter()
            .map(|table| table[key].as_u64().expect(key))
            .collect::<Vec<_>>()
    };
    // Records of two months in three kinds; rejects, sources, decisions and their tenants in one file each.
    assert_eq!(of(&report, "files_after"), [6, 1, 1, 1, 0, 1, 0, 0, 0]);
    assert_eq!(of(&report, "files_before"), [99, 3, 33, 2, 0, 2, 0, 0, 0]);
    for key in ["files_after", "files_rewritten", "rows_rewritten"] {
        assert_eq!(of(&would, key), of(&report, key), "the dry run foretold {key}");
    }
    assert_eq!((rows(&place, LAKE), reports(&place)), (before, answers));
    assert_eq!(place.csv(LAKE, times), counts);
    place.run(LAKE, &["lake", "verify"]);

    let log =
        |table: &str| fs::read_dir(place.path(LAKE).join(table).join("_delta_log")).expect("a log").count();
    let commits = Table::ALL.map(|table| log(table.as_str()));
    let again = told(&place, &["lake", "compact", "--json"]);
    assert_eq!(of(&again, "files_rewritten"), [0; Table::ALL.len()]);
    assert_eq!(Table::ALL.map(|table| log(table.as_str())), commits, "and commits nothing");

    // Who follows the table's changes need not read its rows again.
    let newest = place.path(LAKE).join(format!("sources/_delta_log/{:020}.json", 34));
    let text = fs::read_to_string(newest).expect("the last commit");
    assert!(text.contains(r#""dataChange":false"#) && !text.contains(r#""dataChange":true"#), "{text}");

    days_pass(&place, 33..36);
    let third = told(&place, &["lake", "compact", "--json"]);
    assert_eq!(of(&third, "files_after"), [6, 1, 1, 1, 0, 1, 0, 0, 0], "days that come join their month");
}

/// Takes entries out of the lake's log.
fn forget_commits(place: &Place, is_forgotten: impl Fn(&Value) -> bool) {
    for path in fs::read_dir(place.path("lake/_commits")).expect("a log").flatten().map(|entry| entry.path())
    {
        let entry: Value = serde_json::from_slice(&fs::read(&path).expect("an entry")).expect("JSON");
        if is_forgotten(&entry) {
            fs::remove_file(path).expect("removed");
        }
    }
}

/// A lake as it was before a compaction and, beside it, after.
fn compacted(place: &Place) -> (BTreeMap<&'static str, Vec<String>>, Value) {
    days_pass(place, 0..6);
    let before = rows(place, LAKE);
    place.run(LAKE, &["lake", "compact"]);
    let log = place.path(LAKE).join("sign_in_records/_delta_log/00000000000000000007.json");
    let text = fs::read_to_string(log).expect("the compaction's commit");
    let actions: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("an action")).collect();
    let (mut files, mut replaced) = (Vec::new(), Vec::new());
    for action in &actions {
        if let Some(add) = action.get("add") {
            files.push(json!({
                "table": "sign_in_records", "path": add["path"], "bytes": add["size"], "rows": 1,
                "provably_modern": add["partitionValues"]["provably_modern"] == "true",
                "statistics": add["stats"],
            }));
        }
        if let Some(remove) = action.get("remove") {
            replaced.push(json!({
                "table": "sign_in_records", "path": remove["path"], "bytes": remove["size"], "reason": "layout",
            }));
        }
    }
    assert!(files.len() == 3 && replaced.len() == 18, "{text}");
    (before, json!({"batch_id": "killed", "files": files, "replaced": replaced}))
}

#[test]
fn a_compaction_that_was_killed_before_its_commit_is_undone_and_after_it_is_finished() {
    let place = Place::new();
    let (before, manifest) = compacted(&place);
    let batches = place.path(LAKE).join("_batches/killed.json");
    fs::write(&batches, manifest.to_string()).expect("a manifest");
    place.run(LAKE, &["lake", "vacuum", "--older-than", "7d"]);
    assert!(!batches.exists());
    assert_eq!(rows(&place, LAKE), before, "committed, the manifest left behind");
    assert_eq!(told(&place, &["lake", "compact", "--json"])[0]["files_before"], 3);

    let log = place.path(LAKE).join("sign_in_records/_delta_log/00000000000000000007.json");
    fs::remove_file(&log).expect("as if it had not come to it");
    forget_commits(&place, |entry| entry["versions"]["sign_in_records"].as_u64() >= Some(7));
    fs::write(&batches, manifest.to_string()).expect("a manifest");
    place.run(LAKE, &["lake", "vacuum", "--older-than", "7d"]);
    assert_eq!(rows(&place, LAKE), before, "not committed");
    assert_eq!(data_files(&place, LAKE, "sign_in_records").len(), 18, "and the new files are gone");
    place.run(LAKE, &["lake", "compact"]);
    assert_eq!(rows(&place, LAKE), before);
}

#[test]
fn a_compaction_killed_at_any_moment_leaves_a_whole_lake() {
    let place = Place::new();
    days_pass(&place, 0..12);
    let before = rows(&place, LAKE);
    for moment in 0..8 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lightsout"))
            .args(["lake", "compact", "--quiet", "--lake"])
            .arg(place.path(LAKE))
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(Duration::from_millis(40 + 35 * moment));
        let _ = child.kill();
        child.wait().expect("it ends");
        assert_eq!(rows(&place, LAKE), before, "moment {moment}");
    }
    place.run(LAKE, &["lake", "compact"]);
    place.run(LAKE, &["lake", "vacuum", "--older-than", "0d"]);
    assert_eq!(rows(&place, LAKE), before);
    assert_eq!(data_files(&place, LAKE, "sign_in_records").len(), 3, "what killed runs left is gone");
    place.run(LAKE, &["lake", "verify"]);
}

#[test]
fn a_vacuum_takes_leftovers_and_replaced_files_once_they_are_old_enough_and_nobody_is_there() {
    let place = Place::new();
    days_pass(&place, 0..4);
    place.write("lake/rejects/part-never-committed.parquet", b"cut off");
    place.write("lake/rejects/_delta_log/notes.parquet", b"not a data file");
    place.write("lake/rejects/notes.txt", b"nor this");
    place.run(LAKE, &["lake", "compact"]);
    let count = |place: &Place| Table::ALL.map(|table| data_files(place, LAKE, table.as_str()).len());
    let all = count(&place);
    assert_eq!(all, [15, 2, 5, 0, 0, 0, 0, 0, 0]);

    let young = told(&place, &["lake", "vacuum", "--json"]);
    assert_eq!((&young["deleted"], &young["kept_as_young_files"]), (&json!([]), &json!(17)));

    let listed =
        String::from_utf8(place.run(LAKE, &["lake", "vacuum", "--older-than", "0d", "--dry-run"]).stdout);
    let listed = listed.expect("text");
    assert_eq!(listed.lines().count(), 17, "{listed}");
    assert!(listed.contains("rejects/part-never-committed.parquet\n"), "{listed}");
    assert!(listed.contains("sign_in_records/provably_modern=false/part-"), "{listed}");
    assert_eq!(count(&place), all, "a dry run deletes nothing");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let open = runtime.block_on(Lake::open(&place.path(LAKE))).expect("somebody else has it open");
    let in_use = told(&place, &["lake", "vacuum", "--older-than", "0d", "--json"]);
    assert_eq!((&in_use["in_use"], &in_use["deleted"]), (&json!(true), &json!([])));
    drop(open);
    let report = told(&place, &["lake", "vacuum", "--older-than", "0m", "--json"]);
    assert_eq!(report["in_use"], json!(false));
    let left =
        report["deleted"].as_array().expect("files").iter().filter(|file| file["why"] == "never_committed");
    assert_eq!(left.count(), 1);
    assert_eq!(count(&place), [3, 1, 1, 0, 0, 0, 0, 0, 0]);
    assert!(place.path("lake/rejects/notes.txt").exists());
    place.run(LAKE, &["lake", "verify"]);
}

/// The message of a decision that can't be made again.
fn refused(place: &Place, id: &str) -> String {
    let output = place.tries(LAKE, &["assess", "--decision", id, "--out", "again"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!place.path("again").exists(), "and nothing is written");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_decision_whose_data_is_gone_says_what_is_missing_and_what_can_be_done() {
    let place = Place::new();
    days_pass(&place, 0..18);
    let id = decide(&place, 18, "out");
    place.run(LAKE, &["assess", "--decision", &id, "--out", "out"]);

    let folder = place.path("lake/sign_in_records/provably_modern=false");
    let legacy = fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path());
    let legacy = legacy.filter(|path| path.display().to_string().ends_with("-legacy.parquet")).min();
    let legacy = legacy.expect("a file");
    let text = fs::read(&legacy).expect("its bytes");
    fs::remove_file(&legacy).expect("removed");
    let message = refused(&place, &id);
    let name = Path::new(&legacy).file_name().expect("a name").to_string_lossy().into_owned();
    assert!(
        [id.as_str(), "1 of the 54 data files of version 18 of the table sign_in_records", &name, "backup"]
            .iter()
            .all(|part| message.contains(part)),
        "{message}"
    );
    fs::write(&legacy, text).expect("brought back");
    place.run(LAKE, &["assess", "--decision", &id, "--out", "out"]);

    let log = place.path("lake/sources/_delta_log");
    let commit = |version: u64| log.join(format!("{version:020}.json"));
    let kept = fs::read(commit(18)).expect("the log");
    fs::remove_file(commit(18)).expect("removed");
    let message = refused(&place, &id);
    assert!(message.contains("version 18 of the table sources, but its newest version is 17"), "{message}");
    assert!(message.contains("lightsout lake repair"), "{message}");
    fs::rename(place.path("lake/_commits"), place.path("aside")).expect("moved away");
    let message = refused(&place, &id);
    assert!(message.contains("has lost the newest entries of its log"), "{message}");
    fs::rename(place.path("aside"), place.path("lake/_commits")).expect("brought back");
    fs::write(commit(18), kept).expect("brought back");

    // The checkpoint after the twentieth commit keeps the newest version readable without it.
    days_pass(&place, 18..22);
    fs::remove_file(commit(18)).expect("removed");
    let message = refused(&place, &id);
    let lacks = "version 18 of the table sources, but its log lacks the file 00000000000000000018.json";
    assert!(message.contains(lacks) && message.contains("lightsout assess"), "{message}");
    assert_eq!(rows(&place, LAKE)["sources"].len(), 22);

    fs::remove_file(commit(21)).expect("removed");
    let message = refused(&place, &id);
    assert!(
        message.contains("the log of the table sources lacks the file 00000000000000000021.json"),
        "{message}"
    );
}

#[test]
fn what_another_program_commits_is_seen_and_said_until_the_next_write() {
    let place = Place::new();
    days_pass(&place, 0..2);
    let log = place.path("lake/sources/_delta_log");
    let newest =
        fs::read_dir(&log).expect("a log").flatten().map(|entry| entry.path()).max().expect("a commit");
    let version: u64 = newest.file_stem().and_then(|name| name.to_str()?.parse().ok()).expect("a version");
    let theirs = json!({"commitInfo": {"operation": "VACUUM START", "engineInfo": "Spark\u{1b}[31m"}});
    fs::write(log.join(format!("{:020}.json", version + 1)), format!("{theirs}\n")).expect("a commit");
    let said = |arguments: &[&str]| {
        let output = place.run(LAKE, arguments);
        String::from_utf8(output.stderr).expect("text")
    };
    let expected = format!("(version {} of sources: VACUUM START by Spark\\u{{1b}}[31m)", version + 1);
    for _ in 0..2 {
        let said = said(&["sql", "SELECT 1"]);
        assert!(said.contains("another program has changed") && said.contains(&expected), "{said}");
    }
    place.write("more/log.json", log_of(2).as_bytes());
    let more = place.path("more/log.json").display().to_string();
    let said_by_the_writer = said(&["ingest", &more]);
    assert!(
        said_by_the_writer.contains(&expected),
        "a job that only ingests says it too: {said_by_the_writer}"
    );
    assert_eq!(said(&["sql", "SELECT 1"]), "", "the lake's log has it now");
}
