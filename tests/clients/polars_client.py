"""polars.read_database_uri with both engines, and read_database over a connection."""
import polars
import sqlalchemy

from common import BY_PROTOCOL, equal, holds, rows


def cases(at):
    uri = f"postgresql://{at.user}@{at.host}:{at.port}/{at.database}"

    def read(engine):
        equal(rows(polars.read_database_uri(BY_PROTOCOL, uri, engine=engine).rows()), at.by_protocol)
        found = polars.read_database_uri("SELECT * FROM sign_ins", uri, engine=engine)
        equal((found.height, found.columns), (at.sign_ins, at.columns))
        holds(found.schema["signed_in_at"] == polars.Datetime("us", "UTC") or found.schema["signed_in_at"].base_type() == polars.Datetime, found.schema)

    def over_sqlalchemy():
        engine = sqlalchemy.create_engine(f"postgresql+psycopg://{at.user}@{at.host}:{at.port}/{at.database}")
        equal(rows(polars.read_database(BY_PROTOCOL, engine).rows()), at.by_protocol)

    return {"connectorx": lambda: read("connectorx"), "adbc": lambda: read("adbc"), "over SQLAlchemy": over_sqlalchemy}
