"""The one change that is made to a tenant before its logs are read a second time."""
import random
from collections import Counter
from statistics import median

from records import DATES, INTERACTIVE, LOGS, NON_INTERACTIVE, WEEKDAYS, WINDOW_DAYS, SignIn
from refused import refused_file
from rejects import LEGACY_LINES, make_reject
from tenants import WORKING_WEEKS, Tenant
from usage import some_usage

USAGE, REJECTS, REFUSED, DAYS, NOTHING = "usage added", "rejects added", "file refused", "days removed", "nothing"


def add_usage(tenant: Tenant, rng: random.Random) -> str:
    what, sign_ins = some_usage(tenant, rng)
    twin = rng.choice(tenant.everyday) if tenant.everyday and rng.random() < 0.15 else None
    if twin and 0 <= twin.day < WINDOW_DAYS:
        # The same id as an everyday sign-in: of another user, at another time, or of the very same second.
        fields = rng.choice((dict(), dict(day=twin.day, second=twin.second, fraction=""),
                             dict(day=twin.day, second=twin.second, fraction="", user=twin.user)))
        sign_ins = [sign_ins[0].but(log=twin.log, id=twin.id, **fields)]
        what += f", with the id {twin.id} and {', '.join(fields) or 'nothing else'} of a modern sign-in"
    if rng.random() < 0.25 and tenant.delivery != "portal":
        tenant.separate += sign_ins
        return f"{what}, in a file of its own"
    tenant.told += sign_ins
    return what


def add_rejects(tenant: Tenant, rng: random.Random) -> str:
    names = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        name, reject = make_reject(tenant, rng, day_with_a_file(tenant, rng), LEGACY_LINES)
        tenant.rejects.append(reject)
        names.append(name)
    return "; ".join(names)


def day_with_a_file(tenant: Tenant, rng: random.Random) -> int:
    days = [s.day for s in tenant.everyday if 0 <= s.day < WINDOW_DAYS]
    return rng.choice(days) if days else rng.randrange(WINDOW_DAYS)


def add_refused_file(tenant: Tenant, rng: random.Random) -> str:
    what, file = refused_file(tenant, rng)
    tenant.refused.append(file)
    return what


def remove_days(tenant: Tenant, rng: random.Random) -> str:
    """One to fourteen days of one or both logs. What the story tells is not lost, nor is any day on which it happened:
    whether a lost day was the only one with usage, no log can show."""
    logs = rng.choice(((INTERACTIVE,), (NON_INTERACTIVE,), LOGS, LOGS))
    told = {s.day for s in (*tenant.told, *tenant.separate)}
    counts = {}
    for s in tenant.everyday:
        if s.log in logs and 0 <= s.day < WINDOW_DAYS and s.day not in told:
            counts[s.day] = counts.get(s.day, 0) + 1
    for log, day in tenant.empty_storage_days:
        if log in logs and 0 <= day < WINDOW_DAYS and day not in told:
            counts.setdefault(day, 0)
    how, lost = choose_days(rng, counts)
    before = tenant.everyday
    tenant.everyday = [s for s in tenant.everyday if s.log not in logs or s.day not in lost]
    tenant.empty_storage_days = {(log, day) for log, day in tenant.empty_storage_days if log not in logs or day not in lost}
    lost_of = {log: lost_days(before, tenant, log) for log in logs}
    tenant.lacks_too_much = any(lacks_too_much(tenant, log, lost_of[log]) for log in logs)
    tenant.lacks_visibly = any(lacks_visibly(tenant, log, lost_of[log]) for log in logs)
    return f"{how} of {' and '.join(logs)}: {', '.join(map(str, sorted(lost))) or 'none'}"


def lost_days(before: list[SignIn], tenant: Tenant, log: str) -> set[int]:
    """The days of the window on which a log had records and has none any more."""
    return {s.day for s in before if s.log == log and 0 <= s.day < WINDOW_DAYS} - set(tenant.days_with_records(log))


def lacks_visibly(tenant: Tenant, log: str, lost: set[int]) -> bool:
    """Whether one of the lost days is missing afterwards by the terms of the coverage rule: nobody states it, and it is
    not a day of the interactive log on which the other log of the same channel was seen."""
    if tenant.delivery in ("covers", "portal"):
        return False
    if "logs_from" in tenant.roster:
        lost = {day for day in lost if not tenant.roster["logs_from"] <= DATES[day] <= tenant.roster["logs_to"]}
    if log == INTERACTIVE and tenant.delivery != "apart":
        lost = lost - set(tenant.days_with_records(NON_INTERACTIVE))
    return bool(lost)


def lacks_too_much(tenant: Tenant, log: str, lost: set[int]) -> bool:
    """Whether no rule may call the log whole: nobody states it to be, and of every kind of working week more days are
    lost than may be missing. An interactive log may be silent, but not on so many days if it is busy."""
    if tenant.delivery in ("covers", "portal") or "logs_from" in tenant.roster:
        return False
    fewest = min(sum(WEEKDAYS[day] in week for day in lost) for week in WORKING_WEEKS)
    if log == NON_INTERACTIVE:
        return fewest >= 4
    # A window has at most thirty expected days.
    busy = min(usual(tenant, log, first, end) for first, end in ((-120, 0), (0, WINDOW_DAYS)))
    return fewest >= 5 and fewest * busy > WINDOW_DAYS


def usual(tenant: Tenant, log: str, first: int, end: int) -> float:
    """How many records a day of the log has, of the days that have any. Without such a day, any number."""
    counts = Counter(s.day for s in tenant.everyday if s.log == log and first <= s.day < end)
    return median(counts.values()) if counts else float("inf")


def choose_days(rng: random.Random, counts: dict[int, int]) -> tuple[str, set[int]]:
    days = sorted(counts)
    number = min(len(days), rng.choice((1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 14, 14)))
    how = rng.choices(("random days", "the busiest days", "the last days", "a run", "a weekday"), (45, 25, 12, 10, 8))[0]
    if how == "random days":
        chosen = rng.sample(days, number)
    elif how == "the busiest days":
        chosen = sorted(days, key=lambda day: -counts[day])[:number]
    elif how == "the last days":
        chosen = days[len(days) - number:]
    elif how == "a run":
        at = rng.randrange(len(days) - number + 1)
        chosen = days[at:at + number]
    else:
        weekday = rng.randrange(7)
        chosen = [day for day in days if WEEKDAYS[day] == weekday]
    return how, set(chosen)


def change_nothing(_tenant: Tenant, _rng: random.Random) -> str:
    return "nothing"


CHANGES = {USAGE: (add_usage, 20), REJECTS: (add_rejects, 13), REFUSED: (add_refused_file, 10), DAYS: (remove_days, 45),
           NOTHING: (change_nothing, 12)}


def change(tenant: Tenant, seed: int) -> tuple[str, str, Tenant]:
    """Which change, what it is in words, and the changed tenant."""
    rng = random.Random(f"{seed} {tenant.index} change")
    kind = rng.choices(list(CHANGES), [weight for _, weight in CHANGES.values()])[0]
    changed = tenant.changed(rng)
    return kind, CHANGES[kind][0](changed, rng), changed
