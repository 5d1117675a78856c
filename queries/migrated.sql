-- Who has migrated: users whose legacy sign-ins have ended and who have used modern authentication since.
-- Reads: legacy_sign_ins; sign_in_records, of its modern rows tenant, id, user, time, outcome and resource, so
--   it takes longer than what reads the legacy ones alone
-- Params: $lookback_start timestamp = start of the lookback days before the window; $window_end timestamp =
--   end of the window, not in it; $tenant text = a tenant id, or * for all; $quiet_days bigint default 14 =
--   days without legacy usage before the end of the window; $auth_methods text = auth methods of the sign-ins
--   that count, joined with commas
-- Grain: one row per tenant and user
-- Columns: tenant_id, user_name text; protocols text[]: that the user used;
--   legacy_sign_ins bigint; last_legacy_at timestamp; first_modern_at, last_modern_at timestamp: after it;
--   modern_sign_ins, modern_exchange_sign_ins bigint: after it, the latter to Exchange Online or to no named
--   resource
-- Order: tenant_id, last_legacy_at descending, user_name and the key of the user
-- Blind spots: a job that runs once a month looks migrated for weeks; a user who is known by id in one log and
--   by name in the other is not found.
WITH past AS (
    SELECT
        tenant_id,
        user_key,
        max(lower(user_principal_name)) AS name,
        array_agg(DISTINCT protocol ORDER BY protocol) AS protocols,
        count(*) AS legacy_sign_ins,
        max(signed_in_at) AS last_legacy_at
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $lookback_start AND signed_in_at < $window_end
        AND outcome = 'success' AND in_tenant
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND user_key IS NOT NULL
        AND ($tenant = '*' OR tenant_id = $tenant)
    GROUP BY tenant_id, user_key
    HAVING max(signed_in_at) < CAST($window_end AS date) - CAST($quiet_days AS int)
),
modern AS (
    SELECT
        tenant_id,
        coalesce(user_id, lower(user_principal_name)) AS user_key,
        sign_in_id,
        signed_in_at,
        -- The id is Exchange Online's in every tenant.
        coalesce(resource_id = '00000002-0000-0ff1-ce00-000000000000', false)
            OR coalesce(lower(trim(resource_name)) IN ('office 365 exchange online', 'exchange online'), false)
            OR (resource_id IS NULL AND resource_name IS NULL) AS exchange_or_unnamed
    FROM sign_in_records
    WHERE
        provably_modern = true
        AND signed_in_at >= $lookback_start AND signed_in_at < $window_end
        AND outcome = 'success'
        AND (category IS NULL OR category IN ('interactive', 'non_interactive'))
        AND ($tenant = '*' OR tenant_id = $tenant)
)
SELECT
    past.tenant_id,
    coalesce(max(past.name), past.user_key) AS user_name,
    max(past.protocols) AS protocols,
    max(past.legacy_sign_ins) AS legacy_sign_ins,
    max(past.last_legacy_at) AS last_legacy_at,
    min(modern.signed_in_at) AS first_modern_at,
    max(modern.signed_in_at) AS last_modern_at,
    -- The log repeats records.
    count(DISTINCT modern.sign_in_id) AS modern_sign_ins,
    count(DISTINCT modern.sign_in_id) FILTER (WHERE modern.exchange_or_unnamed) AS modern_exchange_sign_ins
-- The few users are to the left, where a join holds its rows.
FROM past
INNER JOIN modern
    ON modern.tenant_id = past.tenant_id AND modern.user_key = past.user_key
    AND modern.signed_in_at > past.last_legacy_at
GROUP BY past.tenant_id, past.user_key
ORDER BY past.tenant_id, last_legacy_at DESC, user_name, past.user_key
