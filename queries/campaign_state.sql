-- The state of every announced change of a campaign, by tenant and protocol.
-- Reads: campaign_changes
-- Params: $campaign text = name of the campaign; $tenant text = a tenant id, or * for all
-- Grain: one row per tenant and protocol that was announced
-- Columns: tenant_id, protocol, decision_id text: the decision that it was announced from;
--   announced_at timestamp; effective_date date: from then on it may be turned off;
--   announcement text: JSON, how the tenant was chosen;
--   opted_out_at timestamp; opted_out_by text: the tenant keeps it;
--   held_at timestamp; held_because text: JSON, why it is on hold; both null once it was released;
--   off_at timestamp: when it was turned off; state text: pending, on_hold, opted_out, off, used_after_change,
--   withdrawn; last_used_on date: of used_after_change; withdrawn_at timestamp: when the announcement was taken back
-- Order: tenant_id, protocol
-- Blind spots: whether an announcement was read is not known, and what was turned off is what the
--   operator said.
SELECT
    tenant_id, protocol, decision_id, announced_at, effective_date, announcement, opted_out_at, opted_out_by, held_at,
    held_because, off_at, state, last_used_on, withdrawn_at
FROM campaign_changes
WHERE campaign = $campaign AND ($tenant = '*' OR tenant_id = $tenant)
ORDER BY tenant_id, protocol
