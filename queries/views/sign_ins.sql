-- One row per sign-in: of its records, the one that speaks for it.
-- Reads: sign_in_records
-- Params: none
-- Grain: one row per sign-in (tenant_id, category, sign_in_id)
-- Columns: those of sign_in_records; category is that of the sign-in
-- Order: none
-- Blind spots: a record whose category nobody knows stands alone if no other has its id; where records of one
--   id are apart by more than a second or are of different users, the id is not unique, and each is a sign-in.
WITH records AS (
    SELECT *, client_app IS NOT NULL AND lower(btrim(client_app)) <> 'unknown' AS states_client_app
    FROM sign_in_records
),
judged AS (
    SELECT
        r.*,
        -- An id is unique if all its records agree: on the second, and on who it was. Users contradict each other
        -- by two ids, or by two addresses where they share no id.
        coalesce(max(r.signed_in_at) OVER of_id <= min(r.signed_in_at) OVER of_id + INTERVAL '1 second', true)
            AND coalesce(min(r.user_id) OVER of_id = max(r.user_id) OVER of_id, true)
            AND (
                max(CASE WHEN r.user_id IS NULL THEN lower(r.user_principal_name) END) OVER of_id IS NULL
                OR min(lower(r.user_principal_name)) OVER of_id = max(lower(r.user_principal_name)) OVER of_id
            ) AS is_unique,
        max(r.category) OVER of_id AS known_category
    FROM records AS r
    WINDOW of_id AS (PARTITION BY r.tenant_id, r.sign_in_id)
),
keyed AS (
    SELECT
        j.*,
        -- A record of unknown category belongs to the sign-in of the same tenant and id.
        CASE WHEN j.is_unique THEN coalesce(j.category, j.known_category) ELSE j.category END
            AS sign_in_category,
        -- Of an id that is not unique each record is a sign-in of its own, unless it is the same record.
        CASE
            WHEN j.is_unique THEN NULL
            WHEN j.record_hash IS NULL THEN concat(j.source_id, ' ', CAST(j.source_offset AS text))
            ELSE CAST(j.record_hash AS text)
        END AS record_key
    FROM judged AS j
),
ranked AS (
    SELECT
        k.*,
        row_number() OVER (
            PARTITION BY k.tenant_id, k.sign_in_id, k.sign_in_category, k.record_key
            ORDER BY
                -- One that states a client app; but nothing that no verdict counts refutes what is provably basic.
                CASE
                    WHEN k.states_client_app AND k.protocol IS NOT NULL AND k.auth_method IN ('basic', 'unknown')
                        THEN 1
                    WHEN k.protocol IS NOT NULL AND k.auth_method = 'basic' THEN 2
                    WHEN k.states_client_app THEN 3
                    ELSE 4
                END ASC,
                (k.auth_method = 'modern') IS TRUE ASC,
                -- SMTP AUTH with OAuth before what is modern and names no protocol that a verdict can need.
                k.provably_modern ASC,
                k.emitted_at DESC NULLS LAST,
                (k.outcome = 'success') DESC NULLS LAST,
                k.record_hash ASC,
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
    source_id, source_offset, record_hash, provably_modern
FROM ranked
WHERE place = 1
