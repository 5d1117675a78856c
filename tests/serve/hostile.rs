//! Who means no good: refused or stopped, and the server goes on.

use std::time::{Duration, Instant};

use crate::server::Server;

/// A query that has no end in the life of a test, and takes little memory.
pub(crate) const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 100000) AS a(x) \
     CROSS JOIN generate_series(1, 1000000000) AS b(y) WHERE (x * y) % 7 = 3";

#[test]
fn what_writes_or_reads_files_is_refused_by_its_name() {
    let server = Server::start(&[]);
    for (sql, code, told) in [
        ("INSERT INTO sources SELECT * FROM sources", "25006", "cannot execute INSERT"),
        ("UPDATE sources SET path = ''", "25006", "cannot execute UPDATE"),
        ("DELETE FROM sources", "25006", "cannot execute DELETE"),
        ("TRUNCATE sources", "25006", "cannot execute TRUNCATE"),
        ("DROP TABLE sources", "25006", "cannot execute DROP TABLE"),
        ("CREATE TABLE t AS SELECT 1", "25006", "cannot execute CREATE TABLE"),
        ("CREATE VIEW v AS SELECT 1", "25006", "cannot execute CREATE VIEW"),
        ("SELECT 1 INTO t", "25006", "cannot execute"),
        ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "25006", "CREATE EXTERNAL TABLE"),
        ("COPY sources TO '/tmp/stolen.csv'", "25006", "cannot execute COPY"),
        ("COPY sources TO PROGRAM 'cat'", "25006", "to the client only: COPY (query) TO STDOUT"),
        ("COPY sources FROM STDIN", "25006", "cannot execute COPY"),
        ("COPY (SELECT * FROM '/etc/passwd') TO STDOUT", "42P01", "not files or addresses"),
        ("DECLARE c CURSOR WITH HOLD FOR SELECT * FROM '/etc/passwd'", "42P01", "not files or addresses"),
        ("BEGIN READ WRITE", "25006", "this server is read-only"),
        ("EXPLAIN ANALYZE INSERT INTO sources SELECT * FROM sources", "25006", "cannot execute INSERT"),
        ("PREPARE p AS DELETE FROM sources", "25006", "cannot execute DELETE"),
        ("SET datafusion.catalog.information_schema = false", "42501", "permission denied"),
        ("SELECT set_config('datafusion.execution.batch_size', '1', false)", "", "permission denied"),
        ("SELECT * FROM '/etc/passwd'", "42P01", "not files or addresses"),
        ("SELECT * FROM read_csv('/etc/passwd')", "", "no table function"),
        ("SELECT pg_read_file('/etc/passwd')", "42883", "there is no function pg_read_file"),
        ("SELECT * FROM sign_in", "42P01", "did you mean sign_ins?"),
        ("SELECT usr FROM sign_ins", "42703", "there is no column usr"),
        ("SELEC 1", "42601", "expected"),
    ] {
        let Some(error) = server.error(sql) else { return };
        assert!(error.contains(told) && error.contains(code), "{sql}: {error}");
        assert!(!error.contains("root:"), "{sql}: {error}");
    }
    assert!(!std::path::Path::new("/tmp/stolen.csv").exists());
    assert_eq!(server.rows("SELECT 1").expect("psql"), "1");
}

#[test]
fn a_query_of_ten_megabytes_is_not_looked_at() {
    let server = Server::start(&[]);
    server.place.write("long.sql", format!("SELECT '{}';", "x".repeat(10 << 20)).as_bytes());
    server
        .place
        .write("deep.sql", format!("SELECT {}1{};", "(".repeat(50_000), ")".repeat(50_000)).as_bytes());
    for (name, expected) in [("long.sql", "it is 10.0 MiB of SQL"), ("deep.sql", "brackets are open")] {
        let file = server.place.path(name).display().to_string();
        let Some(output) = server.psql(&["-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-f", &file])
        else {
            return;
        };
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(expected), "{name}: {told}");
    }
    assert_eq!(server.rows("SELECT 1").expect("psql"), "1");
}

