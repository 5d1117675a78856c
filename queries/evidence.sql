-- Everything that verdicts rest on, in one reading: protocol_usage, users_in_scope and unclear_clients at once.
-- Reads: legacy_sign_ins, stated_elsewhere
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $lookback_start timestamp = start of the lookback days before it; $later_end timestamp = until when usage after
--   the window is looked for, not in it; $protocols text = protocols in scope, joined with commas;
--   $auth_methods text = auth methods of the sign-ins that count, joined with commas; $app_ids text = applications
--   whose password grants count, joined with commas, empty for all
-- Grain: one row per tenant and protocol; and one per tenant, its protocol null, for users_in_scope
-- Columns:
--   tenant_id text; protocol text, null in a tenant's row, legacy_agent_elsewhere in that of sign-ins which
--   only a user agent at another resource calls legacy: its doubts count, its usage does not
--   users, sign_ins, interrupted, blocked, failures, unknown bigint; last_seen timestamp;
--   users_before_window, sign_ins_before_window, exchange_users, exchange_sign_ins, exchange_unknown,
--   exchange_users_before_window, exchange_sign_ins_before_window bigint: as in protocol_usage; of no
--   meaning in a tenant's row
--   doubts bigint: as in unclear_clients, over all client apps
--   legacy_agent_doubts bigint: sign-ins in the window of outcome success or unknown, in the tenant itself, by
--   an agent that Exchange puts in for Basic Authentication, at another resource
--   mismatches bigint: sign-ins in the window of outcome success or unknown whose home and resource tenant are
--   both others
--   users_after_window, sign_ins_after_window bigint: usage from the end of the window on; last_after_window
--   timestamp: the newest of it; exchange_users_after_window, exchange_sign_ins_after_window bigint: the part of it to
--   Exchange Online or to no named resource
--   users_in_scope bigint: as in users_in_scope, in a tenant's row
-- Order: tenant_id, protocol
-- Blind spots: those of the three.
WITH counted AS (
    SELECT
        s.tenant_id,
        CASE WHEN s.is_agent_elsewhere THEN 'legacy_agent_elsewhere' ELSE s.protocol END AS protocol,
        s.outcome,
        s.signed_in_at,
        s.exchange_or_unnamed,
        -- Users are told apart in usage alone: those that are only tried, thousands in a spray, are one group.
        CASE
            WHEN s.outcome = 'success' AND s.in_tenant THEN coalesce(s.user_key, 'unknown user')
        END AS user_key,
        s.signed_in_at >= $window_start AND s.signed_in_at < $window_end AS in_window,
        s.signed_in_at >= $window_end AS after_window,
        s.outcome = 'success' AND s.in_tenant AS is_usage,
        s.outcome IN ('success', 'unknown') AND s.exchange_or_unnamed AND s.in_tenant
            AND s.protocol IN ('unrecognised', 'not_stated') AND e.source_id IS NULL AS is_doubt,
        s.outcome IN ('success', 'unknown') AND s.auth_evidence = 'user_agent' AND s.in_tenant
            AND NOT s.exchange_or_unnamed AS is_legacy_agent,
        s.outcome IN ('success', 'unknown') AND s.is_mismatch AS is_mismatch
    -- The few records are to the left, where a join holds its rows.
    FROM stated_elsewhere AS e
    RIGHT JOIN legacy_sign_ins AS s ON s.source_id = e.source_id AND s.source_offset = e.source_offset
    WHERE
        s.signed_in_at >= $lookback_start AND s.signed_in_at < $later_end
        AND array_has(string_to_array($auth_methods, ','), s.auth_method)
        AND (
            s.auth_method <> 'password_grant' OR $app_ids = '' OR s.app_id IS NULL
            OR array_has(string_to_array($app_ids, ','), s.app_id)
        )
),
-- Users sign in again and again, so from here on there is little left to count.
by_user AS (
    SELECT
        tenant_id,
        protocol,
        user_key,
        count(*) FILTER (WHERE in_window AND is_usage) AS sign_ins,
        count(*) FILTER (WHERE in_window AND outcome = 'interrupted') AS interrupted,
        count(*) FILTER (WHERE in_window AND outcome = 'blocked') AS blocked,
        count(*) FILTER (WHERE in_window AND outcome = 'failure') AS failures,
        count(*) FILTER (WHERE in_window AND outcome = 'unknown') AS unknown,
        max(signed_in_at) FILTER (WHERE in_window AND (is_usage OR outcome <> 'success')) AS last_seen,
        count(*) FILTER (WHERE NOT in_window AND NOT after_window AND is_usage) AS sign_ins_before_window,
        count(*) FILTER (WHERE after_window AND is_usage) AS sign_ins_after_window,
        max(signed_in_at) FILTER (WHERE after_window AND is_usage) AS last_after_window,
        count(*) FILTER (WHERE in_window AND is_usage AND exchange_or_unnamed) AS exchange_sign_ins,
        count(*) FILTER (WHERE in_window AND outcome = 'unknown' AND exchange_or_unnamed) AS exchange_unknown,
        count(*) FILTER (WHERE NOT in_window AND NOT after_window AND is_usage AND exchange_or_unnamed)
            AS exchange_sign_ins_before_window,
        count(*) FILTER (WHERE after_window AND is_usage AND exchange_or_unnamed)
            AS exchange_sign_ins_after_window,
        count(*) FILTER (WHERE in_window AND is_doubt) AS doubts,
        count(*) FILTER (WHERE in_window AND is_legacy_agent) AS legacy_agent_doubts,
        count(*) FILTER (WHERE in_window AND is_mismatch) AS mismatches
    FROM counted
    GROUP BY tenant_id, protocol, user_key
),
scoped AS (
    SELECT
        *,
        CASE user_key WHEN 'unknown user' THEN 'unknown user of ' || protocol ELSE user_key END AS user_of_tenant,
        CASE
            WHEN array_has(string_to_array($protocols, ','), protocol) THEN sign_ins
            WHEN protocol = 'other_legacy' THEN exchange_sign_ins
            ELSE 0
        END AS scope_sign_ins
    FROM by_user
),
-- By protocol; and by user, so that one of several protocols is one user of the tenant.
by_protocol_or_user AS (
    SELECT
        tenant_id,
        protocol,
        user_of_tenant,
        count(*) FILTER (WHERE sign_ins > 0) AS users,
        sum(sign_ins) AS sign_ins,
        sum(interrupted) AS interrupted,
        sum(blocked) AS blocked,
        sum(failures) AS failures,
        sum(unknown) AS unknown,
        max(last_seen) AS last_seen,
        count(*) FILTER (WHERE sign_ins_before_window > 0) AS users_before_window,
        sum(sign_ins_before_window) AS sign_ins_before_window,
        count(*) FILTER (WHERE sign_ins_after_window > 0) AS users_after_window,
        sum(sign_ins_after_window) AS sign_ins_after_window,
        max(last_after_window) AS last_after_window,
        count(*) FILTER (WHERE exchange_sign_ins > 0) AS exchange_users,
        sum(exchange_sign_ins) AS exchange_sign_ins,
        sum(exchange_unknown) AS exchange_unknown,
        count(*) FILTER (WHERE exchange_sign_ins_before_window > 0) AS exchange_users_before_window,
        sum(exchange_sign_ins_before_window) AS exchange_sign_ins_before_window,
        count(*) FILTER (WHERE exchange_sign_ins_after_window > 0) AS exchange_users_after_window,
        sum(exchange_sign_ins_after_window) AS exchange_sign_ins_after_window,
        sum(scope_sign_ins) AS scope_sign_ins,
        sum(doubts) AS doubts,
        sum(legacy_agent_doubts) AS legacy_agent_doubts,
        sum(mismatches) AS mismatches
    FROM scoped
    GROUP BY GROUPING SETS ((tenant_id, protocol), (tenant_id, user_of_tenant))
)
SELECT
    tenant_id,
    protocol,
    sum(users) AS users,
    sum(sign_ins) AS sign_ins,
    sum(interrupted) AS interrupted,
    sum(blocked) AS blocked,
    sum(failures) AS failures,
    sum(unknown) AS unknown,
    max(last_seen) AS last_seen,
    sum(users_before_window) AS users_before_window,
    sum(sign_ins_before_window) AS sign_ins_before_window,
    sum(exchange_users) AS exchange_users,
    sum(exchange_sign_ins) AS exchange_sign_ins,
    sum(exchange_unknown) AS exchange_unknown,
    sum(exchange_users_before_window) AS exchange_users_before_window,
    sum(exchange_sign_ins_before_window) AS exchange_sign_ins_before_window,
    sum(doubts) AS doubts,
    sum(legacy_agent_doubts) AS legacy_agent_doubts,
    sum(mismatches) AS mismatches,
    sum(users_after_window) AS users_after_window,
    sum(sign_ins_after_window) AS sign_ins_after_window,
    max(last_after_window) AS last_after_window,
    sum(exchange_users_after_window) AS exchange_users_after_window,
    sum(exchange_sign_ins_after_window) AS exchange_sign_ins_after_window,
    count(*) FILTER (WHERE protocol IS NULL AND scope_sign_ins > 0) AS users_in_scope
FROM by_protocol_or_user
GROUP BY tenant_id, protocol
ORDER BY tenant_id, protocol
