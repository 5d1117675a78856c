//! The examples of the section SQL of `queries/README.md`, run by a shell as they stand there.

use std::path::Path;
use std::process::Command;

use super::{LAKE, place};

fn section() -> String {
    let readme = include_str!("../../queries/README.md");
    let (_, rest) = readme.split_once("\n## SQL\n").expect("a section on SQL");
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

#[test]
fn every_example_of_the_readme_gives_rows() {
    let mut examples = 0;
    // A list of one's own, of those who are left.
    let left = super::stdout(&super::asked(&[
        "SELECT DISTINCT user_name AS mail, 'sales' AS team FROM who_is_left",
    ]));
    std::fs::write(place().path("staff.csv"), left).expect("a file");
    for block in section().split("```").skip(1).step_by(2) {
        // An example goes on where a line ends with a backslash, or a quote is open.
        let mut example = String::new();
        for line in block.lines().skip(1) {
            example.push_str(line);
            example.push('\n');
            if line.ends_with('\\') || example.matches('"').count() % 2 == 1 {
                continue;
            }
            let command = std::mem::take(&mut example);
            if !command.contains("lightsout") || command.trim() == "lightsout sql" {
                continue;
            }
            let program = Path::new(env!("CARGO_BIN_EXE_lightsout")).parent().expect("a folder");
            let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
            let output = Command::new("sh")
                .args(["-c", &command])
                .current_dir(place().path(LAKE).parent().expect("a folder"))
                .env("PATH", path)
                .env("LIGHTSOUT_LAKE", place().path(LAKE))
                .output()
                .expect("a shell");
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{command}{told}");
            assert!(
                command.contains("--output")
                    // JSON is one line, and of no row two brackets.
                    || command.contains("--format json") && output.stdout.len() > 3
                    || output.stdout.split(|byte| *byte == b'\n').count() > 2,
                "{command}gives no row"
            );
            examples += 1;
        }
    }
    assert!(examples >= 4, "{examples} examples were found");
}
