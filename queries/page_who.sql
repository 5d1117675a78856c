-- Who still uses a protocol in scope, the busiest of each tenant first: what the report page lists.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $protocols text = protocols in scope, joined with commas; $tenant text = a tenant id, or * for all
-- Grain: one row per tenant, protocol, user and app with usage of a protocol in scope, or of other_legacy to
--   Exchange Online or to no named resource
-- Columns: tenant_id, protocol, user_key, user_name text: one without a name has its key or is an unknown
--   user; app_name text, null if not stated; sign_ins bigint; last_seen timestamp
-- Order: tenant_id, sign_ins descending, protocol, user_name, app_name, user_key
-- Blind spots: records without user id and name are one unknown user.
SELECT
    tenant_id,
    protocol,
    user_key,
    coalesce(max(lower(user_principal_name)), max(user_key), 'unknown user') AS user_name,
    app_name,
    count(*) AS sign_ins,
    max(signed_in_at) AS last_seen
FROM legacy_sign_ins
WHERE
    signed_in_at >= $window_start AND signed_in_at < $window_end
    AND outcome = 'success' AND in_tenant
    AND (
        array_has(string_to_array($protocols, ','), protocol)
        OR (protocol = 'other_legacy' AND exchange_or_unnamed)
    )
    AND ($tenant = '*' OR tenant_id = $tenant)
GROUP BY tenant_id, protocol, user_key, app_name
ORDER BY tenant_id, sign_ins DESC, protocol, user_name, app_name, user_key
