-- Who sends by SMTP AUTH: users with their apps, addresses, user agents and sign-ins per day.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $auth_methods text = auth methods of the sign-ins that count,
--   joined with commas
-- Grain: one row per tenant and user with usage of SMTP AUTH
-- Columns: tenant_id, user_name text; sign_ins, days bigint: days with a sign-in;
--   sign_ins_per_day double: on such days; sign_ins_per_day_max bigint; basic_sign_ins bigint: those that
--   provably used Basic Authentication; user_agents, ip_addresses, apps bigint: distinct ones;
--   app_list, user_agent_list, ip_address_list, country_list text[]: the first ten of them, null if none is
--   stated; first_seen, last_seen timestamp
-- Order: tenant_id, sign_ins descending, user_name and the key of the user
-- Blind spots: a sign-in is not a message, one may send many; the name of the sender's program is often
--   all that tells a scanner from a person; attempts without success are in attempts.
WITH used AS (
    SELECT
        *,
        count(*) OVER (PARTITION BY tenant_id, user_key, CAST(signed_in_at AS date)) AS sign_ins_of_day
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $window_start AND signed_in_at < $window_end
        AND protocol = 'smtp_auth'
        AND outcome = 'success' AND in_tenant
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND ($tenant = '*' OR tenant_id = $tenant)
)
SELECT
    tenant_id,
    coalesce(max(lower(user_principal_name)), max(user_key), 'unknown user') AS user_name,
    count(*) AS sign_ins,
    count(DISTINCT CAST(signed_in_at AS date)) AS days,
    CAST(count(*) AS double) / count(DISTINCT CAST(signed_in_at AS date)) AS sign_ins_per_day,
    max(sign_ins_of_day) AS sign_ins_per_day_max,
    count(*) FILTER (WHERE auth_method = 'basic') AS basic_sign_ins,
    count(DISTINCT user_agent) AS user_agents,
    count(DISTINCT ip_address) AS ip_addresses,
    count(DISTINCT coalesce(app_name, app_id)) AS apps,
    array_slice(
        array_agg(DISTINCT coalesce(app_name, app_id) ORDER BY coalesce(app_name, app_id))
            FILTER (WHERE coalesce(app_name, app_id) IS NOT NULL), 1, 10
    ) AS app_list,
    array_slice(
        array_agg(DISTINCT user_agent ORDER BY user_agent)
            FILTER (WHERE user_agent IS NOT NULL), 1, 10
    ) AS user_agent_list,
    array_slice(
        array_agg(DISTINCT ip_address ORDER BY ip_address)
            FILTER (WHERE ip_address IS NOT NULL), 1, 10
    ) AS ip_address_list,
    array_slice(
        array_agg(DISTINCT country ORDER BY country)
            FILTER (WHERE country IS NOT NULL), 1, 10
    ) AS country_list,
    min(signed_in_at) AS first_seen,
    max(signed_in_at) AS last_seen
FROM used
GROUP BY tenant_id, user_key
ORDER BY tenant_id, sign_ins DESC, user_name, user_key
