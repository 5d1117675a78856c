-- Blocked by policy: what Conditional Access or security defaults refuse, and who still gets through.
-- Reads: legacy_sign_ins
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all; $auth_methods text = auth methods of the sign-ins that count,
--   joined with commas
-- Grain: one row per tenant, protocol and policy that has refused a sign-in
-- Columns: tenant_id, protocol text; policy text: conditional_access, security_defaults, device_or_app (what
--   Conditional Access asks of device or app), risk, other; users, sign_ins bigint: that were refused;
--   users_still_in bigint: those of them with usage of the same protocol in the window; ip_addresses bigint;
--   first_seen, last_seen timestamp: of what was refused
-- Order: tenant_id, protocol, policy
-- Blind spots: a refusal comes after the right password: it shows a client that still tries. Authentication
--   policies of Exchange refuse before Entra and leave no record here.
WITH refused AS (
    SELECT
        tenant_id,
        protocol,
        coalesce(user_key, 'unknown user') AS user_key,
        ip_address,
        signed_in_at,
        outcome = 'success' AND in_tenant AS is_usage,
        CASE
            WHEN outcome <> 'blocked' THEN NULL
            WHEN error_code IN (53003, 50131, 530031, 530032, 530084) THEN 'conditional_access'
            WHEN error_code = 530035 THEN 'security_defaults'
            -- Device not compliant, not joined; app not approved, without protection.
            WHEN error_code IN (
                50005, 53000, 53001, 53002, 53008, 53009, 530001, 530002, 530003, 530004, 530021
            ) THEN 'device_or_app'
            -- Enrolment blocked for risk, user blocked for risk.
            WHEN error_code IN (53004, 53010, 53011) THEN 'risk'
            WHEN error_code = 530034 THEN 'other'
        END AS policy
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $window_start AND signed_in_at < $window_end
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND ($tenant = '*' OR tenant_id = $tenant)
),
told AS (
    SELECT
        *,
        bool_or(is_usage) OVER (PARTITION BY tenant_id, protocol, user_key) AS is_still_in
    FROM refused
    WHERE is_usage OR policy IS NOT NULL
)
SELECT
    tenant_id,
    protocol,
    policy,
    count(DISTINCT user_key) AS users,
    count(*) AS sign_ins,
    count(DISTINCT user_key) FILTER (WHERE is_still_in) AS users_still_in,
    count(DISTINCT ip_address) AS ip_addresses,
    min(signed_in_at) AS first_seen,
    max(signed_in_at) AS last_seen
FROM told
WHERE policy IS NOT NULL
GROUP BY tenant_id, protocol, policy
ORDER BY tenant_id, protocol, policy
