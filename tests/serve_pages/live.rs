//! Commits that come while it is served, and many who ask at once.

use std::time::{Duration, Instant};

use crate::client::between;
use crate::program::{Place, sample};
use crate::server::{LAKE, Server};

/// The decision that a page shows.
fn decision(page: &str) -> String {
    between(page, "<dt>Decision</dt><dd><code>", "</code>").to_owned()
}

#[test]
fn what_is_ingested_is_shown_without_a_restart() {
    let place = Place::new();
    place.ingest(LAKE, &[&sample("logs/array")]);
    let server = Server::over(place, &["--as-of", "2026-11-02"], &[]);
    let before = decision(&server.page("/").body);
    assert_eq!(decision(&server.page("/").body), before);
    server.place.ingest(LAKE, &[&sample("logs")]);
    let started = Instant::now();
    let after = loop {
        let page = server.page("/").body;
        if decision(&page) != before {
            break page;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "the page stays as it was");
        std::thread::sleep(Duration::from_millis(200));
    };
    let json = server.place.run(LAKE, &["assess", "--as-of", "2026-11-02", "--out", "out", "--json"]).stdout;
    let assessed: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(decision(&after), assessed["decision_id"].as_str().expect("an id"));
}

#[test]
fn what_takes_too_long_is_stopped_and_said_and_the_server_goes_on() {
    let server = Server::start(&["--timeout", "1ms"]);
    let answer = server.ask("GET", "/");
    assert_eq!(answer.status, 504);
    assert!(answer.text().contains("stopped after 1ms") && answer.text().contains("--timeout"));
    assert_eq!(server.ask("GET", "/healthz").status, 200);
    assert!(server.is_running());
}

#[test]
fn many_readers_of_many_ranges_are_all_answered_and_health_does_not_wait_for_them() {
    let server = Server::start(&[]);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..24)
            .map(|n: u32| {
                let server = &server;
                scope.spawn(move || server.ask("GET", &format!("/?as_of=2026-11-02&days={}", 5 + n % 6)))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(50));
        let started = Instant::now();
        assert_eq!(server.ask("GET", "/healthz").status, 200);
        let waited = started.elapsed();
        assert!(waited < Duration::from_secs(5), "health waited for {waited:?}");
        let decisions: Vec<String> = readers
            .into_iter()
            .map(|reader| {
                let answer = reader.join().expect("an answer");
                assert_eq!(answer.status, 200, "{}", answer.body);
                decision(&answer.body)
            })
            .collect();
        for (n, id) in decisions.iter().enumerate() {
            assert_eq!(*id, decisions[n % 6], "the same range has the same answer");
        }
    });
}

#[test]
fn an_empty_lake_is_shown_as_one() {
    let place = Place::new();
    place.write("logs/empty.json", b"");
    place.run(LAKE, &["ingest", &place.path("logs").display().to_string()]);
    let server = Server::over(place, &[], &[]);
    assert!(server.page("/").body.contains("There is no tenant to assess."));
}
