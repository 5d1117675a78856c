-- Usage of each protocol per tenant: the counts that verdicts and notices state.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $lookback_start timestamp = start of the lookback days before it; $auth_methods text = auth methods of
--   the sign-ins that count, joined with commas; $app_ids text = applications whose password grants count,
--   joined with commas, empty for all
-- Grain: one row per tenant and protocol
-- Columns:
--   tenant_id text; protocol text
--   users, sign_ins bigint: usage in the window (success, in the tenant itself)
--   interrupted, blocked, failures, unknown bigint: sign-ins of the other outcomes in the window
--   last_seen timestamp: latest sign-in that one of these counts holds; null if none
--   users_before_window, sign_ins_before_window bigint: usage in the lookback days
--   exchange_users, exchange_sign_ins, exchange_unknown, exchange_users_before_window,
--   exchange_sign_ins_before_window bigint: the part of them to Exchange Online or to no named resource
-- Order: tenant_id, protocol
-- Blind spots: a legacy protocol is not proof of Basic Authentication; see auth_method. Sign-ins that only a user
--   agent at another resource calls legacy are left out; unclear_clients and legacy_sign_ins have them.
WITH counted AS (
    SELECT
        tenant_id,
        protocol,
        outcome,
        signed_in_at,
        exchange_or_unnamed,
        coalesce(user_key, 'unknown user') AS user_key,
        signed_in_at >= $window_start AS in_window,
        outcome = 'success' AND in_tenant AS is_usage
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $lookback_start AND signed_in_at < $window_end AND NOT is_agent_elsewhere
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND (
            auth_method <> 'password_grant' OR $app_ids = '' OR app_id IS NULL
            OR array_has(string_to_array($app_ids, ','), app_id)
        )
)
SELECT
    tenant_id,
    protocol,
    count(DISTINCT user_key) FILTER (WHERE in_window AND is_usage) AS users,
    count(*) FILTER (WHERE in_window AND is_usage) AS sign_ins,
    count(*) FILTER (WHERE in_window AND outcome = 'interrupted') AS interrupted,
    count(*) FILTER (WHERE in_window AND outcome = 'blocked') AS blocked,
    count(*) FILTER (WHERE in_window AND outcome = 'failure') AS failures,
    count(*) FILTER (WHERE in_window AND outcome = 'unknown') AS unknown,
    max(signed_in_at) FILTER (WHERE in_window AND (is_usage OR outcome <> 'success')) AS last_seen,
    count(DISTINCT user_key) FILTER (WHERE NOT in_window AND is_usage) AS users_before_window,
    count(*) FILTER (WHERE NOT in_window AND is_usage) AS sign_ins_before_window,
    count(DISTINCT user_key) FILTER (WHERE in_window AND is_usage AND exchange_or_unnamed) AS exchange_users,
    count(*) FILTER (WHERE in_window AND is_usage AND exchange_or_unnamed) AS exchange_sign_ins,
    count(*) FILTER (WHERE in_window AND outcome = 'unknown' AND exchange_or_unnamed) AS exchange_unknown,
    count(DISTINCT user_key) FILTER (WHERE NOT in_window AND is_usage AND exchange_or_unnamed)
        AS exchange_users_before_window,
    count(*) FILTER (WHERE NOT in_window AND is_usage AND exchange_or_unnamed)
        AS exchange_sign_ins_before_window
FROM counted
GROUP BY tenant_id, protocol
ORDER BY tenant_id, protocol
