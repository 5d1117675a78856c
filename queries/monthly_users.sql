-- Unique users per calendar month and tenant, in the groups of Microsoft's monthly usage reports.
-- Reads: legacy_sign_ins
-- Params: $lookback_start timestamp = start of the lookback days before the window; $window_end timestamp =
--   end of the window, not in it; $tenant text = a tenant id, or * for all; $auth_methods text = auth methods
--   of the sign-ins that count, joined with commas
-- Grain: one row per tenant, calendar month (UTC) and group with usage
-- Columns: tenant_id text; month date: its first day; protocol_group text: Exchange ActiveSync, POP, IMAP,
--   Outlook Windows, Outlook for Mac/EWS, Exchange Remote PowerShell; of what those reports leave out,
--   SMTP AUTH and the names of the other protocols; users, sign_ins bigint;
--   is_whole_month boolean: the month lies between lookback and end of the window as a whole
-- Order: tenant_id, month, users descending, protocol_group
-- Blind spots: a month whose logs have gaps counts too few (see coverage_calendar); --window-days 366 reaches
--   further back than the lookback.
WITH grouped AS (
    SELECT
        tenant_id,
        CAST(date_trunc('month', signed_in_at) AS date) AS month,
        CASE protocol
            WHEN 'exchange_activesync' THEN 'Exchange ActiveSync'
            WHEN 'pop3' THEN 'POP'
            WHEN 'imap4' THEN 'IMAP'
            WHEN 'mapi_over_http' THEN 'Outlook Windows'
            WHEN 'outlook_anywhere_rpc' THEN 'Outlook Windows'
            WHEN 'offline_address_book' THEN 'Outlook Windows'
            WHEN 'exchange_web_services' THEN 'Outlook for Mac/EWS'
            WHEN 'remote_powershell' THEN 'Exchange Remote PowerShell'
            WHEN 'smtp_auth' THEN 'SMTP AUTH'
            ELSE protocol
        END AS protocol_group,
        coalesce(user_key, 'unknown user of ' || protocol) AS user_key
    FROM legacy_sign_ins
    WHERE
        signed_in_at >= $lookback_start AND signed_in_at < $window_end
        AND outcome = 'success' AND in_tenant
        AND array_has(string_to_array($auth_methods, ','), auth_method)
        AND ($tenant = '*' OR tenant_id = $tenant)
)
SELECT
    tenant_id,
    month,
    protocol_group,
    count(DISTINCT user_key) AS users,
    count(*) AS sign_ins,
    month >= CAST($lookback_start AS date)
        AND month + INTERVAL '1 month' <= CAST($window_end AS date) AS is_whole_month
FROM grouped
GROUP BY tenant_id, month, protocol_group
ORDER BY tenant_id, month, users DESC, protocol_group
