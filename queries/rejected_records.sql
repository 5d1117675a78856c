-- What could not be read: rejected records by reason and file, the most first.
-- Reads: rejects
-- Params: $top bigint default 50 = rows, at most
-- Grain: one row per reason and file
-- Columns: reason, path text; rejected bigint; first_line bigint: null if the file has no lines;
--   detail text: one of those told with the reason
-- Order: rejected descending, reason, path
-- Blind spots: what a rejected record says is known as far as its raw bytes tell, in rejects; lake replay tries
--   them again.
SELECT
    reason,
    path,
    count(*) AS rejected,
    min(line) AS first_line,
    max(detail) AS detail
FROM rejects
GROUP BY reason, path
ORDER BY rejected DESC, reason, path
LIMIT $top
