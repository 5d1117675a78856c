-- The legacy protocols of each user, users with the most first: what one person has to change.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $min_protocols bigint default 1 = fewer are left out;
--   $auth_methods text = auth methods of the sign-ins that count, joined with commas
-- Grain: one row per tenant and user with usage
-- Columns: tenant_id, user_name text; protocol_count bigint; protocols text[];
--   apps, user_agents, sign_ins bigint: distinct ones but for sign_ins; last_seen timestamp
-- Order: tenant_id, protocol_count descending, sign_ins descending, user_name and the key of the user
-- Blind spots: records without user id and name are one unknown user per tenant.
SELECT
    tenant_id,
    coalesce(max(lower(user_principal_name)), max(user_key), 'unknown user') AS user_name,
    count(DISTINCT protocol) AS protocol_count,
    array_agg(DISTINCT protocol ORDER BY protocol) AS protocols,
    count(DISTINCT coalesce(app_id, app_name)) AS apps,
    count(DISTINCT user_agent) AS user_agents,
    count(*) AS sign_ins,
    max(signed_in_at) AS last_seen
FROM legacy_sign_ins
WHERE
    signed_in_at >= $window_start AND signed_in_at < $window_end
    AND outcome = 'success' AND in_tenant
    AND array_has(string_to_array($auth_methods, ','), auth_method)
    AND ($tenant = '*' OR tenant_id = $tenant)
GROUP BY tenant_id, user_key
HAVING count(DISTINCT protocol) >= $min_protocols
ORDER BY tenant_id, protocol_count DESC, sign_ins DESC, user_name, user_key
