//! A campaign of a thousand tenants, by the command lines of `src/campaign/README.md` as they stand there.

use std::fmt::Write as _;
use std::process::{Command, Output};

use chrono::{Datelike, NaiveDate};
use serde_json::Value;

use crate::program::{OPERATOR, Place};

const TENANTS: usize = 1000;
const LAKE: &str = "lake";
/// Used from before the decision on: they get a warning.
const USED: std::ops::Range<usize> = 0..100;
/// Their logs break off a week before the decision.
const CUT_OFF: std::ops::Range<usize> = 100..150;
/// Excluded by the roster.
const EXCLUDED: std::ops::Range<usize> = 150..170;
/// They keep IMAP, which they ask for after the announcement.
const OPTED_OUT: std::ops::Range<usize> = 170..180;
/// Used on a day between the announcement and the change.
const USED_LATER: std::ops::Range<usize> = 180..185;
/// Their script stops: it could not sign in.
const STOPPED: std::ops::Range<usize> = 185..188;

fn id(tenant: usize) -> String {
    format!("5eed0000-0000-4000-8000-{tenant:012x}")
}

fn day(iso: &str) -> NaiveDate {
    iso.parse().expect("a day")
}

/// One record of the diagnostic settings' export.
fn record(tenant: usize, day: NaiveDate, hour: u32, category: &str, client: &str, agent: &str) -> String {
    let id = id(tenant);
    format!(
        r#"{{"time":"{day}T{hour:02}:20:00Z","operationName":"Sign-in activity","category":"{category}","tenantId":"{id}","properties":{{"id":"{tenant:08x}-{:04x}-4{hour:03x}-8000-{:012x}","createdDateTime":"{day}T{hour:02}:15:00Z","userPrincipalName":"ada@tenant{tenant}.example.com","userId":"{id}","clientAppUsed":"{client}","userAgent":"{agent}","resourceId":"00000002-0000-0ff1-ce00-000000000000","ipAddress":"192.0.2.7","status":{{"errorCode":0}}}}}}"#,
        day.ordinal(),
        day.num_days_from_ce(),
    )
}

/// The logs of all tenants from a day to the morning of another.
fn logs(from: &str, to: &str) -> String {
    let (from, to) = (day(from), day(to));
    let mut text = String::new();
    for day in from.iter_days().take_while(|day| *day <= to) {
        let is_weekend = day.weekday().number_from_monday() > 5;
        for tenant in 0..TENANTS {
            // A few of them work on all days.
            if is_weekend && tenant % 10 != 9 {
                continue;
            }
            if CUT_OFF.contains(&tenant) && day >= self::day("2026-10-20") {
                continue;
            }
            for (hour, category) in [(7, "SignInLogs"), (8, "NonInteractiveUserSignInLogs")] {
                let _ = writeln!(text, "{}", record(tenant, day, hour, category, "Browser", "Mozilla/5.0"));
            }
            let later = USED_LATER.contains(&tenant) && day == self::day("2026-11-18");
            if later || USED.contains(&tenant) {
                let category = "NonInteractiveUserSignInLogs";
                let _ = writeln!(text, "{}", record(tenant, day, 6, category, "IMAP4", "BAV2ROPC"));
            }
        }
    }
    text
}

fn roster() -> String {
    let mut text = String::from("tenant_id,display_name,domains,contacts,language,exclude,exclude_reason\n");
    for tenant in 0..TENANTS {
        let language = if tenant % 3 == 0 { "de" } else { "en" };
        let exclusion = if EXCLUDED.contains(&tenant) { "yes,migrates in spring" } else { "," };
        let _ = writeln!(
            text,
            "{},Tenant {tenant},tenant{tenant}.example.com;tenant{tenant}.onmicrosoft.com,\
             it@tenant{tenant}.example.com,{language},{exclusion}",
            id(tenant)
        );
    }
    text
}

fn opt_outs() -> String {
    OPTED_OUT.fold(String::from("tenant_id,protocols,by_whom\n"), |mut text, tenant| {
        let _ = writeln!(text, "{},imap4,it@tenant{tenant}.example.com", id(tenant));
        text
    })
}

/// What run-all.ps1 writes of the tenants of its index: nobody can sign in to three of them.
fn results(place: &Place) -> String {
    let index = std::fs::read_to_string(place.path("out/runbooks/index.csv")).expect("an index");
    let mut rows = csv::Reader::from_reader(index.trim_start_matches('\u{feff}').as_bytes());
    let headers = rows.headers().expect("a header").clone();
    let at = |name: &str| headers.iter().position(|header| header == name).expect("a column");
    let (tenant_at, protocols_at) = (at("tenant_id"), at("protocols"));
    let stopped: Vec<String> = STOPPED.map(id).collect();
    let mut text =
        String::from("\"tenant_id\",\"happened_at\",\"step\",\"outcome\",\"protocols\",\"detail\"\n");
    for row in rows.records() {
        let row = row.expect("a row");
        let tenant = &row[tenant_at];
        let _ = if stopped.iter().any(|id| id == tenant) {
            writeln!(
                text,
                "\"{tenant}\",\"2026-12-04T09:01:00Z\",\"finish\",\"failed\",\"\",\"not connected\""
            )
        } else {
            let protocols = &row[protocols_at];
            writeln!(text, "\"{tenant}\",\"2026-12-04T09:00:05Z\",\"finish\",\"done\",\"{protocols}\",\"\"")
        };
    }
    text
}

