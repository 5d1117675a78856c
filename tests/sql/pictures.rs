//! Ten reports as a terminal shows them, at 80 and at 120 columns. `UPDATE_EXPECTED=1` writes the pictures anew: look at
//! what has changed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use rexpect::session::spawn_command;

use super::{LAKE, place, sample};

const WAIT_MS: u64 = 120_000;

const REPORTS: [&str; 10] = [
    "usage_by_protocol",
    "protocol_usage",
    "who",
    "who_is_left",
    "protocols_per_user",
    "top_users --top 5",
    "top_ip_addresses --top 5",
    "attempts --tenant 11dd7c61-8b82-4198-a138-2195ef1d85cd",
    "coverage",
    "unclear_clients",
];

/// What a terminal of that size shows of a command.
fn picture(line: &str, columns: usize) -> String {
    let mut command = Command::new("sh");
    let run = format!(
        "stty rows 50 columns {columns} && exec \"$0\" report {line} --lake \"$1\" --roster \"$2\" --as-of 2026-11-02 --quiet 2>&1"
    );
    command
        .args(["-c", &run])
        .arg(env!("CARGO_BIN_EXE_lightsout"))
        .arg(place().path(LAKE))
        .arg(sample("roster.csv"))
        .env("TERM", "xterm")
        .env("PAGER", "cat")
        .env_remove("COLUMNS")
        .env_remove("LINES");
    let mut terminal = spawn_command(command, Some(WAIT_MS)).expect("a terminal");
    // The terminal is read byte by byte.
    let bytes =
        terminal.exp_eof().expect("it ends").chars().map(|c| u8::try_from(c).expect("a byte")).collect();
    String::from_utf8(bytes).expect("text").replace("\r\n", "\n")
}

#[test]
fn reports_fit_the_terminal_and_look_as_they_did() {
    let mut wrong = Vec::new();
    for columns in [80, 120] {
        let mut pictures = String::new();
        for line in REPORTS {
            let shown = picture(line, columns);
            let widest = shown
                .lines()
                .filter(|line| line.starts_with(['+', '|']))
                .map(|line| line.chars().count())
                .max();
            assert!(widest.unwrap_or(0) <= columns, "{line} at {columns}:\n{shown}");
            let _ = writeln!(pictures, "$ lightsout report {line}\n{shown}");
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/sql/pictures/{columns}.txt"));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(&path, &pictures).expect("a file");
        } else if std::fs::read_to_string(&path).unwrap_or_default() != pictures {
            wrong.push(format!("{}: found\n{pictures}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
