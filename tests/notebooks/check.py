#!/usr/bin/env python3
"""Runs the Python examples of the README's page on notebooks over a lake, and compares what they count.

    check.py BINARY LAKE_FOLDER

Each example leaves its rows in `usage`: tenant, protocol, sign-ins, users. Run in a folder that has `lake`.
"""
import csv
import os
import pathlib
import re
import subprocess
import sys

README = pathlib.Path(__file__).parents[2] / "README.md"
EXPECTED = """
    SELECT tenant_id, protocol, count(*) AS sign_ins, count(DISTINCT coalesce(user_key, 'unknown user')) AS users
    FROM legacy_sign_ins WHERE outcome = 'success' AND in_tenant AND auth_method IN ('basic', 'unknown')
    GROUP BY 1, 2 ORDER BY 1, 2
"""


def examples():
    """The Python blocks that run here: those of Spark need jars that come from elsewhere."""
    page = README.read_text().split("\n## Notebooks and other engines\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


def main():
    binary, folder = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    os.chdir(folder)
    said = subprocess.run([binary, "sql", EXPECTED, "--lake", "lake", "--format", "csv"], check=True, capture_output=True, text=True)
    expected = [(tenant, protocol, int(sign_ins), int(users)) for tenant, protocol, sign_ins, users in list(csv.reader(said.stdout.splitlines()))[1:]]
    assert len(expected) > 5, f"hardly anything to compare: {expected}"
    found = examples()
    assert len(found) == 2, f"{len(found)} examples"
    for example in found:
        names = {}
        exec(compile(example, "README.md", "exec"), names)
        engine = re.search(r"import (\w+)", example)[1]
        assert names["usage"] == expected, f"{engine}: {names['usage']}\nexpected {expected}"
        print(f"{engine}: {len(expected)} rows as counted by lightsout")


if __name__ == "__main__":
    main()
