#!/usr/bin/env python3
"""The verdict rules written a second time.

Reads raw sign-in logs (Azure Monitor diagnostic records: newline-delimited,
{"records":[...]}, JSON array or one pretty object; plain or gzip; the
storage-export layout), and prints what `lightsout assess` should decide.

    verdicts.py LOGS_DIR [--roster FILE] [--as-of DATE] [--campaign NAME] > verdicts.csv
    verdicts.py LOGS_DIR --usage  [--as-of DATE] > usage.csv
    verdicts.py LOGS_DIR --files > files.csv

This file was written from the prose of the rules and shares no code with the
program.  Slow and plain is fine here; clever is not.
Lists inside a cell are joined with ';' and sorted: compare them as sets.
"""
import argparse
import collections
import csv
import datetime as dt
import gzip
import json
import os
import re
import sys

DAY = 86_400_000_000  # microseconds
EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
CATEGORY = {
    "signinlogs": "interactive",
    "noninteractiveusersigninlogs": "non_interactive",
    "serviceprincipalsigninlogs": "service_principal",
    "managedidentitysigninlogs": "managed_identity",
    "microsoftserviceprincipalsigninlogs": "microsoft_service_principal",
    "adfssigninlogs": "adfs",
}
USER_CATEGORIES = {"interactive", "non_interactive", None}
NINE = ["pop3", "imap4", "smtp_auth", "exchange_activesync", "exchange_web_services",
        "offline_address_book", "mapi_over_http", "outlook_anywhere_rpc", "remote_powershell"]
OUTLOOK = {"exchange_web_services", "mapi_over_http", "outlook_anywhere_rpc", "offline_address_book"}
CAMPAIGNS = {"basic-auth-all-protocols": NINE, "smtp-auth-2026": ["smtp_auth"]}
PERMITTED_GAP = {"non_interactive": 4, "interactive": 10}

FOLD = {}
for _protocol, _names in {
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
    "MODERN": "Browser|Mobile Apps and Desktop clients",
    "not_stated": "Unknown",
}.items():
    for _name in _names.split("|"):
        FOLD[_name.lower()] = _protocol

REWRITE_AGENTS = {"bav2ropc", "cbainprod", "cbaintar", "msrpc"}
WINRM_AGENT = "microsoft winrm client"
INTERRUPTED = {50140, 50074, 50076, 50079, 50072, 50158, 50199,
               50058, 50132, 50133, 50089, 70044, 16000, 50097, 65001, 50011, 1000000, 900941}
BLOCKED = {53000, 53001, 53002, 53003, 53004, 500121, 50055, 50057}

STORAGE = re.compile(r"insights-logs-([a-z]+)/(?:[^/]+/)*?tenantId=([^/]+)/y=(\d+)/m=(\d+)/d=(\d+)/h=(\d+)/",
                     re.IGNORECASE)
PATH_TENANT = re.compile(r"tenantId=([^/]+)", re.IGNORECASE)
RESOURCE_TENANT = re.compile(r"/tenants/([^/]+)/", re.IGNORECASE)
ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?\s*(Z|z|[+-]\d\d:?\d\d)?$")
US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d):(\d\d)(?:\.(\d+))?(?: ([AP]M))?(?: ([+-]\d\d:?\d\d))?$",
                re.IGNORECASE)
EPOCH = dt.date(1970, 1, 1).toordinal()


def micros(date):
    return (date.toordinal() - EPOCH) * DAY


def parse_time(text):
    """Microseconds since 1970 UTC, or None. Digits past the sixth are cut."""
    if not isinstance(text, str):
        return None
    text = text.strip()
    m = ISO.match(text)
    if m:
        y, mo, d, h, mi, s, frac, zone = m.groups()
        h = int(h)
    else:
        m = US.match(text)
        if not m:
            return None
        mo, d, y, h, mi, s, frac, half, zone = m.groups()
        h = int(h)
        if half:
            h = h % 12 + (12 if half.upper() == "PM" else 0)
    try:
        days = dt.date(int(y), int(mo), int(d)).toordinal() - EPOCH
    except ValueError:
        return None
    mi, s = int(mi), int(s)
    if h > 23 or mi > 59 or s > 59:
        return None
    t = days * DAY + (h * 3600 + mi * 60 + s) * 1_000_000
    if frac:
        t += int((frac + "000000")[:6])
    if zone and zone not in "Zz":
        sign = -1 if zone[0] == "-" else 1
        digits = zone[1:].replace(":", "")
        t -= sign * (int(digits[:2]) * 60 + int(digits[2:])) * 60_000_000
    return t


