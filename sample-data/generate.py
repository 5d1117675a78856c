#!/usr/bin/env python3
"""Writes sample-data/logs and sample-data/roster.csv: five weeks of invented
sign-in logs of seventeen invented tenants, in the three framings of Azure
Monitor diagnostic records.  Everything follows from one seed and fixed dates:
running it again writes the same bytes.  Prints what each tenant is there to show.

    python3 sample-data/generate.py [--out DIR] [--expected FILE]

Names, addresses and ids are invented (example domains, documentation networks).
"""
import argparse
import csv
import datetime as dt
import gzip
import io
import json
import os
import random
import shutil

HERE = os.path.dirname(os.path.abspath(__file__))
UTC = dt.timezone.utc
AS_OF = dt.date(2026, 11, 2)       # what the logs lead to: most end early on 3 November
FIRST = dt.date(2026, 9, 28)       # five weeks before it
LAST = dt.datetime(2026, 11, 3, 6, 0, tzinfo=UTC)
EXO = ("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000")
GRAPH = ("Microsoft Graph", "00000003-0000-0000-c000-000000000000")
SHAREPOINT = ("Office 365 SharePoint Online", "00000003-0000-0ff1-ce00-000000000000")
PORTAL = ("Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013")
NOWHERE = (None, None)
OUTLOOK_WEB = ("One Outlook Web", "9199bf20-a13f-4107-85dc-02114787ef48")
TEAMS = ("Microsoft Teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264")
OFFICE = ("Microsoft Office", "d3590ed6-52b3-4102-aeff-aad2292ab01c")

EDGE = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0", "Windows10", "Edge 141.0.0")
FIREFOX = ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Linux", "Firefox 143.0")
IPHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
          "Version/18.6 Mobile/15E148 Safari/604.1", "Ios 18.6", "Mobile Safari 18.6")
OUTLOOK_WIN = ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.14326; Pro)", "Windows10", "")
REWRITE = ("BAV2ROPC", "", "")
NO_AGENT = ("", "", "")

FAILURES = {
    50126: "Error validating credentials due to invalid username or password.",
    50053: "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
    50034: "The user account does not exist in the directory.",
    53003: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    50076: "Due to a configuration change made by your administrator, or because you moved to a new location, "
           "you must use multi-factor authentication to access the resource.",
    50074: "Strong Authentication is required.",
    50140: "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in.",
    50055: "The password is expired.",
    700016: "Application with identifier was not found in the directory.",
}
PLACES = {
    "GB": ("Whitby", "North Yorkshire", 54.486, -0.613, 64500), "IE": ("Sligo", "Sligo", 54.276, -8.476, 64501),
    "DE": ("Celle", "Niedersachsen", 52.622, 10.081, 64502), "FR": ("Quimper", "Finistere", 47.996, -4.102, 64503),
    "NL": ("Deventer", "Overijssel", 52.255, 6.164, 64504), "US": ("Dubuque", "Iowa", 42.500, -90.664, 64505),
    "RO": ("Galati", "Galati", 45.435, 28.008, 64509),
}
GIVEN = "ada ben cleo dora emil faye gus hana ivo june kit lena milo nora otto pia quin rosa sven tess uma vera".split()
FAMILY = "ashby brook carver dunn ellis fenn garth hale ingram jarvis keane lowe marsh nye orr pike reeve stone".split()

rng = random.Random(20261102)


def guid():
    h = f"{rng.getrandbits(128):032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


class Tenant:
    def __init__(self, name, slug, domain, country, users, net, shows, verdict, reasons, **roster):
        self.name, self.slug, self.domain, self.country, self.net = name, slug, domain, country, net
        self.shows, self.verdict, self.reasons, self.roster = shows, verdict, reasons, roster
        self.id = guid()
        pairs = rng.sample([(g, f) for g in GIVEN for f in FAMILY], users)
        self.users = [dict(id=guid(), upn=f"{g}.{f}@{slug}.{domain}", name=f"{g.title()} {f.title()}",
                           device=guid(), host=f"{slug[:6].upper()}-{n + 1:02d}", host_ip=f"{net}.{20 + n}")
                      for n, (g, f) in enumerate(pairs)]
        self.policy = (guid(), guid())
        self.scanner = dict(id=guid(), upn=f"scanner@{slug}.{domain}", name="Scanner", device="", host="",
                            host_ip=f"{net}.9")


