-- Ids of the legacy records that do not speak for themselves: repeated ones, and those that state no client app.
-- Reads: sign_in_records
-- Params: none
-- Grain: one row per id
-- Columns: sign_in_id text; is_undeclared boolean: a record of it states no client app
-- Order: none
-- Blind spots: told by the id alone, which costs least; one that two tenants have is contested for nothing.
SELECT
    sign_in_id,
    bool_or(client_app IS NULL OR lower(btrim(client_app)) = 'unknown') AS is_undeclared
FROM sign_in_records
WHERE provably_modern = false AND protocol IS NOT NULL
GROUP BY sign_in_id
HAVING count(*) > 1 OR bool_or(client_app IS NULL OR lower(btrim(client_app)) = 'unknown')
