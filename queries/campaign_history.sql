-- Everything that happened in a campaign, in the order of time: the ledger as it stands.
-- Reads: campaign_events
-- Params: $campaign text = name of the campaign; $tenant text = a tenant id, or * for all
-- Grain: one row per event
-- Columns: event_id, campaign, tenant_id, event, protocols text: the protocols joined with ;
--   decision_id text; happened_at timestamp; effective_date date: of announcements;
--   by_whom, detail text: JSON
-- Order: happened_at, tenant_id, event, event_id
-- Blind spots: times are those that the commands were told.
SELECT DISTINCT
    -- An event that stands there twice happened once.
    event_id, campaign, tenant_id, event, protocols, decision_id, happened_at, effective_date, by_whom, detail
FROM campaign_events
WHERE campaign = $campaign AND ($tenant = '*' OR tenant_id = $tenant)
ORDER BY happened_at, tenant_id, event, event_id