def stamp(t, zone="+00:00"):
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{t.microsecond:06d}{t.microsecond % 10}" + zone


def record(t, user, when, *, category="NonInteractiveUserSignInLogs", client="Mobile Apps and Desktop clients",
           agent=EDGE, app=OFFICE, resource=EXO, code=0, protocol="none", method="Previously satisfied", ip=None,
           country=None, lag=None, home=None, resource_tenant=None, user_type="Member", password=False):
    country = country or t.country
    city, state, lat, lon, asn = PLACES[country]
    ip = ip or user["host_ip"]
    own_place = country == t.country
    interactive = category == "SignInLogs"
    emitted = when + dt.timedelta(seconds=lag if lag is not None else rng.randrange(120, 1500))
    correlation, request = guid(), guid()
    failed = bool(code)
    status = {"errorCode": code}
    if failed:
        status["failureReason"] = FAILURES[code]
    elif method == "Previously satisfied":
        status["additionalDetails"] = "MFA requirement satisfied by claim in the token"
    password = password or code in (50126, 50053, 50034, 53003)
    steps = [{"authenticationStepDateTime": stamp(when), "authenticationMethod": method,
              "succeeded": code in (0, 53003, 50076, 50074, 50140),
              "authenticationStepResultDetail": "Correct password" if method == "Password" and code in (0, 53003)
              else "Invalid username or password or Invalid on-premise username or password." if code == 50126
              else "First factor requirement satisfied by claim in the token",
              "authenticationStepRequirement": "Primary authentication", "StatusSequence": 0, "RequestSequence": 0}]
    if method == "Password":
        steps[0]["authenticationMethodDetail"] = "Password Hash Sync"
    ca = "failure" if code == 53003 else "success" if rng.random() < 0.3 and not failed else "notApplied"
    policies = [
        {"id": t.policy[0], "displayName": "Require MFA for everyone", "enforcedGrantControls": ["Mfa"],
         "enforcedSessionControls": [], "result": "success" if ca == "success" else "notApplied",
         "conditionsSatisfied": 3 if ca == "success" else 1, "conditionsNotSatisfied": 0 if ca == "success" else 2},
        {"id": t.policy[1], "displayName": "Block legacy authentication", "enforcedGrantControls": ["Block"],
         "enforcedSessionControls": [], "result": "failure" if code == 53003 else "notApplied",
         "conditionsSatisfied": 19 if code == 53003 else 3, "conditionsNotSatisfied": 0 if code == 53003 else 16}]
    managed = agent[1].startswith("Windows") and bool(user["device"])
    device = {"deviceId": user["device"] if managed else "", "displayName": user["host"] if managed else "",
              "operatingSystem": agent[1], "browser": agent[2]}
    if managed:
        device.update(isCompliant=True, isManaged=True, trustType="Azure AD joined")
    props = {
        "id": request, "createdDateTime": stamp(when), "userDisplayName": user["name"],
        "userPrincipalName": user["upn"], "userId": user["id"], "appId": app[1], "appDisplayName": app[0],
        "ipAddress": ip, "status": status, "clientAppUsed": client, "userAgent": agent[0], "deviceDetail": device,
        "location": {"city": city, "state": state, "countryOrRegion": country,
                     "geoCoordinates": {"latitude": lat, "longitude": lon}},
        "mfaDetail": {}, "correlationId": correlation, "conditionalAccessStatus": ca,
        "appliedConditionalAccessPolicies": policies if ca != "notApplied" else [],
        "originalRequestId": request, "isInteractive": interactive, "tokenIssuerName": "", "tokenIssuerType": "AzureAD",
        "authenticationProcessingDetails": [{"key": "Legacy TLS (TLS 1.0, 1.1, 3DES)", "value": "False"},
                                            {"key": "Oauth Scope Info", "value": ""},
                                            {"key": "Is CAE Token", "value": "False"}],
        "networkLocationDetails": [{"networkType": "trustedNamedLocation", "networkNames": ["Head office"]}]
        if own_place and interactive else [],
        "clientCredentialType": "none", "processingTimeInMilliseconds": rng.randrange(40, 480),
        "riskDetail": "none", "riskLevelAggregated": "none", "riskLevelDuringSignIn": "none", "riskState": "none",
        "riskEventTypes": [], "riskEventTypes_v2": [],
        "resourceDisplayName": resource[0], "resourceId": resource[1],
        "resourceTenantId": resource_tenant or t.id, "homeTenantId": home or t.id,
        "authenticationDetails": steps, "authenticationRequirementPolicies": [], "sessionLifetimePolicies": [],
        "authenticationRequirement": "singleFactorAuthentication" if password or failed
        else "multiFactorAuthentication",
        "servicePrincipalId": "", "userType": user_type, "flaggedForReview": False, "isTenantRestricted": False,
        "autonomousSystemNumber": asn, "crossTenantAccessType": "b2bCollaboration" if home or resource_tenant
        else "none",
        "privateLinkDetails": {}, "ssoExtensionVersion": "",
        "uniqueTokenIdentifier": f"{rng.getrandbits(128):032x}"[:22],
        "authenticationStrengths": [],
        "incomingTokenType": "none" if interactive or password else rng.choice(["primaryRefreshToken", "refreshToken"]),
        "authenticationProtocol": protocol, "appServicePrincipalId": None,
        "signInTokenProtectionStatus": "none", "originalTransferMethod": "none"}
    if resource[0] is None:
        del props["resourceDisplayName"], props["resourceId"]
    rec = {"time": stamp(emitted, "Z"), "resourceId": f"/tenants/{t.id}/providers/Microsoft.aadiam",
           "operationName": "Sign-in activity", "operationVersion": "1.0", "category": category, "tenantId": t.id,
           "resultType": str(code), "resultSignature": "FAILURE" if failed else "SUCCESS"}
    if failed:
        rec["resultDescription"] = FAILURES[code]
    rec.update({"durationMs": 0, "callerIpAddress": ip, "correlationId": correlation, "identity": user["name"],
                "Level": 4, "location": country, "properties": props})
    return rec


