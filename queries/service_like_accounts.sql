-- Accounts that sign in like a service: often, with few programs, around the clock and at weekends.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $min_sign_ins bigint default 100 = sign-ins in the window, at
--   least; $max_user_agents bigint default 2 = distinct user agents, at most; $min_hours bigint default 12 =
--   hours of the day (UTC) with a sign-in, at least; $min_weekend_share double default 0.1 = share of
--   sign-ins on Saturdays and Sundays (UTC), at least; $auth_methods text = auth methods of the sign-ins that
--   count, joined with commas
-- Grain: one row per tenant and user with usage
-- Columns: tenant_id, user_name text; protocols text[];
--   sign_ins, days, hours_of_day, user_agents, apps, ip_addresses bigint: distinct ones but for sign_ins, a
--   user agent that is not stated being one; weekend_share double: 0 to 1, in a steady job about 0.29;
--   first_seen, last_seen timestamp
-- Order: sign_ins descending, tenant_id, user_name and the key of the user
-- Blind spots: a phone that fetches mail by itself looks like a service; a job that runs once a day does not.
WITH used AS (
    SELECT
        *,
        date_part('hour', signed_in_at) AS hour_of_day,
        -- Sunday is 0, Saturday 6.
        CASE WHEN date_part('dow', signed_in_at) IN (0, 6) THEN 1 ELSE 0 END AS at_weekend
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $window_start AND signed_in_at < $window_end
        AND outcome = 'success' AND in_tenant
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND ($tenant = '*' OR tenant_id = $tenant)
)
SELECT
    tenant_id,
    coalesce(max(lower(user_principal_name)), max(user_key), 'unknown user') AS user_name,
    array_agg(DISTINCT protocol ORDER BY protocol) AS protocols,
    count(*) AS sign_ins,
    count(DISTINCT CAST(signed_in_at AS date)) AS days,
    count(DISTINCT hour_of_day) AS hours_of_day,
    count(DISTINCT coalesce(user_agent, '')) AS user_agents,
    count(DISTINCT coalesce(app_id, app_name)) AS apps,
    count(DISTINCT ip_address) AS ip_addresses,
    CAST(sum(at_weekend) AS double) / count(*) AS weekend_share,
    min(signed_in_at) AS first_seen,
    max(signed_in_at) AS last_seen
FROM used
GROUP BY tenant_id, user_key
HAVING
    count(*) >= $min_sign_ins
    AND count(DISTINCT coalesce(user_agent, '')) <= $max_user_agents
    AND count(DISTINCT hour_of_day) >= $min_hours
    AND CAST(sum(at_weekend) AS double) / count(*) >= $min_weekend_share
ORDER BY sign_ins DESC, tenant_id, user_name, user_key
