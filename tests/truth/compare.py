#!/usr/bin/env python3
"""Compares what lightsout wrote with the truth of a generated dump and with the rules of
verdicts.py, row by row. Exit code 0 if all is equal, 1 if anything differs.

    compare.py DUMP_DIR OUT_DIR [--limit N]
"""
import argparse
import collections
import csv
import json
import subprocess
import sys
from pathlib import Path

COUNTS = ["users", "sign_ins", "interrupted", "blocked", "failures", "unknown", "last_seen"]
LISTS = ["reasons", "protocols_in_use", "protocols_clear"]


def rows(lines, key, columns):
    return {tuple(row[name] for name in key): {name: row[name] for name in columns} for row in csv.DictReader(lines)}


def told(values):
    if values is None:
        return "no row"
    return ", ".join(f"{name} {(';'.join(value) if isinstance(value, list) else value) or '-'}"
                     for name, value in values.items())


def differences(what, expected, found, origin, limit):
    """Prints the rows that differ, and in them the columns that do; returns how many."""
    wrong = [key for key in sorted(expected.keys() | found.keys()) if expected.get(key) != found.get(key)]
    kinds = collections.Counter()
    for n, key in enumerate(wrong):
        left, right = expected.get(key), found.get(key)
        if left and right:
            columns = [name for name in left if left[name] != right[name]]
            left, right = ({name: side[name] for name in columns} for side in (left, right))
        kinds[kind_of(left, right)] += 1
        if n < limit:
            print(f"{what} {' '.join(key)} {origin.get(key[0], '')}\n    expected  {told(left)}\n    found     {told(right)}")
    if len(wrong) > limit:
        print(f"... and {len(wrong) - limit} more")
    for kind, count in kinds.most_common():
        print(f"{what}: {count:4} {kind}")
    print(f"{what}: {len(expected)} rows expected, {len(wrong)} differ")
    return len(wrong)


def kind_of(left, right):
    """One line for rows that differ in the same way."""
    if not left or not right:
        return "rows are not expected" if not left else "rows are not found"
    if "reasons" in left:
        lacks, extra = set(left["reasons"]) - set(right["reasons"]), set(right["reasons"]) - set(left["reasons"])
        return f"verdicts with other reasons: without {';'.join(sorted(lacks)) or '-'}, with {';'.join(sorted(extra)) or '-'}"
    return "with another " + ", ".join(left)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int, default=20, help="rows of each table to print (default 20)")
    args = parser.parse_args()
    as_of = json.loads((args.dump / "truth/params.json").read_text())["as_of"]
    with open(args.dump / "truth/tenants.csv") as f:
        origin = {row["tenant_id"]: f"({row['delivery']}, {row['size']}, {row['plan']}; {row['story']})"
                  for row in csv.DictReader(f)}

    key = ["tenant_id", "protocol"]
    with open(args.dump / "truth/protocol_usage.csv") as truth, open(args.out / "protocol_usage.csv") as usage:
        expected, found = rows(truth, key, COUNTS), rows(usage, key, COUNTS)
    # Protocols in scope have a row without anything counted, the truth has not.
    found = {k: v for k, v in found.items() if any(v[name] not in ("", "0") for name in COUNTS)}
    wrong = differences("protocol_usage", expected, found, origin, args.limit)

    columns = ["verdict", *LISTS, "users"]
    command = [sys.executable, str(Path(__file__).with_name("verdicts.py")), str(args.dump / "logs"),
               "--roster", str(args.dump / "roster.csv"), "--as-of", as_of]
    second = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    with open(args.out / "assessment.csv") as assessment:
        found = rows(assessment, ["tenant_id"], columns)
    expected = rows(second, ["tenant_id"], columns)
    for table in (expected, found):
        for row in table.values():
            row.update({name: sorted(filter(None, row[name].split(";"))) for name in LISTS})
    wrong += differences("verdicts", expected, found, origin, args.limit)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
