//! What a person at psql does.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lightsout_query::catalog::REPORTS;

use crate::program::sample;
use crate::server::{LAKE, Server, psql, text};

#[test]
fn psql_lists_and_describes_tables_and_views() {
    let server = Server::start(&[]);
    let Some(all) = server.rows("\\d") else { return };
    for line in ["public|sign_in_records|table|", "public|sign_ins|view|", "public|usage_by_protocol|view|"] {
        assert!(all.contains(line), "{line} is not in\n{all}");
    }
    assert!(!all.contains("rival_records"), "parts of views are not shown:\n{all}");
    let tables = server.rows("\\dt").expect("psql");
    assert!(tables.contains("|sources|table|") && !tables.contains("|view|"), "{tables}");
    let views = server.rows("\\dv").expect("psql");
    assert!(views.contains("|who|view|") && !views.contains("|table|"), "{views}");
    let records = server.rows("\\d sign_in_records").expect("psql");
    for column in ["tenant_id|text|", "signed_in_at|timestamp with time zone|", "error_code|bigint|"] {
        assert!(records.contains(column), "{column} is not in\n{records}");
    }
    let who = server.rows("\\d who").expect("psql");
    assert!(who.contains("user_name|text|"), "{who}");
    let databases = server.rows("\\l").expect("psql");
    assert!(databases.contains("lightsout|"), "{databases}");
}

#[test]
fn each_report_is_a_view_with_the_rows_of_the_report() {
    let server = Server::start(&[]);
    if psql(server.pg_port).is_none() {
        return;
    }
    for report in REPORTS {
        let of_report = server.place.run(LAKE, &["report", report.name, "--format", "ndjson"]);
        let rows = text(&of_report.stdout).lines().count();
        let counted = server.rows(&format!("SELECT count(*) FROM {}", report.name)).expect("psql");
        assert_eq!(counted, rows.to_string(), "{}", report.name);
    }
    let csv = |output: &[u8]| {
        let mut lines: Vec<String> = text(output).lines().map(str::to_owned).collect();
        lines[1..].sort_unstable();
        lines
    };
    let of_report = server.place.run(LAKE, &["report", "usage_by_protocol", "--format", "csv"]);
    let of_view = server.psql(&["--csv", "-c", "SELECT * FROM usage_by_protocol"]).expect("psql");
    assert_eq!(csv(&of_view.stdout)[0], csv(&of_report.stdout)[0], "the same columns");
    assert_eq!(csv(&of_view.stdout).len(), csv(&of_report.stdout).len());
}

#[test]
fn an_own_query_is_a_view_and_one_that_can_not_be_is_left_out() {
    let place = crate::server::lake();
    place.write("mine/loud.sql", include_bytes!("../../queries/usage_by_protocol.sql"));
    place.write("mine/broken.sql", b"-- Broken.\nSELECT nothing FROM nowhere\n");
    place.write("mine/tenants.sql", include_bytes!("../../queries/usage_by_protocol.sql"));
    let mine = place.path("mine").display().to_string();
    let server = Server::over(place, &["--queries", &mine], &[]);
    let Some(views) = server.rows("\\dv") else { return };
    assert!(views.contains("|loud|view|") && !views.contains("broken"), "{views}");
    let loud = server.rows("SELECT count(*) FROM loud").expect("psql");
    assert_eq!(loud, server.rows("SELECT count(*) FROM usage_by_protocol").expect("psql"));
    // The lake's own view of that name.
    assert!(server.rows("SELECT count(tenant_id) FROM tenants").is_some());
}

