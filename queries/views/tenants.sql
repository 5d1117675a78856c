-- Every tenant that the lake holds records of, or that the latest roster names.
-- Reads: coverage_entries, latest_roster, latest_decision
-- Params: none
-- Grain: one row per tenant
-- Columns: tenant_id text;
--   display_name, domains, cloud text: of the latest roster, domains joined with semicolons, null if it does not
--   name the tenant;
--   in_roster boolean: whether that names it; first_record_day, last_record_day date: null if there is no record;
--   records bigint: as ingested, repeated ones too;
--   categories text: seen, joined with semicolons, in alphabetical order, null if none is known;
--   verdict, reasons, campaign, decision_id text: of the newest of the campaigns' latest decisions that has
--   the tenant; decided_at timestamp: when it was made
-- Order: none
-- Blind spots: the roster is the one that was kept last, else that of the newest decision of any campaign; a tenant
--   of another campaign alone may be missing from it.
WITH seen AS (
    SELECT
        tenant_id,
        min(first_day) FILTER (WHERE kind = 'records') AS first_record_day,
        max(last_day) FILTER (WHERE kind = 'records') AS last_record_day,
        sum(records) AS records
    FROM coverage_entries
    GROUP BY tenant_id
),
categories_seen AS (
    SELECT tenant_id, string_agg(category, ';' ORDER BY category) AS categories
    FROM (SELECT DISTINCT tenant_id, category FROM coverage_entries WHERE records > 0) AS each_category
    GROUP BY tenant_id
),
decided AS (
    SELECT *, row_number() OVER (PARTITION BY tenant_id ORDER BY decision_number DESC) AS place
    FROM latest_decision
),
ids AS (
    SELECT tenant_id FROM seen
    UNION
    SELECT tenant_id FROM latest_roster
)
SELECT
    ids.tenant_id,
    latest_roster.display_name,
    latest_roster.domains,
    latest_roster.cloud,
    latest_roster.tenant_id IS NOT NULL AS in_roster,
    seen.first_record_day,
    seen.last_record_day,
    coalesce(seen.records, 0) AS records,
    categories_seen.categories,
    decided.verdict,
    decided.reasons,
    decided.campaign,
    decided.decision_id,
    decided.decided_at
FROM ids
LEFT JOIN seen ON seen.tenant_id = ids.tenant_id
LEFT JOIN categories_seen ON categories_seen.tenant_id = ids.tenant_id
LEFT JOIN latest_roster ON latest_roster.tenant_id = ids.tenant_id
LEFT JOIN decided ON decided.tenant_id = ids.tenant_id AND decided.place = 1
