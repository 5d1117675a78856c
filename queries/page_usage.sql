-- Usage of each protocol on each day, and who still uses one in scope: everything that the report page needs.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $protocols text = protocols in scope, joined with commas; $tenant text = a tenant id, or * for all;
--   $auth_methods text = auth methods of the sign-ins that count, joined with commas; $app_ids text =
--   applications whose password grants count, joined with commas, empty for all
-- Grain: one row per protocol and UTC day with usage, over all tenants, its tenant and user null; and one per
--   tenant, protocol, user and app with usage of a protocol in scope, or of other_legacy to Exchange Online or to
--   no named resource, its day null
-- Columns: tenant_id text; protocol text; day date;
--   user_key, user_name text: one without a name has its key, one without either is "unknown user";
--   app_name text, null if not stated;
--   users bigint: of a day, distinct in each tenant, those of several tenants added; else 1;
--   sign_ins bigint; last_seen timestamp
-- Order: tenant_id, the days last; of a tenant, sign_ins descending; protocol, day, user_name, app_name, user_key
-- Blind spots: a day without usage has no row, and a day that no log covers has none either; records without user
--   id and name are one unknown user.
WITH by_user_and_day AS (
    SELECT
        tenant_id,
        protocol,
        array_has(string_to_array($protocols, ','), protocol)
            OR (protocol = 'other_legacy' AND exchange_or_unnamed) AS in_scope,
        CAST(signed_in_at AS DATE) AS day,
        coalesce(user_key, 'unknown user') AS user_key,
        app_name,
        max(lower(user_principal_name)) AS principal_name,
        count(*) AS sign_ins,
        max(signed_in_at) AS last_seen
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $window_start AND signed_in_at < $window_end
        AND outcome = 'success' AND in_tenant
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND (
            auth_method <> 'password_grant' OR $app_ids = '' OR app_id IS NULL
            OR array_has(string_to_array($app_ids, ','), app_id)
        )
        AND ($tenant = '*' OR tenant_id = $tenant)
    GROUP BY 1, 2, 3, 4, 5, 6
),
-- By day, whatever the app, so that a user of several is one; and by app, whatever the day.
by_day_or_app AS (
    SELECT
        CASE WHEN day IS NULL THEN tenant_id END AS tenant_id,
        protocol,
        day,
        CASE WHEN day IS NULL THEN user_key END AS user_key,
        app_name,
        CASE WHEN day IS NULL THEN max(principal_name) END AS principal_name,
        sum(sign_ins) AS sign_ins,
        max(last_seen) AS last_seen
    FROM by_user_and_day
    GROUP BY GROUPING SETS (
        (tenant_id, protocol, user_key, day),
        (tenant_id, protocol, user_key, in_scope, app_name)
    )
    HAVING day IS NOT NULL OR in_scope
)
SELECT
    tenant_id,
    protocol,
    day,
    user_key,
    coalesce(max(principal_name), user_key) AS user_name,
    app_name,
    count(*) AS users,
    sum(sign_ins) AS sign_ins,
    max(last_seen) AS last_seen
FROM by_day_or_app
GROUP BY tenant_id, protocol, day, user_key, app_name
ORDER BY
    tenant_id,
    CASE WHEN day IS NULL THEN sign_ins END DESC,
    protocol, day, user_name, app_name, user_key