#[test]
fn new_commits_appear_without_a_restart() {
    let place = crate::program::Place::new();
    place.write("one.json", first_line().as_bytes());
    place.ingest(LAKE, &[&place.path("one.json").display().to_string()]);
    let server = Server::over(place, &[], &[]);
    let Some(before) = server.rows("SELECT count(*) FROM sign_in_records") else { return };
    let version = server.health("/lake/sign_in_records");
    server.place.ingest(LAKE, &[&sample("logs")]);
    let until = Instant::now() + Duration::from_secs(20);
    let after = loop {
        let after = server.rows("SELECT count(*) FROM sign_in_records").expect("psql");
        if after != before || Instant::now() > until {
            break after;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    let now = server.place.csv(LAKE, "SELECT count(*) FROM sign_in_records");
    assert_ne!(before, after);
    assert_eq!(after, now[0]);
    assert!(server.health("/lake/sign_in_records") > version);
}

#[test]
fn what_another_program_commits_is_said_once_while_it_serves() {
    let server = Server::start(&[]);
    let log = server.place.path("lake/sources/_delta_log");
    let newest = std::fs::read_dir(&log).expect("a log").flatten().map(|entry| entry.path()).max();
    let name =
        newest.and_then(|path| path.file_stem()?.to_str()?.parse::<u64>().ok()).expect("a version") + 1;
    let theirs = "{\"commitInfo\":{\"operation\":\"VACUUM START\",\"engineInfo\":\"another engine\"}}\n";
    std::fs::write(log.join(format!("{name:020}.json")), theirs).expect("a commit");
    let until = Instant::now() + Duration::from_secs(20);
    while server.said().is_empty() && Instant::now() < until {
        let Some(_) = server.rows("SELECT count(*) FROM sources") else { return };
        std::thread::sleep(Duration::from_millis(200));
    }
    let said = server.said();
    let expected = format!("version {name} of sources: VACUUM START by another engine");
    assert!(said.len() == 1 && said[0].contains(&expected), "{said:?}");
}

/// A record of the samples, as a file of its own.
fn first_line() -> String {
    let mut folders = vec![std::path::PathBuf::from(sample("logs"))];
    let is_record = |line: &&str| line.starts_with("{\"") && line.contains("SignInLogs");
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = std::fs::read_to_string(path).unwrap_or_default();
            if let Some(line) = file.lines().find(is_record) {
                return line.to_owned() + "\n";
            }
        }
    }
    panic!("the samples have no file of lines");
}

#[test]
fn statements_are_prepared_and_run_by_name() {
    let server = Server::start(&[]);
    let Some(mut command) = psql(server.pg_port) else { return };
    let mut child =
        command.args(["-A", "-t"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("psql");
    let script = "PREPARE mine (text, bigint) AS SELECT $1 || 'x', $2 + 1;\n\
                  EXECUTE mine('a', 41);\nDEALLOCATE mine;\nBEGIN;\nSELECT 1;\nCOMMIT;\n\
                  SET application_name = 'me'; SHOW application_name;\n";
    child.stdin.take().expect("stdin").write_all(script.as_bytes()).expect("sent");
    let output = child.wait_with_output().expect("psql ends");
    assert_eq!(text(&output.stdout), "PREPARE\nax|42\nDEALLOCATE\nBEGIN\n1\nCOMMIT\nSET\nme\n");
}

#[test]
fn psql_fetches_an_answer_in_parts() {
    let server = Server::start(&[]);
    let sql = "SELECT x FROM generate_series(1, 25) AS t(x)";
    let Some(parts) = server.psql(&["-A", "-t", "-v", "FETCH_COUNT=10", "-c", sql]) else { return };
    let numbers: Vec<String> = (1..=25).map(|number| number.to_string()).collect();
    assert_eq!(text(&parts.stdout).lines().collect::<Vec<_>>(), numbers, "{}", text(&parts.stderr));
}

#[test]
fn ctrl_c_at_psql_stops_the_query_and_not_the_session() {
    let server = Server::start(&[]);
    let Some(mut command) = psql(server.pg_port) else { return };
    let mut child = command
        .args(["-A", "-t"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("psql");
    let script = format!("{};\nSELECT 'still here';\n", crate::hostile::ENDLESS);
    child.stdin.take().expect("stdin").write_all(script.as_bytes()).expect("sent");
    wait_for(&server, 1);
    let started = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    let output = child.wait_with_output().expect("psql ends");
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(
        text(&output.stderr).contains("canceling statement due to user request"),
        "{}",
        text(&output.stderr)
    );
    // psql gives up on a script that is interrupted; the server does not.
    assert_eq!(server.rows("SELECT 'still here'").expect("psql"), "still here");
    wait_for(&server, 0);
}

#[test]
fn a_client_that_goes_away_takes_its_query_with_it() {
    let server = Server::start(&[]);
    let Some(mut command) = psql(server.pg_port) else { return };
    let mut child = command.args(["-c", crate::hostile::ENDLESS]).spawn().expect("psql");
    wait_for(&server, 1);
    child.kill().expect("killed");
    child.wait().expect("ended");
    wait_for(&server, 0);
}

/// Waits until so many queries are at work.
fn wait_for(server: &Server, at_work: u64) {
    let until = Instant::now() + Duration::from_secs(20);
    while server.health("/queries_at_work") != at_work {
        assert!(Instant::now() < until, "{at_work} queries at work");
        std::thread::sleep(Duration::from_millis(50));
    }
}
