"""From a file to its raw records: gzip, line framing, arrays, envelopes, Graph pages, portal CSV.

Knows framing and shapes, not what a record means. What cannot be framed is a reject or, where
nothing is recognised, a refused file.
"""
import csv
import io
import json
import zlib

UTF8_BOM = b"\xef\xbb\xbf"
DIAGNOSTIC, GRAPH, SIGN_IN_OBJECTS, PORTAL_CSV, AUDIT = "diagnostic", "graph_page", "sign_in_objects", "portal_csv", "audit"


class Framed:
    """The raw records of one file.

    items: (record as dict, or None if it is rejected; its raw bytes)
    cut: the file ends in the middle: of the gzip stream, of the JSON document, of the last line
    pages: (next link or None, rows) of each Graph page
    """

    def __init__(self):
        self.items, self.cut, self.shape, self.pages, self.columns = [], False, None, [], None
        self.refused = self.empty = False


def inflate(data):
    """(bytes, ends early): all gzip members, as far as they go."""
    out = []
    while data[:2] == b"\x1f\x8b":
        stream = zlib.decompressobj(31)
        try:
            out.append(stream.decompress(data) + stream.flush())
        except zlib.error:
            return b"".join(out), True
        if not stream.eof:
            return b"".join(out), True
        data = stream.unused_data
    return b"".join(out), False


def frame(data):
    result = Framed()
    if data[:2] == b"\x1f\x8b":
        data, result.cut = inflate(data)
    data = data.removeprefix(UTF8_BOM)
    if not data.strip():
        result.empty = True
        return result
    if data.lstrip()[:1] in (b"{", b"["):
        frame_json(data, result)
    else:
        frame_csv(data, result)
    return result


# ---------------------------------------------------------------- CSV

def frame_csv(data, result):
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        rows = []
    header = [name.strip() for name in rows[0]] if rows else []
    if header[:2] != ["Date (UTC)", "Request ID"]:
        result.refused = True
        return
    result.shape, result.columns = PORTAL_CSV, set(header)
    for row in rows[1:]:
        raw = ",".join(row).encode()
        if row:
            result.items.append((dict(zip(header, row)) if len(row) == len(header) else None, raw))


# ---------------------------------------------------------------- JSON

def parse(raw):
    try:
        return json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def frame_json(data, result):
    whole = parse(data)
    if whole is not None:
        values, broken = [(whole, data)], []
    else:
        if has_whole_lines(data):
            values, broken = lines(data, result)
        else:
            values, broken = document(data, result)
    for value, raw in values:
        spread(value, raw, result)
    result.items += [(None, raw) for raw in broken]
    shapes = [s for s in (shape_of(record) for record, _ in result.items if record is not None) if s]
    if result.shape is None:
        result.shape = shapes[0] if shapes else None
    if result.shape is None:
        envelope = any(isinstance(value, dict) and isinstance(value.get("records"), list) for value, _ in values)
        torn_envelope = result.cut and b'"records"' in data[:40]
        if envelope or torn_envelope:
            result.shape = DIAGNOSTIC
        elif whole == []:
            result.empty = True
        else:
            result.refused = True
            result.items = []


def has_whole_lines(data):
    """Whether some line is a record by itself; the first one may be broken."""
    return any(line.strip().startswith((b"{\"", b"[{")) and parse(line) for line in data.split(b"\n"))


def lines(data, result):
    values, broken = [], []
    for line in data.splitlines(keepends=True):
        raw = line.strip()
        if not raw:
            continue
        value = parse(raw)
        if value is None:
            broken.append(raw)
            # A last line that is broken and has no end was cut with the file.
            result.cut = result.cut or not line.endswith((b"\n", b"\r"))
        else:
            values.append((value, raw))
    return values, broken


def document(data, result):
    """A pretty or one-line document that does not parse: its records as far as they go."""
    text = data.decode("utf-8", "replace")
    values, decoder = [], json.JSONDecoder()
    at = text.find("[") + 1
    result.cut = True
    while at:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            break
        values.append((value, text[at:end].encode()))
        at = end
    tail = text[at:].strip(" \t\r\n,]}")
    return values, [tail.encode()] if tail and at else []


def spread(value, raw, result):
    """Unwraps arrays, envelopes and Graph pages."""
    if isinstance(value, list):
        for item in value:
            spread(item, raw if len(value) == 1 else json.dumps(item).encode(), result)
    elif isinstance(value, dict) and isinstance(value.get("records"), list):
        spread(value["records"], raw, result)
    elif isinstance(value, dict) and isinstance(value.get("eventHubsAzureRecord"), dict):
        spread(value["eventHubsAzureRecord"], raw, result)
    elif isinstance(value, dict) and "@odata.context" in value and isinstance(value.get("value"), list):
        if str(value["@odata.context"]).lower().endswith("auditlogs/signins"):
            result.shape = GRAPH
            before = len(result.items)
            spread(value["value"], raw, result)
            result.pages.append((value.get("@odata.nextLink"), result.items[before:]))
    elif isinstance(value, dict):
        result.items.append((value, raw))
    else:
        result.items.append((None, raw))


def shape_of(record):
    if str(record.get("RecordType")) == "15" and "Operation" in record:
        return AUDIT
    if "properties" in record or ("operationName" in record and "category" in record):
        return DIAGNOSTIC
    if "createdDateTime" in record and "id" in record:
        return SIGN_IN_OBJECTS
    return None
