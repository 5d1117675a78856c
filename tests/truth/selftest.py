#!/usr/bin/env python3
"""Checks the referee itself against examples that were worked out by hand.

    selftest.py     prints the number of cases; exit code 1 and the differences if any differs

The window is September 2026: 30 days from Tuesday the 1st to Wednesday the 30th, of which 22 are
Mondays to Fridays, 4 Saturdays and 4 Sundays. As-of is Thursday, 1 October.
"""
import gzip
import json
import os
import sys
import tempfile

from rules import deciding, identity, lenient, records
from rules.coverage import CategoryLog, Habits, fill, judge
from rules.doubts import released
from rules.sources import Logs, cut_off
from rules.times import DAY, HOUR, day_of, parse_time, weekday
from rules.words import CAMPAIGNS, fold

END = day_of("2026-10-01")
START = END - 30
NOW = parse_time("2026-10-05T12:00:00Z")
T = "11111111-0000-4000-8000-000000000001"
OTHER = "22222222-0000-4000-8000-000000000002"
EXO = "00000002-0000-0ff1-ce00-000000000000"
GRAPH = "00000003-0000-0000-c000-000000000000"
failures, cases = [], 0


def check(what, expected, found):
    global cases
    cases += 1
    if expected != found:
        failures.append(f"{what}: expected {expected}, found {found}")


def september(*days):
    return {START + day - 1 for day in days}


# ---------------------------------------------------------------- coverage

def log_of(per_day, first=START, last=END + 1, without=(), workweek=range(7)):
    """per_day records at noon of each day from first to last, but not on the days `without`."""
    log = CategoryLog()
    for day in range(first, last + 1):
        if weekday(day) in workweek and day not in without:
            for _ in range(per_day):
                log.record(day * DAY + 12 * HOUR, "channel")
    return log


def coverage_case(what, expected, log, category="non_interactive", filled=None, stated=(), workdays=None, of_sibling=None):
    habits = Habits(log, set(stated), START, END, workdays)
    check(what, set(expected.split()),
          judge(category, log, habits, filled or {}, set(stated), of_sibling, START, END).reasons)


def mixed(busy, without):
    """A log of the window's Mondays to Fridays: five records on the first so many of them, then four; without history."""
    log, days = CategoryLog(), [day for day in range(START, END + 1) if weekday(day) < 5 and day not in without]
    for n, day in enumerate(days):
        for _ in range(5 if n < busy else 4):
            log.record(day * DAY + 12 * HOUR, "channel")
    return log


