-- What could not be read: rejected records by reason, file and tenant, most frequent first.
-- Reads: rejects
-- Params: $top bigint default 50 = rows, at most
-- Grain: one row per reason, file and tenant
-- Columns: reason, path text; rejected bigint; first_line bigint: null if the file has no lines;
--   detail text: one of those told with the reason; tenant_id text: null if it is not known
-- Order: rejected descending, reason, path, tenant_id
-- Blind spots: what can still be read of a rejected record is in the table rejects; lake replay tries
--   them again.
SELECT
    reason,
    path,
    count(*) AS rejected,
    min(line) AS first_line,
    max(detail) AS detail,
    tenant_id
FROM rejects
GROUP BY reason, path, tenant_id
ORDER BY rejected DESC, reason, path, tenant_id
LIMIT $top
