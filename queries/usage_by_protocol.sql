-- Usage of each protocol over all tenants: how many tenants, users and sign-ins still use it.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $auth_methods text = auth methods of the sign-ins that count,
--   joined with commas
-- Grain: one row per protocol with usage
-- Columns: protocol text; tenants, users, sign_ins bigint; basic_sign_ins bigint: those of them that
--   provably used Basic Authentication; first_seen, last_seen timestamp
-- Order: users descending, sign_ins descending, protocol
-- Blind spots: records without user id and name are one unknown user per tenant; a legacy protocol that
--   nothing proves to be Basic is usage too.
WITH by_user AS (
    SELECT
        protocol,
        tenant_id,
        user_key,
        count(*) AS sign_ins,
        count(*) FILTER (WHERE auth_method = 'basic') AS basic_sign_ins,
        min(signed_in_at) AS first_seen,
        max(signed_in_at) AS last_seen
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $window_start AND signed_in_at < $window_end
        AND outcome = 'success' AND in_tenant
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND ($tenant = '*' OR tenant_id = $tenant)
    GROUP BY protocol, tenant_id, user_key
)
SELECT
    protocol,
    count(DISTINCT tenant_id) AS tenants,
    count(*) AS users,
    sum(sign_ins) AS sign_ins,
    sum(basic_sign_ins) AS basic_sign_ins,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM by_user
GROUP BY protocol
ORDER BY users DESC, sign_ins DESC, protocol
