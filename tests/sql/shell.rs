//! The shell, typed into by a terminal.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use super::{LAKE, place};

const WAIT_MS: u64 = 60_000;
const PROMPT: &str = "lightsout> ";

/// A shell with a state folder of its own, so that no test sees another's history.
fn shell(state: &std::path::Path, pager: &str) -> PtySession {
    // A new terminal has no size of its own.
    let mut command = Command::new("sh");
    command
        .args(["-c", "stty rows 24 columns 80 && exec \"$0\" sql --lake \"$1\""])
        .arg(env!("CARGO_BIN_EXE_lightsout"))
        .arg(place().path(LAKE))
        .env("TERM", "xterm")
        .env("XDG_STATE_HOME", state)
        .env("PAGER", pager)
        .env_remove("COLUMNS")
        .env_remove("LINES");
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
    press(&mut shell, "SELECT count(DISTINCT tenant_id) AS n FROM usage_\t");
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
    ask("\\d", &["view   campaign_status", "Where every campaign stands", "table  sign_in_records"]);
    ask("\\d usage_daily", &["usage_daily: Usage of each protocol", "day ", "date", "in UTC"]);
    ask("\\d sign_ins", &["signed_in_at", "timestamp", "when, in UTC"]);
    ask("\\d nothing", &["there is no table nothing; there are: campaign_changes, campaign_status"]);
    ask("\\?", &["\\d NAME", "\\q or Ctrl-D"]);
    ask("\\nonsense", &["there is no command \\nonsense"]);
    ask("\\timing", &["timing is off"]);
    let told = ask("SELECT 1 AS x;", &["(1 row)"]);
    assert!(told.contains("| x |"), "{told}");
    ask("\\x", &["one column a line is on"]);
    ask("SELECT 1 AS first, 'b' AS second;", &["-[ row 1 ]-", "first  | 1", "second | b"]);
    ask("\\x auto", &["wider than the screen"]);
    // Thirty-one columns do not fit.
    ask("SELECT * FROM sign_in_records LIMIT 1;", &["-[ row 1 ]-", "sign_in_id "]);
    ask("\\pset format csv", &["answers are written as csv"]);
    ask("SELECT 1 AS x, 'a,b' AS y;", &["x,y", "1,\"a,b\""]);
    ask("\\pset format xml", &["expected \\pset format table, csv, json or ndjson"]);
    let file = state.path().join("rows.csv");
    ask(&format!("\\o {}", file.display()), &["answers go to"]);
    ask("SELECT 7 AS seven;", &["(1 row to "]);
    assert_eq!(std::fs::read_to_string(&file).expect("rows"), "seven\n7\n");
    ask("\\o", &["answers go to the screen"]);
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