/// The command lines of the README's example, each with the day on which it is run.
fn steps() -> Vec<(String, String)> {
    let readme = include_str!("../../src/campaign/README.md");
    let (_, rest) = readme.split_once("\n## A thousand tenants\n").expect("a section");
    let block = rest.split("```").nth(1).expect("a block");
    let mut today = String::new();
    let mut steps = Vec::new();
    for line in block.lines().skip(1) {
        if let Some(comment) = line.strip_prefix("# ") {
            comment[..10].clone_into(&mut today);
        } else {
            steps.push((today.clone(), line.to_owned()));
        }
    }
    steps
}

fn run(place: &Place, today: &str, line: &str) -> Output {
    let mut words = line.split_whitespace();
    assert_eq!(words.next(), Some("lightsout"), "{line}");
    Command::new(env!("CARGO_BIN_EXE_lightsout"))
        .args(words)
        .current_dir(place.path(""))
        .env_remove("LIGHTSOUT_LAKE")
        .env("LIGHTSOUT_CLOCK", format!("{today}T09:30:00Z"))
        .output()
        .expect("the program starts")
}

/// How many tenants the work list has in each state.
fn counts(place: &Place, today: &str) -> Value {
    let status = ["campaign", "status", "--campaign", "mine.toml", "--json"];
    let output = place.tries_at(&format!("{today}T12:00:00Z"), LAKE, &status);
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    report["result"]["counts"].clone()
}

#[test]
fn a_thousand_tenants_by_the_command_lines_of_the_readme() {
    let place = Place::new();
    let shown = place.run(LAKE, &["campaign", "show", "basic-auth-all-protocols"]).stdout;
    place.write("mine.toml", &[&shown, OPERATOR.as_bytes()].concat());
    place.write("roster.csv", roster().as_bytes());
    place.write("opt-outs.csv", opt_outs().as_bytes());
    place.write("logs/october.json", logs("2026-10-01", "2026-11-04").as_bytes());

    // Those who use IMAP are told of the protocols that they do not use.
    let announced = TENANTS - CUT_OFF.len() - EXCLUDED.len();
    let mut run_lines = 0;
    for (today, line) in steps() {
        if line.contains("run-all.ps1") {
            place.write("results.csv", results(&place).as_bytes());
            continue;
        }
        match (today.as_str(), line.starts_with("lightsout ingest")) {
            ("2026-11-19", true) => {
                place.write("logs/november.json", logs("2026-11-05", "2026-11-19").as_bytes());
            }
            ("2026-12-04", true) => {
                place.write("logs/december.json", logs("2026-11-20", "2026-12-04").as_bytes());
            }
            _ => {}
        }
        let output = run(&place, &today, &line);
        let told = String::from_utf8_lossy(&output.stderr);
        // Five tenants are used between the announcement and the change: that is told by the exit code.
        let worse = today == "2026-11-19" && (line.contains("recheck") || line.contains("diff"));
        assert_eq!(output.status.code(), Some(if worse { 4 } else { 0 }), "{today} {line}\n{told}");
        run_lines += 1;
        if line.contains("announce") {
            let counts = counts(&place, &today);
            assert_eq!(counts["announced"], announced, "{line}: {told}");
            assert_eq!(counts["not_eligible"], CUT_OFF.len() + EXCLUDED.len(), "{counts}");
        }
        if line.contains("recheck") {
            assert_eq!(counts(&place, &today)["on_hold"], USED_LATER.len());
        }
    }
    assert!(run_lines >= 10, "{run_lines} command lines were found");

    let counts = counts(&place, "2026-12-04");
    let done = announced - STOPPED.len() - USED_LATER.len();
    assert_eq!((counts["due"].as_u64(), counts["done"].as_u64()), (Some(3), Some(done as u64)), "{counts}");
    assert_eq!(counts["on_hold"], USED_LATER.len(), "{counts}");
    let rows = place.csv(
        LAKE,
        "SELECT state, count(DISTINCT tenant_id) FROM campaign_status \
         WHERE announced_on IS NOT NULL AND protocol = 'imap4' GROUP BY state ORDER BY state",
    );
    let off = done - USED.len() - OPTED_OUT.len();
    let expected = [
        format!("announced,{}", STOPPED.len()),
        format!("off,{off}"),
        format!("on_hold,{}", USED_LATER.len()),
        format!("opted_out,{}", OPTED_OUT.len()),
    ];
    assert_eq!(rows, expected);
    let follow_ups = place.path("out/sent/2026-12-04-confirmed");
    let told = std::fs::read_dir(follow_ups).expect("a folder").flatten();
    assert_eq!(told.filter(|entry| entry.path().is_dir()).count(), announced - STOPPED.len());
}
