#!/usr/bin/env python3
"""Writes a large dump of raw sign-in logs whose truth is known.

    generate.py --records N --tenants T --seed S --out DIR [--as-of DATE]

DIR/logs/**                    Azure Monitor diagnostic records: newline-delimited (plain, gzip, gzip of
                               several members), {"records":[...]} envelopes, JSON arrays, storage layout
DIR/roster.csv                 the tenants, some excluded, some with declared ranges, some in no log
DIR/truth/protocol_usage.csv   what a count over the window must find (rows in which nothing is counted
                               are left out), taken from what was meant, never from what was written
DIR/truth/files.csv            file, records, rows, rejected, not_sign_ins
DIR/truth/params.json          seed, as_of, window

The same arguments give the same bytes.  N is met to within a few records a tenant.
"""
import argparse
import csv
import datetime as dt
import gzip
import json
import multiprocessing
import os
import random
import shutil

DAY = 86_400_000_000
EXO = ("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000")
GRAPH = ("Microsoft Graph", "00000003-0000-0000-c000-000000000000")
PORTAL = ("Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013")
NOTHING = None
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.14326; Pro)"
INT, NON = "SignInLogs", "NonInteractiveUserSignInLogs"

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
BLOCKS = [53003] * 8 + [53000, 53001, 53002, 53004, 500121, 50055, 50057]
FAILS = [50126] * 8 + [50053, 50034, 50056, 700016, 7000215, 700003, 999999]

# A kind of sign-in: variants of (client, agent, authentication protocol, resource, details), what they
# are meant to be (protocol or None, provably modern or not), and how their outcomes fall.
# client None: the member is absent.
WORKING = dict(success=86, interrupted=4, blocked=3, failure=7)
SPRAYED = dict(success=0, interrupted=2, blocked=8, failure=90)


class Kind:
    def __init__(self, variants, protocol, modern=False, outcomes=WORKING, **where):
        self.variants, self.protocol, self.modern, self.where = variants, protocol, modern, where
        self.classes, self.weights = list(outcomes), list(outcomes.values())


def named(protocol):
    return [(s, a, p, r, d) for s in SPELLINGS[protocol]
            for a, p, r, d in (("BAV2ROPC", "ropc", EXO, "password"), ("", "none", EXO, "password"),
                               (OUTLOOK, "ropc", EXO, "password"), ("CBAinPROD", None, EXO, ""),
                               ("MSRPC", None, NOTHING, ""), ("", "none", NOTHING, ""))]


