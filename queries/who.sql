-- Who still signs in with a legacy protocol: users, apps, clients, last seen.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $auth_methods text = auth methods of the sign-ins that count,
--   joined with commas; $app_ids text = applications whose password grants count, joined with commas, empty
--   for all
-- Grain: one row per tenant, protocol, user, app, client app, user agent and kind of resource with usage
-- Columns: tenant_id, protocol, user_name, app_name, client_app, user_agent text;
--   exchange_or_unnamed boolean: to Exchange Online or to no named resource; ip_addresses,
--   sign_ins bigint; first_seen, last_seen timestamp
-- Order: tenant_id, protocol, sign_ins descending, then every text column, exchange_or_unnamed and the
--   key of the user (two users may have had the same name)
-- Blind spots: records without user id and name are one unknown user.
SELECT
    tenant_id,
    protocol,
    coalesce(max(lower(user_principal_name)), max(user_key), 'unknown user') AS user_name,
    app_name,
    client_app,
    user_agent,
    exchange_or_unnamed,
    count(DISTINCT ip_address) AS ip_addresses,
    count(*) AS sign_ins,
    min(signed_in_at) AS first_seen,
    max(signed_in_at) AS last_seen
FROM legacy_sign_ins
WHERE
    signed_in_at >= $window_start AND signed_in_at < $window_end
    AND outcome = 'success' AND in_tenant
    AND array_has(string_to_array($auth_methods, ','), auth_method)
    AND (
        auth_method <> 'password_grant' OR $app_ids = '' OR app_id IS NULL
        OR array_has(string_to_array($app_ids, ','), app_id)
    )
    AND ($tenant = '*' OR tenant_id = $tenant)
GROUP BY tenant_id, protocol, user_key, app_name, client_app, user_agent, exchange_or_unnamed
ORDER BY tenant_id, protocol, sign_ins DESC, user_name, app_name, client_app, user_agent,
    exchange_or_unnamed, user_key
