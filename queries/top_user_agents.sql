-- The user agents of legacy sign-ins, busiest first: what has to be replaced or reconfigured.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $top bigint default 20 = rows, at most; $auth_methods text =
--   auth methods of the sign-ins that count, joined with commas
-- Grain: one row per user agent
-- Columns: user_agent text: null if not stated; proves_basic boolean: it is one that Exchange puts in
--   for Basic Authentication, or remote PowerShell's;
--   tenants, users, sign_ins bigint: with usage; protocols text[];
--   first_seen, last_seen timestamp
-- Order: sign_ins descending, user_agent
-- Blind spots: Exchange replaces the agents of many clients by its own (BAV2ROPC and others).
SELECT
    user_agent,
    coalesce(bool_or(auth_evidence IN ('user_agent', 'winrm_client')), false) AS proves_basic,
    count(DISTINCT tenant_id) AS tenants,
    count(DISTINCT tenant_id || ' ' || coalesce(user_key, 'unknown user')) AS users,
    count(*) AS sign_ins,
    array_agg(DISTINCT protocol ORDER BY protocol) AS protocols,
    min(signed_in_at) AS first_seen,
    max(signed_in_at) AS last_seen
FROM legacy_sign_ins
WHERE
    signed_in_at >= $window_start AND signed_in_at < $window_end
    AND outcome = 'success' AND in_tenant
    AND array_has(string_to_array($auth_methods, ','), auth_method)
    AND ($tenant = '*' OR tenant_id = $tenant)
GROUP BY user_agent
ORDER BY sign_ins DESC, user_agent
LIMIT $top
