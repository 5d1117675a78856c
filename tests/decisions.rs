//! Decisions that are kept: made again byte for byte from a lake that went on, and compared.

use std::fs;

mod program;
mod settings;

use program::{Place, files, sample};

const LAKE: &str = "lake";

#[test]
fn a_decision_is_made_again_from_the_lake_as_it_was() {
    let place = Place::new();
    let (roster, logs) = (sample("roster.csv"), sample("logs"));
    let as_of = ["--as-of", "2026-11-02", "--roster", &roster];
    place.run(LAKE, &["ingest", &format!("{logs}/array"), &format!("{logs}/eventhub")]);
    place.run(LAKE, &[&["assess", "--out", "first"][..], &as_of].concat());
    let id = place.csv(LAKE, "SELECT decision_id FROM decisions").concat();

    place.run(LAKE, &["ingest", &logs]);
    place.run(LAKE, &[&["assess", "--out", "second"][..], &as_of].concat());
    let ids = place.csv(LAKE, "SELECT decision_id FROM decisions ORDER BY decided_at");
    assert_eq!((ids.len(), &ids[0]), (2, &id), "more logs, another decision");

    place.run(LAKE, &["assess", "--decision", &id, "--out", "again"]);
    assert_eq!(files(&place.path("first")), files(&place.path("again")));
    assert_eq!(place.csv(LAKE, "SELECT decision_id FROM decisions").len(), 2, "nothing new is recorded");
    place.run(LAKE, &[&["assess", "--out", "second"][..], &as_of].concat());
    assert_eq!(
        place.csv(LAKE, "SELECT decision_id FROM decisions").len(),
        2,
        "nor by deciding the same twice"
    );

    let compare = |a: &str, b: &str| {
        String::from_utf8(place.run(LAKE, &["assess", "--compare", a, b]).stdout).expect("text")
    };
    let told = compare(&ids[0], &ids[1]);
    let rows: Vec<&str> = told.lines().skip(1).collect();
    assert!(
        !rows.is_empty() && told.contains("tenant_id,display_name,verdict_before,verdict_after,why"),
        "{told}"
    );
    assert_eq!(compare(&id, &id).lines().count(), 1, "nothing changed");
}

// What was published named a decision that no lake knew, since files were written before it was kept.
#[test]
fn nothing_is_published_of_a_decision_that_could_not_be_kept() {
    let place = Place::new();
    place.run(LAKE, &["ingest", &sample("logs")]);
    let log = place.path("lake/decisions/_delta_log");
    let commits = fs::read_dir(&log).expect("a log").count();
    fs::create_dir(log.join(format!("{commits:020}.json"))).expect("what is in the way of the next commit");
    let output = place.tries(LAKE, &["assess", "--as-of", "2026-11-02", "--out", "out"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!place.path("out/assessment.csv").exists());
}

#[test]
fn a_decision_is_kept_tenant_by_tenant_and_its_roster_once() {
    let place = Place::new();
    let (roster, logs) = (sample("roster.csv"), sample("logs"));
    place.run(LAKE, &["ingest", &logs]);
    for as_of in ["2026-11-01", "2026-11-02"] {
        place.run(LAKE, &["assess", "--as-of", as_of, "--roster", &roster, "--out", "out"]);
    }
    let kept = "SELECT count(*), count(roster), count(evidence), count(DISTINCT roster_hash) FROM decisions";
    assert_eq!(place.csv(LAKE, kept), ["2,0,0,1"]);
    let tenants = "SELECT tenant_id, verdict, reasons, protocols_in_use, protocols_clear, users FROM";
    let latest = place.csv(LAKE, &format!("{tenants} latest_decision ORDER BY 1"));
    let of_latest = "(SELECT decision_id FROM decisions ORDER BY decided_at DESC LIMIT 1)";
    let stored =
        place.csv(LAKE, &format!("{tenants} decision_tenants WHERE decision_id = {of_latest} ORDER BY 1"));
    assert!(!stored.is_empty() && stored == latest, "{stored:?}");
    let csv = fs::read_to_string(place.path("out/assessment.csv")).expect("an assessment");
    assert_eq!(csv.lines().count() - 1, stored.len(), "as it was published");
    let twice = "SELECT count(*) = count(DISTINCT tenant_id) AND count(*) > 0 FROM rosters";
    assert_eq!(place.csv(LAKE, twice), ["true"]);
}

// Without its tenants a decision would be one of nobody.
#[test]
fn a_decision_that_has_lost_its_tenants_is_refused_and_found_by_verify() {
    let place = Place::new();
    place.run(LAKE, &["ingest", &sample("logs")]);
    place.run(LAKE, &["assess", "--as-of", "2026-11-02", "--out", "out"]);
    assert_eq!(place.tries(LAKE, &["lake", "verify"]).status.code(), Some(0));
    // Somebody took their file out of the log, and the hash that would tell.
    let log = place.path("lake/decision_tenants/_delta_log/00000000000000000001.json");
    let text = fs::read_to_string(&log).expect("the first commit");
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("\"add\"")).collect();
    assert!(kept.len() < text.lines().count());
    fs::write(&log, kept.join("\n").replace("\"lightsout", "\"theirs")).expect("written");
    let operated = place.operated("basic-auth-all-protocols");
    let announce = ["campaign", "announce", "--campaign", operated];
    for command in [&["lake", "verify"][..], &["notices"], &announce, &["campaign", "status"]] {
        let output = place.tries(LAKE, command);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {told}");
        assert!(
            told.contains("decision_tenants holds 0 of them") && told.contains("lightsout assess"),
            "{told}"
        );
    }
}

