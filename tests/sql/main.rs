//! `lightsout sql` from outside: what may be asked, what is refused, what is stopped, and the shell on a real
//! terminal.

#[path = "../program/mod.rs"]
mod program;

mod files;
mod hostile;
mod limits;
mod own_tables;
#[cfg(unix)]
mod pictures;
mod readme;
#[cfg(unix)]
mod shell;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use program::{Place, sample};

const LAKE: &str = "lake";

/// A lake of the sample data with two decisions and an announcement; one for all tests, which only read.
fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let place = Place::new();
        let (roster, logs) = (sample("roster.csv"), sample("logs"));
        place.run(LAKE, &["run", &logs, "--roster", &roster, "--out", "out", "--as-of", "2026-11-02"]);
        place.run(LAKE, &["assess", "--roster", &roster, "--campaign", "smtp-auth-2026", "--out", "smtp"]);
        let campaign = place.operated("basic-auth-all-protocols");
        let announce = ["campaign", "announce", "--now", "2026-11-03", "--out", "announced"];
        place.run(LAKE, &[&announce[..], &["--campaign", campaign]].concat());
        place
    })
}

/// The program in the folder of the lake.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lightsout"));
    let lake = place().path(LAKE);
    command.args(arguments).current_dir(lake.parent().expect("a folder")).env("LIGHTSOUT_LAKE", &lake);
    command
}

fn asked(arguments: &[&str]) -> Output {
    program(&[&["sql"], arguments].concat()).stdin(Stdio::null()).output().expect("the program starts")
}

