//! Rows, time and memory of a query.

use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{asked, place, program, stderr, stdout};

/// Rows without end, at no cost of memory.
const ENDLESS: &str = "WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";

#[test]
fn a_limit_cuts_rows_and_says_that_there_are_more() {
    let sql = "SELECT x FROM (VALUES (1), (2), (3)) AS t(x) ORDER BY x";
    let cut = asked(&[sql, "--limit", "2"]);
    assert_eq!((stdout(&cut).as_str(), cut.status.code()), ("x\n1\n2\n", Some(0)));
    assert_eq!(stderr(&cut).trim(), "only the first 2 rows are shown, the limit of --limit; there are more");
    let whole = asked(&[sql, "--limit", "3"]);
    assert_eq!((stdout(&whole).as_str(), stderr(&whole).as_str()), ("x\n1\n2\n3\n", ""));
    let none = asked(&[sql, "--limit", "0"]);
    assert_eq!(stdout(&none), "x\n");
    assert!(stderr(&none).contains("only the first 0 rows"));
    // The first rows of what has no end are had at once.
    assert_eq!(stdout(&asked(&[ENDLESS, "--limit", "2", "--timeout", "30s"])), "x\n1\n2\n");
    // Reports as well.
    let report = program(&["report", "protocol_usage", "--limit", "1", "--as-of", "2026-11-02"]);
    let report = { report }.output().expect("the program starts");
    assert_eq!(stdout(&report).lines().count(), 2, "{}", stderr(&report));
    assert!(stderr(&report).contains("only the first 1 rows"), "{}", stderr(&report));
}

#[test]
fn what_never_ends_is_stopped_by_time() {
    let counted = format!("SELECT count(*) FROM ({ENDLESS}) AS t");
    let crossed = "SELECT count(*) FROM sign_in_records a, sign_in_records b, sign_in_records c, sign_in_records d \
                   WHERE a.sign_in_id || b.sign_in_id <> c.sign_in_id || d.sign_in_id";
    for sql in [counted.as_str(), crossed] {
        let started = Instant::now();
        let output = asked(&[sql, "--timeout", "1500ms"]);
        assert_eq!(output.status.code(), Some(1), "{sql}");
        let told = stderr(&output);
        assert!(
            told.starts_with("lightsout: query sql: stopped after 1500ms, the limit of --timeout"),
            "{told}"
        );
        assert!(told.contains("--timeout 6s"), "the way out: {told}");
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }
}

#[test]
fn what_needs_too_much_memory_is_stopped_by_it() {
    let sql = "SELECT array_agg(DISTINCT a.sign_in_id || b.sign_in_id || c.source_offset) AS x \
               FROM sign_in_records a, sign_in_records b, sign_in_records c";
    let output = asked(&[sql, "--memory-limit", "64MiB", "--timeout", "120s"]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.starts_with("lightsout: query sql: it needs more memory than the 64MiB of --memory-limit"),
        "{told}"
    );
    assert!(told.contains("--memory-limit 256MiB"), "the way out: {told}");
}

#[test]
fn wrong_limits_are_told() {
    for (flag, value, expected) in [
        ("--timeout", "soon", "expected seconds, minutes or hours as in 10s, 5m or 1h, found 'soon'"),
        ("--timeout", "0s", "expected seconds"),
        ("--timeout", "10", "expected seconds"),
        ("--memory-limit", "1KB", "expected at least 64MB"),
        ("--limit", "-1", "--limit"),
    ] {
        let output = asked(&["SELECT 1", &format!("{flag}={value}")]);
        assert_eq!(output.status.code(), Some(2), "{flag} {value}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn rows_go_out_as_they_come_and_who_reads_the_start_alone_ends_the_query() {
    // A table is measured by its first ten thousand rows; a recursive query is slow to make as many.
    let sql = "SELECT value FROM generate_series(1, 100000000000)";
    for format in ["csv", "ndjson", "json", "table"] {
        let mut child = program(&["sql", sql, "--format", format, "--timeout", "60s"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut start = [0; 2_000];
        let mut out = child.stdout.take().expect("a pipe");
        std::io::Read::read_exact(&mut out, &mut start).expect("rows, though there is no last one");
        drop(out);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{format}");
    }
}

#[test]
fn a_file_is_there_as_a_whole_or_not_at_all() {
    let path = place().path("answer.csv");
    let file = path.display().to_string();
    let left = || -> Vec<String> {
        let folder = std::fs::read_dir(path.parent().expect("a folder")).expect("a folder");
        let names = folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains("answer.csv")).collect()
    };
    let stopped = asked(&[ENDLESS, "--output", &file, "--timeout", "1s"]);
    assert_eq!((stopped.status.code(), left()), (Some(1), vec![]));
    assert!(asked(&["SELECT 1 AS x", "--output", &file]).status.success());
    let stopped = asked(&[ENDLESS, "--output", &file, "--timeout", "1s"]);
    assert_eq!((stopped.status.code(), left()), (Some(1), vec!["answer.csv".to_owned()]));
    assert_eq!(std::fs::read_to_string(&path).expect("the old answer"), "x\n1\n");
    let nowhere = asked(&["SELECT 1", "--output", "no/such/folder/x.csv"]);
    assert!(stderr(&nowhere).contains("no/such/folder/x.csv"), "{}", stderr(&nowhere));
}

/// Peak memory of a run, in MiB.
#[cfg(target_os = "linux")]
fn peak_mib(arguments: &[&str], stdout: &std::path::Path) -> u64 {
    let out = File::create(stdout).expect("a file");
    let mut child = program(arguments).stdin(Stdio::null()).stdout(out).spawn().expect("the program starts");
    let mut peak = 0;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) / 1024);
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success());
            return peak;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_answer_larger_than_memory_should_be_is_not_held() {
    // Every record beside each of 250 others, always the same: more than half a million rows of 200 bytes and more.
    let sql = "SELECT a.sign_in_id, a.tenant_id, b.user_agent, b.tenant_id AS other, b.source_id \
               FROM sign_in_records a CROSS JOIN (SELECT * FROM sign_in_records \
               ORDER BY user_agent DESC NULLS LAST, sign_in_id, source_offset LIMIT 250) AS b";
    let base = peak_mib(&["sql", "SELECT 1"], &place().path("small.csv"));
    for format in ["csv", "ndjson", "json", "parquet", "table"] {
        let out = place().path(&format!("large.{format}"));
        let peak = peak_mib(&["sql", sql, "--format", format], &out);
        let mib = std::fs::metadata(&out).expect("a file").len() >> 20;
        // A Parquet file of these rows is small, and what it was made of is not.
        assert!(mib > 100 || format == "parquet", "{format}: {mib} MiB");
        // Measured: 10 to 45 MiB, the most for a table.
        assert!(peak < base + 90, "{format}: {peak} MiB at the peak, {base} MiB for a single row");
        std::fs::remove_file(&out).expect("removed");
    }
}
