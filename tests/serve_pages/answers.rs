//! What pages and downloads say of a lake.

use std::collections::BTreeMap;

use crate::client::{between, rows};
use crate::program::{Place, sample};
use crate::server::{LAKE, Server, lake};

const FILES: [&str; 6] = [
    "assessment.csv",
    "assessment.json",
    "protocol_usage.csv",
    "protocol_usage.json",
    "coverage_gaps.csv",
    "coverage_gaps.json",
];

/// The sample logs, assessed into a folder, then served.
fn assessed(flags: &[&str]) -> Server {
    let (place, roster) = (lake(), sample("roster.csv"));
    let mut arguments = vec!["assess", "--roster", &roster, "--out", "out"];
    arguments.extend(flags);
    place.run(LAKE, &arguments);
    Server::over(place, &["--roster", &roster], &[])
}

fn written(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path("out").join(name)).expect("a file")
}

fn csv(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let names = rows.headers().expect("a header").clone();
    let row = |row: csv::StringRecord| {
        names.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect::<BTreeMap<_, _>>()
    };
    rows.records().map(|found| row(found.expect("a row"))).collect()
}

#[test]
fn the_report_and_its_files_are_those_of_assess_and_looking_records_nothing() {
    let server = assessed(&[]);
    let before = server.page("/healthz").body;
    let page = server.page("/");
    let tenants = csv(&written(&server.place, "assessment.csv"));
    assert!(page.body.contains(&format!("<code>{}</code>", tenants[0]["decision_id"])));
    let listed = rows(&page.body, "tenants");
    assert_eq!(listed.len(), tenants.len());
    for tenant in &tenants {
        let row = listed.iter().find(|row| row[0].contains(&tenant["tenant_id"])).expect("a row");
        assert_eq!((&row[2], &row[3]), (&tenant["reasons"].replace([';', '_'], " "), &tenant["users"]));
    }
    let verdicts = ["warning", "insufficient_evidence", "no_impact", "excluded"];
    let told: Vec<usize> = between(&page.body, "<dl class=verdicts>", "</dl>")
        .split("<dd>")
        .skip(1)
        .map(|part| part.split_once('<').expect("an end").0.parse().expect("a count"))
        .collect();
    let counted =
        verdicts.map(|verdict| tenants.iter().filter(|tenant| tenant["verdict"] == verdict).count());
    assert_eq!(told, counted);
    assert!(counted.iter().all(|count| *count > 0), "the sample has them all");

    for name in FILES {
        let download = server.page(&page_link(&page.text(), name));
        assert_eq!(download.body, written(&server.place, name), "{name}");
        let disposition = format!("attachment; filename=\"{name}\"");
        assert_eq!(download.header("content-disposition"), disposition);
        let kind = if name.ends_with("csv") { "text/csv; charset=utf-8" } else { "application/json" };
        assert_eq!(download.header("content-type"), kind);
    }
    assert!(!page.text().contains("/lists/warning.csv\""), "a file that nobody wrote has no link");
    assert_eq!(server.page("/").body, page.body, "the same question has the same answer");
    assert_eq!(server.page("/healthz").body, before, "the lake is as it was");
}

/// The address of a download with the range of the page.
fn page_link(page: &str, name: &str) -> String {
    let range = between(page, "/download/assessment.csv?", "\"");
    format!("/download/{name}?{range}")
}

#[test]
fn a_range_changes_the_numbers_as_it_does_for_assess() {
    let server = assessed(&["--as-of", "2026-10-20", "--window-days", "7"]);
    let page = server.page("/?as_of=2026-10-20&days=7");
    let tenants = csv(&written(&server.place, "assessment.csv"));
    assert!(page.body.contains(&format!("<code>{}</code>", tenants[0]["decision_id"])));
    assert!(!server.page("/").body.contains(&tenants[0]["decision_id"]));
    for name in ["assessment.csv", "protocol_usage.json"] {
        let download = server.page(&format!("/download/{name}?as_of=2026-10-20&days=7"));
        assert_eq!(download.body, written(&server.place, name), "{name}");
    }
    // The range goes along with every link.
    let text = page.text();
    let led = text.split("href=\"/").skip(1).map(|part| part.split('"').next().expect("an end"));
    let led: Vec<&str> = led.filter(|address| !address.starts_with("?tenant=")).collect();
    assert!(
        led.len() > 20 && led.iter().all(|address| address.contains("as_of=2026-10-20&days=7")),
        "{led:?}"
    );
}