fn asked_by_stdin(arguments: &[&str], sql: &[u8]) -> Output {
    let mut child = program(&[&["sql"], arguments].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // One that refuses may not read to the end.
    let _ = child.stdin.take().expect("a pipe").write_all(sql);
    child.wait_with_output().expect("it ends")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// What a query that fails says.
fn refusal(sql: &str) -> String {
    let output = asked_by_stdin(&["--timeout", "60s"], sql.as_bytes());
    assert_eq!(output.status.code(), Some(1), "{}: {}", &sql[..sql.len().min(80)], stderr(&output));
    assert!(output.stdout.is_empty(), "{}", stdout(&output));
    stderr(&output)
}

#[test]
fn a_query_comes_from_the_argument_a_file_or_stdin() {
    let sql = "SELECT count(*) AS tenants FROM tenants;";
    let file = place().path("question.sql");
    std::fs::write(&file, format!("\u{feff}-- how many\n{sql}\n")).expect("a file");
    let file = file.display().to_string();
    let expected = "tenants\n17\n";
    assert_eq!(stdout(&asked(&[sql])), expected);
    assert_eq!(stdout(&asked(&["--file", &file])), expected);
    assert_eq!(stdout(&asked_by_stdin(&[], sql.as_bytes())), expected);
    assert_eq!(stdout(&asked_by_stdin(&["-"], sql.as_bytes())), expected);
    assert_eq!(stdout(&asked_by_stdin(&["--file", "-"], sql.as_bytes())), expected);
    assert_eq!(asked(&[sql, "--file", &file]).status.code(), Some(2), "one of them");
    let missing = asked(&["--file", "no-such-file.sql"]);
    assert!(stderr(&missing).contains("no-such-file.sql"), "{}", stderr(&missing));
    let nothing = asked_by_stdin(&[], b"");
    assert!(stderr(&nothing).contains("expected a query, found nothing"), "{}", stderr(&nothing));
}

#[test]
fn the_latest_decision_and_the_campaign_are_what_the_commands_say() {
    let csv = std::fs::read_to_string(place().path("out/assessment.csv")).expect("an assessment");
    let columns = csv.lines().next().expect("a header");
    let sql = format!(
        "SELECT {columns} FROM latest_decision WHERE campaign = 'basic-auth-all-protocols' ORDER BY tenant_id"
    );
    assert_eq!(stdout(&asked(&[&sql])), csv);

    let status = program(&["campaign", "status", "--format", "csv", "--quiet", "--now", "2026-11-03"]);
    let status = stdout(&{ status }.output().expect("the program starts"));
    let rows = |text: &str| {
        let mut rows: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
        rows.sort();
        rows
    };
    let mut reader = csv::Reader::from_reader(status.as_bytes());
    let headers = reader.headers().expect("a header").clone();
    let at = |name: &str| headers.iter().position(|header| header == name).expect("a column");
    let told: Vec<String> = reader
        .records()
        .map(|row| {
            let row = row.expect("a row");
            let verdict = &row[at("verdict")];
            format!("{},{},{}", &row[at("tenant_id")], &row[at("announced_on")], verdict)
        })
        .collect();
    let sql = "SELECT DISTINCT tenant_id, announced_on, verdict FROM campaign_status \
               WHERE campaign = 'basic-auth-all-protocols'";
    assert_eq!(rows(&stdout(&asked(&[sql]))), rows(&format!("header\n{}", told.join("\n"))));
}

#[test]
fn what_is_on_information_schema_is_there() {
    let sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1";
    let names = stdout(&asked(&[sql]));
    for name in ["sign_ins", "usage_daily", "tenants", "latest_decision", "campaign_status", "verdicts"] {
        assert!(names.lines().any(|line| line == name), "{names}");
    }
    let sql = "SELECT count(*) > 200 AS many FROM information_schema.columns WHERE table_schema = 'public'";
    assert_eq!(stdout(&asked(&[sql])), "many\ntrue\n");
    assert!(stdout(&asked(&["SHOW TABLES"])).contains("usage_daily"));
    assert!(stdout(&asked(&["DESCRIBE usage_daily"])).contains("sign_ins"));
    let tables = stdout(&asked(&["SHOW TABLES"]));
    assert!(!tables.contains("contested_ids") && !tables.contains("information_schema"), "{tables}");
    assert!(stdout(&asked(&["SHOW FULL TABLES"])).contains("information_schema"));
}

#[test]
fn reports_are_views_with_the_rows_of_the_commands() {
    // A view has no order of its own.
    let sorted = |text: String| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[1..].sort();
        lines
    };
    for name in ["usage_by_protocol", "top_users", "coverage"] {
        let report = program(&["report", name, "--format", "csv"]).output().expect("the program starts");
        let report = sorted(stdout(&report));
        assert!(report.len() > 1, "{name}: {report:?}");
        assert_eq!(sorted(stdout(&asked(&[&format!("SELECT * FROM {name}")]))), report, "{name}");
    }
    let known = asked(&["SELECT * FROM top_userz"]);
    assert!(stderr(&known).contains("did you mean top_users?"), "{}", stderr(&known));
}

#[test]
fn statements_of_one_text_are_answered_one_after_the_other() {
    let output =
        asked_by_stdin(&[], b"SELECT 1 AS a; -- one\nSET TIME ZONE 'Asia/Tokyo';\nSELECT 'x;y' AS b\n;;\n");
    assert_eq!(stdout(&output), "a\n1\n\nb\nx;y\n", "{}", stderr(&output));
    let tokyo = asked(&[
        "SET timezone = 'Asia/Tokyo'; SELECT min(signed_in_at) AS t FROM sign_ins",
        "--format",
        "json",
    ]);
    assert!(stdout(&tokyo).contains("+09:00"), "{}", stdout(&tokyo));
    // What fails ends the text, and its place is that in the text.
    let output = asked(&["SELECT 1 AS a;\nSELECT nothing FROM sources;\nSELECT 3 AS c"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), "a\n1\n\n"));
    assert!(stderr(&output).contains("line 2, column 8:"), "{}", stderr(&output));
    let output = asked(&["SELECT 1; SELECT 2", "--output", "both.csv"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("expected one query that returns rows"), "{}", stderr(&output));
    let output = asked(&["SET TIME ZONE 'Nowhere'"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("found 'Nowhere'"), "{}", stderr(&output));
}
