#!/usr/bin/env python3
"""lightsout and four engines in turn on the same bytes.

    run.py [--quick] [--workloads small,ndjson,mixed,gzip,csv,verdicts] [--rounds N] [--binary PATH]
           [--engines duckdb,chdb,datafusion,polars] [--python PATH] [--data DIR] [--out DIR] [--keep]

Every run is a whole process measured from outside: wall time, processor time, peak memory. The engines take
turns, in another order each round, inputs are in the page cache. What each wrote is then counted and compared,
column by column. DIR/results.json has every figure, DIR/results.md the tables.
"""
import argparse
import datetime
import gzip
import json
import pathlib
import re
import shutil
import subprocess
import sys

import measure
import place
import tables
import verdicts

LIGHTSOUT = "lightsout"
FOUR = ["duckdb", "chdb", "datafusion", "polars"]


class Ingest:
    """A workload of raw bytes to Parquet: its input, and who can do it."""

    def __init__(self, name, told, kind, engines, quick, full, **options):
        self.name, self.told, self.kind, self.engines = name, told, kind, engines
        self.quick, self.full, self.options = quick, full, options

    def input(self, data, quick, broken):
        records = self.quick if quick else self.full
        ending = {"ndjson": "ndjson", "gzip": "ndjson.gz", "csv": "csv"}[self.kind]
        shown = "" if broken else "-whole"
        path = data / f"{self.name}-{records}{shown}.{ending}"
        # Lines broken: one in a hundred thousand, but a few even of a small input.
        one_in = min(100_000, records // 3) if broken else 0
        truth = place.generated(path, records=records, gzip=self.kind == "gzip", broken=one_in, **self.options)
        return path, truth


WORKLOADS = [
    Ingest("small", "1,000 records: what starting costs", "ndjson", FOUR, 1_000, 1_000),
    Ingest("ndjson", "newline-delimited JSON", "ndjson", FOUR, 20_000, 300_000),
    Ingest("mixed", "the key order of five exporters mixed record by record", "ndjson", FOUR, 10_000, 100_000, orders="records", seed=2),
    Ingest("gzip", "newline-delimited JSON, gzip, one member", "gzip", FOUR, 20_000, 300_000),
    Ingest("csv", "Log Analytics CSV with JSON in cells", "csv", ["duckdb"], 10_000, 100_000, format="log_analytics", seed=3),
]


class Runner:
    def __init__(self, settings):
        self.settings = settings
        self.python, self.binary = place.engines_python(settings.python), place.binary(settings.binary)
        self.data = pathlib.Path(settings.data)
        self.work = self.data / "work"
        self.work.mkdir(parents=True, exist_ok=True)

    def outcome(self, engine, kind, source):
        """One measured run: (measured, glob of the Parquet files that it wrote)."""
        target = self.work / engine
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        if engine == LIGHTSOUT:
            lake = target / "lake"
            # Each run has a fresh lake; --max-rejects, because a small input has more broken lines than 1 %.
            command = [self.binary, "ingest", str(source), "--lake", str(lake), "--quiet", "--max-rejects", "5%"]
            return measure.run(command), str(lake / "sign_in_records" / "**" / "*.parquet")
        output = target / "out.parquet"
        script = place.HERE / f"with_{engine}.py"
        return measure.run([self.python, str(script), kind, str(source), str(output)]), str(output)

    def checked(self, files, without=()):
        told = subprocess.run([self.python, place.HERE / "check.py", files, *without], check=True, capture_output=True, text=True)
        return json.loads(told.stdout)

    def ingest(self, workload):
        """All rounds of a workload: the figures of each engine."""
        source, truth = workload.input(self.data, self.settings.quick, True)
        sources, failures = {}, {}
        engines = [LIGHTSOUT, *(engine for engine in workload.engines if engine in self.settings.engines)]
        runs = {engine: [] for engine in engines}
        written = {}
        for number in range(self.settings.rounds):
            turn = engines[number % len(engines):] + engines[:number % len(engines)]
            for engine in turn:
                given = sources.get(engine, source)
                place.into_page_cache(given)
                measured, files = self.outcome(engine, workload.kind, given)
                if measured.status and engine not in sources and engine != LIGHTSOUT:
                    # It fails on the broken lines: told, and measured on the same input with those lines whole.
                    failures[engine] = complaint(measured.said)
                    sources[engine], _ = workload.input(self.data, self.settings.quick, False)
                    place.into_page_cache(sources[engine])
                    measured, files = self.outcome(engine, workload.kind, sources[engine])
                if measured.status:
                    sys.exit(f"{engine} failed at {workload.name} with {measured.status}:\n{measured.said}")
                runs[engine].append(measured)
                if engine not in written:
                    # Values are compared over the same records: those of whole lines.
                    extra = ids_of(sources[engine], workload.kind, truth["broken_records"]) if engine in sources else ()
                    written[engine] = self.checked(files, extra)
                    written[engine]["bytes"] = sum(path.stat().st_size for path in files_of(files))
                    if engine == LIGHTSOUT:
                        written[engine]["lake_bytes"] = place.bytes_under(self.work / engine / "lake")
                        written[engine]["rejects"] = self.rejects(self.work / engine / "lake")
                print(f"{workload.name:8} round {number + 1} {engine:10} {measured.wall:7.2f} s "
                      f"{measured.cpu:7.2f} s cpu {measured.peak / 1e6:6.0f} MB", file=sys.stderr)
        # The least that reading packed input can cost: inflating it, by the usual program.
        inflating = [measure.run(["gzip", "-dc", str(source)]) for _ in range(self.settings.rounds)] if workload.kind == "gzip" else []
        return dict(workload=workload.name, told=workload.told, kind=workload.kind, truth=truth,
                    inflating=measure.summary(inflating) if inflating else None,
                    input_bytes=truth["bytes"], stored_bytes=truth["bytes_on_disk"],
                    engines={engine: dict(runs=[run.as_dict() for run in runs[engine]], **measure.summary(runs[engine]),
                                          written=written[engine], failed_on_broken=failures.get(engine))
                             for engine in engines})

    def rejects(self, lake):
        query = "SELECT count(*) AS n FROM rejects"
        told = subprocess.run([self.binary, "sql", query, "--lake", lake, "--format", "json"], capture_output=True, text=True, check=True)
        return json.loads(told.stdout)[0]["n"]


def files_of(pattern):
    root, found, rest = pattern.partition("/**/")
    return pathlib.Path(root).rglob(rest) if found else [pathlib.Path(pattern)]


def complaint(text):
    """The line of what a program said that names its error."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    told = [line for line in lines if re.search(r"(Error|Exception)\S*: ", line)] or lines
    return told[0][:200] if told else "no word"


def ids_of(source, kind, numbers):
    """The ids of the records on those lines, counted from 0; for inputs whose lines are all whole."""
    wanted, ids = set(numbers), []
    if not wanted or kind == "csv":
        return ids
    with (gzip.open if kind == "gzip" else open)(source, "rb") as lines:
        for number, line in enumerate(lines):
            if number in wanted:
                ids.append(json.loads(line)["properties"]["id"])
                if len(ids) == len(wanted):
                    break
    return ids


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [workload.name for workload in WORKLOADS] + ["verdicts"]
    parser.add_argument("--quick", action="store_true", help="small inputs, two rounds: does it work?")
    parser.add_argument("--workloads", default=",".join(names), help="some of " + ", ".join(names))
    parser.add_argument("--engines", default=",".join(FOUR), help="some of " + ", ".join(FOUR) + "; of the verdicts always DuckDB")
    parser.add_argument("--rounds", type=int, help="5, or 2 with --quick")
    parser.add_argument("--binary", help="lightsout; else that of the target folder")
    parser.add_argument("--python", help="a Python with the engines; else a venv made for them in ~/.cache/lightsout")
    parser.add_argument("--data", default=str(place.CACHE / "compare"), help="inputs, kept; 10 GB of room")
    parser.add_argument("--out", help="where the results go; else DIR of --data, results/")
    parser.add_argument("--sign-ins", type=int, help="of the verdicts; else 10 million, or 100,000 with --quick")
    parser.add_argument("--lake", help="a lake for the verdicts, if not one written by `cargo bench --bench write_lake`")
    parser.add_argument("--write-lake", help="the built bench program write_lake; else cargo bench builds and runs it")
    parser.add_argument("--keep", action="store_true", help="keep what was written")
    settings = parser.parse_args()
    settings.workloads = settings.workloads.split(",")
    unknown = set(settings.workloads) - set(names)
    if unknown:
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    settings.engines = settings.engines.split(",")
    unknown = set(settings.engines) - set(FOUR)
    if unknown:
        parser.error(f"no engine {', '.join(sorted(unknown))}; there are {', '.join(FOUR)}")
    settings.rounds = settings.rounds or (2 if settings.quick else 5)
    settings.sign_ins = settings.sign_ins or (100_000 if settings.quick else 10_000_000)
    return settings


def main():
    settings = arguments()
    runner = Runner(settings)
    out = pathlib.Path(settings.out or runner.data / "results")
    out.mkdir(parents=True, exist_ok=True)
    versions = subprocess.run([runner.python, "-m", "pip", "list", "--format", "json"], capture_output=True, text=True).stdout
    wanted = {"chdb", "chdb-core", "datafusion", "duckdb", "polars"}
    results = dict(date=datetime.date.today().isoformat(), command=" ".join(sys.argv), quick=settings.quick, rounds=settings.rounds,
                   machine=place.machine(), workloads=[],
                   versions={entry["name"]: entry["version"] for entry in json.loads(versions or "[]") if entry["name"] in wanted})
    for workload in WORKLOADS:
        if workload.name in settings.workloads:
            results["workloads"].append(runner.ingest(workload))
            write(out, results)
    if "verdicts" in settings.workloads:
        results["verdicts"] = verdicts.measured(runner)
        write(out, results)
    if not settings.keep:
        shutil.rmtree(runner.work, ignore_errors=True)
    print((out / "results.md").read_text())


def write(out, results):
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (out / "results.md").write_text(tables.markdown(results))


if __name__ == "__main__":
    main()
