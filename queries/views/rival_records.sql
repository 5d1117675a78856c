-- What other records say of sign-ins that a legacy record without a client app tells of.
-- Reads: sign_in_records; of its rows that are modern or no user's only id, category and client app
-- Params: none
-- Grain: one row per record
-- Columns: tenant_id, sign_in_id, category text; provably_modern boolean; states_client_app boolean
-- Order: none
-- Blind spots: none known.
WITH undeclared AS (
    -- Only these can be overruled from outside: a record that states a client app and is not provably
    -- modern speaks before every modern one. The few ids are to the left, where a join holds its rows.
    SELECT DISTINCT tenant_id, sign_in_id
    FROM sign_in_records
    WHERE
        provably_modern = false AND protocol IS NOT NULL
        AND (client_app IS NULL OR lower(btrim(client_app)) = 'unknown')
)
SELECT
    m.tenant_id, m.sign_in_id, m.category, m.provably_modern,
    m.client_app IS NOT NULL AND lower(btrim(m.client_app)) <> 'unknown' AS states_client_app
FROM undeclared AS u
INNER JOIN sign_in_records AS m ON m.tenant_id = u.tenant_id AND m.sign_in_id = u.sign_in_id
WHERE m.provably_modern = true OR m.protocol IS NULL
