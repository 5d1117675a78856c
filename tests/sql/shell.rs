//! The shell, typed into by a terminal.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use super::{LAKE, place};

const WAIT_MS: u64 = 60_000;
const PROMPT: &str = "lightsout> ";

/// A shell with a state folder of its own, so that no test sees another's history.
fn shell(state: &std::path::Path, pager: &str) -> PtySession {
    shell_with(state, pager, &[])
}

/// The same with more in its environment; `LIGHTSOUT_SHELL_LAKE` names another lake.
fn shell_with(state: &std::path::Path, pager: &str, environment: &[(&str, &str)]) -> PtySession {
    let lake = environment.iter().find(|(name, _)| *name == "LIGHTSOUT_SHELL_LAKE");
    let lake = lake.map_or_else(|| place().path(LAKE), |(_, lake)| lake.into());
    // A new terminal has no size of its own.
    let mut command = Command::new("sh");
    command
        .args(["-c", "stty rows 24 columns 80 && exec \"$0\" sql --lake \"$1\""])
        .arg(env!("CARGO_BIN_EXE_lightsout"))
        .arg(lake)
        .env("TERM", "xterm")
        .env_remove("VISUAL")
        .env("XDG_STATE_HOME", state)
        .env("PAGER", pager)
        .env_remove("COLUMNS")
        .env_remove("LINES")
        .envs(environment.iter().copied());
    let mut shell = spawn_command(command, Some(WAIT_MS)).expect("a terminal");
    shell.exp_string(PROMPT).expect("a prompt");
    shell
}

/// Keys without the line's end, which would send them.
fn press(shell: &mut PtySession, keys: &str) {
    shell.send(keys).expect("typed");
    shell.flush().expect("sent");
}

fn leave(mut shell: PtySession) {
    shell.send_line("\\q").expect("typed");
    shell.exp_eof().expect("it ends");
    let status = shell.process().wait().expect("its end");
    assert!(format!("{status:?}").contains(", 0)"), "{status:?}");
}

#[test]
fn a_query_of_several_lines_is_typed_completed_and_answered() {
    let state = tempfile::tempdir().expect("a folder");
    let mut shell = shell(state.path(), "cat");
    shell.send_line("SELECT 40 + 2 AS answer,").expect("typed");
    shell.exp_string("-> ").expect("it waits for the rest");
    shell.send_line("       ';' AS semicolon;").expect("typed");
    shell.exp_string("| 42     | ;         |").expect("an answer");
    shell.exp_string("(1 row, ").expect("a count and the time");
    shell.exp_string(PROMPT).expect("a prompt");

    // A table, and a column of it, by Tab.
    press(&mut shell, "SELECT count(DISTINCT tenant_id) AS n FROM usage_d\t");
    shell.exp_string("usage_daily").expect("a table");
    shell.send_line(";").expect("typed");
    shell.exp_string("| n ").expect("an answer");
    shell.exp_string(PROMPT).expect("a prompt");
    press(&mut shell, "SELECT max(interr\t");
    shell.exp_string("interrupted").expect("a column");
    shell.send_line(") AS m FROM usage_daily;").expect("typed");
    shell.exp_string("| m ").expect("an answer");
    shell.exp_string(PROMPT).expect("a prompt");

    // An error shows its place, and the shell goes on.
    shell.send_line("SELECT protocl FROM usage_daily;").expect("typed");
    shell.exp_string("there is no column protocl; did you mean protocol?").expect("an error");
    shell.exp_string("^^^^^^^").expect("the place");
    shell.exp_string(PROMPT).expect("a prompt");

    // What was asked before is found again, as a whole.
    press(&mut shell, "\u{1b}[A\u{1b}[A\u{1b}[A\u{1b}[A");
    shell.exp_string("AS semicolon;").expect("the first query");
    press(&mut shell, "\u{3}");
    shell.exp_string(PROMPT).expect("a prompt");
    leave(shell);
    let history = std::fs::read_to_string(state.path().join("lightsout/sql_history")).expect("a history");
    assert!(history.contains("FROM usage_daily"), "{history}");
}

