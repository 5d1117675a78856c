//! One golden file per shape and situation: the file's account and its canonical rows, as text that a
//! person reads. `UPDATE_EXPECTED=1` writes them anew.

#[path = "program/archives.rs"]
mod archives;
#[path = "program/cases.rs"]
mod cases;
mod program;
#[path = "program/tar_archive.rs"]
mod tar_archive;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use archives::zip;
use program::{COLUMNS, Place};
use serde_json::Value;
use tar_archive::tar;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

/// The inputs, by their names below the folder.
fn inputs() -> Vec<String> {
    let mut inputs = Vec::new();
    for shape in fs::read_dir(folder()).expect("the fixtures") {
        let shape = shape.expect("an entry").path();
        if !shape.is_dir() {
            continue;
        }
        for input in fs::read_dir(&shape).expect("a folder") {
            let input = input.expect("an entry").path();
            if input.extension().is_some_and(|extension| extension != "expected") {
                let name = input.strip_prefix(folder()).expect("below it").display().to_string();
                inputs.push(name);
            }
        }
    }
    inputs.sort();
    inputs
}

/// The account of a file as lines.
fn account(file: &Value) -> String {
    let mut text = String::new();
    for key in ["fate", "detail", "shape", "framing", "encoding", "compression"] {
        if let Some(value) = file[key].as_str() {
            writeln!(text, "{key}: {value}").expect("memory");
        }
    }
    for key in ["records", "rows", "rejected", "not_sign_ins"] {
        writeln!(text, "{key}: {}", file[key]).expect("memory");
    }
    for (reason, count) in file["rejected_by_reason"].as_object().expect("reasons") {
        writeln!(text, "rejected, {reason}: {count}").expect("memory");
    }
    for column in file["missing_columns"].as_array().expect("columns") {
        writeln!(text, "missing column: {}", column.as_str().expect("a name")).expect("memory");
    }
    text
}

/// A row as lines, without what it does not say.
fn row(row: &Value) -> String {
    let mut text = String::new();
    for column in COLUMNS.split(", ").map(str::trim) {
        match &row[column] {
            Value::Null => {}
            Value::String(value) => writeln!(text, "{column}: {value}").expect("memory"),
            value => writeln!(text, "{column}: {value}").expect("memory"),
        }
    }
    text
}

/// What each input became, by its path in the report.
fn outcomes(place: &Place, arguments: &[&str]) -> BTreeMap<String, String> {
    let dry: Vec<&str> = arguments.iter().copied().chain(["--dry-run"]).collect();
    let planned = place.ingest("lake", &dry);
    let done = place.ingest("lake", arguments);
    for count in ["files", "records", "rows", "rejected", "not_sign_ins", "files_refused", "files_empty"] {
        assert_eq!(planned[count], done[count], "a dry run says what an ingest does: {count}");
    }
    let mut outcomes = BTreeMap::new();
    for file in planned["each"].as_array().expect("files") {
        let path = file["path"].as_str().expect("a path").to_owned();
        outcomes.insert(path, account(file));
    }
    let query = format!(
        "SELECT s.path, {COLUMNS} FROM sign_in_records r JOIN sources s ON s.source_id = r.source_id \
         ORDER BY s.path, r.source_offset, r.sign_in_id"
    );
    for found in place.sql("lake", &query) {
        let text = outcomes.get_mut(found["path"].as_str().expect("a path")).expect("an input");
        write!(text, "\n{}", row(&found)).expect("memory");
    }
    outcomes
}

/// Compares with the golden file, or writes it.
fn compare(golden: &Path, found: &str, wrong: &mut Vec<String>) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(golden, found).expect("written");
        return;
    }
    let expected = fs::read_to_string(golden).unwrap_or_default();
    if expected != found {
        wrong.push(format!("{}: expected\n{expected}\nfound\n{found}", golden.display()));
    }
}

