#!/usr/bin/env python3
"""Changes thousands of invented tenants, one change each, and compares what is decided before and after.

    properties.py BINARY [--tenants N] [--seed N] [--check] [--only INDEX] [--keep DIR] [--list FILE]

Exit codes: 0 every law holds; 1 one is broken, a command failed or, with --check, too few tenants are
`no_impact` before the change for the laws to mean anything. README.md tells the laws.
"""
import argparse
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from changes import change
from delivery import Files, write_roster, write_tenant
from laws import (
    NO_IMPACT, NO_IMPACT_SHARE_MIN, NOT_ASSESSED, Case, lacks_no_impact, move_table, report, share_table, violation,
)
from program import commands, decide
from stories import tell_story
from tenants import make_tenant

VIOLATIONS_SHOWN = 20
BEFORE, AFTER = "before", "after"


def main() -> int:
    arguments = parse_arguments()
    started = time.monotonic()
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="properties-"))
    try:
        cases, records = run(arguments, folder)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n".join([*share_table(cases), "", *move_table(cases)]), flush=True)
    print(f"\n{len(cases)} tenants, seed {arguments.seed}, {records} records, {time.monotonic() - started:.0f} s")
    return judge(cases, arguments)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Check what must hold of verdicts when logs change.")
    parser.add_argument("binary", type=Path, help="the lightsout binary, e.g. target/debug/lightsout")
    parser.add_argument("--tenants", type=int, default=10_000, help="(default: 10000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same files (default: 1)")
    parser.add_argument("--check", action="store_true",
                        help=f"exit with 1 if fewer than {NO_IMPACT_SHARE_MIN:.0%}"
                             .replace("%", " %%") + " of the tenants are no_impact before the change")
    parser.add_argument("--only", type=int, action="append", metavar="INDEX", help="this tenant alone; may be repeated")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave logs, lakes and decisions in this folder")
    parser.add_argument("--list", type=Path, metavar="FILE", help="also write every violation there, a line each")
    arguments = parser.parse_args()
    if not arguments.binary.is_file():
        parser.error(f"{arguments.binary} is not a file; build it with: cargo build")
    arguments.binary = arguments.binary.resolve()
    return arguments


def run(arguments: argparse.Namespace, folder: Path) -> tuple[list[Case], int]:
    for name in (BEFORE, AFTER):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    made, records = write_logs(arguments, folder)
    roster = folder / "roster.csv"
    with ThreadPoolExecutor() as pool:
        assessments = pool.map(lambda name: decide(arguments.binary, folder / name, roster), (BEFORE, AFTER))
        decided = dict(zip((BEFORE, AFTER), assessments))
    for name in (BEFORE, AFTER):
        if arguments.keep:
            lines = [" ".join(command) for command in commands(arguments.binary, folder / name, roster)]
            (folder / name / "commands").write_text("\n".join(lines) + "\n", encoding="utf-8")
    cases = [
        Case(*values, decided[BEFORE].get(values[1], NOT_ASSESSED), decided[AFTER].get(values[1], NOT_ASSESSED))
        for values in made
    ]
    return cases, records


def write_logs(arguments: argparse.Namespace, folder: Path) -> tuple[list[tuple], int]:
    """Writes the logs before and after the change; returns what was made of each tenant."""
    before, after = Files(folder / BEFORE), Files(folder / AFTER)
    made, roster = [], []
    for index in arguments.only or range(arguments.tenants):
        tenant = make_tenant(arguments.seed, index)
        tell_story(tenant)
        kind, details, changed = change(tenant, arguments.seed)
        write_tenant(tenant, before)
        write_tenant(changed, after)
        made.append((index, tenant.id, tenant.describe(), kind, details, "exclude" in tenant.roster,
                     changed.lacks_too_much, changed.lacks_visibly))
        roster.append((tenant.id, index, tenant.roster))
    for files in (before, after):
        files.close()
    write_roster(folder / "roster.csv", roster)
    return made, before.records + after.records


def judge(cases: list[Case], arguments: argparse.Namespace) -> int:
    broken = [(case, law) for case in cases if (law := violation(case))]
    too_few = lacks_no_impact(cases) if arguments.check else None
    quieter = [case for case in cases if case.is_quieter_log and case.move[1] == NO_IMPACT]
    if quieter:
        print(f"{len(quieter)} logs became quieter, without a missing day, and no_impact:",
              ", ".join(str(case.index) for case in quieter))
    if arguments.list:
        lines = [f"{case.index}\t{law}\n" for case, law in broken] + ([f"all\t{too_few}\n"] if too_few else [])
        arguments.list.write_text("".join(lines), encoding="utf-8")
    for case, law in broken[:VIOLATIONS_SHOWN]:
        print(report(case, law))
    if broken:
        print(f"{len(broken)} tenants break a law")
    if too_few:
        print(too_few)
    if broken or too_few:
        return 1
    print("every law holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
