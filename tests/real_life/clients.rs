//! Tenants whose people use one kind of sign-in and hardly the other, or hardly sign in at all; and one
//! that strangers knock at all day.

use chrono::{Datelike, Weekday};

use crate::logs::{Tenant, at, day, days, every, working_days};
use crate::told::Case;

#[test]
fn shared_mailboxes_hardly_ever_sign_in_interactively_and_the_other_log_speaks_for_them() {
    let mailboxes = Tenant::new(0x61, "orchard.example.com")
        .renews(days("2026-09-14", "2026-10-30"), 3)
        .signs_in(every(14, "2026-09-15", 4), 1);
    let mut case = Case::new(
        "shared_mailboxes",
        "Shared mailboxes: phones renew their tokens every day, and an administrator signs in once a fortnight.\n\
         A forwarder wrote both logs.",
    );
    case.place.write("forwarder.json", &mailboxes.diagnostic(at(day("2026-10-30"), 18, 0)));
    case.ingest(&["forwarder.json"]);
    case.explain(&mailboxes, "no_impact", &[]);
    case.matches_what_was_told();
}

#[test]
fn kiosks_have_no_non_interactive_sign_ins_and_somebody_has_to_say_so() {
    let kiosks = Tenant::new(0x62, "ferry.example.net").signs_in(days("2026-09-14", "2026-10-30"), 5);
    let mut case = Case::new(
        "kiosks",
        "Kiosks: everybody signs in to a browser, every day, and nothing renews a token. The diagnostic setting\n\
         sends both logs, and one of them is empty.",
    );
    case.place.write("forwarder.json", &kiosks.diagnostic(at(day("2026-10-30"), 18, 0)));
    case.ingest(&["forwarder.json"]);
    case.explain(&kiosks, "insufficient_evidence", &[]);
    let covers = ["--category", "non_interactive", "--covers", "2026-09-29..2026-10-28"];
    case.ingest(&[&["forwarder.json", "--tenant", &kiosks.id][..], &covers].concat());
    case.explain(&kiosks, "no_impact", &[]);
    case.matches_what_was_told();
}

#[test]
fn one_user_who_works_two_days_a_week_leaves_five_silent_days_each_week() {
    let at_work = |day: &chrono::NaiveDate| matches!(day.weekday(), Weekday::Tue | Weekday::Wed);
    let notary =
        Tenant::new(0x63, "notary.example.org").works(days("2026-09-01", "2026-10-30").filter(at_work), 1);
    let mut case = Case::new(
        "two_days_a_week",
        "One user, at work on Tuesdays and Wednesdays. A forwarder wrote both logs.",
    );
    case.place.write("forwarder.json", &notary.diagnostic(at(day("2026-10-30"), 18, 0)));
    case.ingest(&["forwarder.json"]);
    case.explain(&notary, "insufficient_evidence", &[]);
    case.assess(&[]);
    case.notice(&notary, "What is missing");
    case.ingest(&["forwarder.json", "--covers", "2026-09-01..2026-10-29"]);
    case.explain(&notary, "no_impact", &[]);
    case.matches_what_was_told();
}

#[test]
fn a_tenant_under_password_spray_is_told_no_impact_and_who_knocks() {
    let (spray, other) = (("198.51.100.7", "BR"), ("203.0.113.20", "VN"));
    let sprayed = Tenant::new(0x64, "harvest.example.com")
        .works(working_days("2026-08-03", "2026-10-30"), 3)
        .with_guesses(day("2026-10-06"), 400, "IMAP4", 50126, spray)
        .with_guesses(day("2026-10-07"), 150, "Authenticated SMTP", 50126, spray)
        .with_guesses(day("2026-10-11"), 90, "IMAP4", 50053, other)
        .with_guesses(day("2026-10-14"), 60, "Exchange ActiveSync", 53003, ("203.0.113.21", "VN"))
        .with_guesses(day("2026-10-20"), 12, "Authenticated SMTP", 53003, other);
    let mut case = Case::new(
        "password_spray",
        "Three users who use nothing legacy, and strangers who try their passwords by IMAP, SMTP and ActiveSync,\n\
         hundreds of times, on a Sunday too, without success. A forwarder wrote both logs, since August.",
    );
    case.place.write("forwarder.json", &sprayed.diagnostic(at(day("2026-10-30"), 18, 0)));
    case.ingest(&["forwarder.json"]);
    case.assess(&[]);
    case.explain(&sprayed, "no_impact", &[]);
    case.notice(&sprayed, "What the sign-in logs show");
    case.matches_what_was_told();
}
