"""psycopg 3 alone: binary results, server-side cursors, COPY, pipelines."""
import psycopg

from common import BY_PROTOCOL, TYPES, equal, holds, refused, rows, same_values


def cases(at):
    def connect(**more):
        return psycopg.connect(host=at.host, port=at.port, user=at.user, dbname=at.database, **more)

    def types_in(binary):
        with connect() as connection, connection.cursor(binary=binary) as cursor:
            same_values(cursor.execute(TYPES).fetchone())

    def arrays(binary):
        with connect() as connection, connection.cursor(binary=binary) as cursor:
            cursor.execute("SELECT ARRAY[1, 2]::bigint[], ARRAY['a', NULL], '\\x00ff'::bytea, INTERVAL '90 minutes'")
            found = cursor.fetchone()
            equal(found[:2], ([1, 2], ["a", None]))
            equal(bytes(found[2]), b"\x00\xff")
            equal(found[3].total_seconds(), 5400.0)

    def bound():
        with connect() as connection:
            found = connection.execute(
                "SELECT count(*) FROM sign_ins WHERE protocol = %s AND error_code >= %s", (at.by_protocol[0][0], 0))
            holds(found.fetchone()[0] > 0, "none")
            found = connection.execute("SELECT count(*) FROM sign_ins WHERE protocol = ANY(%s)", ([at.by_protocol[0][0]],))
            equal(found.fetchone()[0], at.by_protocol[0][1])

    def named_cursor(binary):
        with connect() as connection:
            with connection.cursor(name="mine", binary=binary) as cursor:
                cursor.itersize = 100
                cursor.execute("SELECT sign_in_id, signed_in_at FROM sign_ins WHERE protocol IS NULL OR protocol <> %s", ("x",))
                equal(cursor.description[0].name, "sign_in_id")
                equal(sum(1 for _ in cursor), at.sign_ins)

    def held_cursor():
        with connect(autocommit=True) as connection:
            with connection.cursor(name="held", withhold=True) as cursor:
                cursor.execute("SELECT x FROM generate_series(1, 25) AS t(x)")
                equal([len(cursor.fetchmany(10)) for _ in range(4)], [10, 10, 5, 0])

    def copy_text():
        with connect() as connection, connection.cursor() as cursor:
            with cursor.copy(f"COPY ({BY_PROTOCOL}) TO STDOUT") as copy:
                copy.set_types(["text", "int8"])
                equal(rows(copy.rows()), at.by_protocol)

    def copy_binary():
        with connect() as connection, connection.cursor() as cursor:
            with cursor.copy(f"COPY ({BY_PROTOCOL}) TO STDOUT (FORMAT BINARY)") as copy:
                copy.set_types(["text", "int8"])
                equal(rows(copy.rows()), at.by_protocol)
            with cursor.copy("COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT BINARY)") as copy:
                equal(rows(copy.rows()), [])

    def copy_table():
        with connect() as connection, connection.cursor() as cursor:
            with cursor.copy("COPY sources TO STDOUT (FORMAT CSV, HEADER)") as copy:
                holds(b"".join(bytes(part) for part in copy).startswith(b"source_id,"), "header")

    def copy_fails():
        with connect(autocommit=True) as connection, connection.cursor() as cursor:
            def fails():
                with cursor.copy("COPY (SELECT 1 / (x - 20000) FROM generate_series(1, 30000) AS t(x)) TO STDOUT") as copy:
                    for _ in copy:
                        pass
            refused(fails, "22012", lambda error: error.sqlstate)
            equal(cursor.execute("SELECT 1").fetchone()[0], 1)

    def copy_in():
        with connect(autocommit=True) as connection, connection.cursor() as cursor:
            def fails():
                with cursor.copy("COPY sources FROM STDIN") as copy:
                    copy.write(b"x\n")
            refused(fails, "25006", lambda error: error.sqlstate)

    def transaction():
        with connect() as connection:
            try:
                with connection.transaction():
                    with connection.transaction():
                        connection.execute("SELECT nothing FROM nowhere")
            except psycopg.errors.UndefinedTable:
                pass
            equal(connection.execute("SELECT 1").fetchone()[0], 1)

    def pipeline():
        with connect() as connection, connection.pipeline():
            cursors = [connection.execute("SELECT %s::int", (number,)) for number in range(20)]
            equal([cursor.fetchone()[0] for cursor in cursors], list(range(20)))

    def type_info():
        with connect() as connection:
            found = psycopg.types.TypeInfo.fetch(connection, "timestamptz")
            equal((found.oid, found.array_oid), (1184, 1185))
            equal(psycopg.types.TypeInfo.fetch(connection, "hstore"), None)

    def time_zone():
        with connect(autocommit=True) as connection:
            connection.execute("SET TIME ZONE 'Europe/Berlin'")
            found = connection.execute("SELECT TIMESTAMPTZ '2026-07-02 10:00:00+00'").fetchone()[0]
            equal(found.utcoffset().total_seconds(), 7200)
            equal(connection.execute("SHOW timezone").fetchone()[0], "Europe/Berlin")
            refused(lambda: connection.execute("SET TIME ZONE 'Mars/Olympus'"), "22023", lambda error: error.sqlstate)

    return {
        "values of all types, text": lambda: types_in(False), "values of all types, binary": lambda: types_in(True),
        "arrays, bytes, intervals, text": lambda: arrays(False), "arrays, bytes, intervals, binary": lambda: arrays(True),
        "bound values": bound, "cursor by name, text": lambda: named_cursor(False),
        "cursor by name, binary": lambda: named_cursor(True), "cursor WITH HOLD": held_cursor, "COPY as text": copy_text,
        "COPY in binary": copy_binary, "COPY a table as CSV": copy_table, "COPY that fails half-way": copy_fails,
        "COPY FROM is refused": copy_in, "transactions in transactions": transaction, "pipeline": pipeline,
        "TypeInfo": type_info, "time zone": time_zone,
    }