def coverage_cases():
    week, history = range(5), START - 60
    coverage_case("every day", "", log_of(3))
    coverage_case("Mondays to Fridays alone, weekends never", "", log_of(3, workweek=week))
    coverage_case("nothing in the window", "category_missing", log_of(3, first=START - 30, last=START - 1))
    # 22 expected days: 10 % are 2.2, so two may be missing of a log with fewer than five records a day; one in twenty is one.
    quiet, busy, fewest = (dict(per_day=n, first=history, workweek=week) for n in (3, 40, 5))
    coverage_case("quiet, two of 22 missing", "", log_of(**quiet, without=september(8, 16)))
    coverage_case("quiet, three of 22 missing", "days_missing", log_of(**quiet, without=september(2, 8, 16)))
    coverage_case("busy, one of 22 missing", "", log_of(**busy, without=september(8)))
    coverage_case("busy, two of 22 missing", "days_missing", log_of(**busy, without=september(8, 16)))
    coverage_case("busy, five records are busy", "days_missing", log_of(**fewest, without=september(8, 16)))
    coverage_case("busy, four records are not", "", log_of(4, history, without=september(8, 16), workweek=week))
    for per_day in (1, 40):
        coverage_case(f"interactive of {per_day}, three missing", "",
                      log_of(per_day, history, without=september(8, 16, 24), workweek=week), "interactive")
        coverage_case(f"interactive of {per_day}, four missing", "days_missing",
                      log_of(per_day, history, without=september(2, 8, 16, 24), workweek=week), "interactive")
    # Without history a lost day counts as a busy one. Of 20 days 10 have five records and 10 four; with the two lost
    # ones the middle of 22 is five.
    coverage_case("eleven busy days, two missing", "days_missing", mixed(11, without=september(8, 16)))
    coverage_case("nine busy days, two missing", "", mixed(9, without=september(8, 16)))
    coverage_case("ten busy days, two missing", "days_missing", mixed(10, without=september(8, 16)))
    # Busy Saturdays and Sundays are expected too: 30 days, of which two are missing.
    coverage_case("busy weekends count", "days_missing", log_of(40, history, without=september(5, 6)))
    coverage_case("five a day are busy weekends", "days_missing", log_of(5, history, without=september(5, 6)))
    coverage_case("quiet weekends do not count", "", log_of(4, history, without=september(5, 6, 12, 13)))
    # Three weeks of history are too few: then the window counts as well, here that has no Fridays and Saturdays.
    sundays = log_of(3, START - 27, workweek=(6, 0, 1, 2, 3))
    coverage_case("Sunday to Thursday", "", sundays)
    # In three weeks of Sundays to Fridays both weeks are equally usual; the window has no Fridays.
    late = log_of(3, START - 21, START - 1, workweek=(6, 0, 1, 2, 3, 4))
    for day in sundays.counts:
        if day >= START:
            late.record(day * DAY + 12 * HOUR, "channel")
    coverage_case("Sundays to Fridays for 21 days, then Sundays to Thursdays", "", late)
    for day in (START - 28, START - 27):
        late.record(day * DAY, "channel")
    coverage_case("from 28 days before", "days_missing", late)
    # Without history the best covered week is sought in the window: Sunday to Thursday lacks nothing.
    coverage_case("no Fridays and Saturdays, no history", "", log_of(5, workweek=(6, 0, 1, 2, 3)))
    # Sunday to Thursday has to be clearly better covered: two lost Fridays and two Sundays do not make it so.
    six_days = (6, 0, 1, 2, 3, 4)
    coverage_case("of Sunday to Friday two Fridays lost", "",
                  log_of(3, workweek=six_days, without=september(4, 11)))
    coverage_case("three Fridays lost: a lead of 13 %", "",
                  log_of(3, workweek=six_days, without=september(4, 11, 18)))
    coverage_case("one Friday and two Wednesdays lost", "days_missing",
                  log_of(3, workweek=six_days, without=september(4, 9, 16)))
    # From history Monday to Friday is usual (a tie, the first one): four Fridays of 22 are missing.
    coverage_case("all Fridays lost, with history", "days_missing", log_of(5, history, without=september(4, 11, 18, 25)))
    coverage_case("workdays of the roster", "days_missing",
                  log_of(5, without=september(4, 11, 18, 25)), workdays=[0, 1, 2, 3, 4])
    # Four days in a row may be missing, five may not; a weekend between them counts.
    coverage_case("Monday to Thursday lost after a weekend: six days", "days_missing gap",
                  log_of(5, history, without=september(7, 8, 9, 10), workweek=week))
    coverage_case("Friday and Monday lost around a weekend: four days", "",
                  log_of(3, history, without=september(4, 7), workweek=week))
    coverage_case("five days in a row", "gap days_missing", log_of(5, history, without=september(*range(7, 12)), workweek=week))
    coverage_case("ten days of the interactive log", "days_missing",
                  log_of(5, history, without=september(*range(7, 17))), "interactive")
    coverage_case("eleven days of the interactive log", "days_missing gap",
                  log_of(5, history, without=september(*range(7, 18))), "interactive")
    # The newest record is at noon; less 24 hours.
    coverage_case("newest record on 1 October", "", log_of(5, history, last=END))
    coverage_case("newest record on 30 September: 29 and 30 are not settled", "not_settled", log_of(5, history, last=END - 1))
    coverage_case("stated to the end", "", log_of(5, history, last=END - 1), stated=range(START, END))
    coverage_case("the last four days are lost", "days_missing not_settled", log_of(5, history, last=END - 5))
    coverage_case("history begins on 10 September", "window_longer_than_history", log_of(5, first=START + 9))
    coverage_case("history begins on 10 September, stated before", "",
                  log_of(5, first=START + 9), stated=range(START - 1, START + 9))
    coverage_case("history begins late and a day is lost later", "days_missing gap",
                  log_of(5, first=START + 9, without=september(16)))
    # Thin: the median of the same weekday is 100, 9 is fewer than a tenth of it, 10 is not.
    for records_there, expected in ((9, "days_missing"), (10, "")):
        log = log_of(100, history, without=september(8, 16), workweek=week)
        for day in september(8, 16):
            for _ in range(records_there):
                log.record(day * DAY, "channel")
        coverage_case(f"two days of {records_there} records instead of 100", expected, log)
    thin = log_of(9, history, without=september(8))
    thin.storage_file(START + 7, 3, "channel")
    check("below a median of 10 no day is thin", False, thin.thin(START + 7))
    check("an empty storage file is a day", True, START + 7 in thin.seen())
    # Near-idle: records on one Tuesday in three.
    idle = CategoryLog()
    for day in range(START - 56, END + 2, 21):
        idle.record(day * DAY, "channel")
    coverage_case("near-idle, half of it stated", "days_missing gap not_settled", idle, stated=range(START, START + 15))
    coverage_case("near-idle, all but a Saturday stated", "days_missing", idle, stated=set(range(START, END)) - september(5))
    coverage_case("near-idle, all stated", "", idle, stated=range(START, END))
    weekdays = {day for day in range(START, END) if weekday(day) < 5}
    at_work = Habits(log_of(3, history, workweek=week), set(), START, END)
    coverage_case("near-idle, all but weekends stated", "days_missing", idle, "interactive", stated=weekdays)
    coverage_case("the same, where the sibling log has no weekends", "", idle, "interactive", stated=weekdays, of_sibling=at_work)
    coverage_case("the same, but a Wednesday", "days_missing", idle, "interactive", stated=weekdays - september(9), of_sibling=at_work)
    # Filled to the window's end, and settled by what the sibling log has after it.
    quiet_end = log_of(1, history, last=END - 4, workweek=week)
    until = {day: day * DAY + 23 * HOUR for day in range(END - 3, END + 2)}
    coverage_case("the last days filled", "", quiet_end, "interactive", filled=until)
    coverage_case("the last days filled, but not settled", "not_settled", quiet_end, "interactive",
                  filled={day: at for day, at in until.items() if day < END})
    coverage_case("only stated, all of it", "", CategoryLog(), stated=range(START, END))
    coverage_case("only stated, all but one day", "days_missing", CategoryLog(), stated=set(range(START, END)) - september(9))


