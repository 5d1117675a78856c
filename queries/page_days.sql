-- Usage of each protocol on each day, over all tenants or in one: what the report page draws.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all
-- Grain: one row per protocol and UTC day with usage
-- Columns: protocol text; day date; users bigint: distinct in each tenant, those of several tenants added;
--   sign_ins bigint
-- Order: protocol, day
-- Blind spots: a day without usage has no row, and a day that no log covers has none either.
WITH by_user AS (
    SELECT
        tenant_id,
        protocol,
        CAST(signed_in_at AS DATE) AS day,
        coalesce(user_key, 'unknown user') AS user_key,
        count(*) AS sign_ins
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $window_start AND signed_in_at < $window_end
        AND outcome = 'success' AND in_tenant
        AND ($tenant = '*' OR tenant_id = $tenant)
    GROUP BY tenant_id, protocol, CAST(signed_in_at AS DATE), coalesce(user_key, 'unknown user')
)
SELECT protocol, day, count(*) AS users, sum(sign_ins) AS sign_ins
FROM by_user
GROUP BY protocol, day
ORDER BY protocol, day
