//! The program from outside, for tests: a folder to work in, runs of the program, and rows of its
//! lake.
#![allow(dead_code, reason = "each test file uses what it needs")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Every column of a row that speaks of the sign-in, not of the file it came from.
pub(crate) const COLUMNS: &str = "tenant_id, sign_in_id, category, signed_in_at, emitted_at, user_id, \
    user_principal_name, user_type, app_id, app_name, resource_id, resource_name, client_app, protocol, \
    auth_method, auth_evidence, outcome, error_code, failure_reason, conditional_access, user_agent, \
    ip_address, country, is_interactive, home_tenant_id, resource_tenant_id, correlation_id";

/// Who runs the campaigns of tests.
pub(crate) const OPERATOR: &str = r#"
[operator]
name = "Example Cloud Services"
contact = "the service desk, +1 555 0100"
reply_to = "basic-auth@example.com"
"#;

/// Files as they are ingested, with the flags for them.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        std::fs::write(path, bytes).expect("written");
    }

    /// Runs the program on a lake of this place, whatever comes of it.
    pub(crate) fn tries(&self, lake: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lightsout"))
            .args(arguments)
            .arg("--lake")
            .arg(self.path(lake))
            .arg("--quiet")
            .current_dir(self.folder.path())
            .env_remove("LIGHTSOUT_LAKE")
            .output()
            .expect("the program starts")
    }

    /// The same on a day or at a time, by the system's clock.
    pub(crate) fn tries_at(&self, clock: &str, lake: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lightsout"))
            .args(arguments)
            .arg("--lake")
            .arg(self.path(lake))
            .arg("--quiet")
            .current_dir(self.folder.path())
            .env_remove("LIGHTSOUT_LAKE")
            .env("LIGHTSOUT_CLOCK", clock)
            .output()
            .expect("the program starts")
    }

    /// Runs the program on a lake of this place, and lets it say what it has to say.
    pub(crate) fn loud(&self, lake: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lightsout"))
            .args(arguments)
            .arg("--lake")
            .arg(self.path(lake))
            .current_dir(self.folder.path())
            .env_remove("LIGHTSOUT_LAKE")
            .output()
            .expect("the program starts")
    }

    /// Runs the program on a lake of this place.
    pub(crate) fn run(&self, lake: &str, arguments: &[&str]) -> Output {
        let output = self.tries(lake, arguments);
        // 3: something was refused or rejected, which is what some tests are about.
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    /// A built-in campaign as a file of this place that says who runs it.
    pub(crate) fn operated(&self, campaign: &str) -> &'static str {
        const FILE: &str = "operated.toml";
        let shown = self.run("lake", &["campaign", "show", campaign]).stdout;
        self.write(FILE, &[&shown, OPERATOR.as_bytes()].concat());
        FILE
    }

    /// Rows of a query as CSV, without the header.
    pub(crate) fn csv(&self, lake: &str, query: &str) -> Vec<String> {
        let output = self.run(lake, &["sql", query, "--format", "csv"]);
        String::from_utf8(output.stdout).expect("text").lines().skip(1).map(str::to_owned).collect()
    }

    /// The account of an ingest.
    pub(crate) fn ingest(&self, lake: &str, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> =
            ["ingest", "--json"].into_iter().chain(arguments.iter().copied()).collect();
        let output = self.run(lake, &arguments);
        serde_json::from_slice(&output.stdout).expect("a run report")
    }

    /// The rows of a query.
    pub(crate) fn sql(&self, lake: &str, query: &str) -> Vec<Value> {
        let output = self.run(lake, &["sql", query, "--format", "ndjson"]);
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
    }
}

/// A file of the sample data.
pub(crate) fn sample(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data").join(name).display().to_string()
}

/// Every file below a folder, by its path in it.
pub(crate) fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(root).expect("below it").display().to_string();
                files.insert(name, std::fs::read(entry.path()).expect("a file"));
            }
        }
    }
    files
}
