"""Lines that cannot be read and name their tenant, and what may be left of a sign-in in them."""
import random

from records import CATEGORY_NAMES, LOGS, SignIn, diagnostic
from tenants import Reject, Tenant
from usage import MODERN_CLIENTS, REWRITE_AGENTS, SPELLINGS


def legacy(tenant: Tenant, rng: random.Random, log: str, day: int, **fields) -> SignIn:
    protocol = rng.choice(("pop3", "imap4", "smtp_auth"))
    values = dict(client=rng.choice(SPELLINGS[protocol]), id=f"{tenant.index:08x}-dead-4000-8000-{rng.getrandbits(48):012x}")
    return tenant.sign_in(log, day, **(values | fields))


def cut_after_the_client(tenant, rng, log, day) -> bytes:
    line = diagnostic(legacy(tenant, rng, log, day, agent="Mozilla/5.0"), tenant.id)
    return line[:line.index(b'"userAgent"')]


def cut_before_the_client(tenant, rng, log, day) -> bytes:
    line = diagnostic(legacy(tenant, rng, log, day), tenant.id)
    return line[:line.index(b'"clientAppUsed"') - rng.randrange(1, 30)]


def cut_after_a_rewrite_agent(tenant, rng, log, day) -> bytes:
    agent = rng.choice(REWRITE_AGENTS)
    line = diagnostic(legacy(tenant, rng, log, day, client=rng.choice(MODERN_CLIENTS), agent=agent), tenant.id)
    return line[:line.index(b'"status"')]


def cut_after_ropc(tenant, rng, log, day) -> bytes:
    line = diagnostic(legacy(tenant, rng, log, day, client="Browser", auth="ropc"), tenant.id)
    return line[:line.index(b'"resourceId"')]


def bad_bytes(tenant, rng, log, day) -> bytes:
    line = diagnostic(legacy(tenant, rng, log, day, agent="L??x"), tenant.id)
    # Neither UTF-8 nor Windows-1252.
    return line.replace(b"??", b"\x81\x8d")


def garbage_behind(tenant, rng, log, day) -> bytes:
    return diagnostic(legacy(tenant, rng, log, day), tenant.id) + b"}]"


def client_unknown(tenant, rng, log, day) -> bytes:
    line = diagnostic(legacy(tenant, rng, log, day, client=rng.choice(("Unknown", "", "IMAP5")), agent="x"), tenant.id)
    return line[:line.index(b'"userAgent"')]


def tenant_in_the_resource_path(tenant, rng, log, day) -> bytes:
    s = legacy(tenant, rng, log, day)
    return (f'{{"time":"{s.time}","resourceId":"/tenants/{tenant.id}/providers/Microsoft.aadiam","category":'
            f'"{CATEGORY_NAMES[log]}","properties":{{"id":"{s.id}","clientAppUsed":"{s.client}","userAg').encode()


def impossible_time(tenant, rng, log, day) -> bytes:
    line = diagnostic(legacy(tenant, rng, log, day), tenant.id)
    return line.replace(b'"time":"2026', b'"time":"1626').replace(b'"createdDateTime":"2026', b'"createdDateTime":"1626')


def no_time(tenant, rng, log, day) -> bytes:
    s = legacy(tenant, rng, log, day)
    line = diagnostic(s, tenant.id)
    return line.replace(f'"time":"{s.time}",'.encode(), b"").replace(f'"createdDateTime":"{s.time}",'.encode(), b"")


def two_torn_lines(tenant, rng, log, day) -> bytes:
    """The beginning of one record and the end of another, as two writers leave them."""
    first = diagnostic(legacy(tenant, rng, log, day), tenant.id)
    second = diagnostic(legacy(tenant, rng, log, day, client="Browser"), tenant.id)
    return first[:first.index(b'"userId":') + rng.randrange(11, 20)] + second[second.index(b'"appId"'):]


def cut_modern(tenant, rng, log, day) -> bytes:
    line = diagnostic(legacy(tenant, rng, log, day, client=rng.choice(MODERN_CLIENTS), agent="Mozilla/5.0"), tenant.id)
    return line[:line.index(b'"userAgent"')]


UNTIMED_LINES = (impossible_time, no_time, two_torn_lines)
LEGACY_LINES = (cut_after_the_client, cut_before_the_client, cut_after_a_rewrite_agent, cut_after_ropc, bad_bytes,
                client_unknown, tenant_in_the_resource_path, *UNTIMED_LINES)
MODERN_LINES = (cut_modern,)
# The program does not believe such a line's own word for its tenant. In a file of several tenants it is a doubt of
# all that came with it, which would leave nobody to test.
LINES_OF_ONE_TENANT = (garbage_behind,)


def portal_row_cut(tenant: Tenant, rng: random.Random, log: str, day: int, client: str) -> bytes:
    """A row that ends behind its client app; the path of the file names the tenant."""
    s = legacy(tenant, rng, log, day, client=client)
    return f"{s.time},{s.id},{s.user},,{s.app},{s.resource},,,Success,None,{client}".encode()


def make_reject(tenant: Tenant, rng: random.Random, day: int, lines) -> tuple[str, Reject]:
    """What it is, and the line in the tenant's files."""
    if lines is LEGACY_LINES and tenant.delivery in ("own", "storage"):
        lines += LINES_OF_ONE_TENANT
    make = rng.choice(lines)
    log = rng.choice(LOGS)
    name = f"{make.__name__.replace('_', ' ')} ({log}, day {day})"
    if tenant.delivery == "portal":
        client = "Browser" if lines is MODERN_LINES else rng.choice(("IMAP4", "POP3", "Authenticated SMTP"))
        row = portal_row_cut(tenant, rng, log, day, client)
        return f"portal row cut after {client} ({log}, day {day})", Reject(log, day, row)
    return name, Reject(log, day, make(tenant, rng, log, day))