KINDS = {
    "modern": Kind([("Browser", CHROME, "none", PORTAL, "mfa"), ("Mobile Apps and Desktop clients", OUTLOOK, "none", EXO, ""),
                    ("Mobile apps and desktop clients", CHROME, "oAuth2", EXO, "mfa"), ("browser", CHROME, None, GRAPH, "")],
                   None, True, dict(success=90, interrupted=6, blocked=1, failure=3)),
    "oauth_imap": Kind([(s, "Thunderbird/140.3", p, EXO, "mfa") for s in SPELLINGS["imap4"] for p in ("oAuth2", "oauth2")],
                       "imap4", True),
    "device_code": Kind([("Other clients", "", "deviceCode", EXO, "")], "other_legacy", True),
    "eas_certificate": Kind([(s, "Apple-iPhone15C2/2107.93", "none", EXO, "certificate")
                             for s in SPELLINGS["exchange_activesync"]], "exchange_activesync", True),
    "unstated_modern": Kind([("", CHROME, "oAuth2", EXO, "")], "not_stated", True),
    "other_exchange": Kind([v for v in named("other_legacy")], "other_legacy"),
    "other_elsewhere": Kind([("Other clients", "python-requests/2.32", "ropc", GRAPH, "password"),
                             ("Other client", "", "ropc", PORTAL, "password")], "other_legacy"),
    "modern_ropc_elsewhere": Kind([("Mobile Apps and Desktop clients", "python-requests/2.32", "ropc", GRAPH, "password")],
                                  None, True),
    "rewritten": Kind([(c, a, "ropc", EXO, "password")
                       for c in ("Browser", "Mobile Apps and Desktop clients", "", None, "Unknown")
                       for a in ("BAV2ROPC", "bav2ropc", "CBAInPROD", "CBAinTAR", "MSRPC", OUTLOOK)], "other_legacy"),
    "winrm": Kind([(c, "Microsoft WinRM Client", "none", EXO, "password") for c in ("Browser", "", None, "Unknown")],
                  "remote_powershell"),
    "unrecognised": Kind([(c, "", "none", r, "") for c in ("Exchange Quantum Sync", "IMAP5", "Calendar Bridge")
                          for r in (EXO, NOTHING)], "unrecognised"),
    "unrecognised_elsewhere": Kind([("Exchange Quantum Sync", "", "none", GRAPH, "")], "unrecognised"),
    "unstated": Kind([(c, "", "none", r, "") for c in ("", "Unknown", None) for r in (EXO, NOTHING)], "not_stated"),
    "unstated_elsewhere": Kind([(c, CHROME, "none", GRAPH, "") for c in ("", "Unknown", None)], "not_stated"),
    "unstated_failed": Kind([("", "", "none", EXO, "")], "not_stated", outcomes=SPRAYED),
    "guest_out": Kind([("", CHROME, "none", GRAPH, ""), ("IMAP4", "", "none", EXO, "password"),
                       ("POP3", "BAV2ROPC", "ropc", EXO, "password")], "?", resource_tenant="other"),
    "guest_in": Kind([("IMAP4", "", "none", EXO, "password")], "imap4", home="other"),
    "unknown_imap": Kind([("IMAP4", "", "none", EXO, "")], "imap4", outcomes=dict(unknown=1)),
    "workload": Kind([(None, "", "none", GRAPH, ""), ("Unknown", "", "ropc", EXO, ""), ("IMAP4", "BAV2ROPC", "ropc", EXO, "")],
                     None, True, categories=["ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs",
                                             "MicrosoftServicePrincipalSignInLogs", "ADFSSignInLogs"]),
}
for _p in SPELLINGS:
    KINDS[_p] = Kind(named(_p), _p)
    KINDS["sprayed_" + _p] = Kind(named(_p), _p, outcomes=SPRAYED)
KINDS["mixed_outcomes"] = Kind(named("smtp_auth"), "smtp_auth",
                               outcomes=dict(success=50, interrupted=20, blocked=10, failure=15, unknown=5))
GUEST_OUT_PROTOCOL = {"": "not_stated", "IMAP4": "imap4", "POP3": "pop3"}

BASE = dict(modern=80, workload=4, modern_ropc_elsewhere=1)
PROFILES = [  # what a tenant does beside BASE, and which of its days and categories are there
    dict(),
    dict(pop3=6, imap4=8),
    dict(smtp_auth=10, sprayed_imap4=4),
    dict(sprayed_smtp_auth=10, sprayed_imap4=6, sprayed_pop3=2),
    dict(other_exchange=8),
    dict(other_elsewhere=8, unstated_elsewhere=3),
    dict(sprayed_imap4=3, sprayed_autodiscover=1, _missing=True),
    dict(sprayed_smtp_auth=2, oauth_imap=1, _from=20),
    dict(modern=1, _only=INT),
    dict(unknown_imap=3, sprayed_imap4=3),
    dict(unrecognised=3, unrecognised_elsewhere=2),
    dict(unstated=3, unstated_failed=3),
    dict(pop3=4, exchange_web_services=2, _legacy_before=True),
    dict(guest_out=6, sprayed_pop3=1),
    dict(exchange_web_services=3, mapi_over_http=3, outlook_anywhere_rpc=2, offline_address_book=1, guest_in=2),
    dict(oauth_imap=6, eas_certificate=6, device_code=3, unstated_modern=3),
    dict(exchange_activesync=4, sprayed_smtp_auth=2, _storage=True),
    dict({p: 1 for p in SPELLINGS}, mixed_outcomes=4, rewritten=4, winrm=2, guest_out=2, guest_in=2, unrecognised=1,
         unstated=1, oauth_imap=2, eas_certificate=2),
    dict(sprayed_imap4=3, _unsettled=True),
    dict(sprayed_smtp_auth=3, _missing=True, _declared=True),
    dict(rewritten=5, winrm=2),
    dict(autodiscover=3, reporting_web_services=2, outlook_service=2),
    dict(unrecognised_elsewhere=3, unstated_elsewhere=3, unstated_failed=3),
    dict(remote_powershell=3, mixed_outcomes=3),
    dict(smtp_auth=4, _excluded=True),
    dict(unknown_imap=1, mixed_outcomes=2),
]

