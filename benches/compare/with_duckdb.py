#!/usr/bin/env python3
"""DuckDB's side. usage: with_duckdb.py ndjson|gzip|csv INPUT OUTPUT [--way struct|extract]

Two ways with JSON: `struct` declares the nested members that are wanted, and the reader takes them in its one
pass; `extract` keeps `properties` as text and takes each member out of it. ignore_errors makes rows of nulls of
lines that are not JSON, without telling. With CSV, strict_mode must be off: with it a cell that breaks off
takes thousands of whole rows with it.
"""
import duckdb

from columns import COLUMNS, tree
from ways import arguments

TYPES = {"text": "VARCHAR", "code": "BIGINT", "flag": "BOOLEAN", "time": "VARCHAR"}
# Level 1 costs less than the default 3 and comes to as few bytes within three in a hundred.
PARQUET = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"


def struct_type(node):
    if isinstance(node, str):
        return TYPES[node]
    return "STRUCT(" + ", ".join(f'"{name}" {struct_type(child)}' for name, child in node.items()) + ")"


def typed(expression, kind):
    return {"time": f"CAST({expression} AS TIMESTAMPTZ)", "code": f"CAST({expression} AS BIGINT)",
            "flag": f"CAST({expression} AS BOOLEAN)"}.get(kind, expression)


def columns(expression_of):
    """The select list, given how to write a path."""
    texts = [f"{typed(expression_of(path, kind), kind)} AS {column}" for column, path, kind in COLUMNS]
    signed_in = typed(expression_of("properties.createdDateTime", "time"), "time")
    return ",\n ".join(texts + [f"CAST({signed_in} AS DATE) AS event_date"])


def by_struct(source):
    fields = ", ".join(f"{name}: '{struct_type(node)}'" for name, node in tree().items())
    return f"""SELECT {columns(lambda path, _: '.'.join(f'"{part}"' for part in path.split('.')))}
FROM read_json('{source}', format = 'newline_delimited', ignore_errors = true, columns = {{{fields}}})"""


def by_extract(source):
    def expression(path, _):
        top, _, inner = path.partition(".")
        return f"(properties ->> '$.{inner}')" if inner else f'"{top}"'
    fields = ", ".join(f"{name}: '{'JSON' if isinstance(node, dict) else TYPES[node]}'" for name, node in tree().items())
    return f"""SELECT {columns(expression)}
FROM read_json('{source}', format = 'newline_delimited', ignore_errors = true, columns = {{{fields}}})"""


def cell(column, member):
    """A member of a cell that should hold JSON; null if a broken row left it holding anything else."""
    return f"""(TRY_CAST("{column}" AS JSON) ->> '$.{member}')"""


# Columns of the Log Analytics export that hold what the paths above name.
CSV_COLUMNS = {
    "tenantId": '"AADTenantId"', "properties.id": '"Id"', "category": '"Category"', "time": '"TimeGenerated [UTC]"',
    "properties.createdDateTime": '"CreatedDateTime [UTC]"', "properties.resourceId": '"ResourceIdentity"',
    "properties.ipAddress": '"IPAddress"', "properties.status.errorCode": cell("Status", "errorCode"),
    "properties.status.failureReason": cell("Status", "failureReason"),
    "properties.location.countryOrRegion": cell("LocationDetails", "countryOrRegion"),
}


def csv_column(path):
    if path in CSV_COLUMNS:
        return CSV_COLUMNS[path]
    leaf = path.rpartition(".")[2]
    return f'"{leaf[0].upper()}{leaf[1:]}"'


def by_csv(source):
    def expression(path, kind):
        text = csv_column(path)
        if kind == "time":
            return f"try_strptime({text}, '%-m/%-d/%Y, %-I:%M:%S.%g %p')"
        return f"TRY_CAST({text} AS {TYPES[kind]})" if kind != "text" else f"nullif({text}, '')"
    return f"""SELECT {columns(expression)}
FROM read_csv('{source}', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"',
              ignore_errors = true, strict_mode = false, max_line_size = 16000000)"""


def main():
    workload, source, output, way = arguments("struct")
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    database.execute("SET preserve_insertion_order = false")
    query = by_csv(source) if workload == "csv" else by_struct(source) if way == "struct" else by_extract(source)
    database.execute(f"COPY ({query}) TO '{output}' {PARQUET}")


main()
