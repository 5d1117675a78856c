-- Password-spray suspects: addresses that failed for many users, and the users for whom they then succeeded.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $min_users bigint default 10 = users that a wrong password was
--   tried for, at least; $auth_methods text = auth methods of the sign-ins that count, joined with commas
-- Grain: one row per address
-- Columns: ip_address text; countries text[]: null if not stated; tenants, users_failed, failures bigint:
--   tried with a wrong password or a wrong name; users_known bigint: that the address was refused or
--   interrupted for after the right password; users_in, successes bigint: that the address signed in as after
--   its first failure; protocols text[]; first_failure_at, last_failure_at timestamp;
--   first_success_at timestamp: after the first failure, null if none
-- Order: users_in descending, users_failed descending, failures descending, ip_address
-- Blind spots: one office behind one address looks alike, with more successes than failures; a spray from many
--   addresses, few users each, is not found; what succeeded by modern authentication is not here.
WITH tried AS (
    SELECT
        ip_address,
        tenant_id,
        coalesce(user_key, 'unknown user') AS user_key,
        country,
        protocol,
        signed_in_at,
        -- Wrong password, locked out, no such user, no password.
        outcome = 'failure' AND error_code IN (50126, 50053, 50034, 50056) AS is_failure,
        -- Refused or interrupted after the right password, and not for the state of a session.
        outcome = 'blocked'
            OR error_code IN (50140, 50074, 50076, 50079, 50072, 50158, 50199) AS is_known,
        outcome = 'success' AS is_success
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $window_start AND signed_in_at < $window_end
        AND ip_address IS NOT NULL
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND ($tenant = '*' OR tenant_id = $tenant)
),
since AS (
    SELECT
        *,
        min(CASE WHEN is_failure THEN signed_in_at END) OVER (PARTITION BY ip_address) AS first_failure_at,
        tenant_id || ' ' || user_key AS user_of_tenant
    FROM tried
)
SELECT
    ip_address,
    array_agg(DISTINCT country ORDER BY country) FILTER (WHERE country IS NOT NULL) AS countries,
    count(DISTINCT tenant_id) FILTER (WHERE is_failure) AS tenants,
    count(DISTINCT user_of_tenant) FILTER (WHERE is_failure) AS users_failed,
    count(*) FILTER (WHERE is_failure) AS failures,
    count(DISTINCT user_of_tenant) FILTER (WHERE is_known) AS users_known,
    count(DISTINCT user_of_tenant) FILTER (WHERE is_success AND signed_in_at > first_failure_at) AS users_in,
    count(*) FILTER (WHERE is_success AND signed_in_at > first_failure_at) AS successes,
    array_agg(DISTINCT protocol ORDER BY protocol) FILTER (WHERE is_failure) AS protocols,
    min(signed_in_at) FILTER (WHERE is_failure) AS first_failure_at,
    max(signed_in_at) FILTER (WHERE is_failure) AS last_failure_at,
    min(signed_in_at) FILTER (WHERE is_success AND signed_in_at > first_failure_at) AS first_success_at
FROM since
WHERE first_failure_at IS NOT NULL
GROUP BY ip_address
HAVING count(DISTINCT user_of_tenant) FILTER (WHERE is_failure) >= $min_users
ORDER BY users_in DESC, users_failed DESC, failures DESC, ip_address
