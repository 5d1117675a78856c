#!/usr/bin/env python3
"""What an engine wrote. usage: check.py FILES [ID...]; FILES is a glob of Parquet files. Prints JSON.

rows, rows with an id, distinct ids, bytes of the shared columns as they are compressed, and for each shared
column a sum of hashes over (id, value) that equals another engine's if all values are equal, whatever their
order. Records with one of the IDs are left out of the sums. Empty text counts as null: engines differ there.
"""
import json
import sys

import duckdb

from columns import COLUMNS

# lightsout folds the categories' spellings.
CATEGORIES = {"SignInLogs": "interactive", "NonInteractiveUserSignInLogs": "non_interactive"}
NOT_SHARED = {"authentication_protocol"}     # lightsout keeps what it says as auth_method and auth_evidence


def value(column, kind):
    if kind == "time":
        return f"CAST(epoch_us({column}) AS VARCHAR)"
    if column == "category":
        cases = " ".join(f"WHEN '{spelled}' THEN '{folded}'" for spelled, folded in CATEGORIES.items())
        return f"(CASE category {cases} ELSE category END)"
    return f"CAST({column} AS VARCHAR)"


def main():
    files, *without = sys.argv[1:]
    counted = "sign_in_id IS NOT NULL" + "".join(f" AND sign_in_id <> '{identifier}'" for identifier in without)
    shared = [(column, kind) for column, _, kind in COLUMNS if column not in NOT_SHARED] + [("event_date", "date")]
    sums = ", ".join(f"CAST(sum(hash(sign_in_id, coalesce({value(column, kind)}, ''))) FILTER (WHERE {counted}) AS VARCHAR)"
                     for column, kind in shared)
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    row = database.execute(f"""SELECT count(*), count(sign_in_id), count(DISTINCT sign_in_id), {sums}
FROM read_parquet('{files}', hive_partitioning = true, union_by_name = true)""").fetchall()[0]
    names = ", ".join(f"'{column}'" for column, _ in shared)
    size = database.execute(f"""SELECT coalesce(sum(total_compressed_size), 0) FROM parquet_metadata('{files}')
WHERE path_in_schema IN ({names})""").fetchall()[0][0]
    print(json.dumps(dict(rows=row[0], rows_with_id=row[1], distinct_ids=row[2], shared_bytes=int(size),
                          columns=dict(zip([column for column, _ in shared], row[3:])))))


main()
