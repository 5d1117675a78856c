-- Trend by week, including the lookback: tenants, users and sign-ins of each protocol, with zeros for empty weeks.
-- Reads: legacy_sign_ins
-- Params: $lookback_start timestamp = start of the lookback days before the window; $window_end timestamp =
--   end of the window, not in it; $tenant text = a tenant id, or * for all; $auth_methods text = auth methods
--   of the sign-ins that count, joined with commas
-- Grain: one row per protocol with usage and week (Monday to Sunday, UTC)
-- Columns: protocol text; week date: its Monday; tenants, users, sign_ins bigint;
--   is_whole_week boolean: all of its days are counted
-- Order: protocol, week
-- Blind spots: a low number may be a week whose logs have gaps (see coverage_calendar).
WITH by_user AS (
    SELECT
        protocol,
        CAST(date_trunc('week', signed_in_at) AS date) AS seen_in,
        tenant_id,
        user_key,
        count(*) AS sign_ins
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $lookback_start AND signed_in_at < $window_end
        AND outcome = 'success' AND in_tenant
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND ($tenant = '*' OR tenant_id = $tenant)
    GROUP BY protocol, seen_in, tenant_id, user_key
),
by_week AS (
    SELECT
        protocol,
        seen_in,
        count(DISTINCT tenant_id) AS tenants,
        count(*) AS users,
        sum(sign_ins) AS sign_ins
    FROM by_user
    GROUP BY protocol, seen_in
),
-- Each week that was seen also stands for those after it, and the first for those before it.
spans AS (
    SELECT
        *,
        CASE
            WHEN lag(seen_in) OVER (PARTITION BY protocol ORDER BY seen_in) IS NULL
                THEN CAST(date_trunc('week', $lookback_start) AS date)
            ELSE seen_in
        END AS first_week,
        coalesce(
            lead(seen_in) OVER (PARTITION BY protocol ORDER BY seen_in),
            -- A Monday too: a range that ends inside of a week leaves it out in some engines.
            CAST(date_trunc('week', CAST($window_end AS date) - 1) AS date) + 7
        ) AS next_week
    FROM by_week
),
weeks AS (
    SELECT
        protocol, seen_in, tenants, users, sign_ins,
        unnest(range(first_week, next_week, INTERVAL '7 days')) AS week
    FROM spans
)
SELECT
    protocol,
    week,
    CASE WHEN week = seen_in THEN tenants ELSE 0 END AS tenants,
    CASE WHEN week = seen_in THEN users ELSE 0 END AS users,
    CASE WHEN week = seen_in THEN sign_ins ELSE 0 END AS sign_ins,
    week >= CAST($lookback_start AS date)
        AND week + INTERVAL '7 days' <= CAST($window_end AS date) AS is_whole_week
FROM weeks
ORDER BY protocol, week