def filled_days(interactive, sibling):
    habits = Habits(interactive, set(), START, END)
    return {day - START + 1 for day in fill(interactive, sibling, habits, START, END) if START <= day < END}


def every_second_day(per_day=1, without=(), last=END + 1):
    """A log of odd days of September, and of every second day before."""
    log = CategoryLog()
    for day in range(START - 60, last + 1):
        if (day - START) % 2 == 0 and day not in without:
            for _ in range(per_day):
                log.record(day * DAY + 12 * HOUR, "channel")
    return log


def fill_cases():
    history, busy, even = START - 60, log_of(50, START - 60), set(range(2, 31, 2))
    check("every second day", even, filled_days(every_second_day(), busy))
    # The chance of silence is 1/2 on every day, whatever the weekday: five days are 1/32, seven are 1/128.
    check("silence from 2 to 6 September", even | {3, 5}, filled_days(every_second_day(without=september(3, 5)), busy))
    check("silence from 2 to 8 September", even - {2, 4, 6, 8}, filled_days(every_second_day(without=september(3, 5, 7)), busy))
    # From 28 September to the day after the sibling's newest: five days of silence, or eight.
    check("silence to 2 October", even | {29}, filled_days(every_second_day(last=END - 3), busy))
    check("silence to 5 October", even - {28, 30}, filled_days(every_second_day(last=END - 3), log_of(50, history, END + 4)))
    # Eleven of 22 Mondays to Fridays are silent; a log of three records a day would be on more of them.
    check("every second day, of two records", even, filled_days(every_second_day(2), busy))
    check("every second day, of three records", {6, 12, 20, 26}, filled_days(every_second_day(3), busy))
    check("not where the sibling is missing", even - {8}, filled_days(every_second_day(), log_of(50, history, without=september(8))))
    elsewhere = CategoryLog()
    for day in range(history, END + 2):
        elsewhere.record(day * DAY, "another channel")
    check("not from another channel", set(), filled_days(every_second_day(), elsewhere))
    check("a daily log that is silent for a day", set(), filled_days(log_of(5, history, without=september(9)), busy))
    check("its weekends are filled", {5, 6, 12, 13, 19, 20, 26, 27},
          filled_days(log_of(5, history, workweek=range(5)), busy))
    check("nothing is filled before the first record", set(), filled_days(log_of(5, first=START + 9), busy))
    check("no interactive log at all", set(), filled_days(CategoryLog(), busy))


# ---------------------------------------------------------------- records

def diagnostic(category="NonInteractiveUserSignInLogs", time="2026-09-10T08:00:00Z", tenant=T, **changes):
    props = dict(id="id-1", createdDateTime=time, userId="u1", userPrincipalName="anna@example.com",
                 clientAppUsed="Browser", appId="d3590ed6-52b3-4102-aeff-aad2292ab01c", resourceId=EXO,
                 resourceDisplayName="Office 365 Exchange Online", status={"errorCode": 0}, userAgent="Mozilla/5.0",
                 homeTenantId=tenant, resourceTenantId=tenant)
    emitted = changes.pop("emitted", time)
    props.update(changes)
    props = {k: v for k, v in props.items() if v is not None}
    return dict(time=emitted, category=category, operationName="Sign-in activity", tenantId=tenant, properties=props)


def row(**changes):
    return records.read("diagnostic", diagnostic(**changes), None, None, NOW)


