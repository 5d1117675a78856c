"""Which days of the window are seen, filled, stated or missing, and whether that suffices.

Works on counts per day alone; `sources` decides which records count.
"""
import collections
import statistics

from .times import DAY, HOUR, weekday

WEEKS_BEFORE = 56
PERMITTED_GAP = {"non_interactive": 4, "interactive": 10}
PERMITTED_MISSING = {"non_interactive": 1, "interactive": 3}
BUSY_MEDIAN = 30
THIN_MEDIAN, THIN_SHARE, THIN_DAYS = 10, 10, 3
NEAR_IDLE_SHARE = 0.40
BELIEVABLE = 0.01
FIVE_DAY_WEEKS = [(0, 1, 2, 3, 4), (6, 0, 1, 2, 3), (5, 6, 0, 1, 2)]


class CategoryLog:
    """What is there of one category of one tenant."""

    def __init__(self):
        self.counts = collections.Counter()               # day -> records
        self.stored = set()                               # days of storage-export files
        self.channels = collections.defaultdict(dict)     # channel -> day -> newest instant in it
        self.newest = None

    def record(self, t, channel):
        self.counts[t // DAY] += 1
        self.reach(t // DAY, t, channel)

    def storage_file(self, day, hour, channel):
        self.stored.add(day)
        self.reach(day, day * DAY + (hour + 1) * HOUR, channel)

    def reach(self, day, instant, channel):
        days = self.channels[channel]
        days[day] = max(days.get(day, instant), instant)
        self.newest = instant if self.newest is None else max(self.newest, instant)

    def days(self):
        return self.stored | {day for day, n in self.counts.items() if n}

    def thin(self, day):
        before = [self.counts[d] for d in range(day - WEEKS_BEFORE, day, 7) if self.counts.get(d)]
        if len(before) < THIN_DAYS:
            return False
        median = statistics.median(before)
        return median >= THIN_MEDIAN and self.counts.get(day, 0) * THIN_SHARE < median

    def seen(self):
        return {day for day in self.days() if not self.thin(day)}


def shares(seen, base):
    """weekday -> (days seen, days there are) of the base."""
    table = {w: [0, 0] for w in range(7)}
    for day in base:
        table[weekday(day)][0] += day in seen
        table[weekday(day)][1] += 1
    return table


def base_of_habits(seen, start, end):
    first = min(seen)
    history = range(max(first, start - WEEKS_BEFORE), start)
    return history if any(day in seen for day in history) else range(max(first, start), end)


class Habits:
    """On which weekdays sign-ins are usual, from history or else from the window."""

    def __init__(self, log, seen, start, end, workdays=None):
        base = base_of_habits(seen, start, end)
        table = shares(seen, base)

        def covered(week):
            found, there = (sum(table[w][i] for w in week) for i in (0, 1))
            return found / there if there else -1.0

        week = tuple(workdays) if workdays else max(FIVE_DAY_WEEKS, key=covered)
        counts = collections.defaultdict(list)
        for day in base:
            if day in seen:
                counts[weekday(day)].append(log.counts.get(day, 0))
        others = [w for w in range(7) if w not in week and counts[w] and statistics.median(counts[w]) >= BUSY_MEDIAN]
        self.expected = set(week) | set(others)
        usual = [n for w in self.expected for n in counts[w]]
        self.median = statistics.median(usual) if usual else 0
        self.near_idle = not any(there and found >= NEAR_IDLE_SHARE * there for found, there in table.values())


def fill(interactive, non_interactive, end):
    """day -> instant: days without interactive records that the sibling log makes believable."""
    seen, sibling = interactive.seen(), non_interactive.seen()
    if not seen:
        return {}
    silent_from, last = min(seen), max([end - 1, *interactive.days(), *non_interactive.days()])
    present, filled, run = interactive.days(), {}, []
    for day in range(silent_from, last + 2):
        if day <= last and day not in present:
            run.append(day)
            continue
        if run and believable(seen, run):
            for silent in run:
                instants = [days[silent] for channel, days in non_interactive.channels.items()
                            if silent in days and any(d < run[0] for d in interactive.channels.get(channel, ()))]
                if silent in sibling and instants:
                    filled[silent] = max(instants)
        run = []
    return filled


def believable(seen, run):
    table = shares(seen, range(max(min(seen), run[0] - WEEKS_BEFORE), run[0]))
    product = 1.0
    for day in run:
        found, there = table[weekday(day)]
        product *= 1 - found / there if there else 0.0
    return product >= BELIEVABLE - 1e-9


def runs(days):
    """Runs of consecutive days as lists."""
    found = []
    for day in sorted(days):
        if found and found[-1][-1] == day - 1:
            found[-1].append(day)
        else:
            found.append([day])
    return found


def reasons_of_category(category, log, filled, stated, start, end, settle_hours=24, workdays=None):
    """The reasons for which the evidence of one category does not suffice; none if it does."""
    seen = log.seen()
    window = range(start, end)
    present = seen | set(filled) | stated
    if not any(day in present for day in window):
        return {"category_missing"}
    reasons = set()
    # A log that is only stated, without any record, has no habits: each day is asked for.
    habits = Habits(log, seen, start, end, workdays) if seen else None
    expected = [d for d in window if habits is None or weekday(d) in habits.expected]
    missing = [d for d in window if d not in present]
    missing_expected = [d for d in expected if d not in present]

    if habits and habits.median >= BUSY_MEDIAN:
        too_many = len(missing_expected) > PERMITTED_MISSING[category]
    else:
        too_many = len(missing_expected) * 10 > len(expected)
    long_runs = [run for run in runs(missing) if len(run) > PERMITTED_GAP[category]]
    idle = (habits is None or habits.near_idle) and bool(missing)
    if too_many or idle:
        reasons.add("days_missing")
    if long_runs:
        reasons.add("gap")
    if reasons:
        first = min(seen | stated)
        late = [d for d in missing_expected if d >= first] + [d for run in long_runs for d in run if d >= first]
        if not late and missing_expected + long_runs:
            reasons = {"window_longer_than_history"}

    instants = [t - settle_hours * HOUR for t in [log.newest, *filled.values()] if t is not None]
    horizon = max(instants + [(day + 1) * DAY for day in stated])
    if sum((day + 1) * DAY > horizon for day in expected) > 1:
        reasons.add("not_settled")
    return reasons
