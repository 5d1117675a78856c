"""Which days of which log of a tenant are there, and how busy they are."""
from .kinds import INT, NON

DAY = 86_400_000_000
HOUR = DAY // 24
MON_FRI, SUN_THU, SAT_WED, ALL_WEEK = (0, 1, 2, 3, 4), (6, 0, 1, 2, 3), (5, 6, 0, 1, 2), tuple(range(7))
NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def weekday(day):
    return (day + 3) % 7


class Plan:
    """counts: category -> day -> records. The window is [start, end); end is as_of."""

    def __init__(self, rng, start, end):
        self.rng, self.start, self.end = rng, start, end
        self.week = rng.choices([MON_FRI, SUN_THU, SAT_WED, ALL_WEEK], [60, 12, 6, 22])[0]
        self.size = rng.choices(["dense", "middle", "small", "tiny"], [6, 22, 52, 20])[0]
        history = rng.choices([0, 14, 60], [22, 10, 68])[0]
        self.first = start - (min(history, 30) if self.size == "dense" else history)
        self.stated = None             # the roster's logs_from and logs_to, as days
        self.workdays = None
        self.settles = {INT: True, NON: True}
        # Less 24 hours: after the window, or on its last day.
        self.settle_at = end * DAY + rng.choice([30, 30, 12]) * HOUR
        self.foreign = []              # days on which there are only sign-ins of others
        means = dict(dense=(12, 60), middle=(6, 13), small=(3, 5), tiny=(1.3, 1.6))[self.size]
        self.counts = {category: self.busy(mean) for category, mean in zip((INT, NON), means)}
        self.name = rng.choices(list(PATTERNS), [weight for weight, _ in PATTERNS.values()])[0]
        PATTERNS[self.name][1](self)

    def busy(self, mean):
        days = [d for d in range(self.first, self.end + 1) if weekday(d) in self.week]
        return {d: max(1, round(mean * (0.6 + 0.8 * self.rng.random()))) for d in days}

    def window_days(self, category=NON):
        return [d for d in self.counts[category] if self.start <= d < self.end]

    def lose(self, days, categories=(INT, NON)):
        for category in categories:
            for day in days:
                self.counts[category].pop(day, None)

    def thin_out(self, category, presence):
        """A log in which only some days have a sign-in or two."""
        self.counts[category] = {d: self.rng.choice([1, 1, 2]) for d in self.counts[category] if self.rng.random() < presence}


def intact(plan):
    pass


def one_day(plan):
    plan.lose(plan.rng.sample(plan.window_days(), 1))


def scattered(plan):
    plan.lose(plan.rng.sample(plan.window_days(), 3))


def one_in_eight(plan):
    offset = plan.rng.randrange(8)
    plan.lose([d for d in range(plan.start, plan.end) if d % 8 == offset])


def at_random(plan):
    plan.lose([d for d in range(plan.start, plan.end) if plan.rng.random() < 0.12])


def twice_three(plan):
    for at in (plan.rng.randrange(2, 10), plan.rng.randrange(14, 24)):
        plan.lose(range(plan.start + at, plan.start + at + 3))


def every_other(plan):
    plan.lose(range(plan.start, plan.end, 2))


def ten_day_pulls(plan):
    plan.lose([d for d in range(plan.start, plan.end) if (d - plan.start) % 10 >= 7])


def last_days(plan):
    plan.lose(range(plan.end - plan.rng.choice([3, 4, 6]), plan.end + 1))
    plan.settles = {INT: False, NON: False}


def one_log_ends_early(plan):
    category = plan.rng.choice([INT, NON])
    plan.lose(range(plan.end - 4, plan.end + 1), [category])
    plan.settles[category] = False


def same_weekday(plan):
    lost = plan.rng.choice(plan.week)
    plan.lose([d for d in range(plan.start, plan.end) if weekday(d) == lost])


def one_log_off(plan):
    at = plan.start + plan.rng.randrange(2, 18)
    plan.lose(range(at, at + 10), [plan.rng.choice([INT, NON])])


