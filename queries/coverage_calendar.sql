-- Coverage calendar: whether the lake has logs of each day of the window, with gaps as rows.
-- Reads: coverage_entries
-- Params: $window_start timestamp = start of the window; $window_end timestamp = its end, not in it;
--   $tenant text = a tenant id, or * for all;
--   $gaps_only boolean default false = only the days that nothing covers
-- Grain: one row per tenant, category and day (UTC) of the window: interactive and non_interactive of every
--   tenant, and what else the lake has of it
-- Columns: tenant_id text; category text: null if unknown; day date; weekday text: Mon to Sun;
--   is_covered boolean; covered_by text[]: records, storage, stated; null if nothing covers it;
--   is_incomplete boolean: logs are there, but none that has every column a verdict needs, so the day is not
--   covered
-- Order: tenant_id, category, day
-- Blind spots: a day that one record covers may lack others; days that a roster states are not here; records
--   of unknown category have rows of their own, and prove nothing for the two logs
WITH clipped AS (
    SELECT DISTINCT
        tenant_id,
        category,
        kind,
        missing_columns IS NOT NULL AS is_incomplete,
        greatest(first_day, CAST($window_start AS date)) AS first_day,
        least(last_day, CAST($window_end AS date) - 1) AS last_day
    FROM coverage_entries
    WHERE $tenant = '*' OR tenant_id = $tenant
),
days AS (
    SELECT
        tenant_id,
        category,
        kind,
        is_incomplete,
        unnest(range(first_day, last_day + 1, INTERVAL '1 day')) AS day
    FROM clipped
    WHERE first_day <= last_day
),
logs AS (
    SELECT tenant_id, category FROM clipped
    UNION
    SELECT tenant_id, unnest(['interactive', 'non_interactive']) AS category FROM clipped
),
calendar AS (
    SELECT
        tenant_id,
        category,
        unnest(range(CAST($window_start AS date), CAST($window_end AS date), INTERVAL '1 day')) AS day
    FROM logs
),
marked AS (
    SELECT tenant_id, category, day, NULL AS kind, false AS is_incomplete FROM calendar
    UNION ALL
    SELECT tenant_id, category, day, kind, is_incomplete FROM days
),
told AS (
    SELECT
        tenant_id,
        category,
        day,
        count(kind) FILTER (WHERE NOT is_incomplete) > 0 AS is_covered,
        array_agg(DISTINCT kind ORDER BY kind) FILTER (WHERE kind IS NOT NULL AND NOT is_incomplete) AS covered_by,
        bool_or(is_incomplete) AS has_incomplete
    FROM marked
    GROUP BY tenant_id, category, day
)
SELECT
    tenant_id,
    category,
    day,
    CASE date_part('dow', day)
        WHEN 0 THEN 'Sun' WHEN 1 THEN 'Mon' WHEN 2 THEN 'Tue' WHEN 3 THEN 'Wed' WHEN 4 THEN 'Thu' WHEN 5 THEN 'Fri'
        ELSE 'Sat'
    END AS weekday,
    is_covered,
    covered_by,
    has_incomplete AND NOT is_covered AS is_incomplete
FROM told
WHERE NOT ($gaps_only AND is_covered)
ORDER BY tenant_id, category, day
