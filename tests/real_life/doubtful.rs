//! Tenants whose log is there and does not carry what is asked of it: downloaded through a filter, with a file
//! that nobody can read, silent over the holidays, or by people who work on other days.

use chrono::{Datelike as _, Weekday};

use crate::logs::{Log, Tenant, at, day, days, working_days};
use crate::told::Case;

#[test]
fn a_download_through_the_filter_for_browsers_proves_nothing() {
    let surgery = Tenant::new(0x71, "surgery.example.com")
        .signs_in_by_browser(working_days("2026-09-01", "2026-10-30"), 3);
    let mut case = Case::new(
        "browser_filter",
        "Three users with a premium licence. Somebody downloaded both logs with the portal's filter Client app =\n\
         Browser still set, on 30 October at nine.",
    );
    surgery.download(&case.place, "downloads", at(day("2026-10-30"), 9, 0), 30);
    case.ingest(&["downloads", "--tenant", &surgery.id]);
    case.explain(&surgery, "insufficient_evidence", &[]);
    case.assess(&[]);
    case.notice(&surgery, "What is missing");
    case.ingest(&["downloads", "--tenant", &surgery.id, "--covers", "2026-09-29..2026-10-29"]);
    case.explain(&surgery, "no_impact", &[]);
    case.matches_what_was_told();
}

#[test]
fn a_file_that_nobody_can_read_holds_the_tenant_until_somebody_has_looked() {
    let printers =
        Tenant::new(0x72, "printers.example.net").works(working_days("2026-08-03", "2026-10-30"), 4);
    let mut case = Case::new(
        "unreadable_file",
        "Four users; a forwarder wrote both logs into one folder. Beside them lies a spreadsheet of the provider.",
    );
    case.place.write("logs/forwarder.json", &printers.diagnostic(at(day("2026-10-30"), 18, 0)));
    case.place.write("logs/october.xlsx", b"PK\x03\x04 a spreadsheet, as far as its first bytes tell");
    case.ingest_with_rejects(&["logs"]);
    case.explain(&printers, "insufficient_evidence", &[]);
    case.assess(&[]);
    case.notice(&printers, "What is missing");
    let by = ["--by", "Ada Byron", "--why", "an invoice, no sign-ins in it"];
    case.dismiss(&[&["--tenant", &printers.id, "--doubt", "refused_files"][..], &by].concat());
    case.explain(&printers, "no_impact", &[]);
    case.matches_what_was_told();
}

#[test]
fn an_office_that_is_closed_in_late_december_is_told_what_its_silence_hides() {
    let closed: Vec<_> = days("2025-12-24", "2026-01-03").collect();
    let open = working_days("2025-11-03", "2026-01-09").filter(move |day| !closed.contains(day));
    let office = Tenant::new(0x73, "chalet.example.org").works(open, 3);
    let mut case = Case::new(
        "late_december",
        "Three users, closed from 24 December to 3 January, the days in which SMTP AUTH goes off a year later. Both logs come from\n\
         a storage account, a file for each hour.",
    );
    office.storage(&case.place, "storage", days("2025-11-03", "2026-01-09"));
    case.ingest(&["storage"]);
    let campaign = ["--campaign", "smtp-auth-2026", "--as-of", "2026-01-06"];
    case.assess(&campaign);
    case.explain(&office, "no_impact", &campaign);
    case.matches_what_was_told();
}

#[test]
fn people_who_work_from_tuesday_to_saturday_are_judged_by_their_own_week() {
    let at_work = |day: &chrono::NaiveDate| !matches!(day.weekday(), Weekday::Sun | Weekday::Mon);
    let market =
        Tenant::new(0x74, "market.example.com").works(days("2026-08-04", "2026-10-30").filter(at_work), 1);
    let mut case = Case::new(
        "tuesday_to_saturday",
        "One user, at work from Tuesday to Saturday. A forwarder wrote both logs; the roster knows the week.",
    );
    case.place.write("forwarder.json", &market.diagnostic(at(day("2026-10-30"), 18, 0)));
    case.ingest(&["forwarder.json"]);
    case.explain(&market, "insufficient_evidence", &[]);
    let roster = format!("tenant_id,display_name,workdays\n{},Market,Tue-Sat\n", market.id);
    case.place.write("roster.csv", roster.as_bytes());
    case.explain(&market, "no_impact", &["--roster", "roster.csv"]);
    case.matches_what_was_told();
}

#[test]
fn only_the_log_of_another_category_is_no_log_of_this_one() {
    let depot = Tenant::new(0x75, "depot.example.net").works(working_days("2026-08-03", "2026-10-30"), 4);
    let until = at(day("2026-10-30"), 18, 0);
    let mut case = Case::new(
        "one_log_switched_off",
        "Four users. In September somebody took NonInteractiveUserSignInLogs out of the diagnostic setting; the other\n\
         log goes on.",
    );
    case.place.write("interactive.json", &depot.diagnostic_log(Log::Interactive, until));
    let switched_off = at(day("2026-09-21"), 9, 0);
    case.place.write("non-interactive.json", &depot.diagnostic_log(Log::NonInteractive, switched_off));
    case.ingest(&["interactive.json", "non-interactive.json"]);
    case.explain(&depot, "insufficient_evidence", &["--as-of", "2026-10-29"]);
    case.matches_what_was_told();
}
