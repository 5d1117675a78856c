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
    assert!(refused(&["--pg", "off", "--http", "off"]).contains("as --pg is off"));
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

#[test]
fn beyond_loopback_the_password_is_asked_for_over_tls() {
    let place = lake();
    let (key, certificate) =
        (place.path("key.pem").display().to_string(), place.path("cert.pem").display().to_string());
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
        .args(["-subj", "/CN=localhost", "-keyout", &key, "-out", &certificate])
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        eprintln!("skipped: there is no openssl on this machine");
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
    let address = format!("https://127.0.0.1:{}/healthz", server.http_port);
    let status = |arguments: &[&str]| {
        let common = ["-s", "-k", "-o", "/dev/null", "-w", "%{http_code}", &address];
        text(&Command::new("curl").args(common).args(arguments).output().expect("curl").stdout)
    };
    assert_eq!(status(&[]), "401");
    assert_eq!(status(&["-u", "me:wrong horse"]), "401");
    assert_eq!(status(&["-u", "me:correct horse"]), "200");
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
fn a_polite_kill_ends_it_at_once() {
    let server = Server::start(&[]);
    let started = std::time::Instant::now();
    assert_eq!(server.terminated(), Some(0));
    assert!(started.elapsed() < std::time::Duration::from_secs(8));
}
