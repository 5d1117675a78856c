//! The roster belongs to the lake: commands use the version that was kept last, and a look without a roster, or with an
//! old one, never becomes what is announced.

use std::fs;

use crate::mishaps::{BRACKENRIDGE, HARBOUR_LANE, LAKE, campaign, decided};
use crate::program::{Place, sample};

/// The sample roster with Harbour Lane excluded.
fn with_exclusion(place: &Place) -> &'static str {
    const FILE: &str = "newer.csv";
    let roster = fs::read_to_string(sample("roster.csv")).expect("the roster");
    let excluded = roster.replace(
        "it@harbourlane.example.net,,,,,",
        "it@harbourlane.example.net,,,,true,it merges with another",
    );
    assert_ne!(excluded, roster);
    place.write(FILE, excluded.as_bytes());
    FILE
}

fn assess(place: &Place, arguments: &[&str]) -> String {
    let flags = ["assess", "--campaign", "quick.toml", "--as-of", "2026-11-02", "--out", "looked"];
    let output = place.loud(LAKE, &[&flags, arguments].concat());
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stderr).expect("text")
}

fn announced(place: &Place, arguments: &[&str]) -> (i32, Vec<String>, String) {
    let (code, rows, told) = campaign(place, "2026-11-02", &[&["announce"], arguments].concat());
    let ids = rows.iter().filter_map(|row| row["tenant_id"].as_str().map(str::to_owned));
    (code, ids.collect(), told)
}

#[test]
fn a_colleague_who_looks_without_a_roster_looks_with_that_of_the_lake() {
    let place = decided();
    let set = place.run(LAKE, &["roster", "set", with_exclusion(&place)]);
    let rows = String::from_utf8(set.stdout).expect("text");
    assert!(rows.contains(HARBOUR_LANE) && rows.contains("exclude: nothing -> true"), "{rows}");
    let told = assess(&place, &[]);
    assert!(told.contains("using the roster stored on "), "{told}");
    assert!(told.contains("17 tenants"), "{told}");
    let (code, ids, told) = announced(&place, &[]);
    assert_eq!((code, ids.len()), (0, 3), "{told}");
    assert!(!ids.iter().any(|id| id == HARBOUR_LANE));
}

#[test]
fn a_colleague_with_an_old_roster_decides_for_himself_alone() {
    let place = decided();
    place.run(LAKE, &["roster", "set", with_exclusion(&place)]);
    let told = assess(&place, &["--roster", &sample("roster.csv")]);
    assert!(told.contains("Harbour Lane Clinic") && told.contains("used for this command only"), "{told}");
    let shown = place.run(LAKE, &["roster", "show", "--format", "csv"]);
    assert!(String::from_utf8(shown.stdout).expect("text").contains("it merges with another"));

    let (code, ids, told) = announced(&place, &[]);
    assert_eq!((code, ids.len()), (1, 0), "{told}");
    assert!(
        told.contains("does not exclude Harbour Lane Clinic") && told.contains("--despite-roster"),
        "{told}"
    );
    let decision = place.csv(LAKE, "SELECT decision_id FROM latest_decision LIMIT 1").remove(0);
    let (code, ..) = announced(&place, &["--decision", &decision]);
    assert_eq!(code, 1, "to name it is not enough");
    let (code, ids, told) = announced(&place, &["--decision", &decision, "--despite-roster"]);
    assert_eq!((code, ids.len()), (0, 3), "{told}");
    assert!(ids.iter().any(|id| id == BRACKENRIDGE) && !ids.iter().any(|id| id == HARBOUR_LANE), "{ids:?}");
}

#[test]
fn what_is_shown_can_be_set_again_and_columns_of_ones_own_are_for_sql() {
    let place = Place::new();
    place.write(
        "mine.csv",
        format!("tenant_id,display_name,region,protocols_enabled\n{HARBOUR_LANE},Harbour Lane,north,none\n")
            .as_bytes(),
    );
    let dry = place.loud(LAKE, &["roster", "set", "mine.csv", "--dry-run"]);
    assert!(String::from_utf8_lossy(&dry.stderr).contains("would store a roster of 1 tenant: 1 added"));
    assert!(!place.path(LAKE).exists(), "a dry run writes nothing");
    place.run(LAKE, &["roster", "set", "mine.csv"]);
    let region = "SELECT other_columns, protocols_enabled FROM latest_roster";
    let rows = place.sql(LAKE, region);
    assert_eq!(rows[0]["other_columns"], r#"{"region":"north"}"#);

    place.run(LAKE, &["roster", "show", "--format", "csv", "--output", "shown.csv"]);
    let again = place.loud(LAKE, &["roster", "set", "shown.csv"]);
    let told = String::from_utf8_lossy(&again.stderr);
    assert!(told.contains("the lake has this roster already (1 tenant)"), "{told}");
    let none = place.loud("empty", &["roster", "show"]);
    assert_eq!(none.status.code(), Some(1));
}

#[test]
fn versions_are_counted_and_the_same_roster_is_kept_once() {
    let place = decided();
    let versions = || place.csv(LAKE, "SELECT DISTINCT roster_version FROM rosters WHERE roster_version > 0");
    assert_eq!(versions(), ["1"], "that of the first assess");
    assess(&place, &["--roster", &sample("roster.csv")]);
    assert_eq!(versions(), ["1"]);
    assess(&place, &["--roster", with_exclusion(&place)]);
    assert_eq!(versions().len(), 2, "it excludes one more");
    place.run(LAKE, &["roster", "set", &sample("roster.csv")]);
    assert_eq!(versions().len(), 3, "the first again, by the command that may");
    let excluded =
        place.csv(LAKE, "SELECT tenant_id FROM latest_roster WHERE is_excluded ORDER BY tenant_id");
    assert_eq!(excluded.len(), 1);
    assert!(!excluded.iter().any(|id| id == HARBOUR_LANE));
}