#[test]
fn notices_are_those_of_the_latest_decision_or_of_the_one_that_is_named() {
    let place = Place::new();
    let (roster, logs) = (sample("roster.csv"), sample("logs"));
    let none = place.tries(LAKE, &["notices", "--out", "latest"]);
    assert_eq!(none.status.code(), Some(1), "there is no lake");
    place.run(LAKE, &["run", &logs, "--roster", &roster, "--out", "run"]);
    let id = place.csv(LAKE, "SELECT decision_id FROM decisions").concat();
    place.run(LAKE, &["notices", "--out", "latest"]);
    place.run(LAKE, &["notices", "--out", "named", "--decision", &id]);
    assert_eq!(files(&place.path("latest")), files(&place.path("named")));
    assert_eq!(files(&place.path("run/notices")), files(&place.path("latest/notices")));
    assert_eq!(files(&place.path("run/lists")), files(&place.path("latest/lists")));

    let none = place.tries(LAKE, &["notices", "--campaign", "smtp-auth-2026"]);
    let told = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(none.status.code() == Some(1) && told.contains("lightsout assess"), "{told}");
}

#[test]
fn a_decision_that_does_not_come_out_the_same_says_what_differs() {
    let place = Place::new();
    place.run(LAKE, &["ingest", &sample("logs")]);
    place.run(LAKE, &["assess", "--out", "out"]);
    let unknown = place.tries(LAKE, &["assess", "--decision", "nonsense"]);
    let id = place.csv(LAKE, "SELECT decision_id FROM decisions").concat();
    let told = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(unknown.status.code() == Some(1) && told.contains(&id), "it tells those there are: {told}");

    // Somebody took data files out of the log, and the hash that would tell.
    let log = place.path("lake/sign_in_records/_delta_log/00000000000000000001.json");
    let text = fs::read_to_string(&log).expect("the first commit");
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("-legacy.parquet")).collect();
    assert!(kept.len() < text.lines().count());
    fs::write(&log, kept.join("\n").replace("\"lightsout", "\"theirs")).expect("written");
    let other = place.tries(LAKE, &["assess", "--decision", &id, "--out", "out"]);
    let told = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(other.status.code() == Some(1) && told.contains("evidence"), "{told}");
}
