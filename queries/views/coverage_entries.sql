-- What each source has seen of each tenant, as ingest keeps it: an entry for each day or stated range.
-- Reads: sources
-- Params: none
-- Grain: one row per source, tenant, category, kind and day or stated range
-- Columns: tenant_id text; category text, null if unknown; kind text: records, storage, stated;
--   first_day, last_day date, both covered; missing_columns text: of the source, joined with semicolons,
--   null if complete; latest_at timestamp: the source's latest record, on its day alone, or the end of the
--   storage file's hour;
--   records bigint
-- Order: none
-- Blind spots: refused and skipped files are left out; days of different sources overlap; days of rejected
--   records are not covered; that a source is torn, or a download through a filter, is not seen here.
WITH entries AS (
    SELECT missing_columns, unnest(coverage) AS entry
    FROM sources
    WHERE coalesce(fate, 'ingested') NOT IN ('refused', 'skipped')
),
named AS (
    SELECT
        entry['tenant_id'] AS tenant_id,
        entry['category'] AS category,
        missing_columns,
        entry['latest_at'] AS latest_at,
        entry['storage_hour'] AS storage_hour,
        entry['days'] AS days,
        entry['stated'] AS stated
    FROM entries
),
days AS (
    SELECT tenant_id, category, missing_columns, latest_at, unnest(days) AS day FROM named
),
ranges AS (
    SELECT tenant_id, category, missing_columns, unnest(stated) AS range FROM named
),
-- The kind is told last: with a constant in each part, the engine refuses to sort by it.
parts AS (
    SELECT
        tenant_id,
        category,
        day['day'] AS first_day,
        day['day'] AS last_day,
        missing_columns,
        CASE WHEN CAST(latest_at AS date) = day['day'] THEN latest_at END AS latest_at,
        day['records'] AS records,
        NULL AS storage_hour
    FROM days
    UNION ALL
    SELECT
        tenant_id,
        category,
        CAST(storage_hour AS date) AS first_day,
        CAST(storage_hour AS date) AS last_day,
        missing_columns,
        latest_at,
        NULL AS records,
        storage_hour
    FROM named
    WHERE storage_hour IS NOT NULL
    UNION ALL
    SELECT
        tenant_id,
        category,
        range['first_day'] AS first_day,
        range['last_day'] AS last_day,
        missing_columns,
        NULL AS latest_at,
        NULL AS records,
        NULL AS storage_hour
    FROM ranges
)
SELECT
    tenant_id,
    category,
    CASE WHEN storage_hour IS NOT NULL THEN 'storage' WHEN records IS NOT NULL THEN 'records' ELSE 'stated' END
        AS kind,
    first_day,
    last_day,
    missing_columns,
    latest_at,
    coalesce(records, 0) AS records
FROM parts
