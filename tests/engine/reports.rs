//! The reports as their users find them: the table of `queries/README.md` is the catalogue's, and its example of an
//! own query runs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::program::{Place, sample};
use lightsout_query::catalog::{REPORTS, Topic};

const LAKE: &str = "lake";

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/README.md")).expect("the README")
}

/// The section of that heading.
fn section(readme: &str, heading: &str) -> String {
    let start = readme.find(&format!("\n## {heading}\n")).expect("the section");
    let rest = &readme[start + 1..];
    let end = rest[1..].find("\n## ").map_or(rest.len(), |at| at + 1);
    rest[..end].to_owned()
}

#[test]
fn the_table_of_the_readme_is_the_catalogue() {
    let mut table = String::from("| report | what it answers | flags |\n|---|---|---|\n");
    for topic in Topic::ALL {
        let mut of_topic = REPORTS.iter().filter(|report| report.topic == topic).peekable();
        if of_topic.peek().is_some() {
            let _ = writeln!(table, "| **{topic}** | | |");
        }
        for report in of_topic {
            let header = report.header().expect("a header");
            let tenant = header.bound.contains(&"tenant").then(|| "`--tenant`".to_owned());
            let own = header.parameters.iter().map(|declared| format!("`--{}`", declared.flag()));
            let flags: Vec<String> = tenant.into_iter().chain(own).collect();
            let _ = writeln!(table, "| `{}` | {} | {} |", report.name, header.purpose, flags.join(" "));
        }
    }
    let section = section(&readme(), "Reports");
    assert!(section.contains(&table), "the section Reports of queries/README.md lacks this table:\n{table}");
}

#[test]
fn the_own_query_of_the_readme_runs() {
    let section = section(&readme(), "Your own queries");
    let (_, query) = section.split_once("```sql\n").expect("a query");
    let (query, _) = query.split_once("```").expect("its end");
    let place = Place::new();
    fs::create_dir(place.path("mine")).expect("a folder");
    fs::write(place.path("mine/late_hours.sql"), query).expect("a file");
    place.run(LAKE, &["ingest", &sample("logs")]);
    let mine = place.path("mine").display().to_string();
    let report = ["report", "late_hours", "--queries", &mine, "--as-of", "2026-11-02"];
    let all = place.run(LAKE, &report);
    let some = place.run(LAKE, &[&report[..], &["--from-hour", "23"]].concat());
    let rows = |output: &std::process::Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().count() - 1
    };
    assert!(rows(&all) > rows(&some), "{} and {}", rows(&all), rows(&some));
}

#[test]
fn every_report_runs_by_its_name_over_the_sample_and_as_it_is_explained() {
    let place = Place::new();
    place.run(LAKE, &["ingest", &sample("logs")]);
    for report in REPORTS {
        let run = |arguments: &[&str]| {
            let output = place.run(LAKE, arguments);
            assert!(output.status.success(), "{}: {}", report.name, String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("text")
        };
        let shown = run(&["report", report.name, "--as-of", "2026-11-02", "--explain"]);
        assert!(!shown.contains('$') && !shown.starts_with("--"), "{shown}");
        assert_eq!(run(&["sql", &shown]), run(&["report", report.name, "--as-of", "2026-11-02"]), "{shown}");
    }
}

// A name that nobody knows gave an empty table and exit code 0, as if the tenant had no gap.
#[test]
fn a_tenant_that_nobody_knows_is_an_error_and_a_name_of_the_roster_is_found() {
    let place = Place::new();
    place.run(LAKE, &["ingest", &sample("logs")]);
    let report = ["report", "coverage_calendar", "--as-of", "2026-11-02", "--format", "csv"];
    let unknown = place.tries(LAKE, &[&report[..], &["--tenant", "nobody.example"]].concat());
    let told = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(unknown.status.code() == Some(2) && told.contains("known tenants"), "{told}");
    let roster = sample("roster.csv");
    let tenant = place.csv(LAKE, "SELECT min(tenant_id) FROM tenants").concat();
    let by_id = place.run(LAKE, &[&report[..], &["--tenant", &tenant, "--roster", &roster]].concat());
    let text = fs::read_to_string(&roster).expect("a roster");
    let row = text.lines().find(|line| line.starts_with(&tenant)).expect("the tenant's row");
    let name = row.split(',').nth(1).expect("a name");
    let by_name = place.run(LAKE, &[&report[..], &["--tenant", name, "--roster", &roster]].concat());
    assert!(by_id.stdout == by_name.stdout && by_id.stdout.len() > 100);
}

// A window before the first log gave an empty table and nothing else, as if nobody had signed in.
#[test]
fn a_window_or_tenant_without_logs_is_said_on_stderr() {
    const SILENT: &str = "99999999-9999-4999-8999-999999999999";
    let place = Place::new();
    place.run(LAKE, &["ingest", &sample("logs")]);
    place.write(
        "roster.csv",
        format!("tenant_id,display_name,domains\n{SILENT},Silent Harbour,silent.example.com\n").as_bytes(),
    );
    let told = |arguments: &[&str]| {
        let output = place.tries(LAKE, &[&["report", "who", "--format", "csv"], arguments].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, before) = told(&["--as-of", "2019-01-31"]);
    let first = place.csv(LAKE, "SELECT min(first_record_day) FROM tenants").concat();
    assert_eq!(code, Some(0));
    let expected =
        format!("no sign-ins are recorded between 2019-01-01 and 2019-01-30; the logs begin on {first}");
    assert!(before.contains(&expected), "{before}");
    assert_eq!(told(&["--as-of", "2026-11-02"]), (Some(0), String::new()));

    let silent = ["--as-of", "2026-11-02", "--roster", "roster.csv", "--tenant"];
    for named in ["silent harbour", "silent.example.com", SILENT] {
        let (code, without) = told(&[&silent[..], &[named]].concat());
        let expected = format!("the lake holds no sign-in logs of Silent Harbour ({SILENT})");
        assert!(code == Some(0) && without.contains(&expected), "{named}: {without}");
    }
    let (code, unknown) = told(&[&silent[..], &["Silent Habour"]].concat());
    assert!(code == Some(2) && unknown.contains("did you mean 'Silent Harbour'"), "{unknown}");
    place.run(LAKE, &["roster", "set", "roster.csv"]);
    let (code, kept) = told(&["--as-of", "2026-11-02", "--tenant", "Silent Harbour"]);
    assert!(code == Some(0) && kept.contains("no sign-in logs of Silent Harbour"), "{kept}");
}
