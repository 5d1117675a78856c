-- The countries that legacy sign-ins come from, busiest first.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $top bigint default 20 = rows, at most; $auth_methods text =
--   auth methods of the sign-ins that count, joined with commas
-- Grain: one row per country as logged
-- Columns: country text: null if not stated; ip_addresses bigint;
--   tenants, users, sign_ins bigint: with usage; protocols text[];
--   first_seen, last_seen timestamp
-- Order: sign_ins descending, country
-- Blind spots: a country is that of the address; a provider's relay hides where the user is.
SELECT
    country,
    count(DISTINCT ip_address) AS ip_addresses,
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
GROUP BY country
ORDER BY sign_ins DESC, country
LIMIT $top