def rfc3339(t):
    return (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=t)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def text_or_none(value):
    if isinstance(value, str):
        value = value.strip()
        return value or None
    return None


# ---------------------------------------------------------------- reading

def raw_records(path):
    """Yields (object or None when the bytes are no JSON record)."""
    with open(path, "rb") as f:
        packed = f.read(2) == b"\x1f\x8b"
    opener = gzip.open if packed else open
    with opener(path, "rb") as f:
        first = b""
        for first in f:
            first = first.lstrip(b"\xef\xbb\xbf").strip()
            if first:
                break
        if not first:
            return
        if first[:1] == b"[" or first in (b"{",):
            f.seek(0)
            whole = f.read()
            try:
                value = json.loads(whole.decode("utf-8-sig"))
            except ValueError:
                raise SystemExit(f"{path}: an array or a pretty object that is not JSON is beyond this script")
            yield from spread(value)
            return
        yield from line_records(first)
        for line in f:
            line = line.strip()
            if line:
                yield from line_records(line)


def line_records(line):
    try:
        value = json.loads(line.decode("utf-8"))
    except ValueError:
        yield None
        return
    yield from spread(value)


def spread(value):
    if isinstance(value, list):
        for item in value:
            yield from spread(item)
    elif isinstance(value, dict) and isinstance(value.get("records"), list):
        for item in value["records"]:
            yield from spread(item)
    elif isinstance(value, dict) and isinstance(value.get("eventHubsAzureRecord"), dict):
        yield value["eventHubsAzureRecord"]
    elif isinstance(value, dict):
        yield value
    else:
        yield None


# ---------------------------------------------------------------- one record

Row = collections.namedtuple(
    "Row", "tenant category id time emitted user protocol app_stated modern outcome exchange no_resource own")


def outcome_of(rec, props):
    status = props.get("status")
    code = status.get("errorCode") if isinstance(status, dict) else None
    if code is None:
        code = rec.get("resultType")
    try:
        code = int(str(code).strip())
    except ValueError:
        return "unknown"
    if code == 0:
        return "success"
    if code in INTERRUPTED:
        return "interrupted"
    if code in BLOCKED:
        return "blocked"
    return "failure"


def client_certificate(props):
    steps = props.get("authenticationDetails")
    if not isinstance(steps, list):
        return False
    return any(isinstance(s, dict) and "certificate" in str(s.get("authenticationMethod") or "").lower()
               and s.get("succeeded") is not False for s in steps)


def row_of(rec, props, tenant, category, time, emitted, record_id):
    stated = text_or_none(props.get("clientAppUsed"))
    if stated is None:
        protocol = "not_stated"
    else:
        protocol = FOLD.get(" ".join(stated.lower().split()), "unrecognised")
    resource_id = (text_or_none(props.get("resourceId")) or "").lower()
    resource_name = (text_or_none(props.get("resourceDisplayName")) or "").lower()
    exchange = resource_id == EXCHANGE_ONLINE or (not resource_id and resource_name == "office 365 exchange online")
    agent = (text_or_none(props.get("userAgent")) or "").lower()
    auth_protocol = (text_or_none(props.get("authenticationProtocol")) or "").lower()
    winrm = agent == WINRM_AGENT
    basic = agent in REWRITE_AGENTS or winrm or (auth_protocol == "ropc" and exchange)
    modern = not basic and (
        protocol == "MODERN" or auth_protocol in ("oauth2", "devicecode")
        or (protocol == "exchange_activesync" and client_certificate(props)))
    app_stated = protocol != "not_stated"
    if category not in USER_CATEGORIES:
        protocol = None
    elif basic and exchange and protocol in ("MODERN", "not_stated", "unrecognised", "other_legacy"):
        protocol = "remote_powershell" if winrm else "other_legacy"
    elif protocol == "MODERN":
        protocol = None
    resource_tenant = text_or_none(props.get("resourceTenantId"))
    user = text_or_none(props.get("userId")) or (text_or_none(props.get("userPrincipalName")) or "").lower()
    return Row(tenant, category, record_id, time, emitted, user, protocol, app_stated, modern,
               outcome_of(rec, props), exchange, not resource_id and not resource_name,
               resource_tenant is None or resource_tenant.lower() == tenant)


