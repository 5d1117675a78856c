#!/usr/bin/env python3
"""Tries the clients of this folder against a server, and prints which query works with which client.

    run.py BINARY LAKE [--only CLIENT] [--verbose]

Each client runs in a process of its own, so that one that crashes or hangs fails alone. Exits with 1 if a query fails
that is no known limit (limits.py), or if a known limit works.
"""
import argparse
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
from limits import LIMITS

CLIENTS = [
    "sqlalchemy_psycopg", "sqlalchemy_psycopg2", "sqlalchemy_pg8000", "psycopg3", "asyncpg_client", "adbc",
    "connectorx_client", "polars_client", "psql", "statements_client", "jdbc", "node",
]
CLIENT_SECONDS = 120


class Server:
    def __init__(self, binary, lake):
        command = [binary, "serve", "--lake", lake, "--pg", "127.0.0.1:0", "--http", "off"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        said = ""
        while (line := self.process.stderr.readline()):
            said += line
            if found := re.search(r" -p (\d+)", line):
                self.port = int(found[1])
                return
        raise SystemExit(f"the server says no port: {said}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


def counted(binary, lake):
    """What the program itself answers to the queries that clients are compared by."""
    queries = {
        "by_protocol": "SELECT protocol, count(*) FROM sign_ins WHERE protocol IS NOT NULL GROUP BY 1 ORDER BY 1",
        "sign_ins": "SELECT count(*) FROM sign_ins",
        "columns": "SELECT * FROM sign_ins LIMIT 0",
        "usage": "SELECT protocol, users, sign_ins FROM usage_by_protocol ORDER BY protocol",
    }
    answers = {}
    for name, sql in queries.items():
        if name == "usage":
            continue
        command = [binary, "sql", sql, "--lake", lake, "--format", "csv"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        answers[name] = list(csv.reader(said.splitlines()))
    return {
        "by_protocol": [[protocol, int(count)] for protocol, count in answers["by_protocol"][1:]],
        "sign_ins": int(answers["sign_ins"][1][0]),
        "columns": answers["columns"][0],
    }


def tried(client, port, expected):
    """Case -> (is it well?, what was said)."""
    environment = {**os.environ, "CLIENT_PORT": str(port), "CLIENT_EXPECTED": json.dumps(expected), "PGTZ": ""}
    environment.pop("PGTZ")
    command = [sys.executable, str(HERE / "worker.py"), client]
    started = time.monotonic()
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=CLIENT_SECONDS)
        said, problem = done.stdout, f"exit code {done.returncode}: {done.stderr[-600:]}" if done.returncode else ""
    except subprocess.TimeoutExpired as error:
        said, problem = (error.stdout or b"").decode(), f"not done after {CLIENT_SECONDS} seconds"
    cases, skipped = {}, None
    for line in said.splitlines():
        if line.startswith("{"):
            case = json.loads(line)
            if "skipped" in case:
                skipped = case["skipped"]
            else:
                cases[case["case"]] = (case["ok"], case["said"])
    if problem:
        cases["runs to its end"] = (False, problem)
    return cases, skipped, time.monotonic() - started


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("binary")
    arguments.add_argument("lake")
    arguments.add_argument("--only")
    arguments.add_argument("--verbose", action="store_true")
    arguments = arguments.parse_args()
    binary = str(pathlib.Path(arguments.binary).resolve())
    expected = counted(binary, arguments.lake)
    failures, met = [], set()
    with Server(binary, arguments.lake) as server:
        for client in CLIENTS:
            if arguments.only and arguments.only != client:
                continue
            cases, skipped, seconds = tried(client, server.port, expected)
            if skipped:
                print(f"{client}: SKIPPED: {skipped}")
                continue
            print(f"{client} ({seconds:.1f} s)")
            for case, (ok, said) in cases.items():
                reason = LIMITS.get((client, case))
                met.add((client, case))
                verdict = "ok" if ok else "FAILS"
                if reason and ok:
                    verdict = "WORKS, and limits.py says that it does not"
                elif reason:
                    verdict = f"known limit: {reason}"
                print(f"  {case:<50} {verdict}")
                if ok == bool(reason):
                    failures.append(f"{client}: {case}: {said if not ok else verdict}")
                if not ok and arguments.verbose:
                    print(f"      {said}")
    if not arguments.only:
        failures += [f"{client}: {case} is in limits.py and was not tried" for client, case in LIMITS.keys() - met]
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    print(f"\n{len(met)} queries, {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
