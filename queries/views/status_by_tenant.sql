-- What the lake has of each tenant and category, and since when nothing came.
-- Grain: one row per tenant and category
WITH entries AS (
    SELECT ingested_at, unnest(coverage) AS entry FROM sources
)
SELECT
    entry['tenant_id'] AS tenant_id, entry['category'] AS category, sum(entry['records']) AS records,
    max(entry['latest_at']) AS newest_record_at, max(ingested_at) AS last_ingest_at
FROM entries
GROUP BY entry['tenant_id'], entry['category']
ORDER BY tenant_id, category
