-- The sign-ins that verdicts rest on: user sign-ins with a protocol that are not provably modern.
-- Reads: speaking_records
-- Params: none
-- Grain: one row per sign-in
-- Columns: those of sign_in_records without provably_modern, category that of the sign-in; auth_method is modern
--   of smtp_auth alone, and password_grant only of the protocol of that name; and
--   user_key text: user_id, else the lower-cased user_principal_name, else null
--   is_outbound boolean: to another tenant's resource, the user being this tenant's or of no stated one
--   is_mismatch boolean: home and resource tenant are both others, so it is not this tenant's sign-in
--   in_tenant boolean: neither of the two
--   exchange_or_unnamed boolean: to Exchange Online or to no named resource
--   is_agent_elsewhere boolean: legacy by its user agent alone, and to another resource: a doubt, no usage
-- Order: none
-- Blind spots: a category that only a modern record knows is not told of a record with a client app.
SELECT
    tenant_id, sign_in_id, category, signed_in_at, emitted_at, event_date,
    user_id, user_principal_name, user_type, app_id, app_name, resource_id, resource_name, client_app,
    protocol, auth_method, auth_evidence, outcome, error_code, failure_reason, conditional_access,
    user_agent, ip_address, country, is_interactive, home_tenant_id, resource_tenant_id, correlation_id,
    source_id, source_offset, record_hash,
    coalesce(user_id, lower(user_principal_name)) AS user_key,
    is_foreign_resource AND NOT is_foreign_user AS is_outbound,
    is_foreign_resource AND is_foreign_user AS is_mismatch,
    NOT is_foreign_resource AS in_tenant,
    -- The id is Exchange Online's in every tenant.
    coalesce(resource_id = '00000002-0000-0ff1-ce00-000000000000', false)
        OR coalesce(lower(btrim(resource_name)) IN ('office 365 exchange online', 'exchange online'), false)
        OR (resource_id IS NULL AND resource_name IS NULL) AS exchange_or_unnamed,
    coalesce(
        protocol = 'other_legacy' AND auth_evidence = 'user_agent'
        AND NOT regexp_like(coalesce(client_app, ''), '^ *(other|older)', 'i')
        AND NOT (
            coalesce(resource_id = '00000002-0000-0ff1-ce00-000000000000', false)
            OR coalesce(lower(btrim(resource_name)) IN ('office 365 exchange online', 'exchange online'), false)
            OR (resource_id IS NULL AND resource_name IS NULL)
        ), false
    ) AS is_agent_elsewhere
FROM (
    SELECT
        *,
        -- An empty id and one of zeros say nothing.
        coalesce(
            resource_tenant_id <> tenant_id
            AND resource_tenant_id NOT IN ('', '00000000-0000-0000-0000-000000000000'), false
        ) AS is_foreign_resource,
        coalesce(
            home_tenant_id <> tenant_id
            AND home_tenant_id NOT IN ('', '00000000-0000-0000-0000-000000000000'), false
        ) AS is_foreign_user
    FROM speaking_records
    -- A record of unknown category may turn out to be a service principal's.
    WHERE category IS NULL OR category IN ('interactive', 'non_interactive')
) AS placed
