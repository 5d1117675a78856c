//! What `--output` writes: the name of the file tells the format, and a name that tells none or another is refused before
//! anything is asked.

use super::{asked, place, program, stderr};

#[test]
fn the_name_of_the_file_tells_the_format() {
    let sql = "SELECT '=1+1' AS text, 7 AS n";
    let written = |name: &str| {
        let output = asked(&[sql, "--output", name]);
        assert!(output.status.success(), "{name}: {}", stderr(&output));
        std::fs::read(place().path(name)).expect("a file")
    };
    assert_eq!(written("rows.csv"), b"text,n\n'=1+1,7\n");
    assert_eq!(written("rows.json"), b"[{\"text\":\"=1+1\",\"n\":7}]\n");
    assert_eq!(written("rows.NDJSON"), b"{\"text\":\"=1+1\",\"n\":7}\n");
    assert_eq!(written("rows.md"), b"| text | n |\n| --- | ---: |\n| \\=1+1 | 7 |\n");
    assert!(written("rows.txt").starts_with(b"+--"));
    assert!(written("rows.parquet").starts_with(b"PAR1"));
    assert!(written("rows.xlsx").starts_with(b"PK"));
    // A report, and a list that a command writes, go the same way.
    for arguments in
        [&["report", "top_users", "--output", "top.xlsx"][..], &["report", "--output", "list.xlsx"]]
    {
        let output = program(arguments).output().expect("the program starts");
        assert!(output.status.success(), "{}", stderr(&output));
        let name = arguments.last().expect("a name");
        assert!(std::fs::read(place().path(name)).expect("a file").starts_with(b"PK"));
    }
}

#[test]
fn a_name_that_tells_nothing_or_another_format_is_refused_before_the_query() {
    for (arguments, told) in [
        (
            &["--output", "x.xls"][..],
            "--output: expected a name that ends with one of .txt, .csv, .json, .ndjson, .parquet, .xlsx, .md, or --format beside it, found 'x.xls'",
        ),
        (&["--output", "x"], "found 'x'"),
        (
            &["--output", "x.csv", "--format", "parquet"],
            "--format: expected csv, which the name x.csv implies, or another name, found 'parquet'",
        ),
        (
            &["--format", "xlsx"],
            "--format: expected a file to write a workbook into, as in --output report.xlsx",
        ),
        (&["--expanded", "--format", "csv"], "--expanded: expected a table"),
    ] {
        let output = asked(&[&["SELECT * FROM no_such_table"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
    }
    assert!(!place().path("x.csv").exists());
    // With a format beside it any name will do, and SQL is no rows.
    assert!(asked(&["SELECT 1", "--output", "rows.data", "--format", "csv"]).status.success());
    let output = program(&["report", "who", "--explain", "--as-of", "2026-11-02", "--output", "who.sql"]);
    assert!({ output }.output().expect("the program starts").status.success());
}

#[test]
fn what_excel_cannot_hold_leaves_no_file() {
    let output = asked(&["SELECT repeat('x', 40000) AS long", "--output", "long.xlsx"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("row 1 has 40000 in its column long"), "{}", stderr(&output));
    assert!(!place().path("long.xlsx").exists());
}
