//! What asyncpg asks of types that it does not know: a recursion within a recursion, which the engine can't run. The
//! types here have no fields and no domains, so that one step to the elements of a list tells the same.

/// How its question begins.
const BEGIN: &str = "WITH RECURSIVE typeinfo_tree(";

const ANSWER: &str = "
WITH known AS (
    SELECT t.oid, ns.nspname AS ns, t.typname AS name, t.typtype AS kind, t.typelem AS elemtype,
        e.typdelim AS elemdelim, r.rngsubtype AS range_subtype
    FROM pg_catalog.pg_type AS t
    JOIN pg_catalog.pg_namespace AS ns ON ns.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_type AS e ON t.typlen = -1 AND t.typelem <> 0 AND t.typelem = e.oid
    LEFT JOIN pg_catalog.pg_range AS r ON t.oid = r.rngtypid
),
asked AS (SELECT known.*, 0::bigint AS depth FROM known WHERE array_has($1::oid[], known.oid)),
tree AS (
    SELECT asked.* FROM asked
    UNION ALL
    SELECT known.*, 1::bigint AS depth FROM known
    WHERE known.oid IN (SELECT elemtype FROM asked WHERE elemdelim IS NOT NULL)
       OR known.oid IN (SELECT range_subtype FROM asked WHERE range_subtype IS NOT NULL)
)
SELECT oid, ns, name, kind, CAST(NULL AS INT) AS basetype, elemtype, elemdelim, range_subtype,
    CAST(NULL AS TEXT[]) AS attrtypoids, CAST(NULL AS TEXT[]) AS attrnames, depth,
    CAST(NULL AS TEXT) AS basetype_name, regtypeout(elemtype) AS elemtype_name,
    regtypeout(range_subtype) AS range_subtype_name
FROM tree ORDER BY depth DESC";

/// A question that tells the same, if this is asyncpg's.
pub(super) fn answered(sql: &str) -> Option<&'static str> {
    sql.trim_start().starts_with(BEGIN).then_some(ANSWER)
}
