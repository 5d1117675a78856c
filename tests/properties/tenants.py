"""Invented tenants: who signs in when, which days of the logs are there, and how the logs are delivered.

`stories` adds what happens beside everyday sign-ins, `changes` makes the one change, `delivery` writes files.
"""
import copy
import random
from dataclasses import dataclass, field

from records import (
    AZURE, DATES, EXCHANGE, GRAPH, INTERACTIVE, LAST_DAY, LOGS, NON_INTERACTIVE, OFFICE_APP, TEAMS_APP, WEEKDAYS,
    WINDOW_DAYS, SignIn,
)

MON_FRI, SUN_THU, SAT_WED = (0, 1, 2, 3, 4), (6, 0, 1, 2, 3), (5, 6, 0, 1, 2)
WORKING_WEEKS = (MON_FRI, SUN_THU, SAT_WED)
MON_SAT, ALL_WEEK = (*MON_FRI, 5), tuple(range(7))

# How the logs arrive, and of how many tenants in a thousand.
DELIVERIES = {
    "shared": 690,   # a forwarder's files hold many tenants, both logs come by one channel
    "apart": 100,    # the same, with the logs in folders of their own: two channels
    "covers": 80,    # the same, with `ingest --covers`
    "own": 90,       # a folder for the tenant, a file per week
    "portal": 80,    # a download of each log, its range of dates in its name
    "storage": 10,   # a storage export: a file per day and log
}


@dataclass
class Reject:
    """A line that cannot be read."""

    log: str
    day: int  # the file it is in; the line itself need not name a time
    data: bytes


@dataclass
class Tenant:
    index: int
    rng: random.Random
    delivery: str
    id: str = ""
    other: str = ""  # another tenant
    users: list[str] = field(default_factory=list)
    plan: list[str] = field(default_factory=list)  # words for a person who looks at a violation
    story: str = "nothing"
    # Everyday sign-ins can be lost with their day. What the story tells stays.
    everyday: list[SignIn] = field(default_factory=list)
    told: list[SignIn] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    refused: list[tuple[str, bytes]] = field(default_factory=list)
    separate: list[SignIn] = field(default_factory=list)  # in a file of their own
    empty_storage_days: set[tuple[str, int]] = field(default_factory=set)
    roster: dict[str, str] = field(default_factory=dict)
    lacks_too_much: bool = False  # days were removed, and no log that lacks so many is whole
    lacks_visibly: bool = False  # days were removed that nobody states and no other log fills
    id_pool: list[str] = field(default_factory=list)  # ids that are used again and again
    ids: int = 0

    def new_id(self) -> str:
        if self.id_pool:
            return self.rng.choice(self.id_pool)
        self.ids += 1
        return f"{self.index:08x}-0000-4000-8000-{self.ids:012x}"

    def sign_in(self, log: str, day: int, **fields) -> SignIn:
        values = dict(second=self.rng.randrange(86_400), id=self.new_id(), user=self.rng.choice(self.users)) | fields
        return SignIn(log=log, day=day, **values)

    def days_with_records(self, log: str, first: int = 0, end: int = WINDOW_DAYS) -> list[int]:
        return sorted({s.day for s in self.everyday if s.log == log and first <= s.day < end})

    def changed(self, rng: random.Random) -> "Tenant":
        """A copy to change. Its sign-ins are shared, for they never change."""
        other = copy.copy(self)
        other.rng = rng
        for name in ("everyday", "told", "rejects", "refused", "separate"):
            setattr(other, name, list(getattr(self, name)))
        other.empty_storage_days = set(self.empty_storage_days)
        return other

    def describe(self) -> str:
        return f"{self.delivery}; {', '.join(self.plan)}; story: {self.story}"


def make_tenant(seed: int, index: int) -> Tenant:
    rng = random.Random(f"{seed} {index}")
    delivery = rng.choices(list(DELIVERIES), list(DELIVERIES.values()))[0]
    tenant = Tenant(index, rng, delivery)
    tenant.id = f"{index:08x}-1a2b-4c3d-8e4f-{rng.getrandbits(48):012x}"
    tenant.other = f"{index:08x}-9999-4999-8999-{rng.getrandbits(48):012x}"
    count = rng.choices((1, 2, 3, 4, 5), (24, 22, 20, 17, 17))[0]
    tenant.users = [f"{index:08x}-00aa-4000-8000-{n:012x}" for n in range(count)]
    if rng.random() < 0.06:
        tenant.id_pool = ["ANONYMIZED"] if rng.random() < 0.5 else [tenant.new_id() for _ in range(12)]
    tenant.plan.append(f"{count} users" + (", ids used again" if tenant.id_pool else ""))
    habits = Habits(rng, delivery)
    lost = lose(rng, habits)
    tenant.plan += [habits.name, f"lost: {lost.name}"]
    for log in LOGS:
        for day in range(-habits.history, habits.last_day + 1):
            if (log, day) not in lost.days:
                add_everyday(tenant, habits, log, day)
    if rng.random() < 0.08:
        first, last = rng.choice(((0, WINDOW_DAYS), (-5, WINDOW_DAYS), (0, rng.randrange(10, 29)), (rng.randrange(1, 20), 30)))
        tenant.roster |= {"logs_from": date_text(first), "logs_to": date_text(last)}
        tenant.plan.append(f"roster states days {first} to {last}")
    if rng.random() < 0.03:
        tenant.roster["workdays"] = rng.choice(("mon;tue;wed;thu;fri", "sun;mon;tue;wed;thu"))
        tenant.plan.append("workdays in the roster")
    return tenant