def meaning_cases():
    table = [  # what, changes, method, protocol
        ("browser", {}, "modern", None),
        ("POP3", dict(clientAppUsed=" pop3 "), "unknown", "pop3"),
        ("IMAP4 with OAuth", dict(clientAppUsed="IMAP4", authenticationProtocol="oAuth2"), "modern", "imap4"),
        ("IMAP4 with ropc", dict(clientAppUsed="IMAP4", authenticationProtocol="ropc"), "basic", "imap4"),
        ("IMAP4 with ropc elsewhere", dict(clientAppUsed="IMAP4", authenticationProtocol="ropc", resourceId=GRAPH),
         "unknown", "imap4"),
        ("rewritten, named a browser", dict(userAgent="BAV2ROPC"), "basic", "other_legacy"),
        ("rewritten, at no resource", dict(userAgent="CBAinPROD", resourceId=None, resourceDisplayName=None),
         "basic", "other_legacy"),
        ("rewritten, elsewhere", dict(userAgent="BAV2ROPC", resourceId=GRAPH), "basic", None),
        ("WinRM", dict(userAgent="Microsoft WinRM Client"), "basic", "remote_powershell"),
        ("WinRM of other clients", dict(userAgent="Microsoft WinRM Client", clientAppUsed="Other clients"),
         "basic", "remote_powershell"),
        ("ropc of an application", dict(authenticationProtocol="ropc"), "password_grant", "password_grant"),
        ("ropc of Exchange Online", dict(authenticationProtocol="ropc", appId=EXO), "basic", "other_legacy"),
        ("ropc, no client app", dict(authenticationProtocol="ropc", clientAppUsed=""), "basic", "other_legacy"),
        ("ropc, no client app, elsewhere", dict(authenticationProtocol="ropc", clientAppUsed="", resourceId=GRAPH),
         "unknown", "not_stated"),
        ("certificate", dict(clientAppUsed="Exchange ActiveSync", authenticationDetails=[
            dict(authenticationMethod="X.509 Certificate", succeeded=True)]), "modern", "exchange_activesync"),
        ("certificate that failed", dict(clientAppUsed="Exchange ActiveSync", authenticationDetails=[
            dict(authenticationMethod="X.509 Certificate", succeeded=False),
            dict(authenticationMethod="Password", succeeded=True)]), "unknown", "exchange_activesync"),
        ("unrecognised", dict(clientAppUsed="IMAP5"), "unknown", "unrecognised"),
        ("unknown", dict(clientAppUsed="Unknown"), "unknown", "not_stated"),
        ("service principal", dict(category="ServicePrincipalSignInLogs", clientAppUsed="IMAP4"), "unknown", None),
    ]
    for what, changes, method, protocol in table:
        found = row(**changes)
        check(what, (method, protocol), (found.method, found.protocol))
    check("fold", ["smtp_auth", "other_legacy", "MODERN", "not_stated"],
          [fold(name) for name in ("authenticated  smtp", "Other Clients; older office clients", "browser", "")])
    nil = "00000000-0000-0000-0000-000000000000"
    for what, home, resource, expected in [
            ("own", T, T, (False, False)), ("outbound", T, OTHER, (True, False)), ("outbound, no home", "", OTHER, (True, False)),
            ("inbound", OTHER, T, (False, False)), ("both others", OTHER, OTHER, (False, True)),
            ("home is another, no resource tenant", OTHER, None, (False, False)), ("nil", nil, OTHER, (True, False))]:
        found = row(homeTenantId=home, resourceTenantId=resource)
        check(what, expected, (found.outbound, found.mismatched))