def workload(t, when, managed):
    """A service principal or a managed identity: never a user's legacy sign-in."""
    rec = record(t, dict(id="", upn="", name="", device="", host="", host_ip=f"{t.net}.5"), when, agent=NO_AGENT,
                 category="ManagedIdentitySignInLogs" if managed else "ServicePrincipalSignInLogs",
                 app=("mail-archive-job", guid()), resource=GRAPH)
    p = rec["properties"]
    for gone in ("clientAppUsed", "authenticationProtocol", "deviceDetail", "authenticationDetails", "mfaDetail"):
        del p[gone]
    p.update(servicePrincipalId=guid(), servicePrincipalName="mail-archive-job", homeTenantId="",
             clientCredentialType="managedIdentity" if managed else "clientSecret")
    rec["identity"] = "mail-archive-job"
    rec["time"] = when.strftime("%-m/%-d/%Y %-I:%M:%S %p")   # as such logs are written since 2025
    return rec


def enriched(rec, seconds, **risk):
    """The same sign-in told again later, with what was found out about it."""
    again = json.loads(json.dumps(rec))
    again["time"] = stamp(dt.datetime.fromisoformat(rec["time"][:19] + "+00:00") + dt.timedelta(seconds=seconds), "Z")
    again["properties"].update(risk or dict(riskLevelAggregated="low", riskState="atRisk", riskDetail="none",
                                            riskEventTypes=["unfamiliarFeatures"],
                                            riskEventTypes_v2=["unfamiliarFeatures"]))
    return again


def at(day, hour, minute=None):
    return dt.datetime(day.year, day.month, day.day, hour, rng.randrange(60) if minute is None else minute,
                       rng.randrange(60), rng.randrange(1_000_000), tzinfo=UTC)


def days(first=FIRST, last=LAST.date()):
    return [first + dt.timedelta(n) for n in range((last - first).days + 1)]


