"""The commands that are disturbed, the lake that each begins with, and what must come of it.

Owns the invented logs and how two lakes are compared: every row of every table, without clocks and random ids, and
every list and notice. Knows nothing of how a command is disturbed (`failing_calls.py`, `power_cuts.py`).
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

FIRST = date(2026, 6, 1)
BUSY, QUIET, YOUNG = (f"0fda5d4e-7cf5-4b52-9c0a-0a35f1ad2f{number}" for number in (51, 52, 53))
LATE_USAGE = date(2026, 10, 5)

# Who runs the campaign: without it nothing is announced.
OPERATOR = """
[operator]
name = "Example Cloud Services"
contact = "the service desk, +1 555 0100"
reply_to = "basic-auth@example.com"
"""
TABLES = ["sign_in_records", "rejects", "sources", "decisions", "decision_tenants", "rosters", "campaign_events",
          "tenant_settings", "dismissals"]
# Clocks, random ids, and what counts commits.
VARYING = {"ingested_at", "decided_at", "recorded_at", "kept_at", "dismissed_at", "batch_id", "event_id", "lake_versions",
           "duration_seconds"}


def record(tenant, day, number, client, category="SignInLogs"):
    time = f"{day}T08:15:{number % 60:02}Z"
    return json.dumps({
        "time": time, "category": category, "tenantId": tenant,
        "properties": {
            "id": f"{number:08}-0000-4000-8000-{day:%Y%m%d}0000", "createdDateTime": time,
            "userPrincipalName": f"user{number % 3}@example.com", "clientAppUsed": client, "ipAddress": "192.0.2.7",
            "status": {"errorCode": 0}, "resourceDisplayName": "Office 365 Exchange Online",
        },
    })


def days(first, last):
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def write_logs(folder):
    """Logs of three tenants: one that uses IMAP, one that begins to, one that is new."""
    def write(name, lines):
        (folder / name).write_text("\n".join(lines) + "\n")

    def usual(first, last):
        lines = []
        for day in days(first, last):
            for number, tenant in enumerate([BUSY, QUIET]):
                lines.append(record(tenant, day, 10 * number + 1, "Browser"))
                lines.append(record(tenant, day, 10 * number + 2, "Browser", "NonInteractiveUserSignInLogs"))
            if day.day % 7 == 0:
                lines.append(record(BUSY, day, 3, "IMAP4"))
        return lines

    write("base.json", usual(FIRST, date(2026, 9, 9)))
    write("more.json", usual(date(2026, 9, 10), date(2026, 9, 20)))
    write("young.json", [record(YOUNG, day, 21, "Browser") for day in days(date(2026, 9, 15), date(2026, 9, 20))])
    late = record(QUIET, LATE_USAGE, 30, "IMAP4", "NonInteractiveUserSignInLogs")
    # A record that cannot be read, and one that does not say whose it is.
    broken, nobody = late[:60], record("", LATE_USAGE, 31, "Browser")
    write("late.json", [*usual(date(2026, 9, 21), date(2026, 10, 12)), late, broken, nobody])
    for number in range(20):
        write(f"one_{number}.json", [record(YOUNG, date(2026, 9, 21), 100 + number, "Browser")])
    rows = ["tenant_id,display_name,contacts"]
    rows += [f"{tenant},Example {number},it@example.com" for number, tenant in enumerate([BUSY, QUIET, YOUNG])]
    write("roster.csv", rows)


class Program:
    """The program, run in a place: a folder with the lake in `lake` and the lists in `out`."""

    def __init__(self, binary, logs):
        self.binary = str(Path(binary).resolve())
        self.logs = logs

    def line(self, place, arguments):
        named = [str(self.logs / argument[1:]) if argument.startswith("@") else argument for argument in arguments]
        return [self.binary, *named, "--lake", str(place / "lake"), "--quiet"]

    def run(self, place, arguments, environment=None, before=()):
        env = {**os.environ, "TZ": "UTC", **(environment or {})}
        env.pop("LIGHTSOUT_LAKE", None)
        return subprocess.run([*before, *self.line(place, arguments)], cwd=place, capture_output=True, text=True,
                              errors="replace", env=env, check=False)


class Command:
    """A command that changes a lake, and what an undisturbed run of it gives."""

    def __init__(self, name, before, arguments):
        self.name = name
        self.before = before  # the folder that it begins with
        self.arguments = arguments
        self.codes = set()  # of the first run and of one more
        self.start = None  # what the lake holds before it
        self.ends = []  # after it, and after one more
        self.lists = []
        self.unstable = set()  # lists that are another with every run

    def wrong(self, held, place):
        """What is not as an undisturbed run leaves it."""
        wrong = [] if held in self.ends else [f"the lake is another: {differences(held, self)}"]
        found = lists(place)
        for name in sorted(set(found) | set(self.lists[0])):
            expected = [known.get(name) for known in self.lists]
            if found.get(name) not in expected and (name not in self.unstable or name not in found):
                size = len(found[name]) if name in found else "no"
                wrong.append(f"out/{name} is another: {size} bytes")
        return wrong


def differences(held, command):
    """How what a lake holds differs from what it should hold after the command."""
    if not isinstance(held, Counter):
        return held or "there is none"
    lost, more = command.ends[0] - held, held - command.ends[0]
    return "; ".join([f"lost {line[:300]}" for line in list(lost)[:2]] + [f"more {line[:300]}" for line in list(more)[:2]])


def measure(program, digests, command, place):
    """Runs the command undisturbed in an empty folder: twice over, and once elsewhere, to know what is never the same."""
    for name in ("first", "second"):
        there = place / name
        shutil.copytree(command.before, there)
        if digests.query is None:
            digests.prepare(program, place)
        if name == "first":
            command.start = digests.of(there)
        for _ in range(2 if name == "first" else 1):
            done = program.run(there, command.arguments)
            if done.returncode not in (0, 3, 4):
                raise SystemExit(f"{command.name}: exit {done.returncode}: {done.stderr}")
            command.codes.add(done.returncode)
            command.ends.append(digests.of(there))
            command.lists.append(lists(there))
    if not all(isinstance(end, Counter) for end in command.ends):
        raise SystemExit(f"{command.name}: the lake can't be read: {command.ends}")
    if command.ends[0] != command.ends[2]:
        raise SystemExit(f"{command.name}: two runs give different lakes: {differences(command.ends[2], command)}")
    first, second = command.lists[0], command.lists.pop()
    command.ends.pop()
    command.unstable = {name for name in first if first[name] != second.get(name)}
    shutil.rmtree(place)


def prepare(program, root):
    """Makes the lakes that the commands begin with."""
    work = root / "work"
    work.mkdir()
    commands = []

    def step(name, *arguments, disturbed=True):
        if disturbed:
            before = root / f"before_{name.replace(' ', '_')}"
            shutil.copytree(work, before)
            commands.append(Command(name, before, list(arguments)))
        done = program.run(work, list(arguments))
        if done.returncode not in (0, 3, 4):
            raise SystemExit(f"{' '.join(arguments)}: exit {done.returncode}: {done.stderr}")

    shown = program.run(work, ["campaign", "show"]).stdout
    (program.logs / "operated.toml").write_text(shown + OPERATOR)
    rules = ["--roster", "@roster.csv", "--campaign", "@operated.toml", "--out", "out"]
    step("first ingest", "ingest", "@base.json", "--jobs", "1")
    step("ingest", "ingest", "@more.json", "@young.json", "--jobs", "1")
    step("assess", "assess", *rules, "--as-of", "2026-09-21")
    step("announce", "campaign", "announce", *rules, "--now", "2026-09-21")
    step("ingest usage", "ingest", "@late.json", "--jobs", "1")
    step("recheck", "campaign", "recheck", *rules, "--now", "2026-10-13")
    step("replay", "lake", "replay", "--tenant", YOUNG)
    # The log of a table gets a checkpoint with every twentieth commit.
    number = 0
    while newest_version(work / "lake" / "sources") < 19:
        step("", "ingest", f"@one_{number}.json", "--jobs", "1", disturbed=False)
        number += 1
    step("ingest with checkpoint", "ingest", f"@one_{number}.json", "--jobs", "1")
    step("compact", "lake", "compact")
    step("vacuum", "lake", "vacuum", "--older-than", "0d")
    shutil.rmtree(work)
    return commands


def newest_version(table):
    return max(int(path.stem) for path in (table / "_delta_log").glob("*.json"))


class Digests:
    """What a lake holds, as far as it is the same whenever the same is done."""

    def __init__(self, program):
        self.program = program
        self.query = None

    def prepare(self, program, folder):
        place = folder / "columns"
        place.mkdir()
        program.run(place, ["ingest", "@one_0.json"])
        selects = []
        for table in TABLES:
            done = self.program.run(place, ["sql", f"DESCRIBE {table}", "--format", "ndjson"])
            columns = [json.loads(line) for line in done.stdout.splitlines()]
            if not columns:
                raise SystemExit(f"the columns of {table} can't be read: {done.stderr}")
            names = {column["column_name"]: column["data_type"] for column in columns}
            # Lists of structs are no text; of those, the lengths.
            texts = [f"coalesce(arrow_cast({f'array_length({name})' if 'Struct' in kind else name}, 'Utf8'), '-')"
                     for name, kind in names.items() if name not in VARYING]
            selects.append(f"SELECT '{table}' AS name, concat_ws('|', {', '.join(texts)}) AS line FROM {table}")
        self.query = " UNION ALL ".join(selects)

    def of(self, place):
        """Every row with the name of its table, counted; `None` where there is no lake; a text says what failed."""
        done = self.program.run(place, ["sql", self.query, "--format", "ndjson"])
        if done.returncode == 0:
            return Counter(done.stdout.splitlines())
        return None if "there is no lake at" in done.stderr else done.stderr.strip()


def lists(place):
    """Every list and notice, by its path; what is being written has a name that begins with a dot."""
    out = place / "out"
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*"))
            if path.is_file() and not path.name.startswith(".")}
