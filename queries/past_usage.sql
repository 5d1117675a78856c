-- Past usage: usage before the window by each user's last day of it, and the silence after which it has ended.
-- Reads: legacy_sign_ins
-- Params: $lookback_start timestamp = start of the lookback days before the window; $window_start timestamp =
--   start of the window; $auth_methods text = auth methods of the sign-ins that count, joined with commas;
--   $app_ids text = applications whose password grants count, joined with commas, empty for all;
--   $tenants text default '*' = tenant ids joined with commas, or * for all
-- Grain: one row per tenant, protocol, last day and silence
-- Columns: tenant_id, protocol text; last_day date: the last with usage before the window;
--   silence_needed_days bigint: twice the longest time between two of the user's days, 14 at least; null for who
--   was seen on fewer than five days, in fewer than three weeks, or is not known: then no silence is enough;
--   users, sign_ins bigint; exchange_users, exchange_sign_ins bigint: the part of them to Exchange Online or to
--   no named resource, which of other_legacy is judged apart from the rest
-- Order: tenant_id, protocol, last_day, silence_needed_days
-- Blind spots: what ran less often than the lookback is long has no pause to tell it by.
WITH by_day AS (
    SELECT
        tenant_id,
        protocol,
        coalesce(user_key, 'unknown user') AS user_key,
        user_key IS NOT NULL AS is_known,
        protocol = 'other_legacy' AND exchange_or_unnamed AS is_apart,
        CAST(signed_in_at AS date) AS day,
        count(*) AS sign_ins,
        count(*) FILTER (WHERE exchange_or_unnamed) AS exchange_sign_ins
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $lookback_start AND signed_in_at < $window_start
        AND outcome = 'success' AND in_tenant
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND (
            auth_method <> 'password_grant' OR $app_ids = '' OR app_id IS NULL
            OR array_has(string_to_array($app_ids, ','), app_id)
        )
        AND ($tenants = '*' OR array_has(string_to_array($tenants, ','), tenant_id))
    GROUP BY 1, 2, 3, 4, 5, 6
),
with_pauses AS (
    SELECT
        *,
        CAST(date_part('epoch', day) / 86400 AS bigint)
            - CAST(date_part('epoch', lag(day) OVER of_user) / 86400 AS bigint) AS pause_days
    FROM by_day
    WINDOW of_user AS (PARTITION BY tenant_id, protocol, user_key, is_known, is_apart ORDER BY day)
),
by_user AS (
    SELECT
        tenant_id,
        protocol,
        max(day) AS last_day,
        CASE
            WHEN is_known AND count(*) >= 5 AND count(DISTINCT date_trunc('week', day)) >= 3
                THEN greatest(14, 2 * max(pause_days))
        END AS silence_needed_days,
        sum(sign_ins) AS sign_ins,
        sum(exchange_sign_ins) AS exchange_sign_ins
    FROM with_pauses
    GROUP BY tenant_id, protocol, user_key, is_known, is_apart
)
SELECT
    tenant_id,
    protocol,
    last_day,
    silence_needed_days,
    count(*) AS users,
    sum(sign_ins) AS sign_ins,
    count(*) FILTER (WHERE exchange_sign_ins > 0) AS exchange_users,
    sum(exchange_sign_ins) AS exchange_sign_ins
FROM by_user
GROUP BY tenant_id, protocol, last_day, silence_needed_days
ORDER BY tenant_id, protocol, last_day, silence_needed_days
