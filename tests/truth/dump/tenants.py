"""A tenant of the dump: makes its sign-ins, tells the truth about them, delivers the records."""
import random

from . import shapes
from .kinds import BLOCKS, FAILS, GRAPH, INT, INTERRUPTS, KINDS, NON, CHROME, Kind, Variant
from .plans import Plan
from .shapes import DAY, date_text

HOUR, SECOND = DAY // 24, 1_000_000
PORTAL_MODES = ["whole", "one_log_browser", "whole", "browser", "foreign", "whole", "failures"]
GRAPH_MODES = ["dates", "events", "one_user", "dates", "no_last_page", "unbounded"]
REPEATS = ["same", "changed", "thrice", "success_first", "no_emission", "within_a_second", "two_instants", "two_users",
           "no_category"]
UNSTATED = (None, "", "Unknown")
WITHOUT_COLUMN = Kind("not_stated", [Variant(None, CHROME, "none", GRAPH)], dict(success=1))


class Truth:
    """What a count over the window must find, from what was meant."""

    def __init__(self, start, end):
        self.start, self.end, self.table = start, end, {}

    def tell(self, tenant, protocol, t, user, outcome, own):
        if protocol is None or not self.start * DAY <= t < self.end * DAY or (outcome == "success" and not own):
            return
        line = self.table.setdefault((tenant, protocol), [set(), dict.fromkeys(
            ("success", "interrupted", "blocked", "failure", "unknown"), 0), 0])
        if outcome == "success":
            line[0].add(user or f"?{protocol}")
        line[1][outcome] += 1
        line[2] = max(line[2], t)


