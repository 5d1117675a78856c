-- Guests: legacy sign-ins between tenants, by users of other tenants here and by own users elsewhere.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $auth_methods text = auth methods of the sign-ins that count,
--   joined with commas
-- Grain: one row per tenant, direction, other tenant and protocol
-- Columns: tenant_id text; direction text: inbound (another tenant's user, or a guest, to this tenant's
--   resources), outbound (to another tenant's resources); other_tenant_id text: null if not stated;
--   protocol text; users, sign_ins, successes, usage bigint: usage being the successes that count for this
--   tenant's verdict, which are the inbound ones; first_seen, last_seen timestamp
-- Order: tenant_id, direction, other_tenant_id, protocol
-- Blind spots: a guest's sign-in may be in both tenants' logs, and is then a row of both; records that name
--   neither home nor resource tenant nor user type are not found; nor are those of which both are others'.
WITH crossing AS (
    SELECT
        *,
        CASE WHEN is_outbound THEN 'outbound' ELSE 'inbound' END AS direction,
        CASE WHEN is_outbound THEN resource_tenant_id ELSE nullif(home_tenant_id, tenant_id) END AS other_tenant_id
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $window_start AND signed_in_at < $window_end
        AND NOT is_mismatch
        AND (is_outbound OR home_tenant_id <> tenant_id OR lower(user_type) = 'guest')
        AND ($tenant = '*' OR tenant_id = $tenant)
)
SELECT
    tenant_id,
    direction,
    other_tenant_id,
    protocol,
    count(DISTINCT coalesce(user_key, 'unknown user')) AS users,
    count(*) AS sign_ins,
    count(*) FILTER (WHERE outcome = 'success') AS successes,
    count(*) FILTER (
        WHERE outcome = 'success' AND in_tenant AND array_has(string_to_array($auth_methods, ','), auth_method)
    ) AS usage,
    min(signed_in_at) AS first_seen,
    max(signed_in_at) AS last_seen
FROM crossing
GROUP BY tenant_id, direction, other_tenant_id, protocol
ORDER BY tenant_id, direction, other_tenant_id, protocol
