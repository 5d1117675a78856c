#!/usr/bin/env python3
"""Runs the Python examples of sample-data/notebooks over a lake, and compares what they count with lightsout.

    check.py BINARY FOLDER

Each example leaves its rows in `usage`: tenant, protocol, sign-ins, users. FOLDER is the one that holds `lake`.
"""
import csv
import os
import pathlib
import subprocess
import sys

NOTEBOOKS = pathlib.Path(__file__).parents[2] / "sample-data" / "notebooks"
EXPECTED = """
    SELECT tenant_id, protocol, count(*) AS sign_ins, count(DISTINCT coalesce(user_key, 'unknown user')) AS users
    FROM legacy_sign_ins WHERE outcome = 'success' AND in_tenant AND auth_method IN ('basic', 'unknown')
    GROUP BY 1, 2 ORDER BY 1, 2
"""


# The example for Spark needs jars that come from elsewhere.
EXAMPLES = ("usage_duckdb.py", "usage_polars.py")


def main():
    binary, folder = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    os.chdir(folder)
    said = subprocess.run([binary, "sql", EXPECTED, "--lake", "lake", "--format", "csv"], check=True, capture_output=True, text=True)
    expected = [(tenant, protocol, int(sign_ins), int(users)) for tenant, protocol, sign_ins, users in list(csv.reader(said.stdout.splitlines()))[1:]]
    assert len(expected) > 5, f"hardly anything to compare: {expected}"
    for name in EXAMPLES:
        names = {}
        exec(compile((NOTEBOOKS / name).read_text(), name, "exec"), names)
        assert names["usage"] == expected, f"{name}: {names['usage']}\nexpected {expected}"
        print(f"{name}: {len(expected)} rows as counted by lightsout")


if __name__ == "__main__":
    main()
