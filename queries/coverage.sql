-- What the lake has seen of each tenant: runs of covered days, by category and by what covers them.
-- Reads: coverage_entries
-- Params: none
-- Grain: one row per tenant, category, kind, run of days and missing columns
-- Columns: tenant_id text; category text, null if unknown; kind text: records, storage, declared;
--   first_day, last_day date, both covered; missing_columns text: joined with semicolons, null if
--   complete; latest_at timestamp: latest time seen, or end of the storage file's hour; records bigint
-- Order: tenant_id, category, kind, first_day, last_day, missing_columns
-- Blind spots: runs of different files overlap; days of rejected records are not covered.
SELECT
    tenant_id,
    category,
    kind,
    first_day,
    last_day,
    missing_columns,
    max(latest_at) AS latest_at,
    sum(records) AS records
FROM coverage_entries
GROUP BY tenant_id, category, kind, first_day, last_day, missing_columns
ORDER BY tenant_id, category, kind, first_day, last_day, missing_columns
