//! Cases of what was seen of a log: days, weekdays, silences, columns, stated ranges, how far it is settled.

use chrono::Weekday::{Mon, Sun, Thu, Tue, Wed};

use super::case::{Case, case, case_at};
use lightsout_model::protocol::Protocol::{OtherLegacy, Pop3, SmtpAuth};
use lightsout_model::sign_in::Category::{Interactive, NonInteractive, ServicePrincipal};

const UNSEEN: &str = "category_missing interactive; category_missing non_interactive";

/// The whole history of the cases, to the end of the window.
const ALL: &str = "2026-08-02..2026-10-30";

#[rustfmt::skip]
pub(super) fn cases() -> Vec<Case> {
    vec![
        // Days missing, in the window of 2026-10-01 to 2026-10-30, a Thursday to a Friday.
        case("an office without sign-ins at weekends is complete without them")
            .office(NonInteractive, 100).office(Interactive, 20)
            .no_impact("unused").want("days", "2026-10-01..2026-10-30"),
        case("one working day of a busy log may be missing")
            .office(NonInteractive, 100).lost(NonInteractive, "2026-10-14")
            .no_impact("unused"),
        case("two working days of a busy log may not")
            .office(NonInteractive, 100).lost(NonInteractive, "2026-10-14, 2026-10-27")
            .insufficient("days_missing non_interactive Monday to Friday 20 of 22, 21 needed").want("clear", "")
            .want("pop3", "unproven"),
        case("three working days of interactive sign-ins may be missing")
            .office(Interactive, 20).by_two_channels().lost(Interactive, "2026-10-05, 2026-10-14, 2026-10-27")
            .no_impact("unused"),
        case("four may not")
            .office(Interactive, 20).by_two_channels()
            .lost(Interactive, "2026-10-05, 2026-10-14, 2026-10-20, 2026-10-27")
            .insufficient("days_missing interactive Monday to Friday 18 of 22, 19 needed"),
        case("of a log with fewer than five sign-ins a day one day in ten may be missing")
            .office(NonInteractive, 3).lost(NonInteractive, "2026-10-14, 2026-10-27")
            .no_impact("unused"),
        case("and no more than that")
            .office(NonInteractive, 3).lost(NonInteractive, "2026-10-14, 2026-10-20, 2026-10-27")
            .insufficient("days_missing non_interactive Monday to Friday 19 of 22, 20 needed"),
        case("a log that is busy at weekends too is expected every day")
            .lost(NonInteractive, "2026-10-10, 2026-10-17")
            .insufficient("days_missing non_interactive every day 28 of 30, 29 needed"),
        case("the week of a tenant that works Sunday to Thursday is told by its history")
            .by_weekday(NonInteractive, [90, 90, 90, 90, 0, 0, 90]).lost(NonInteractive, "2026-10-04, 2026-10-11")
            .insufficient("days_missing non_interactive Sunday to Thursday 19 of 21, 20 needed"),
        case("so is that of one that works Saturday to Wednesday")
            .by_weekday(NonInteractive, [90, 90, 90, 0, 0, 90, 90])
            .no_impact("unused"),
        case("the roster's working days come before what the history shows")
            .office(NonInteractive, 4).lost(NonInteractive, "2026-10-02, 2026-10-09, 2026-10-16")
            .works(&[Mon, Tue, Wed, Thu])
            .no_impact("unused"),
        case("working days that nobody ever sees are missing")
            .office(NonInteractive, 4).works(&[Sun, Mon, Tue, Wed, Thu])
            .insufficient("days_missing non_interactive Sunday to Thursday 17 of 21, 19 needed"),
        case("ten-day pulls of seven days lose three days in ten")
            .lost(NonInteractive, "2026-10-05..2026-10-07, 2026-10-15..2026-10-17, 2026-10-25..2026-10-27")
            .insufficient("days_missing non_interactive every day 21 of 30, 29 needed"),
        case("every other day is not enough, in either log")
            .office(NonInteractive, 100).office(Interactive, 100)
            .lost(NonInteractive, "2026-10-02, 2026-10-06, 2026-10-08, 2026-10-12, 2026-10-14, 2026-10-16")
            .lost(Interactive, "2026-10-02, 2026-10-06, 2026-10-08, 2026-10-12, 2026-10-14, 2026-10-16")
            .insufficient("days_missing interactive Monday to Friday 16 of 22, 19 needed; \
                days_missing non_interactive Monday to Friday 16 of 22, 21 needed"),
        case("without history the window itself tells what is usual")
            .office(NonInteractive, 100).office(Interactive, 100).window_alone()
            .no_impact("unused"),
        case("without history two lost days are told all the same")
            .office(NonInteractive, 100).office(Interactive, 100).window_alone()
            .lost(NonInteractive, "2026-10-14, 2026-10-27")
            .insufficient("days_missing non_interactive Monday to Friday 20 of 22, 21 needed"),
        case_at("of a window of sixty days two working days may be missing", "2026-10-31", 60)
            .office(NonInteractive, 100).lost(NonInteractive, "2026-09-14, 2026-10-14")
            .no_impact("unused"),
        case_at("of a window of a week none may be", "2026-10-31", 7)
            .office(NonInteractive, 100).lost(NonInteractive, "2026-10-28")
            .insufficient("days_missing non_interactive Monday to Friday 4 of 5, 5 needed"),

        // Days that are seen, and far too few of it.
        case("a day with less than a tenth of its usual sign-ins is not seen")
            .office(NonInteractive, 100).only(NonInteractive, "2026-10-14, 2026-10-27", 9)
            .insufficient("days_missing non_interactive Monday to Friday 20 of 22, 21 needed"),
        case("a tenth is enough")
            .office(NonInteractive, 100).only(NonInteractive, "2026-10-14, 2026-10-27", 10)
            .no_impact("unused"),
        case("no day of a log of fewer than ten sign-ins a day is too thin")
            .office(NonInteractive, 9).only(NonInteractive, "2026-10-14, 2026-10-27", 1)
            .no_impact("unused"),
        case("an empty storage file on a day that is usually busy is too thin")
            .office(NonInteractive, 100).storage(NonInteractive, "2026-10-01..2026-10-30")
            .lost(NonInteractive, "2026-10-14, 2026-10-27")
            .insufficient("days_missing non_interactive Monday to Friday 20 of 22, 21 needed"),
        case("empty storage files of a quiet log show that it was silent")
            .office(NonInteractive, 4).storage(NonInteractive, "2026-08-02..2026-10-30")
            .lost(NonInteractive, "2026-10-05..2026-10-16")
            .no_impact("unused"),

        // Gaps.
        case("a gap of exactly the four permitted days is no gap, but its days are missing")
            .seen(NonInteractive, "2026-08-02..2026-10-09, 2026-10-14..2026-10-30")
            .insufficient("days_missing non_interactive every day 26 of 30, 29 needed"),
        case("a gap one day longer than permitted is one")
            .seen(NonInteractive, "2026-08-02..2026-10-09, 2026-10-15..2026-10-30")
            .insufficient("gap non_interactive 2026-10-10..2026-10-14 over 4; \
                days_missing non_interactive every day 25 of 30, 29 needed"),
        case("a long weekend with its idle days is within the permitted gap")
            .office(NonInteractive, 100).lost(NonInteractive, "2026-10-12")
            .no_impact("unused"),
        case("a working day lost on each side of a weekend is four days without a record, and two missing")
            .office(NonInteractive, 100).lost(NonInteractive, "2026-10-09, 2026-10-12")
            .insufficient("days_missing non_interactive Monday to Friday 20 of 22, 21 needed"),
        case("days after the window do not fill it")
            .office(NonInteractive, 100).lost(NonInteractive, "2026-10-26..2026-10-30")
            .only(NonInteractive, "2026-10-31..2026-11-02", 100)
            .insufficient("gap non_interactive 2026-10-24..2026-10-30 over 4; \
                days_missing non_interactive Monday to Friday 17 of 22, 21 needed"),
        case_at("an office closed from Christmas to New Year is a gap", "2027-01-10", 30)
            .office(NonInteractive, 100).lost(NonInteractive, "2026-12-24..2027-01-03")
            .insufficient("gap non_interactive 2026-12-24..2027-01-03 over 4; \
                days_missing non_interactive Monday to Friday 14 of 21, 20 needed"),
        case_at("a stated range helps an office that was closed over the holidays", "2027-01-10", 30)
            .office(NonInteractive, 100).lost(NonInteractive, "2026-12-24..2027-01-03")
            .roster_logs(Some("2026-12-24"), Some("2027-01-03"))
            .no_impact("unused"),
        case("usage in a log with missing days warns, tells them apart and clears nothing")
            .used(Pop3, 1, 1).office(NonInteractive, 100).lost(NonInteractive, "2026-10-14, 2026-10-27")
            .warning("in_use pop3 1 1").want("clear", "").want("smtp_auth", "unproven")
            .want("evidence_reasons", "days_missing non_interactive Monday to Friday 20 of 22, 21 needed"),
        case("a script at another service does not warn in a log with missing days")
            .elsewhere(5, 0, 0).office(NonInteractive, 100).lost(NonInteractive, "2026-10-14, 2026-10-27")
            .insufficient("days_missing non_interactive Monday to Friday 20 of 22, 21 needed")
            .want("other_legacy", "in_use").want("in_use", ""),
        case("reasons of the evidence come before those of protocols and clients")
            .unknown(OtherLegacy, 2).used_before(SmtpAuth, 1, 1).unrecognised(3)
            .office(NonInteractive, 100).lost(NonInteractive, "2026-10-14, 2026-10-27")
            .insufficient("days_missing non_interactive Monday to Friday 20 of 22, 21 needed; \
                used_before_window smtp_auth 1 1; unknown_outcome other_legacy 2; unrecognised_client 3"),

        // Silences of the interactive log beside a busy other one.
        case("a few people who sign in on two days of three may be silent for some days")
            .by_weekday(Interactive, [1, 1, 0, 1, 0, 0, 0])
            .no_impact("unused"),
        case("the same silences by another channel are missing days")
            .by_weekday(Interactive, [1, 1, 0, 1, 0, 0, 0]).by_two_channels()
            .insufficient("days_missing interactive Monday to Friday 13 of 22, 19 needed"),
        case("an interactive log that was switched off for ten days is not believed silent")
            .office(Interactive, 20).lost(Interactive, "2026-10-12..2026-10-21")
            .insufficient("gap interactive 2026-10-10..2026-10-21 over 10; \
                days_missing interactive Monday to Friday 14 of 22, 19 needed"),
        case("nor is one that was switched off for good before the window, however long ago it was")
            .office(Interactive, 20).lost(Interactive, "2026-09-01..2026-10-30")
            .insufficient("category_missing interactive"),
        case("silent days are not filled where the other log was not seen either")
            .by_weekday(Interactive, [1, 1, 0, 1, 0, 0, 0]).lost(NonInteractive, "2026-10-07, 2026-10-09")
            .insufficient("days_missing non_interactive every day 28 of 30, 29 needed"),
        case("a log of four sign-ins a day may be silent on a quarter of the days")
            .office(Interactive, 4).lost(Interactive, "2026-10-02, 2026-10-08, 2026-10-14, 2026-10-20, 2026-10-26")
            .no_impact("unused"),
        case("a log of twenty a day may not")
            .office(Interactive, 20).lost(Interactive, "2026-10-02, 2026-10-08, 2026-10-14, 2026-10-20, 2026-10-26")
            .insufficient("days_missing interactive Monday to Friday 17 of 22, 19 needed"),
        case("non-interactive silences are never filled from interactive sign-ins")
            .office(NonInteractive, 100).office(Interactive, 100).lost(NonInteractive, "2026-10-14..2026-10-16")
            .insufficient("gap non_interactive 2026-10-14..2026-10-18 over 4; \
                days_missing non_interactive Monday to Friday 19 of 22, 21 needed"),

        // Logs that are nearly idle.
        case("nine sign-ins in a month prove nothing")
            .seen(NonInteractive, "2026-10-01, 2026-10-06, 2026-10-09, 2026-10-13, 2026-10-16, 2026-10-21, \
                2026-10-23, 2026-10-27, 2026-10-30")
            .requires_only(NonInteractive, 4)
            .insufficient("days_missing non_interactive Monday to Friday 9 of 22, 21 needed"),
        case("a near-idle log is proof if every day is stated")
            .only(NonInteractive, ALL, 0).only(NonInteractive, "2026-08-03, 2026-09-02, 2026-10-09, 2026-10-21", 1)
            .stated(NonInteractive, "2026-10-01..2026-10-30").requires_only(NonInteractive, 4)
            .no_impact("unused"),
        case("it is none if one day is not")
            .only(NonInteractive, ALL, 0).only(NonInteractive, "2026-08-03, 2026-09-02, 2026-10-09, 2026-10-21", 1)
            .stated(NonInteractive, "2026-10-02..2026-10-30").requires_only(NonInteractive, 4)
            .insufficient("days_missing non_interactive near-idle, seen on 2 of 30"),
        case("a near-idle interactive log beside a busy other one is filled")
            .only(Interactive, ALL, 0).only(Interactive, "2026-08-03, 2026-09-02, 2026-09-23, 2026-10-09, 2026-10-21", 1)
            .no_impact("unused"),

        // Categories.
        case("no non-interactive log at all: legacy sign-ins would be there")
            .never_seen(NonInteractive)
            .insufficient("category_missing non_interactive").want("days", "2026-10-01..2026-10-30"),
        case("a category that was last seen before the window is missing, and nothing beside it")
            .seen(NonInteractive, "2026-08-02..2026-09-30").by_two_channels()
            .insufficient("category_missing non_interactive"),
        case("a category that is first seen on the day after the window is too young, not missing")
            .seen(NonInteractive, "2026-10-31").by_two_channels()
            .insufficient("window_longer_than_history non_interactive since 2026-10-31, possible from 2026-11-30"),
        case("a category that was last seen on the day before the window is missing")
            .seen(NonInteractive, "2026-09-30").by_two_channels()
            .insufficient("category_missing non_interactive"),
        case("a category that the campaign does not require may be missing")
            .requires_only(NonInteractive, 4).never_seen(Interactive)
            .no_impact("unused"),
        case("a tenant of service principals only has no user log at all")
            .never_seen(Interactive).never_seen(NonInteractive).seen(ServicePrincipal, "2026-09-01..2026-10-31")
            .insufficient(UNSEEN).want("days", "None None"),

        // History that starts late.
        case("seven days of history can't fill a window of thirty, and the first date is told")
            .seen(NonInteractive, "2026-10-24..2026-10-30").seen(Interactive, "2026-10-24..2026-10-30")
            .insufficient("window_longer_than_history interactive since 2026-10-24, possible from 2026-11-23; \
                window_longer_than_history non_interactive since 2026-10-24, possible from 2026-11-23")
            .want("days", "2026-10-24..2026-10-30"),
        case_at("seven days of history fill a window of seven", "2026-10-31", 7)
            .seen(NonInteractive, "2026-10-24..2026-10-30").seen(Interactive, "2026-10-24..2026-10-30")
            .no_impact("unused"),
        case("a later gap stays a gap where history starts late as well")
            .requires_only(NonInteractive, 4).seen(NonInteractive, "2026-10-10..2026-10-12, 2026-10-20..2026-10-30")
            .insufficient("gap non_interactive 2026-10-01..2026-10-09 over 4; \
                gap non_interactive 2026-10-13..2026-10-19 over 4; \
                days_missing non_interactive every day 14 of 30, 29 needed"),
        case("a stated range begins a history as records do")
            .requires_only(NonInteractive, 4).seen(NonInteractive, "2026-10-20..2026-10-30")
            .stated(NonInteractive, "2026-10-12..2026-10-19")
            .insufficient("window_longer_than_history non_interactive since 2026-10-12, possible from 2026-11-11"),

        // What files state of themselves.
        case("a file's name is believed of the quiet days that a log like that has")
            .office(NonInteractive, 100).lost(NonInteractive, "2026-10-14..2026-10-15")
            .stated_by_files(NonInteractive, "2026-10-01..2026-10-30")
            .no_impact("unused"),
        case("and not of twelve days in a row without anybody: a part of the file was lost")
            .lost(NonInteractive, "2026-10-10..2026-10-21").stated_by_files(NonInteractive, "2026-10-01..2026-10-30")
            .insufficient("gap non_interactive 2026-10-10..2026-10-21 over 4; \
                days_missing non_interactive every day 18 of 30, 29 needed"),
        case("what a person states of them stands")
            .lost(NonInteractive, "2026-10-10..2026-10-21").stated(NonInteractive, "2026-10-01..2026-10-30")
            .no_impact("unused"),
        case("a file that ends twenty days before its name says so was cut, whatever the other log has")
            .window_alone().seen(NonInteractive, "2026-10-01..2026-10-10")
            .stated_by_files(NonInteractive, "2026-10-01..2026-10-30")
            .insufficient("gap non_interactive 2026-10-11..2026-10-30 over 4; \
                days_missing non_interactive every day 10 of 30, 29 needed"),
        case("a file of a log that is nearly idle is believed")
            .only(NonInteractive, ALL, 0).only(NonInteractive, "2026-08-03, 2026-09-02, 2026-10-09, 2026-10-21", 1)
            .stated_by_files(NonInteractive, "2026-10-01..2026-10-30").requires_only(NonInteractive, 4)
            .no_impact("unused"),

        // Files that lack a column.
        case("files without the client app would fill the gap, so the column is what is missing")
            .lost(NonInteractive, "2026-10-10..2026-10-19").columnless(NonInteractive, "2026-10-10..2026-10-19")
            .insufficient("column_missing non_interactive clientAppUsed"),
        case("a category of nothing but files without a column is not told as missing")
            .seen(NonInteractive, "").columnless(NonInteractive, "2026-10-01..2026-10-30").by_two_channels()
            .insufficient("column_missing non_interactive clientAppUsed"),
        case("files without a column that leave too many days missing are one reason of two")
            .lost(NonInteractive, "2026-10-10..2026-10-19").columnless(NonInteractive, "2026-10-10..2026-10-17")
            .insufficient("column_missing non_interactive clientAppUsed; \
                days_missing non_interactive every day 28 of 30, 29 needed"),
        case("files without a column in a log that is complete without them are no reason")
            .columnless(NonInteractive, "2026-10-03..2026-10-05")
            .no_impact("unused"),
        case("a stated range does not give files the column they lack")
            .seen(NonInteractive, "").columnless(NonInteractive, "2026-10-01..2026-10-30").by_two_channels()
            .roster_logs(Some("2026-10-01"), Some("2026-10-31"))
            .insufficient("column_missing non_interactive clientAppUsed"),
        case("provable usage in files without a column warns all the same")
            .used(OtherLegacy, 1, 2).seen(NonInteractive, "").columnless(NonInteractive, "2026-10-01..2026-10-30")
            .by_two_channels()
            .warning("unattributed_legacy_use 1 2")
            .want("evidence_reasons", "column_missing non_interactive clientAppUsed"),

        // How far each log is settled.
        case("a log that is settled exactly at the end of the window is settled")
            .latest(NonInteractive, Some("2026-11-01"))
            .no_impact("unused"),
        case("one expected day may lie partly after the end of what is proven")
            .latest(NonInteractive, Some("2026-10-31T12:00:00Z"))
            .no_impact("unused"),
        case("a quiet log is settled as far as the busy one of its channel fills it")
            .by_weekday(Interactive, [1, 1, 0, 1, 1, 0, 0]).seen(NonInteractive, "2026-08-02..2026-11-01")
            .latest(Interactive, Some("2026-10-30T10:00:00Z"))
            .no_impact("unused"),
        case("a busy one is not: that it is silent after its newest record is not believable")
            .office(Interactive, 100).lost(Interactive, "2026-10-30")
            .seen(NonInteractive, "2026-08-02..2026-11-01").latest(Interactive, Some("2026-10-29T10:00:00Z"))
            .insufficient("not_settled interactive 2026-10-27"),
        case("two may not, and the last provable day ends at or before that end")
            .latest(NonInteractive, Some("2026-10-30T12:00:00Z"))
            .insufficient("not_settled non_interactive 2026-10-28").want("clear", ""),
        case("days that nobody expects do not count")
            .office(NonInteractive, 100).latest(NonInteractive, Some("2026-10-30T12:00:00Z"))
            .insufficient("not_settled non_interactive 2026-10-28"),
        case_at("a weekend at the end of the window is not waited for", "2026-11-02", 30)
            .office(NonInteractive, 100).office(Interactive, 100)
            .latest(NonInteractive, Some("2026-10-30T18:00:00Z")).latest(Interactive, Some("2026-10-31T18:00:00Z"))
            .insufficient("not_settled non_interactive 2026-10-28"),
        case("each log has an end of its own: a newer one says nothing for the other")
            .latest(Interactive, Some("2026-11-05")).latest(NonInteractive, Some("2026-10-27"))
            .insufficient("not_settled non_interactive 2026-10-25"),
        case("a log that ended four days before the window does is told by its days and its end")
            .lost(NonInteractive, "2026-10-27..2026-10-30").latest(NonInteractive, Some("2026-10-26T20:00:00Z"))
            .insufficient("days_missing non_interactive every day 26 of 30, 29 needed; \
                not_settled non_interactive 2026-10-24"),
        case("a stated range to the last day of the window settles it without a day of waiting")
            .latest(NonInteractive, Some("2026-10-30T01:00:00Z")).stated(NonInteractive, "2026-10-01..2026-10-30")
            .no_impact("unused"),
        case("a log with neither a time nor a stated range is never settled")
            .latest(NonInteractive, None)
            .insufficient("not_settled non_interactive never"),
        case("a silent end of the interactive log is settled by the other log of its channel")
            .by_weekday(Interactive, [1, 1, 0, 1, 0, 0, 0]).latest(Interactive, Some("2026-10-29T10:00:00Z"))
            .no_impact("unused"),
        case("usage in a log that is not settled is a warning at once")
            .used(Pop3, 1, 1).latest(NonInteractive, Some("2026-10-20"))
            .warning("in_use pop3 1 1").want("evidence_reasons", "not_settled non_interactive 2026-10-18")
            .want("clear", ""),

        // What the roster states.
        case("a roster range states a log complete")
            .seen(NonInteractive, "2026-10-10..2026-10-30").roster_logs(Some("2026-09-01"), Some("2026-10-30"))
            .no_impact("unused"),
        case("a roster range with one end states nothing")
            .lost(NonInteractive, "2026-10-14, 2026-10-27").roster_logs(Some("2026-09-01"), None)
            .insufficient("days_missing non_interactive every day 28 of 30, 29 needed"),
        case("a roster range does not speak for a log that the lake has nothing of")
            .never_seen(NonInteractive).roster_logs(Some("2026-09-01"), Some("2026-10-30"))
            .insufficient("category_missing non_interactive"),

        // Downloads through a filter.
        case("a download that shows one client app alone proves no day")
            .never_seen(NonInteractive).filtered(NonInteractive)
            .insufficient("category_missing non_interactive; filtered_export non_interactive portal_csv"),
        case("it is no doubt where the other files prove enough")
            .filtered(NonInteractive)
            .no_impact("unused"),
        case("it is none where somebody states the days")
            .never_seen(NonInteractive).filtered(NonInteractive).stated(NonInteractive, "2026-10-01..2026-10-30")
            .no_impact("unused"),

        // Nothing in the lake.
        case("a tenant without a record, a file or a range has no records and no other reason")
            .nothing_in_the_lake()
            .insufficient("no_records").want("days", "None None").want("pop3", "unproven").want("clear", ""),
        case("a roster tenant that no log names has no records")
            .only_in_the_roster()
            .insufficient("no_records"),
        case("a roster range of a tenant that the lake does not know states nothing")
            .only_in_the_roster().roster_logs(Some("2026-09-01"), Some("2026-11-01"))
            .insufficient("no_records"),
        case("empty storage files for every day prove that nobody signed in")
            .only_empty_files(ALL)
            .no_impact("unused"),
        case("empty storage files with a hole are told as no records and a gap")
            .only_empty_files("2026-08-02..2026-10-20, 2026-10-28..2026-10-30")
            .insufficient("no_records; days_missing interactive Monday to Friday 17 of 22, 19 needed; \
                gap non_interactive 2026-10-21..2026-10-27 over 4; \
                days_missing non_interactive Monday to Friday 17 of 22, 20 needed"),
    ]
}
