//! The commands of `src/serve/README.md` as they stand there, except for the ports.

use std::process::Command;

use crate::server::{Server, psql, text};

#[test]
fn the_commands_of_the_readme_run() {
    let readme = include_str!("../../src/serve/README.md");
    let commands: Vec<&str> =
        readme.lines().filter(|line| line.starts_with("psql ") || line.starts_with("curl ")).collect();
    assert!(commands.len() > 3, "{commands:?}");
    let server = Server::start(&[]);
    if psql(server.pg_port).is_none() {
        return;
    }
    for command in commands {
        let here = command
            .replace("5433", &server.pg_port.to_string())
            .replace("8080", &server.http_port.to_string());
        let output = Command::new("sh")
            .args(["-c", &here])
            .current_dir(server.place.path("."))
            .output()
            .expect("a shell");
        assert!(output.status.success(), "{command}: {}", text(&output.stderr));
    }
    let who = std::fs::read_to_string(server.place.path("who.csv")).expect("the file");
    assert!(who.lines().count() > 1, "{who}");
}