#[test]
fn a_query_that_never_ends_is_ended_by_ctrl_c_and_the_shell_is_not() {
    let state = tempfile::tempdir().expect("a folder");
    let mut shell = shell(state.path(), "cat");
    let endless = "WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n;";
    shell.send_line(endless).expect("typed");
    // The terminal shows what was typed before the query runs.
    shell.exp_string("FROM n;").expect("an echo");
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    shell.send_control('c').expect("Ctrl-C");
    shell.exp_string("interrupted").expect("it says so");
    shell.exp_string(PROMPT).expect("a prompt");
    // Half a query is dropped by it.
    shell.send_line("SELECT 'half").expect("typed");
    shell.exp_string("-> ").expect("it waits");
    shell.send_control('c').expect("Ctrl-C");
    shell.exp_string(PROMPT).expect("a prompt");
    shell.send_line("SELECT 6 * 7 AS alive;").expect("typed");
    shell.exp_string("| 42    |").expect("an answer");
    shell.exp_string(PROMPT).expect("a prompt");
    shell.send_control('d').expect("Ctrl-D");
    shell.exp_eof().expect("it ends");
}

#[test]
fn commands_list_describe_and_set() {
    let state = tempfile::tempdir().expect("a folder");
    let mut shell = shell(state.path(), "cat");
    let mut ask = |line: &str, expected: &[&str]| {
        shell.send_line(line).expect("typed");
        let mut told = String::new();
        for expected in expected {
            told.push_str(
                &shell.exp_string(expected).unwrap_or_else(|error| panic!("{line}: {expected}: {error}")),
            );
        }
        told.push_str(&shell.exp_string(PROMPT).expect("a prompt"));
        told
    };
    ask(
        "\\d",
        &[
            "view    campaign_status",
            "The state of every campaign",
            "table   sign_in_records",
            "report  who ",
        ],
    );
    ask("\\d usage_daily", &["usage_daily: Usage of each protocol", "day ", "date", "in UTC"]);
    let told = ask("\\d", &["table   sources"]);
    assert!(!told.contains("contested_ids"), "{told}");
    ask("\\dS", &["part    contested_ids"]);
    ask("\\d who", &["who: Who still signs in", "last_seen", "timestamp"]);
    ask("\\d sign_ins", &["signed_in_at", "timestamp", "when, in UTC"]);
    ask("\\d nothing", &["there is no table nothing; there are: campaign_changes, campaign_status"]);
    ask("\\?", &["\\d NAME", "\\q or Ctrl-D"]);
    ask("\\nonsense", &["there is no command \\nonsense"]);
    ask("\\timing", &["timing is off"]);
    let told = ask("SELECT 1 AS x;", &["(1 row)"]);
    assert!(told.contains("| x |"), "{told}");
    ask("\\x", &["expanded display is on"]);
    ask("SELECT 1 AS first, 'b' AS second;", &["-[ row 1 ]-", "first  | 1", "second | b"]);
    ask("\\x auto", &["wider than the screen"]);
    // Thirty-one columns do not fit.
    ask("SELECT * FROM sign_in_records LIMIT 1;", &["-[ row 1 ]-", "sign_in_id "]);
    ask("\\pset format csv", &["the output format is csv"]);
    ask("SELECT 1 AS x, 'a,b' AS y;", &["x,y", "1,\"a,b\""]);
    ask("\\pset format xml", &["expected \\pset format table, csv, json, ndjson or md"]);
    let file = state.path().join("rows.csv");
    ask(&format!("\\o {}", file.display()), &["results go to"]);
    ask("SELECT 7 AS seven;", &["(1 row to "]);
    assert_eq!(std::fs::read_to_string(&file).expect("rows"), "seven\n7\n");
    // The file's name tells the format, whatever the screen has.
    ask("\\pset format table", &["the output format is table"]);
    ask("\\o rows.xls", &["expected a name that ends with one of .txt, .csv, .json"]);
    let file = state.path().join("rows.md");
    ask(&format!("\\o {}", file.display()), &["results go to"]);
    ask("SELECT 7 AS seven;", &["(1 row to "]);
    assert_eq!(std::fs::read_to_string(&file).expect("rows"), "| seven |\n| ---: |\n| 7 |\n");
    ask("\\o", &["results go to the screen"]);
    leave(shell);
}