_dates = {}


def when_text(t, tick, zone):
    """RFC 3339 with seven digits; zone 'Z', '+00:00' or '-05:00'."""
    if zone == "-05:00":
        t -= 5 * 3_600_000_000
    days, rest = divmod(t, DAY)
    date = _dates.get(days)
    if date is None:
        date = _dates[days] = (dt.date(1970, 1, 1) + dt.timedelta(days)).isoformat()
    s, us = divmod(rest, 1_000_000)
    return f"{date}T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}.{us:06d}{tick}{zone}"


DETAILS = {
    "": "[]",
    "password": '[{"authenticationMethod":"Password","authenticationMethodDetail":"Password Hash Sync","succeeded":true,'
                '"authenticationStepRequirement":"Primary authentication"}]',
    "mfa": '[{"authenticationMethod":"Previously satisfied","succeeded":true,"authenticationStepResultDetail":'
           '"MFA requirement satisfied by claim in the token"}]',
    "certificate": '[{"authenticationMethod":"X.509 Certificate","succeeded":true,'
                   '"authenticationStepRequirement":"Primary authentication"}]',
}


def render(tenant, category, number, correlation, created, emitted, user_part, user_name, client, agent, protocol,
           resource, details, code, home, resource_part, ip):
    if code is None:
        result, status = "", ""
    else:
        result = f'"resultType":"{code}","resultSignature":"{"FAILURE" if code else "SUCCESS"}",'
        status = (f'"status":{{"errorCode":{code},"failureReason":"Other."}},' if code
                  else '"status":{"errorCode":0,"additionalDetails":"MFA requirement satisfied by claim in the token"},')
    client = "" if client is None else f'"clientAppUsed":"{client}",'
    protocol = "" if protocol is None else f',"authenticationProtocol":"{protocol}"'
    resource = "" if resource is None else f'"resourceDisplayName":"{resource[0]}","resourceId":"{resource[1]}",'
    created = "" if created is None else f'"createdDateTime":"{created}",'
    number = "" if number is None else f'"id":"{number}","originalRequestId":"{number}",'
    return (
        f'{{"time":"{emitted}","resourceId":"/tenants/{tenant}/providers/Microsoft.aadiam","operationName":"Sign-in activity",'
        f'"operationVersion":"1.0","category":"{category}","tenantId":"{tenant}",{result}"durationMs":0,'
        f'"callerIpAddress":"{ip}","correlationId":"{correlation}","identity":"{user_name}","Level":4,"location":"GB",'
        f'"properties":{{{number}{created}"userDisplayName":"{user_name}",{user_part}'
        f'"appId":"d3590ed6-52b3-4102-aeff-aad2292ab01c","appDisplayName":"Microsoft Office","ipAddress":"{ip}",{status}'
        f'{client}"userAgent":"{agent}","deviceDetail":{{"deviceId":"","operatingSystem":"Windows10","browser":""}},'
        f'"location":{{"city":"Whitby","countryOrRegion":"GB","geoCoordinates":{{"latitude":54.486,"longitude":-0.613}}}},'
        f'"correlationId":"{correlation}","conditionalAccessStatus":"notApplied","appliedConditionalAccessPolicies":[],'
        f'"isInteractive":{"true" if category == INT else "false"},"tokenIssuerName":"","tokenIssuerType":"AzureAD",'
        f'"networkLocationDetails":[],"processingTimeInMilliseconds":91,"riskDetail":"none","riskState":"none",'
        f'"riskLevelAggregated":"none","riskEventTypes_v2":[],{resource}{resource_part}"homeTenantId":"{home}",'
        f'"authenticationDetails":{details},"authenticationRequirement":"singleFactorAuthentication","userType":"Member",'
        f'"autonomousSystemNumber":64500,"incomingTokenType":"none"{protocol}}}}}').encode()


