//! The README as a newcomer uses it: its examples print what it says they print, the commands of its campaign run in
//! their order, and its links lead somewhere.

#![cfg(unix)] // The examples are for a shell.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const README: &str = include_str!("../README.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty folder with the program in its path and a copy of the sample data.
struct Newcomer {
    folder: PathBuf,
}

impl Newcomer {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let newcomer = Self { folder };
        let copied =
            newcomer.types(&format!("cp -R '{}' .", root().join("sample-data").display()), "2026-11-28");
        assert!(copied.status.success(), "{}", text(&copied.stderr));
        newcomer
    }

    /// Runs a command line in a shell, with both streams as a terminal mixes them.
    fn types(&self, line: &str, today: &str) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_lightsout")).parent().expect("a folder");
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
        Command::new("sh")
            .args(["-c", &format!("{line} 2>&1")])
            .current_dir(&self.folder)
            .env("PATH", path)
            .env("LIGHTSOUT_CLOCK", format!("{today}T09:30:00Z"))
            .env_remove("LIGHTSOUT_LAKE")
            .output()
            .expect("a shell")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The blocks of the README that are marked as `kind`.
fn blocks(kind: &str) -> Vec<&'static str> {
    let fence = format!("```{kind}\n");
    let blocks = README.split(&fence).skip(1);
    blocks.filter_map(|rest| rest.split("```").next()).collect()
}

/// Each command of an example, `$ ` before it, with the lines that it is said to print.
fn examples() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut examples: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in blocks("console").iter().flat_map(|block| block.lines()) {
        match (line.strip_prefix("$ "), examples.last_mut()) {
            (Some(command), _) => examples.push((command, Vec::new())),
            (None, Some((_, printed))) => printed.push(line),
            (None, None) => panic!("{line}: expected a command first"),
        }
    }
    examples
}

/// Whether the lines are these, where `...` stands for any number of lines.
fn matches(printed: &[&str], expected: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((&"...", rest)) => (0..=printed.len()).any(|skipped| matches(&printed[skipped..], rest)),
        Some((line, rest)) => printed.first() == Some(line) && matches(&printed[1..], rest),
    }
}

#[test]
fn dots_stand_for_any_number_of_lines_and_nothing_else() {
    assert!(matches(&["a", "b", "c"], &["a", "...", "c"]));
    assert!(matches(&["a", "c"], &["a", "...", "c", "..."]));
    assert!(!matches(&["a", "b", "c"], &["a", "c"]));
    assert!(!matches(&["a", "b"], &["a"]));
}

#[test]
fn the_examples_print_what_the_readme_says() {
    let newcomer = Newcomer::new("readme-examples");
    let examples = examples();
    assert!(examples.len() >= 4, "{examples:?}");
    for (command, expected) in examples {
        assert!(!expected.is_empty(), "{command}: the README shows nothing of what it prints");
        let output = newcomer.types(command, "2026-11-28");
        let printed = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{command}\n{printed}");
        let lines: Vec<&str> = printed.lines().collect();
        assert!(matches(&lines, &expected), "{command}\nexpected\n{}\nfound\n{printed}", expected.join("\n"));
    }
    for file in ["out/report.html", "out/assessment.csv", "out/run.json", "out/lists/manifest.json"] {
        assert!(newcomer.folder.join(file).is_file(), "{file}");
    }
}

#[test]
fn the_first_commands_are_those_of_a_fresh_clone() {
    let first = blocks("").into_iter().next().expect("a block");
    let (build, example) = (first.lines().next().expect("a line"), examples()[0].0);
    assert_eq!(build.replace("cargo run --", "lightsout"), example);
}

#[test]
fn the_campaign_of_the_readme_runs_until_logs_are_missing() {
    let newcomer = Newcomer::new("readme-campaign");
    let done = newcomer.types(
        "lightsout campaign show smtp-auth-2026 > mine.toml && cp sample-data/roster.csv . && cp -R sample-data/logs logs",
        "2026-11-02",
    );
    assert!(done.status.success(), "{}", text(&done.stdout));
    let campaign = newcomer.folder.join("mine.toml");
    let shown = std::fs::read_to_string(&campaign).expect("a campaign");
    // "Uncomment its [operator] section", as far as it is needed.
    let uncommented: Vec<&str> = shown
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest)
                if ["[operator]", "name =", "contact =", "reply_to ="]
                    .iter()
                    .any(|word| rest.starts_with(word)) =>
            {
                rest
            }
            _ => line,
        })
        .collect();
    // The German contact has the name of the English one: only the first is of the section.
    let (operator, translated) = uncommented
        .join("\n")
        .split_once("# [operator.translations.de]")
        .map(|(before, after)| (before.to_owned(), after.replace("\ncontact =", "\n# contact =")))
        .expect("the section");
    std::fs::write(&campaign, format!("{operator}# [operator.translations.de]{translated}")).expect("a file");

    let steps: Vec<&str> =
        blocks("sh")[0].lines().map(|line| line.split('#').next().unwrap_or(line).trim()).collect();
    assert_eq!(steps.len(), 7, "{steps:?}");
    for step in steps {
        let today = if step.contains(" apply ") { "2026-12-31" } else { "2026-11-02" };
        let output = newcomer.types(step, today);
        let printed = text(&output.stdout);
        // The sample logs end on 3 November: on the day of the change every tenant is put on hold, and no script
        // was run whose result could be confirmed.
        let expected = if step.contains(" apply ") {
            4
        } else if step.contains(" confirm ") {
            2
        } else {
            0
        };
        assert_eq!(output.status.code(), Some(expected), "{step}\n{printed}");
    }
}

#[test]
fn every_link_of_the_readme_leads_to_a_file_and_a_heading_of_it() {
    let targets: Vec<&str> = README.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(targets.len() > 10, "{targets:?}");
    for target in targets {
        if target.starts_with("http") {
            continue;
        }
        let (file, heading) = target.split_once('#').unwrap_or((target, ""));
        let path = root().join(if file.is_empty() { "README.md" } else { file });
        assert!(path.exists(), "{target}");
        if !heading.is_empty() {
            let text = std::fs::read_to_string(path).expect("a Markdown file");
            let headings = text.lines().filter(|line| line.starts_with('#'));
            let anchor = |line: &str| line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-");
            assert!(headings.map(anchor).any(|anchor| anchor == heading), "{target}");
        }
    }
}
