-- Where attempts on legacy protocols come from: addresses whose sign-ins were refused or interrupted, busiest first.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $auth_methods text = auth methods of the sign-ins that count,
--   joined with commas
-- Grain: one row per tenant, protocol, address and country
-- Columns: tenant_id, protocol, ip_address, country text, the last two null if not stated;
--   sign_ins, interrupted, blocked, failures, users bigint; first_seen, last_seen timestamp
-- Order: tenant_id, protocol, sign_ins descending, ip_address, country
-- Blind spots: a spray from many addresses is many rows of few sign-ins each.
SELECT
    tenant_id,
    protocol,
    ip_address,
    country,
    count(*) AS sign_ins,
    count(*) FILTER (WHERE outcome = 'interrupted') AS interrupted,
    count(*) FILTER (WHERE outcome = 'blocked') AS blocked,
    count(*) FILTER (WHERE outcome = 'failure') AS failures,
    count(DISTINCT coalesce(user_key, 'unknown user')) AS users,
    min(signed_in_at) AS first_seen,
    max(signed_in_at) AS last_seen
FROM legacy_sign_ins
WHERE
    signed_in_at >= $window_start AND signed_in_at < $window_end
    AND outcome IN ('interrupted', 'blocked', 'failure')
    AND array_has(string_to_array($auth_methods, ','), auth_method)
    AND ($tenant = '*' OR tenant_id = $tenant)
GROUP BY tenant_id, protocol, ip_address, country
ORDER BY tenant_id, protocol, sign_ins DESC, ip_address, country
