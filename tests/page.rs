//! `report.html` from outside: its numbers are those of the tables beside it, and the same lake gives the same
//! bytes, whichever command wrote it.

use std::collections::BTreeMap;
use std::fs;

mod program;

use program::{Place, sample};

const LAKE: &str = "lake";

/// Rows of a CSV by column name. No cell of the sample data holds a comma that matters here.
fn csv(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let names = rows.headers().expect("a header").clone();
    rows.records()
        .map(|row| {
            let row = row.expect("a row");
            names.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()
        })
        .collect()
}

/// What lies between two marks, the second after the first.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("{from} is not in the page"));
    rest.split_once(to).unwrap_or_else(|| panic!("{to} does not follow {from}")).0
}

/// The cells of each row of a table's body, as text without markup.
fn cells(table: &str) -> Vec<Vec<String>> {
    let body = between(table, "<tbody>", "</tbody>");
    let text = |cell: &str| {
        let cell = cell.split_once('>').map_or("", |(_, text)| text);
        let mut text = String::new();
        let mut inside = true;
        for c in cell.chars() {
            match c {
                '<' => inside = false,
                '>' => inside = true,
                c if inside => text.push(c),
                _ => {}
            }
        }
        text.replace(',', "").trim().to_owned()
    };
    body.split("<tr>")
        .skip(1)
        .map(|row| row.replace("<th", "<td").split("<td").skip(1).map(text).collect())
        .collect()
}

fn sum<'a>(rows: impl Iterator<Item = &'a BTreeMap<String, String>>, column: &str) -> u64 {
    rows.map(|row| row[column].parse::<u64>().expect("a count")).sum()
}

#[test]
fn the_page_of_a_run_has_the_numbers_of_its_tables() {
    let place = Place::new();
    place.run(LAKE, &["run", &sample("logs"), "--roster", &sample("roster.csv"), "--out", "out"]);
    let read =
        |name: &str| fs::read_to_string(place.path("out").join(name)).expect("a file that was written");
    let page = read("report.html");
    let (tenants, usage) = (csv(&read("assessment.csv")), csv(&read("protocol_usage.csv")));
    assert!(page.contains(&format!("<code>{}</code>", tenants[0]["decision_id"])));

    let listed = cells(between(&page, "<div class=list id=tenants>", "</table>"));
    assert_eq!(listed.len(), tenants.len());
    for tenant in &tenants {
        let row = listed.iter().find(|row| row[0].contains(&tenant["tenant_id"])).expect("a row");
        assert_eq!(row[3], tenant["users"]);
        assert_eq!(row[2], tenant["reasons"].replace([';', '_'], " "));
        let of_tenant = |row: &&BTreeMap<String, String>| row["tenant_id"] == tenant["tenant_id"];
        let used: Vec<&str> = usage
            .iter()
            .filter(|row| of_tenant(row) && row["verdict"] == "in_use")
            .map(|row| row["users"].as_str())
            .collect();
        let shown: Vec<&str> =
            row[4..].iter().map(String::as_str).filter(|cell| cell.parse::<u64>().is_ok()).collect();
        assert_eq!(shown, used, "{}", tenant["tenant_id"]);
    }
    let told = between(&page, "<dl class=verdicts>", "</dl>");
    let counts: Vec<usize> = told
        .split("<dd>")
        .skip(1)
        .map(|part| part.split_once('<').expect("an end").0.parse().expect("a count"))
        .collect();
    let verdicts = ["warning", "insufficient_evidence", "no_impact", "excluded"];
    assert_eq!(
        counts,
        verdicts.map(|verdict| tenants.iter().filter(|tenant| tenant["verdict"] == verdict).count())
    );

    let protocols = cells(between(&page, "<caption>Protocols over all tenants", "</table>"));
    let of = |protocol: &str| {
        let protocol = protocol.to_owned();
        usage.iter().filter(move |row| row["protocol"] == protocol)
    };
    for (name, protocol) in [("IMAP4", "imap4"), ("SMTP AUTH", "smtp_auth"), ("POP3", "pop3")] {
        let row = protocols.iter().find(|row| row[0] == name).expect("a row");
        let verdicts = ["in_use", "unproven", "attempted", "unused"]
            .map(|verdict| of(protocol).filter(|row| row["verdict"] == verdict).count().to_string());
        assert_eq!(row[1..5], verdicts, "{name}");
        let refused =
            ["interrupted", "blocked", "failures"].into_iter().map(|column| sum(of(protocol), column)).sum();
        let counts = [
            sum(of(protocol), "users"),
            sum(of(protocol), "sign_ins"),
            refused,
            sum(of(protocol), "unknown"),
        ];
        assert_eq!(row[5..9], counts.map(|count| count.to_string()), "{name}");
    }

    // Sign-ins of all days are those of the window.
    let days = cells(between(&page, "<caption>Users and sign-ins by day", "</table>"));
    let mut expected: Vec<u64> = Vec::new();
    for row in &protocols {
        expected.extend(row[6].parse::<u64>().ok().filter(|sign_ins| *sign_ins > 0));
    }
    let added = (0..expected.len())
        .map(|at| days.iter().map(|day| day[2 + 2 * at].parse::<u64>().expect("a count")).sum::<u64>());
    assert_eq!(added.collect::<Vec<_>>(), expected);
    assert!(!expected.is_empty() && days.len() == 30);

    let who = cells(between(&page, "<div class=list id=who>", "</table>"));
    let users = sum(tenants.iter(), "users");
    assert!(who.len() as u64 >= users && users > 0, "{} rows of {users} users", who.len());
}

#[test]
fn the_same_lake_gives_the_same_page_to_every_command_that_writes_it() {
    let place = Place::new();
    let (logs, roster) = (sample("logs"), sample("roster.csv"));
    place.run(LAKE, &["run", &logs, "--roster", &roster, "--out", "run"]);
    place.run(LAKE, &["assess", "--roster", &roster, "--out", "assess"]);
    let page = |out: &str| fs::read_to_string(place.path(out).join("report.html")).expect("a page");
    let id = place.csv(LAKE, "SELECT decision_id FROM decisions");
    place.run(LAKE, &["assess", "--decision", &id[0], "--out", "again"]);
    assert!(page("run") == page("assess") && page("run") == page("again"));
}

#[test]
fn the_page_is_said_where_the_run_ends() {
    let place = Place::new();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lightsout"))
        .args(["run", &sample("logs"), "--out", "out"])
        .current_dir(place.path(""))
        .env_remove("LIGHTSOUT_LAKE")
        .output()
        .expect("the program starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("open in a browser: out/report.html"), "{told}");
}
