#!/usr/bin/env python3
"""ClickHouse's engine in the process. usage: with_chdb.py ndjson|gzip INPUT OUTPUT [--way line|each]

`line` reads lines and extracts from each; a line that is not JSON becomes a row of nulls. `each` is the format
JSONEachRow, which is slower and loses its place at a line that breaks off: whole records after it are gone, or
the job fails. Reading by pread keeps the file's pages out of the process, at no cost.
"""
import chdb

from columns import COLUMNS, tree
from ways import arguments

TYPES = {"text": "Nullable(String)", "code": "Nullable(Int64)", "flag": "Nullable(Bool)", "time": "Nullable(String)"}


def data_type(node):
    if isinstance(node, str):
        return TYPES[node]
    return "Tuple(" + ", ".join(f"{name} {data_type(child)}" for name, child in node.items()) + ")"


def expression(path, kind):
    return f"parseDateTime64BestEffortOrNull({path}, 6, 'UTC')" if kind == "time" else path


def main():
    _, source, output, way = arguments("line")
    columns = ", ".join(f"{expression(path, kind)} AS {column}" for column, path, kind in COLUMNS)
    columns += f", toDate({expression('properties.createdDateTime', 'time')}) AS event_date"
    if way == "line":
        tops = ", ".join(f"record.{name} AS {name}" for name in tree())
        records = f"(SELECT JSONExtract(line, '{data_type(tree())}') AS record, {tops} FROM file('{source}', 'LineAsString', 'line String'))"
    else:
        structure = ", ".join(f"{name} {data_type(node)}" for name, node in tree().items())
        records = f"file('{source}', 'JSONEachRow', '{structure}')"
    result = chdb.query(f"""SELECT {columns} FROM {records}
INTO OUTFILE '{output}' TRUNCATE FORMAT Parquet
SETTINGS storage_file_read_method = 'pread', input_format_skip_unknown_fields = 1, input_format_null_as_default = 1,
 input_format_json_defaults_for_missing_elements_in_named_tuple = 1, input_format_json_ignore_unknown_keys_in_named_tuple = 1,
 input_format_allow_errors_ratio = 0.01, input_format_allow_errors_num = 1000000,
 output_format_parquet_compression_method = 'zstd', output_format_compression_level = 1""")
    if result.has_error():
        raise SystemExit(result.error_message())


main()
