-- Reconcile: sign-ins compared with Microsoft's counts, from "SMTP AUTH clients" reports and the Message Center.
-- Reads: tenant_settings, legacy_sign_ins, coverage_entries
-- Params: $tenant text = a tenant id, or * for all;
--   $message_center text default '' = counts of --tenant in the Message Center's monthly usage reports, as in
--   2026-10 IMAP=3, 2026-10 POP=0
-- Grain: one row per tenant and ingested report, or month and group of the Message Center; for a report, one more
--   per sender or user
-- Columns: tenant_id text; compared_with text: smtp_auth_report or message_center; path text: the report's file, null
--   for the Message Center; protocol text: smtp_auth, a group as in monthly_users, or what could not be read;
--   first_day, last_day date: the days that are compared, null if not read; log_days, days bigint: of so many days
--   the non-interactive log covers so many, null if not read; user_name text: null in the row of all together;
--   their_users bigint: users or senders by Microsoft's count, null if it says nothing; our_users, our_sign_ins
--   bigint: by the log, with Basic Authentication or an unknown method, null if not read; finding text: equal or
--   differs, of a user in_both, only_in_report, only_in_log or other_days, else not_read; explanation text: what may
--   make the difference, null if there is none
-- Order: tenant_id, compared_with, first_day, last_day, path, protocol, user_name with the row of all first
-- Blind spots: a message is not a sign-in, and its sender may be another address than the account that signs in;
--   senders by OAuth, and those by Basic Authentication after the first thousand, are not kept by name; a report
--   whose days nothing states counts as one of 90 days; the Message Center leaves SMTP AUTH out.
WITH report_files AS (
    SELECT
        tenant_id,
        path,
        source_id,
        ingested_at,
        settings,
        CAST(regexp_match(settings, '"days":\{"first":"([0-9-]{10})"')[1] AS date) AS stated_first,
        CAST(regexp_match(settings, '"days":\{"first":"[0-9-]{10}","last":"([0-9-]{10})"')[1] AS date) AS stated_last,
        CAST(regexp_match(settings, '"last_day":"([0-9-]{10})"')[1] AS date) AS only_last,
        regexp_match(settings, '"content":"([^"]*)"')[1] AS content
    FROM tenant_settings
    WHERE kind = 'smtp_auth_report' AND ($tenant = '*' OR tenant_id = $tenant)
),
-- The same content may come again under a name that states its days.
ranked_reports AS (
    SELECT
        *,
        coalesce(stated_last, only_last, CAST(ingested_at AS date)) AS last_day,
        coalesce(stated_first, coalesce(only_last, CAST(ingested_at AS date)) - 89) AS first_day,
        row_number() OVER (
            PARTITION BY tenant_id, content
            ORDER BY
                stated_first IS NULL,
                coalesce(stated_last, only_last, CAST(ingested_at AS date)),
                stated_first,
                path,
                source_id
        ) AS place
    FROM report_files
),
reports AS (
    SELECT
        tenant_id,
        path,
        content,
        first_day,
        last_day,
        stated_first IS NOT NULL AS is_stated,
        CAST(regexp_match(settings, '"basic_senders":([0-9]+)')[1] AS bigint) AS basic_senders,
        CAST(regexp_match(settings, '"unclear_senders":([0-9]+)')[1] AS bigint) AS unclear_senders,
        -- The texts of a JSON array, without the first and the last quote.
        regexp_match(settings, '"basic_senders":\["((?:[^"\\]|\\.|",")*)"\]')[1] AS basic_names,
        regexp_match(settings, '"unclear_senders":\["((?:[^"\\]|\\.|",")*)"\]')[1] AS unclear_names
    FROM ranked_reports
    WHERE place = 1
),
named_senders AS (
    SELECT tenant_id, content, true AS is_basic, unnest(string_to_array(basic_names, '","')) AS written
    FROM reports AS report
    UNION ALL
    SELECT tenant_id, content, false AS is_basic, unnest(string_to_array(unclear_names, '","')) AS written
    FROM reports AS report
),
senders AS (
    SELECT tenant_id, content, is_basic, replace(replace(written, '\"', '"'), '\\', '\') AS sender
    FROM named_senders
    WHERE written <> ''
),
used AS (
    SELECT
        tenant_id,
        user_key,
        coalesce(lower(user_principal_name), user_key, 'unknown user') AS user_name,
        CAST(signed_in_at AS date) AS day,
        protocol
    FROM legacy_sign_ins
    WHERE
        outcome = 'success' AND in_tenant
        AND auth_method IN ('basic', 'unknown')
        AND ($tenant = '*' OR tenant_id = $tenant)
),
-- Of each report, who sent by the log: in its days, and in others.
smtp_users AS (
    SELECT
        report.tenant_id,
        report.content,
        sign_in.user_name,
        count(*) FILTER (WHERE sign_in.day BETWEEN report.first_day AND report.last_day) AS sign_ins
    FROM reports AS report
    INNER JOIN used AS sign_in ON report.tenant_id = sign_in.tenant_id
    WHERE sign_in.protocol = 'smtp_auth'
    GROUP BY report.tenant_id, report.content, sign_in.user_name
),
compared_users AS (
    SELECT
        coalesce(sender_row.tenant_id, smtp_user.tenant_id) AS tenant_id,
        coalesce(sender_row.content, smtp_user.content) AS content,
        coalesce(sender_row.sender, smtp_user.user_name) AS user_name,
        sender_row.is_basic,
        coalesce(smtp_user.sign_ins, 0) AS sign_ins,
        CASE
            WHEN sender_row.sender IS NULL THEN 'only_in_log'
            WHEN smtp_user.user_name IS NULL THEN 'only_in_report'
            WHEN smtp_user.sign_ins = 0 THEN 'other_days'
            ELSE 'in_both'
        END AS finding
    FROM senders AS sender_row
    FULL OUTER JOIN smtp_users AS smtp_user
        ON sender_row.tenant_id = smtp_user.tenant_id
        AND sender_row.content = smtp_user.content
        AND sender_row.sender = smtp_user.user_name
    -- Who signed in on other days alone, and is no sender, says nothing of the report.
    WHERE sender_row.sender IS NOT NULL OR smtp_user.sign_ins > 0
),
user_counts AS (
    SELECT
        tenant_id,
        content,
        count(*) FILTER (WHERE sign_ins > 0) AS our_users,
        sum(sign_ins) AS our_sign_ins,
        count(*) FILTER (WHERE finding = 'only_in_report') AS only_in_report,
        count(*) FILTER (WHERE finding = 'only_in_log') AS only_in_log,
        count(*) FILTER (WHERE finding = 'other_days') AS other_days,
        count(*) FILTER (WHERE finding <> 'only_in_log') AS named
    FROM compared_users AS compared
    GROUP BY tenant_id, content
),
written_counts AS (
    SELECT
        btrim(entry) AS entry,
        regexp_match(entry, '^\s*([0-9]{4}-(?:0[1-9]|1[0-2]))\s+(.*\S)\s*=\s*([0-9]{1,9})\s*\z') AS parts
    FROM (SELECT unnest(string_to_array($message_center, ',')) AS entry) AS entries
    WHERE btrim(entry) <> ''
),
center_groups AS (
    SELECT unnest([
        'Exchange ActiveSync', 'POP', 'IMAP', 'Outlook Windows', 'Outlook for Mac/EWS', 'Exchange Remote PowerShell'
    ]) AS protocol_group
),
center_counts AS (
    SELECT
        written_count.entry,
        center_group.protocol_group,
        CAST(written_count.parts[1] || '-01' AS date) AS month,
        CAST(written_count.parts[3] AS bigint) AS their_users
    FROM written_counts AS written_count
    LEFT JOIN center_groups AS center_group ON lower(center_group.protocol_group) = lower(written_count.parts[2])
),
center_months AS (
    SELECT DISTINCT month FROM center_counts WHERE month IS NOT NULL AND $tenant <> '*'
),
monthly AS (
    SELECT
        CAST(date_trunc('month', day) AS date) AS month,
        CASE protocol
            WHEN 'exchange_activesync' THEN 'Exchange ActiveSync'
            WHEN 'pop3' THEN 'POP'
            WHEN 'imap4' THEN 'IMAP'
            WHEN 'mapi_over_http' THEN 'Outlook Windows'
            WHEN 'outlook_anywhere_rpc' THEN 'Outlook Windows'
            WHEN 'offline_address_book' THEN 'Outlook Windows'
            WHEN 'exchange_web_services' THEN 'Outlook for Mac/EWS'
            WHEN 'remote_powershell' THEN 'Exchange Remote PowerShell'
        END AS protocol_group,
        count(DISTINCT coalesce(user_key, 'unknown user of ' || protocol)) AS our_users,
        count(*) AS our_sign_ins
    FROM used AS sign_in
    GROUP BY 1, 2
),
-- What the Message Center says, and of its months what it does not say.
center_rows AS (
    SELECT
        coalesce(told.month, usage.month) AS month,
        coalesce(told.protocol_group, usage.protocol_group) AS protocol_group,
        told.their_users,
        coalesce(usage.our_users, 0) AS our_users,
        coalesce(usage.our_sign_ins, 0) AS our_sign_ins
    FROM (SELECT * FROM center_counts AS center_count WHERE protocol_group IS NOT NULL AND $tenant <> '*') AS told
    FULL OUTER JOIN (
        SELECT usage.* FROM monthly AS usage
        INNER JOIN center_months AS center_month ON usage.month = center_month.month
        WHERE usage.protocol_group IS NOT NULL
    ) AS usage
        ON told.month = usage.month AND told.protocol_group = usage.protocol_group
),
ranges AS (
    SELECT tenant_id, first_day, last_day FROM reports AS report
    UNION
    SELECT
        $tenant AS tenant_id,
        month AS first_day,
        CAST(month + INTERVAL '1 month' - INTERVAL '1 day' AS date) AS last_day
    FROM center_months AS center_month
),
covered AS (
    SELECT DISTINCT tenant_id, unnest(range(first_day, last_day + 1, INTERVAL '1 day')) AS day
    FROM coverage_entries
    WHERE
        category = 'non_interactive' AND missing_columns IS NULL AND first_day <= last_day
        AND ($tenant = '*' OR tenant_id = $tenant)
),
range_days AS (
    SELECT
        days_range.tenant_id,
        days_range.first_day,
        days_range.last_day,
        CAST(days_range.last_day - days_range.first_day AS bigint) + 1 AS days,
        count(covered_day.day) AS log_days
    FROM ranges AS days_range
    LEFT JOIN covered AS covered_day
        ON days_range.tenant_id = covered_day.tenant_id
        AND covered_day.day BETWEEN days_range.first_day AND days_range.last_day
    GROUP BY days_range.tenant_id, days_range.first_day, days_range.last_day
),
all_rows AS (
    SELECT
        report.tenant_id,
        'smtp_auth_report' AS compared_with,
        report.path,
        'smtp_auth' AS protocol,
        report.first_day,
        report.last_day,
        CAST(NULL AS text) AS user_name,
        report.basic_senders + report.unclear_senders AS their_users,
        coalesce(counts.our_users, 0) AS our_users,
        coalesce(counts.our_sign_ins, 0) AS our_sign_ins,
        CASE
            WHEN coalesce(counts.only_in_report + counts.only_in_log + counts.other_days, 0) = 0
                AND report.basic_senders + report.unclear_senders = coalesce(counts.our_users, 0)
                THEN 'equal'
            ELSE 'differs'
        END AS finding,
        concat_ws(
            '; ',
            CASE WHEN counts.only_in_report > 0
                THEN 'only in the report: ' || CAST(counts.only_in_report AS text) END,
            CASE WHEN counts.other_days > 0
                THEN 'in the log on other days alone: ' || CAST(counts.other_days AS text) END,
            CASE WHEN counts.only_in_log > 0
                THEN 'only in the log: ' || CAST(counts.only_in_log AS text) END,
            CASE WHEN report.unclear_senders > 0
                THEN 'the report does not say how ' || CAST(report.unclear_senders AS text)
                    || ' of its senders authenticated' END,
            CASE WHEN report.basic_senders + report.unclear_senders > coalesce(counts.named, 0)
                THEN 'not every sender of the report is kept by name' END,
            CASE WHEN NOT report.is_stated
                THEN 'nothing states the days of the report: they are the longest that they can be' END
        ) AS explanation
    FROM reports AS report
    LEFT JOIN user_counts AS counts ON report.tenant_id = counts.tenant_id AND report.content = counts.content
    UNION ALL
    SELECT
        report.tenant_id,
        'smtp_auth_report' AS compared_with,
        report.path,
        'smtp_auth' AS protocol,
        report.first_day,
        report.last_day,
        compared.user_name,
        CASE WHEN compared.finding = 'only_in_log' THEN 0 ELSE 1 END AS their_users,
        CASE WHEN compared.sign_ins > 0 THEN 1 ELSE 0 END AS our_users,
        compared.sign_ins AS our_sign_ins,
        compared.finding,
        concat_ws(
            '; ',
            CASE compared.finding
                WHEN 'only_in_report' THEN 'the account that signs in may have another address'
                WHEN 'other_days' THEN 'the log has sign-ins of this user, and none on the days of the report'
                WHEN 'only_in_log' THEN 'it may have sent nothing, sent as another address, or sent with OAuth too'
            END,
            CASE WHEN compared.finding = 'only_in_report' AND NOT compared.is_basic
                THEN 'the report does not say how it authenticated: it may be OAuth' END,
            CASE WHEN compared.finding = 'only_in_log'
                    AND report.basic_senders + report.unclear_senders > counts.named
                THEN 'not every sender of the report is kept by name' END
        ) AS explanation
    FROM compared_users AS compared
    INNER JOIN reports AS report
        ON compared.tenant_id = report.tenant_id AND compared.content = report.content
    INNER JOIN user_counts AS counts ON report.tenant_id = counts.tenant_id AND report.content = counts.content
    UNION ALL
    SELECT
        $tenant AS tenant_id,
        'message_center' AS compared_with,
        NULL AS path,
        protocol_group AS protocol,
        month AS first_day,
        CAST(month + INTERVAL '1 month' - INTERVAL '1 day' AS date) AS last_day,
        NULL AS user_name,
        their_users,
        our_users,
        our_sign_ins,
        CASE
            WHEN their_users IS NULL THEN 'only_in_log'
            WHEN their_users = our_users THEN 'equal'
            WHEN our_users = 0 THEN 'only_in_report'
            ELSE 'differs'
        END AS finding,
        CASE
            WHEN their_users IS NULL THEN 'the counts that were given do not name this group'
            WHEN their_users < our_users
                THEN 'an unknown method may be OAuth; one user may have signed in under two ids'
            WHEN their_users > our_users THEN 'the log may lack records: see coverage_calendar and rejected_records'
            ELSE ''
        END AS explanation
    FROM center_rows
    UNION ALL
    SELECT
        $tenant AS tenant_id,
        'message_center' AS compared_with,
        NULL AS path,
        entry AS protocol,
        month AS first_day,
        CAST(month + INTERVAL '1 month' - INTERVAL '1 day' AS date) AS last_day,
        NULL AS user_name,
        their_users,
        NULL AS our_users,
        NULL AS our_sign_ins,
        'not_read' AS finding,
        CASE
            WHEN month IS NULL THEN 'expected month, group and users, as in 2026-10 IMAP=3'
            WHEN protocol_group IS NULL
                THEN 'expected one of the groups Exchange ActiveSync, POP, IMAP, Outlook Windows, '
                    || 'Outlook for Mac/EWS and Exchange Remote PowerShell'
            ELSE 'the counts are of one tenant: name it with --tenant'
        END AS explanation
    FROM center_counts
    WHERE month IS NULL OR protocol_group IS NULL OR $tenant = '*'
)
SELECT
    found.tenant_id,
    found.compared_with,
    found.path,
    found.protocol,
    found.first_day,
    found.last_day,
    span.log_days,
    span.days,
    found.user_name,
    found.their_users,
    found.our_users,
    found.our_sign_ins,
    found.finding,
    nullif(
        concat_ws(
            '; ',
            CASE WHEN found.finding IN ('differs', 'only_in_report', 'other_days')
                    AND span.log_days < span.days
                THEN 'the log covers ' || CAST(span.log_days AS text) || ' of the '
                    || CAST(span.days AS text) || ' days' END,
            nullif(found.explanation, '')
        ), ''
    ) AS explanation
FROM all_rows AS found
LEFT JOIN range_days AS span
    ON found.tenant_id = span.tenant_id
    AND found.first_day = span.first_day
    AND found.last_day = span.last_day
ORDER BY
    found.tenant_id, found.compared_with, found.first_day NULLS LAST, found.last_day, found.path,
    found.protocol, found.user_name NULLS FIRST