def date_text(day: int) -> str:
    return DATES[day]


class Habits:
    """On which days people work, and how many sign-ins that makes."""

    def __init__(self, rng: random.Random, delivery: str):
        self.rng = rng
        self.week_name, self.week = rng.choices(
            (("Mon-Fri", MON_FRI), ("Sun-Thu", SUN_THU), ("Sat-Wed", SAT_WED), ("Mon-Sat", MON_SAT), ("all week", ALL_WEEK)),
            (52, 9, 7, 14, 18))[0]
        self.history = rng.choices((0, 9, 20, 30, 44), (40, 8, 7, 30, 15))[0]
        if delivery == "portal":
            self.history = 1
        elif delivery == "storage":
            self.history = rng.choice((0, 8))
        self.last_day = rng.choices((LAST_DAY, WINDOW_DAYS, WINDOW_DAYS - 1), (84, 8, 8))[0]
        self.kind = rng.choices(
            ("steady", "uneven", "busy", "sparse interactive", "near idle"), (48, 22, 7, 17, 6))[0]
        self.busy_log = rng.choice(LOGS)
        # A busy log may lose most records of some weekdays from some day on, without losing the days.
        self.thin_weekdays = rng.choice(((), (), (self.week[0],), self.week[1:4]))
        self.thin_from = rng.randrange(2, 20)
        self.presence = rng.choice((0.35, 0.5, 0.7, 0.85))
        self.weekend_share = rng.choice((0.0, 0.0, 0.1, 0.4))
        self.means = dict(zip(LOGS, rng.choices(
            ((1, 1), (1.3, 1.7), (1, 2.5), (2, 3), (1, 5.5), (4, 3)), (3, 3, 3, 2, 2, 4))[0]))

    @property
    def name(self) -> str:
        return f"{self.kind}, {self.week_name}, {self.history} days of history, last day {self.last_day}"

    def count(self, log: str, day: int) -> int:
        rng = self.rng
        if WEEKDAYS[day] not in self.week:
            return int(rng.random() < self.weekend_share)
        if self.kind == "near idle":
            return int(rng.random() < 0.12)
        if self.kind == "sparse interactive" and log == INTERACTIVE:
            return rng.choice((1, 1, 2)) if rng.random() < self.presence else 0
        if self.kind == "uneven":
            return rng.choice((1, 1, 2, 5, 6))
        if self.kind == "busy" and log == self.busy_log:
            is_thin = day >= self.thin_from and WEEKDAYS[day] in self.thin_weekdays
            return 1 if is_thin or rng.random() < 0.05 else rng.randrange(9, 14)
        return max(1, round(self.means[log] * (0.5 + rng.random())))


def add_everyday(tenant: Tenant, habits: Habits, log: str, day: int) -> None:
    """Sign-ins of browsers and modern clients; a few of them fail or are interrupted."""
    rng = tenant.rng
    count = habits.count(log, day)
    if count == 0 and tenant.delivery == "storage" and rng.random() < 0.7:
        tenant.empty_storage_days.add((log, day))
    # A download whose rows name other tenants alone would be refused.
    own = dict(home=tenant.id, resource_tenant=tenant.id) if tenant.delivery == "portal" else {}
    for _ in range(count):
        client, app, resource = rng.choice(EVERYDAY)
        code = 0 if rng.random() < 0.93 else rng.choice((50126, 50140, 50076))
        tenant.everyday.append(tenant.sign_in(log, day, client=client, app=app, resource=resource, code=code, **own))


EVERYDAY = (
    ("Browser", AZURE, AZURE), ("Browser", OFFICE_APP, EXCHANGE), ("Mobile Apps and Desktop clients", OFFICE_APP, EXCHANGE),
    ("Mobile Apps and Desktop clients", TEAMS_APP, GRAPH),
)


@dataclass
class Loss:
    name: str
    days: set[tuple[str, int]]


def lose(rng: random.Random, habits: Habits) -> Loss:
    """The days that never arrived."""
    working = [day for day in range(WINDOW_DAYS) if WEEKDAYS[day] in habits.week]
    history = [day for day in range(-habits.history, 0)]
    name = rng.choices(list(LOSSES), list(LOSSES.values()))[0]
    logs = rng.choice(((INTERACTIVE,), (NON_INTERACTIVE,), LOGS, LOGS))
    at = rng.randrange(1, 20)
    days = {
        "nothing": [],
        "some days": rng.sample(working, rng.choice((1, 1, 2, 2, 3, 4, 5))),
        "a run": range(at, at + rng.choice((3, 4, 5, 6, 10))),
        "the last days": range(WINDOW_DAYS - rng.choice((1, 2, 4)), LAST_DAY + 1),
        "the first days": range(-habits.history, rng.choice((1, 2, 3, 6))),
        "a weekday": [day for day in working if WEEKDAYS[day] == rng.choice(habits.week)],
        "days before the window": [day for day in history if rng.random() < 0.3],
        "a log": range(-habits.history, LAST_DAY + 1),
    }[name]
    if name == "a log":
        logs = logs[:1]
    return Loss(f"{name} of {' and '.join(logs)}" if days else "nothing", {(log, day) for log in logs for day in days})


LOSSES = {
    "nothing": 46, "some days": 26, "a run": 9, "the last days": 5, "the first days": 4, "a weekday": 3,
    "days before the window": 5, "a log": 2,
}
