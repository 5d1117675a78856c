//! Small inputs with the right verdict of each, where there is a folder of them: `LIGHTSOUT_CASES` names it.
//! `verdicts/EXPECTED.tsv` says which folder is ingested and assessed how, and what must come of it.

use std::path::Path;

use crate::program::Place;

/// The flags of `assess`; the others are those of `ingest`.
const OF_ASSESS: [&str; 1] = ["--as-of"];

#[test]
fn every_case_of_the_folder_has_its_right_verdict() {
    let Some(cases) = std::env::var_os("LIGHTSOUT_CASES") else {
        eprintln!("skipped: LIGHTSOUT_CASES names no folder of cases");
        return;
    };
    let folder = Path::new(&cases).join("verdicts");
    let table = std::fs::read_to_string(folder.join("EXPECTED.tsv")).expect("a table of cases");
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert!(!rows.is_empty(), "the table is empty");
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let found = outcome(&folder.join(row[0]), row[1]);
            // What else the table says of it is for people.
            (!row[2].starts_with(&found)).then(|| format!("{}: expected {}, found {found}", row[0], row[2]))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The verdict of the only tenant, or that the flags are refused.
fn outcome(input: &Path, flags: &str) -> String {
    let place = Place::new();
    let (mut to_ingest, mut to_assess) = (vec!["ingest", input.to_str().expect("a path")], vec!["assess"]);
    let flags: Vec<&str> = flags.split(' ').collect();
    for pair in flags.chunks(2) {
        if OF_ASSESS.contains(&pair[0]) { to_assess.extend(pair) } else { to_ingest.extend(pair) }
    }
    match place.tries("lake", &to_ingest).status.code() {
        Some(0 | 3) => {}
        Some(2) => return "usage error".to_owned(),
        other => return format!("exit code {other:?} of ingest"),
    }
    let output = place.tries("lake", &to_assess);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut assessment = csv::Reader::from_path(place.path("out/assessment.csv")).expect("an assessment");
    let column = assessment.headers().expect("a header").iter().position(|name| name == "verdict");
    let verdicts: Vec<String> =
        assessment.records().flatten().map(|row| row[column.expect("the column")].to_owned()).collect();
    verdicts.join(",")
}
