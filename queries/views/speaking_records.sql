-- Of the records that a legacy client wrote, those that speak for their sign-ins.
-- Reads: sign_in_records, contested_ids, contested_sign_ins
-- Params: none
-- Grain: one row per sign-in
-- Columns: those of sign_in_records; category is that of the sign-in
-- Order: none
-- Blind spots: a category that only a modern record knows is not told of a record with a client app. Where the
--   records are data files, the same rows are found without these queries.
SELECT
    -- Nearly every sign-in is one record that states its client app, and speaks for itself. Only the others
    -- are ranked, in contested_sign_ins.
    -- The few ids are to the left, where a join holds its rows.
    l.tenant_id, l.sign_in_id, l.category, l.signed_in_at, l.emitted_at, l.event_date, l.user_id,
    l.user_principal_name, l.user_type, l.app_id, l.app_name, l.resource_id, l.resource_name, l.client_app,
    l.protocol, l.auth_method, l.auth_evidence, l.outcome, l.error_code, l.failure_reason,
    l.conditional_access, l.user_agent, l.ip_address, l.country, l.is_interactive, l.home_tenant_id,
    l.resource_tenant_id, l.correlation_id, l.source_id, l.source_offset, l.record_hash, l.provably_modern
FROM contested_ids AS c
RIGHT JOIN (
    SELECT * FROM sign_in_records WHERE provably_modern = false AND protocol IS NOT NULL
) AS l ON l.sign_in_id = c.sign_in_id
WHERE c.sign_in_id IS NULL
UNION ALL
SELECT
    tenant_id, sign_in_id, sign_in_category AS category, signed_in_at, emitted_at, event_date, user_id,
    user_principal_name, user_type, app_id, app_name, resource_id, resource_name, client_app,
    protocol, auth_method, auth_evidence, outcome, error_code, failure_reason,
    conditional_access, user_agent, ip_address, country, is_interactive, home_tenant_id,
    resource_tenant_id, correlation_id, source_id, source_offset, record_hash, false AS provably_modern
FROM contested_sign_ins
