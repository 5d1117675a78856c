"""Files that the program cannot read, that can hold sign-ins, and whose path names a tenant."""
import io
import random
import zipfile
import zlib

from tenants import Tenant


def senders(rng: random.Random) -> bytes:
    return b"When,Who,ClientApp,Outcome\n2026-09-10T09:00:00Z,scanner@example.com,Authenticated SMTP,Success\n"


def rows_of_a_tool(rng: random.Random) -> bytes:
    return b'{"rows":[{"when":"2026-09-10T09:00:00Z","who":"scanner@example.com","how":"IMAP4"}]}\n'


def markup(rng: random.Random) -> bytes:
    return b"<html><body><table><tr><td>2026-09-10 09:00</td><td>POP3</td></tr></table></body></html>\n"


def utf16(rng: random.Random) -> bytes:
    return senders(rng).decode().encode("utf-16")


def junk(rng: random.Random) -> bytes:
    return b"\x00\x01\x02\x93" + rng.randbytes(3000)


def broken_parquet(rng: random.Random) -> bytes:
    return b"PAR1" + rng.randbytes(800)


def spreadsheet(rng: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/worksheets/sheet1.xml", f"<sheet><c>{rng.random()}</c><c>IMAP4</c></sheet>")
    return out.getvalue()


def gzip_of_another_table(rng: random.Random) -> bytes:
    compress = zlib.compressobj(wbits=31)
    return compress.compress(senders(rng)) + compress.flush()


CONTENTS = {senders: "senders.csv", rows_of_a_tool: "export.json", markup: "log.html", utf16: "unicode.txt", junk: "dump.bin",
            broken_parquet: "signins.parquet", spreadsheet: "signins.xlsx", gzip_of_another_table: "senders.csv.gz"}


def refused_file(tenant: Tenant, rng: random.Random) -> tuple[str, tuple[str, bytes]]:
    """What it is; its path and content."""
    content, name = rng.choice(list(CONTENTS.items()))
    path = rng.choice((
        f"misc/tenantId={tenant.id}/{name}", f"misc/TenantId={tenant.id.upper()}/2026/{name}",
        f"old/insights-logs-signinlogs/tenantId={tenant.id}/y=2026/m=09/d=10/h=09/m=00/{name}",
    ))
    if tenant.delivery == "own" and rng.random() < 0.4:
        path = f"own/{tenant.index:05d}/{name}"
    # Contents differ, so that none is a file that was seen before.
    data = content(rng)
    if content in (senders, rows_of_a_tool, markup):
        data += b"# %d\n" % tenant.index
    return f"{content.__name__.replace('_', ' ')} at {path}", (path, data)
