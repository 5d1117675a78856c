//! Notices from outside: what a run and a month leave for each tenant.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

mod program;

use program::{Place, sample};

const LAKE: &str = "lake";

/// The contents of each tenant's folder whose stem is such, by folder and file name.
fn files(out: &Path, stem: &str) -> BTreeMap<(String, String), Vec<u8>> {
    let mut found = BTreeMap::new();
    let folders = fs::read_dir(out.join("notices")).expect("notices").flatten();
    // The manifest lies beside them.
    for folder in folders.filter(|entry| entry.path().is_dir()) {
        for file in fs::read_dir(folder.path()).expect("a folder").flatten() {
            let name = file.file_name().into_string().expect("a plain name");
            if name.starts_with(&format!("{stem}.")) {
                let tenant = folder.file_name().into_string().expect("a plain name");
                found.insert((tenant, name), fs::read(file.path()).expect("a file"));
            }
        }
    }
    found
}

fn detail(json: &Value, name: &str) -> Option<String> {
    let details = json["details"].as_array().expect("details");
    details.iter().find(|d| d["name"] == name).map(|d| d["value"].as_str().expect("text").to_owned())
}

fn messages(files: &BTreeMap<(String, String), Vec<u8>>) -> Vec<Value> {
    let jsons =
        files.iter().filter(|((_, name), _)| Path::new(name).extension().is_some_and(|e| e == "json"));
    jsons.map(|(_, bytes)| serde_json::from_slice(bytes).expect("JSON")).collect()
}

#[test]
fn a_month_has_a_usage_report_for_each_tenant_with_usage_and_nothing_is_kept() {
    let place = Place::new();
    let (logs, roster) = (sample("logs"), sample("roster.csv"));
    place.run(LAKE, &["run", &logs, "--roster", &roster, "--out", "out"]);
    let out = place.path("out");
    let notices = files(&out, "notice");
    let drafts = messages(&files(&out, "selected_protocols"));
    assert!(!drafts.is_empty() && drafts.iter().all(|json| detail(json, "Draft").as_deref() == Some("true")));

    let month = ["notices", "--month", "2026-10", "--roster", &roster, "--out", "out"];
    place.run(LAKE, &month);
    let reports = files(&out, "usage_report");
    assert_eq!(reports.len() % 4, 0, "Markdown, page, mail and JSON of each");
    let told = messages(&reports);
    let mut names: Vec<String> = told.iter().filter_map(|json| detail(json, "TenantName")).collect();
    names.sort();
    assert_eq!(names, ["Juniper Academy", "Kestrel Freight", "Old Mill Printworks"]);
    for json in &told {
        assert_eq!(detail(json, "Month").as_deref(), Some("2026-10"));
        assert_eq!(detail(json, "Draft").as_deref(), Some("false"));
        assert_eq!(detail(json, "DecisionId"), None);
        assert_eq!(detail(json, "Contacts").as_deref(), Some("1"));
    }
    assert_eq!(files(&out, "notice"), notices, "the notices of the run are as they were");
    assert_eq!(place.csv(LAKE, "SELECT count(*) FROM decisions"), ["1"], "the run's alone");

    place.run(LAKE, &month);
    assert_eq!(files(&out, "usage_report"), reports, "the same lake gives the same bytes");
    place.run(LAKE, &["notices", "--month", "2026-01", "--out", "out"]);
    assert!(files(&out, "usage_report").is_empty(), "nobody used anything in January");
}

#[test]
fn what_was_written_is_told_as_one_json_object() {
    let place = Place::new();
    let roster = sample("roster.csv");
    place.run(LAKE, &["run", &sample("logs"), "--roster", &roster, "--out", "out"]);
    for (of, arguments) in [("decision_id", &[][..]), ("month", &["--month", "2026-10"])] {
        let output = place
            .run(LAKE, &[&["notices", "--json", "--out", "again", "--roster", &roster], arguments].concat());
        let told: Value = serde_json::from_slice(&output.stdout).expect("one object");
        assert_eq!((&told["command"], &told["exit_code"]), (&"notices".into(), &0.into()), "{told}");
        assert!(told["program_version"].is_string() && told["duration_seconds"].is_number(), "{told}");
        assert!(told["result"][of].is_string(), "{told}");
        let notices = told["result"]["notices"].as_array().expect("notices");
        assert!(!notices.is_empty(), "{told}");
        for notice in notices {
            assert!(notice["tenant_id"].is_string() && notice["kind"].is_string(), "{notice}");
            let files = notice["files"].as_array().expect("files");
            assert_eq!(files.len(), 4, "{notice}");
            for file in files {
                let file = file.as_str().expect("a path");
                let is_there = [
                    place.path(file),
                    place.path("again").join(file),
                    place.path("again/notices").join(file),
                ];
                assert!(is_there.iter().any(|path| path.is_file()), "{file}: {notice}");
            }
        }
    }
}

#[test]
fn a_month_that_is_none_or_comes_with_a_decision_is_refused() {
    let place = Place::new();
    for (arguments, said) in [
        (&["notices", "--month", "2026-13"][..], "expected a month as in 2026-10"),
        (&["notices", "--month", "2026-10", "--decision", "d"], "cannot be used with"),
    ] {
        let output = place.tries(LAKE, arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn templates_are_written_to_copy_and_never_overwritten() {
    let place = Place::new();
    place.run(LAKE, &["notices", "templates", "mine"]);
    let read = |file: &str| fs::read_to_string(place.path(&format!("mine/{file}"))).expect("a template");
    assert!(read("en/no_impact.md").contains("What your users will notice"));
    assert!(read("de/no_impact.md").contains("Was Ihre Benutzer bemerken"));
    assert!(read("de/parts/contact.md").contains("operator.contact"));
    assert!(!place.path(LAKE).exists(), "no lake is needed");

    place.write("mine/de/no_impact.md", b"# Hallo {{ tenant.name }}\n");
    let output = place.tries(LAKE, &["notices", "templates", "mine"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("is there already") && told.contains("mine"), "{told}");
    assert!(read("de/no_impact.md").starts_with("# Hallo"));

    // What is changed is used for tenants of that language.
    let roster = fs::read_to_string(sample("roster.csv")).expect("the roster");
    let german = roster.replace(",en-IE,it@harbourlane.example.net", ",de,it@harbourlane.example.net");
    assert_ne!(german, roster);
    place.write("roster.csv", german.as_bytes());
    let logs = sample("logs");
    let run = ["run", &logs, "--roster", "roster.csv", "--templates", "mine", "--out", "out"];
    place.run(LAKE, &run);
    let notices = files(&place.path("out"), "notice");
    let text = |json: &Value| json["title"].as_str().expect("a title").to_owned();
    let titles: Vec<String> = messages(&notices).iter().map(text).collect();
    assert!(titles.contains(&"ENTWURF: Hallo Harbour Lane Clinic".to_owned()), "{titles:?}");
    let list = fs::read_to_string(place.path("out/lists/no_impact.csv")).expect("a list");
    assert!(list.contains(",de,de,"), "{list}");
}
