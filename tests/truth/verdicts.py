#!/usr/bin/env python3
"""The verdict rules written a second time: the independent referee of `lightsout assess`.

    verdicts.py LOGS_DIR [--roster FILE] [--as-of DATE] [--campaign NAME] [--covers FROM..TO] [--now TIME]
    verdicts.py LOGS_DIR --usage ...    protocol_usage, without the rows in which nothing is counted
    verdicts.py LOGS_DIR --files        the account of each file

Reads Azure Monitor diagnostic records (newline-delimited, {"records":[...]}, arrays; plain or gzip; the
storage-export layout), and Graph pages, portal CSV downloads and audit records where the path names the
tenant (tenantId=GUID). Prints CSV. Lists in a cell are joined with ';' and sorted: compare them as sets.
"""
import argparse
import csv
import datetime as dt
import sys

from rules import deciding
from rules.sources import Logs
from rules.times import date_of, day_of, parse_time
from rules.words import CAMPAIGNS, guid


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs")
    parser.add_argument("--roster")
    parser.add_argument("--as-of", help="first day after the window; default: what the logs of half the tenants reach")
    parser.add_argument("--campaign", default="basic-auth-all-protocols", choices=sorted(CAMPAIGNS))
    parser.add_argument("--covers", help="FROM..TO: the range that the input covers, both days included")
    parser.add_argument("--tenant", help="the tenant of files that name none")
    parser.add_argument("--now", help="the ingest's clock, RFC 3339 (default: now)")
    parser.add_argument("--window-days", type=int, default=30)
    parser.add_argument("--usage", action="store_true")
    parser.add_argument("--files", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    now = parse_time(args.now) if args.now else parse_time(dt.datetime.now(dt.timezone.utc).isoformat())
    if now is None:
        sys.exit(f"--now: not a time: {args.now}")
    if args.tenant and not guid(args.tenant):
        print(f"--tenant: not a GUID: {args.tenant}", file=sys.stderr)
        sys.exit(2)
    covers = tuple(day_of(part) for part in args.covers.split("..")) if args.covers else None
    logs = Logs(now, guid(args.tenant) if args.tenant else None, covers)
    logs.read(args.logs)
    out = csv.writer(sys.stdout, lineterminator="\n")
    if args.files:
        out.writerow(["file", "records", "rows", "rejected", "not_sign_ins"])
        out.writerows([s.shown, s.records, len(s.rows), s.rejected, s.others] for s in logs.sources if not s.refused)
        return
    roster = {}
    if args.roster:
        with open(args.roster, newline="", encoding="utf-8-sig") as f:
            roster = deciding.read_roster(csv.DictReader(f))
    end = day_of(args.as_of) if args.as_of else deciding.default_end(logs)
    if end is None:
        sys.exit("no records: give --as-of")
    if not args.as_of:
        print("as_of", date_of(end), file=sys.stderr)
    case = deciding.Case(logs, roster, deciding.scope_with_groups(CAMPAIGNS[args.campaign]), end, args.window_days)
    if args.usage:
        out.writerow("tenant_id protocol users sign_ins interrupted blocked failures unknown last_seen".split())
        out.writerows(case.usage())
        return
    out.writerow("tenant_id verdict reasons protocols_in_use protocols_clear users".split())
    for tenant in case.tenants:
        out.writerow(case.decide(tenant))


if __name__ == "__main__":
    main()
