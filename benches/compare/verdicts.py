"""The verdicts' evidence: lightsout's `assess` on its lake, against DuckDB on Parquet that DuckDB wrote.

Both answer: usage per tenant and protocol in the window (users, sign-ins, duplicates removed), and the days of
each tenant and category that are covered. lightsout decides and writes its lists besides. DuckDB has the same
rows with the rules already applied, split and sorted as its experts would, so that it can skip what is modern.
The two counts of usage are compared, row by row.
"""
import csv
import datetime
import json
import pathlib
import shutil
import subprocess
import sys

import measure
import place

WINDOW_DAYS = 30


def write_lake(program, data, sign_ins, tenants=1_000, legacy_share=0.03, commits=30, days=90, seed=1, seconds=3_600):
    """A lake made by the bench target write_lake; kept in data under a name that says what it is."""
    lake = data / f"lake-{sign_ins}-{tenants}-{legacy_share * 1000:g}in1000-{commits}"
    done = data / f"{lake.name}.complete"
    if done.exists() and lake.exists():
        return lake
    shutil.rmtree(lake, ignore_errors=True)
    print(f"writing {lake}", file=sys.stderr)
    data.mkdir(parents=True, exist_ok=True)
    command = [program] if program else ["cargo", "bench", "--quiet", "--locked", "--bench", "write_lake", "--"]
    command += ["--records", str(sign_ins), "--tenants", str(tenants), "--legacy-share", str(legacy_share), "--commits", str(commits),
                "--days", str(days), "--seed", str(seed), "--out", str(lake)]
    try:
        subprocess.run(command, check=True, cwd=place.REPOSITORY, stdout=sys.stderr, timeout=seconds)
    except subprocess.SubprocessError:
        remove_lake(lake)
        raise
    done.touch()
    return lake


def remove_lake(lake):
    """The lake with what write_lake and this module keep beside it."""
    place.remove(lake, *(lake.parent / f"{lake.name}.{ending}" for ending in ("complete", "truth.csv")))


def facts(binary, lake):
    """Of a lake: its latest day (up to which both sides count), records, tenants, and the share not provably modern."""
    query = ("SELECT max(event_date) AS day, count(*) AS records, count(DISTINCT tenant_id) AS tenants, "
             "avg(CASE WHEN provably_modern THEN 0.0 ELSE 1.0 END) AS legacy FROM sign_in_records")
    told = subprocess.run([binary, "sql", query, "--lake", lake, "--format", "json"], check=True, capture_output=True, text=True)
    return json.loads(told.stdout)[0]


def measured(runner):
    """Measures both sides in turn."""
    settings = runner.settings
    lake = pathlib.Path(settings.lake) if settings.lake else write_lake(settings.write_lake, runner.data, settings.sign_ins)
    found = facts(runner.binary, lake)
    as_of = datetime.date.fromisoformat(found["day"][:10])
    work = runner.work / "verdicts"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    own = work / "duckdb"
    script = str(place.HERE / "with_duckdb_verdicts.py")
    print("DuckDB writes its own", file=sys.stderr)
    subprocess.run([runner.python, script, "write", str(lake / "sign_in_records"), str(own)], check=True)
    files = work / "out"
    commands = {
        "lightsout": [runner.binary, "assess", "--lake", str(lake), "--out", str(files), "--as-of", as_of.isoformat(), "--quiet"],
        "duckdb": [runner.python, script, "count", str(own), str(work), as_of.isoformat(), str(WINDOW_DAYS)],
    }
    place.into_page_cache(lake)
    place.into_page_cache(own)
    runs = {engine: [] for engine in commands}
    for number in range(-1, settings.rounds):      # round -1 keeps the decision; after it there is nothing to write in the lake
        for engine in list(commands)[::1 if number % 2 else -1]:
            run = measure.run(commands[engine])
            if run.status:
                sys.exit(f"{engine} failed at the verdicts with {run.status}:\n{run.said}")
            if number >= 0:
                runs[engine].append(run)
                print(f"verdicts round {number + 1} {engine:10} {run.wall:7.2f} s {run.cpu:7.2f} s cpu {run.peak / 1e6:6.0f} MB", file=sys.stderr)
    told = {"lightsout": "lightsout assess", "duckdb": "DuckDB on its own Parquet"}
    size = {"lightsout": place.bytes_under(lake), "duckdb": place.bytes_under(own)}
    return dict(sign_ins=found["records"], tenants=found["tenants"], not_provably_modern=found["legacy"], as_of=as_of.isoformat(),
                lake=lake.name, agreement=agreement(files / "protocol_usage.csv", work / "usage.csv", lake.parent / f"{lake.name}.truth.csv"),
                engines={engine: dict(told=told[engine], bytes=size[engine], runs=[run.as_dict() for run in runs[engine]], **measure.summary(runs[engine]))
                         for engine in commands})


def usage(path):
    """Users and sign-ins of each tenant's protocols that have any."""
    with open(path, newline="") as file:
        return {(row["tenant_id"], row["protocol"]): (int(row["users"]), int(row["sign_ins"]))
                for row in csv.DictReader(file) if int(row["sign_ins"])}


def agreement(ours, theirs, truth):
    """Whether both found the same usage, and whether it is what was written into the lake."""
    found, sides = usage(ours), [("DuckDB", usage(theirs))]
    if truth.exists():
        sides.append(("what was written into the lake", usage(truth)))
    told = []
    for name, counted in sides:
        different = sorted(key for key in found.keys() | counted.keys() if found.get(key) != counted.get(key))
        if different:
            example = different[0]
            told.append(f"{len(different):,} of {len(found):,} tenants' protocols differ from {name}, as {' '.join(example)}: "
                        f"{found.get(example)} here, {counted.get(example)} there.")
    same = " and ".join(name for name, counted in sides if counted == found)
    if same:
        told.append(f"The usage of {len(found):,} tenants' protocols equals that of {same}.")
    return " ".join(told)