def identity_cases():
    later = "2026-09-10T09:00:00Z"
    imap, unstated = dict(clientAppUsed="IMAP4"), dict(clientAppUsed="")
    agent = dict(clientAppUsed="", userAgent="BAV2ROPC")
    table = [  # what, changes of each record, protocols of the sign-ins that come out
        ("told twice", [imap, imap], ["imap4"]),
        ("one that states its client app", [imap, dict(emitted=later, **unstated)], ["imap4"]),
        ("one that is not provably modern", [imap, dict(emitted=later, clientAppUsed="Browser")], ["imap4"]),
        ("one that is basic by its user agent", [agent, dict(emitted=later, clientAppUsed="Browser")], ["other_legacy"]),
        ("the same beside a password grant", [agent, dict(emitted=later, clientAppUsed="Mobile Apps and Desktop clients",
                                                          authenticationProtocol="ropc", appId=OTHER)], ["other_legacy"]),
        ("one that states a legacy client app before it", [imap, dict(emitted=later, **agent)], ["imap4"]),
        ("the latest", [imap, dict(emitted=later, clientAppUsed="POP3")], ["pop3"]),
        ("a second apart", [imap, dict(time="2026-09-10T08:00:01Z", clientAppUsed="Browser")], ["imap4"]),
        ("more than a second", [imap, dict(time="2026-09-10T08:00:01.000001Z", clientAppUsed="POP3")], ["imap4", "pop3"]),
        ("two users", [imap, dict(userId="u2", **imap)], ["imap4", "imap4"]),
        ("two addresses and no common id", [imap, dict(userId=None, userPrincipalName="bob@example.com", **imap)],
         ["imap4", "imap4"]),
        ("two addresses of one id", [imap, dict(userPrincipalName="bob@example.com", **imap)], ["imap4"]),
        ("one without any user", [imap, dict(userId=None, userPrincipalName="", **imap)], ["imap4"]),
        ("two categories", [imap, dict(category="SignInLogs", **imap)], ["imap4", "imap4"]),
        ("no category", [imap, dict(category=None, **imap)], ["imap4"]),
        ("two tenants", [imap, dict(tenant=OTHER, **imap)], ["imap4", "imap4"]),
    ]
    for what, changes, expected in table:
        for rows in ([row(**c) for c in changes], [row(**c) for c in reversed(changes)]):
            check(what, expected, sorted(r.protocol for r in identity.sign_ins(rows)))


def release_cases():
    known = set(range(START - 60, END))
    weekly = [START - 50 + 7 * i for i in range(5)]            # the last one 22 days before the window
    check("weekly, silent for 51 days", True, released("u", weekly, known, END))
    check("four usage days", False, released("u", weekly[1:], known, END))
    check("five days of one week", False, released("u", [day_of(f"2026-08-0{d}") for d in range(3, 8)], known, END))
    monthly = [START - 59, START - 58, START - 57, START - 29, START - 28]    # a pause of 28 days, silent for 57
    check("a monthly job, silent for 57 days", True, released("u", monthly, known, END))
    check("a monthly job, silent for 55 known days", False, released("u", monthly, known - {START, START + 1}, END))
    check("silent for 13 known days", False, released("u", weekly, set(range(END - 13, END)), END))
    check("silent for 14 known days", True, released("u", weekly, set(range(END - 14, END)), END))
    check("nobody in particular", False, released("?imap4", weekly, known, END))


def lenient_cases():
    whole = json.dumps(diagnostic(clientAppUsed="IMAP4"))
    for what, raw, expected in [
            ("cut after the client app", whole[:whole.index('"resourceId"')], (True, T)),
            ("cut before it", whole[:whole.index('"clientAppUsed"')] , (True, None)),
            ("modern", whole.replace("IMAP4", "Browser")[:-40], (False, None)),
            ("modern, but rewritten", whole.replace("IMAP4", "Browser").replace("Mozilla/5.0", "BAV2ROPC")[:-40], (True, None)),
            ("cut where a record might end", whole[:whole.index('"userAgent"') - 2].replace("IMAP4", "Browser"), (True, T)),
            ("half a word", whole.replace("IMAP4", "Browser")[:whole.index("IMAP4") + 4], (True, None)),
            ("another category", whole.replace("NonInteractiveUserSignInLogs", "AuditLogs")[:-40], (False, None))]:
        reject = lenient.Reject(raw.encode(), None, NOW)
        check(what, expected, (reject.may_be_usage, reject.tenant if expected[1] else None))


def export_cases():
    day = [row(time=f"2026-09-{d:02d}T08:00:00Z") for d in (9, 10, 12)]
    check("newest first", ({START + 9, START + 10}, {START + 8}), cut_off(day[::-1]))
    check("oldest first", ({START + 9, START + 10}, {START + 11}), cut_off(day))
    check("unordered", (set(), {START + 8, START + 11}), cut_off([day[1], day[0], day[2]]))


# ---------------------------------------------------------------- whole folders

def verdict(files, roster=(), campaign="basic-auth-all-protocols"):
    with tempfile.TemporaryDirectory() as root:
        for name, data in files.items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(data if isinstance(data, bytes) else data.encode())
        logs = Logs(NOW)
        logs.read(root)
        case = deciding.Case(logs, deciding.read_roster(roster),
                             deciding.scope_with_groups(CAMPAIGNS[campaign]), END)
        _, found, reasons, in_use, clear, users = case.decide(T)
        return found, reasons, in_use, len(clear.split(";")) if clear else 0, users


def ndjson(rows):
    return "".join(json.dumps(r) + "\n" for r in rows)


def dense(categories=("SignInLogs", "NonInteractiveUserSignInLogs")):
    return [diagnostic(category=c, time=f"2026-{m:02d}-{d:02d}T{h:02d}:00:00Z", id=f"{c}{m}{d}{h}")
            for m, days in ((8, range(1, 32)), (9, range(1, 31)), (10, (1, 2))) for d in days for h in (8, 9, 10)
            for c in categories]


