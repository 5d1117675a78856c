-- Trend by day: tenants, users and sign-ins of each protocol, with zeros for days without any.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $auth_methods text = auth methods of the sign-ins that count,
--   joined with commas
-- Grain: one row per protocol with usage in the window and day (UTC) of the window
-- Columns: protocol text; day date; tenants, users, sign_ins bigint
-- Order: protocol, day
-- Blind spots: a zero may be a day whose logs are missing (see coverage_calendar).
WITH by_user AS (
    SELECT protocol, CAST(signed_in_at AS date) AS seen_on, tenant_id, user_key, count(*) AS sign_ins
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $window_start AND signed_in_at < $window_end
        AND outcome = 'success' AND in_tenant
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND ($tenant = '*' OR tenant_id = $tenant)
    GROUP BY protocol, seen_on, tenant_id, user_key
),
by_day AS (
    SELECT
        protocol,
        seen_on,
        count(DISTINCT tenant_id) AS tenants,
        count(*) AS users,
        sum(sign_ins) AS sign_ins
    FROM by_user
    GROUP BY protocol, seen_on
),
-- Each day that was seen also stands for those after it, and the first for those before it.
spans AS (
    SELECT
        *,
        CASE
            WHEN lag(seen_on) OVER (PARTITION BY protocol ORDER BY seen_on) IS NULL
                THEN CAST($window_start AS date)
            ELSE seen_on
        END AS first_day,
        coalesce(lead(seen_on) OVER (PARTITION BY protocol ORDER BY seen_on), CAST($window_end AS date))
            AS next_day
    FROM by_day
),
days AS (
    SELECT
        protocol, seen_on, tenants, users, sign_ins,
        unnest(range(first_day, next_day, INTERVAL '1 day')) AS day
    FROM spans
)
SELECT
    protocol,
    day,
    CASE WHEN day = seen_on THEN tenants ELSE 0 END AS tenants,
    CASE WHEN day = seen_on THEN users ELSE 0 END AS users,
    CASE WHEN day = seen_on THEN sign_ins ELSE 0 END AS sign_ins
FROM days
ORDER BY protocol, day
