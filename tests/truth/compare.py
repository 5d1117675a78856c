#!/usr/bin/env python3
"""Compares what lightsout wrote with the truth of a generated dump and with the rules of
verdicts.py, row by row. Exit code 0 if all is equal.

    compare.py DUMP_DIR OUT_DIR
"""
import csv
import subprocess
import sys
from pathlib import Path

COLUMNS = ["users", "sign_ins", "interrupted", "blocked", "failures", "unknown", "last_seen"]


def rows(lines, key, columns):
    return {tuple(row[name] for name in key): {name: row[name] for name in columns} for row in csv.DictReader(lines)}


def differences(what, expected, found):
    count = 0
    for key in sorted(expected.keys() | found.keys()):
        if expected.get(key) != found.get(key):
            count += 1
            if count <= 10:
                print(f"{what} {key}: expected {expected.get(key)}, found {found.get(key)}")
    print(f"{what}: {len(expected)} rows expected, {count} differ")
    return count


def main():
    dump, out = Path(sys.argv[1]), Path(sys.argv[2])
    key = ["tenant_id", "protocol"]
    with open(dump / "truth/protocol_usage.csv") as truth, open(out / "protocol_usage.csv") as usage:
        expected, found = rows(truth, key, COLUMNS), rows(usage, key, COLUMNS)
    # Protocols in scope have a row without anything counted, the truth has not.
    found = {k: v for k, v in found.items() if any(v[name] not in ("", "0") for name in COLUMNS)}
    wrong = differences("protocol_usage", expected, found)

    columns = ["verdict", "reasons", "protocols_in_use", "protocols_clear", "users"]
    script = Path(__file__).with_name("verdicts.py")
    command = [sys.executable, str(script), str(dump / "logs"), "--roster", str(dump / "roster.csv"), "--as-of", "2026-10-01"]
    second = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    with open(out / "assessment.csv") as assessment:
        found = rows(assessment, ["tenant_id"], columns)
    expected = rows(second, ["tenant_id"], columns)
    for table in (expected, found):
        for row in table.values():
            for name in columns[1:4]:
                row[name] = sorted(filter(None, row[name].split(";")))
    wrong += differences("verdicts", expected, found)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
