-- The users with the most legacy sign-ins, busiest first.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $top bigint default 20 = rows, at most; $auth_methods text =
--   auth methods of the sign-ins that count, joined with commas
-- Grain: one row per tenant and user with usage
-- Columns: tenant_id, user_name text; protocols text[];
--   sign_ins, days, apps, user_agents, ip_addresses bigint: distinct ones but for sign_ins;
--   first_seen, last_seen timestamp
-- Order: sign_ins descending, tenant_id, user_name and the key of the user
-- Blind spots: records without user id and name are one unknown user per tenant.
SELECT
    tenant_id,
    coalesce(max(lower(user_principal_name)), max(user_key), 'unknown user') AS user_name,
    array_agg(DISTINCT protocol ORDER BY protocol) AS protocols,
    count(*) AS sign_ins,
    count(DISTINCT CAST(signed_in_at AS date)) AS days,
    count(DISTINCT coalesce(app_id, app_name)) AS apps,
    count(DISTINCT user_agent) AS user_agents,
    count(DISTINCT ip_address) AS ip_addresses,
    min(signed_in_at) AS first_seen,
    max(signed_in_at) AS last_seen
FROM legacy_sign_ins
WHERE
    signed_in_at >= $window_start AND signed_in_at < $window_end
    AND outcome = 'success' AND in_tenant
    AND array_has(string_to_array($auth_methods, ','), auth_method)
    AND ($tenant = '*' OR tenant_id = $tenant)
GROUP BY tenant_id, user_key
ORDER BY sign_ins DESC, tenant_id, user_name, user_key
LIMIT $top