def modern_day(t, day, density=1.0, interactive=True, non_interactive=True):
    """An ordinary day: token refreshes of Outlook and Teams, a browser sign-in or two."""
    out, hours = [], (range(1, 5) if day == LAST.date() else range(6, 19))
    weekend = day.weekday() >= 5
    for n, user in enumerate(t.users):
        if non_interactive and (n == day.toordinal() % len(t.users) or rng.random() < (0.15 if weekend else 0.55) * density):
            out.append(record(t, user, at(day, rng.choice(hours)), app=rng.choice([OFFICE, TEAMS]),
                              resource=rng.choice([EXO, EXO, GRAPH, SHAREPOINT])))
        if interactive and not weekend and rng.random() < 0.28 * density:
            out.append(record(t, user, at(day, rng.choice(hours)), category="SignInLogs", client="Browser",
                              agent=rng.choice([EDGE, EDGE, FIREFOX, IPHONE]), app=OUTLOOK_WEB,
                              resource=rng.choice([EXO, SHAREPOINT, PORTAL]), lag=rng.randrange(300, 2400),
                              code=50140 if rng.random() < 0.08 else 0))
    if interactive and not weekend and day.weekday() == 1:
        out.append(record(t, t.users[0], at(day, hours[0]), category="SignInLogs", client="Browser", app=OUTLOOK_WEB))
    return out


def legacy(t, user, when, client, code=0, **how):
    how = dict(dict(category="NonInteractiveUserSignInLogs", agent=REWRITE, app=EXO, resource=EXO, protocol="ropc",
                    method="Password", password=True), **how)
    return record(t, user, when, client=client, code=code, **how)


def spray(t, day, client, codes, country="RO"):
    return [legacy(t, rng.choice(t.users), at(day, rng.randrange(0, 4)), client, code, country=country,
                   ip=f"203.0.113.{rng.randrange(1, 250)}", category="SignInLogs" if n % 3 else
                   "NonInteractiveUserSignInLogs")
            for n, code in enumerate(codes)]


def tenants():
    T = Tenant
    return [
        T("Brackenridge Dairy", "brackenridge", "example.com", "GB", 5, "192.0.2",
          "nobody uses it; certificates on ActiveSync, IMAP with OAuth, guests abroad, workloads", "no_impact", "unused",
          language="en-GB", outlook_modern_auth="false"),
        T("Harbour Lane Clinic", "harbourlane", "example.net", "IE", 4, "198.51.100",
          "password sprays on SMTP and IMAP, blocks by Conditional Access", "no_impact", "attempted", language="en-IE"),
        T("Old Mill Printworks", "oldmill", "example.com", "DE", 5, "192.0.2",
          "scanners on SMTP, one user on IMAP; ActiveSync phones", "warning", "in_use", language="de-DE",
          outlook_modern_auth="true"),
        T("Kestrel Freight", "kestrel", "example.org", "NL", 4, "198.51.100",
          "Basic without a named protocol: Other clients, and a rewrite under Browser", "warning",
          "unattributed_legacy_use", language="nl-NL"),
        T("Juniper Academy", "juniper", "example.net", "GB", 8, "192.0.2",
          "old Outlook (EWS) and POP, and Basic without a named protocol; guests both ways", "warning",
          "in_use;unattributed_legacy_use", language="en-GB"),
        T("Saltmarsh Museum", "saltmarsh", "example.org", "FR", 3, "198.51.100",
          "only the interactive log was exported", "insufficient_evidence", "category_missing", language="fr-FR"),
        T("Tidewater Legal", "tidewater", "example.com", "US", 4, "192.0.2",
          "the export stood still from 12 to 18 October", "insufficient_evidence", "gap", language="en-US"),
        T("Fernhill Robotics", "fernhill", "example.net", "DE", 5, "198.51.100",
          "the export ends on 30 October", "insufficient_evidence", "not_settled", language="de-DE"),
        T("Quayside Coffee", "quayside", "example.org", "GB", 3, "192.0.2",
          "a free licence: only the last seven days exist", "insufficient_evidence", "window_longer_than_history",
          language="en-GB"),
        T("Larkspur Trust", "larkspur", "example.com", "IE", 3, "198.51.100",
          "an IMAP sign-in that states no result", "insufficient_evidence", "unknown_outcome", language="en-IE"),
        T("Stonebridge Accountants", "stonebridge", "example.net", "GB", 6, "192.0.2",
          "a quarterly POP job, last on 15 September", "insufficient_evidence", "used_before_window", language="en-GB"),
        T("Moorland Games", "moorland", "example.org", "NL", 4, "198.51.100",
          "a client app that no table knows", "insufficient_evidence", "unrecognised_client", language="nl-NL"),
        T("Violet Opera", "violetopera", "example.com", "FR", 3, "192.0.2",
          "sign-ins to Exchange Online that name no client", "insufficient_evidence", "client_not_stated",
          language="fr-FR"),
        T("Pinecrest Council", "pinecrest", "example.net", "US", 4, "198.51.100",
          "a forwarder dropped clientAppUsed from all its files", "insufficient_evidence", "column_missing",
          language="en-US"),
        T("Ravenswood Energy", "ravenswood", "example.org", "DE", 6, "192.0.2",
          "uses POP, but has its own arrangement", "excluded", "excluded", language="de-DE", exclude="true",
          exclude_reason="own migration date agreed until March 2027"),
        T("Elderfield Vineyards", "elderfield", "example.com", "FR", 0, "198.51.100",
          "in the roster, in no log", "insufficient_evidence", "no_records", language="fr-FR"),
        T("Chapel Street Dental", "chapelstreet", "example.net", "GB", 3, "192.0.2",
          "closed for nine days in October; the roster declares the logs complete", "no_impact", "unused",
          language="en-GB", logs_from="2026-09-28", logs_to="2026-11-02"),
    ]


