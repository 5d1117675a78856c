-- Client apps that are unknown or not stated, and how many of their sign-ins raise a doubt.
-- Reads: legacy_sign_ins, stated_elsewhere
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it
-- Grain: one row per tenant, protocol (unrecognised or not_stated) and client app as logged
-- Columns: tenant_id text; protocol text; client_app text, null if not stated; sign_ins bigint;
--   doubts bigint: those of outcome success or unknown, to Exchange Online or to no named resource, in
--   the tenant itself, but for those of the audit log that another log tells of with a client app;
--   last_seen timestamp
-- Order: tenant_id, protocol, client_app
-- Blind spots: none known.
SELECT
    s.tenant_id,
    s.protocol,
    s.client_app,
    count(*) AS sign_ins,
    count(*) FILTER (
        WHERE s.outcome IN ('success', 'unknown') AND s.exchange_or_unnamed AND s.in_tenant
            AND e.source_id IS NULL
    ) AS doubts,
    max(s.signed_in_at) AS last_seen
-- The few records are to the left, where a join holds its rows.
FROM stated_elsewhere AS e
RIGHT JOIN legacy_sign_ins AS s ON s.source_id = e.source_id AND s.source_offset = e.source_offset
WHERE
    s.signed_in_at >= $window_start AND s.signed_in_at < $window_end
    AND s.protocol IN ('unrecognised', 'not_stated')
GROUP BY s.tenant_id, s.protocol, s.client_app
ORDER BY s.tenant_id, s.protocol, s.client_app
