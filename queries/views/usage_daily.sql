-- Usage of each protocol per tenant and UTC day, and the sign-ins of the other outcomes.
-- Reads: legacy_sign_ins
-- Params: none
-- Grain: one row per tenant, protocol and day with a sign-in that is not provably modern
-- Columns: tenant_id, protocol text; day date: in UTC;
--   users, sign_ins bigint: usage (success, in the tenant itself, by Basic Authentication or by nobody knows);
--   interrupted, blocked, failures, unknown bigint: sign-ins of the other outcomes
-- Order: none
-- Blind spots: what only some campaigns count, as SMTP AUTH with OAuth, is not here; users of several days are not to be added up, they may be the same; a day without a row may be
--   a day without logs.
SELECT
    tenant_id,
    protocol,
    event_date AS day,
    count(DISTINCT coalesce(user_key, 'unknown user')) FILTER (WHERE outcome = 'success' AND in_tenant) AS users,
    count(*) FILTER (WHERE outcome = 'success' AND in_tenant) AS sign_ins,
    count(*) FILTER (WHERE outcome = 'interrupted') AS interrupted,
    count(*) FILTER (WHERE outcome = 'blocked') AS blocked,
    count(*) FILTER (WHERE outcome = 'failure') AS failures,
    count(*) FILTER (WHERE outcome = 'unknown') AS unknown
FROM legacy_sign_ins
WHERE auth_method IN ('basic', 'unknown')
GROUP BY tenant_id, protocol, event_date
