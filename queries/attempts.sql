-- Attempts without success on legacy protocols: sprays, blocked clients, interrupted sign-ins.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $auth_methods text = auth methods of the sign-ins that count,
--   joined with commas
-- Grain: one row per tenant, protocol, outcome and error code
-- Columns: tenant_id, protocol, outcome text; error_code bigint, null if not stated; failure_reason text:
--   one of those logged with the code, null if none; sign_ins, users, ip_addresses, countries bigint;
--   last_seen timestamp
-- Order: tenant_id, protocol, sign_ins descending, outcome, error_code
-- Blind spots: many users from few addresses is how a spray looks, and how one office looks.
SELECT
    tenant_id,
    protocol,
    outcome,
    error_code,
    max(failure_reason) AS failure_reason,
    count(*) AS sign_ins,
    count(DISTINCT coalesce(user_key, 'unknown user')) AS users,
    count(DISTINCT ip_address) AS ip_addresses,
    count(DISTINCT country) AS countries,
    max(signed_in_at) AS last_seen
FROM legacy_sign_ins
WHERE
    signed_in_at >= $window_start AND signed_in_at < $window_end
    AND outcome <> 'success'
    AND array_has(string_to_array($auth_methods, ','), auth_method)
    AND ($tenant = '*' OR tenant_id = $tenant)
GROUP BY tenant_id, protocol, outcome, error_code
ORDER BY tenant_id, protocol, sign_ins DESC, outcome, error_code
