//! Small offices: nobody is there at weekends, on holidays, between the years.

use crate::logs::{Tenant, at, day, days, working_days};
use crate::told::Case;

/// Three people; closed on some days.
fn office(first: &str, last: &str, closed: &[&str]) -> Tenant {
    let closed: Vec<_> = closed.iter().map(|text| day(text)).collect();
    Tenant::new(0x11, "weaver.example.com")
        .works(working_days(first, last).filter(|day| !closed.contains(day)), 3)
}

#[test]
fn three_users_who_are_not_there_at_weekends_are_told_no_impact() {
    let office = office("2026-09-21", "2026-10-30", &[]);
    let mut case = Case::new(
        "weekends",
        "Three users, nobody there at weekends. A forwarder wrote both logs until Friday, 30 October, 18:00.",
    );
    case.place.write("forwarder.json", &office.diagnostic(at(day("2026-10-30"), 18, 0)));
    case.ingest(&["forwarder.json"]);
    case.assess(&[]);
    case.explain(&office, "no_impact", &[]);
    case.matches_what_was_told();
}

#[test]
fn a_holiday_is_no_gap_and_a_second_day_off_has_to_be_stated() {
    let holiday = office("2026-08-03", "2026-10-30", &["2026-10-08"]);
    let until = at(day("2026-10-30"), 18, 0);
    let mut case = Case::new("holiday", "The same three users; Thursday 8 October is a holiday.");
    case.place.write("forwarder.json", &holiday.diagnostic(until));
    case.ingest(&["forwarder.json"]);
    case.explain(&holiday, "no_impact", &[]);
    case.matches_what_was_told();

    let office = office("2026-08-03", "2026-10-30", &["2026-10-08", "2026-10-09"]);
    let mut case = Case::new(
        "long_weekend",
        "The same three users; Thursday 8 October is a holiday, and nobody comes on Friday either: two days that a\n\
         broken forwarder would have left as empty.",
    );
    case.place.write("forwarder.json", &office.diagnostic(until));
    case.ingest(&["forwarder.json"]);
    case.explain(&office, "insufficient_evidence", &[]);
    case.ingest(&["forwarder.json", "--covers", "2026-10-08..2026-10-09"]);
    case.explain(&office, "no_impact", &[]);
    case.matches_what_was_told();
}

/// Closed from 25 December to 3 January; the owner is back on Sunday the 4th.
fn between_the_years() -> Tenant {
    let closed: Vec<_> = days("2025-12-25", "2026-01-03").collect();
    let open = working_days("2025-11-03", "2026-01-16").filter(move |day| !closed.contains(day));
    Tenant::new(0x11, "weaver.example.com").works(open.chain([day("2026-01-04")]), 3)
}

#[test]
fn ten_idle_days_at_christmas_are_a_gap_until_somebody_declares_that_the_log_is_complete() {
    let office = between_the_years();
    let mut case = Case::new(
        "christmas",
        "Three users, closed from 25 December to 3 January. A forwarder wrote both logs; they hold nothing of these\n\
         ten days, and nothing says whether the forwarder ran.",
    );
    case.place.write("forwarder.json", &office.diagnostic(at(day("2026-01-16"), 18, 0)));
    case.ingest(&["forwarder.json"]);
    case.assess(&[]);
    case.explain(&office, "insufficient_evidence", &[]);
    case.notice(&office, "What is missing");
    let roster =
        format!("tenant_id,display_name,logs_from,logs_to\n{},Weaver,2025-12-08,2026-01-15\n", office.id);
    case.place.write("roster.csv", roster.as_bytes());
    case.explain(&office, "no_impact", &["--roster", "roster.csv"]);
    case.ingest(&["forwarder.json", "--covers", "2025-12-25..2026-01-03"]);
    case.explain(&office, "no_impact", &[]);
    case.matches_what_was_told();
}

#[test]
fn empty_hours_in_a_storage_account_prove_the_silence_of_christmas() {
    let office = between_the_years();
    let mut case = Case::new(
        "christmas_in_a_storage_account",
        "The same three users and ten days; both logs come from a storage account, a file for each hour, also for\n\
         those in which nobody signed in.",
    );
    office.storage(&case.place, "storage", days("2025-12-14", "2026-01-16"));
    case.ingest(&["storage"]);
    case.explain(&office, "no_impact", &[]);
    case.matches_what_was_told();
}