#[test]
fn an_answer_longer_than_the_screen_goes_through_the_pager() {
    let state = tempfile::tempdir().expect("a folder");
    let mut shell = shell(state.path(), "sed 's/^/paged: /'");
    let ask = |shell: &mut PtySession, line: &str| {
        shell.send_line(line).expect("typed");
        shell.exp_string("rows").expect("a count")
    };
    let many = "SELECT value FROM generate_series(1, 300);";
    let told = ask(&mut shell, many);
    assert!(told.contains("paged: | 300   |"), "{told}");
    shell.exp_string(PROMPT).expect("a prompt");
    let told = ask(&mut shell, "SELECT value FROM generate_series(1, 3);");
    assert!(told.contains("| 3     |") && !told.contains("paged: |"), "{told}");
    shell.exp_string(PROMPT).expect("a prompt");
    shell.send_line("\\pset pager off").expect("typed");
    shell.exp_string("the pager is off").expect("it says so");
    shell.exp_string(PROMPT).expect("a prompt");
    let told = ask(&mut shell, many);
    assert!(told.contains("| 300   |") && !told.contains("paged: |"), "{told}");
    shell.exp_string(PROMPT).expect("a prompt");
    leave(shell);

    // One that shows the start alone ends the query, and not the shell.
    let mut shell = self::shell(state.path(), "head -n 3");
    shell.send_line("SELECT value FROM generate_series(1, 100000000000);").expect("typed");
    shell.exp_string("| value ").expect("a header");
    shell.exp_string(PROMPT).expect("a prompt");
    leave(shell);
}

