#!/usr/bin/env python3
"""DataFusion's side: a JSON table with its schema given, copied to Parquet. usage: with_datafusion.py ndjson|gzip INPUT OUTPUT

Batches of 2,048 records keep records this wide in the cache; they are faster and leaner than the default of 8,192.
It stops at a line that is not JSON.
"""
import pyarrow
from datafusion import SessionConfig, SessionContext

from columns import COLUMNS, tree
from ways import arguments

TYPES = {"text": pyarrow.string(), "code": pyarrow.int64(), "flag": pyarrow.bool_(), "time": pyarrow.timestamp("us", tz="UTC")}


def data_type(node):
    if isinstance(node, str):
        return TYPES[node]
    return pyarrow.struct([(name, data_type(child)) for name, child in node.items()])


def expression(path):
    top, *inner = path.split(".")
    return f'"{top}"' + "".join(f"['{part}']" for part in inner)


def main():
    workload, source, output, _ = arguments("table")
    context = SessionContext(SessionConfig().with_batch_size(2_048))
    schema = pyarrow.schema([(name, data_type(node)) for name, node in tree().items()])
    ending = source[source.rindex("."):]
    context.register_json("records", source, schema=schema, file_extension=ending,
                          file_compression_type="gzip" if workload == "gzip" else None)
    columns = ", ".join(f"{expression(path)} AS {column}" for column, path, _ in COLUMNS)
    columns += f", CAST({expression('properties.createdDateTime')} AS DATE) AS event_date"
    context.sql(f"""COPY (SELECT {columns} FROM records) TO '{output}'
STORED AS PARQUET OPTIONS ('format.compression' 'zstd(1)')""").collect()


main()
