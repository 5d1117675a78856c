"""What a sign-in can be: how its record looks, and what it is meant to be."""
import collections

EXO = ("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000")
GRAPH = ("Microsoft Graph", "00000003-0000-0000-c000-000000000000")
PORTAL = ("Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013")
NOTHING = None
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36"
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.14326; Pro)"
OFFICE = ("Microsoft Office", "d3590ed6-52b3-4102-aeff-aad2292ab01c")
TEAMS = ("Microsoft Teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264")
AZURE = ("Azure Portal", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c")
EXCHANGE = ("Office 365 Exchange Online", EXO[1])
SCRIPT = ("Mail merge", "5f0bc0a1-0000-4000-8000-000000000077")
INT, NON = "SignInLogs", "NonInteractiveUserSignInLogs"
WORKLOADS = ["ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs", "MicrosoftServicePrincipalSignInLogs",
             "ADFSSignInLogs"]

SPELLINGS = {
    "pop3": ["POP3", "POP", "Other clients; POP", "pop3", " POP3 "],
    "imap4": ["IMAP4", "IMAP", "Other clients; IMAP", "imap4"],
    "smtp_auth": ["Authenticated SMTP", "SMTP", "Other clients; SMTP", "SMTP Auth", "authenticated  smtp"],
    "exchange_activesync": ["Exchange ActiveSync", "Exchange Active Sync", "Exchange ActiveSync (unSupported)",
                            "Exchange ActiveSync (EAS)", "ActiveSync"],
    "exchange_web_services": ["Exchange Web Services", "ExchangeWebServices"],
    "mapi_over_http": ["MAPI Over HTTP", "MAPI over HTTP", "MAPI", "Other clients; MAPI"],
    "outlook_anywhere_rpc": ["Outlook Anywhere (RPC over HTTP)", "Outlook Anywhere"],
    "offline_address_book": ["Offline Address Book"],
    "remote_powershell": ["Exchange Online PowerShell", "Exchange Online Powershell"],
    "autodiscover": ["Autodiscover", "AutoDiscover"],
    "reporting_web_services": ["Reporting Web Services"],
    "outlook_service": ["Outlook Service", "Universal Outlook"],
    "other_legacy": ["Other clients", "Other client", "Other", "Other clients; Older Office clients",
                     "Other clients; Older office clients"],
}
INTERRUPTS = [50140, 50074, 50076, 50079, 50072, 50158, 50199, 50058, 50132, 50133, 50089, 70044, 16000, 50097,
              65001, 50011, 1000000, 900941]
BLOCKS = [53003] * 8 + [53000, 53001, 53002, 53004, 530003, 500121, 50055, 50057]
FAILS = [50126] * 8 + [50053, 50034, 50056, 700016, 7000215, 700003, 999999]

WORKING = dict(success=86, interrupted=4, blocked=3, failure=7)
SPRAYED = dict(success=0, interrupted=2, blocked=8, failure=90)
SUCCESS, UNKNOWN = dict(success=1), dict(unknown=1)

# client None: the member is absent. details: the authentication steps, see shapes.DETAILS.
Variant = collections.namedtuple("Variant", "client agent auth resource details app", defaults=("", OFFICE))


class Kind:
    """variants with one meaning: `protocol` is where a sign-in is counted, None if it is counted nowhere.
    whose: own, outbound, inbound or mismatched."""

    def __init__(self, protocol, variants, outcomes=WORKING, whose="own", categories=(INT, NON)):
        self.protocol, self.variants, self.whose, self.categories = protocol, variants, whose, categories
        self.classes, self.weights = list(outcomes), list(outcomes.values())


def named(protocol):
    return [Variant(spelling, *rest) for spelling in SPELLINGS[protocol]
            for rest in (("BAV2ROPC", "ropc", EXO, "password", EXCHANGE), ("", "none", EXO, "password"),
                         (OUTLOOK, "ropc", EXO, "password"), ("CBAinPROD", None, EXO, ""),
                         ("MSRPC", None, NOTHING, ""), ("", "none", NOTHING, ""), ("", "ropc", GRAPH, "password"))]


MODERN = [Variant("Browser", CHROME, "none", PORTAL, "mfa", AZURE),
          Variant("Mobile Apps and Desktop clients", OUTLOOK, "none", EXO),
          Variant("Mobile apps and desktop clients", CHROME, "oAuth2", EXO, "mfa", TEAMS),
          Variant("browser", CHROME, None, GRAPH, "", AZURE)]
REWRITES = ("BAV2ROPC", "bav2ropc", "CBAInPROD", "CBAinTAR", "MSRPC")

KINDS = {
    "modern": Kind(None, MODERN, dict(success=90, interrupted=6, blocked=1, failure=3)),
    "oauth_imap": Kind(None, [Variant(s, "Thunderbird/140.3", auth, EXO, "mfa") for s in SPELLINGS["imap4"]
                              for auth in ("oAuth2", "oauth2")]),
    "oauth_smtp": Kind("smtp_auth", [Variant(s, "Thunderbird/140.3", "oAuth2", EXO, "mfa") for s in SPELLINGS["smtp_auth"]]),
    "device_code": Kind(None, [Variant("Other clients", "", "deviceCode", EXO)]),
    "certificate": Kind(None, [Variant(s, "Apple-iPhone15C2/2107.93", "none", EXO, "certificate")
                               for s in SPELLINGS["exchange_activesync"]]),
    "certificate_failed": Kind("exchange_activesync", [
        Variant(s, "Apple-iPhone15C2/2107.93", "none", EXO, "certificate_failed") for s in SPELLINGS["exchange_activesync"]]),
    "unstated_modern": Kind(None, [Variant("", CHROME, "oAuth2", EXO)]),
    "other_exchange": Kind("other_legacy", [v for v in named("other_legacy") if v.resource != GRAPH]),
    "other_elsewhere": Kind("other_legacy", [Variant("Other clients", "python-requests/2.32", "ropc", GRAPH, "password", SCRIPT),
                                             Variant("Other client", "", "ropc", PORTAL, "password", SCRIPT)]),
    "password_grant": Kind(None, [Variant(client, "python-requests/2.32", "ropc", resource, "password", SCRIPT)
                                  for client in ("Mobile Apps and Desktop clients", "Browser") for resource in (EXO, GRAPH)]),
    "rewritten": Kind("other_legacy", [
        *(Variant(client, agent, "ropc", resource, "password", app) for agent in REWRITES for resource in (EXO, NOTHING)
          for client, app in (("Browser", OFFICE), ("Mobile Apps and Desktop clients", OFFICE), ("", OFFICE), (None, OFFICE),
                              ("Unknown", EXCHANGE))),
        *(Variant(client, OUTLOOK, "ropc", EXO, "password", app)
          for client, app in (("Mobile Apps and Desktop clients", EXCHANGE), ("", OFFICE), (None, OFFICE)))]),
    "rewritten_elsewhere": Kind(None, [Variant(client, agent, "ropc", GRAPH, "password")
                                       for client in ("Browser", "Mobile Apps and Desktop clients")
                                       for agent in ("BAV2ROPC", "CBAinPROD")], SUCCESS),
    "unstated_rewritten_elsewhere": Kind("not_stated", [Variant("", "BAV2ROPC", "ropc", GRAPH, "password")], SUCCESS),
    "winrm": Kind("remote_powershell", [Variant(client, "Microsoft WinRM Client", "none", EXO, "password")
                                        for client in ("Browser", "", None, "Unknown", "Other clients")]),
    "unrecognised": Kind("unrecognised", [Variant(client, "", "none", resource)
                                          for client in ("Exchange Quantum Sync", "IMAP5", "Calendar Bridge")
                                          for resource in (EXO, NOTHING)]),
    "unrecognised_elsewhere": Kind("unrecognised", [Variant("Exchange Quantum Sync", "", "none", GRAPH)]),
    "unstated": Kind("not_stated", [Variant(client, "", "none", resource) for client in ("", "Unknown", None)
                                    for resource in (EXO, NOTHING)]),
    "unstated_unknown": Kind("not_stated", [Variant("", "", "none", EXO)], UNKNOWN),
    "unstated_elsewhere": Kind("not_stated", [Variant(client, CHROME, "none", GRAPH) for client in ("", "Unknown", None)]),
    "unstated_failed": Kind("not_stated", [Variant("", "", "none", EXO)], SPRAYED),
    "guest_out_imap": Kind("imap4", [Variant("IMAP4", "", "none", EXO, "password")], whose="outbound"),
    "guest_out_pop": Kind("pop3", [Variant("POP3", "BAV2ROPC", "ropc", EXO, "password")], whose="outbound"),
    "guest_out_unstated": Kind("not_stated", [Variant("", CHROME, "none", EXO)], whose="outbound"),
    "guest_in": Kind("imap4", [Variant("IMAP4", "", "none", EXO, "password")], whose="inbound"),
    "mismatched": Kind(None, [Variant(client, "", "none", EXO, "password") for client in ("IMAP4", "POP3", "", "IMAP5")],
                       SUCCESS, "mismatched"),
    "mismatched_modern": Kind(None, MODERN, SUCCESS, "mismatched"),
    "mixed_outcomes": Kind("smtp_auth", named("smtp_auth"),
                           dict(success=50, interrupted=20, blocked=10, failure=15, unknown=5)),
    "workload": Kind(None, [Variant(None, "", "none", GRAPH), Variant("Unknown", "", "ropc", EXO),
                            Variant("IMAP4", "BAV2ROPC", "ropc", EXO)], categories=WORKLOADS),
}
for _protocol in SPELLINGS:
    KINDS[_protocol] = Kind(_protocol, named(_protocol))
    KINDS["used_" + _protocol] = Kind(_protocol, named(_protocol), SUCCESS)
    KINDS["sprayed_" + _protocol] = Kind(_protocol, named(_protocol), SPRAYED)
    KINDS["unknown_" + _protocol] = Kind(_protocol, named(_protocol), UNKNOWN)
