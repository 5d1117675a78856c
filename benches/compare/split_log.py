#!/usr/bin/env python3
"""Makes a lake's records look as if each data file had come in a commit of its own.

    split_log.py LAKE COMMITS

LAKE is one that write_lake wrote, with at least as many data files; it is changed. To write so many commits takes
the log's library the longer the more files the table has; here the log is written as text, and one checkpoint.
Needs deltalake (PyPI).
"""
import json
import pathlib
import sys

try:
    from deltalake import DeltaTable
except ImportError:
    sys.exit("split_log.py: the Python package deltalake is wanted: pip install deltalake")


def main():
    if len(sys.argv) != 3 or not sys.argv[2].isdecimal():
        sys.exit(__doc__)
    lake, commits = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    log = lake / "sign_in_records" / "_delta_log"
    versions = sorted(log.glob("*.json"))
    if not versions:
        sys.exit(f"{lake}: expected a lake, found no {log.relative_to(lake)}")
    created = versions[0].read_text()
    info, adds = None, []
    for version in versions[1:]:
        for line in version.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                adds.append(line)
            elif "commitInfo" in action:
                # Without the hash of what it had.
                info = line.replace('"lightsout', '"written')
            else:
                sys.exit(f"{version}: expected files that are added, found {next(iter(action))}: a lake as write_lake writes it is wanted")
    if len(adds) < commits:
        sys.exit(f"{lake}: expected at least {commits} data files, found {len(adds)}")
    for file in log.iterdir():
        file.unlink()
    (log / f"{0:020}.json").write_text(created)
    for version in range(1, commits + 1):
        # The last one has what is left.
        mine = adds[version - 1:version] if version < commits else adds[version - 1:]
        (log / f"{version:020}.json").write_text("\n".join([info, *mine]) + "\n")
    table = DeltaTable(lake / "sign_in_records")
    table.create_checkpoint()
    print(f"{table.version()} commits, {len(adds)} data files")


main()
