-- Where every announced change of a campaign stands, tenant by tenant and protocol by protocol.
-- Reads: campaign_events
-- Params: $campaign text = name of the campaign; $tenant text = a tenant id, or * for all
-- Grain: one row per tenant and protocol that was announced
-- Columns: tenant_id, protocol, decision_id text: the decision that it was announced on;
--   announced_at timestamp; effective_date date: from then on it may be turned off;
--   announcement text: JSON, how the tenant came to be picked;
--   opted_out_at timestamp; opted_out_by text: the tenant keeps it;
--   held_at timestamp; held_because text: JSON, why it is on hold; both null once it was released;
--   off_at timestamp: when it was turned off
-- Order: tenant_id, protocol
-- Blind spots: what was announced is not known to have been read, and what was turned off is what the
--   operator said.
WITH events AS (
    -- An event that stands there twice happened once.
    SELECT DISTINCT
        event_id, tenant_id, event, protocols, decision_id, happened_at, effective_date, by_whom, detail
    FROM campaign_events
    WHERE campaign = $campaign AND ($tenant = '*' OR tenant_id = $tenant)
),
announcements AS (
    -- The first announcement of a tenant is the one that holds.
    SELECT *, row_number() OVER (PARTITION BY tenant_id ORDER BY happened_at, event_id) AS place
    FROM events
    WHERE event = 'announced'
),
announced AS (
    SELECT
        tenant_id, decision_id, happened_at, effective_date, detail,
        unnest(string_to_array(protocols, ';')) AS protocol
    FROM announcements
    WHERE place = 1
),
followed AS (
    SELECT
        event_id, tenant_id, event, happened_at, by_whom, detail,
        unnest(string_to_array(protocols, ';')) AS protocol
    FROM events
    WHERE event IN ('opted_out', 'held', 'released', 'confirmed')
),
ranked AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY tenant_id, protocol, event ORDER BY happened_at, event_id) AS place,
        -- A hold and its release at one instant: the hold stays.
        row_number() OVER (
            PARTITION BY tenant_id, protocol, event IN ('held', 'released')
            ORDER BY happened_at DESC, event = 'held' DESC, event_id
        ) AS place_from_end
    FROM followed
),
opted_out AS (SELECT * FROM ranked WHERE event = 'opted_out' AND place = 1),
held AS (SELECT * FROM ranked WHERE event = 'held' AND place_from_end = 1),
confirmed AS (SELECT * FROM ranked WHERE event = 'confirmed' AND place = 1)
SELECT
    announced.tenant_id,
    announced.protocol,
    announced.decision_id,
    announced.happened_at AS announced_at,
    announced.effective_date,
    announced.detail AS announcement,
    opted_out.happened_at AS opted_out_at,
    opted_out.by_whom AS opted_out_by,
    held.happened_at AS held_at,
    held.detail AS held_because,
    confirmed.happened_at AS off_at
FROM announced
LEFT JOIN opted_out
    ON opted_out.tenant_id = announced.tenant_id AND opted_out.protocol = announced.protocol
LEFT JOIN held ON held.tenant_id = announced.tenant_id AND held.protocol = announced.protocol
LEFT JOIN confirmed
    ON confirmed.tenant_id = announced.tenant_id AND confirmed.protocol = announced.protocol
ORDER BY announced.tenant_id, announced.protocol
