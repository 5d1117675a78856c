//! Cases of what was seen of a log: days, columns, declared ranges, how far it is settled.

use super::case::{Case, case, case_at};
use crate::protocol::Protocol::{OtherLegacy, Pop3, SmtpAuth};
use crate::sign_in::Category::{Interactive, NonInteractive, ServicePrincipal};

const UNSEEN: &str = "category_missing interactive; category_missing non_interactive";

#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    vec![
        // Gaps, in the window of 2026-10-01 to 2026-10-30.
        case("weekends without a non-interactive sign-in are within the permitted gap")
            .seen(NonInteractive, "2026-10-01..2026-10-02, 2026-10-05..2026-10-09, \
                2026-10-12..2026-10-16, 2026-10-19..2026-10-23, 2026-10-26..2026-10-30")
            .no_impact("unused"),
        case("a gap of exactly the four permitted days is no reason")
            .seen(NonInteractive, "2026-09-01..2026-10-09, 2026-10-14..2026-10-30")
            .no_impact("unused"),
        case("a gap one day longer than permitted is one")
            .seen(NonInteractive, "2026-09-01..2026-10-09, 2026-10-15..2026-10-30")
            .insufficient("gap non_interactive 2026-10-10..2026-10-14 over 4").want("clear", "")
            .want("pop3", "unproven"),
        case("interactive sign-ins may be silent for ten days")
            .seen(Interactive, "2026-09-01..2026-10-09, 2026-10-20..2026-10-30")
            .no_impact("unused"),
        case("interactive sign-ins may not be silent for eleven days")
            .seen(Interactive, "2026-09-01..2026-10-09, 2026-10-21..2026-10-30")
            .insufficient("gap interactive 2026-10-10..2026-10-20 over 10"),
        case("a gap at the start of the window is counted from its first day")
            .seen(NonInteractive, "2026-08-01..2026-09-30, 2026-10-05..2026-10-30")
            .no_impact("unused").want("days", "2026-10-01..2026-10-30"),
        case("a gap that begins before the window counts with its days inside")
            .seen(NonInteractive, "2026-08-01..2026-09-10, 2026-10-05..2026-10-30")
            .no_impact("unused"),
        case("a gap at the start that is one day too long is a gap where history is older")
            .seen(NonInteractive, "2026-08-01..2026-09-10, 2026-10-06..2026-10-30")
            .insufficient("gap non_interactive 2026-10-01..2026-10-05 over 4"),
        case("a gap at the end of the window may be as long as permitted")
            .seen(NonInteractive, "2026-08-01..2026-10-26")
            .no_impact("unused").want("days", "2026-10-01..2026-10-30"),
        case("a gap at the end of the window that is one day too long is told")
            .seen(NonInteractive, "2026-08-01..2026-10-25")
            .insufficient("gap non_interactive 2026-10-26..2026-10-30 over 4"),
        case("days after the window do not fill it, though they end the gap")
            .seen(NonInteractive, "2026-08-01..2026-10-25, 2026-10-31..2026-11-02")
            .insufficient("gap non_interactive 2026-10-26..2026-10-30 over 4"),
        case("two gaps are two reasons, in the order of days")
            .seen(NonInteractive, "2026-09-01..2026-10-02, 2026-10-10..2026-10-12, 2026-10-20..2026-10-30")
            .insufficient("gap non_interactive 2026-10-03..2026-10-09 over 4; \
                gap non_interactive 2026-10-13..2026-10-19 over 4"),
        case("gaps of both categories are told, interactive first")
            .seen(NonInteractive, "2026-09-01..2026-10-24").seen(Interactive, "2026-09-01..2026-10-15")
            .insufficient("gap interactive 2026-10-16..2026-10-30 over 10; \
                gap non_interactive 2026-10-25..2026-10-30 over 4")
            .want("days", "2026-10-01..2026-10-24"),
        case_at("an office closed from Christmas to New Year is a gap", "2027-01-10", 30)
            .seen(NonInteractive, "2026-11-01..2026-12-23, 2027-01-04..2027-01-09")
            .insufficient("gap non_interactive 2026-12-24..2027-01-03 over 4"),
        case_at("a declared range helps an office that was closed over the holidays", "2027-01-10", 30)
            .seen(NonInteractive, "2026-11-01..2026-12-23, 2027-01-04..2027-01-09")
            .roster_logs(Some("2026-12-24"), Some("2027-01-03"))
            .no_impact("unused"),
        case_at("a gap over the leap day is one day longer in a leap year", "2024-03-10", 30)
            .seen(NonInteractive, "2024-02-01..2024-02-26, 2024-03-03..2024-03-09")
            .insufficient("gap non_interactive 2024-02-27..2024-03-02 over 4"),
        case_at("the same dates are within the permitted gap in a common year", "2026-03-10", 30)
            .seen(NonInteractive, "2026-02-01..2026-02-26, 2026-03-03..2026-03-09")
            .no_impact("unused"),
        case("usage in a log with a gap warns, tells the gap apart and clears nothing")
            .used(Pop3, 1, 1).seen(NonInteractive, "2026-09-01..2026-10-20")
            .warning("in_use pop3 1 1").want("clear", "").want("smtp_auth", "unproven")
            .want("evidence_reasons", "gap non_interactive 2026-10-21..2026-10-30 over 4"),
        case("a script at another service does not warn in a log with a gap")
            .elsewhere(5, 0, 0).seen(NonInteractive, "2026-09-01..2026-10-20")
            .insufficient("gap non_interactive 2026-10-21..2026-10-30 over 4")
            .want("other_legacy", "in_use").want("in_use", ""),
        case("reasons of the evidence come before those of protocols and clients")
            .unknown(OtherLegacy, 2).used_before(SmtpAuth, 1, 1).unrecognised(3)
            .seen(NonInteractive, "2026-09-01..2026-10-20")
            .insufficient("gap non_interactive 2026-10-21..2026-10-30 over 4; \
                used_before_window smtp_auth 1 1; unknown_outcome other_legacy 2; unrecognised_client 3"),

        // Categories.
        case("no non-interactive log at all: legacy sign-ins would be there")
            .never_seen(NonInteractive)
            .insufficient("category_missing non_interactive").want("days", "2026-10-01..2026-10-30"),
        case("a category that was last seen before the window is missing, and no gap beside it")
            .seen(NonInteractive, "2026-08-01..2026-09-30")
            .insufficient("category_missing non_interactive"),
        case("a category that is first seen on the day after the window is missing")
            .seen(NonInteractive, "2026-10-31")
            .insufficient("category_missing non_interactive"),
        case_at("a window that is shorter than the permitted gap still needs one covered day", "2026-10-31", 7)
            .seen(Interactive, "2026-08-01..2026-10-23")
            .insufficient("category_missing interactive"),
        case_at("one interactive day is enough in a window of seven", "2026-10-31", 7)
            .seen(Interactive, "2026-10-27")
            .no_impact("unused"),
        case("a category that the campaign does not require may be missing")
            .requires_only(NonInteractive, 4).never_seen(Interactive)
            .no_impact("unused"),
        case("a tenant of service principals only has no user log at all")
            .never_seen(Interactive).never_seen(NonInteractive).seen(ServicePrincipal, "2026-09-01..2026-10-31")
            .insufficient(UNSEEN).want("days", "None None"),
        case("a permitted gap of no days wants every day")
            .requires_only(NonInteractive, 0).seen(NonInteractive, "2026-09-01..2026-10-14, 2026-10-16..2026-10-30")
            .insufficient("gap non_interactive 2026-10-15..2026-10-15 over 0"),

        // History that starts late.
        case("seven days of history can't fill a window of thirty, and the first date is told")
            .seen(NonInteractive, "2026-10-24..2026-10-30").seen(Interactive, "2026-10-24..2026-10-30")
            .insufficient("window_longer_than_history interactive since 2026-10-24, possible from 2026-11-13; \
                window_longer_than_history non_interactive since 2026-10-24, possible from 2026-11-19")
            .want("days", "2026-10-24..2026-10-30"),
        case_at("seven days of history fill a window of seven", "2026-10-31", 7)
            .seen(NonInteractive, "2026-10-24..2026-10-30").seen(Interactive, "2026-10-24..2026-10-30")
            .no_impact("unused"),
        case("history that starts with the last permitted day is enough")
            .seen(NonInteractive, "2026-10-05..2026-10-30")
            .no_impact("unused").want("days", "2026-10-01..2026-10-30"),
        case("history that starts a day later is told with the next day as the first possible one")
            .seen(NonInteractive, "2026-10-06..2026-10-30")
            .insufficient("window_longer_than_history non_interactive since 2026-10-06, possible from 2026-11-01"),
        case("a later gap stays a gap where history starts late as well")
            .seen(NonInteractive, "2026-10-10..2026-10-12, 2026-10-20..2026-10-30")
            .insufficient("window_longer_than_history non_interactive since 2026-10-10, possible from 2026-11-05; \
                gap non_interactive 2026-10-13..2026-10-19 over 4"),
        case("one covered day long before the window makes a late start a gap")
            .seen(NonInteractive, "2026-01-01, 2026-10-10..2026-10-30")
            .insufficient("gap non_interactive 2026-10-01..2026-10-09 over 4"),

        // Files that lack a column.
        case("files without the client app would fill the gap, so the column is what is missing")
            .seen(NonInteractive, "2026-09-01..2026-10-09, 2026-10-20..2026-10-30")
            .columnless(NonInteractive, "2026-10-10..2026-10-19")
            .insufficient("column_missing non_interactive clientAppUsed"),
        case("files without a column that shorten the gap to the permitted days are the reason")
            .seen(NonInteractive, "2026-09-01..2026-10-09, 2026-10-15..2026-10-30")
            .columnless(NonInteractive, "2026-10-12")
            .insufficient("column_missing non_interactive clientAppUsed"),
        case("files without a column that leave the gap too long are not the reason")
            .seen(NonInteractive, "2026-09-01..2026-10-09, 2026-10-20..2026-10-30")
            .columnless(NonInteractive, "2026-10-10..2026-10-11")
            .insufficient("gap non_interactive 2026-10-10..2026-10-19 over 4"),
        case("two gaps that one column would fill are one reason")
            .seen(NonInteractive, "2026-09-01..2026-10-02, 2026-10-10..2026-10-12, 2026-10-20..2026-10-30")
            .columnless(NonInteractive, "2026-10-03..2026-10-09, 2026-10-13..2026-10-19")
            .insufficient("column_missing non_interactive clientAppUsed"),
        case("a category of nothing but files without a column is not told as missing")
            .seen(NonInteractive, "").columnless(NonInteractive, "2026-10-01..2026-10-30")
            .insufficient("column_missing non_interactive clientAppUsed"),
        case("a history that files without a column would begin in time lacks the column")
            .seen(NonInteractive, "2026-10-20..2026-10-30").columnless(NonInteractive, "2026-09-01..2026-10-19")
            .insufficient("column_missing non_interactive clientAppUsed"),
        case("files without a column in a log that is complete without them are no reason")
            .columnless(NonInteractive, "2026-10-03..2026-10-05")
            .no_impact("unused"),
        case("files without a column outside the window leave the category missing")
            .seen(NonInteractive, "").columnless(NonInteractive, "2026-08-01..2026-09-30")
            .insufficient("category_missing non_interactive"),
        case("a declared range does not give files the column they lack")
            .seen(NonInteractive, "").columnless(NonInteractive, "2026-10-01..2026-10-30")
            .roster_logs(Some("2026-10-01"), Some("2026-10-31"))
            .insufficient("column_missing non_interactive clientAppUsed"),
        case("a declared range does not cover the days of files that lack a column")
            .seen(NonInteractive, "2026-09-01..2026-10-09, 2026-10-20..2026-10-30")
            .columnless(NonInteractive, "2026-10-10..2026-10-19").roster_logs(Some("2026-10-01"), Some("2026-10-31"))
            .insufficient("column_missing non_interactive clientAppUsed"),
        case("a declared range does not complete a log of nothing but files that lack a column")
            .seen(NonInteractive, "").columnless(NonInteractive, "2026-09-15")
            .roster_logs(Some("2026-10-01"), Some("2026-10-31"))
            .insufficient("column_missing non_interactive clientAppUsed"),
        case("provable usage in files without a column warns all the same")
            .used(OtherLegacy, 1, 2).seen(NonInteractive, "").columnless(NonInteractive, "2026-10-01..2026-10-30")
            .warning("unattributed_legacy_use 1 2")
            .want("evidence_reasons", "column_missing non_interactive clientAppUsed"),

        // How far the log is settled.
        case("a log that is settled exactly at the end of the window is settled")
            .latest(Some("2026-11-01"))
            .no_impact("unused"),
        case("a log that is a microsecond short of it is not")
            .latest(Some("2026-10-31T23:59:59.999999Z"))
            .insufficient("not_settled 2026-10-29").want("clear", ""),
        case("the last provable day ends at or before the horizon")
            .latest(Some("2026-10-29T00:00:00Z"))
            .insufficient("not_settled 2026-10-27"),
        case("a horizon in the afternoon proves the day before")
            .latest(Some("2026-10-29T15:30:00Z"))
            .insufficient("not_settled 2026-10-27"),
        case("a late record that was emitted days after its sign-in settles what lies before it")
            .seen(NonInteractive, "2026-08-01..2026-10-29").latest(Some("2026-11-03T08:00:00Z"))
            .no_impact("unused"),
        case("a declared range to the last day of the window settles it without a day of waiting")
            .latest(Some("2026-10-30T23:00:00Z")).declared_until("2026-10-30")
            .no_impact("unused"),
        case("a declared range that ends the day before does not")
            .latest(Some("2026-10-30T23:00:00Z")).declared_until("2026-10-29")
            .insufficient("not_settled 2026-10-29"),
        case("a declared range that ended long ago takes nothing from a settled log")
            .declared_until("2026-01-31")
            .no_impact("unused"),
        case("a log with neither a time nor a declared range is never settled")
            .latest(None)
            .insufficient("not_settled never"),
        case("usage in a log that is not settled is a warning at once")
            .used(Pop3, 1, 1).latest(Some("2026-10-20"))
            .warning("in_use pop3 1 1").want("evidence_reasons", "not_settled 2026-10-18").want("clear", ""),
        case("a gap at the end and the unsettled log are both told")
            .seen(NonInteractive, "2026-08-01..2026-10-20").latest(Some("2026-10-20T12:00:00Z"))
            .insufficient("gap non_interactive 2026-10-21..2026-10-30 over 4; not_settled 2026-10-18"),

        // Ranges that the roster declares.
        case("a roster range covers every category that the lake holds")
            .seen(NonInteractive, "2026-10-10").seen(Interactive, "").latest(Some("2026-10-10T09:00:00Z"))
            .roster_logs(Some("2026-10-01"), Some("2026-10-30"))
            .no_impact("unused").want("days", "2026-10-01..2026-10-30"),
        case("a roster range does not speak for a category that the lake does not hold")
            .never_seen(NonInteractive).roster_logs(Some("2026-10-01"), Some("2026-10-31"))
            .insufficient("category_missing non_interactive"),
        case("a roster range settles nothing where the lake holds no user category")
            .never_seen(Interactive).never_seen(NonInteractive).latest(Some("2026-10-30"))
            .roster_logs(Some("2026-10-01"), Some("2026-10-31"))
            .insufficient(&format!("{UNSEEN}; not_settled 2026-10-28")),
        case("both ends of a roster range are included")
            .seen(NonInteractive, "2026-09-01..2026-10-09, 2026-10-20..2026-10-30")
            .roster_logs(Some("2026-10-14"), Some("2026-10-15"))
            .no_impact("unused"),
        case("a roster range that is a day short of the gap leaves it too long")
            .seen(NonInteractive, "2026-09-01..2026-10-09, 2026-10-20..2026-10-30")
            .roster_logs(Some("2026-10-15"), Some("2026-10-16"))
            .insufficient("gap non_interactive 2026-10-10..2026-10-14 over 4"),
        case("a roster range without its end declares nothing")
            .seen(NonInteractive, "2026-10-10").roster_logs(Some("2026-10-01"), None)
            .insufficient("window_longer_than_history non_interactive since 2026-10-10, possible from 2026-11-05; \
                gap non_interactive 2026-10-11..2026-10-30 over 4"),
        case("a roster range without its start declares nothing and settles nothing")
            .latest(Some("2026-10-30T12:00:00Z")).roster_logs(None, Some("2026-10-30"))
            .insufficient("not_settled 2026-10-28"),
        case("a roster range makes history begin with its first day")
            .seen(NonInteractive, "2026-10-20..2026-10-30").roster_logs(Some("2026-10-06"), Some("2026-10-19"))
            .insufficient("window_longer_than_history non_interactive since 2026-10-06, possible from 2026-11-01"),

        // Nothing in the lake.
        case("a tenant without a record, a file or a range has no records and no other reason")
            .nothing_in_the_lake()
            .insufficient("no_records").want("days", "None None").want("pop3", "unproven").want("clear", ""),
        case("a roster tenant that no log names has no records")
            .only_in_the_roster()
            .insufficient("no_records"),
        case("a roster range of a tenant that the lake does not know declares nothing")
            .only_in_the_roster().roster_logs(Some("2026-09-01"), Some("2026-11-01"))
            .insufficient("no_records"),
        case("empty storage files for every day prove that nobody signed in")
            .no_records()
            .no_impact("unused"),
        case("empty storage files with a hole are told as no records and a gap")
            .no_records().seen(NonInteractive, "2026-08-01..2026-10-20")
            .insufficient("no_records; gap non_interactive 2026-10-21..2026-10-30 over 4"),
        case("empty storage files of one category only leave the other missing")
            .no_records().never_seen(NonInteractive)
            .insufficient("no_records; category_missing non_interactive"),
        case("records whose days are all outside the window are not told as no records")
            .seen(NonInteractive, "2026-01-01..2026-01-31").seen(Interactive, "2026-01-01..2026-01-31")
            .insufficient(UNSEEN),
    ]
}