class Tenant:
    def __init__(self, index, seed, start, end, files, truth, delivery):
        self.index, self.files, self.truth = index, files, truth
        self.rng = random.Random(f"{seed}/{index}")
        self.id = f"{index:08x}-1a2b-4c3d-8e4f-{index:012x}"
        self.other = f"{index:08x}-9999-4999-8999-{index:012x}"
        self.start, self.end = start, end
        self.plan = Plan(self.rng, start, end)
        self.delivery, self.folder = delivery, files.FOLDERS[index % 3]
        self.sequence = 0
        self.anonymous = self.excluded = self.column_missing = False
        self.protocols_enabled = None
        self.download, self.stored = [], {}
        turn = index // 20
        self.portal_mode = PORTAL_MODES[turn % len(PORTAL_MODES)]
        self.graph_mode = GRAPH_MODES[turn % len(GRAPH_MODES)]
        self.users = [(f"{index:08x}-0000-4000-8000-{n:012x}", f"User{n}.Name@Tenant{index}.Example.COM")
                      for n in range(self.rng.randrange(3, 30))]
        # What a filter or a cut takes away is not told, so nothing is told at all.
        self.quiet = (delivery == "portal" and self.portal_mode != "whole"
                      or delivery == "graph" and self.graph_mode in ("one_user", "no_last_page"))
        if self.quiet and self.rng.random() < 0.3:
            self.plan.stated = (start - 1, end)

    # ------------------------------------------------------------ delivery

    def put(self, s, avoid=None):
        """Writes one record where the tenant's records go; returns the file."""
        if self.delivery in ("portal", "graph"):
            self.download.append(s)
            return None
        if self.delivery == "storage" and s.category:
            day, rest = divmod(s.emitted if s.emitted is not None else s.created, DAY)
            path = self.storage_path(s.category, day, rest // HOUR)
            self.stored.setdefault(path, []).append(shapes.diagnostic(s))
            return path
        if self.column_missing and s.category == NON and s.client is None and s.agent == CHROME:
            file = self.files.own_file(f"own/{self.index}/bulk.json")
        else:
            choice = [file for file in self.places() if file is not avoid]
            file = choice[int(self.rng.random() * len(choice))]
        file.put(shapes.diagnostic(s))
        return file

    def places(self):
        if self.delivery == "own":
            return [self.files.own_file(f"own/{self.index}/a.json"), self.files.own_file(f"own/{self.index}/b.ndjson.gz", "gz")]
        return self.files.shared[self.folder]

    def put_broken(self, data, avoid=None):
        choice = [file for file in self.places() if file.takes_bad_lines and file is not avoid]
        self.rng.choice(choice).put(data, "rejected")

    def storage_path(self, category, day, hour):
        year, month, date = date_text(day).split("-")
        return f"archive/insights-logs-{category.lower()}/tenantId={self.id}/y={year}/m={month}/d={date}/h={hour:02d}/m=00/PT1H.json"

    # ------------------------------------------------------------ times

    def time_on(self, day):
        return day * DAY + int(self.rng.random() * DAY)

    def time_in_window(self, category):
        days = self.plan.window_days(category) or self.plan.window_days() or [self.start + 10]
        return self.time_on(self.rng.choice(days))

    def some_time(self, category):
        before = [d for d in self.plan.counts.get(category, ()) if d < self.start]
        if before and self.rng.random() < 0.2:
            return self.time_on(self.rng.choice(before))
        return self.time_in_window(category if category in (INT, NON) else NON)

    # ------------------------------------------------------------ sign-ins

    def some_category(self):
        return self.rng.choice([c for c in (INT, NON) if self.plan.window_days(c)] or [NON])

    def person(self, who, meant_to_be_known=False):
        """(user id, address, the user as counted)"""
        user_id, address = self.users[who]
        x = self.rng.random()
        spelled = address if x < 0.4 else address.upper() if x < 0.6 else address.lower()
        if who % 7 == 5:
            return ("" if x < 0.5 else None), spelled, address.lower()
        if x > 0.995 and not meant_to_be_known:
            return "", "", None
        return user_id, (user_id if x > 0.9 else spelled), user_id

    def new_id(self):
        self.sequence += 1
        return f"{self.index // 2:08x}-{self.sequence >> 32:04x}-4abc-8def-{self.sequence & 0xffffffffffff:012x}"

    def make(self, kind, t=None, category=None, who=None, outcome=None, variant=None, nobody=False):
        """A sign-in that is not yet written or told: (sign-in, user as counted, outcome)."""
        r = self.rng
        variant = variant or r.choice(kind.variants)
        if category is None:
            category = self.some_category() if NON in kind.categories else r.choice(kind.categories)
        if t is None:
            t = self.some_time(category)
        outcome = outcome or r.choices(kind.classes, kind.weights)[0]
        known = who is not None
        who = r.randrange(len(self.users)) if who is None else who % len(self.users)
        user_id, address, user = ("", "", None) if nobody else self.person(who, known)
        home, resource_tenant = {
            "own": (self.id, self.id), "outbound": (self.id, self.other), "inbound": (self.other, self.id),
            "mismatched": (self.other, self.other)}[kind.whose]
        if kind.whose == "own" and r.random() < 0.05:
            home, resource_tenant = r.choice([("", self.id), (self.id, None), ("", ""),
                                              ("00000000-0000-0000-0000-000000000000", self.id), (self.other, "")])
        elif kind.whose == "outbound" and r.random() < 0.3:
            home = r.choice(["", None])
        lag = int(r.random() * 1800 * SECOND) if r.random() < 0.97 else int(r.random() * 6 * HOUR)
        s = shapes.SignIn(
            tenant=self.id, category=category, id="ANONYMIZED" if self.anonymous else self.new_id(),
            correlation=f"{self.sequence:08x}-cccc-4ccc-8ccc-{self.index:012x}", created=t, emitted=t + lag, user_id=user_id,
            address=address, client=variant.client, agent=variant.agent, auth=variant.auth, resource=variant.resource,
            details=variant.details, app=variant.app, code=self.code(outcome), home=home, resource_tenant=resource_tenant,
            ip=f"203.0.113.{1 + who}" if r.random() < 0.9 else f"2001:db8::{who:x}", zone=r.choice(["Z", "+00:00", "-05:00"]))
        return s, user, outcome

    def code(self, outcome):
        if outcome in ("success", "unknown"):
            return {"success": 0, "unknown": None}[outcome]
        return self.rng.choice({"interrupted": INTERRUPTS, "blocked": BLOCKS, "failure": FAILS}[outcome])

    def tell(self, kind, s, user, outcome):
        self.truth.tell(self.id, kind.protocol, s.created, user, outcome, kind.whose in ("own", "inbound"))

    def sign_in(self, kind, t=None, category=None, again=True, **choices):
        """One sign-in, told and written; one in ten is written more than once."""
        kind = KINDS[kind] if isinstance(kind, str) else kind
        s, user, outcome = self.make(kind, t, category, **choices)
        if self.delivery in ("portal", "graph") or self.anonymous:
            again = False
        file = None
        if again and self.rng.random() < 0.1:
            outcome, file = self.repeat(kind, s, user, outcome)
        else:
            if again and self.rng.random() < 0.004:
                s = s.changed(id=None)                  # a sign-in of its own
            file = self.put(s)
        self.tell(kind, s, user, outcome)
        return s, file

    def repeat(self, kind, s, user, outcome, variety=None):
        """Writes the records of one sign-in, or of several that share an id; returns its outcome and a file."""
        r = self.rng
        later = s.emitted + (60 + int(r.random() * 7200)) * SECOND
        varieties = list(REPEATS)
        if s.client not in UNSTATED:
            varieties.append("later_unstated")
        if s.agent == "" and s.auth in ("none", None) and kind.protocol not in (None, "smtp_auth"):
            varieties.append("later_modern")
        if self.delivery != "storage":
            varieties.append("cut_as_well")
        variety = variety or r.choice(varieties)
        if variety == "changed" and outcome == "success":
            first = self.put(s.changed(code=self.code("interrupted")))
            return outcome, self.put(s.changed(emitted=later), first)
        if variety == "refused_later":
            first = self.put(s.changed(code=0))
            return "blocked", self.put(s.changed(code=self.code("blocked"), emitted=later), first)
        if variety == "thrice":
            first = self.put(s.changed(emitted=later))
            self.put(s.changed(code=self.code("interrupted"), emitted=s.emitted - 10 * SECOND), first)
            self.put(s.changed(code=self.code("failure"), emitted=s.emitted - 20 * SECOND), first)
            return outcome, first
        if variety == "success_first" and outcome == "success":
            first = self.put(s.changed(code=self.code("failure")))
            return outcome, self.put(s, first)
        first = self.put(s)
        if variety == "changed":
            self.put(s.changed(emitted=later), first)
        elif variety == "no_emission":
            self.put(s.changed(emitted=None, code=self.code("failure")), first)
        elif variety == "within_a_second":
            self.put(s.changed(created=s.created + 1 * SECOND, code=self.code("failure"), emitted=s.emitted - SECOND), first)
        elif variety == "two_instants":                 # the id is not unique: two sign-ins
            twin = s.changed(created=s.created + 2 * SECOND)
            self.put(twin, first)
            self.tell(kind, twin, user, outcome)
        elif variety == "two_users" and (s.user_id or s.address):
            user_id = f"{self.index:08x}-0000-4000-8000-00000000beef" if s.user_id else ""
            twin = s.changed(user_id=user_id, address="somebody.else@example.com")
            self.put(twin, first)
            self.tell(kind, twin, user_id or twin.address, outcome)
        elif variety == "no_category" and self.delivery != "storage":
            self.put(s.changed(category=None), first)
        elif variety == "later_unstated":
            self.put(s.changed(client=None, emitted=later, code=self.code("failure")), first)
        elif variety == "later_modern":
            self.put(s.changed(auth="oAuth2", emitted=later, code=self.code("failure")), first)
        elif variety == "cut_as_well":
            data = shapes.diagnostic(s)
            self.put_broken(data[:data.index(b'"properties"') + len(data) // 4], first)
        else:
            self.put(s.changed(emitted=later), first)
        return outcome, first

    # ------------------------------------------------------------ days

    def baseline(self):
        for category in (INT, NON):
            for day, count in sorted(self.plan.counts[category].items()):
                for _ in range(count):
                    kind = WITHOUT_COLUMN if self.column_missing and category == NON else KINDS["modern"]
                    self.sign_in(kind, self.time_on(day), category, again=not self.column_missing)
            if self.plan.settles[category] and self.plan.counts[category]:
                self.sign_in("modern", self.plan.settle_at, category, again=False)
        for day in self.plan.foreign:
            for category in (INT, NON):
                self.sign_in("mismatched_modern", self.time_on(day), category, again=False)

    def finish(self):
        """Writes what is written at once."""
        for path, lines in sorted(self.stored.items()):
            self.files.whole(path, b"".join(line + b"\n" for line in lines), (len(lines), len(lines), 0, 0))
        if self.delivery == "storage" and self.plan.size == "tiny" and self.plan.name == "intact":
            for category in (INT, NON):
                for day in range(self.plan.first, self.end + 2):
                    path = self.storage_path(category, day, 5)
                    if path not in self.stored:
                        self.files.whole(path, b"", (0, 0, 0, 0))
        if self.delivery == "portal":
            self.write_portal()
        if self.delivery == "graph":
            self.write_graph()

    def downloaded(self, category=None):
        """What a download of the last days holds, newest first."""
        rows = [s for s in self.download if s.created >= (self.start - 2) * DAY and category in (None, s.category)]
        return sorted(rows, key=lambda s: (-s.created, s.id))

    def write_portal(self):
        first, last = date_text(self.start - 3), date_text(self.end + 2)
        for category, name in ((INT, "Interactive"), (NON, "NonInteractive")):
            rows = self.downloaded(category)
            if self.portal_mode == "browser" or (self.portal_mode == "one_log_browser" and category == NON):
                rows = [s.changed(client="Browser") for s in rows if s.client.lower() == "browser"]
            elif self.portal_mode == "failures":
                rows = [s for s in rows if s.code]
            elif self.portal_mode == "foreign":
                rows = [s.changed(home=self.other, resource_tenant=self.other) for s in rows]
            self.files.table(f"portal/tenantId={self.id}/{name}SignIns_{first}_{last}.csv", shapes.PORTAL_HEADER,
                             [shapes.portal(s) for s in rows], refused=self.portal_mode == "foreign" and bool(rows))

    def write_graph(self):
        text = f"createdDateTime%20ge%20{date_text(self.start - 3)}T00:00:00Z"
        if self.graph_mode != "unbounded":
            text += f"%20and%20createdDateTime%20lt%20{date_text(self.end + 2)}T00:00:00Z"
        if self.graph_mode == "events":
            text += ("%20and%20(signInEventTypes/any(t:%20t%20eq%20'interactiveUser')%20or%20"
                     "signInEventTypes/any(t:%20t%20eq%20'nonInteractiveUser'))")
        rows = self.downloaded()
        if self.graph_mode == "one_user":
            text += f"%20and%20userId%20eq%20'{self.users[0][0]}'"
            rows = [s for s in rows if s.user_id == self.users[0][0]]
        pages = [rows[at:at + 60] for at in range(0, len(rows), 60)] or [[]]
        if self.graph_mode == "no_last_page":
            pages = pages[:max(1, len(pages) * 2 // 3)]
        for number, page in enumerate(pages):
            value = {"@odata.context": "https://graph.microsoft.com/beta/$metadata#auditLogs/signIns"}
            if number + 1 < len(pages) or self.graph_mode == "no_last_page":
                value["@odata.nextLink"] = ("https://graph.microsoft.com/beta/auditLogs/signIns?$filter="
                                            f"{text}&$top=60&$skiptoken={number + 1}")
            value["value"] = [shapes.graph(s) for s in page]
            self.files.whole(f"graph/tenantId={self.id}/page-{number + 1:03d}.json", shapes.dumps(value),
                             (len(page), len(page), 0, 0))
