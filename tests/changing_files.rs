//! Files that somebody writes to while they are read: each line is recorded once in the end, and never half a file
//! under the name of the whole. The writer is `tests/changing/writer.c`, which is loaded into the program.
#![cfg(target_os = "linux")]

mod program;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use program::Place;
use serde_json::Value;

const LAKE: &str = "lake";
const TENANT: &str = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c";
/// Lines of a file that is read in one step, and of one that is read in several.
const LINES: [(u32, &str); 2] = [(20, "small"), (6_000, "large")];

fn lines(ids: std::ops::Range<u32>) -> String {
    let mut text = String::new();
    for id in ids {
        writeln!(
            text,
            r#"{{"time":"2026-10-05T08:{:02}:{:02}Z","category":"SignInLogs","tenantId":"{TENANT}","properties":{{"id":"10000000-0000-4000-8000-{id:012}","createdDateTime":"2026-10-05T08:00:00Z","userPrincipalName":"ada@example.com","clientAppUsed":"IMAP4","status":{{"errorCode":0}}}}}}"#,
            id / 60 % 60,
            id % 60,
        )
        .expect("text");
    }
    text
}

/// The writer, compiled; `None` where there is no C compiler.
fn writer(place: &Place) -> Option<PathBuf> {
    let library = place.path("writer.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/changing/writer.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
    match compiled {
        Ok(status) => {
            assert!(status.success(), "the writer compiles");
            Some(library)
        }
        Err(error) => {
            eprintln!("SKIPPED: files that change while they are read: no C compiler (cc): {error}");
            None
        }
    }
}

/// Ingests while a command changes a file, as often as it is read but at most some times.
fn ingest(place: &Place, writer: &Path, file: &str, command: &str, times: u32, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lightsout"))
        .args(["ingest", "logs", "--json", "--jobs", "2", "--lake"])
        .arg(place.path(LAKE))
        .args(more)
        .current_dir(place.path(""))
        .env_remove("LIGHTSOUT_LAKE")
        .env("LD_PRELOAD", writer)
        .env("CHANGE_PATH", place.path(file).canonicalize().expect("the file"))
        .env("CHANGE_COMMAND", command)
        .env("CHANGE_TIMES", times.to_string())
        .output()
        .expect("the program starts")
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("a run report")
}

/// How often the lake holds the records of these lines, and that its accounts hold.
fn holds_each_once(place: &Place, ids: std::ops::Range<u32>, what: &str) {
    let held = place.csv(
        LAKE,
        "SELECT count(*), count(DISTINCT sign_in_id), min(right(sign_in_id, 12)), max(right(sign_in_id, 12)) \
         FROM sign_in_records",
    );
    let count = ids.len();
    assert_eq!(held, [format!("{count},{count},{:012},{:012}", ids.start, ids.end - 1)], "{what}");
    assert_eq!(place.csv(LAKE, "SELECT count(*) FROM rejects"), ["0"], "{what}");
    let verified = place.tries(LAKE, &["lake", "verify"]);
    assert!(verified.status.success(), "{what}: {}", String::from_utf8_lossy(&verified.stdout));
}

// Of 721 files that were written to while they were read, 16 lost lines.
#[test]
fn a_file_that_changes_while_it_is_read_is_read_again() {
    for (count, size) in LINES {
        let (half, all) = (count / 2, count * 2);
        let text = lines(0..count);
        let cut_inside_a_line = &text[..text.len() / 2 + 7];
        // What the file holds, what becomes of it while it is read, and the lines that are there then.
        let changes = [
            ("appended to", text.clone(), "cat more >> logs/a.json", 0..all),
            (
                "finished in the middle of a line",
                cut_inside_a_line.to_owned(),
                "cat whole > logs/a.json",
                0..count,
            ),
            ("replaced", lines(0..half), "cp whole new && mv new logs/a.json", 0..count),
            ("truncated", lines(0..count), "cat more > logs/a.json", count..all),
            ("rotated", lines(0..count), "cp logs/a.json a.1 && cat more > logs/a.json", count..all),
            (
                "moved away, and begun anew",
                lines(0..count),
                "mv logs/a.json a.1 && cat more > logs/a.json",
                count..all,
            ),
        ];
        for (change, before, command, ids) in changes {
            let what = format!("{size}, {change}");
            let place = Place::new();
            let Some(writer) = writer(&place) else { return };
            place.write("logs/a.json", before.as_bytes());
            place.write("whole", text.as_bytes());
            place.write("more", lines(count..all).as_bytes());
            let output = ingest(&place, &writer, "logs/a.json", command, 1, &[]);
            assert_eq!(output.status.code(), Some(0), "{what}: {}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(report(&output)["files_ingested"], 1, "{what}");
            holds_each_once(&place, ids, &what);
            let again = place.ingest(LAKE, &["logs"]);
            assert_eq!(again["files_seen_before"], 1, "{what}");
        }
    }
}

// Between the pass that named the file and the one that parsed it, another file took its place.
#[test]
fn a_file_is_named_by_the_bytes_that_were_parsed() {
    let place = Place::new();
    let Some(writer) = writer(&place) else { return };
    let (count, _) = LINES[1];
    // Two files of one size are hashed before they are parsed.
    place.write("logs/a.json", lines(0..count).as_bytes());
    place.write("logs/b.json", lines(count..2 * count).as_bytes());
    place.write("other", lines(2 * count..3 * count).as_bytes());
    // Neither size nor time tell.
    let command = "touch -r logs/a.json stamp && cat other > logs/a.json && touch -r stamp logs/a.json";
    let output = ingest(&place, &writer, "logs/a.json", command, 1, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    holds_each_once(&place, count..3 * count, "replaced by as many bytes");
}

#[test]
fn a_file_that_changes_each_time_it_is_read_is_left_for_the_next_ingest() {
    for (count, size) in LINES {
        let place = Place::new();
        let Some(writer) = writer(&place) else { return };
        place.write("logs/quiet.json", lines(0..10).as_bytes());
        place.write("logs/busy.json", lines(10..count).as_bytes());
        place.write("more", lines(count..count + 1).as_bytes());
        let command = "cat more >> logs/busy.json";
        // Also where files that can't be recognised are passed.
        let output = ingest(&place, &writer, "logs/busy.json", command, 9, &["--skip-unrecognised"]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{size}: {told}");
        assert!(
            told.contains("refused logs/busy.json: it changed while it was read")
                && told.contains("ingest it again when its writer has finished"),
            "{told}"
        );
        let report = report(&output);
        assert_eq!(report["files_changing"], 1, "{report}");
        assert_eq!(report["refused"][0]["path"], "logs/busy.json");
        holds_each_once(&place, 0..10, size);
        let doubts = "SELECT path, fate FROM sources WHERE fate = 'refused'";
        assert_eq!(place.csv(LAKE, doubts), ["logs/busy.json,refused"]);

        // It was appended to as often as it was read.
        let text = std::fs::read_to_string(place.path("logs/busy.json")).expect("the file");
        assert_eq!(text.lines().count(), usize::try_from(count).expect("a count") - 10 + 2);
        place.write("logs/busy.json", lines(10..count + 2).as_bytes());
        place.ingest(LAKE, &["logs"]);
        holds_each_once(&place, 0..count + 2, size);
    }
}

#[test]
fn an_archive_changes_as_a_whole() {
    let place = Place::new();
    let Some(writer) = writer(&place) else { return };
    let (count, _) = LINES[1];
    let archive = |name: &str, ids: [std::ops::Range<u32>; 2]| {
        let mut tar = tar::Builder::new(Vec::new());
        for (member, ids) in ["a.json", "b.json"].into_iter().zip(ids) {
            let text = lines(ids);
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append_data(&mut header, member, text.as_bytes()).expect("a member");
        }
        place.write(name, &tar.into_inner().expect("an archive"));
    };
    archive("logs/logs.tar", [0..10, 10..count]);
    archive("other.tar", [0..count, count..2 * count]);
    let output = ingest(&place, &writer, "logs/logs.tar", "cat other.tar > logs/logs.tar", 1, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(report(&output)["files_ingested"], 2);
    holds_each_once(&place, 0..2 * count, "a tar archive");
    let output = ingest(&place, &writer, "logs/logs.tar", "cat other.tar >> logs/logs.tar", 9, &[]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(report(&output)["refused"][0]["path"], "logs/logs.tar");
    holds_each_once(&place, 0..2 * count, "a tar archive that goes on changing");
}