def folder_cases():
    base = {"a/a.json": ndjson(dense())}
    smtp_oauth = diagnostic(id="x", clientAppUsed="Authenticated SMTP", authenticationProtocol="oAuth2")
    cut = json.dumps(diagnostic(id="cut", clientAppUsed="IMAP4"))[:-30] + "\n"
    untimed = cut.replace("2026-09-10", "1626-09-10")

    def with_record(**changes):
        return {**base, "a/b.json": ndjson([diagnostic(**{"id": "x", **changes})])}

    def audit(id, **changes):
        record = dict(RecordType=15, Operation="UserLoggedIn", Id=id, CreationTime="2026-09-10T08:00:00",
                      OrganizationId=T, UserKey="u1", UserId="anna@example.com", ErrorNumber="0", ObjectId=EXO,
                      InterSystemsId="c1")
        record.update(changes)
        return record

    table = [
        ("dense", base, "no_impact", "unused", 0),
        ("the same, packed", {"a/a.json.gz": gzip.compress(base["a/a.json"].encode())}, "no_impact", "unused", 0),
        ("packed and torn", {"a/a.json.gz": gzip.compress(base["a/a.json"].encode())[:-20]},
         "insufficient_evidence", "category_missing", 0),
        ("an envelope without an end", {"a/a.json": '{"records":['}, "insufficient_evidence", "no_records", 0),
        ("one log alone", {"a/a.json": ndjson(dense(["SignInLogs"]))}, "insufficient_evidence", "category_missing", 0),
        ("IMAP4 success", with_record(clientAppUsed="IMAP4"), "warning", "in_use", 1),
        ("IMAP4 failure", with_record(clientAppUsed="IMAP4", status={"errorCode": 50126}), "no_impact", "attempted", 0),
        ("IMAP4 without status", with_record(clientAppUsed="IMAP4", status=None), "insufficient_evidence", "unknown_outcome", 0),
        ("IMAP4 of a guest elsewhere", with_record(clientAppUsed="IMAP4", resourceTenantId=OTHER), "no_impact", "unused", 0),
        ("IMAP4 of others", with_record(clientAppUsed="IMAP4", resourceTenantId=OTHER, homeTenantId=OTHER),
         "insufficient_evidence", "tenant_mismatch", 0),
        ("IMAP4 on 31 August", with_record(clientAppUsed="IMAP4", time="2026-08-31T23:59:59.999999Z"),
         "insufficient_evidence", "used_before_window", 0),
        ("IMAP4 on 1 October", with_record(clientAppUsed="IMAP4", time="2026-10-01T00:00:00Z"),
         "insufficient_evidence", "used_after_window", 0),
        ("IMAP4 failure on 1 October", with_record(clientAppUsed="IMAP4", time="2026-10-01T00:00:00Z",
                                                   status={"errorCode": 50126}), "no_impact", "unused", 0),
        ("other clients elsewhere", with_record(clientAppUsed="Other clients", resourceId=GRAPH), "no_impact", "unused", 0),
        ("other clients", with_record(clientAppUsed="Other clients"), "warning", "unattributed_legacy_use", 1),
        ("unrecognised", with_record(clientAppUsed="IMAP5"), "insufficient_evidence", "unrecognised_client", 0),
        ("not stated", with_record(clientAppUsed=None), "insufficient_evidence", "client_not_stated", 0),
        ("not stated, told better", {**with_record(clientAppUsed=None), "a/c.json": ndjson([diagnostic(id="x")])},
         "no_impact", "unused", 0),
        ("a rewrite agent elsewhere", with_record(userAgent="BAV2ROPC", resourceId=GRAPH),
         "insufficient_evidence", "legacy_agent_elsewhere", 0),
        ("ropc of an application", with_record(authenticationProtocol="ropc"), "no_impact", "unused", 0),
        ("SMTP AUTH with OAuth", {**base, "a/b.json": ndjson([smtp_oauth])}, "warning", "in_use", 1),
        ("audit record", {**base, "b/u.json": ndjson([audit("y")])}, "insufficient_evidence", "client_not_stated", 0),
        ("audit record of a stated id", {**base, "b/u.json": ndjson([audit("x")]), "a/c.json": ndjson([diagnostic(id="x")])},
         "no_impact", "unused", 0),
        ("audit record of a stated second", {**base, "b/u.json": ndjson([audit("y")]), "a/c.json": ndjson(
            [diagnostic(id="x", correlationId="c1", time="2026-09-10T08:00:00.5Z")])}, "no_impact", "unused", 0),
        ("audit record of the next second", {**base, "b/u.json": ndjson([audit("y")]), "a/c.json": ndjson(
            [diagnostic(id="x", correlationId="c1", time="2026-09-10T08:00:01Z")])},
         "insufficient_evidence", "client_not_stated", 0),
        ("a cut line", {"a/a.json": base["a/a.json"] + cut}, "insufficient_evidence", "rejected_records", 0),
        ("a cut line, told whole elsewhere", {"a/a.json": base["a/a.json"] + cut, "a/b.json": ndjson([diagnostic(id="cut")])},
         "no_impact", "unused", 0),
        ("a cut line of a browser", {"a/a.json": base["a/a.json"] + cut.replace("IMAP4", "Browser")}, "no_impact", "unused", 0),
        ("a torn file and its longer copy", {"a/a.json": base["a/a.json"] + cut[:-1],
                                            "a/b.json": base["a/a.json"] + json.dumps(diagnostic(id="cut", clientAppUsed="IMAP4",
                                                                                               )) + "\n"},
         "warning", "in_use", 1),
        ("a line without a time in a file of days after the window", {**base, "b/w.json": ndjson(
            [diagnostic(time="2026-10-05T08:00:00Z", id="near")]) + untimed}, "insufficient_evidence", "rejected_records", 0),
        ("the same of a time long before", {**base, "b/w.json": ndjson(
            [diagnostic(time="2026-01-10T08:00:00Z", id="far")]) + untimed}, "no_impact", "unused", 0),
        ("a refused file beside it", {**base, "a/x.csv": "When,Who\n1,2\n"}, "insufficient_evidence", "refused_files", 0),
        ("a refused file elsewhere", {**base, "b/x.csv": "When,Who\n1,2\n"}, "no_impact", "unused", 0),
        ("a refused file of its path", {**base, f"b/tenantId={T}/x.csv": "When,Who\n1,2\n"},
         "insufficient_evidence", "refused_files", 0),
    ]
    for what, files, expected, reasons, users in table:
        found = verdict(files)
        check(what, (expected, reasons, users), (found[0], found[1], found[4]))
    bare = dense(["NonInteractiveUserSignInLogs"])
    for record in bare:
        record["properties"].update(clientAppUsed=None, resourceId=GRAPH, resourceDisplayName="Microsoft Graph")
        del record["properties"]["clientAppUsed"]
    interactive = {"a/a.json": ndjson(dense(["SignInLogs"]))}
    check("a file without the client app", ("insufficient_evidence", "column_missing"),
          verdict({**interactive, "a/b.json": ndjson(bare)})[:2])
    check("a file without the client app, stated", ("insufficient_evidence", "column_missing"),
          verdict({**interactive, "a/b.json": ndjson(bare)}, [dict(tenant_id=T, logs_from="2026-08-31", logs_to="2026-10-02")])[:2])
    told = dict(id="x", clientAppUsed="IMAP4", category=None)
    table = [("non_interactive", dict(isInteractive=False)), ("interactive", dict(isInteractive=True)), (None, {}),
             (None, dict(isInteractive=False, userId=None, userPrincipalName=None))]
    check("the category of interaction", [category for category, _ in table], [row(**told, **c).category for _, c in table])
    warned = verdict(with_record(clientAppUsed="Exchange Web Services"))
    check("EWS keeps the Outlook group from being cleared", ("exchange_web_services", 5), (warned[2], warned[3]))
    check("SMTP AUTH with OAuth in a campaign that leaves it alone", "no_impact",
          verdict({**base, "a/b.json": ndjson([smtp_oauth])}, campaign="exchange-powershell-credential")[0])
    roster = [dict(tenant_id=T, protocols_enabled="imap4;pop3")]
    check("EWS is off, but used", "warning", verdict(with_record(clientAppUsed="Exchange Web Services"), roster)[0])
    check("what is off needs no logs", ("excluded", "already_off"),
          verdict({"a/a.json": ndjson(dense(["SignInLogs"]))}, [dict(tenant_id=T, protocols_enabled="imap4")],
                  "smtp-auth-2026")[:2])
    stated = [dict(tenant_id=T, logs_from="2026-08-01", logs_to="2026-09-30")]
    few = ndjson([diagnostic(category=c, time=f"2026-09-{d:02d}T08:00:00Z", id=f"{c}{d}") for d in (3, 11)
                  for c in ("SignInLogs", "NonInteractiveUserSignInLogs")])
    check("two sign-ins", "days_missing;gap;not_settled", ";".join(sorted(
        set(verdict({"a/a.json": few})[1].split(";")) - {"window_longer_than_history"})))
    check("two sign-ins, stated", ("no_impact", "unused"), verdict({"a/a.json": few}, stated)[:2])


