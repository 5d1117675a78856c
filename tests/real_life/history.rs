//! Logs that reach back only so far: a week without a licence, thirty days with one.

use chrono::NaiveDate;

use crate::logs::{Tenant, at, day, every, working_days};
use crate::told::Case;

const KEPT_WITHOUT_LICENCE_DAYS: i64 = 7;
const KEPT_WITH_LICENCE_DAYS: i64 = 30;

fn shop() -> Tenant {
    Tenant::new(0x21, "lantern.example.net").works(working_days("2026-08-03", "2026-11-06"), 4)
}

/// Downloads of both logs on some mornings, each ingested when it was made.
fn collected(case: &mut Case, shop: &Tenant, mornings: &[NaiveDate], kept_days: i64) {
    for morning in mornings {
        let folder = format!("downloads/{morning}");
        shop.download(&case.place, &folder, at(*morning, 9, 0), kept_days);
        case.ingest(&[&folder, "--tenant", &shop.id]);
    }
}

#[test]
fn a_free_tenant_that_is_collected_every_week_is_told_no_impact() {
    let shop = shop();
    let mut case = Case::new(
        "free_every_week",
        "Four users without a premium licence: sign-ins are kept for seven days. Both logs were downloaded from\n\
         the portal every Monday at nine, six times.",
    );
    collected(&mut case, &shop, &every(7, "2026-09-28", 6), KEPT_WITHOUT_LICENCE_DAYS);
    case.explain(&shop, "no_impact", &[]);
    case.matches_what_was_told();
}

#[test]
fn a_free_tenant_that_is_collected_every_ten_days_loses_too_many_days() {
    let shop = shop();
    let mut case = Case::new(
        "free_every_ten_days",
        "The same tenant, downloaded every ten days: three days of ten are gone before anybody looks.",
    );
    collected(&mut case, &shop, &every(10, "2026-09-14", 5), KEPT_WITHOUT_LICENCE_DAYS);
    case.explain(&shop, "insufficient_evidence", &[]);
    case.matches_what_was_told();
}

#[test]
fn a_free_tenant_that_is_collected_every_fortnight_is_told_how_often_to_collect() {
    let shop = shop();
    let mut case = Case::new(
        "free_every_fortnight",
        "The same tenant, downloaded every fortnight: every second week is gone before anybody looks.",
    );
    collected(&mut case, &shop, &every(14, "2026-09-14", 4), KEPT_WITHOUT_LICENCE_DAYS);
    case.assess(&[]);
    case.file("out/coverage_gaps.csv");
    case.explain(&shop, "insufficient_evidence", &[]);
    case.matches_what_was_told();
}

#[test]
fn a_free_tenant_is_told_in_its_first_and_third_week_when_a_verdict_is_possible() {
    let shop = shop();
    let mut case = Case::new(
        "free_first_weeks",
        "The same tenant, downloaded every Monday, in the first week and in the third.",
    );
    let mondays = every(7, "2026-10-05", 3);
    collected(&mut case, &shop, &mondays[..1], KEPT_WITHOUT_LICENCE_DAYS);
    case.explain(&shop, "insufficient_evidence", &[]);
    collected(&mut case, &shop, &mondays[1..], KEPT_WITHOUT_LICENCE_DAYS);
    case.assess(&[]);
    case.explain(&shop, "insufficient_evidence", &[]);
    case.matches_what_was_told();
}

#[test]
fn one_week_of_logs_handed_in_once_is_too_short_for_the_window() {
    let shop = shop();
    let mut case = Case::new("one_week_once", "Four users; somebody exported one week of both logs, once.");
    collected(&mut case, &shop, &[day("2026-10-30")], 7);
    case.explain(&shop, "insufficient_evidence", &[]);
    case.assess(&[]);
    case.notice(&shop, "What is missing");
    // As the reason says.
    case.explain(&shop, "no_impact", &["--window-days", "6"]);
    case.matches_what_was_told();
}

#[test]
fn thirty_days_downloaded_once_are_enough() {
    let shop = shop();
    let mut case = Case::new(
        "thirty_days_once",
        "Four users with a premium licence; somebody downloaded both logs from the portal on 30 October at nine:\n\
         all that was kept, thirty days.",
    );
    collected(&mut case, &shop, &[day("2026-10-30")], KEPT_WITH_LICENCE_DAYS);
    case.explain(&shop, "no_impact", &[]);
    case.matches_what_was_told();
}
