//! What a user sees: each block of `tests/cli/*.txt` holds arguments, exit code, stdout and stderr.
//! The blocks of a file run one after the other in one folder, which `[DIR]` stands for.
//! `UPDATE_EXPECTED=1` rewrites the files; read the diff as a user.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Opens a block; the rest of the line are the arguments, a blank inside one is written `\ `.
const PROMPT: &str = "$ lightsout";

fn snapshots() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of snapshots")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    files
}

const OPERATOR: &str = r#"
[operator]
name = "Example Cloud Services"
contact = "the service desk, +1 555 0100"
reply_to = "basic-auth@example.com"
"#;

/// Files that the blocks name.
fn furnish(folder: &Path) {
    let tenant = "00000000-0000-4000-8000-000000000001";
    let record = format!(
        r#"{{"time":"2026-10-05T08:20:00Z","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"{tenant}","properties":{{"id":"10000000-0000-4000-8000-000000000001","createdDateTime":"2026-10-05T08:15:00Z","userPrincipalName":"ada@example.com","clientAppUsed":"IMAP4","status":{{"errorCode":0}}}}}}"#
    );
    fs::write(folder.join("one.json"), record).expect("a file");
    fs::write(folder.join("roster.csv"), format!("tenant_id,exlude,colour\n{tenant},true,red\n"))
        .expect("a file");
    fs::write(folder.join("campaign.toml"), "name = 'mine'\nwindow_days = 'thirty'\n").expect("a file");
    let built_in = include_str!("../src/config/campaigns/basic-auth-all-protocols.toml");
    fs::write(folder.join("operated.toml"), format!("{built_in}{OPERATOR}")).expect("a file");
    for (path, sql) in QUERIES {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("its folder")).expect("a folder");
        fs::write(path, sql).expect("a file");
    }
}

/// Folders of somebody's own queries, right and wrong.
const QUERIES: [(&str, &str); 9] = [
    (
        "mine/clients.sql",
        "-- Client apps by tenant.\n-- Params: $top bigint default 5 = rows, at most; $like text default '%' =\n\
         --   a pattern of the client app; $tenant text = a tenant id, or * for all\n\
         -- Columns: tenant_id, client_app text; sign_ins bigint\n\
         SELECT tenant_id, client_app, count(*) AS sign_ins\nFROM sign_ins\n\
         WHERE client_app LIKE $like AND ($tenant = '*' OR tenant_id = $tenant)\n\
         GROUP BY tenant_id, client_app\nORDER BY sign_ins DESC, tenant_id, client_app\nLIMIT $top;\n",
    ),
    ("mine/short.sql", "-- Nothing but a purpose.\nSELECT 1 AS one\n"),
    ("wrong/headless.sql", "SELECT 1\n"),
    (
        "wrong/default.sql",
        "-- Rows.\n-- Reads: rejects\n-- Params: $top bigint = rows\nSELECT 1 LIMIT $top\n",
    ),
    ("wrong/flag.sql", "-- Rows.\n-- Params: $format text default csv = a format\nSELECT $format\n"),
    ("wrong/writes.sql", "-- It writes.\nDELETE FROM rejects\n"),
    ("wrong/two.sql", "-- Two statements.\nSELECT 1;\nSELECT 2\n"),
    ("wrong/right.sql", "-- A query among wrong ones.\nSELECT 'here' AS where_it_is\n"),
    ("taken/who.sql", "-- Mine.\nSELECT 1\n"),
];

fn arguments(line: &str) -> Vec<String> {
    let blank = "\u{1f}";
    line.replace("\\ ", blank).split_whitespace().map(|word| word.replace(blank, " ")).collect()
}

/// Runs one block and tells it as the file does.
fn told(line: &str, folder: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lightsout"))
        .args(arguments(line.trim_start_matches(PROMPT)))
        .current_dir(folder)
        .env_remove("LIGHTSOUT_LAKE")
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let mut told = format!("{line}\nexit code: {}\n", output.status.code().expect("it ends by itself"));
    let folder = folder.canonicalize().expect("the folder").display().to_string();
    for (name, bytes) in [("stdout", output.stdout), ("stderr", output.stderr)] {
        let text = String::from_utf8(bytes).expect("text").replace(&folder, "[DIR]");
        let _ = writeln!(told, "--- {name}");
        for line in text.lines() {
            // What the lake can do has its own tests.
            let line = if line.starts_with("  lake ") { "  lake      [..]" } else { line };
            told.push_str(line.trim_end());
            told.push('\n');
        }
    }
    told
}

#[test]
fn every_block_says_what_it_said() {
    let mut wrong = Vec::new();
    for path in snapshots() {
        let expected = fs::read_to_string(&path).expect("a snapshot");
        let place = tempfile::tempdir().expect("a temporary folder");
        furnish(place.path());
        let blocks: Vec<String> = expected
            .lines()
            .filter(|line| line.starts_with(PROMPT))
            .map(|line| told(line, place.path()))
            .collect();
        let found = blocks.join("\n");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, &found).expect("a file");
        } else if expected != found {
            wrong.push(format!("{}\nexpected:\n{expected}\nfound:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_line_of_help_is_wider_than_a_terminal() {
    for path in snapshots() {
        let text = fs::read_to_string(&path).expect("a snapshot");
        for block in
            text.split(PROMPT).filter(|block| block.lines().next().is_some_and(|l| l.ends_with("help")))
        {
            for line in block.lines() {
                assert!(line.chars().count() <= 79, "{}: {line}", path.display());
            }
        }
    }
}
