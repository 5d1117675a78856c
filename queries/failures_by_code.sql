-- Failures by code: why legacy sign-ins did not succeed, over all tenants, most frequent first.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $auth_methods text = auth methods of the sign-ins that count,
--   joined with commas
-- Grain: one row per outcome and error code
-- Columns: outcome text; error_code bigint: null if not stated; failure_reason text: one of those logged with
--   the code, null if none; tenants, users, sign_ins, ip_addresses bigint; protocols text[];
--   first_seen, last_seen timestamp
-- Order: sign_ins descending, outcome, error_code
-- Blind spots: a code that lightsout does not know is a failure; Microsoft changes codes at any time.
SELECT
    outcome,
    error_code,
    max(failure_reason) AS failure_reason,
    count(DISTINCT tenant_id) AS tenants,
    count(DISTINCT tenant_id || ' ' || coalesce(user_key, 'unknown user')) AS users,
    count(*) AS sign_ins,
    count(DISTINCT ip_address) AS ip_addresses,
    array_agg(DISTINCT protocol ORDER BY protocol) AS protocols,
    min(signed_in_at) AS first_seen,
    max(signed_in_at) AS last_seen
FROM legacy_sign_ins
WHERE
    signed_in_at >= $window_start AND signed_in_at < $window_end
    AND outcome <> 'success'
    AND array_has(string_to_array($auth_methods, ','), auth_method)
    AND ($tenant = '*' OR tenant_id = $tenant)
GROUP BY outcome, error_code
ORDER BY sign_ins DESC, outcome, error_code