def long_gap(plan):
    at = plan.start + plan.rng.randrange(2, 16)
    plan.lose(range(at, at + plan.rng.choice([5, 7, 12])))
    if plan.rng.random() < 0.4:
        plan.stated = (plan.start - 5, plan.end)


def gap_and_longer_lookback(plan):
    at = plan.start - plan.rng.randrange(12, 25)
    plan.lose(range(at, at + 8))


def holiday(plan):
    plan.lose(range(plan.start + 6, plan.start + 20))
    if plan.rng.random() < 0.5:
        plan.stated = (plan.start - 60, plan.end - 1)


def begins_late(plan):
    at = plan.start + plan.rng.choice([3, 8, 15])
    plan.lose(range(plan.first, at))
    if plan.rng.random() < 0.3:
        plan.stated = (plan.start, at)


def one_log_only(plan):
    plan.lose(list(plan.counts[INT]), [INT])
    plan.settles[INT] = False
    if plan.rng.random() < 0.4:
        plan.stated = (plan.start - 5, plan.end)


def unsettled(plan):
    plan.settles = {INT: False, NON: False}
    plan.lose([plan.end])


def sparse_interactive(plan):
    plan.thin_out(INT, plan.rng.choice([0.3, 0.45, 0.6]))
    plan.settles[INT] = plan.rng.random() < 0.5


def switched_off_interactive(plan):
    plan.thin_out(INT, plan.rng.choice([0.5, 0.7]))
    plan.lose(range(plan.start + plan.rng.randrange(5), plan.end + 1), [INT])
    plan.settles[INT] = False


def near_idle(plan):
    for category in (INT, NON):
        plan.thin_out(category, plan.rng.choice([0.05, 0.12]))
        if not plan.window_days(category):
            plan.counts[category][plan.start + 9] = 1
        plan.settles[category] = plan.rng.random() < 0.5
    plan.stated = plan.rng.choice([None, (plan.start, plan.end - 1), (plan.start - 20, plan.end), (plan.start, plan.end - 9)])


def thin_days(plan):
    if plan.size in ("small", "tiny"):
        plan.counts[NON] = plan.busy(14)
    for day in plan.rng.sample(plan.window_days(), plan.rng.choice([1, 4, 5])):
        plan.counts[NON][day] = 1


def workdays_of_the_roster(plan):
    """Every day but Friday is there; the roster says which days people work."""
    plan.week = ALL_WEEK
    for category, mean in ((INT, 4), (NON, 9)):
        plan.counts[category] = {day: n for day, n in plan.busy(mean).items() if weekday(day) != 4}
    plan.workdays = [NAMES[w] for w in plan.rng.choice([MON_FRI, SUN_THU])]


def foreign_days(plan):
    plan.foreign = range(plan.start + 5, plan.start + 13)
    plan.lose(plan.foreign)


PATTERNS = {
    "intact": (46, intact), "one_day": (4, one_day), "scattered": (3, scattered), "one_in_eight": (3, one_in_eight),
    "at_random": (3, at_random), "twice_three": (3, twice_three), "every_other": (2, every_other),
    "ten_day_pulls": (2, ten_day_pulls), "last_days": (3, last_days), "one_log_ends_early": (3, one_log_ends_early),
    "same_weekday": (2, same_weekday), "one_log_off": (3, one_log_off), "long_gap": (3, long_gap),
    "gap_and_longer_lookback": (2, gap_and_longer_lookback), "holiday": (2, holiday), "begins_late": (4, begins_late),
    "one_log_only": (2, one_log_only), "unsettled": (3, unsettled), "sparse_interactive": (7, sparse_interactive),
    "switched_off_interactive": (3, switched_off_interactive), "near_idle": (6, near_idle), "thin_days": (4, thin_days),
    "workdays_of_the_roster": (3, workdays_of_the_roster), "foreign_days": (2, foreign_days),
}
