-- What the lake has seen of each tenant: runs of covered days, by category and by what covers them.
-- Reads: sources
-- Params: none
-- Grain: one row per tenant, category, kind, run of days and missing columns
-- Columns: tenant_id text; category text, null if unknown; kind text: records, storage, declared;
--   first_day, last_day date, both covered; missing_columns text: joined with semicolons, null if
--   complete; latest_at timestamp: latest time seen, or end of the storage file's hour; records bigint
-- Order: tenant_id, category, kind, first_day, last_day, missing_columns
-- Blind spots: runs of different files overlap; days of rejected records are not covered.
WITH entries AS (
    SELECT missing_columns, unnest(coverage) AS entry FROM sources
)
SELECT
    entry['tenant_id'] AS tenant_id,
    entry['category'] AS category,
    entry['kind'] AS kind,
    entry['first_day'] AS first_day,
    entry['last_day'] AS last_day,
    missing_columns,
    max(entry['latest_at']) AS latest_at,
    sum(entry['records']) AS records
FROM entries
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