/// Types a line, and gives what is shown until the next prompt.
fn told(shell: &mut PtySession, line: &str) -> String {
    shell.send_line(line).expect("typed");
    shell.exp_string(PROMPT).unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
fn a_file_an_editor_and_a_clock_ask_as_the_keyboard_does() {
    let state = tempfile::tempdir().expect("a folder");
    let path = |name: &str| state.path().join(name);
    std::fs::write(
        path("ask.sql"),
        "\\timing off\nSELECT 1 AS one;\n\nSELECT 2\n  AS two;\nSELECT 3 AS three\n",
    )
    .expect("a file");
    std::fs::write(path("wrong.sql"), "SELECT 1 AS one;\nSELECT nothing;\nSELECT 3 AS three;\n")
        .expect("a file");
    std::fs::write(path("itself.sql"), format!("\\i {}\n", path("itself.sql").display())).expect("a file");
    let mut shell = shell(state.path(), "cat");

    let shown = told(&mut shell, &format!("\\i {}", path("ask.sql").display()));
    for column in ["| one |", "| two |", "| three |"] {
        assert!(shown.contains(column), "{column} in {shown}");
    }
    let shown = told(&mut shell, &format!("\\i {}", path("wrong.sql").display()));
    assert!(shown.contains("| one |") && shown.contains("wrong.sql: stopped at line 2"), "{shown}");
    assert!(!shown.contains("three"), "{shown}");
    let shown = told(&mut shell, &format!("\\i {}", path("itself.sql").display()));
    assert!(shown.contains("does one include itself?"), "{shown}");
    let shown = told(&mut shell, "\\i no-such-file.sql");
    assert!(shown.contains("reading no-such-file.sql: "), "{shown}");

    // Again and again, until Ctrl-C.
    shell.send_line("SELECT 41 + 1 AS n \\watch 0.2").expect("typed");
    for _ in 0..2 {
        shell.exp_string("every 0.2 s").expect("a time");
        shell.exp_string("| 42 |").expect("an answer");
    }
    shell.send_control('c').expect("Ctrl-C");
    shell.exp_string(PROMPT).expect("a prompt");
    leave(shell);

    // An editor that writes a query below the last one.
    let editor = path("editor.sh");
    std::fs::write(
        &editor,
        "#!/bin/sh\ngrep -q 'AS before' \"$1\" && echo 'SELECT 6 * 7 AS edited;' > \"$1\"\n",
    )
    .expect("a file");
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("a program");
    let mut shell = shell_with(state.path(), "cat", &[("EDITOR", &editor.display().to_string())]);
    told(&mut shell, "SELECT 1 AS before;");
    let shown = told(&mut shell, "\\e");
    assert!(shown.contains("| edited |") && shown.contains("| 42     |"), "{shown}");
    // It fails where the text is not the one that it looks for.
    let shown = told(&mut shell, "\\e");
    assert!(shown.contains("nothing was run"), "{shown}");
    leave(shell);
}

#[test]
fn times_are_shown_in_the_time_zone_that_was_set() {
    let state = tempfile::tempdir().expect("a folder");
    let mut shell = shell(state.path(), "cat");
    let sql = "SELECT signed_in_at FROM sign_ins ORDER BY signed_in_at LIMIT 1;";
    let utc = told(&mut shell, sql);
    let shown = told(&mut shell, "SET TIME ZONE 'Asia/Tokyo';");
    assert!(
        shown.contains("times are shown in Asia/Tokyo; days of views and reports are UTC days"),
        "{shown}"
    );
    let tokyo = told(&mut shell, sql);
    assert!(tokyo.contains("+09:00") && !utc.contains("+09:00"), "{utc}{tokyo}");
    let shown = told(&mut shell, "SET timezone = 'Nowhere/Land';");
    assert!(shown.contains("expected UTC or a name as in 'Europe/Berlin', found 'Nowhere/Land'"), "{shown}");
    let shown = told(&mut shell, "SHOW TIME ZONE;");
    assert!(shown.contains("Asia/Tokyo"), "{shown}");
    leave(shell);
}

#[test]
fn the_shell_goes_on_with_what_is_committed_meanwhile_and_says_so() {
    let state = tempfile::tempdir().expect("a folder");
    let place = super::Place::new();
    let record = |id: usize| {
        format!(
            r#"{{"id":"{id}","createdDateTime":"2026-10-01T08:00:00Z","userId":"u","userPrincipalName":"a@x.example","clientAppUsed":"IMAP4","status":{{"errorCode":0}}}}"#
        )
    };
    let tenant = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c";
    let ingest = |name: &str, id: usize| {
        place.write(name, format!(r#"{{"value":[{}]}}"#, record(id)).as_bytes());
        let path = place.path(name).display().to_string();
        place.run("lake", &["ingest", &path, "--tenant", tenant, "--category", "interactive"]);
    };
    ingest("a.json", 1);
    let lake = place.path("lake").display().to_string();
    let mut shell = shell_with(state.path(), "cat", &[("LIGHTSOUT_SHELL_LAKE", &lake)]);
    let count = "SELECT count(*) AS n FROM sign_in_records;";
    let shown = told(&mut shell, count);
    assert!(shown.contains("| 1 |") && !shown.contains("new commits"), "{shown}");
    ingest("b.json", 2);
    let shown = told(&mut shell, count);
    assert!(shown.contains("| 2 |") && shown.contains("the lake has new commits"), "{shown}");
    let shown = told(&mut shell, count);
    assert!(!shown.contains("new commits"), "{shown}");
    leave(shell);
}