def portal_cases():
    header = ("Date (UTC),Request ID,User ID,Username,Application,Application ID ,Resource,Resource ID ,Resource tenant ID,"
              "Home tenant ID,IP address,Status,Sign-in error code,Failure reason,Client app,User agent\n")

    def download(kind, clients, tenant=T, days=range(31, 0, -1)):
        lines = [f"2026-09-{d:02d}T0{h}:00:00Z,{kind}{d}{h},u{h},u{h}@example.com,App {h},app{h},Office 365 Exchange Online,"
                 f"{EXO},{tenant},{tenant},192.0.2.1,Success,None,,{clients[h % len(clients)]},Mozilla\n"
                 for d in days if d < 31 for h in (1, 2)]
        return {f"tenantId={T}/{kind}SignIns_2026-08-31_2026-10-03.csv": header + "".join(lines)}

    both = ["Browser", "Mobile Apps and Desktop clients"]
    check("portal downloads", ("no_impact", "unused"),
          verdict({**download("Interactive", both), **download("NonInteractive", both)})[:2])
    check("portal downloads of browsers", ("insufficient_evidence", "category_missing;filtered_export"),
          verdict({**download("Interactive", both), **download("NonInteractive", ["Browser"])})[:2])
    stated = [dict(tenant_id=T, logs_from="2026-08-31", logs_to="2026-10-01")]
    check("portal downloads of browsers, stated", ("no_impact", "unused"),
          verdict({**download("Interactive", both), **download("NonInteractive", ["Browser"])}, stated)[:2])
    check("no non-interactive rows: the name states the days", ("no_impact", "unused"),
          verdict({**download("Interactive", both), **download("NonInteractive", both, days=())})[:2])
    check("downloads that reach back to 11 September", ("insufficient_evidence", "window_longer_than_history"),
          verdict({**download("Interactive", both, days=range(30, 10, -1)),
                   **download("NonInteractive", both, days=range(30, 10, -1))})[:2])
    foreign = {**download("Interactive", both, OTHER), **download("NonInteractive", both, OTHER)}
    check("another tenant's downloads alone, stated", ("insufficient_evidence", "no_records;refused_files"), verdict(foreign, stated)[:2])
    check("another tenant's download", ("insufficient_evidence", "category_missing;refused_files"),
          verdict({**download("Interactive", both), **download("NonInteractive", both, OTHER)})[:2])
    check("an AuthDetails file", ("insufficient_evidence", "refused_files"),
          verdict({**download("Interactive", both), **download("NonInteractive", both),
                   f"tenantId={T}/x_AuthDetails.csv": "Request ID,Method\n1,2\n"})[:2])


