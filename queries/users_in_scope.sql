-- Distinct users per tenant over all protocols in scope, a user of two protocols counted once.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $protocols text = protocols in scope, joined with commas; $auth_methods text = auth methods of the
--   sign-ins that count, joined with commas; $app_ids text = applications whose password grants count, joined
--   with commas, empty for all
-- Grain: one row per tenant with usage
-- Columns: tenant_id text; users bigint: distinct users with usage of a protocol in scope, or of
--   other_legacy to Exchange Online or to no named resource
-- Order: tenant_id
-- Blind spots: users without id and name count as one per protocol.
SELECT
    tenant_id,
    count(DISTINCT coalesce(user_key, 'unknown user of ' || protocol)) AS users
FROM legacy_sign_ins
WHERE
    signed_in_at >= $window_start AND signed_in_at < $window_end
    AND outcome = 'success' AND in_tenant
    AND array_has(string_to_array($auth_methods, ','), auth_method)
    AND (
        auth_method <> 'password_grant' OR $app_ids = '' OR app_id IS NULL
        OR array_has(string_to_array($app_ids, ','), app_id)
    )
    AND (
        array_has(string_to_array($protocols, ','), protocol)
        OR (protocol = 'other_legacy' AND exchange_or_unnamed)
    )
GROUP BY tenant_id
ORDER BY tenant_id