class File:
    """One raw file. kinds: ndjson, gz, members, envelope, array."""

    def __init__(self, root, name, kind):
        self.name, self.kind, self.n, self.root = name, kind, 0, root
        self.account = dict(records=0, rows=0, rejected=0, not_sign_ins=0)
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.raw = open(path, "wb")
        self.out = gzip.GzipFile("", "wb", 1, self.raw, 0) if kind in ("gz", "members") else self.raw
        self.batch = []
        if kind == "array":
            self.out.write(b"[\n")

    takes_bad_lines = property(lambda self: self.kind in ("ndjson", "gz", "members"))

    def put(self, data, fate="rows"):
        self.n += 1
        self.account["records"] += 1
        self.account[fate] += 1
        if self.kind == "envelope":
            self.batch.append(data)
            if len(self.batch) == 40:
                self.flush()
        elif self.kind == "array":
            self.out.write(data if self.n == 1 else b",\n" + data)
        else:
            self.out.write(data + b"\n")
            if self.kind == "members" and self.n % 5000 == 0:
                self.out.close()
                self.out = gzip.GzipFile("", "wb", 1, self.raw, 0)

    def flush(self):
        if self.batch:
            self.out.write(b'{"records":[' + b",".join(self.batch) + b"]}\n")
            self.batch = []

    def close(self):
        if self.kind == "envelope":
            self.flush()
        if self.kind == "array":
            self.out.write(b"\n]\n")
        if self.out is not self.raw:
            self.out.close()
        self.raw.close()


class Truth:
    def __init__(self, start, end):
        self.start, self.end, self.table = start, end, {}

    def tell(self, tenant, protocol, t, user, outcome, own):
        if protocol is None or not self.start <= t < self.end or (outcome == "success" and not own):
            return
        line = self.table.setdefault((tenant, protocol), [set(), dict.fromkeys(
            ("success", "interrupted", "blocked", "failure", "unknown"), 0), 0])
        if outcome == "success":
            line[0].add(user)
        line[1][outcome] += 1
        line[2] = max(line[2], t)


class Tenant:
    def __init__(self, index, seed, as_of):
        self.rng = random.Random(f"{seed}/{index}")
        self.index = index
        self.id = f"{self.rng.getrandbits(32):08x}-{index:04x}-4{self.rng.getrandbits(12):03x}-9{self.rng.getrandbits(12):03x}-{self.rng.getrandbits(48):012x}"
        self.other = f"{self.rng.getrandbits(32):08x}-ffff-4fff-9fff-{index:012x}"
        profile = dict(PROFILES[index % len(PROFILES)])
        self.flags = {k for k in profile if k[0] == "_"}
        if index >= 104:
            self.flags.discard("_storage")        # a few tenants' thousands of small files are enough
        self.only, self.history = profile.pop("_only", None), profile.pop("_from", None)
        kinds = dict(BASE)
        for k, v in profile.items():
            if k[0] != "_":
                kinds[k] = max(kinds.get(k, 0), v)
        self.kinds = list(kinds)
        total, self.cumulative = 0, []
        for v in kinds.values():
            total += v
            self.cumulative.append(total)
        end = as_of // DAY
        start = end - 30
        first, last = end - 100, end + 1
        if self.history:
            first = end - self.history
        if "_unsettled" in self.flags:
            last = end - 3
        hole = set()
        if "_missing" in self.flags:
            at = start + self.rng.randrange(3, 20)
            hole = set(range(at, at + self.rng.choice([5, 6, 7])))
        self.days = [d for d in range(first, last + 1) if d not in hole]
        self.near = [d for d in self.days if start <= d < end]
        self.before = [d for d in self.days if start - 60 <= d < start] or self.near
        self.sequence, self.last = 0, None
        self.users = [(f"{index:08x}-0000-4000-8000-{n:012x}", f"User{n}.Name@Tenant{index}.Example.COM")
                      for n in range(self.rng.randrange(3, 40))]

    def category(self):
        return self.only or (INT if self.rng.random() < 0.35 else NON)


