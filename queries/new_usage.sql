-- Who has started to use a legacy protocol in the last days: first seen then, and not before.
-- Reads: legacy_sign_ins
-- Params: $lookback_start timestamp = start of the lookback days before the window; $window_end timestamp =
--   end of the window, not in it; $tenant text = a tenant id, or * for all; $days bigint default 7 = length
--   of the last days before the end of the window; $auth_methods text = auth methods of the sign-ins that
--   count, joined with commas
-- Grain: one row per tenant, protocol and user
-- Columns: tenant_id, protocol, user_name text; first_seen, last_seen timestamp; sign_ins bigint;
--   user_agents, ip_addresses bigint: distinct ones; other_protocols text[]: those by which the user was seen
--   before the last days, null if none
-- Order: first_seen descending, tenant_id, protocol, user_name and the key of the user
-- Blind spots: a user is new if not seen since the start of the lookback; where logs begin later than that,
--   everybody is new at first.
WITH by_protocol AS (
    SELECT
        tenant_id,
        protocol,
        user_key,
        max(lower(user_principal_name)) AS name,
        min(signed_in_at) AS first_seen,
        max(signed_in_at) AS last_seen,
        count(*) AS sign_ins,
        count(DISTINCT user_agent) AS user_agents,
        count(DISTINCT ip_address) AS ip_addresses,
        min(signed_in_at) >= CAST($window_end AS date) - CAST($days AS int) AS is_new
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $lookback_start AND signed_in_at < $window_end
        AND outcome = 'success' AND in_tenant
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND ($tenant = '*' OR tenant_id = $tenant)
    GROUP BY tenant_id, protocol, user_key
),
known AS (
    SELECT
        *,
        max(name) OVER (PARTITION BY tenant_id, user_key) AS user_name,
        array_agg(protocol) FILTER (WHERE NOT is_new AND user_key IS NOT NULL)
            OVER (PARTITION BY tenant_id, user_key) AS other_protocols
    FROM by_protocol
)
SELECT
    tenant_id,
    protocol,
    coalesce(user_name, user_key, 'unknown user') AS user_name,
    first_seen,
    last_seen,
    sign_ins,
    user_agents,
    ip_addresses,
    array_sort(other_protocols) AS other_protocols
FROM known
WHERE is_new
ORDER BY first_seen DESC, tenant_id, protocol, user_name, user_key
