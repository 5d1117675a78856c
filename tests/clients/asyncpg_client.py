"""asyncpg: everything in binary, portals with row limits, COPY."""
import asyncio
import io

import asyncpg

from common import BY_PROTOCOL, TYPES, VALUES, equal, holds, rows


def cases(at):
    def with_connection(work):
        async def run():
            connection = await asyncpg.connect(host=at.host, port=at.port, user=at.user, database=at.database)
            try:
                await work(connection)
            finally:
                await connection.close()
        return lambda: asyncio.run(run())

    async def types(connection):
        equal(list((await connection.fetchrow(TYPES)).values()), VALUES)

    async def counts(connection):
        equal(rows(row.values() for row in await connection.fetch(BY_PROTOCOL)), at.by_protocol)

    async def bound(connection):
        sql = "SELECT count(*) FROM sign_ins WHERE protocol = $1 AND signed_in_at > $2"
        import datetime
        since = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
        equal(await connection.fetchval(sql, at.by_protocol[0][0], since), at.by_protocol[0][1])
        equal(await connection.fetchval("SELECT count(*) FROM sign_ins WHERE protocol = ANY($1::text[])", [at.by_protocol[0][0]]), at.by_protocol[0][1])

    async def cursor(connection):
        async with connection.transaction():
            found = 0
            async for _ in connection.cursor("SELECT * FROM sign_ins", prefetch=37):
                found += 1
            equal(found, at.sign_ins)

    async def isolation(connection):
        async with connection.transaction(isolation="serializable", readonly=True, deferrable=True):
            equal(await connection.fetchval("SELECT 1"), 1)
            async with connection.transaction():
                equal(await connection.fetchval("SELECT 2"), 2)

    async def copy(connection):
        out = io.BytesIO()
        await connection.copy_from_query(BY_PROTOCOL, output=out, format="csv", header=True)
        lines = out.getvalue().decode().splitlines()
        equal(lines, ["protocol,n"] + [f"{protocol},{count}" for protocol, count in at.by_protocol])
        out = io.BytesIO()
        await connection.copy_from_table("sources", columns=["source_id"], output=out, format="binary")
        holds(out.getvalue().startswith(b"PGCOPY\n\xff\r\n\0") and out.getvalue().endswith(b"\xff\xff"), out.getvalue()[:20])

    async def listed(connection):
        found = await connection.fetch("SELECT oid, typname, typtype, typelem, typinput::text AS typinput FROM pg_type WHERE typname = '_int4'")
        equal(list(found[0].values())[1], "_int4")
        equal(found[0]["typinput"], "array_in")

    async def read_only(connection):
        try:
            await connection.execute("INSERT INTO sources VALUES (1)")
        except asyncpg.ReadOnlySQLTransactionError:
            return
        raise AssertionError("was taken")

    async def resets(connection):
        await connection.execute("SET application_name = 'me'")
        await connection.reset()
        equal(await connection.fetchval("SHOW application_name"), "")

    async def pooled():
        async with asyncpg.create_pool(host=at.host, port=at.port, user=at.user, database=at.database, min_size=2, max_size=4) as pool:
            found = await asyncio.gather(*(pool.fetchval("SELECT count(*) FROM sign_ins") for _ in range(12)))
            equal(found, [at.sign_ins] * 12)

    async def arrays(connection):
        found = await connection.fetchrow("SELECT ARRAY[1, 2]::bigint[], ARRAY['a', NULL], '\\x00ff'::bytea, INTERVAL '90 minutes'")
        equal((found[0], found[1], found[2], found[3].total_seconds()), ([1, 2], ["a", None], b"\x00\xff", 5400.0))

    return {
        "values of all types": with_connection(types), "arrays, bytes, intervals": with_connection(arrays),
        "counts": with_connection(counts), "bound values": with_connection(bound),
        "cursor in a transaction": with_connection(cursor), "isolation and savepoints": with_connection(isolation),
        "COPY": with_connection(copy), "pg_type": with_connection(listed),
        "writing is refused with 25006": with_connection(read_only), "reset": with_connection(resets),
        "pool": lambda: asyncio.run(pooled()),
    }
