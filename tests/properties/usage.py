"""Sign-ins that are usage if they succeed in the window, in the many shapes that logs have for them."""
import random

from records import DATES, EXCHANGE, LOGS, SignIn
from tenants import Tenant

SPELLINGS = {
    "pop3": ("POP3", "POP", "Other clients; POP", " pop3 "),
    "imap4": ("IMAP4", "IMAP", "Other clients; IMAP", "imap4"),
    "smtp_auth": ("Authenticated SMTP", "SMTP", "Other clients; SMTP", "SMTP Auth", "authenticated  smtp"),
    "exchange_activesync": ("Exchange ActiveSync", "Exchange Active Sync", "ActiveSync"),
    "exchange_web_services": ("Exchange Web Services", "ExchangeWebServices"),
    "mapi_over_http": ("MAPI Over HTTP", "MAPI"),
    "outlook_anywhere_rpc": ("Outlook Anywhere (RPC over HTTP)", "Outlook Anywhere"),
    "offline_address_book": ("Offline Address Book",),
    "remote_powershell": ("Exchange Online PowerShell",),
    "other_legacy": ("Other clients", "Other", "Other clients; Older Office clients"),
}
NINE = tuple(SPELLINGS)[:9]
REWRITE_AGENTS = ("BAV2ROPC", "CBAInPROD", "CBAinTAR", "MSRPC", "bav2ropc")
MODERN_CLIENTS = ("Browser", "Mobile Apps and Desktop clients")


def named_protocol(rng: random.Random, protocol: str | None = None) -> tuple[str, dict]:
    protocol = protocol or rng.choice((*NINE, "pop3", "imap4", "smtp_auth", "smtp_auth", "other_legacy"))
    agent, auth, resource, app = rng.choice((
        ("BAV2ROPC", "ropc", EXCHANGE, EXCHANGE), ("", "none", EXCHANGE, EXCHANGE), ("", "", "", EXCHANGE),
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.14326; Pro)", "ropc", EXCHANGE, EXCHANGE),
    ))
    return protocol, dict(client=rng.choice(SPELLINGS[protocol]), agent=agent, auth=auth, resource=resource, app=app)


def rewritten(rng: random.Random) -> tuple[str, dict]:
    """A modern client app, and only the user agent shows that Exchange rewrote Basic Authentication."""
    client = rng.choice((*MODERN_CLIENTS, "", None, "Unknown"))
    fields = dict(client=client, agent=rng.choice(REWRITE_AGENTS), auth=rng.choice(("ropc", "", "none")),
                  resource=rng.choice((EXCHANGE, "")))
    return f"rewrite agent with client app {client!r}", fields


def winrm(rng: random.Random) -> tuple[str, dict]:
    client = rng.choice((*MODERN_CLIENTS, "", "Unknown"))
    return f"WinRM agent with client app {client!r}", dict(client=client, agent="Microsoft WinRM Client")


def ropc_by_exchange(rng: random.Random) -> tuple[str, dict]:
    return "ropc by Exchange Online's application", dict(client=rng.choice(MODERN_CLIENTS), auth="ropc", app=EXCHANGE)


def smtp_with_oauth(rng: random.Random) -> tuple[str, dict]:
    """The campaign turns off the whole protocol, so it is usage too."""
    return "smtp_auth with OAuth", dict(client=rng.choice(SPELLINGS["smtp_auth"]), agent="Thunderbird/140.3", auth="oAuth2")


SHAPES = ((named_protocol, 62), (rewritten, 22), (winrm, 5), (ropc_by_exchange, 6), (smtp_with_oauth, 5))


def some_usage(tenant: Tenant, rng: random.Random) -> tuple[str, list[SignIn]]:
    """What it is, and one to three sign-ins in the window."""
    make = rng.choices([shape for shape, _ in SHAPES], [weight for _, weight in SHAPES])[0]
    what, fields = make(rng)
    fields |= people(tenant, rng)
    log = rng.choice(LOGS)
    sign_ins = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        place = rng.random()
        times = (dict(day=0, second=0) if place < 0.04 else dict(day=29, second=86_399, fraction=".999999") if place < 0.08
                 else dict(day=rng.randrange(30), second=rng.randrange(86_400)))
        sign_ins.append(tenant.sign_in(log, **(times | fields)))
    days = ", ".join(DATES[s.day] for s in sign_ins)
    return f"{what} in the {log} log on {days}", sign_ins


def people(tenant: Tenant, rng: random.Random) -> dict:
    """Whose sign-in it is: a user's, a guest's, nobody's."""
    x = rng.random()
    if x < 0.08:
        return dict(home=tenant.other, resource_tenant=tenant.id)
    if x < 0.16:
        return dict(home=rng.choice(("", "00000000-0000-0000-0000-000000000000")), resource_tenant=tenant.id)
    if x < 0.22:
        return dict(user="", address=f"Scanner@tenant{tenant.index}.example.com")
    if x < 0.26:
        return dict(user="")
    if x < 0.4:
        return dict(home=tenant.id, resource_tenant=tenant.id)
    return {}
