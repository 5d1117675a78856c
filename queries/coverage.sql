-- Which days the lake's logs cover for each tenant: runs of days, by category and by what covers them.
-- Reads: coverage_entries
-- Params: none
-- Grain: one row per tenant, category, kind, run of days and missing columns
-- Columns: tenant_id text; category text, null if unknown; kind text: records, storage, stated;
--   first_day, last_day date, both covered; missing_columns text: joined with semicolons, null if
--   complete; latest_at timestamp: latest record of files that end on a day of the run, or end of
--   the storage file's hour; records bigint
-- Order: tenant_id, category, kind, first_day, last_day, missing_columns
-- Blind spots: stated ranges may overlap; days of rejected records are not covered; which days count for a
--   verdict, explain tells.
WITH days AS (
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
),
-- A run goes on as long as the day and its number in the row grow alike. A stated range is a run by itself.
numbered AS (
    SELECT
        *,
        CAST(CAST(first_day AS integer) AS bigint) - row_number() OVER (
            PARTITION BY tenant_id, category, kind, missing_columns
            ORDER BY first_day, last_day
        ) AS run,
        CASE kind WHEN 'stated' THEN last_day END AS range_end
    FROM days
),
runs AS (
    SELECT
        tenant_id,
        category,
        kind,
        min(first_day) AS first_day,
        max(last_day) AS last_day,
        missing_columns,
        max(latest_at) AS latest_at,
        sum(records) AS records
    FROM numbered
    GROUP BY tenant_id, category, kind, missing_columns, run, range_end
)
SELECT
    tenant_id,
    category,
    kind,
    first_day,
    last_day,
    missing_columns,
    latest_at,
    records
FROM runs
ORDER BY tenant_id, category, kind, first_day, last_day, missing_columns
