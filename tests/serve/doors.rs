//! Who may come in: on loopback anybody, beyond it nobody without password and TLS.

use std::process::Command;

use crate::program::Place;
use crate::server::{LAKE, Server, lake, psql, text};

fn refused(flags: &[&str]) -> String {
    let place = Place::new();
    let output = place.tries(LAKE, &[&["serve"], flags].concat());
    assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", text(&output.stderr));
    text(&output.stderr)
}

#[test]
fn beyond_loopback_it_does_not_start_without_password_and_tls() {
    let told = refused(&["--pg", "0.0.0.0:0"]);
    assert!(told.contains("--pg: expected a loopback address"), "{told}");
    assert!(told.contains("found '0.0.0.0:0 without a password and TLS'"), "{told}");
    let told = refused(&["--pg", "off", "--http", "[::]:8080"]);
    assert!(told.contains("--http: ") && told.contains("--tls-cert FILE --tls-key FILE"), "{told}");
    assert!(refused(&["--pg", "off", "--http", "off"]).contains("because --pg is off"));
    assert!(refused(&["--pg", "somewhere"]).contains("127.0.0.1:5433, or off"));
    let place = Place::new();
    place.write("short", b"secret\n");
    place.write("none.pem", b"nothing\n");
    let (short, none) =
        (place.path("short").display().to_string(), place.path("none.pem").display().to_string());
    assert!(refused(&["--password-file", &short]).contains("at least 8 characters"));
    assert!(refused(&["--tls-cert", &none, "--tls-key", &none]).contains("it holds no certificate"));
    assert!(refused(&["--tls-cert", &none]).contains("--tls-key"));
}

/// Makes a certificate; false where there is no openssl.
fn certified(key: &str, certificate: &str) -> bool {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-keyout", key, "-out", certificate])
        .output();
    let is_made = made.is_ok_and(|made| made.status.success());
    if !is_made {
        eprintln!("skipped: there is no openssl on this machine");
    }
    is_made
}

#[test]
fn beyond_loopback_the_password_is_asked_for_over_tls() {
    let place = lake();
    let (key, certificate) =
        (place.path("key.pem").display().to_string(), place.path("cert.pem").display().to_string());
    if !certified(&key, &certificate) {
        return;
    }
    place.write("password", b"correct horse\n");
    let password = place.path("password").display().to_string();
    let flags = [
        "--pg",
        "0.0.0.0:0",
        "--http",
        "0.0.0.0:0",
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
        "--password-file",
        &password,
    ];
    let server = Server::over(place, &flags, &[]);
    if psql(server.pg_port).is_none() {
        return;
    }
    let ask = |mode: &str, password: &str| {
        let variables = [("PGSSLMODE", mode), ("PGPASSWORD", password)];
        server.psql_with(&["-A", "-t", "-c", "SELECT count(*) > 0 FROM sign_ins"], &variables).expect("psql")
    };
    let right = ask("require", "correct horse");
    assert_eq!(text(&right.stdout), "t\n", "{}", text(&right.stderr));
    let plain = text(&ask("disable", "correct horse").stderr);
    assert!(plain.contains("expected an encrypted connection"), "{plain}");
    let wrong = text(&ask("require", "wrong horse").stderr);
    assert!(wrong.to_lowercase().contains("password authentication failed"), "{wrong}");
    if Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let status = |path: &str, arguments: &[&str]| {
        let address = format!("https://127.0.0.1:{}/{path}", server.http_port);
        let common = ["-s", "-k", "-o", "/dev/null", "-w", "%{http_code}", &address];
        text(&Command::new("curl").args(common).args(arguments).output().expect("curl").stdout)
    };
    assert_eq!(status("", &[]), "401");
    assert_eq!(status("", &["-u", "me:wrong horse"]), "401");
    assert_eq!(status("", &["-u", "me:correct horse"]), "200");
    assert_eq!(status("healthz", &[]), "200", "what watches over servers has no password");
}

#[test]
fn with_a_certificate_no_password_is_taken_without_it() {
    let place = lake();
    let (key, certificate) =
        (place.path("key.pem").display().to_string(), place.path("cert.pem").display().to_string());
    if !certified(&key, &certificate) {
        return;
    }
    let flags = ["--tls-cert", &certificate, "--tls-key", &key];
    let server = Server::over(place, &flags, &[("LIGHTSOUT_PASSWORD", "correct horse")]);
    let ask = |mode: &str| {
        let variables = [("PGSSLMODE", mode), ("PGPASSWORD", "correct horse")];
        server.psql_with(&["-A", "-t", "-c", "SELECT 1"], &variables)
    };
    let Some(plain) = ask("disable") else { return };
    assert!(text(&plain.stderr).contains("expected an encrypted connection"), "{}", text(&plain.stderr));
    assert_eq!(text(&ask("require").expect("psql").stdout), "1\n");
}

