#!/usr/bin/env python3
"""Compares what two builds of lightsout answer on the same logs, byte by byte.

For work that must change no behaviour: each build ingests the sample logs and a generated dump into a lake of its own,
decides, writes lists, notices and pages, and answers every report that both have. Whatever differs is listed, and the
exit code is 1. Left out is what names the clock or the build: run.json, times of ingest, the ids that the lake gives to
its files. `--except NAME` leaves out a report or a file whose change is wanted; say so where you quote the result.

    benches/compare/same_answers.py target/before/lightsout target/after/lightsout
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# They say when something was ingested or decided.
BY_CLOCK = {"ingest_lag", "verdicts_over_time"}
# As sql: rows in an order of their own, without the ids and times of the ingest.
SIGN_INS = """
    SELECT * EXCLUDE (source_id) FROM sign_ins
    ORDER BY tenant_id, category, sign_in_id, signed_in_at, user_principal_name, client_app
"""


def call(binary, folder, *arguments, codes=(0,)):
    done = subprocess.run([binary, *arguments], cwd=folder, capture_output=True)
    if done.returncode not in codes:
        sys.exit(f"{binary} {' '.join(arguments)}: exit {done.returncode}\n{done.stderr.decode()}")
    return done.stdout


def digest(content):
    return hashlib.sha256(content).hexdigest()[:16]


def reports_of(binary, folder):
    listed = json.loads(call(binary, folder, "report", "--format", "json"))
    return sorted(row["name"] for row in listed)


def answers(binary, folder, logs, as_of, left_out):
    """Every answer of a build, by what was asked."""
    found = {}
    call(binary, folder, "run", str(logs), "--as-of", as_of, "--quiet", codes=(0, 3))
    for path in sorted((folder / "out").rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and path.name != "run.json" and name not in left_out:
            found[name] = path.read_bytes()
    for name in reports_of(binary, folder):
        if name not in BY_CLOCK | left_out:
            arguments = ["report", name, "--format", "ndjson", "--limit", "1000000"]
            if "--as-of" in call(binary, folder, "report", name, "--help").decode():
                arguments += ["--as-of", as_of]
            found[f"report {name}"] = call(binary, folder, *arguments)
    found["sign_ins"] = call(binary, folder, "sql", SIGN_INS, "--format", "ndjson", "--limit", "10000000")
    tenants = call(binary, folder, "sql", "SELECT DISTINCT tenant_id FROM sign_ins ORDER BY 1", "--format", "csv")
    for tenant in tenants.decode().split()[1:6]:
        found[f"explain {tenant}"] = call(binary, folder, "explain", tenant, "--as-of", as_of)
    return found


def generated(folder, records):
    logs = folder / "dump.ndjson"
    script = ROOT / "benches/compare/generate.py"
    subprocess.run(
        [sys.executable, script, "--records", str(records), "--tenants", "200", "--out", logs],
        check=True, stdout=subprocess.DEVNULL,
    )
    return logs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--records", type=int, default=100_000, help="records of the dump (100000)")
    parser.add_argument("--except", dest="left_out", action="append", default=[], metavar="NAME")
    arguments = parser.parse_args()
    builds = [arguments.before.resolve(), arguments.after.resolve()]
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        dump = generated(folder, arguments.records)
        for what, logs, as_of in [
            ("samples", ROOT / "sample-data/logs", "2026-11-02"),
            ("dump", dump, "2026-11-01"),
        ]:
            both = []
            for place, binary in enumerate(builds):
                # The same name in both, since paths stand in what is written.
                inside = folder / what / str(place) / "lake-and-files"
                inside.mkdir(parents=True)
                both.append(answers(binary, inside, logs, as_of, set(arguments.left_out)))
            before, after = both
            for name in sorted(set(before) | set(after)):
                old, new = before.get(name), after.get(name)
                if old != new:
                    different += 1
                    sizes = [digest(text) if text is not None else "is not there" for text in (old, new)]
                    print(f"{what}: {name} differs: {sizes[0]} before, {sizes[1]} after")
            same = sum(before.get(name) == after.get(name) for name in before)
            print(f"{what}: {same} of {len(set(before) | set(after))} answers are the same, byte by byte")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
