-- The apps that sign in most with legacy protocols, over all tenants.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $top bigint default 20 = rows, at most; $auth_methods text =
--   auth methods of the sign-ins that count, joined with commas
-- Grain: one row per app: its id, or its name where it has none
-- Columns: app_id text: null if not stated; app_name text: one of those logged with the id, null if none;
--   tenants, users, sign_ins bigint: with usage; protocols text[];
--   first_seen, last_seen timestamp
-- Order: sign_ins descending, app_id, app_name
-- Blind spots: mail protocols mostly stand there as Exchange Online itself; the user agent may tell more.
SELECT
    app_id,
    max(app_name) AS app_name,
    count(DISTINCT tenant_id) AS tenants,
    count(DISTINCT tenant_id || ' ' || coalesce(user_key, 'unknown user')) AS users,
    count(*) AS sign_ins,
    array_agg(DISTINCT protocol ORDER BY protocol) AS protocols,
    min(signed_in_at) AS first_seen,
    max(signed_in_at) AS last_seen
FROM legacy_sign_ins
WHERE
    signed_in_at >= $window_start AND signed_in_at < $window_end
    AND outcome = 'success' AND in_tenant
    AND array_has(string_to_array($auth_methods, ','), auth_method)
    AND ($tenant = '*' OR tenant_id = $tenant)
GROUP BY app_id, CASE WHEN app_id IS NULL THEN app_name END
ORDER BY sign_ins DESC, app_id, CASE WHEN app_id IS NULL THEN app_name END
LIMIT $top
