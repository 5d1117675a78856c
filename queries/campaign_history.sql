-- Everything that happened in a campaign, in the order in which it was recorded.
-- Reads: campaign_events
-- Params: $campaign text = name of the campaign; $tenant text = a tenant id, or * for all
-- Grain: one row per event
-- Columns: event_id, campaign, tenant_id, event, protocols text: the protocols joined with ;
--   decision_id text; happened_at timestamp: as given to the command; effective_date date: of announcements and new
--   dates; by_whom, detail text: JSON; recorded_at timestamp: by the system clock; ledger_position bigint: from 0;
--   both null in events that an earlier version recorded, which come first
-- Order: ledger_position with nulls first, happened_at, tenant_id, event, event_id
-- Blind spots: happened_at is what was given to the commands.
SELECT DISTINCT
    -- An event that stands there twice happened once.
    event_id, campaign, tenant_id, event, protocols, decision_id, happened_at, effective_date, by_whom, detail,
    recorded_at, ledger_position
FROM campaign_events
WHERE campaign = $campaign AND ($tenant = '*' OR tenant_id = $tenant)
ORDER BY ledger_position NULLS FIRST, happened_at, tenant_id, event, event_id