#[test]
fn tenants_are_found_by_name_domain_and_id() {
    let server = Server::start(&["--roster", &sample("roster.csv")]);
    let whole = server.page("/");
    for (search, name) in [
        ("old+MILL", "Old Mill Printworks"),
        ("kestrel.example.ORG", "Kestrel Freight"),
        ("23220695-6f56", "Old Mill Printworks"),
    ] {
        let page = server.page(&format!("/?tenant={search}&as_of=&days="));
        let listed = rows(&page.body, "tenants");
        assert_eq!(listed.len(), 1, "{search}: {listed:?}");
        assert!(listed[0][0].starts_with(name), "{search}: {listed:?}");
        assert!(between(&page.body, "<p class=\"found\"", "</p>").contains(name), "{search}");
        assert!(rows(&page.body, "who").iter().all(|row| row[0].starts_with(name)));
        let verdicts = |page: &str| between(page, "<dl class=verdicts>", "</dl>").to_owned();
        assert_eq!(verdicts(&page.body), verdicts(&whole.body), "the numbers are those of all");
    }
    let none = server.page("/?tenant=%3Cscript%3Enobody");
    assert!(rows(&none.body, "tenants").is_empty());
    assert!(none.body.contains("0 tenants have “&lt;script&gt;nobody”"), "{}", none.body);
}

#[test]
fn a_tenants_page_says_why_and_who_as_explain_and_report_do() {
    let server = Server::start(&["--roster", &sample("roster.csv")]);
    let report = server.page("/?as_of=2026-11-02&days=30");
    let found = server.page("/?as_of=2026-11-02&days=30&tenant=old+mill");
    let address = found.link("Old Mill Printworks");
    let id = "23220695-6f56-4566-aba9-b1fad220a1c8";
    assert_eq!(address, format!("/tenants/{id}?as_of=2026-11-02&days=30"));
    assert!(report.text().contains(&format!("href=\"{address}\"")));
    let page = server.page(&address);
    let window = ["--as-of", "2026-11-02", "--window-days", "30"];
    let said = |arguments: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().chain(&window).copied().collect();
        String::from_utf8(server.place.run(LAKE, &arguments).stdout).expect("text")
    };
    let explained = said(&["explain", id, "--roster", &sample("roster.csv"), "--format", "json"]);
    let explained: serde_json::Value = serde_json::from_str(&explained).expect("JSON");
    for sentence in explained["because"].as_array().expect("sentences") {
        let sentence = sentence.as_str().expect("text");
        assert!(page.text().contains(sentence), "{sentence}");
    }
    let who = rows(&page.body, "who");
    assert_eq!(who.len(), explained["who"].as_array().expect("rows").len());
    for (row, user) in who.iter().zip(explained["who"].as_array().expect("rows")) {
        assert_eq!(row[0], user["user"].as_str().expect("a name"));
        assert_eq!(row[3], user["client_app"].as_str().expect("a client"));
        assert_eq!(row[6], user["sign_ins"].to_string());
    }
    for format in ["csv", "json"] {
        let download = server.page(&page.link(&format!("who.{format}")));
        assert_eq!(download.body, said(&["report", "who", "--tenant", id, "--format", format]), "{format}");
        assert_eq!(download.header("content-disposition"), format!("attachment; filename=\"who.{format}\""));
    }
    assert!(!rows(&page.body, "addresses").is_empty());
    assert_eq!(page.link("All tenants"), "/?as_of=2026-11-02&days=30");
    // A tenant that the roster alone knows has a page too.
    let silent = server.page("/tenants/0ae9aee0-6f0f-4778-a769-5d3719988082");
    assert!(silent.text().contains("Elderfield Vineyards"));
}
