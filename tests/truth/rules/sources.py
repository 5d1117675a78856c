"""The account of each file, and all that the rules need of a folder of raw files."""
import collections
import hashlib
import os
import re
import urllib.parse

from . import lenient, reading, records
from .coverage import CategoryLog
from .times import DAY, day_of, parse_time
from .words import CATEGORY, GUID, USER_CATEGORIES, guid

STORAGE = re.compile(r"^(.*?)insights-logs-([a-z]+)/(?:[^/]+/)*?tenantId=([^/]+)/y=(\d+)/m=(\d+)/d=(\d+)/h=(\d+)/",
                     re.IGNORECASE)
PATH_TENANT = re.compile(r"tenantId=([^/]+)", re.IGNORECASE)
PORTAL_NAME = re.compile(r"(NonInteractive|Interactive|Application|MSI)SignIns(?:_(\d{4}-\d\d-\d\d)_(\d{4}-\d\d-\d\d))?",
                         re.IGNORECASE)
PORTAL_CATEGORY = {"noninteractive": "non_interactive", "interactive": "interactive",
                   "application": "service_principal", "msi": "managed_identity"}
FILTER_TIME = re.compile(r"createdDateTime\s+(ge|gt|le|lt)\s+'?([0-9T:.Z+-]+)'?", re.IGNORECASE)
FILTER_EVENT = re.compile(r"signInEventTypes/any\(\s*(\w+)\s*:\s*\1\s+eq\s+'(\w+)'\s*\)", re.IGNORECASE)
CAPS = {30_000, 100_000, 250_000, 500_000}
BY_HAND = {reading.GRAPH, reading.SIGN_IN_OBJECTS, reading.PORTAL_CSV}


class Source:
    """One file."""

    def __init__(self, shown):
        self.shown, self.folder = shown, os.path.dirname(shown)
        self.shape, self.cut, self.refused = None, False, False
        self.records = self.rejected = self.others = 0
        self.rows, self.rejects, self.tenants = [], [], set()
        self.storage = None            # (category, tenant, day, hour)
        self.path_tenant = self.path_category = None
        self.named_range = None        # (first named day, last named day)
        self.next_links, self.last_pages, self.is_page = [], 0, False
        self.lacks_column = False
        self.size, self.head = 0, b""

    @property
    def mostly_rejected(self):
        return self.rejected * 2 > self.records

    @property
    def channel(self):
        if self.storage:
            return ("storage", STORAGE.search(self.shown).group(1))
        if self.shape in BY_HAND:
            return ("by hand", self.shown)
        return (self.folder, self.shape)


