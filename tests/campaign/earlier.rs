//! A lake that an earlier version made, with a campaign announced by its rules: it gets the tables and columns of
//! today, its decision is told apart, and what it announced is judged by the rules of today.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{Place, sample};

const LAKE: &str = "lake";
const FORMAT: &str = "lightsout.formatVersion";
const DECISION: &str = "70dadcbe095750eb836af68531581ba6";
const OLD_MILL: &str = "23220695-6f56-4566-aba9-b1fad220a1c8";
const BRACKENRIDGE: &str = "f7fd8b2d-fc26-45b7-a0fb-8b8d91076163";

fn place() -> Place {
    let place = Place::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/campaign/lakes/earlier"), &place.path(LAKE));
    place
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

fn newest_commit(log: &Path) -> PathBuf {
    let files = fs::read_dir(log).expect("a log").flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|is| is == "json")).max().expect("a commit")
}

fn actions(commit: &Path) -> Vec<Value> {
    let text = fs::read_to_string(commit).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn told(place: &Place, arguments: &[&str]) -> (i32, String, String) {
    let output = place.tries(LAKE, arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("it ends by itself"), text(output.stdout), text(output.stderr))
}

#[test]
fn an_earlier_lake_is_upgraded_once_and_says_so() {
    let place = place();
    let (code, rows, said) = told(&place, &["sql", "SELECT count(*) FROM sources", "--format", "csv"]);
    assert_eq!((code, rows.lines().last()), (0, Some("173")), "{said}");
    for part in [
        "was made by an earlier version",
        "rejects, sources, decisions and campaign_events got",
        "173 sources were counted again",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (_, _, said) = told(&place, &["sql", "SELECT count(*) FROM sources"]);
    assert_eq!(said, "", "the second time there is nothing to do");

    let days = "SELECT category, count(DISTINCT first_day), sum(records), min(first_day), max(first_day) FROM coverage_entries \
                WHERE kind = 'records' AND tenant_id = '23220695-6f56-4566-aba9-b1fad220a1c8' GROUP BY 1 ORDER BY 1";
    let records = "SELECT category, count(DISTINCT event_date), count(*), min(event_date), max(event_date) \
                   FROM sign_in_records WHERE tenant_id = '23220695-6f56-4566-aba9-b1fad220a1c8' GROUP BY 1 ORDER BY 1";
    assert_eq!(place.csv(LAKE, days), place.csv(LAKE, records), "the days are those of the records");
    let others = place.csv(
        LAKE,
        "SELECT count(*) FILTER (WHERE kind = 'storage'), count(*) FILTER (WHERE kind = 'stated') FROM coverage_entries",
    );
    assert_eq!(others, ["170,6"], "storage hours and declared ranges are kept");
    let channels = place.csv(LAKE, "SELECT DISTINCT channel, fate FROM sources ORDER BY 1, 2");
    let expected = ["logs,empty", "logs,ingested", "logs,seen_before", "logs/array (diagnostic),ingested"];
    assert_eq!(channels, expected);

    // Whoever reads the table without this program sees its columns in the log.
    let actions = actions(&newest_commit(&place.path("lake/sources/_delta_log")));
    let property = |name: &str| {
        let mut named = actions.iter().map(|action| action["metaData"]["configuration"][name].as_str());
        named.find_map(|value| value)
    };
    assert_eq!(property(FORMAT), Some("5"), "the format that it has now");
    assert_eq!(property("lightsout.contentHash"), Some("blake3"));
    let schema = actions.iter().find_map(|action| action["metaData"]["schemaString"].as_str());
    assert!(schema.is_some_and(|schema| schema.contains("page_filter") && !schema.contains("\"kind\"")));
    assert!(actions.iter().any(|action| action["remove"].is_object()), "the old files leave it at once");
    assert_eq!(told(&place, &["lake", "verify"]).0, 0, "every account adds up");
    assert_eq!(told(&place, &["lake", "compact"]).0, 0, "rejects without the new columns are read too");
}

#[test]
fn the_files_of_an_earlier_lake_are_still_known() {
    let place = place();
    let again = place.ingest(LAKE, &[&sample("logs/array")]);
    assert_eq!((&again["files_seen_before"], &again["files_ingested"]), (&3.into(), &0.into()), "{again}");
}

#[test]
fn a_decision_by_earlier_rules_is_told_apart_and_its_announcement_judged_by_those_of_today() {
    let place = place();
    let (roster, operated) = (sample("roster.csv"), place.operated("basic-auth-all-protocols"));
    let (code, _, said) = told(&place, &["notices", "--decision", DECISION]);
    assert!(
        code == 1 && said.contains("made by earlier rules") && said.contains("lightsout assess"),
        "{said}"
    );
    let (code, _, said) =
        told(&place, &["campaign", "announce", "--now", "2026-11-02", "--campaign", operated]);
    assert!(code == 1 && said.contains("made by earlier rules"), "{said}");

    let recheck = |day: &str| {
        let flags = ["--roster", &roster, "--format", "ndjson", "--now", day];
        let (code, rows, said) = told(&place, &[&["campaign", "recheck"], &flags[..]].concat());
        let rows: Vec<Value> = rows.lines().map(|row| serde_json::from_str(row).expect("a row")).collect();
        (code, rows, said)
    };
    let (code, held, said) = recheck("2026-11-04");
    assert!(said.contains("was made by earlier rules") && !said.contains("can't be read"), "{said}");
    let ids: Vec<&str> = held.iter().filter_map(|row| row["tenant_id"].as_str()).collect();
    assert_eq!(
        (code, ids),
        (4, vec![OLD_MILL, BRACKENRIDGE]),
        "the others have records of 3 November, late enough"
    );
    assert!(said.contains("its evidence is judged here by rules "), "{said}");
    assert!(
        held.iter().all(|row| row["reasons"].as_str().is_some_and(|text| text.contains("not_settled: ")))
    );
    // The log has ended: whoever collects now and then is told to collect and repeat.
    let (code, held, _) = recheck("2026-11-20");
    assert_eq!((code, held.len()), (4, 4), "{held:?}");
    for row in &held {
        let reasons = row["reasons"].as_str().expect("reasons");
        assert!(reasons.contains("not_settled: ") && reasons.contains("collect the log again, then repeat"));
        assert!(!reasons.contains("--as-of"), "it can't help here: {reasons}");
    }
    let list = fs::read_to_string(place.path("out/lists/on_hold.csv")).expect("a list");
    assert!(list.contains("hold_reasons") && list.contains("not_settled"), "{list}");

    let (code, _, said) = told(&place, &["campaign", "status", "--now", "2026-11-20"]);
    assert!(
        code == 0 && said.contains(" announced from this decision would not be cleared by the current rules"),
        "{said}"
    );

    // Decided again, it is a decision like any other.
    let (code, _, said) = told(&place, &["assess", "--roster", &roster, "--as-of", "2026-11-02"]);
    assert_eq!(code, 0, "{said}");
    let (code, _, said) = told(&place, &["notices"]);
    assert_eq!((code, said.as_str()), (0, ""));
    let kept = "SELECT rules_version IS NULL, roster IS NULL, evidence IS NULL, tenants = \
                (SELECT count(*) FROM decision_tenants WHERE decision_id = d.decision_id) \
                FROM decisions AS d ORDER BY decided_at";
    assert_eq!(
        place.csv(LAKE, kept),
        ["true,false,false,", "false,true,true,true"],
        "the old one stays as it was, the new one is kept tenant by tenant"
    );
    let (code, rows, said) =
        told(&place, &["sql", "SELECT DISTINCT decision_id FROM verdicts", "--format", "csv"]);
    assert_eq!((code, rows.lines().count()), (0, 3), "both can be asked for: {said}");
    let new = place.csv(LAKE, "SELECT DISTINCT decision_id FROM decision_tenants").concat();
    let (code, rows, said) = told(&place, &["assess", "--compare", DECISION, &new]);
    assert!(code == 0 && rows.lines().count() > 1, "and be compared: {said}");
    assert!(said.contains("its evidence is judged here by rules "), "{said}");
    let (code, _, said) =
        told(&place, &["campaign", "announce", "--now", "2026-11-02", "--campaign", operated]);
    assert!(!said.contains("earlier rules"), "the new one may be announced: {code} {said}");
}

/// Gives a table another property, as a newer program's upgrade does.
fn commit_property(log: &Path, property: &str, value: &str) {
    let created = actions(&log.join("00000000000000000000.json"));
    let mut metadata = created.into_iter().find(|action| action["metaData"].is_object()).expect("metadata");
    metadata["metaData"]["configuration"][property] = value.into();
    let newest = newest_commit(log);
    let newest: u64 = newest.file_stem().and_then(|stem| stem.to_str()?.parse().ok()).expect("a version");
    fs::write(log.join(format!("{:020}.json", newest + 1)), format!("{metadata}\n")).expect("a commit");
}

/// Every file of a folder with its size.
fn files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push((entry.path(), entry.metadata().expect("a file").len()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_lake_of_a_newer_format_is_refused_by_every_command_and_left_alone() {
    let commands: [&[&str]; 7] = [
        &["ingest", "more"],
        &["assess", "--as-of", "2026-11-01", "--out", "out"],
        &["sql", "SELECT 1"],
        &["report", "top_users"],
        &["lake", "compact"],
        &["lake", "vacuum"],
        &["campaign", "status"],
    ];
    for (table, property, value, expected) in [
        ("sign_in_records", FORMAT, "6", "has format 6, but"),
        ("rejects", FORMAT, "not a number", "up to 5"),
        ("sources", "lightsout.contentHash", "sha3", "the hash 'sha3' for contents, but"),
    ] {
        let place = Place::new();
        let logs = sample("logs");
        place.ingest(LAKE, &[&logs]);
        fs::create_dir_all(place.path("more")).expect("a folder");
        commit_property(&place.path(LAKE).join(table).join("_delta_log"), property, value);
        let before = files(&place.path(LAKE));
        for command in commands {
            let (code, _, said) = told(&place, command);
            assert_eq!(code, 1, "{command:?}: {said}");
            for part in [expected, "nothing was changed", "or a newer one"] {
                assert!(said.contains(part), "{command:?} lacks {part}: {said}");
            }
            assert_eq!(files(&place.path(LAKE)), before, "{command:?}");
        }
    }
}
