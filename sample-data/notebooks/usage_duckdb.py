"""Legacy sign-ins per tenant and protocol, counted by DuckDB. Run it in the folder that holds `lake`."""

import duckdb
from deltalake import DeltaTable

files = DeltaTable("lake/sign_in_records").file_uris()
duckdb.read_parquet(files, hive_partitioning=True).create_view("sign_in_records")
usage = duckdb.sql("""
    WITH judged AS (
        SELECT *, max(category) OVER of_id AS known_category,
            coalesce(max(signed_in_at) OVER of_id <= min(signed_in_at) OVER of_id + INTERVAL '1 second', true)
            AND coalesce(min(user_id) OVER of_id = max(user_id) OVER of_id, true)
            AND (max(CASE WHEN user_id IS NULL THEN lower(user_principal_name) END) OVER of_id IS NULL
                 OR min(lower(user_principal_name)) OVER of_id = max(lower(user_principal_name)) OVER of_id) AS is_unique
        FROM sign_in_records WINDOW of_id AS (PARTITION BY tenant_id, sign_in_id)
    ),
    keyed AS (
        SELECT *, CASE WHEN is_unique THEN coalesce(category, known_category) ELSE category END AS sign_in_category,
            CASE WHEN NOT is_unique THEN record_hash END AS record_key
        FROM judged
    )
    SELECT tenant_id, protocol, count(*) AS sign_ins,
        count(DISTINCT coalesce(user_id, lower(user_principal_name), 'unknown user')) AS users
    FROM (
        SELECT *, row_number() OVER (
            PARTITION BY tenant_id, sign_in_id, sign_in_category, record_key
            ORDER BY CASE WHEN protocol IS NOT NULL AND auth_method IN ('basic', 'unknown')
                              AND lower(trim(client_app)) <> 'unknown' THEN 1
                          WHEN protocol IS NOT NULL AND auth_method = 'basic' THEN 2
                          WHEN lower(trim(client_app)) <> 'unknown' THEN 3 ELSE 4 END, auth_method = 'modern',
                     provably_modern, emitted_at DESC NULLS LAST, outcome = 'success' DESC, record_hash, source_id,
                     source_offset) AS place
        FROM keyed
    )
    WHERE place = 1 AND auth_method IN ('basic', 'unknown') AND protocol IS NOT NULL AND outcome = 'success'
        AND coalesce(sign_in_category, 'interactive') IN ('interactive', 'non_interactive')
        AND coalesce(resource_tenant_id, tenant_id) = tenant_id
    GROUP BY tenant_id, protocol ORDER BY tenant_id, protocol
""").fetchall()

for row in usage:
    print(*row)
