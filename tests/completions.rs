//! Shells complete what the program takes, and each command has a page in the manual.

use std::path::Path;
use std::process::{Command, Stdio};

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lightsout")).args(arguments).output().expect("it starts");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn script(shell: &str) -> String {
    printed(&["completions", shell])
}

/// What bash offers after these words, the last of which is being typed.
fn offered(words: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("completions");
    std::fs::write(&path, script("bash")).expect("a file");
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let [.., last] = quoted.as_slice() else { panic!("no word") };
    let before = quoted.iter().rev().nth(1).map_or("lightsout", String::as_str);
    let line = format!(
        "source '{}'; COMP_WORDS=(lightsout {}); COMP_CWORD={}; _lightsout lightsout {last} {before}; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        path.display(),
        quoted.join(" "),
        quoted.len(),
    );
    let output = Command::new("bash").args(["-c", &line]).stderr(Stdio::inherit()).output().expect("bash");
    assert!(output.status.success(), "{line}");
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_values_and_reports_with_their_own_flags() {
    assert_eq!(offered(&["ass"]), ["assess"]);
    assert_eq!(offered(&["campaign", "opt"]), ["opt-out", "opt-in"]);
    assert_eq!(offered(&["ingest", "--max-rej"]), ["--max-rejects"]);
    assert_eq!(offered(&["sql", "--format", "nd"]), ["ndjson"]);
    assert_eq!(offered(&["report", "who_is"]), ["who_is_left"]);
    assert_eq!(offered(&["report", "top_users", "--to"]), ["--top"]);
}

#[test]
fn every_shell_has_a_script_that_knows_the_reports() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = script(shell);
        for word in ["assess", "who_is_left", "--as-of"] {
            let word = if shell == "fish" { word.trim_start_matches('-') } else { word };
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
}

#[test]
fn every_command_has_a_page_in_the_manual() {
    let folder = tempfile::tempdir().expect("a folder");
    let man = folder.path().join("share/man1");
    printed(&["man", &man.display().to_string()]);
    let page = |command: &str| -> String {
        let path = Path::new(&man).join(format!("lightsout-{command}.1"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let help = printed(&["--help"]);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        // Not the rest of a description.
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.len() > 10, "{help}");
    for command in commands {
        let page = page(command);
        assert!(page.contains(".SH SYNOPSIS") && page.contains(".SH OPTIONS"), "{command}: {page}");
    }
    assert!(page("campaign-announce").contains("announce"), "commands below others have theirs too");
}

#[test]
fn a_file_is_no_folder_for_the_manual() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_lightsout"))
        .arg("man")
        .arg(file.path())
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("expected a folder") && said.contains(&file.path().display().to_string()),
        "{said}"
    );
}
