"""The vocabulary: categories, protocols and their spellings, error codes, campaigns."""
import collections
import re

EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
EXCHANGE_POWERSHELL = "fb78d390-0c51-40cd-8e17-fdbfab77341b"

CATEGORY = {
    "signinlogs": "interactive",
    "noninteractiveusersigninlogs": "non_interactive",
    "serviceprincipalsigninlogs": "service_principal",
    "managedidentitysigninlogs": "managed_identity",
    "microsoftserviceprincipalsigninlogs": "microsoft_service_principal",
    "adfssigninlogs": "adfs",
}
USER_CATEGORIES = ("interactive", "non_interactive", None)
REQUIRED_CATEGORIES = ("interactive", "non_interactive")

NINE = ["pop3", "imap4", "smtp_auth", "exchange_activesync", "exchange_web_services",
        "offline_address_book", "mapi_over_http", "outlook_anywhere_rpc", "remote_powershell"]
OUTLOOK = {"exchange_web_services", "mapi_over_http", "outlook_anywhere_rpc", "offline_address_book"}

# disables_smtp: the campaign turns SMTP AUTH off as a whole, not only Basic in it.
Campaign = collections.namedtuple("Campaign", "scope disables_smtp app_ids")
CAMPAIGNS = {
    "basic-auth-all-protocols": Campaign(NINE, True, ()),
    "smtp-auth-2026": Campaign(["smtp_auth"], True, ()),
    "exchange-powershell-credential": Campaign(["password_grant"], False, (EXCHANGE_POWERSHELL,)),
}


def group_of(protocol):
    return OUTLOOK if protocol in OUTLOOK else {protocol}


MODERN, NOT_STATED, UNRECOGNISED = "MODERN", "not_stated", "unrecognised"
SPELLINGS = {
    "pop3": "POP3|POP|Other clients; POP",
    "imap4": "IMAP4|IMAP|Other clients; IMAP",
    "smtp_auth": "Authenticated SMTP|SMTP|Other clients; SMTP|SMTP Auth",
    "exchange_activesync": "Exchange ActiveSync|Exchange Active Sync|Exchange ActiveSync (unSupported)"
                           "|Exchange ActiveSync (EAS)|ActiveSync",
    "exchange_web_services": "Exchange Web Services|ExchangeWebServices",
    "mapi_over_http": "MAPI over HTTP|MAPI|Other clients; MAPI",
    "outlook_anywhere_rpc": "Outlook Anywhere (RPC over HTTP)|Outlook Anywhere",
    "offline_address_book": "Offline Address Book",
    "remote_powershell": "Exchange Online PowerShell",
    "autodiscover": "Autodiscover",
    "reporting_web_services": "Reporting Web Services",
    "outlook_service": "Outlook Service|Universal Outlook",
    "other_legacy": "Other clients|Other client|Other|Other clients; Older Office clients",
    MODERN: "Browser|Mobile Apps and Desktop clients",
    NOT_STATED: "Unknown",
}
FOLD = {name.lower(): protocol for protocol, names in SPELLINGS.items() for name in names.split("|")}


def fold(client_app):
    """The protocol that a client app names; MODERN, NOT_STATED and UNRECOGNISED beside the protocols."""
    if not client_app:
        return NOT_STATED
    return FOLD.get(" ".join(client_app.lower().split()), UNRECOGNISED)


REWRITE_AGENTS = ("bav2ropc", "cbainprod", "cbaintar", "msrpc")
WINRM_AGENT = "microsoft winrm client"

INTERRUPTED = {50140, 50074, 50076, 50079, 50072, 50158, 50199,
               50058, 50132, 50133, 50089, 70044, 16000, 50097, 65001, 50011, 1000000, 900941}
BLOCKED = {53000, 53001, 53002, 53003, 53004, 530003, 500121, 50055, 50057}


def outcome_of_code(code):
    """The outcome of an error code; anything that is no number is no status."""
    try:
        code = int(str(code).strip())
    except ValueError:
        return "unknown"
    if code == 0:
        return "success"
    if code in INTERRUPTED:
        return "interrupted"
    return "blocked" if code in BLOCKED else "failure"


GUID = re.compile(r"\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?$", re.IGNORECASE)
NIL = "00000000-0000-0000-0000-000000000000"


def guid(text):
    """A GUID in lower case, or None for anything else."""
    m = GUID.match(text.strip()) if isinstance(text, str) else None
    return m.group(1).lower() if m else None


def known_tenant(text):
    """The id of a home or resource tenant; empty and all-zero ids are unknown."""
    text = text.strip().lower() if isinstance(text, str) else ""
    return None if text in ("", NIL) else text
