-- The addresses that legacy sign-ins come from, busiest first: offices, devices, relays, providers.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $top bigint default 20 = rows, at most; $auth_methods text =
--   auth methods of the sign-ins that count, joined with commas
-- Grain: one row per address
-- Columns: ip_address text: null if not stated; countries text[]: null if not stated;
--   tenants, users, sign_ins bigint: with usage; protocols text[];
--   first_seen, last_seen timestamp
-- Order: sign_ins descending, ip_address
-- Blind spots: it counts what succeeded; attempts are in attempt_sources and spray_suspects.
SELECT
    ip_address,
    array_agg(DISTINCT country ORDER BY country) FILTER (WHERE country IS NOT NULL) AS countries,
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
GROUP BY ip_address
ORDER BY sign_ins DESC, ip_address
LIMIT $top
