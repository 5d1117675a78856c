//! A lake whose files were cut, zeroed, changed or deleted says so, gives no verdict that it would not give whole, and
//! is mended as far as its logs suffice.

mod program;

use std::fs;
use std::path::{Path, PathBuf};

use program::Place;

const LAKE: &str = "lake";
const TENANT: &str = "00000000-0000-4000-8000-000000000001";

fn log_of(day: u32) -> String {
    let record = |category: &str, id: u32, app: &str| {
        let time = format!("2026-10-{day:02}T08:15:{id:02}Z");
        serde_json::json!({
            "time": time, "category": category, "tenantId": TENANT,
            "properties": {
                "id": format!("{id:08}-0000-4000-8000-{day:012}"), "createdDateTime": time,
                "userPrincipalName": "user@example.com", "clientAppUsed": app,
                "status": {"errorCode": 0}, "resourceDisplayName": "Office 365 Exchange Online",
            }
        })
        .to_string()
    };
    let mut lines = vec![
        record("SignInLogs", 1, if day == 20 { "IMAP4" } else { "Browser" }),
        record("NonInteractiveUserSignInLogs", 2, "Browser"),
    ];
    if day == 7 {
        lines.push(r#"{"time":"2026-10-07T08:1"#.to_owned());
    }
    lines.join("\n")
}

/// A lake with records, rejects, a decision, a roster and an announcement; its tenant uses IMAP.
fn lake() -> Place {
    let place = Place::new();
    for (name, days) in [("logs/early.json", 1..15), ("logs/late.json", 15..31)] {
        let lines: Vec<String> = days.map(log_of).collect();
        place.write(name, lines.join("\n").as_bytes());
        place.tries(LAKE, &["ingest", name]);
    }
    place.write("roster.csv", format!("tenant_id,display_name\n{TENANT},Example\n").as_bytes());
    place.run(LAKE, &["roster", "set", "roster.csv"]);
    assert_eq!(verdict(&place).as_deref(), Some("warning"));
    place.run(LAKE, &["lake", "verify", "--deep"]);
    place
}

/// The tenant's verdict; `None` where the command fails.
fn verdict(place: &Place) -> Option<String> {
    let output = place.tries(LAKE, &["assess", "--as-of", "2026-10-31", "--out", "out"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stderr.contains("panicked"), "{stderr}");
    if output.status.code() != Some(0) {
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        return None;
    }
    let text = fs::read_to_string(place.path("out/assessment.csv")).expect("an assessment");
    text.lines().nth(1).and_then(|line| line.split(',').nth(2)).map(str::to_owned)
}

/// The newest file below a folder of the lake whose path has these parts.
fn newest(place: &Place, folder: &str, part: &str) -> PathBuf {
    let files = program::files(&place.path(LAKE).join(folder));
    let name = files.into_keys().filter(|name| name.contains(part)).max().expect("a file");
    place.path(LAKE).join(folder).join(name)
}

fn damaged(text: &[u8], how: &str) -> Option<Vec<u8>> {
    match how {
        "deleted" => None,
        "empty" => Some(Vec::new()),
        "cut" => Some(text[..text.len() / 2].to_vec()),
        "zeroed" => Some(vec![0; text.len()]),
        "changed" => {
            let mut text = text.to_vec();
            let middle = text.len() / 2;
            text[middle] ^= 1;
            Some(text)
        }
        other => panic!("{other}"),
    }
}

fn set(path: &Path, text: Option<&[u8]>) {
    match text {
        Some(text) => fs::write(path, text).expect("written"),
        None => fs::remove_file(path).expect("removed"),
    }
}

/// What broke: a deleted data file of `decisions` passed, an emptied commit was one without rows, and a changed byte
/// could turn usage into none.
#[test]
fn damage_of_any_file_is_named_and_never_betters_a_verdict() {
    let place = lake();
    let kinds = [
        ("_commits", ".json"),
        ("sign_in_records/_delta_log", ".json"),
        ("sources/_delta_log", ".json"),
        ("decisions/_delta_log", ".json"),
        ("sign_in_records/provably_modern=false", ".parquet"),
        ("rejects", "part-"),
        ("sources", "part-"),
        ("decisions", "part-"),
        ("decision_tenants", "part-"),
        ("rosters", "part-"),
    ];
    for (folder, part) in kinds {
        let path = newest(&place, folder, part);
        let text = fs::read(&path).expect("a file");
        for how in ["deleted", "empty", "cut", "zeroed", "changed"] {
            set(&path, damaged(&text, how).as_deref());
            let output = place.tries(LAKE, &["lake", "verify", "--deep"]);
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{how} {}: {stderr}", path.display());
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let is_named = stderr.contains(&name) || stderr.contains("newest entries");
            assert!(is_named && stderr.contains("repair"), "{how} {}: {stderr}", path.display());
            let verdict = verdict(&place);
            assert!(verdict.is_none() || verdict.as_deref() == Some("warning"), "{how} {name}: {verdict:?}");
            set(&path, Some(&text));
        }
    }
    place.run(LAKE, &["lake", "verify", "--deep"]);
}

/// What broke: the table was made again, without a row.
#[test]
fn a_table_whose_folder_is_gone_is_named_and_not_made_again() {
    let place = lake();
    for table in ["decisions", "sources", "sign_in_records"] {
        let folder = place.path(LAKE).join(table);
        fs::rename(&folder, place.path("aside")).expect("moved away");
        for arguments in [&["lake", "verify"][..], &["assess"], &["ingest", "logs/early.json"]] {
            let output = place.tries(LAKE, arguments);
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
            assert!(stderr.contains(table), "{stderr}");
        }
        assert!(!folder.exists());
        fs::rename(place.path("aside"), folder).expect("brought back");
    }
    place.run(LAKE, &["lake", "verify"]);
}

fn repair(place: &Place) -> String {
    let before = program::files(&place.path(LAKE));
    let would = place.tries(LAKE, &["lake", "repair"]);
    assert_eq!(would.status.code(), Some(1));
    let after = program::files(&place.path(LAKE));
    let changed = |name: &&String| before.get(*name) != after.get(*name) && !name.starts_with("_in_use");
    let changed: Vec<&String> = after.keys().chain(before.keys()).filter(changed).collect();
    assert!(changed.is_empty(), "a dry run changes {changed:?}");
    let output = place.loud(LAKE, &["lake", "repair", "--yes"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    stderr
}

#[test]
fn lost_and_damaged_entries_of_the_lakes_log_are_written_anew() {
    for how in ["deleted", "cut", "changed"] {
        let place = lake();
        let rows = place.csv(LAKE, "SELECT count(*) FROM sign_in_records");
        let path = newest(&place, "_commits", ".json");
        let text = fs::read(&path).expect("an entry");
        set(&path, damaged(&text, how).as_deref());
        repair(&place);
        place.run(LAKE, &["lake", "verify", "--deep"]);
        assert_eq!(place.csv(LAKE, "SELECT count(*) FROM sign_in_records"), rows);
        assert_eq!(verdict(&place).as_deref(), Some("warning"));
    }
}

#[test]
fn sources_of_lost_rows_are_let_go_and_ingested_again_once() {
    let losses: [(&str, &str); 3] = [
        ("sign_in_records/provably_modern=false", ".parquet"),
        ("sources", "part-"),
        ("sign_in_records/_delta_log", ".json"),
    ];
    for (folder, part) in losses {
        let place = lake();
        let counts = || place.csv(LAKE, "SELECT count(*), count(DISTINCT sign_in_id) FROM sign_in_records");
        let whole = counts();
        fs::remove_file(newest(&place, folder, part)).expect("removed");
        let told = repair(&place);
        assert!(told.contains("ingest again: "), "{told}");
        place.run(LAKE, &["lake", "verify", "--deep"]);
        assert_ne!(verdict(&place).as_deref(), Some("no_impact"), "{folder}");
        place.tries(LAKE, &["ingest", "logs"]);
        place.run(LAKE, &["lake", "verify", "--deep"]);
        assert_eq!(counts(), whole, "{folder}");
    }
}

/// As another program deletes the rows of a file by Delta Lake's rules.
fn delete_legacy_file(place: &Place) {
    let newest = newest(place, "sign_in_records/_delta_log", ".json");
    let log = newest.parent().expect("a folder");
    let mut logs: Vec<PathBuf> =
        fs::read_dir(log).expect("a log").map(|entry| entry.expect("a name").path()).collect();
    logs.sort();
    let texts = logs.iter().filter(|path| path.extension().is_some_and(|end| end == "json"));
    let texts: Vec<String> = texts.map(|path| fs::read_to_string(path).expect("a commit")).collect();
    let actions = texts.iter().flat_map(|text| text.lines());
    let actions = actions.map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an action"));
    let added: Vec<String> =
        actions.filter_map(|action| Some(action["add"]["path"].as_str()?.to_owned())).collect();
    let added = added.iter().find(|path| path.contains("provably_modern=false")).expect("a file");
    let version: u64 = newest.file_stem().and_then(|name| name.to_str()?.parse().ok()).expect("a version");
    let remove = serde_json::json!({
        "path": added, "dataChange": true, "deletionTimestamp": 1_793_000_000_000_u64, "extendedFileMetadata": false,
    });
    let commit = format!(
        "{}\n{}\n",
        serde_json::json!({"commitInfo": {"operation": "DELETE", "engineInfo": "another"}}),
        serde_json::json!({"remove": remove})
    );
    fs::write(log.join(format!("{:020}.json", version + 1)), commit).expect("a commit");
}

#[test]
fn files_are_read_again_of_which_the_lake_lost_rows() {
    let place = lake();
    let counts = || place.csv(LAKE, "SELECT count(*), count(DISTINCT sign_in_id) FROM sign_in_records");
    let whole = counts();
    delete_legacy_file(&place);
    assert_ne!(counts(), whole);
    place.tries(LAKE, &["ingest", "logs"]);
    assert_ne!(counts(), whole, "their contents are known");
    let output = place.loud(LAKE, &["ingest", "./logs", "--again"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(told.matches("the lake had lost rows of it; it is read again").count(), 1, "{told}");
    assert_eq!(counts(), whole);
    place.run(LAKE, &["lake", "verify", "--deep"]);
    let output = place.loud(LAKE, &["ingest", "logs", "--again"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!told.contains("it is read again"), "{told}");

    // What is damaged is repaired first.
    let folder = place.path(LAKE).join("sign_in_records/provably_modern=false");
    for file in fs::read_dir(folder).expect("data files") {
        fs::remove_file(file.expect("a file").path()).expect("removed");
    }
    let output = place.tries(LAKE, &["ingest", "logs", "--again"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("lake repair"), "{told}");
}

#[test]
fn a_damaged_checkpoint_is_made_again() {
    let place = lake();
    for number in 0..22 {
        let name = format!("logs/more_{number}.json");
        place.write(&name, log_of(30).replace("00000002-", &format!("{:08}-", 100 + number)).as_bytes());
        place.run(LAKE, &["ingest", &name]);
    }
    for how in ["cut", "zeroed", "changed"] {
        let path = newest(&place, "sign_in_records/_delta_log", ".checkpoint.parquet");
        let text = fs::read(&path).expect("a checkpoint");
        set(&path, damaged(&text, how).as_deref());
        let output = place.tries(LAKE, &["lake", "status"]);
        assert_eq!(output.status.code(), Some(1), "{how}");
        repair(&place);
        place.run(LAKE, &["lake", "verify", "--deep"]);
    }
}

#[test]
fn a_lake_lies_on_any_path_that_the_file_system_allows() {
    let place = Place::new();
    let lines: Vec<String> = (1..31).map(log_of).collect();
    place.write("log.json", lines.join("\n").as_bytes());
    for lake in ["Jürgen #1/50%", "[x] {y}", "日本 ?&=", "a%20b", "%41%2525/x%2Fy"] {
        place.tries(lake, &["ingest", "log.json"]);
        assert_eq!(place.csv(lake, "SELECT count(*) FROM sign_ins"), ["60"], "{lake}");
        place.run(lake, &["assess", "--as-of", "2026-10-31", "--out", "out"]);
        place.run(lake, &["lake", "compact"]);
        place.run(lake, &["lake", "verify", "--deep"]);
    }
}

#[test]
fn a_path_that_the_engine_can_not_read_is_refused_by_name() {
    let place = Place::new();
    place.write("log.json", log_of(1).as_bytes());
    for lake in ["a\nb", "c\u{1}d", "e\u{1b}[2Jf"] {
        let output = place.tries(lake, &["ingest", "log.json"]);
        assert_eq!(output.status.code(), Some(2), "{lake:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("UTF-8 without control characters"), "{told}");
        assert!(!told.trim_end().contains(|c: char| c.is_control() && c != '\n'), "{told:?}");
        assert!(!place.path(lake).exists(), "nothing is made");
    }
}
