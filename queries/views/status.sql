-- Rows of each table.
-- Grain: one row per table
SELECT 'sign_in_records' AS table_name, count(*) AS row_count FROM sign_in_records
UNION ALL SELECT 'rejects', count(*) FROM rejects
UNION ALL SELECT 'sources', count(*) FROM sources
UNION ALL SELECT 'decision_tenants', count(*) FROM decision_tenants
UNION ALL SELECT 'rosters', count(*) FROM rosters
UNION ALL SELECT 'decisions', count(*) FROM decisions
UNION ALL SELECT 'campaign_events', count(*) FROM campaign_events
UNION ALL SELECT 'tenant_settings', count(*) FROM tenant_settings
UNION ALL SELECT 'dismissals', count(*) FROM dismissals
ORDER BY table_name
