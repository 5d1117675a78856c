#!/usr/bin/env python3
"""Simulates the coverage rule with real files: invented tenants lose parts of their logs, the program ingests
the rest and decides, and the decisions are counted.

    simulate.py BINARY [--check] [--smoke] [--tenants N] [--seed N] [--out DIR]

OUT/table.md   how often the evidence suffices and how often a monthly job is missed, per pattern and size
OUT/cells.csv  the same with all counts and reasons

Exit codes: 0 done; 1 a command failed or, with --check, a goal was missed. README.md explains the model.
"""
import argparse
import csv
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from activity import CATEGORIES, tenant_activity
from patterns import ALL_DAYS, PATTERNS, WINDOW, WINDOW_DAYS, Cell, cells, smoke_cells
from records import Forwarder, TenantLines, tenant_lines
from results import CellResult, markdown, missed_goals, write_cells

# Windows that end on different weekdays. The tenants of every cell are divided among them.
AS_OF_DATES = (date(2026, 5, 4), date(2026, 5, 6), date(2026, 5, 8), date(2026, 5, 10))
# Large tenants differ less and cost more.
TENANT_SHARE = {20: 0.5, 200: 0.2}
# One in so many tenants more of each cell has a job that sends one mail a month by SMTP AUTH.
TENANTS_PER_JOB = 4


@dataclass(frozen=True)
class Settings:
    binary: Path
    seed: int
    tenants: int
    smoke: bool
    folder_per_tenant: bool
    work: Path
    keep: bool
    ingest_arguments: tuple[str, ...]

    def cells(self) -> list[Cell]:
        return smoke_cells() if self.smoke else cells(PATTERNS)

    def as_of_dates(self) -> tuple[date, ...]:
        return AS_OF_DATES[:2] if self.smoke else AS_OF_DATES

    def tenants_per_round(self, users: int) -> int:
        return max(1, round(self.tenants * TENANT_SHARE.get(users, 1.0) / len(self.as_of_dates())))


def guid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def main() -> int:
    settings, arguments = parse_arguments()
    started = time.monotonic()
    dates = settings.as_of_dates()
    with multiprocessing.Pool(min(arguments.jobs, len(dates))) as pool:
        rounds = pool.starmap(run_round, [(settings, as_of) for as_of in dates], chunksize=1)
    results: dict[str, CellResult] = defaultdict(CellResult)
    for round_results, records in rounds:
        for key, result in round_results.items():
            results[key].merge(result)
    simulated = settings.cells()
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = markdown(simulated, results, settings.seed)
    (arguments.out / "table.md").write_text(table, encoding="utf-8")
    write_cells(arguments.out / "cells.csv", simulated, results)
    print(table)
    tenants = sum(result.tenants + result.jobs for result in results.values())
    records = sum(records for _, records in rounds)
    print(f"{tenants} tenants, {records} records, {time.monotonic() - started:.0f} s", file=sys.stderr)
    if not arguments.check:
        return 0
    missed = missed_goals(simulated, results, loose=settings.smoke)
    for line in missed:
        print(f"goal missed: {line}", file=sys.stderr)
    if not missed:
        print("every goal is met", file=sys.stderr)
    return 1 if missed else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description="Simulate the coverage rule with real files.")
    parser.add_argument("binary", type=Path, help="the lightsout binary, e.g. target/release/lightsout")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument("--smoke", action="store_true",
                        help="few tenants, patterns and sizes; --check then ignores misses that chance explains")
    parser.add_argument("--tenants", type=int, help="tenants per cell; half as many of 20 users, a fifth of 200 "
                                                    "(default: 200; with --smoke 12)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same files (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("target/simulation"), help="(default: target/simulation)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (default: all cores)")
    parser.add_argument("--folder-per-tenant", action="store_true",
                        help="a folder, and with it a channel, for each tenant; default: one forwarder for all")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave logs, lakes and decisions in this folder")
    parser.add_argument("--ingest-argument", action="append", default=[], metavar="ARG",
                        help="another argument for `lightsout ingest`, e.g. --ingest-argument=--keep=legacy")
    arguments = parser.parse_args()
    if not arguments.binary.is_file():
        parser.error(f"{arguments.binary} is not a file; build it with: cargo build --release")
    work = arguments.keep or Path(tempfile.gettempdir())
    settings = Settings(
        binary=arguments.binary.resolve(), seed=arguments.seed, smoke=arguments.smoke,
        tenants=arguments.tenants or (12 if arguments.smoke else 200),
        folder_per_tenant=arguments.folder_per_tenant, work=work.resolve(), keep=arguments.keep is not None,
        ingest_arguments=tuple(arguments.ingest_argument),
    )
    return settings, arguments


def run_round(settings: Settings, as_of: date) -> tuple[dict[str, CellResult], int]:
    """All cells with one as_of date: their files, one lake, one decision."""
    settings.work.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"simulation-{as_of}-", dir=settings.work))
    try:
        tenants, records = write_inputs(settings, as_of, folder)
        assessment = decide(settings, as_of, folder)
    finally:
        if not settings.keep:
            shutil.rmtree(folder)
    results: dict[str, CellResult] = defaultdict(CellResult)
    for tenant in tenants:
        verdict, reasons = assessment.get(tenant["id"], ("not_assessed", "not_assessed"))
        results[tenant["cell"]].add(tenant, verdict, reasons)
    return dict(results), records


