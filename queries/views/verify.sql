-- Sources whose account does not hold: records = rows + rejected + not sign-ins + counted + pruned, and the
-- tables hold as many rows and rejects as the account says.
-- Grain: one row per source that is wrong
WITH accounts AS (
    SELECT
        source_id, max(path) AS path, sum(records) AS records, sum(rows) AS rows, sum(rejected) AS rejected,
        sum(not_sign_ins) AS not_sign_ins, sum(coalesce(counted, 0)) AS counted, sum(pruned) AS pruned
    FROM sources GROUP BY source_id
),
held AS (
    SELECT source_id, count(*) AS rows FROM sign_in_records GROUP BY source_id
),
refused AS (
    SELECT source_id, count(*) AS rejected FROM rejects GROUP BY source_id
)
SELECT
    coalesce(a.source_id, h.source_id, r.source_id) AS source_id, a.path, a.records, a.rows, a.rejected,
    a.not_sign_ins, a.counted, a.pruned, coalesce(h.rows, 0) AS rows_held, coalesce(r.rejected, 0) AS rejects_held
FROM accounts AS a
FULL JOIN held AS h ON h.source_id = a.source_id
FULL JOIN refused AS r ON r.source_id = coalesce(a.source_id, h.source_id)
WHERE
    a.source_id IS NULL
    OR a.records <> a.rows + a.rejected + a.not_sign_ins + a.counted + a.pruned
    OR a.rows <> coalesce(h.rows, 0)
    OR a.rejected <> coalesce(r.rejected, 0)
ORDER BY source_id