def graph_cases():
    def page(number, last, text, kinds=("interactiveUser", "nonInteractiveUser")):
        rows = []
        for d in (range(30, 15, -1) if number == 0 else range(15, 0, -1)):
            for kind in kinds:
                for h in (3, 2):
                    rows.append(dict(diagnostic()["properties"], id=f"{kind}{d}{h}", signInEventTypes=[kind], userId=f"u{h}",
                                     appId=f"app{h}", createdDateTime=f"2026-09-{d:02d}T0{h}:00:00Z", clientAppUsed=(
                                         "Browser" if h == 2 else "Mobile Apps and Desktop clients")))
        value = {"@odata.context": "https://graph.microsoft.com/beta/$metadata#auditLogs/signIns", "value": rows}
        if not last:
            value["@odata.nextLink"] = f"https://graph.microsoft.com/beta/auditLogs/signIns?$filter={text}&$skiptoken=1"
        return json.dumps(value)

    dates = "createdDateTime%20ge%202026-08-31T00:00:00Z%20and%20createdDateTime%20lt%202026-10-02T00:00:00Z"
    events = dates + "%20and%20(signInEventTypes/any(t:t%20eq%20'nonInteractiveUser')%20or%20signInEventTypes/any(t:t%20eq%20'interactiveUser'))"
    name = f"tenantId={T}/page"
    for what, text, last, expected in [
            ("a chain", dates, True, "no_impact"), ("a chain of event types", events, True, "no_impact"),
            ("a chain of one user", dates + "%20and%20userId%20eq%20'u1'", True, "insufficient_evidence"),
            ("a chain without its last page", dates, False, "insufficient_evidence")]:
        check(what, expected, verdict({f"{name}1.json": page(0, False, text), f"{name}2.json": page(1, last, text)})[0])


def main():
    for group in (coverage_cases, fill_cases, meaning_cases, identity_cases, release_cases, lenient_cases, export_cases,
                  folder_cases, portal_cases, graph_cases):
        group()
    print("\n".join(failures))
    print(f"selftest: {cases} cases, {len(failures)} differ")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
