//! Logs in which silence, or a file, says more than it can know: what came after the window, a part that was lost,
//! the same file twice. Each case alone would end as "no impact".

mod program;

use std::fmt::Write as _;

use program::Place;

const LAKE: &str = "lake";
const TENANT: &str = "00000000-0000-4000-8000-0000000000aa";
const AS_OF: &str = "2026-10-31";
const NON_INTERACTIVE: &str = "NonInteractiveUserSignInLogs";

/// So many days after 1 August 2026, as text.
fn day(number: u32) -> String {
    let (month, day) = [(8, 31), (9, 30), (10, 31), (11, 30)]
        .into_iter()
        .scan(number, |left, (month, length)| {
            let here = (*left, month, length);
            *left = left.saturating_sub(length);
            Some(here)
        })
        .find(|(left, _, length)| left < length)
        .map(|(left, month, _)| (month, left + 1))
        .expect("a day before December");
    format!("2026-{month:02}-{day:02}")
}

fn record(id: u32, time: &str, category: &str, client: &str) -> String {
    format!(
        r#"{{"time":"{time}","category":"{category}","operationName":"Sign-in activity","tenantId":"{TENANT}","properties":{{"id":"10000000-0000-4000-8000-{id:012}","createdDateTime":"{time}","userId":"user-{}","userPrincipalName":"user{}@example.com","appId":"app-{}","clientAppUsed":"{client}","resourceDisplayName":"Office 365 Exchange Online","status":{{"errorCode":0}}}}}}"#,
        id % 7,
        id % 7,
        id % 3
    )
}

/// Six sign-ins of modern clients on each day from 1 August to 1 November, but on those left out.
fn log(category: &str, first_id: u32, left_out: std::ops::Range<u32>) -> String {
    let mut lines = String::new();
    for number in (0..93).filter(|number| !left_out.contains(number)) {
        for hour in 0..6 {
            let client = if hour % 2 == 0 { "Browser" } else { "Mobile Apps and Desktop clients" };
            let time = format!("{}T{:02}:15:30Z", day(number), 7 + hour);
            writeln!(lines, "{}", record(first_id + number * 6 + hour, &time, category, client))
                .expect("text");
        }
    }
    lines
}

/// The same as a download of the portal: 30 September to 31 October in its name.
fn download(place: &Place, log: &str, first_id: u32, left_out: std::ops::Range<u32>) -> String {
    let mut rows =
        "Date (UTC),Request ID,User,Username,Application,Client app,Status,Sign-in error code\n".to_owned();
    for number in (61..91).rev().filter(|number| !left_out.contains(number)) {
        for hour in (0..6).rev() {
            let id = first_id + number * 6 + hour;
            let client = if hour % 2 == 0 { "Browser" } else { "Mobile Apps and Desktop clients" };
            writeln!(
                rows,
                "{}T{:02}:15:30Z,10000000-0000-4000-8000-{id:012},User {u},user{u}@example.com,App {},{client},Success,0",
                day(number),
                7 + hour,
                id % 3,
                u = id % 7
            )
            .expect("text");
        }
    }
    let name = format!("{log}_2026-09-30_2026-10-31.csv");
    place.write(&name, rows.as_bytes());
    name
}

