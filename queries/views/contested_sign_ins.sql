-- The sign-ins of the contested ids: of the records of each, the one that speaks for it.
-- Reads: sign_in_records, contested_ids, rival_records
-- Params: none
-- Grain: one row per sign-in that a legacy record speaks for
-- Columns: those of sign_in_records without provably_modern, category that of the record; and
--   sign_in_category text: that of the sign-in, null if unknown
-- Order: none
-- Blind spots: those of rival_records.
WITH records AS (
    SELECT
        l.*,
        l.client_app IS NOT NULL AND lower(btrim(l.client_app)) <> 'unknown' AS states_client_app
    FROM contested_ids AS c
    INNER JOIN sign_in_records AS l ON l.sign_in_id = c.sign_in_id
    WHERE l.provably_modern = false AND l.protocol IS NOT NULL
    UNION ALL BY NAME
    SELECT * FROM rival_records
),
keyed AS (
    SELECT
        r.*,
        -- A record of unknown category belongs to the sign-in of the same tenant and id.
        coalesce(r.category, max(r.category) OVER (PARTITION BY r.tenant_id, r.sign_in_id)) AS sign_in_category
    FROM records AS r
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
                (k.outcome = 'success') DESC NULLS LAST,
                k.source_id ASC,
                k.source_offset ASC
        ) AS place
    FROM keyed AS k
)
SELECT
    tenant_id, sign_in_id, category, signed_in_at, emitted_at, event_date, user_id, user_principal_name,
    user_type, app_id, app_name, resource_id, resource_name, client_app, protocol, auth_method, auth_evidence,
    outcome, error_code, failure_reason, conditional_access, user_agent, ip_address, country, is_interactive,
    home_tenant_id, resource_tenant_id, correlation_id, source_id, source_offset, sign_in_category
FROM ranked
WHERE place = 1 AND protocol IS NOT NULL
