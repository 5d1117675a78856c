-- One row per sign-in: of its records, the one that speaks for it.
-- Reads: sign_in_records
-- Params: none
-- Grain: one row per sign-in (tenant_id, category, sign_in_id)
-- Columns: those of sign_in_records; category is that of the sign-in
-- Order: none
-- Blind spots: a record whose category nobody knows stands alone if no other has its id.
WITH keyed AS (
    SELECT
        r.*,
        -- A record of unknown category belongs to the sign-in of the same tenant and id.
        coalesce(r.category, max(r.category) OVER (PARTITION BY r.tenant_id, r.sign_in_id)) AS sign_in_category,
        r.client_app IS NOT NULL AND lower(btrim(r.client_app)) <> 'unknown' AS states_client_app
    FROM sign_in_records AS r
),
ranked AS (
    SELECT
        k.*,
        row_number() OVER (
            PARTITION BY k.tenant_id, k.sign_in_id, k.sign_in_category
            ORDER BY
                k.states_client_app DESC,
                k.provably_modern ASC,
                k.emitted_at DESC NULLS LAST,
                (k.outcome = 'success') DESC,
                k.source_id ASC,
                k.source_offset ASC
        ) AS place
    FROM keyed AS k
)
SELECT
    tenant_id, sign_in_id, sign_in_category AS category, signed_in_at, emitted_at, event_date,
    user_id, user_principal_name, user_type, app_id, app_name, resource_id, resource_name, client_app,
    protocol, auth_method, auth_evidence, outcome, error_code, failure_reason, conditional_access,
    user_agent, ip_address, country, is_interactive, home_tenant_id, resource_tenant_id, correlation_id,
    source_id, source_offset, provably_modern
FROM ranked
WHERE place = 1
