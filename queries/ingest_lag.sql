-- Ingest lag: how long after the sign-in its record was emitted and ingested.
-- Reads: sign_in_records, the modern ones too, of which tenant, times and source; sources
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all
-- Grain: one row per tenant, shape of source and day (UTC) of the sign-in
-- Columns: tenant_id text; shape text: null if the source is not known; day date; sources, records bigint;
--   without_emitted_at bigint: records that do not say when they were emitted; emitted_within_10_minutes,
--   emitted_within_hour, emitted_within_day, emitted_later bigint: the others, each counted once;
--   max_emit_minutes bigint: whole ones, null if none says it; ingested_within_day, ingested_within_week,
--   ingested_later bigint: each counted once; max_ingest_hours bigint: whole ones
-- Order: tenant_id, shape, day
-- Blind spots: records that a log repeats later count again; clocks that are wrong show as no lag.
WITH held AS (
    -- What a source newly covers is a row of its own.
    SELECT source_id, max(shape) AS shape, min(ingested_at) AS ingested_at
    FROM sources
    GROUP BY source_id
),
timed AS (
    SELECT
        r.tenant_id,
        h.shape,
        CAST(r.signed_in_at AS date) AS day,
        r.source_id,
        r.emitted_at,
        date_part('epoch', r.emitted_at) - date_part('epoch', r.signed_in_at) AS emit_seconds,
        date_part('epoch', h.ingested_at) - date_part('epoch', r.signed_in_at) AS ingest_seconds
    -- The few sources are to the left, where a join holds its rows.
    FROM held AS h
    RIGHT JOIN sign_in_records AS r ON r.source_id = h.source_id
    WHERE
        r.signed_in_at >= $window_start AND r.signed_in_at < $window_end
        AND ($tenant = '*' OR r.tenant_id = $tenant)
)
SELECT
    tenant_id,
    shape,
    day,
    count(DISTINCT source_id) AS sources,
    count(*) AS records,
    count(*) FILTER (WHERE emitted_at IS NULL) AS without_emitted_at,
    count(*) FILTER (WHERE emit_seconds <= 600) AS emitted_within_10_minutes,
    count(*) FILTER (WHERE emit_seconds > 600 AND emit_seconds <= 3600) AS emitted_within_hour,
    count(*) FILTER (WHERE emit_seconds > 3600 AND emit_seconds <= 86400) AS emitted_within_day,
    count(*) FILTER (WHERE emit_seconds > 86400) AS emitted_later,
    CAST(floor(max(emit_seconds) / 60) AS bigint) AS max_emit_minutes,
    count(*) FILTER (WHERE ingest_seconds <= 86400) AS ingested_within_day,
    count(*) FILTER (WHERE ingest_seconds > 86400 AND ingest_seconds <= 604800) AS ingested_within_week,
    count(*) FILTER (WHERE ingest_seconds > 604800) AS ingested_later,
    CAST(floor(max(ingest_seconds) / 3600) AS bigint) AS max_ingest_hours
FROM timed
GROUP BY tenant_id, shape, day
ORDER BY tenant_id, shape, day
