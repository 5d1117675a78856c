-- What other records say of sign-ins that a legacy record without a client app tells of.
-- Reads: contested_ids, sign_in_records; of its rows that are modern or no user's only what is told below
-- Params: none
-- Grain: one row per record
-- Columns: tenant_id, sign_in_id, category text; signed_in_at, emitted_at timestamp;
--   user_id, user_principal_name, auth_method, outcome, source_id text; source_offset, record_hash bigint;
--   provably_modern boolean; states_client_app boolean
-- Order: none
-- Blind spots: found by the id alone, which costs least; what another tenant's record of the same id says is
--   no rival, and speaks for nothing.
SELECT
    m.tenant_id, m.sign_in_id, m.category, m.signed_in_at, m.emitted_at, m.user_id, m.user_principal_name,
    m.auth_method, m.outcome, m.source_id, m.source_offset, m.record_hash, m.provably_modern,
    m.client_app IS NOT NULL AND lower(btrim(m.client_app)) <> 'unknown' AS states_client_app
-- The few ids are to the left, where a join holds its rows.
FROM contested_ids AS c
INNER JOIN sign_in_records AS m ON m.sign_in_id = c.sign_in_id
WHERE
    -- Only these can be overruled from outside: a record that states a client app and is not provably modern
    -- speaks before every modern one.
    c.is_undeclared
    AND (m.provably_modern = true OR m.protocol IS NULL)