#[test]
fn a_query_has_its_time() {
    let server = Server::start(&["--timeout", "3s"]);
    let started = Instant::now();
    let Some(error) = server.error(ENDLESS) else { return };
    assert!(error.contains("57014") && error.contains("statement timeout"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    let output = server
        .psql_with(&["-v", "VERBOSITY=verbose", "-c", ENDLESS], &[("PGOPTIONS", "-c statement_timeout=300")])
        .expect("psql");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("57014") && told.contains("300 ms"), "{told}");
    assert_eq!(server.rows("SELECT 1").expect("psql"), "1");
    assert!(server.is_running());
}

/// Joins heard of no end before the last pair of a batch: minutes, with nothing of it to be seen outside.
#[test]
fn what_is_stopped_computes_no_more() {
    let server = Server::start(&["--timeout", "2s"]);
    // No pair is right, so that nothing ever comes out of the join.
    let silent = "SELECT count(*) FROM generate_series(1, 3000000) AS a(x) \
                  JOIN generate_series(1, 1000000000) AS b(y) ON x + y < 0";
    for sql in [silent, ENDLESS] {
        // More than there are threads.
        for _ in 0..4 {
            let Some(error) = server.error(sql) else { return };
            assert!(error.contains("57014"), "{error}");
        }
    }
    std::thread::sleep(Duration::from_secs(1));
    let before = server.processor_seconds();
    std::thread::sleep(Duration::from_secs(2));
    let computed = server.processor_seconds() - before;
    assert!(computed < 0.5, "{computed} s of two");
}

#[test]
fn a_query_has_its_memory_and_its_rows() {
    let server = Server::start(&["--memory-limit", "64MB", "--limit", "1000"]);
    let much = "SELECT array_length(array_agg(repeat('x', 1000) || x::text)) FROM generate_series(1, 200000) AS t(x)";
    let Some(error) = server.error(much) else { return };
    assert!(error.contains("53200") && error.contains("64 MiB"), "{error}");
    let error = server.error("SELECT x FROM generate_series(1, 1001) AS t(x)").expect("psql");
    assert!(error.contains("54000") && error.contains("1000 rows"), "{error}");
    assert!(server.error("SELECT range(0, 100000000000)").expect("psql").contains("are made"));
    assert_eq!(server.rows("SELECT count(*) > 0 FROM sign_ins").expect("psql"), "t");
    assert!(server.is_running());
}

#[test]
fn bytes_that_are_no_protocol_end_their_connection_alone() {
    use std::io::{Read as _, Write as _};
    let server = Server::start(&[]);
    for bytes in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0, 0, 0, 8, 0, 3, 0, 0, b'Q', 0x7f, 0xff, 0xff, 0xff]]
    {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.pg_port)).expect("a connection");
        stream.write_all(bytes).expect("sent");
        stream.set_read_timeout(Some(Duration::from_secs(1))).expect("set");
        // Whatever it answers, or nothing.
        let _ = stream.read(&mut [0; 512]);
    }
    if let Some(one) = server.rows("SELECT 1") {
        assert_eq!(one, "1");
    }
    assert!(server.is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_end_is_refused() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let server = Server::start(&[]);
    let mut stream =
        tokio::net::TcpStream::connect(("127.0.0.1", server.pg_port)).await.expect("a connection");
    let mut start = vec![0, 0, 0, 0, 0, 3, 0, 0];
    start.extend_from_slice(b"user\0anybody\0database\0lightsout\0\0");
    start[3] = u8::try_from(start.len()).expect("short");
    stream.write_all(&start).await.expect("sent");
    let mut answer = vec![0; 4096];
    while !answer.contains(&b'Z') {
        assert!(stream.read(&mut answer).await.expect("an answer") > 0);
    }
    // A text of a gigabyte, of which some comes.
    stream.write_all(&[b'Q', 0x3f, 0, 0, 0]).await.expect("sent");
    let some = vec![b' '; 1 << 20];
    for _ in 0..200 {
        if stream.write_all(&some).await.is_err() {
            break;
        }
    }
    let mut told = Vec::new();
    // It is closed while we still write.
    let _ = stream.read_to_end(&mut told).await;
    let told = String::from_utf8_lossy(&told);
    assert!(told.is_empty() || told.contains("at most 16 MiB"), "{told}");
    assert!(server.memory_peak_bytes() < 512 << 20, "{}", server.memory_peak_bytes());
    assert!(server.is_running());
}

#[test]
fn one_client_leaves_room_for_pages() {
    let server = Server::start(&["--timeout", "20s"]);
    let Some(command) = crate::server::psql(server.pg_port) else { return };
    drop(command);
    let mut greedy: Vec<std::process::Child> = (0..12)
        .map(|_| {
            let mut command = crate::server::psql(server.pg_port).expect("psql");
            command.args(["-c", ENDLESS]).stderr(std::process::Stdio::null()).spawn().expect("psql")
        })
        .collect();
    let started = Instant::now();
    while server.health("/queries_at_work") < 6 {
        assert!(started.elapsed() < Duration::from_secs(15), "they are not at work");
        std::thread::sleep(Duration::from_millis(100));
    }
    let answer = server.get("/", "Host: localhost\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"), "{}", &answer[..answer.len().min(300)]);
    assert!(server.health("/queries_at_work") <= 7);
    for client in &mut greedy {
        let _ = client.kill();
        let _ = client.wait();
    }
}