def write_inputs(settings: Settings, as_of: date, folder: Path) -> tuple[list[dict], int]:
    """Writes logs and roster, and returns what is true of each tenant."""
    window_start = as_of - timedelta(days=WINDOW_DAYS)
    weekdays = {day: (window_start + timedelta(days=day)).weekday() for day in ALL_DAYS}
    forwarders = {
        covers: Forwarder(folder / ("logs-complete" if covers else "logs"), window_start, settings.folder_per_tenant)
        for covers in (False, True)
    }
    # Cells that differ only in history and loss share the activity of their tenants.
    groups: dict[tuple, list[Cell]] = defaultdict(list)
    for cell in settings.cells():
        groups[cell.pattern.habits, cell.users].append(cell)
    tenants = []
    for (habits, users), group in groups.items():
        count = settings.tenants_per_round(users)
        for index in range(count + max(1, count // TENANTS_PER_JOB)):
            rng = random.Random(f"{settings.seed} {as_of} {habits} {users} {index}")
            lines = TenantLines(rng, tenant_activity(rng, users, weekdays, habits), window_start)
            for cell in group:
                tenants.append(write_tenant(
                    random.Random(f"{settings.seed} {as_of} {cell.key} {index}"), cell, lines, weekdays, window_start,
                    forwarders[cell.pattern.stated == "covers"], with_job=index >= count,
                ))
    for forwarder in forwarders.values():
        forwarder.close()
    write_roster(folder / "roster.csv", tenants, window_start, as_of)
    return tenants, sum(forwarder.records for forwarder in forwarders.values())


def write_tenant(rng, cell: Cell, lines: TenantLines, weekdays, window_start, forwarder, with_job: bool) -> dict:
    tenant_id = guid(rng)
    loss = cell.pattern.draw(rng, weekdays)
    job_days = monthly_days(rng, window_start) if with_job else []
    job_category = rng.choice(CATEGORIES)
    collected = [
        (category, day) for category in CATEGORIES for day in weekdays
        if (category, day) not in loss and (cell.history or day >= 0)
    ]
    for category, day in collected:
        content = lines.days.get((category, day), b"")
        if category == job_category and day in job_days:
            content += lines.job_line(category, day)
        if content:
            forwarder.write(tenant_id, category, day, tenant_lines(content, tenant_id))
    return {
        "id": tenant_id, "cell": cell.key, "name": f"{cell.pattern.name}, {cell.users}",
        "stated": cell.pattern.stated,
        "job": job_days or None,
        "job_collected": any((job_category, day) in collected for day in job_days if day in WINDOW),
        # Days of the window that were lost, in a random one of the two logs.
        "lost_days": sum(day in WINDOW for _, day in loss) / len(CATEGORIES),
    }


def monthly_days(rng, window_start: date) -> list[int]:
    """The days on which a job runs that has a fixed day of the month; at least one is in the window."""
    while True:
        day_of_month = (window_start + timedelta(days=rng.randrange(WINDOW_DAYS))).day
        days = [day for day in ALL_DAYS if (window_start + timedelta(days=day)).day == day_of_month]
        if any(day in WINDOW for day in days):
            return days


def write_roster(path: Path, tenants: list[dict], window_start: date, as_of: date) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["tenant_id", "display_name", "logs_from", "logs_to"])
        for tenant in tenants:
            stated = (window_start, as_of) if tenant["stated"] == "roster" else ("", "")
            writer.writerow([tenant["id"], tenant["name"], *stated])


def decide(settings: Settings, as_of: date, folder: Path) -> dict[str, tuple[str, str]]:
    """Runs `ingest` and `assess`; returns verdict and reasons per tenant."""
    lake, roster = ("--lake", folder / "lake"), ("--roster", folder / "roster.csv")
    ingest = (settings.binary, "ingest", *settings.ingest_arguments, *lake, "--quiet")
    if (folder / "logs").exists():
        run(*ingest, folder / "logs")
    if (folder / "logs-complete").exists():
        run(*ingest, folder / "logs-complete", "--covers", f"{as_of - timedelta(days=WINDOW_DAYS)}..{as_of}")
    out = folder / "out"
    run(settings.binary, "assess", "--as-of", as_of, *lake, *roster, "--out", out, "--quiet")
    with (out / "assessment.csv").open(newline="", encoding="utf-8") as file:
        return {row["tenant_id"]: (row["verdict"], row["reasons"]) for row in csv.DictReader(file)}


def run(*command) -> None:
    command = [str(part) for part in command]
    finished = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if finished.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexited with {finished.returncode}:\n{finished.stderr}")


if __name__ == "__main__":
    sys.exit(main())