#[test]
fn an_empty_password_is_a_mistake() {
    let place = Place::new();
    let output = Command::new(env!("CARGO_BIN_EXE_lightsout"))
        .args(["serve", "--lake"])
        .arg(place.path(LAKE))
        .env("LIGHTSOUT_PASSWORD", "")
        .output()
        .expect("the program starts");
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("LIGHTSOUT_PASSWORD: expected a password of at least 8 characters, found 'none'"),
        "{told}"
    );
}

/// What opens connections and says nothing, or says it slowly, is closed, and holds up nobody meanwhile.
#[test]
fn connections_that_never_come_in_hold_up_nobody() {
    use std::io::{Read as _, Write as _};
    let server = Server::start(&[]);
    let open = |port: u16, first: &[u8]| {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        stream.write_all(first).expect("sent");
        stream
    };
    let started = std::time::Instant::now();
    // One less than an address may have outside.
    let mut silent: Vec<_> = (0..63).map(|_| open(server.pg_port, &[0, 0])).collect();
    let mut slow: Vec<_> =
        (0..100).map(|_| open(server.http_port, b"GET / HTTP/1.1\r\nHost: local")).collect();
    if let Some(one) = server.rows("SELECT 1") {
        assert_eq!(one, "1");
    }
    assert!(server.get("/healthz", "Host: localhost\r\n").starts_with("HTTP/1.1 200"));
    // A start that claims to be long is not waited for.
    let mut long = open(server.pg_port, &[0x3f, 0xff, 0xff, 0xff, 0, 3, 0, 0]);
    for stream in silent.iter_mut().chain(&mut slow).chain([&mut long]) {
        stream.set_read_timeout(Some(std::time::Duration::from_secs(40))).expect("set");
        let ended = stream.read_to_end(&mut Vec::new());
        assert!(!matches!(&ended, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock), "{ended:?}");
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(38), "{:?}", started.elapsed());
    assert!(server.is_running());
}

/// A start with options that are refused, and a query sent along with it.
#[test]
fn a_start_that_fails_lets_nobody_in() {
    use std::io::{Read as _, Write as _};
    let server = Server::over(lake(), &[], &[("LIGHTSOUT_PASSWORD", "correct horse")]);
    for options in ["-c nonsense=1", ""] {
        let mut start = vec![0, 3, 0, 0];
        for text in ["user", "anybody", "database", "lightsout", "options", options] {
            start.extend_from_slice(text.as_bytes());
            start.push(0);
        }
        start.push(0);
        let sql = b"SELECT 'let' || ' in'\0";
        let mut sent = u32::try_from(start.len() + 4).expect("short").to_be_bytes().to_vec();
        sent.extend(start);
        // A password message that is none.
        sent.extend([b'p', 0, 0, 0, 8, 0, 0, 0, 0]);
        sent.push(b'Q');
        sent.extend(u32::try_from(sql.len() + 4).expect("short").to_be_bytes());
        sent.extend(sql);
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.pg_port)).expect("a connection");
        stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).expect("set");
        stream.write_all(&sent).expect("sent");
        let mut answer = Vec::new();
        // It is closed by the server, or reset.
        let _ = stream.read_to_end(&mut answer);
        let answer = text(&answer);
        // Bytes that are no message end the connection without a word.
        assert!(options.is_empty() || answer.contains("FATAL"), "{answer:?}");
        assert!(!answer.contains("let in"), "{answer:?}");
    }
    assert!(server.is_running());
}

#[test]
fn another_database_is_told_the_name_of_the_one() {
    let server = Server::start(&[]);
    let Some(mut command) = psql(server.pg_port) else { return };
    let output = command.args(["-d", "postgres", "-c", "SELECT 1"]).output().expect("psql");
    assert!(
        text(&output.stderr).contains("there is one, as in: psql -d lightsout"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn the_health_page_tells_the_lakes_versions_to_this_machine_alone() {
    let server = Server::start(&[]);
    let answer = server.get("/healthz", "Host: localhost:8080\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(server.health("/lake/sign_in_records") > 0);
    let foreign = server.get("/healthz", "Host: evil.example\r\n");
    assert!(foreign.starts_with("HTTP/1.1 421"), "{foreign}");
}

#[test]
fn the_metrics_count_queries_and_name_nobody() {
    let server = Server::start(&[]);
    let number = |name: &str| -> f64 {
        let answer = server.get("/metrics", "Host: localhost\r\n");
        assert!(answer.contains("text/plain; version=0.0.4"), "{answer}");
        let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.expect(&answer).parse().expect("a number")
    };
    let before = number("lightsout_queries_total");
    if server.rows("SELECT x FROM generate_series(1, 3) AS t(x)").is_none() {
        return;
    }
    server.error("SELECT no_such_column FROM sign_ins");
    assert!(number("lightsout_queries_total") >= before + 2.0);
    assert!(number("lightsout_queries_failed_total") >= 1.0);
    assert!(number("lightsout_query_rows_total") >= 3.0);
    assert!(number("lightsout_lake_readable") > 0.0);
}

#[test]
fn a_polite_kill_ends_it_at_once() {
    let server = Server::start(&[]);
    let started = std::time::Instant::now();
    assert_eq!(server.terminated(), Some(0));
    assert!(started.elapsed() < std::time::Duration::from_secs(8));
}