class Worker:
    def __init__(self, root, part, parts, records, tenants, seed, as_of):
        self.root, self.as_of = root, as_of
        self.truth = Truth(as_of - 30 * DAY, as_of)
        self.rng = random.Random(f"{seed}/part{part}")
        self.tenants = [Tenant(i, seed, as_of) for i in range(tenants) if i % parts == part]
        weights = [1 / (1 + t.index) ** 0.5 for t in self.tenants]
        share = records // parts
        self.budgets = [max(70, int(share * w / sum(weights))) for w in weights]
        kinds = ["ndjson", "gz", "envelope", "array", "members"]
        files = max(len(kinds), round(share * 1400 / 45_000_000))
        suffix = dict(ndjson=".json", gz=".ndjson.gz", envelope=".json", array=".json", members=".json.gz")
        self.files = [File(root, f"{['alpha', 'beta', 'gamma'][n % 3]}/{kinds[n % 5]}-{part}-{n:02d}{suffix[kinds[n % 5]]}",
                           kinds[n % 5]) for n in range(files)]
        self.storage = {}   # path -> [bytes]

    def write(self, tenant, data, category, emitted, other=None):
        """Into any file (not `other`); a storage tenant's into its own folders. Returns the file."""
        if "_storage" in tenant.flags and other is None:
            d = dt.date(1970, 1, 1) + dt.timedelta(emitted // DAY)
            path = (f"insights-logs-{category.lower()}/tenantId={tenant.id}/y={d.year}/m={d.month:02d}/d={d.day:02d}/"
                    f"h=23/m=00/PT1H.json")
            self.storage.setdefault(path, []).append(data)
            return path
        f = self.files[int(self.rng.random() * len(self.files))]
        if f is other:
            f = self.files[(self.files.index(f) + 1) % len(self.files)]
        f.put(data)
        return f

    def sign_in(self, tenant, kind, t=None, category=None):
        """One sign-in: decides what it is, tells the truth, writes its one to three records."""
        r = tenant.rng
        variant = kind.variants[int(r.random() * len(kind.variants))]
        client, agent, protocol, resource, details = variant
        meant = GUEST_OUT_PROTOCOL[client] if kind.protocol == "?" else kind.protocol
        if category is None:
            category = r.choice(kind.where["categories"]) if "categories" in kind.where else tenant.category()
        if t is None:
            x = r.random()
            if "_legacy_before" in tenant.flags and not kind.modern:
                days = tenant.before
            else:
                days = tenant.near if x < 0.7 else tenant.before if x < 0.9 else tenant.days
            t = days[int(r.random() * len(days))] * DAY + int(r.random() * DAY)
            if t >= self.as_of + DAY:
                t -= DAY // 2 if t - DAY // 2 >= self.as_of + DAY else 0
        tick = int(r.random() * 10)
        outcome = r.choices(kind.classes, kind.weights)[0] if len(kind.classes) > 1 else kind.classes[0]
        # the person
        who = int(r.random() * len(tenant.users))
        uid, upn = tenant.users[who]
        x = r.random()
        spelled = upn if x < 0.4 else upn.upper() if x < 0.6 else upn.lower()
        if who % 7 == 5:       # never has an id
            user, user_part = upn.lower(), f'"userPrincipalName":"{spelled}",' + ('"userId":"",' if x < 0.5 else "")
        elif x > 0.995:        # nobody
            user, user_part = f"?{meant}", '"userPrincipalName":"","userId":"",'
        else:
            user, user_part = uid, f'"userPrincipalName":"{uid if x > 0.9 else spelled}","userId":"{uid}",'
        # the tenants
        own, home = True, tenant.id
        resource_part = f'"resourceTenantId":"{tenant.id}",'
        if kind.where.get("resource_tenant") == "other":
            own, resource_part = False, f'"resourceTenantId":"{tenant.other}",'
        elif kind.where.get("home") == "other":
            home = tenant.other
        elif x < 0.03:
            resource_part = "" if x < 0.015 else '"resourceTenantId":null,'
        # Ids occur in two tenants' logs (guests), and now and then in two categories of one tenant.
        if tenant.last not in (None, category) and r.random() < 0.01:
            tenant.last = None
        else:
            tenant.sequence += 1
            tenant.last = category
        number = f"{tenant.index // 2:08x}-{tenant.sequence >> 32:04x}-4abc-8def-{tenant.sequence & 0xffffffffffff:012x}"
        correlation = f"{tenant.sequence:08x}-cccc-4ccc-8ccc-{tenant.index:012x}"
        ip = f"203.0.113.{1 + who}" if x < 0.9 else f"2001:db8::{who:x}"
        lag = int(r.random() * 1_800_000_000) if r.random() < 0.97 else int(r.random() * 6 * 3_600_000_000)
        emitted = t + lag
        zone = "+00:00" if x < 0.8 else "Z" if x < 0.95 else "-05:00"
        created = when_text(t, tick, zone)
        if 0.300 < x < 0.302:                     # no createdDateTime: the emission stands for it
            created, emitted = None, t
        if 0.400 < x < 0.402:
            number = None                          # no id: each such record is a sign-in of its own

        def make(outcome, emitted, client=client, protocol=protocol, details=details, number=number):
            code = {"success": 0, "unknown": None}.get(outcome, 1)
            if code:
                code = r.choice({"interrupted": INTERRUPTS, "blocked": BLOCKS, "failure": FAILS}[outcome])
            return render(tenant.id, category, number, correlation, created, when_text(emitted, tick, "Z"), user_part,
                          f"User {who}", client, agent, protocol, resource, DETAILS[details], code, home, resource_part, ip)

        def tell(outcome):
            if not kind.modern:
                self.truth.tell(tenant.id, meant, t, user, outcome, own)

        x = r.random()
        if x < 0.001 and "_storage" not in tenant.flags:     # the only record of it, cut in two: lost
            f = self.rng.choice([f for f in self.files if f.takes_bad_lines])
            data = make(outcome, emitted)
            f.put(data[:r.randrange(1, len(data))], "rejected")
            return 1
        f = self.write(tenant, make(outcome, emitted), category, emitted)
        tell_outcome, written = outcome, 1
        if number is not None and x > 0.9 and created is not None:
            later = emitted + 60_000_000 + int(r.random() * 7_200_000_000)
            if x < 0.93:                                      # told again, nothing changed
                self.write(tenant, make(outcome, later), category, later, f)
                written = 2
            elif x < 0.95:                                    # told again, the outcome has changed
                tell_outcome = "success" if outcome == "interrupted" else outcome
                if outcome == "success":                      # it had begun as an interrupt
                    self.write(tenant, make("interrupted", emitted - 30_000_000), category, emitted, f)
                else:
                    self.write(tenant, make(tell_outcome, later), category, later, f)
                written = 2
            elif x < 0.96:                                    # three times, in three files, the middle one last
                self.write(tenant, make("failure", emitted - 20_000_000), category, emitted, f)
                self.write(tenant, make("interrupted", emitted - 10_000_000), category, emitted, f)
                written = 3
            elif x < 0.965 and client and client != "Unknown":  # a later one without a client app does not speak
                self.write(tenant, make("failure", later, client=None, protocol="none"), category, later, f)
                written = 2
            elif x < 0.97 and not kind.modern and meant == "imap4":   # nor does a later one that is provably modern
                self.write(tenant, make("failure", later, protocol="oAuth2") if agent == "" else
                           make(outcome, later), category, later, f)
                written = 2
            elif 0.97 < x < 0.973:                    # told again, but that line was cut
                bad = next(g for g in self.files if g.takes_bad_lines and g is not f)
                data = make("failure", later)
                bad.put(data[:len(data) // 2], "rejected")
                written = 2
        tell(tell_outcome)
        return written

    def noise(self, tenant):
        """Records that are no sign-ins, or no records at all."""
        f = self.rng.choice(self.files)
        x = self.rng.random()
        t = self.as_of - int(self.rng.random() * 30 * DAY)
        text = when_text(t, 0, "Z")
        if x < 0.5:
            operation, category = self.rng.choice([("Update user", "AuditLogs"), ("Add member to group", "AuditLogs"),
                                                   ("User Risk Detection", "UserRiskEvents")])
            f.put(json.dumps({"time": text, "operationName": operation, "category": category, "tenantId": tenant.id,
                              "properties": {"id": f"Directory_{t}"}}, separators=(",", ":")).encode(), "not_sign_ins")
            return
        data = render(tenant.id, NON, f"{tenant.index:08x}-dead-4abc-8def-{t & 0xffffffffffff:012x}", "x", text, text,
                      '"userId":"lost",', "Lost", "IMAP4", "", "none", EXO, "[]", 0, tenant.id, "", "203.0.113.9")
        if x < 0.7:
            data = data.replace(tenant.id.encode(), b"")
            data = data.replace(b'"tenantId":"",', b"").replace(b'"resourceId":"/tenants//providers/Microsoft.aadiam",', b"")
        elif x < 0.85 or not f.takes_bad_lines:
            data = data.replace(b'"createdDateTime":"20', b'"createdDateTime":"' + self.rng.choice([b"16", b"19", b"29"]), 1)
        else:
            data = data.replace(b"Lost", b"L\xff\xc3st")
        f.put(data, "rejected")

    def edges(self, tenant):
        for t in (self.truth.start, self.truth.start - 1, self.truth.end - 1, self.truth.end):
            self.sign_in(tenant, KINDS["imap4"], t, NON)

    def run(self):
        for tenant, budget in zip(self.tenants, self.budgets):
            modern, n = KINDS["modern"], 0
            for day in tenant.near[::2] + [tenant.near[-1]]:
                for category in ([tenant.only] if tenant.only else [INT, NON]):
                    n += self.sign_in(tenant, modern, day * DAY + int(tenant.rng.random() * DAY), category)
            if "_unsettled" not in tenant.flags:
                n += self.sign_in(tenant, modern, self.as_of + DAY + DAY // 4, tenant.only or NON)
            if tenant.index % 26 in (1, 14):
                self.edges(tenant)
                n += 4
            kinds, cumulative, r = [KINDS[k] for k in tenant.kinds], tenant.cumulative, tenant.rng
            while n < budget:
                kind = r.choices(kinds, cum_weights=cumulative)[0]
                n += self.sign_in(tenant, kind)
                if r.random() < 0.001:
                    self.noise(tenant)
                    n += 1
        for f in self.files:
            f.close()
        accounts = [[f.name, *f.account.values()] for f in self.files]
        for path, lines in self.storage.items():
            full = os.path.join(self.root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as out:
                out.write(b"".join(x + b"\n" for x in lines))
            accounts.append([path, len(lines), len(lines), 0, 0])
        usage = [[tenant, protocol, len(users), c["success"], c["interrupted"], c["blocked"], c["failure"], c["unknown"],
                  when_text(last, "", "Z")] for (tenant, protocol), (users, c, last) in self.truth.table.items()]
        return accounts, usage


def work(job):
    return Worker(*job).run()


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--records", type=int, default=20_000)
    ap.add_argument("--tenants", type=int, default=30)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--out", required=True)
    ap.add_argument("--as-of", default="2026-10-01")
    args = ap.parse_args()
    as_of = (dt.date.fromisoformat(args.as_of) - dt.date(1970, 1, 1)).days * DAY
    for sub in ("logs", "truth"):
        shutil.rmtree(os.path.join(args.out, sub), ignore_errors=True)
    truth = os.path.join(args.out, "truth")
    os.makedirs(truth)
    jobs = [(os.path.join(args.out, "logs"), part, 2, args.records, args.tenants, args.seed, as_of) for part in (0, 1)]
    with multiprocessing.Pool(2) as pool:
        results = pool.map(work, jobs)

    def table(name, header, rows):
        with open(os.path.join(args.out, name), "w", newline="") as f:
            out = csv.writer(f, lineterminator="\n")
            out.writerow(header.split())
            out.writerows(sorted(rows))
        return len(rows)

    files = [row for accounts, _ in results for row in accounts]
    usage = [row for _, rows in results for row in rows]
    table("truth/files.csv", "file records rows rejected not_sign_ins", files)
    table("truth/protocol_usage.csv",
          "tenant_id protocol users sign_ins interrupted blocked failures unknown last_seen", usage)
    roster = []
    end = dt.date.fromisoformat(args.as_of)
    for i in range(args.tenants):
        t = Tenant(i, args.seed, as_of)
        declared = (end - dt.timedelta(40), end) if "_declared" in t.flags else ("", "")
        excluded = ("true", "asked to be left out") if "_excluded" in t.flags else ("", "")
        roster.append([t.id, f"Tenant {i}", f"tenant{i}.example.com", "commercial", "en", f"it@tenant{i}.example.com", "",
                       *declared, *excluded])
    for i in range(max(1, args.tenants // 50)):
        roster.append([f"eeeeeeee-0000-4000-8000-{i:012x}", f"Silent {i}", f"silent{i}.example.org", "commercial", "en",
                       f"it@silent{i}.example.org", "", "", "", "", ""])
    table("roster.csv", "tenant_id display_name domains cloud language contacts outlook_modern_auth logs_from logs_to "
          "exclude exclude_reason", roster)
    with open(os.path.join(truth, "params.json"), "w") as f:
        json.dump(dict(seed=args.seed, as_of=args.as_of, window_days=30, records=args.records, tenants=args.tenants), f)
    totals = [sum(r[c] for r in files) for c in range(1, 5)]
    print("files {}  records {}  rows {}  rejected {}  not sign-ins {}  usage rows {}".format(len(files), *totals, len(usage)))


if __name__ == "__main__":
    main()