class Logs:
    """All that the rules need of a folder of raw files."""

    def __init__(self, now):
        self.now = now
        self.covered = collections.defaultdict(set)     # (tenant, category) -> days
        self.would_cover = collections.defaultdict(set)  # the same by files that lack a column
        self.held = collections.defaultdict(set)         # tenant -> categories of the lake
        self.latest = {}                                 # tenant -> microseconds
        self.best = {}                                   # key -> (rank, Row, unstated client is the file's fault)
        self.modern_stated = set()                       # hashes of keys
        self.files = []

    def saw(self, tenant, t):
        if t is not None and t <= self.now and t > self.latest.get(tenant, -1 << 62):
            self.latest[tenant] = t

    def read(self, root):
        names = []
        for folder, _, files in os.walk(root):
            names += [os.path.join(folder, n) for n in files]
        for name in sorted(names):
            self.read_file(name, os.path.relpath(name, root).replace(os.sep, "/"))
        # A record of unknown category belongs to the sign-in of the same tenant and id.
        for key in [k for k in self.best if k[1] is None]:
            for category in ("interactive", "non_interactive"):
                other = (key[0], category, key[2])
                if other in self.best:
                    self.best[other] = max(self.best[other], self.best.pop(key), key=lambda b: b[0])
                    break
        # A record that states its client app speaks before one that does not.
        for key, (rank, row, fault) in list(self.best.items()):
            if not row.app_stated and hash(key) in self.modern_stated:
                del self.best[key]

    def read_file(self, path, shown):
        records = rows = rejected = others = 0
        covered = collections.defaultdict(set)
        kept, row_ids = [], collections.Counter()
        users = has_client = has_result = has_time = 0
        path_tenant = PATH_TENANT.search(shown)
        path_tenant = path_tenant.group(1).lower() if path_tenant else None
        for rec in raw_records(path):
            records += 1
            if rec is None:
                rejected += 1
                continue
            raw_category = rec.get("category")
            category = CATEGORY.get(raw_category.lower()) if isinstance(raw_category, str) else None
            props = rec.get("properties")
            if rec.get("operationName") not in (None, "Sign-in activity") or (raw_category and not category):
                others += 1
                continue
            if not isinstance(props, dict):
                rejected += 1
                continue
            tenant = text_or_none(rec.get("tenantId"))
            if tenant is None:
                m = RESOURCE_TENANT.search(str(rec.get("resourceId") or ""))
                tenant = m.group(1) if m else path_tenant
            emitted = parse_time(rec.get("time"))
            created = text_or_none(props.get("createdDateTime"))
            time = parse_time(created) if created else emitted
            if (tenant is None or time is None or time < micros(dt.date(2010, 1, 1))
                    or time > self.now + DAY):
                rejected += 1
                continue
            tenant = tenant.lower()
            rows += 1
            covered[(tenant, category)].add(time // DAY)
            self.held[tenant].add(category)
            self.saw(tenant, time)
            self.saw(tenant, emitted)
            if category not in USER_CATEGORIES:
                continue
            users += 1
            has_client += "clientAppUsed" in props
            has_result += "status" in props or "resultType" in rec
            has_time += "createdDateTime" in props
            record_id = text_or_none(props.get("id"))
            if record_id is None:
                content = json.dumps(rec, sort_keys=True)
                row_ids[content] += 1
                record_id = f"row:{tenant}:{content}:{row_ids[content]}"
            row = row_of(rec, props, tenant, category, time, emitted, record_id)
            key = (tenant, category, record_id)
            if not row.modern:
                kept.append((key, row))
            elif row.app_stated:
                self.modern_stated.add(hash(key))
        lacks = users > 0 and not (has_client and has_result and has_time)
        lacks_client = users > 0 and not has_client
        into = self.would_cover if lacks else self.covered
        m = STORAGE.search(shown)
        if m and m.group(1).lower() in CATEGORY:
            category, tenant = CATEGORY[m.group(1).lower()], m.group(2).lower()
            y, mo, d, h = (int(x) for x in m.groups()[2:])
            day = dt.date(y, mo, d).toordinal() - EPOCH
            covered[(tenant, category)].add(day)
            self.held[tenant].add(category)
            self.saw(tenant, day * DAY + (h + 1) * DAY // 24)
        for key, days in covered.items():
            into[key] |= days
        for key, row in kept:
            rank = (row.app_stated, row.emitted if row.emitted is not None else -1, row.outcome == "success")
            old = self.best.get(key)
            if old is None or rank > old[0]:
                self.best[key] = (rank, row, lacks_client)
        self.files.append((shown, records, rows, rejected, others))

    def tenants(self):
        return set(self.held)


# ---------------------------------------------------------------- the rules

def horizon(logs, tenant, declared, settle_hours):
    ends = []
    if tenant in logs.latest:
        ends.append(logs.latest[tenant] - settle_hours * DAY // 24)
    if declared:
        ends.append((declared[1] + 1) * DAY)
    return max(ends) if ends else None


def default_as_of(logs, roster, settle_hours):
    days = sorted((h // DAY for t in logs.tenants()
                   if (h := horizon(logs, t, declared_range(roster.get(t)), settle_hours)) is not None), reverse=True)
    if not days:
        raise SystemExit("no records: give --as-of")
    return days[(len(days) + 1) // 2 - 1]


def declared_range(row):
    if not row or not row.get("logs_from") or not row.get("logs_to"):
        return None
    return tuple(dt.date.fromisoformat(row[c].strip()).toordinal() - EPOCH for c in ("logs_from", "logs_to"))


def runs_missing(days, start, end):
    """Runs of uncovered days of [start, end) as (first, length)."""
    run = None
    for day in range(start, end + 1):
        if day < end and day not in days:
            run = day if run is None else run
        elif run is not None:
            yield run, day - run
            run = None


def category_reasons(days, start, end, permitted):
    if not any(start <= d < end for d in days):
        return {"category_missing"}
    found = set()
    for first, length in runs_missing(days, start, end):
        if length > permitted:
            late = first == start and min(days) > start + permitted
            found.add("window_longer_than_history" if late else "gap")
    return found


def coverage_reasons(logs, tenant, declared, start, end, settle_hours):
    if tenant not in logs.tenants():
        return {"no_records"}
    found = set()
    for category, permitted in PERMITTED_GAP.items():
        days = set(logs.covered.get((tenant, category), ()))
        if declared and category in logs.held[tenant]:
            days |= set(range(declared[0], declared[1] + 1))
        reasons = category_reasons(days, start, end, permitted)
        if reasons:
            fuller = days | logs.would_cover.get((tenant, category), set())
            with_them = category_reasons(fuller, start, end, permitted)
            if with_them != reasons:
                reasons = with_them | {"column_missing"}
        found |= reasons
    reach = horizon(logs, tenant, declared, settle_hours)
    if reach is None or end * DAY > reach:
        found.add("not_settled")
    return found


def is_usage(row):
    return row.outcome == "success" and row.own and not row.modern


def user_of(row):
    return row.user or f"?{row.protocol}"


def decide(logs, tenant, roster_row, rows, scope, start, end, lookback, settle_hours):
    declared = declared_range(roster_row)
    lacking = coverage_reasons(logs, tenant, declared, start, end, settle_hours)
    in_use, earlier, unknown, attempted = set(), set(), set(), set()
    users, doubts = set(), set()
    for row, file_lacks_client in rows:
        day = row.time // DAY
        protocol = row.protocol
        near = row.exchange or row.no_resource
        if protocol == "other_legacy" and not near:
            continue                      # scripts against other services decide nothing
        if start - lookback <= day < start:
            if is_usage(row):
                earlier.add(protocol)
        elif start <= day < end:
            if is_usage(row):
                in_use.add(protocol)
                if protocol in scope or protocol == "other_legacy":
                    users.add(user_of(row))
            if row.outcome == "unknown":
                unknown.add(protocol)
            if row.outcome in ("interrupted", "blocked", "failure"):
                attempted.add(protocol)
            if row.outcome in ("success", "unknown") and near and row.own:
                if protocol == "unrecognised":
                    doubts.add("unrecognised_client")
                elif protocol == "not_stated" and not file_lacks_client:
                    doubts.add("client_not_stated")
    watched = set(scope) | {"other_legacy"}
    reasons_of_doubt = set(lacking) | doubts
    if (unknown & watched) - in_use:
        reasons_of_doubt.add("unknown_outcome")
    if (earlier & watched) - in_use:
        reasons_of_doubt.add("used_before_window")
    unproven = {p for p in watched if p not in in_use and (lacking or p in unknown or p in earlier)}

    clear = []
    if not lacking and not doubts and "other_legacy" not in in_use | unproven:
        for protocol in scope:
            group = OUTLOOK if protocol in OUTLOOK else {protocol}
            if not group & (in_use | unproven):
                clear.append(protocol)

    used = in_use & watched
    if roster_row and roster_row.get("exclude", "").strip().lower() in ("true", "yes", "1", "y", "x"):
        verdict, reasons = "excluded", {"excluded"}
    elif used:
        verdict = "warning"
        reasons = ({"in_use"} if used & set(scope) else set()) | (
            {"unattributed_legacy_use"} if "other_legacy" in used else set())
    elif reasons_of_doubt:
        verdict, reasons = "insufficient_evidence", reasons_of_doubt
    else:
        verdict = "no_impact"
        reasons = {"attempted"} if attempted & set(scope) else {"unused"}
    return [tenant, verdict, ";".join(sorted(reasons)), ";".join(sorted(used)), ";".join(sorted(clear)), len(users)]


def usage_rows(logs, start, end):
    table = {}
    for _, row, _ in logs.best.values():
        if row.protocol is None or not start <= row.time // DAY < end:
            continue
        usage = is_usage(row)
        if not usage and row.outcome == "success":
            continue
        line = table.setdefault((row.tenant, row.protocol), [set(), 0, 0, 0, 0, 0, 0])
        if usage:
            line[0].add(user_of(row))
            line[1] += 1
        else:
            line[["interrupted", "blocked", "failure", "unknown"].index(row.outcome) + 2] += 1
        line[6] = max(line[6], row.time)
    for (tenant, protocol), line in sorted(table.items()):
        yield [tenant, protocol, len(line[0]), *line[1:6], rfc3339(line[6])]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("logs")
    ap.add_argument("--roster")
    ap.add_argument("--as-of", help="date; default: what the horizons of half the tenants reach")
    ap.add_argument("--campaign", default="basic-auth-all-protocols", choices=sorted(CAMPAIGNS))
    ap.add_argument("--window-days", type=int, default=30)
    ap.add_argument("--lookback-days", type=int, default=60)
    ap.add_argument("--settle-hours", type=int, default=24)
    ap.add_argument("--now", help="the ingest's clock (RFC 3339; default: now)")
    ap.add_argument("--usage", action="store_true",
                    help="print protocol_usage rows (rows in which nothing is counted are left out)")
    ap.add_argument("--files", action="store_true", help="print the account of each file")
    args = ap.parse_args()

    now = parse_time(args.now) if args.now else parse_time(dt.datetime.now(dt.timezone.utc).isoformat())
    logs = Logs(now)
    logs.read(args.logs)
    out = csv.writer(sys.stdout, lineterminator="\n")
    if args.files:
        out.writerow(["file", "records", "rows", "rejected", "not_sign_ins"])
        out.writerows(logs.files)
        return
    roster = {}
    if args.roster:
        with open(args.roster, newline="", encoding="utf-8-sig") as f:
            roster = {r["tenant_id"].strip().lower(): r for r in csv.DictReader(f)}
    if args.as_of:
        end = dt.date.fromisoformat(args.as_of).toordinal() - EPOCH
    else:
        end = default_as_of(logs, roster, args.settle_hours)
        print("as_of", dt.date.fromordinal(end + EPOCH), file=sys.stderr)
    start = end - args.window_days
    if args.usage:
        out.writerow("tenant_id protocol users sign_ins interrupted blocked failures unknown last_seen".split())
        out.writerows(usage_rows(logs, start, end))
        return
    scope = list(CAMPAIGNS[args.campaign])
    if OUTLOOK & set(scope):
        scope += sorted(OUTLOOK - set(scope))
    rows = collections.defaultdict(list)
    for _, row, fault in logs.best.values():
        if row.protocol is not None:
            rows[row.tenant].append((row, fault))
    out.writerow("tenant_id verdict reasons protocols_in_use protocols_clear users".split())
    for tenant in sorted(logs.tenants() | set(roster)):
        out.writerow(decide(logs, tenant, roster.get(tenant), rows.get(tenant, ()), scope, start, end,
                            args.lookback_days, args.settle_hours))


if __name__ == "__main__":
    main()
