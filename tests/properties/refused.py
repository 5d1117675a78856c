"""Files that the program cannot read, that can hold sign-ins, and whose path names a tenant."""
import io
import random
import zipfile
import zlib

from tenants import Tenant

# Each content has a number of its own, so that none is a file that was seen before.


def senders(rng: random.Random) -> bytes:
    row = f"2026-09-10T09:00:00Z,scanner{rng.getrandbits(32)}@example.com,Authenticated SMTP,Success"
    return f"When,Who,ClientApp,Outcome\n{row}\n".encode()


def rows_of_a_tool(rng: random.Random) -> bytes:
    who = f"scanner{rng.getrandbits(32)}@example.com"
    return f'{{"rows":[{{"when":"2026-09-10T09:00:00Z","who":"{who}","how":"IMAP4"}}]}}\n'.encode()


def markup(rng: random.Random) -> bytes:
    row = f"<tr><td>2026-09-10 09:00</td><td>POP3</td><td>{rng.getrandbits(32)}</td></tr>"
    return f"<html><body><table>{row}</table></body></html>\n".encode()


def utf16(rng: random.Random) -> bytes:
    return senders(rng).decode().encode("utf-16")


def junk(rng: random.Random) -> bytes:
    return b"\x00\x01\x02\x93" + rng.randbytes(3000)


def broken_parquet(rng: random.Random) -> bytes:
    return b"PAR1" + rng.randbytes(800)


def archive(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content)  # of a fixed date
    return out.getvalue()


def spreadsheet(rng: random.Random) -> bytes:
    sheet = f"<sheet><c>{rng.random()}</c><c>IMAP4</c></sheet>".encode()
    return archive({"[Content_Types].xml": b"<Types/>", "xl/worksheets/sheet1.xml": sheet})


def archive_with_a_folder(rng: random.Random) -> bytes:
    return archive({"export/senders.csv": senders(rng)})


def gzip_of_another_table(rng: random.Random) -> bytes:
    compress = zlib.compressobj(wbits=31)
    return compress.compress(senders(rng)) + compress.flush()


CONTENTS = {
    senders: "senders.csv", rows_of_a_tool: "export.json", markup: "log.html", utf16: "unicode.txt", junk: "dump.bin",
    broken_parquet: "signins.parquet", spreadsheet: "signins.xlsx", archive_with_a_folder: "more.zip",
    gzip_of_another_table: "senders.csv.gz",
}


def refused_file(tenant: Tenant, rng: random.Random) -> tuple[str, tuple[str, bytes]]:
    """What it is; its path and content."""
    content, name = rng.choice(list(CONTENTS.items()))
    path = rng.choice((
        f"misc/tenantId={tenant.id}/{name}", f"misc/TenantId={tenant.id.upper()}/2026/{name}",
        f"old/insights-logs-signinlogs/tenantId={tenant.id}/y=2026/m=09/d=10/h=09/m=00/{name}",
    ))
    if tenant.delivery == "own" and rng.random() < 0.4:
        path = f"own/{tenant.index:05d}/{name}"
    return f"{content.__name__.replace('_', ' ')} at {path}", (path, content(rng))
