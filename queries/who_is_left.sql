-- Who is left: each user's last sign-in by each legacy protocol, including the lookback.
-- Reads: legacy_sign_ins
-- Params: $lookback_start timestamp = start of the lookback days before the window; $window_start timestamp =
--   start of the window; $window_end timestamp = its end, not in it; $tenant text = a tenant id, or * for
--   all; $auth_methods text = auth methods of the sign-ins that count, joined with commas
-- Grain: one row per tenant, protocol and user with usage since the start of the lookback
-- Columns: tenant_id, protocol, user_name text; last_seen timestamp; days_ago bigint: from the day of
--   last_seen to the last day before the end of the window; in_window boolean: last_seen is in the window;
--   sign_ins, days bigint: days with a sign-in; first_seen timestamp; last_user_agent, last_ip_address text:
--   of the last sign-in, null if it states none
-- Order: tenant_id, protocol, last_seen descending, user_name and the key of the user
-- Blind spots: records without user id and name are one unknown user per tenant and protocol; jobs that run
--   less often than the lookback is long are not seen.
WITH used AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY tenant_id, protocol, user_key ORDER BY signed_in_at DESC, sign_in_id, category
        ) AS place_from_end
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $lookback_start AND signed_in_at < $window_end
        AND outcome = 'success' AND in_tenant
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND ($tenant = '*' OR tenant_id = $tenant)
)
SELECT
    tenant_id,
    protocol,
    coalesce(max(lower(user_principal_name)), max(user_key), 'unknown user') AS user_name,
    max(signed_in_at) AS last_seen,
    CAST(date_part('epoch', CAST($window_end AS date)) / 86400 AS bigint) - 1
        - CAST(date_part('epoch', CAST(max(signed_in_at) AS date)) / 86400 AS bigint) AS days_ago,
    max(signed_in_at) >= $window_start AS in_window,
    count(*) AS sign_ins,
    count(DISTINCT CAST(signed_in_at AS date)) AS days,
    min(signed_in_at) AS first_seen,
    max(user_agent) FILTER (WHERE place_from_end = 1) AS last_user_agent,
    max(ip_address) FILTER (WHERE place_from_end = 1) AS last_ip_address
FROM used
GROUP BY tenant_id, protocol, user_key
ORDER BY tenant_id, protocol, last_seen DESC, user_name, user_key