class Writer:
    def __init__(self, root):
        self.root, self.count, self.bytes = root, 0, 0

    def put(self, path, data):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as f:
            f.write(data)
        self.count += 1
        self.bytes += len(data)


def line(rec):
    return json.dumps(rec, separators=(",", ":"), ensure_ascii=False).encode()


def member(data):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0) as f:
        f.write(data)
    return out.getvalue()


def emitted_at(rec):
    text = rec["time"]
    if text[0:2] != "20":
        return dt.datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p")
    return dt.datetime.fromisoformat(text[:19])


def storage(w, t, records, extra_days=()):
    """The storage-export layout; one file a day of each category, in the hour of its first record."""
    files = {}
    for rec in records:
        files.setdefault((rec["category"].lower(), emitted_at(rec).date()), []).append(rec)
    for category, day in extra_days:
        files.setdefault((category, day), [])
    for (category, day), recs in sorted(files.items()):
        recs.sort(key=lambda r: (emitted_at(r), r["properties"]["id"]))
        hour = emitted_at(recs[0]).hour if recs else 0
        path = (f"insights-logs-{category}/tenantId={t.id}/y={day.year}/m={day.month:02d}/d={day.day:02d}/"
                f"h={hour:02d}/m=00/PT1H.json")
        w.put(path, b"".join(line(r) + b"\n" for r in recs))