/// The verdict, and the codes of its reasons.
fn decided(place: &Place, files: &[&str]) -> String {
    place.tries(LAKE, &[&["ingest", "--tenant", TENANT][..], files].concat());
    let out = place.path("out");
    place.run(LAKE, &["assess", "--as-of", AS_OF, "--out", out.to_str().expect("text")]);
    let rows = std::fs::read_to_string(out.join("assessment.csv")).expect("an assessment");
    let row = rows.lines().nth(1).expect("a tenant");
    row.split(',').skip(2).take(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn usage_after_the_window_leaves_its_protocol_unproven() {
    for (time, client, wanted) in [
        ("2026-10-30T23:59:59.999999Z", "IMAP4", "warning in_use"),
        ("2026-10-31T00:00:00Z", "IMAP4", "insufficient_evidence used_after_window"),
        ("2026-11-01T12:00:00Z", "Other clients", "insufficient_evidence used_after_window"),
        ("2026-11-01T12:00:00Z", "Autodiscover", "no_impact unused"),
        ("2026-11-01T12:00:00Z", "Browser", "no_impact unused"),
    ] {
        let place = Place::new();
        place.write("interactive.json", log("SignInLogs", 0, 0..0).as_bytes());
        place.write("other.json", log(NON_INTERACTIVE, 10_000, 0..0).as_bytes());
        place.write("late.json", record(90_000, time, NON_INTERACTIVE, client).as_bytes());
        let found = decided(&place, &["interactive.json", "other.json", "late.json"]);
        assert_eq!(found, wanted, "{client} at {time}");
        if wanted.ends_with("after_window") {
            let told = String::from_utf8(place.run(LAKE, &["explain", TENANT, "--as-of", AS_OF]).stdout);
            let told = told.expect("text");
            assert!(told.contains("used after the window by 1 user, 1 sign-in, last on 2026-1"), "{told}");
        }
    }
}

#[test]
fn a_file_is_not_believed_about_a_silence_that_its_log_would_hardly_have() {
    for (left_out, wanted) in [
        (0..0, "no_impact unused"),
        // Thursday to Sunday, and a week off with both its weekends.
        (68..72, "no_impact unused"),
        (70..79, "no_impact unused"),
        (68..80, "insufficient_evidence gap;days_missing"),
        (61..81, "insufficient_evidence window_longer_than_history"),
    ] {
        let place = Place::new();
        let interactive = download(&place, "InteractiveSignIns", 0, 0..0);
        let other = download(&place, "NonInteractiveSignIns", 10_000, left_out.clone());
        assert_eq!(decided(&place, &[&interactive, &other]), wanted, "{left_out:?}");
        // What a person states stands.
        let stated = decided(&place, &["--covers", "2026-10-01..2026-10-30", &interactive, &other]);
        assert_eq!(stated, "no_impact unused", "{left_out:?}");
    }
}

#[test]
fn one_file_is_not_both_logs_of_a_tenant() {
    let place = Place::new();
    let interactive = download(&place, "InteractiveSignIns", 0, 0..0);
    let bytes = std::fs::read(place.path(&interactive)).expect("a file");
    let copy = interactive.replace("Interactive", "NonInteractive");
    place.write(&copy, &bytes);
    assert_eq!(decided(&place, &[&interactive, &copy]), "insufficient_evidence category_missing");
    // The right file under the name of the wrong one.
    let other = download(&place, "NonInteractiveSignIns", 10_000, 0..0);
    assert_eq!(decided(&place, &[&interactive, &other]), "no_impact unused");
    // The same file, first under the wrong category.
    let place = Place::new();
    let interactive = download(&place, "InteractiveSignIns", 0, 0..0);
    let other = download(&place, "NonInteractiveSignIns", 10_000, 0..0);
    std::fs::rename(place.path(&other), place.path("other.csv")).expect("renamed");
    let covers = ["--covers", "2026-10-01..2026-10-30", "other.csv"];
    assert_eq!(
        decided(&place, &[&["--category", "interactive"][..], &covers].concat()),
        "insufficient_evidence category_missing"
    );
    place.tries(LAKE, &["ingest", "--tenant", TENANT, &interactive]);
    assert_eq!(
        decided(&place, &[&["--category", "non_interactive"][..], &covers].concat()),
        "no_impact unused"
    );
    // The same file in two places is one log.
    let place = Place::new();
    let interactive = download(&place, "InteractiveSignIns", 0, 0..0);
    let other = download(&place, "NonInteractiveSignIns", 10_000, 0..0);
    let bytes = std::fs::read(place.path(&other)).expect("a file");
    let again = format!("copy/{other}");
    place.write(&again, &bytes);
    assert_eq!(decided(&place, &[&interactive, &other, &again]), "no_impact unused");
}

#[test]
fn a_log_in_which_no_record_names_a_client_app_lacks_the_column() {
    for (name, client, wanted) in
        [("all", "", "insufficient_evidence column_missing"), ("some", "Browser", "no_impact unused")]
    {
        let place = Place::new();
        place.write("interactive.json", log("SignInLogs", 0, 0..0).as_bytes());
        let modern = r#""clientAppUsed":"Mobile Apps and Desktop clients","resourceDisplayName":"Office 365 Exchange Online""#;
        let silent = r#""clientAppUsed":"","resourceDisplayName":"Microsoft Graph""#;
        let browser = r#""clientAppUsed":"Browser","resourceDisplayName":"Office 365 Exchange Online""#;
        let other = log(NON_INTERACTIVE, 10_000, 0..0).replace(modern, silent).replace(
            browser,
            &silent.replace(r#""clientAppUsed":"""#, &format!(r#""clientAppUsed":"{client}""#)),
        );
        place.write("other.json", other.as_bytes());
        assert_eq!(decided(&place, &["interactive.json", "other.json"]), wanted, "{name}");
    }
}

/// A cut line tells nothing of what was behind the cut; a copy that has another record there is no copy of it.
#[test]
fn a_copy_cures_a_cut_record_only_with_a_record_at_its_place() {
    let head = log(NON_INTERACTIVE, 10_000, 0..0);
    let imap = record(90_000, "2026-10-06T08:15:30Z", NON_INTERACTIVE, "IMAP4");
    let cut = format!("{head}{}", &imap[..imap.find(r#""properties""#).expect("the member")]);
    let browser = |time: &str| record(90_001, time, NON_INTERACTIVE, "Browser");
    for (copy, wanted) in [
        (format!("{head}{imap}\n"), "warning in_use"),
        (format!("{head}{}\n", browser("2026-10-06T08:10:00Z")), "no_impact unused"),
        (format!("{head}{}\n", browser("2026-10-20T08:10:00Z")), "insufficient_evidence rejected_records"),
        (
            format!("{head}\n\n{}\n", browser("2026-10-06T08:15:30Z")),
            "insufficient_evidence rejected_records",
        ),
    ] {
        let place = Place::new();
        place.write("interactive.json", log("SignInLogs", 0, 0..0).as_bytes());
        place.write("cut.json", cut.as_bytes());
        place.write("copy.json", copy.as_bytes());
        let found = decided(&place, &["interactive.json", "cut.json", "copy.json"]);
        assert_eq!(found, wanted, "{}", &copy[head.len()..]);
    }
}
