-- Sign-ins of the Unified Audit Log, which never names a client app, that another log tells of with one.
-- Reads: sources, speaking_records, sign_in_records
-- Params: none
-- Grain: one row per record of the audit log that speaks for a sign-in without a client app
-- Columns: source_id text; source_offset bigint
-- Order: none
-- Blind spots: where records have no id in common, the same sign-in is told by correlation id and second alone.
SELECT DISTINCT a.source_id, a.source_offset
-- The few sources, and then the few records, are to the left, where a join holds its rows.
FROM (
    SELECT
        s.tenant_id, s.correlation_id, date_trunc('second', s.signed_in_at) AS signed_in_second,
        s.user_id, lower(s.user_principal_name) AS address, s.source_id, s.source_offset
    FROM (SELECT DISTINCT source_id FROM sources WHERE shape IN ('audit', 'audit_csv')) AS f
    INNER JOIN speaking_records AS s ON s.source_id = f.source_id
    WHERE
        s.protocol = 'not_stated'
        -- What stands for any id is none.
        AND lower(s.correlation_id) NOT IN ('', 'anonymized', '00000000-0000-0000-0000-000000000000')
) AS a
INNER JOIN sign_in_records AS r
    ON r.tenant_id = a.tenant_id AND r.correlation_id = a.correlation_id
    AND date_trunc('second', r.signed_in_at) = a.signed_in_second
WHERE
    r.client_app IS NOT NULL AND lower(btrim(r.client_app)) <> 'unknown'
    -- Of two users these are two sign-ins.
    AND coalesce(r.user_id = a.user_id, lower(r.user_principal_name) = a.address, true)
