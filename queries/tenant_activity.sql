-- One tenant's legacy sign-ins: how they authenticated, from where, and with what outcome.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all
-- Grain: one row per tenant, protocol, outcome, auth method and auth evidence
-- Columns:
--   tenant_id, protocol, outcome, auth_method text; auth_evidence text, null where nothing proves it
--   sign_ins, users, apps, client_apps, user_agents, ip_addresses, countries bigint: distinct ones but
--   for sign_ins; first_seen, last_seen timestamp
-- Order: tenant_id, protocol, sign_ins descending, outcome, auth_method, auth_evidence
-- Blind spots: counts sign-ins to other tenants' resources too; usage is what is a success in the
--   tenant itself.
SELECT
    tenant_id,
    protocol,
    outcome,
    auth_method,
    auth_evidence,
    count(*) AS sign_ins,
    count(DISTINCT coalesce(user_key, 'unknown user')) AS users,
    count(DISTINCT coalesce(app_id, app_name)) AS apps,
    count(DISTINCT client_app) AS client_apps,
    count(DISTINCT user_agent) AS user_agents,
    count(DISTINCT ip_address) AS ip_addresses,
    count(DISTINCT country) AS countries,
    min(signed_in_at) AS first_seen,
    max(signed_in_at) AS last_seen
FROM legacy_sign_ins
WHERE
    signed_in_at >= $window_start AND signed_in_at < $window_end
    AND ($tenant = '*' OR tenant_id = $tenant)
GROUP BY tenant_id, protocol, outcome, auth_method, auth_evidence
ORDER BY tenant_id, protocol, sign_ins DESC, outcome, auth_method, auth_evidence
