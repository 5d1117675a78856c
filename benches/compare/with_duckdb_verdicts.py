#!/usr/bin/env python3
"""DuckDB's side of the verdicts.

    with_duckdb_verdicts.py write RECORDS OWN                      its own Parquet from the lake's files
    with_duckdb_verdicts.py count OWN OUT AS_OF WINDOW_DAYS        OUT/usage.csv and OUT/coverage.csv

Its Parquet is split by provably_modern and sorted by tenant and time. Usage reads the one side; coverage needs all
records, of three columns.
"""
import sys

import duckdb

WRITE = """COPY (SELECT * FROM read_parquet('{source}/provably_modern=*/*.parquet', hive_partitioning = true) ORDER BY provably_modern, tenant_id, signed_in_at)
TO '{target}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (provably_modern), ROW_GROUP_SIZE 122880)"""

# Of a sign-in's records one speaks for it: one that states its client, then one that is not provably modern, then the
# latest. So a record that states no client may be overruled by a modern one; only those are looked for on that side.
USAGE = """COPY (
WITH legacy AS (
    SELECT tenant_id, sign_in_id, category, protocol, outcome, signed_in_at, resource_tenant_id, emitted_at, false AS modern,
           coalesce(user_id, lower(user_principal_name), 'unknown user') AS user_key,
           client_app IS NOT NULL AND lower(trim(client_app)) <> 'unknown' AS states_client
    FROM read_parquet('{own}/provably_modern=false/*.parquet')
    WHERE protocol IS NOT NULL AND category IN ('interactive', 'non_interactive')
), overruling AS (
    SELECT tenant_id, sign_in_id, category, NULL, outcome, NULL, NULL, emitted_at, true, NULL,
           client_app IS NOT NULL AND lower(trim(client_app)) <> 'unknown'
    FROM read_parquet('{own}/provably_modern=true/*.parquet') AS modern
    SEMI JOIN (SELECT tenant_id, sign_in_id FROM legacy WHERE NOT states_client) AS undeclared USING (tenant_id, sign_in_id)
), sign_ins AS (
    SELECT * FROM (SELECT * FROM legacy UNION ALL SELECT * FROM overruling)
    QUALIFY row_number() OVER (PARTITION BY tenant_id, sign_in_id, category
                               ORDER BY states_client DESC, modern, emitted_at DESC NULLS LAST, outcome = 'success' DESC) = 1
)
SELECT tenant_id, protocol, count(DISTINCT user_key) AS users, count(*) AS sign_ins
FROM sign_ins
WHERE NOT modern AND outcome = 'success' AND (resource_tenant_id IS NULL OR resource_tenant_id = tenant_id)
  AND signed_in_at >= TIMESTAMPTZ '{as_of} 00:00:00Z' - INTERVAL {days} DAY AND signed_in_at < TIMESTAMPTZ '{as_of} 00:00:00Z'
GROUP BY tenant_id, protocol ORDER BY tenant_id, protocol
) TO '{out}/usage.csv' (HEADER)"""

COVERAGE = """COPY (
SELECT tenant_id, category, event_date, count(*) AS records
FROM read_parquet('{own}/provably_modern=*/*.parquet')
WHERE event_date >= DATE '{as_of}' - INTERVAL {days} DAY AND event_date < DATE '{as_of}'
GROUP BY tenant_id, category, event_date ORDER BY tenant_id, category, event_date
) TO '{out}/coverage.csv' (HEADER)"""


def main():
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    if sys.argv[1] == "write":
        source, target = sys.argv[2:]
        database.execute("SET memory_limit = '8GB'")
        database.execute(WRITE.format(source=source, target=target))
        return
    own, out, as_of, days = sys.argv[2:]
    for query in (USAGE, COVERAGE):
        database.execute(query.format(own=own, out=out, as_of=as_of, days=days))


main()
