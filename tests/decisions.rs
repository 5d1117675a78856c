//! Decisions that are kept: made again byte for byte from a lake that went on, and compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn lightsout(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lightsout"))
            .args(arguments)
            .args(["--lake", &self.path("lake"), "--quiet"])
            .env_remove("LIGHTSOUT_LAKE")
            .output()
            .expect("the program starts")
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.lightsout(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn sql(&self, query: &str) -> Vec<String> {
        self.succeeds(&["sql", query, "--format", "csv"]).lines().skip(1).map(str::to_owned).collect()
    }

    /// Every file below a folder, by its path in it.
    fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        fn walk(folder: &Path, root: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                if entry.path().is_dir() {
                    walk(&entry.path(), root, files);
                } else {
                    let name = entry.path().strip_prefix(root).expect("below it").display().to_string();
                    files.insert(name, fs::read(entry.path()).expect("a file"));
                }
            }
        }
        let root = self.folder.path().join(folder);
        let mut files = BTreeMap::new();
        walk(&root, &root, &mut files);
        files
    }
}

fn sample(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data").join(name).display().to_string()
}

#[test]
fn a_decision_is_made_again_from_the_lake_as_it_was() {
    let place = Place::new();
    let (roster, logs) = (sample("roster.csv"), sample("logs"));
    let (first, again, second) = (place.path("first"), place.path("again"), place.path("second"));
    let as_of = ["--as-of", "2026-11-02", "--roster", &roster];
    place.succeeds(&["ingest", &format!("{logs}/array"), &format!("{logs}/eventhub")]);
    place.succeeds(&[&["assess", "--out", &first][..], &as_of].concat());
    let id = place.sql("SELECT decision_id FROM decisions").concat();

    place.succeeds(&["ingest", &logs]);
    place.succeeds(&[&["assess", "--out", &second][..], &as_of].concat());
    let ids = place.sql("SELECT decision_id FROM decisions ORDER BY decided_at");
    assert_eq!((ids.len(), &ids[0]), (2, &id), "more logs, another decision");

    place.succeeds(&["assess", "--decision", &id, "--out", &again]);
    assert_eq!(place.files("first"), place.files("again"));
    assert_eq!(place.sql("SELECT decision_id FROM decisions").len(), 2, "nothing new is recorded");
    place.succeeds(&[&["assess", "--out", &second][..], &as_of].concat());
    assert_eq!(place.sql("SELECT decision_id FROM decisions").len(), 2, "nor by deciding the same twice");

    let told = place.succeeds(&["assess", "--compare", &ids[0], &ids[1]]);
    let rows: Vec<&str> = told.lines().skip(1).collect();
    assert!(
        !rows.is_empty() && told.contains("tenant_id,display_name,verdict_before,verdict_after,why"),
        "{told}"
    );
    assert_eq!(place.succeeds(&["assess", "--compare", &id, &id]).lines().count(), 1, "no change but itself");
}

#[test]
fn notices_are_those_of_the_latest_decision_or_of_the_one_that_is_named() {
    let place = Place::new();
    let (roster, logs) = (sample("roster.csv"), sample("logs"));
    let (run, latest, named) = (place.path("run"), place.path("latest"), place.path("named"));
    let none = place.lightsout(&["notices", "--out", &latest]);
    assert_eq!(none.status.code(), Some(1), "there is no lake");
    place.succeeds(&["run", &logs, "--roster", &roster, "--out", &run]);
    let id = place.sql("SELECT decision_id FROM decisions").concat();
    place.succeeds(&["notices", "--out", &latest]);
    place.succeeds(&["notices", "--out", &named, "--decision", &id]);
    assert_eq!(place.files("latest"), place.files("named"));
    assert_eq!(place.files("run/notices"), place.files("latest/notices"));
    assert_eq!(place.files("run/lists"), place.files("latest/lists"));

    let none = place.lightsout(&["notices", "--campaign", "smtp-auth-2026"]);
    let told = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(none.status.code() == Some(1) && told.contains("lightsout assess"), "{told}");
}

#[test]
fn a_decision_that_does_not_come_out_the_same_says_what_differs() {
    let place = Place::new();
    place.succeeds(&["ingest", &sample("logs")]);
    place.succeeds(&["assess", "--out", &place.path("out")]);
    let unknown = place.lightsout(&["assess", "--decision", "nonsense"]);
    let id = place.sql("SELECT decision_id FROM decisions").concat();
    let told = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(unknown.status.code() == Some(1) && told.contains(&id), "it tells those there are: {told}");

    // Somebody took data files out of the log.
    let log = place.folder.path().join("lake/sign_in_records/_delta_log/00000000000000000001.json");
    let text = fs::read_to_string(&log).expect("the first commit");
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("-legacy.parquet")).collect();
    assert!(kept.len() < text.lines().count());
    fs::write(&log, kept.join("\n")).expect("written");
    let other = place.lightsout(&["assess", "--decision", &id, "--out", &place.path("out")]);
    let told = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(other.status.code() == Some(1) && told.contains("evidence"), "{told}");
}
