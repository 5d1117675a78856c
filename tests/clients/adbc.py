"""ADBC's PostgreSQL driver: binary COPY into Arrow, and the catalogue as objects."""
import adbc_driver_postgresql.dbapi as driver
import pyarrow

from common import BY_PROTOCOL, TYPES, VALUES, equal, holds, rows


def cases(at):
    uri = f"postgresql://{at.user}@{at.host}:{at.port}/{at.database}"

    def counts():
        with driver.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute(BY_PROTOCOL)
            table = cursor.fetch_arrow_table()
            equal(rows(zip(*(column.to_pylist() for column in table.columns))), at.by_protocol)

    def types():
        with driver.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute(TYPES)
            row = list(cursor.fetch_arrow_table().to_pylist()[0].values())
            row[5] = __import__("decimal").Decimal(row[5])
            equal(row, VALUES)

    def whole():
        with driver.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT * FROM sign_ins")
            table = cursor.fetch_arrow_table()
            equal((table.num_rows, table.column_names), (at.sign_ins, at.columns))
            holds(pyarrow.types.is_timestamp(table.schema.field("signed_in_at").type), table.schema)

    def empty():
        with driver.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT * FROM sign_ins WHERE false")
            equal(cursor.fetch_arrow_table().num_rows, 0)

    def bound():
        with driver.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM sign_ins WHERE protocol = $1", (at.by_protocol[0][0],))
            equal(cursor.fetchone()[0], at.by_protocol[0][1])

    def objects():
        with driver.connect(uri) as connection:
            found = connection.adbc_get_objects(depth="columns", db_schema_filter="public", table_name_filter="sign_ins").read_all().to_pylist()
            tables = {table["table_name"]: table for catalog in found for schema in catalog["catalog_db_schemas"] for table in schema["db_schema_tables"]}
            # ADBC asks for no order.
            equal(sorted(column["column_name"] for column in tables["sign_ins"]["table_columns"]), sorted(at.columns))

    def schema():
        with driver.connect(uri) as connection:
            equal(connection.adbc_get_table_schema("sign_ins", db_schema_filter="public").names, at.columns)

    def info():
        with driver.connect(uri) as connection:
            holds(connection.adbc_get_info()["vendor_version"], connection.adbc_get_info())

    return {
        "counts": counts, "values of all types": types, "whole table": whole, "no rows": empty, "bound values": bound,
        "adbc_get_objects": objects, "adbc_get_table_schema": schema, "adbc_get_info": info,
    }
