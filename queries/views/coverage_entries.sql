-- What each source has seen of each tenant, as ingest keeps it: an entry for each run of days.
-- Reads: sources
-- Params: none
-- Grain: one row per source, tenant, category, kind and run of days
-- Columns: tenant_id text; category text, null if unknown; kind text: records, storage, declared;
--   first_day, last_day date, both covered; missing_columns text: of the source, joined with semicolons,
--   null if complete; latest_at timestamp: latest time seen, or end of the storage file's hour;
--   records bigint
-- Order: none
-- Blind spots: runs of different sources overlap; days of rejected records are not covered.
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
    entry['latest_at'] AS latest_at,
    entry['records'] AS records
FROM entries
