#!/usr/bin/env python3
"""Writes a dump of raw sign-in logs whose truth is known.

    generate.py --out DIR [--tenants T] [--seed S] [--records N] [--as-of DATE] [--tally]

DIR/logs/**                    diagnostic records (newline-delimited, gzip, {"records":[...]}, arrays, storage
                               exports), portal downloads, Graph pages, audit records, refused files
DIR/roster.csv                 the tenants, some excluded, with stated ranges, or in no log
DIR/truth/protocol_usage.csv   what a count over the window must find (rows in which nothing is counted
                               are left out), taken from what was meant, never from what was written
DIR/truth/files.csv            file, records, rows, rejected, not_sign_ins
DIR/truth/tenants.csv          tenant_id, delivery, plan, story: how each tenant was made
DIR/truth/params.json          seed, as_of, window

The same arguments give the same bytes. The tenants make some 200,000 records for 300 tenants; --records
above that adds sign-ins to tenants that use legacy protocols. --tally prints what verdicts.py decides.
"""
import argparse
import collections
import csv
import datetime as dt
import itertools
import json
import os
import shutil
import subprocess
import sys

from dump import stories
from dump.files import Files
from dump.shapes import date_text, when_text
from dump.tenants import Tenant, Truth

ROSTER = ("tenant_id display_name domains cloud language contacts outlook_modern_auth protocols_enabled workdays logs_from "
          "logs_to exclude exclude_reason").split()
DELIVERIES = {5: "portal", 11: "storage", 17: "graph"}


def make(files, truth, index, seed, start, end, turns):
    delivery = DELIVERIES.get(index % 20)
    if delivery:
        tenant = Tenant(index, seed, start, end, files, truth, delivery)
        choice = stories.STORED if delivery == "storage" else stories.PLAIN
        story = stories.nothing if tenant.quiet else choice[next(turns[delivery]) % len(choice)]
    else:
        story, own = stories.STORIES[next(turns["shared"]) % len(stories.STORIES)]
        tenant = Tenant(index, seed, start, end, files, truth, "own" if own else "shared")
    if story == "column":
        tenant.column_missing, story = True, stories.nothing
    if story in (stories.anonymous, stories.anonymous_and_idle):
        tenant.anonymous = True
    tenant.baseline()
    story(tenant)
    tenant.finish()
    return tenant, story.__name__


def roster_row(tenant):
    stated = [date_text(day) for day in tenant.plan.stated] if tenant.plan.stated else ["", ""]
    i = tenant.index
    return [tenant.id, f"Tenant {i}", f"tenant{i}.example.com", "commercial", "en", f"it@tenant{i}.example.com", "",
            ";".join(tenant.protocols_enabled or []), ";".join(tenant.plan.workdays or []), *stated,
            "true" if tenant.excluded else "", "asked to be left out" if tenant.excluded else ""]


def silent_row(i):
    return [f"eeeeeeee-0000-4000-8000-{i:012x}", f"Silent {i}", f"silent{i}.example.org", "commercial", "en",
            f"it@silent{i}.example.org", "", "", "", "", "", "", ""]


def table(path, header, rows):
    with open(path, "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(header)
        out.writerows(sorted(rows))


def tally(out, as_of):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "verdicts.py")
    answer = subprocess.run([sys.executable, script, f"{out}/logs", "--roster", f"{out}/roster.csv", "--as-of", as_of],
                            capture_output=True, text=True, check=True).stdout
    rows = list(csv.DictReader(answer.splitlines()))
    for verdict, count in collections.Counter(row["verdict"] for row in rows).most_common():
        print(f"{verdict:24}{count:5}  {100 * count / len(rows):.0f} %")
    for reason, count in collections.Counter(r for row in rows for r in row["reasons"].split(";")).most_common():
        print(f"  {reason:28}{count:5}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--tenants", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, default=0, help="at least so many records")
    parser.add_argument("--as-of", default="2026-10-01")
    parser.add_argument("--tally", action="store_true")
    args = parser.parse_args()

    end = (dt.date.fromisoformat(args.as_of) - dt.date(1970, 1, 1)).days
    start = end - 30
    for sub in ("logs", "truth"):
        shutil.rmtree(os.path.join(args.out, sub), ignore_errors=True)
    os.makedirs(os.path.join(args.out, "truth"))
    files, truth = Files(os.path.join(args.out, "logs")), Truth(start, end)
    turns = collections.defaultdict(itertools.count)
    made = [make(files, truth, i, args.seed, start, end, turns) for i in range(args.tenants)]
    busy = [tenant for tenant, name in made if tenant.delivery == "shared" and "one_protocol" in name] or [
        tenant for tenant, _ in made if tenant.delivery == "shared"]
    written = sum(file.account["records"] for folder in files.shared.values() for file in folder)
    for n in range(written, args.records):
        busy[n % len(busy)].sign_in(("modern", "imap4", "sprayed_smtp_auth", "pop3")[n // len(busy) % 4])

    accounts = files.close()
    where = os.path.join(args.out, "truth")
    table(f"{where}/files.csv", "file records rows rejected not_sign_ins".split(), accounts)
    table(f"{where}/tenants.csv", "tenant_id delivery plan size story".split(),
          [[t.id, t.delivery, t.plan.name, t.plan.size, name] for t, name in made])
    usage = [[tenant, protocol, len(users), c["success"], c["interrupted"], c["blocked"], c["failure"], c["unknown"],
              when_text(last, digits="")] for (tenant, protocol), (users, c, last) in truth.table.items()]
    table(f"{where}/protocol_usage.csv",
          "tenant_id protocol users sign_ins interrupted blocked failures unknown last_seen".split(), usage)
    table(f"{args.out}/roster.csv", ROSTER,
          [roster_row(t) for t, _ in made] + [silent_row(i) for i in range(max(1, args.tenants // 50))])
    with open(f"{where}/params.json", "w") as f:
        json.dump(dict(seed=args.seed, as_of=args.as_of, window_days=30, records=args.records, tenants=args.tenants), f)
    totals = [sum(row[c] for row in accounts) for c in range(1, 5)]
    print("files {}  records {}  rows {}  rejected {}  not sign-ins {}  usage rows {}".format(
        len(accounts), *totals, len(usage)))
    if args.tally:
        tally(args.out, args.as_of)


if __name__ == "__main__":
    main()
