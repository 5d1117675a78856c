"""SQLAlchemy and pandas, whichever driver is below."""
import pandas
import sqlalchemy
from sqlalchemy import MetaData, Table, func, inspect, select, text

from common import BY_PROTOCOL, TYPES, equal, holds, rows, same_values


def cases(at, driver, code_of):
    url = f"postgresql+{driver}://{at.user}@{at.host}:{at.port}/{at.database}"
    engine = sqlalchemy.create_engine(url)

    def connects():
        with engine.connect() as connection:
            holds("lightsout" in connection.scalar(text("SELECT version()")), "version")
            equal(engine.dialect.server_version_info[0], 15)

    def types():
        with engine.connect() as connection:
            same_values(connection.execute(text(TYPES.replace("::", "\\:\\:"))).one())

    def counts():
        with engine.connect() as connection:
            equal(rows(connection.execute(text(BY_PROTOCOL))), at.by_protocol)

    def bound():
        with engine.connect() as connection:
            found = connection.execute(
                text("SELECT count(*) FROM sign_ins WHERE protocol = :protocol AND signed_in_at > :since"),
                {"protocol": at.by_protocol[0][0], "since": __import__("datetime").datetime(2000, 1, 1)})
            equal(found.scalar(), at.by_protocol[0][1])

    def expanding():
        with engine.connect() as connection:
            statement = text("SELECT count(*) FROM sign_ins WHERE protocol IN :names").bindparams(
                sqlalchemy.bindparam("names", expanding=True))
            names = [name for name, _ in at.by_protocol[:2]]
            equal(connection.execute(statement, {"names": names}).scalar(), sum(n for _, n in at.by_protocol[:2]))

    def transaction():
        with engine.begin() as connection:
            equal(connection.scalar(text("SELECT 1")), 1)
        with engine.connect() as connection:
            outer = connection.begin()
            nested = connection.begin_nested()
            try:
                connection.execute(text("SELECT nothing FROM nowhere"))
            except sqlalchemy.exc.SQLAlchemyError:
                nested.rollback()
            equal(connection.scalar(text("SELECT 2")), 2)
            outer.rollback()

    def isolation():
        level = engine.execution_options(isolation_level="AUTOCOMMIT")
        with level.connect() as connection:
            equal(connection.scalar(text("SELECT 3")), 3)
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            equal(connection.scalar(text("SHOW transaction_isolation")).lower(), "repeatable read")

    def read_only():
        with engine.connect() as connection:
            try:
                connection.execute(text("DELETE FROM sources"))
            except sqlalchemy.exc.DBAPIError as error:
                equal(code_of(error.orig), "25006")
            else:
                raise AssertionError("was taken")

    def stream():
        with engine.connect().execution_options(stream_results=True, yield_per=100) as connection:
            found = sum(1 for _ in connection.execute(text("SELECT tenant_id FROM sign_ins")))
            equal(found, at.sign_ins)

    def names():
        found = inspect(engine)
        holds({"sign_in_records", "sources"} <= set(found.get_table_names()), found.get_table_names())
        holds({"sign_ins", "usage_by_protocol"} <= set(found.get_view_names()), found.get_view_names())
        holds("public" in found.get_schema_names(), found.get_schema_names())
        equal(found.default_schema_name, "public")
        holds(found.has_table("sign_ins") and not found.has_table("no_such"), "has_table")
        equal(found.get_materialized_view_names(), [])

    def columns():
        found = {column["name"]: column for column in inspect(engine).get_columns("sign_ins")}
        equal(list(found), at.columns)
        equal(str(found["tenant_id"]["type"]), "TEXT")
        equal(found["signed_in_at"]["type"].timezone, True)
        equal(str(found["error_code"]["type"]), "BIGINT")
        equal(str(found["event_date"]["type"]), "DATE")

    def keys():
        found = inspect(engine)
        equal(found.get_pk_constraint("sources")["constrained_columns"], [])
        equal(found.get_foreign_keys("sources"), [])
        equal(found.get_indexes("sources"), [])
        equal(found.get_unique_constraints("sources"), [])
        equal(found.get_check_constraints("sources"), [])

    def comments():
        found = inspect(engine)
        holds(found.get_table_comment("sign_ins")["text"], found.get_table_comment("sign_ins"))

    def view_definition():
        holds("SELECT" in inspect(engine).get_view_definition("usage_by_protocol"), "no SELECT")

    def reflected():
        table = Table("sign_ins", MetaData(), autoload_with=engine)
        with engine.connect() as connection:
            query = select(table.c.protocol, func.count()).where(table.c.protocol.is_not(None))
            found = connection.execute(query.group_by(table.c.protocol).order_by(table.c.protocol))
            equal(rows(found), at.by_protocol)

    def all_reflected():
        metadata = MetaData()
        metadata.reflect(engine, views=True)
        holds("sign_ins" in metadata.tables and "sources" in metadata.tables, list(metadata.tables))

    def into_pandas():
        found = pandas.read_sql(BY_PROTOCOL, engine)
        equal(rows(found.itertuples(index=False)), at.by_protocol)
        found = pandas.read_sql("SELECT signed_in_at, event_date, error_code FROM sign_ins", engine)
        equal(len(found), at.sign_ins)
        holds("UTC" in str(found["signed_in_at"].dtype) or "datetime" in str(found["signed_in_at"].dtype), found.dtypes)

    def table_into_pandas():
        equal(len(pandas.read_sql_table("sign_ins", engine, columns=["tenant_id", "protocol"])), at.sign_ins)

    def in_chunks():
        equal(sum(len(part) for part in pandas.read_sql("SELECT * FROM sign_ins", engine, chunksize=50)), at.sign_ins)

    return {
        "connects": connects, "values of all types": types, "counts": counts, "bound values": bound,
        "IN with a list": expanding, "transactions and savepoints": transaction, "isolation levels": isolation,
        "writing is refused with 25006": read_only, "streamed rows": stream, "inspect: names": names,
        "inspect: columns": columns, "inspect: keys and indexes": keys, "inspect: comments": comments,
        "inspect: view definition": view_definition, "autoload_with": reflected, "reflect everything": all_reflected,
        "pandas.read_sql": into_pandas, "pandas.read_sql_table": table_into_pandas, "pandas in chunks": in_chunks,
    }
