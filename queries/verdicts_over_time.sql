-- Tenants by verdict in every kept decision of a campaign: how the verdicts changed over time.
-- Reads: verdicts
-- Params: $campaign text = name of the campaign
-- Grain: one row per decision and verdict that some tenant has
-- Columns: decided_at timestamp; as_of date: the window ends before it; decision_id, verdict text;
--   tenants bigint;
--   share double: of the decision's tenants, 0 to 1;
--   users bigint: distinct users of the protocols in use, those of several tenants added
-- Order: decided_at, decision_id, verdict
-- Blind spots: verdicts are made again from the kept evidence by the rules of this program; a tenant that one
--   decision knows and another does not is a change in the lake, not in the tenant.
WITH by_verdict AS (
    SELECT decided_at, as_of, decision_id, verdict, count(*) AS tenants, sum(users) AS users
    FROM verdicts
    WHERE campaign = $campaign
    GROUP BY decided_at, as_of, decision_id, verdict
)
SELECT
    decided_at,
    as_of,
    decision_id,
    verdict,
    tenants,
    round(CAST(tenants AS DOUBLE) / sum(tenants) OVER (PARTITION BY decision_id), 4) AS share,
    users
FROM by_verdict
ORDER BY decided_at, decision_id, verdict
