//! SQL that would read or write outside the lake, that is too large, or that never ends.

use std::fmt::Write as _;

use super::{asked, asked_by_stdin, place, refusal, stderr, stdout};

#[test]
fn no_file_and_no_address_is_read() {
    let file = place().path("secret.csv");
    std::fs::write(&file, "secret\nyes\n").expect("a file");
    let file = file.display().to_string();
    for from in [
        "'/etc/passwd'",
        "\"/etc/passwd\"",
        &format!("'{file}'"),
        &format!("'file://{file}'"),
        "'https://127.0.0.1/x.parquet'",
        "'s3://bucket/x.parquet'",
        "'./lake/sources/'",
        "'*.csv'",
    ] {
        let told = refusal(&format!("SELECT * FROM {from}"));
        assert!(told.starts_with("lightsout: query sql: there is no table "), "{from}: {told}");
        assert!(told.contains("not files or addresses"), "{from}: {told}");
    }
    for function in
        ["read_csv", "read_parquet", "read_json", "csv_scan", "parquet_metadata", "glob", "lo_import"]
    {
        let told = refusal(&format!("SELECT * FROM {function}('{file}')"));
        assert!(told.contains(&format!("there is no table function {function}")), "{told}");
        let told = refusal(&format!("SELECT {function}('{file}')"));
        assert!(told.contains(&format!("there is no function {function}")), "{told}");
    }
    for function in ["pg_read_file", "load_extension", "getenv", "current_setting", "pg_sleep"] {
        let told = refusal(&format!("SELECT {function}('x')"));
        assert!(told.contains("there is no function"), "{told}");
    }
}

#[test]
fn nothing_is_written_and_no_session_is_changed() {
    let target = place().path("written.csv");
    let out = target.display().to_string();
    for (sql, found) in [
        (format!("COPY sign_ins TO '{out}'"), "COPY"),
        (format!("COPY (SELECT 1) TO '{out}' STORED AS CSV"), "COPY"),
        (format!("EXPLAIN ANALYZE COPY sign_ins TO '{out}'"), "COPY"),
        (format!("EXPLAIN COPY sign_ins TO '{out}'"), "COPY"),
        ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'".to_owned(), "CREATE EXTERNAL TABLE"),
        ("CREATE TABLE t AS SELECT 1".to_owned(), "CREATE TABLE"),
        ("CREATE OR REPLACE VIEW sign_ins AS SELECT 1".to_owned(), "CREATE"),
        ("CREATE SCHEMA s".to_owned(), "CREATE SCHEMA"),
        ("CREATE DATABASE d".to_owned(), "CREATE DATABASE"),
        ("CREATE FUNCTION f() RETURNS INT RETURN 1".to_owned(), "CREATE FUNCTION"),
        ("DROP TABLE decisions".to_owned(), "DROP TABLE"),
        ("ALTER TABLE decisions ADD COLUMN x INT".to_owned(), "ALTER TABLE"),
        ("TRUNCATE TABLE decisions".to_owned(), "TRUNCATE"),
        ("INSERT INTO decisions SELECT * FROM decisions".to_owned(), "INSERT"),
        ("UPDATE decisions SET campaign = 'x'".to_owned(), "UPDATE"),
        ("DELETE FROM decisions".to_owned(), "DELETE"),
        ("MERGE INTO decisions USING sources ON true WHEN MATCHED THEN DELETE".to_owned(), "MERGE"),
        ("SET datafusion.execution.target_partitions = 1".to_owned(), "SET"),
        ("RESET datafusion.execution.target_partitions".to_owned(), "RESET"),
        ("PREPARE p AS SELECT 1".to_owned(), "PREPARE"),
        ("EXECUTE p".to_owned(), "EXECUTE"),
        ("DEALLOCATE p".to_owned(), "DEALLOCATE"),
        ("BEGIN".to_owned(), "BEGIN"),
        ("COMMIT".to_owned(), "COMMIT"),
        ("GRANT SELECT ON decisions TO public".to_owned(), "GRANT"),
        ("CALL something()".to_owned(), "CALL"),
    ] {
        let told = refusal(&sql);
        let expected =
            "query sql: only read-only statements are allowed (SELECT, EXPLAIN, SHOW, DESCRIBE); found ";
        let told = told.strip_prefix("lightsout: ").expect("an error").trim();
        assert!(told.starts_with(&format!("{expected}{found}")), "{sql}: {told}");
    }
    for sql in ["SELECT 1 INTO t", "WITH x AS (INSERT INTO decisions SELECT 1) SELECT * FROM x"] {
        refusal(sql);
    }
    assert!(!target.exists(), "nothing was written");
    let told = refusal("SELECT 1; DROP TABLE decisions");
    assert!(told.contains("found DROP TABLE"), "nothing of such a text is asked: {told}");
    assert_eq!(stdout(&asked(&["SELECT count(*) AS n FROM decisions"])), "n\n2\n");
}

