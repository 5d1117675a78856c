-- The sign-ins that verdicts rest on: user sign-ins with a protocol that are not provably modern.
-- Reads: sign_in_records; its provably modern side only for ids of records without a client app
-- Params: none
-- Grain: one row per sign-in
-- Columns: those of sign_in_records, and
--   user_key text: user_id, else the lower-cased user_principal_name, else null
--   in_tenant boolean: the resource belongs to the tenant itself
--   exchange_or_unnamed boolean: to Exchange Online or to no named resource
-- Order: none
-- Blind spots: duplicates are looked for among these records, as a record that states a client app
--   and is not provably modern speaks before every modern one.
WITH keyed AS (
    SELECT
        r.*,
        coalesce(r.category, max(r.category) OVER (PARTITION BY r.tenant_id, r.sign_in_id)) AS sign_in_category,
        r.client_app IS NOT NULL AND lower(btrim(r.client_app)) <> 'unknown' AS states_client_app
    FROM sign_in_records AS r
    WHERE r.provably_modern = false AND r.protocol IS NOT NULL
),
ranked AS (
    SELECT
        k.*,
        row_number() OVER (
            PARTITION BY k.tenant_id, k.sign_in_id, k.sign_in_category
            ORDER BY
                k.states_client_app DESC,
                k.emitted_at DESC NULLS LAST,
                (k.outcome = 'success') DESC,
                k.source_id ASC,
                k.source_offset ASC
        ) AS place
    FROM keyed AS k
),
speaking AS (
    SELECT * FROM ranked WHERE place = 1
),
-- A modern record that states a client app speaks before one that does not.
overruled AS (
    SELECT DISTINCT s.tenant_id, s.sign_in_id
    FROM speaking AS s
    INNER JOIN sign_in_records AS m
        ON m.tenant_id = s.tenant_id AND m.sign_in_id = s.sign_in_id
    WHERE
        NOT s.states_client_app
        AND m.provably_modern = true
        AND m.client_app IS NOT NULL AND lower(btrim(m.client_app)) <> 'unknown'
        AND (m.category IS NULL OR s.sign_in_category IS NULL OR m.category = s.sign_in_category)
)
SELECT
    s.tenant_id, s.sign_in_id, s.sign_in_category AS category, s.signed_in_at, s.emitted_at, s.event_date,
    s.user_id, s.user_principal_name, s.user_type, s.app_id, s.app_name, s.resource_id, s.resource_name,
    s.client_app, s.protocol, s.auth_method, s.auth_evidence, s.outcome, s.error_code, s.failure_reason,
    s.conditional_access, s.user_agent, s.ip_address, s.country, s.is_interactive, s.home_tenant_id,
    s.resource_tenant_id, s.correlation_id, s.source_id, s.source_offset,
    coalesce(s.user_id, lower(s.user_principal_name)) AS user_key,
    s.resource_tenant_id IS NULL OR s.resource_tenant_id = s.tenant_id AS in_tenant,
    -- The id is Exchange Online's in every tenant.
    coalesce(s.resource_id = '00000002-0000-0ff1-ce00-000000000000', false)
        OR coalesce(lower(btrim(s.resource_name)) IN ('office 365 exchange online', 'exchange online'), false)
        OR (s.resource_id IS NULL AND s.resource_name IS NULL) AS exchange_or_unnamed
FROM speaking AS s
LEFT ANTI JOIN overruled AS o ON o.tenant_id = s.tenant_id AND o.sign_in_id = s.sign_in_id