def build(out):
    ts = tenants()
    (dairy, clinic, mill, kestrel, juniper, saltmarsh, tidewater, fernhill, quayside, larkspur, stonebridge, moorland,
     violet, pinecrest, ravenswood, _elderfield, chapel) = ts
    logs = os.path.join(out, "logs")
    shutil.rmtree(logs, ignore_errors=True)
    w = Writer(logs)
    day = lambda m, d: dt.date(2026, m, d)
    weekdays = [d for d in days() if d.weekday() < 5]

    # --- storage-export layout: dairy, mill, saltmarsh, chapel -------------------------------------------------
    recs = [r for d in days() for r in modern_day(dairy, d, 0.55)]
    recs += [legacy(dairy, dairy.users[1], at(d, 8), "Exchange ActiveSync", agent=("Apple-iPhone15C2/2107.93", "Ios", ""),
                    protocol="none", method="X.509 Certificate", password=False) for d in weekdays[::3]]
    recs += [legacy(dairy, dairy.users[2], at(d, 9), "IMAP4", agent=("Thunderbird/140.3", "", ""), protocol="oAuth2",
                    method="Previously satisfied", password=False) for d in weekdays[::4]]
    recs += [record(dairy, dairy.users[3], at(d, 13), category="SignInLogs", client="", app=TEAMS, resource=SHAREPOINT,
                    resource_tenant=juniper.id, user_type="Guest") for d in weekdays[2::7]]
    recs += [workload(dairy, at(d, 3, 10), managed=bool(n % 2)) for n, d in enumerate(weekdays[::5])]
    repeated = enriched(recs[7], 4000)
    storage(w, dairy, recs + [repeated, enriched(recs[30], 90_000)],
            extra_days=[("signinlogs", day(10, 10)), ("signinlogs", day(10, 11))])    # empty files: seen, nothing there

    recs = [r for d in days() for r in modern_day(mill, d, 0.4)]
    for n, d in enumerate(weekdays):
        hour = 3 if d == LAST.date() else 7
        recs.append(legacy(mill, mill.scanner, at(d, hour), "Authenticated SMTP"))
        if n % 2:
            recs.append(legacy(mill, mill.users[0], at(d, hour + 1), "IMAP4", agent=("CBAInPROD", "", "")))
        if n % 5 == 0:
            recs.append(legacy(mill, mill.users[4], at(d, hour + 1), "Exchange ActiveSync", protocol="none",
                               agent=("Android-SAMSUNG-SM-A546B/101.130", "Android", "")))
    late = legacy(mill, mill.users[0], at(day(10, 20), 22, 40), "IMAP4", lag=3 * 3600)     # crosses midnight
    repeat = enriched(recs[-3], 5000)
    storage(w, mill, recs + [late, repeat])
    mill_again = enriched(late, 40_000)                                                    # also in another file

    storage(w, saltmarsh, [r for d in days() for r in modern_day(saltmarsh, d, 1.6, non_interactive=False)])
    closed = set(days(day(10, 17), day(10, 25)))
    storage(w, chapel, [r for d in days() if d not in closed for r in modern_day(chapel, d, 0.5)])

    # --- event hub: one envelope a line, several tenants in one hub, packed by day ------------------------------
    hub = []
    for d in days():
        hub += modern_day(kestrel, d, 0.9) + modern_day(juniper, d, 0.8) + modern_day(larkspur, d)
        hub += modern_day(moorland, d, 0.8) + modern_day(violet, d)
        if d not in set(days(day(10, 12), day(10, 18))):
            hub += modern_day(tidewater, d, 0.9)
        if d >= day(10, 27):
            hub += modern_day(quayside, d, 1.5)
    for n, d in enumerate(weekdays[:-1]):
        hub.append(legacy(kestrel, kestrel.users[0], at(d, 5), "Other clients", agent=("", "", "")))
        if n % 4 == 0:
            hub.append(legacy(kestrel, kestrel.users[1], at(d, 6), "Browser"))             # the rewrite tells
            hub.append(record(kestrel, kestrel.users[2], at(d, 4), client="Other clients", agent=("python-requests/2.32", "", ""),
                              app=("nightly-report", "5b1d7c0a-2a4e-4f77-9f3c-0d6a9f1e2b34"), resource=GRAPH,
                              protocol="ropc", method="Password", password=True))          # not Exchange Online
        if n % 2 == 0:
            hub.append(legacy(juniper, juniper.users[2], at(d, 8), "Exchange Web Services", category="SignInLogs",
                              agent=OUTLOOK_WIN))
        if n % 3 == 0:
            hub.append(legacy(juniper, juniper.users[3], at(d, 10), "POP3"))
            hub.append(legacy(juniper, juniper.users[5], at(d, 11), "Other clients; Older Office clients"))
        if n % 6 == 0:
            hub.append(record(juniper, dict(dairy.users[3], upn=dairy.users[3]["upn"].replace("@", "_") + "#EXT#@juniper.example.net"),
                              at(d, 13), category="SignInLogs", client="Browser", resource=SHAREPOINT, home=dairy.id,
                              user_type="Guest"))
            hub.append(record(juniper, juniper.users[6], at(d, 14), category="SignInLogs", client="", resource=SHAREPOINT,
                              resource_tenant=dairy.id, user_type="Guest"))
        if n % 5 == 1:
            hub.append(legacy(moorland, moorland.users[1], at(d, 9), "Exchange Calendar Bridge", protocol="none",
                              agent=("CalBridge/4.2", "", "")))
        if n % 6 == 2:
            hub.append(legacy(violet, violet.users[0], at(d, 10), "", protocol="none", agent=NO_AGENT))
        if n % 8 == 0:
            hub.append(workload(juniper, at(d, 2, 5), managed=False))
    hub += spray(juniper, day(10, 14), "Authenticated SMTP", [50126] * 9 + [50053])
    unknown = legacy(larkspur, larkspur.users[1], at(day(10, 15), 9), "IMAP4")
    for where, gone in ((unknown, "resultType"), (unknown, "resultSignature"), (unknown["properties"], "status")):
        del where[gone]
    hub.append(unknown)
    hub += [enriched(r, 3000 + 100 * n) for n, r in enumerate(rng.sample([r for r in hub if r["time"][0] == "2"], 60))]
    changed = record(juniper, juniper.users[1], at(day(10, 21), 9), category="SignInLogs", client="Browser", code=50074)
    settled = enriched(changed, 1800)
    settled.update(resultType="0", resultSignature="SUCCESS")
    settled.pop("resultDescription")
    settled["properties"]["status"] = {"errorCode": 0, "additionalDetails": "MFA completed in Azure AD"}
    hub += [changed, settled]
    no_tenant = record(juniper, juniper.users[0], at(day(10, 8), 10))
    for gone in ("tenantId", "resourceId"):
        del no_tenant[gone]
    for gone in ("resourceTenantId", "homeTenantId"):
        del no_tenant["properties"][gone]
    audit = [{"time": stamp(at(d, 12), "Z"), "resourceId": f"/tenants/{juniper.id}/providers/Microsoft.aadiam",
              "operationName": "Update user", "operationVersion": "1.0", "category": "AuditLogs", "tenantId": juniper.id,
              "resultSignature": "None", "durationMs": 0, "callerIpAddress": "192.0.2.40", "correlationId": guid(),
              "Level": 4, "properties": {"id": f"Directory_{guid()}", "category": "UserManagement", "result": "success",
                                         "activityDisplayName": "Update user", "loggedByService": "Core Directory"}}
             for d in (day(10, 6), day(10, 7), day(10, 22))]
    hub += audit
    by_day = {}
    for rec in hub:
        by_day.setdefault(emitted_at(rec).date(), []).append(rec)
    for d, batch in sorted(by_day.items()):
        batch.sort(key=lambda r: (emitted_at(r), r["properties"]["id"]))
        chunks = [batch[i:i + 20] for i in range(0, len(batch), 20)]
        data = b"".join(b'{"records":[' + b",".join(line(r) for r in c) + b"]}\n" for c in chunks)
        if d in (day(10, 4), day(10, 18)):     # left unpacked, to look at
            w.put(f"eventhub/{d}.json", data)
        else:
            w.put(f"eventhub/{d}.json.gz", member(data))

    # --- newline-delimited, gzip, one member a day, a few bad lines ---------------------------------------------
    members, nd = {}, []
    for d in days():
        nd += modern_day(stonebridge, d, 1.75) + modern_day(ravenswood, d, 1.75)
        if d <= day(10, 30):
            nd += modern_day(fernhill, d, 1.75)
    nd += [legacy(ravenswood, ravenswood.users[0], at(d, 6), "POP3") for d in weekdays[:-1:2]]
    nd += [mill_again]
    nd += [enriched(r, 2500) for r in rng.sample([r for r in nd if r["time"][0] == "2"], 20)]
    nd.append(no_tenant)
    fernhill_end = dt.datetime(2026, 10, 31)
    for rec in nd:
        members.setdefault(emitted_at(rec).date(), []).append(rec)
    bad = {day(10, 1): lambda b: b[:len(b) * 2 // 3], day(10, 9): lambda b: b.replace(b"identity\":\"", b"identity\":\"\xff\xfe", 1),
           day(10, 16): lambda b: b[:811],
           day(10, 23): lambda b: b.replace(b'"createdDateTime":"2026', b'"createdDateTime":"1601', 1),
           day(10, 29): lambda b: b.replace(b'"createdDateTime":"2026', b'"createdDateTime":"2099', 1)}
    packed = b""
    for d, batch in sorted(members.items()):
        batch.sort(key=lambda r: (emitted_at(r), r["properties"]["id"]))
        lines = [line(r) for r in batch]
        if d in bad:      # one more line that tells nothing
            lines.insert(3, bad[d](line(record(stonebridge, stonebridge.users[0], at(d, 10)))))
        packed += member(b"".join(x + b"\n" for x in lines))
    assert all(emitted_at(r) < fernhill_end + dt.timedelta(days=1) for r in nd if r.get("tenantId") == fernhill.id)
    w.put("ndjson/provider-2026-w40-w45.ndjson.gz", packed)

    # What an older export still held of September: the quarterly job.
    old = [r for d in (day(9, 14), day(9, 15), day(9, 16)) for r in modern_day(stonebridge, d)]
    old += [legacy(stonebridge, stonebridge.users[3], dt.datetime(2026, 9, 15, 1, 30, n, 120_000, tzinfo=UTC), "POP3")
            for n in range(6)]
    old.sort(key=emitted_at)
    w.put("ndjson/stonebridge-2026-09.ndjson", b"".join(line(r) + b"\n" for r in old))

    # A forwarder that keeps a list of fields, and clientAppUsed is not on it.
    lean = [r for d in days() for r in modern_day(pinecrest, d)]
    for rec in lean:
        del rec["properties"]["clientAppUsed"]
    lean.sort(key=emitted_at)
    half = len(lean) // 2
    for n, part in enumerate((lean[:half], lean[half:])):
        w.put(f"ndjson/pinecrest-forwarder-{n}.ndjson.gz", member(b"".join(line(r) + b"\n" for r in part)))

    # --- JSON arrays: the clinic's own export, pretty-printed, one file a fortnight ------------------------------
    arr = [r for d in days() for r in modern_day(clinic, d)]
    for d in (day(10, 7), day(10, 19), day(10, 28)):
        arr += spray(clinic, d, "Authenticated SMTP", [50126] * 12 + [50053] * 2 + [50034])
        arr += spray(clinic, d, "IMAP4", [50126] * 8)
    arr += [legacy(clinic, clinic.users[2], at(d, 7), "Exchange ActiveSync", 53003, category="SignInLogs",
                   agent=("Apple-iPhone12C1/1905.258", "Ios", "")) for d in weekdays[3:-1:4]]
    arr += [legacy(clinic, clinic.users[1], at(day(10, 13), 9), "IMAP4", 50076)]
    arr.sort(key=lambda r: (emitted_at(r), r["properties"]["id"]))
    for n, (a, b) in enumerate(((0, 150), (150, 10_000))):
        part = arr[a:b]
        text = "[\n" + ",\n".join(json.dumps(r, indent=1, ensure_ascii=False) for r in part) + "\n]\n"
        w.put(f"array/harbourlane-signins-{n + 1}.json.gz", member(text.encode()))
    # The first few of them once more, by hand, unpacked: nothing new in them.
    w.put("array/harbourlane-sprays-again.json",
          json.dumps([r for r in arr if r["resultType"] == "50126"][:12], separators=(",", ":")).encode())

    columns = ("tenant_id display_name domains cloud language contacts outlook_modern_auth logs_from logs_to "
               "exclude exclude_reason").split()
    with open(os.path.join(out, "roster.csv"), "w", newline="", encoding="utf-8") as f:
        r = csv.DictWriter(f, columns, restval="", lineterminator="\n")
        r.writeheader()
        for t in ts:
            r.writerow(dict(t.roster, tenant_id=t.id, display_name=t.name, domains=f"{t.slug}.{t.domain}",
                            cloud="commercial", contacts=f"it@{t.slug}.{t.domain}"))
    return ts, w


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", default=HERE)
    ap.add_argument("--expected", help="write tenant_id,verdict,reasons here as CSV")
    args = ap.parse_args()
    ts, w = build(args.out)
    print(f"{'tenant_id':36}  {'tenant':23}  {'verdict':21}  {'reasons':30}  shows")
    for t in ts:
        print(f"{t.id}  {t.name:23}  {t.verdict:21}  {t.reasons:30}  {t.shows}")
    print(f"as_of {AS_OF} (found from the logs); {w.count} files, {w.bytes:,} bytes")
    if args.expected:
        with open(args.expected, "w", newline="") as f:
            c = csv.writer(f, lineterminator="\n")
            c.writerow(["tenant_id", "verdict", "reasons"])
            c.writerows([t.id, t.verdict, t.reasons] for t in sorted(ts, key=lambda t: t.id))


if __name__ == "__main__":
    main()
