-- Duplicates: sign-ins with more than one record, by the sources of the records.
-- Reads: sign_in_records, the modern ones too, of which tenant, id, category and source; sources
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all
-- Grain: one row per tenant and pair of sources; a source that repeats its own records is paired with itself
-- Columns: tenant_id text; first_path, other_path text: files of the two sources, null if not known;
--   sign_ins, records bigint: told of by them, and by how many records; repeated bigint: the records that one
--   for each sign-in leaves over; records_max bigint: of one id
-- Order: tenant_id, repeated descending, first_path, other_path and the ids of the sources
-- Blind spots: of three sources and more the first and the last are told, by their ids; a sign-in with records
--   on both sides of the window's edge is judged by those inside; an id in three categories passes for two.
WITH repeated AS (
    SELECT
        tenant_id,
        sign_in_id,
        min(source_id) AS first_source,
        max(source_id) AS other_source,
        count(*) AS records,
        -- An id is a sign-in of its own in each category; a record of unknown category belongs to any of them.
        CASE WHEN min(category) <> max(category) THEN 2 ELSE 1 END AS sign_ins
    FROM sign_in_records
    WHERE
        signed_in_at >= $window_start AND signed_in_at < $window_end
        AND ($tenant = '*' OR tenant_id = $tenant)
    GROUP BY tenant_id, sign_in_id
    HAVING count(*) > 1
),
pairs AS (
    SELECT
        tenant_id,
        first_source,
        other_source,
        sum(sign_ins) AS sign_ins,
        sum(records) AS records,
        sum(records) - sum(sign_ins) AS repeated,
        max(records) AS records_max
    FROM repeated
    WHERE records > sign_ins
    GROUP BY tenant_id, first_source, other_source
),
held AS (
    SELECT source_id, max(path) AS path FROM sources GROUP BY source_id
)
SELECT
    p.tenant_id,
    f.path AS first_path,
    o.path AS other_path,
    p.sign_ins,
    p.records,
    p.repeated,
    p.records_max
FROM pairs AS p
LEFT JOIN held AS f ON f.source_id = p.first_source
LEFT JOIN held AS o ON o.source_id = p.other_source
ORDER BY p.tenant_id, p.repeated DESC, first_path, other_path, p.first_source, p.other_source