#[test]
fn every_shape_gives_the_rows_that_its_golden_file_holds() {
    let place = Place::new();
    let names = inputs();
    for name in &names {
        place.write(name, &fs::read(folder().join(name)).expect("a fixture"));
    }
    let tenants = folder().join("tenants.csv").display().to_string();
    let arguments: Vec<&str> = names.iter().map(String::as_str).chain(["--tenants-from", &tenants]).collect();
    let outcomes = outcomes(&place, &arguments);
    let mut wrong = Vec::new();
    for name in &names {
        let golden = folder().join(name).with_extension("expected");
        compare(&golden, &outcomes[name], &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    place.run("lake", &["lake", "verify"]);
}

#[test]
fn members_of_an_archive_become_what_they_are_as_files() {
    let members: Vec<(String, Vec<u8>)> = inputs()
        .into_iter()
        .filter(|name| name.starts_with("portal_csv/") && !name.contains("without-tenant"))
        .map(|name| (name.clone(), fs::read(folder().join(&name)).expect("a fixture")))
        .collect();
    assert!(members.len() > 5);
    let tar = tar(&members);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &tar).expect("memory");
    let archives = [
        ("downloads.zip", "zip", zip(&members)),
        ("downloads.tar", "tar", tar.clone()),
        ("downloads.tar.gz", "tar", gzip.finish().expect("memory")),
        ("outer.zip/downloads.tar", "tar", zip(&[("downloads.tar".to_owned(), tar)])),
    ];
    for (archive, compression, bytes) in archives {
        let place = Place::new();
        let file = archive.split('/').next().expect("a name");
        place.write(file, &bytes);
        let outcomes = outcomes(&place, &[file, "--tenant", "11111111-aaaa-4000-8000-000000000001"]);
        for (name, _) in &members {
            let golden = fs::read_to_string(folder().join(name).with_extension("expected")).expect("golden");
            let found = outcomes[&format!("{archive}/{name}")]
                .replace(&format!("compression: {compression}"), "compression: none");
            assert_eq!(found, golden, "{archive}/{name}");
        }
    }
}

/// What broke: every archive that was made on a Mac ended with exit code 3.
#[test]
fn what_macos_puts_into_archives_is_passed_over() {
    let record = r#"{"time":"2026-10-05T08:15:30Z","category":"SignInLogs","tenantId":"33333333-cccc-4000-8000-000000000003","properties":{"id":"1"}}"#;
    let member = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    let members = [
        member("logs/PT1H.json", record.as_bytes()),
        member("logs/.DS_Store", b"\0\0\0\x01Bud1\0\0\x10\0"),
        member("__MACOSX/logs/._PT1H.json", b"\0\x05\x16\x07\0\x02\0\0Mac OS X        \0\x02"),
    ];
    let place = Place::new();
    place.write("logs.zip", &zip(&members));
    place.write("logs.tar", &tar(&members));
    // `run` ends with an error unless the exit code is 0.
    place.run("zip", &["ingest", "logs.zip"]);
    place.run("tar", &["ingest", "logs.tar"]);
    for lake in ["zip", "tar"] {
        assert_eq!(place.csv(lake, "SELECT path FROM sources").len(), 1, "{lake}");
    }
}

/// What broke: of two members of one name the first was lost without a word.
#[test]
fn of_two_zip_members_of_one_name_both_are_read() {
    let record = |id: u32| {
        let record = format!(
            r#"{{"time":"2026-10-05T08:15:30Z","category":"SignInLogs","tenantId":"33333333-cccc-4000-8000-000000000003","properties":{{"id":"{id}"}}}}"#
        );
        ("log.json".to_owned(), record.into_bytes())
    };
    let place = Place::new();
    place.write("logs.zip", &zip(&[record(1), record(2)]));
    place.ingest("lake", &["logs.zip"]);
    let sources = place.csv("lake", "SELECT path, rows FROM sources ORDER BY path");
    assert_eq!(sources, ["logs.zip/log.json,1", "logs.zip/log.json (2),1"]);
}

#[test]
fn a_workbook_is_refused_once_also_in_an_archive_and_an_empty_archive_is_empty() {
    let part = |name: &str| (name.to_owned(), b"<xml/>".to_vec());
    let workbook = zip(&["[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"].map(part));
    let place = Place::new();
    place.write("book.xlsx", &workbook);
    place.write("in.zip", &zip(&[("book.xlsx".to_owned(), workbook), ("empty.zip".to_owned(), zip(&[]))]));
    for (file, empty) in [("book.xlsx", 0), ("in.zip", 1)] {
        let told = place.ingest("lake", &[file]);
        let counts = [&told["files_refused"], &told["files_empty"], &told["files"]];
        assert_eq!(counts, [&Value::from(1), &empty.into(), &(1 + empty).into()], "{told:#}");
        let detail = told["refused"][0]["detail"].as_str().expect("why");
        assert!(detail.contains("Excel workbook") && detail.contains("CSV UTF-8"), "{detail}");
    }
}

/// What is told of a file beside its account.
#[test]
fn a_person_is_told_what_a_file_lacks_and_how_it_was_decoded() {
    let place = Place::new();
    let header = "\"Id\",\"CreatedDateTime\",\"UserPrincipalName\",\"ClientAppUsed\",\"Status\"\n";
    let row = "\"1\",\"2026-10-05T08:15:30Z\",\"j@example.com\",\"IMAP4\",\"[object Object]\"\n";
    place.write("objects.csv", format!("{header}{row}").as_bytes());
    place.write("header.csv", header.as_bytes());
    let without = "Date (UTC),Request ID,Username,Status\n2026-10-05T08:15:30Z,2,J\u{f6}rg,Success\n";
    place
        .write("without.csv", &lightsout_formats::encoding::Encoding::Windows1252.encode(without.as_bytes()));
    let tenant = ["--tenant", "11111111-aaaa-4000-8000-000000000001"];
    for (file, more, words) in [
        (
            "objects.csv",
            &["--covers", "2026-10-01..2026-10-10"][..],
            &["[object Object]", "--covers", "--category"][..],
        ),
        ("header.csv", &[], &["holds no records"]),
        (
            "without.csv",
            &[],
            &["Windows-1252", "lacks the column of the client app", "1 record of unknown category"],
        ),
    ] {
        let told = place.ingest(&format!("lake-{file}"), &[&[file][..], &tenant, more].concat());
        let advice = told["advice"].to_string();
        assert!(words.iter().all(|word| advice.contains(word)), "{file}: {told:#}");
    }
}

/// Such inputs differ in size, or have none yet, so nothing tells beforehand that they are the same.
#[test]
fn the_same_content_in_an_archive_beside_it_and_from_stdin_is_ingested_once() {
    let place = Place::new();
    let record = |at: usize| {
        let padding = "x".repeat(2_000);
        format!(
            "{{\"time\":\"2026-10-05T10:00:00Z\",\"category\":\"SignInLogs\",\"tenantId\":\"0c0a5b1e-0000-4000-8000-000000000001\",\"properties\":{{\"id\":\"{at}\",\
             \"x\":\"{padding}\"}}}}\n"
        )
    };
    let log = (0..600).map(record).collect::<String>().into_bytes();
    assert!(log.len() > 1 << 20, "more than what is read as a whole");
    // The second member is stored as it is.
    let members = [("other.txt".to_owned(), b" ".to_vec()), ("log.json".to_owned(), log.clone())];
    place.write("log.zip", &zip(&members));
    place.write("log.json", &log);
    for (lake, inputs) in
        [("one", ["log.json", "log.zip"]), ("two", ["log.zip", "log.json"]), ("three", ["-", "log.json"])]
    {
        let arguments = ["ingest", inputs[0], inputs[1], "--json", "--lake", lake, "--quiet"];
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_lightsout"));
        let stdin = fs::File::open(place.path("log.json")).expect("the log");
        let output = program
            .args(arguments)
            .current_dir(place.path("."))
            .stdin(stdin)
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{inputs:?}: {}", String::from_utf8_lossy(&output.stderr));
        let told: Value = serde_json::from_slice(&output.stdout).expect("a run report");
        let counts = [&told["files_ingested"], &told["files_seen_before"], &told["rows"]];
        assert_eq!(counts, [&Value::from(1), &1.into(), &600.into()], "{told:#}");
        let files = fs::read_dir(place.path(lake).join("sign_in_records"))
            .expect("the table")
            .flatten()
            .filter(|folder| folder.path().is_dir() && folder.file_name() != "_delta_log")
            .map(|folder| fs::read_dir(folder.path()).expect("a folder").count())
            .sum::<usize>();
        let known = place.csv(lake, "SELECT count(*) AS n FROM sign_in_records");
        assert_eq!(known, ["600"]);
        assert!(files > 0 && files <= 2, "{files}: nothing is left of what was read in vain");
    }
}