#[test]
fn queries_that_are_too_large_are_refused_and_no_stack_runs_over() {
    let repeated = |text: &str, times: usize| text.repeat(times);
    let brackets = format!("SELECT {}1{}", repeated("(", 100_000), repeated(")", 100_000));
    let cases = [
        (format!("SELECT '{}'", repeated("x", 10 << 20)), "10.0 MiB of SQL"),
        (format!("SELECT 1{}", repeated(" + 1", 2_600_000)), "MiB of SQL"),
        (format!("SELECT 1{}", repeated(" + 1", 200_000)), "more than 400 tokens"),
        (format!("SELECT 1 WHERE 1 = 2{}", repeated(" OR 1 = 2", 80_000)), "more than 400 tokens"),
        (format!("SELECT {}1", repeated("NOT ", 200_000)), "more than 400 tokens"),
        (brackets, "more than 50 brackets"),
        (format!("SELECT {}1{}", repeated("abs(", 60), repeated(")", 60)), "more than 50 brackets"),
        (format!("SELECT 1{}", repeated(" UNION ALL SELECT 1", 30_000)), "more than 200 joins or unions"),
        (format!("SELECT 1 FROM sources{}", repeated(", sources", 30_000)), "more than 200 joins or unions"),
        (repeated("(", 1_000_000), "more than 50 brackets"),
        (repeated("SELECT ", 100_000), "more than 400 tokens"),
        (format!("SELECT 1 FROM {}", repeated("(", 30)), "can be read in two ways"),
        (format!("SELECT 1 FROM {}", repeated("(", 100)), "can be read in two ways"),
        (
            format!("SELECT 1 FROM {}sources{}", repeated("(", 5_000), repeated(")", 5_000)),
            "read in two ways",
        ),
        (format!("SELECT {}1{}", repeated("CAST(", 40), repeated(" AS bigint)", 40)), "read in two ways"),
    ];
    for (sql, expected) in cases {
        let told = refusal(&sql);
        assert!(told.contains(expected), "{}: {told}", &sql[..40]);
        assert!(told.len() < 1_000, "{told}");
    }
    // Names of WITH: each twice the one before it.
    let mut sql = "WITH t0 AS (SELECT 1 AS x)".to_owned();
    for level in 1..40 {
        let before = level - 1;
        let _ = write!(sql, ", t{level} AS (SELECT a.x FROM t{before} AS a CROSS JOIN t{before} AS b)");
    }
    let told = refusal(&format!("{sql} SELECT * FROM t39"));
    assert!(told.contains("more than 1000 tables"), "{told}");
}

#[test]
fn what_is_just_within_the_bounds_is_answered() {
    let repeated = |text: &str, times: usize| text.repeat(times);
    let list = (0..20_000).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let mut joins = String::new();
    for n in 0..60 {
        let _ = write!(joins, " CROSS JOIN (SELECT 1 AS c{n}) AS t{n}");
    }
    for (sql, expected) in [
        (format!("SELECT 1{} AS x", repeated(" + 1", 195)), "x\n196\n"),
        (format!("SELECT 1 AS x WHERE true{}", repeated(" AND 1 = 1", 95)), "x\n1\n"),
        (format!("SELECT {}1{} AS x", repeated("(", 45), repeated(")", 45)), "x\n1\n"),
        (format!("SELECT {}-1{} AS x", repeated("abs(", 40), repeated(")", 40)), "x\n1\n"),
        (format!("SELECT 7 AS x WHERE 19999 IN ({list})"), "x\n7\n"),
        (
            format!("SELECT sum(x) AS x FROM (SELECT 1 AS x{}) AS t", repeated(" UNION ALL SELECT 1", 150)),
            "x\n151\n",
        ),
        (format!("SELECT count(*) AS x FROM (SELECT 1 AS c) AS t{joins}"), "x\n1\n"),
    ] {
        let output = asked_by_stdin(&["--timeout", "120s"], sql.as_bytes());
        assert_eq!(stdout(&output), expected, "{}: {}", &sql[..40], stderr(&output));
    }
}
