"""ConnectorX: each of its three protocols, and partitions."""
import connectorx

from common import BY_PROTOCOL, equal, rows


def cases(at):
    uri = f"postgresql://{at.user}@{at.host}:{at.port}/{at.database}"

    def read(protocol):
        table = connectorx.read_sql(uri, BY_PROTOCOL, return_type="arrow", protocol=protocol)
        equal(rows(zip(*(column.to_pylist() for column in table.columns))), at.by_protocol)

    def types():
        sql = "SELECT tenant_id, signed_in_at, event_date, error_code, is_interactive FROM sign_ins"
        for protocol in ("binary", "csv", "cursor"):
            equal(len(connectorx.read_sql(uri, sql, return_type="pandas", protocol=protocol)), at.sign_ins)

    def partitioned():
        sql = "SELECT source_offset, protocol FROM sign_ins"
        equal(len(connectorx.read_sql(uri, sql, return_type="pandas", partition_on="source_offset", partition_num=3)), at.sign_ins)

    return {
        "binary": lambda: read("binary"), "csv": lambda: read("csv"), "cursor": lambda: read("cursor"),
        "times, dates, numbers": types, "partitions": partitioned,
    }