class Logs:
    def __init__(self, now, tenant=None, covers=None):
        self.now, self.tenant, self.covers = now, tenant, covers
        self.sources, self.contents, self.root = [], set(), None

    def read(self, root):
        self.root = root
        names = [os.path.join(folder, name) for folder, _, files in os.walk(root) for name in files]
        for name in sorted(names):
            with open(name, "rb") as f:
                data = f.read()
            digest = hashlib.sha256(data).digest()
            source = self.read_file(os.path.relpath(name, root).replace(os.sep, "/"), data, digest in self.contents)
            self.contents.add(digest)
            source.size, source.head = len(data), data[:256]
            self.sources.append(source)

    def read_file(self, shown, data, repeated):
        source = Source(shown)
        m = PATH_TENANT.search(shown)
        source.path_tenant = (guid(m.group(1)) if m else None) or self.tenant
        m = STORAGE.search(shown)
        if m and m.group(2).lower() in CATEGORY and GUID.match(m.group(3)):
            year, month, day, hour = m.groups()[3:]
            source.path_category = CATEGORY[m.group(2).lower()]
            source.storage = (source.path_category, m.group(3).lower(), day_of(f"{year}-{month}-{day}"), int(hour))
        m = PORTAL_NAME.search(os.path.basename(shown))
        if m:
            source.path_category = PORTAL_CATEGORY[m.group(1).lower()]
            if m.group(2):
                source.named_range = (day_of(m.group(2)), day_of(m.group(3)))
        framed = reading.frame(data)
        source.shape, source.cut = framed.shape, framed.cut
        source.refused = framed.refused
        if source.shape in BY_HAND and source.path_tenant is None:
            source.refused = True
        if source.refused or framed.empty or repeated:
            return source
        source.is_page = source.shape == reading.GRAPH
        for link, _ in framed.pages:
            source.next_links += [link] if link else []
            source.last_pages += not link
        self.read_rows(source, framed)
        if source.shape in BY_HAND and names_another_tenant(source):
            source.refused, source.rows, source.rejects = True, [], []
        return source

    def read_rows(self, source, framed):
        unidentified = collections.Counter()
        has = collections.Counter()
        for record, raw in framed.items:
            source.records += 1
            row = records.REJECTED if record is None else records.read(
                source.shape, record, source.path_tenant, source.path_category, self.now)
            if row is records.NOT_A_SIGN_IN:
                source.others += 1
            elif row is records.REJECTED:
                source.rejected += 1
                source.rejects.append(lenient.Reject(raw, source.path_tenant, self.now))
            else:
                if row.id is None:
                    unidentified[raw] += 1
                    row.id = f"row:{hashlib.sha256(raw).hexdigest()}:{unidentified[raw]}"
                source.rows.append(row)
                source.tenants.add(row.tenant)
                if row.category in USER_CATEGORIES and not row.audit:
                    has["user"] += 1
                    has.update(columns_of(source.shape, record, framed.columns))
        source.lacks_column = has["user"] > 0 and not (has["client"] and has["result"] and has["time"])

    def has_longer_copy(self, source):
        """Another file begins with all bytes of this one and goes on."""
        for other in self.sources:
            if other.size > source.size and other.head[:source.size] == source.head[:other.size]:
                with open(os.path.join(self.root, other.shown), "rb") as longer, \
                        open(os.path.join(self.root, source.shown), "rb") as shorter:
                    if longer.read(source.size) == shorter.read():
                        return True
        return False

    # ------------------------------------------------------------ coverage

    def suspected(self):
        """Shown names of the sources that were downloaded through a filter, by (tenant, category)."""
        pools = collections.defaultdict(list)
        named = {source.shown for source in self.sources
                 if any(rest_of(filter_of(link)) for link in source.next_links)}
        open_chains = {source.shown for chain in self.chains() if chain.only_dates for source in chain.sources}
        for source in self.sources:
            if source.shape in BY_HAND and source.shown not in open_chains:
                for row in source.rows:
                    pools[(row.tenant, row.category, source.shape)].append((source.shown, row))
        found = collections.defaultdict(set)
        for (tenant, category, _), pool in pools.items():
            rows = [row for _, row in pool]
            if any(shown in named for shown, _ in pool):
                found[(tenant, category)] |= {shown for shown, _ in pool}
                continue
            if len(rows) < 20 or len({row.time // DAY for row in rows}) < 2:
                continue
            one = (len({row.client_app for row in rows}) == 1 or len({row.user for row in rows}) == 1
                   or len({row.app_id for row in rows}) == 1)
            if one or not any(row.outcome == "success" for row in rows):
                found[(tenant, category)] |= {shown for shown, _ in pool}
        return found

    def chains(self):
        """Graph pages that belong together: one folder, one tenant, one filter."""
        folders = collections.defaultdict(list)
        for source in self.sources:
            if source.is_page and not source.refused:
                folders[(source.folder, source.path_tenant)].append(source)
        return [Chain(tenant, sources) for (_, tenant), sources in sorted(folders.items())]

    def evidence(self):
        """tenant -> TenantLogs"""
        tenants = collections.defaultdict(TenantLogs)
        suspected = self.suspected()
        unseen = self.cut_days()
        for source in self.sources:
            sound = not (source.cut or source.mostly_rejected or source.refused)
            if source.storage and not source.refused:
                category, tenant, day, hour = source.storage
                tenants[tenant].held.add(category)
                if sound:
                    tenants[tenant].add_storage(category, day, hour, source)
            for row in source.rows:
                logs = tenants[row.tenant]
                logs.held.add(row.category)
                if row.mismatched:
                    continue
                if source.shown in suspected.get((row.tenant, row.category), ()):
                    logs.filtered = True
                elif sound and not row.audit and (source.shown, row.time // DAY) not in unseen:
                    logs.add_row(row, source)
        self.state_ranges(tenants, suspected)
        return tenants

    def cut_days(self):
        """(source, day) of the days on which a cut-off export ends."""
        found = set()
        for source in self.sources:
            if len(source.rows) + source.rejected in CAPS:
                found |= {(source.shown, day) for day in cut_off(source.rows)[1]}
        for chain in self.chains():
            if chain.last_pages == 0 and chain.rows:
                # Graph answers newest first.
                oldest = min(row.time // DAY for row in chain.rows)
                found |= {(source.shown, oldest) for source in chain.sources}
        return found

    def state_ranges(self, tenants, suspected):
        last = self.now // DAY - 1
        pulls = collections.defaultdict(list)
        for source in self.sources:
            if source.named_range and source.shape == reading.PORTAL_CSV and not source.refused:
                pulls[(source.folder, source.path_tenant, source.named_range)].append(source)
        for (_, tenant, (first_named, last_named)), pull in pulls.items():
            oldest = min((row.time // DAY for source in pull for row in source.rows), default=None)
            for source in pull:
                category = source.path_category
                tenants[tenant].held.add(category)
                if oldest is None or source.shown in suspected.get((tenant, category), ()) or source.cut:
                    continue
                days = range(max(first_named + 1, oldest), min(last_named, last + 1))
                if len(source.rows) + source.rejected in CAPS:
                    days = [d for d in days if d in cut_off(source.rows, last_named)[0]]
                tenants[tenant].by_files[category] |= set(days)
        for chain in self.chains():
            span = chain.stated(last)
            for category in chain.categories:
                if not any(source.shown in suspected.get((chain.tenant, category), ()) for source in chain.sources):
                    tenants[chain.tenant].by_files[category] |= span
        if self.covers:
            for logs in tenants.values():
                for category in logs.held:
                    logs.stated[category] |= set(range(self.covers[0], min(self.covers[1], last) + 1))


class TenantLogs:
    """The coverage of one tenant by sound sources; and by those that lack a column."""

    def __init__(self):
        self.logs = collections.defaultdict(CategoryLog)
        self.stated, self.lacking = collections.defaultdict(set), collections.defaultdict(CategoryLog)
        self.by_files, self.held, self.filtered = collections.defaultdict(set), set(), False

    def add_row(self, row, source):
        logs = self.lacking if source.lacks_column else self.logs
        logs[row.category].record(row.time, source.channel)

    def add_storage(self, category, day, hour, source):
        logs = self.lacking if source.lacks_column else self.logs
        logs[category].storage_file(day, hour, source.channel)


class Chain:
    """The Graph pages of one folder and tenant."""

    def __init__(self, tenant, sources):
        self.tenant, self.sources = tenant, sources
        self.rows = [row for source in sources for row in source.rows]
        self.last_pages = sum(source.last_pages for source in sources)
        links = {filter_of(link) for source in sources for link in source.next_links}
        self.filter = links.pop() if len(links) == 1 else None
        self.only_dates = self.filter is not None and self.last_pages <= 1 and not rest_of(self.filter)
        self.categories = {row.category for row in self.rows}

    def stated(self, last_possible):
        if not self.only_dates or not self.rows or any(source.cut for source in self.sources):
            return set()
        bounds = [(operator.lower(), parse_time(time if "T" in time else time + "T00:00:00Z"))
                  for operator, time in FILTER_TIME.findall(self.filter)]
        days = [row.time // DAY for row in self.rows]
        first = max([t // DAY for operator, t in bounds if operator[0] == "g" and t is not None], default=None)
        last = min([t // DAY for operator, t in bounds if operator[0] == "l" and t is not None], default=max(days))
        if self.last_pages == 0 or first is None:
            return set()
        return set(range(max(first + 1, min(days)), min(last, last_possible + 1)))


def filter_of(link):
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
    return (query.get("$filter") or query.get("$Filter") or [""])[0]


def rest_of(text):
    """What a filter names beside dates and event types."""
    text = FILTER_EVENT.sub(" ", FILTER_TIME.sub(" ", text))
    return re.sub(r"\b(and|or)\b|[()\s]", "", text, flags=re.IGNORECASE)


def cut_off(rows, last_named=None):
    """(days stated, days not seen) of an export that ended at its cap."""
    times = [row.time for row in rows]
    if not times:
        return set(), set()
    oldest, newest = min(times) // DAY, max(times) // DAY
    end = last_named if last_named is not None else newest
    if all(a >= b for a, b in zip(times, times[1:])):
        return set(range(oldest + 1, end)), {oldest}
    if all(a <= b for a, b in zip(times, times[1:])):
        return set(range(oldest + 1, newest)), {newest}
    return set(), {oldest, newest}


def columns_of(shape, record, columns):
    if shape == reading.PORTAL_CSV:
        names = {"client": ["Client app"], "result": ["Status", "Sign-in error code"], "time": ["Date (UTC)"]}
        return [column for column, spellings in names.items() if any(name in columns for name in spellings)]
    props = record.get("properties") if shape == reading.DIAGNOSTIC else record
    return [column for column, there in (
        ("client", "clientAppUsed" in props), ("result", "status" in props or "resultType" in record),
        ("time", "createdDateTime" in props)) if there]


def names_another_tenant(source):
    """Every row that knows a home or resource tenant knows the same other one, and none this one."""
    known = [{t for t in (row.home, row.resource_tenant) if t} for row in source.rows]
    known = [names for names in known if names]
    return bool(known) and not any(source.path_tenant in names for names in known) and bool(set.intersection(*known))
