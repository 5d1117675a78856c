"""Which days of the window are seen, filled, stated or missing, and whether that suffices.

Works on counts per day alone; `sources` decides which records count.
"""
import collections
import copy
import fractions
import math
import statistics

from .times import DAY, HOUR, weekday

WEEKS_BEFORE, ENOUGH_HISTORY = 56, 28
PERMITTED_GAP = {"non_interactive": 4, "interactive": 10}
# Of twenty expected days; a log that is not busy may lack one in ten.
PERMITTED_MISSING = {"non_interactive": 1, "interactive": 3}
BUSY_MEDIAN = 5
THIN_MEDIAN, THIN_SHARE, THIN_DAYS = 10, 10, 3
NEAR_IDLE_PERCENT = 40
BELIEVABLE = 0.01
# Fewer days than these around a silence say nothing of it.
DAYS_AROUND = 5
# A week off, with both its weekends.
CLOSED_DAYS = 10
UNKNOWN = 1 << 32
WEEK_LEAD = fractions.Fraction(1, 10)
FIVE_DAY_WEEKS = [(0, 1, 2, 3, 4), (6, 0, 1, 2, 3), (5, 6, 0, 1, 2)]


class CategoryLog:
    """What is there of one category of one tenant."""

    def __init__(self):
        self.counts = {}                                  # day -> records of the channel that has most
        self.stored = set()                               # days of storage-export files
        self.channels = collections.defaultdict(dict)     # channel -> day -> newest instant in it
        self.of_channel = collections.Counter()           # (channel, day) -> records
        self.newest, self.never_thin = None, set()

    def record(self, t, channel):
        day = t // DAY
        self.of_channel[channel, day] += 1
        self.counts[day] = max(self.counts.get(day, 0), self.of_channel[channel, day])
        self.reach(day, t, channel)

    def storage_file(self, day, hour, channel):
        self.stored.add(day)
        self.reach(day, day * DAY + (hour + 1) * HOUR, channel)

    def reach(self, day, instant, channel):
        days = self.channels[channel]
        days[day] = max(days.get(day, instant), instant)
        self.newest = instant if self.newest is None else max(self.newest, instant)

    def days(self):
        return self.stored | set(self.counts)

    def completed_by(self, lacking):
        """The same log, did the files that lack a column have it. What they hold is not counted."""
        log = copy.copy(self)
        log.never_thin = lacking.days()
        log.stored = self.stored | log.never_thin
        log.newest = max(t for t in (self.newest, lacking.newest) if t is not None)
        return log

    def thin(self, day):
        before = [self.counts[d] for d in range(day - WEEKS_BEFORE, day, 7) if self.counts.get(d)]
        if len(before) < THIN_DAYS:
            return False
        median = statistics.median(before)
        return median >= THIN_MEDIAN and self.counts.get(day, 0) * THIN_SHARE < median

    def seen(self):
        return {day for day in self.days() if day in self.never_thin or not self.thin(day)}


def base_of_habits(log, start, end):
    """(days, whether they reach into the window)"""
    first = max(min(log.days(), default=start), start - WEEKS_BEFORE)
    if first <= start - ENOUGH_HISTORY and any(first <= day < start for day in log.days()):
        return range(first, start), False
    return range(first, end), True


class Habits:
    """On which weekdays sign-ins are usual, and how many."""

    def __init__(self, log, stated, start, end, workdays=None):
        base, with_window = base_of_habits(log, start, end)
        seen = log.seen()
        found, there, counts = collections.Counter(), collections.Counter(), collections.defaultdict(list)
        for day in base:
            there[weekday(day)] += 1
            if day in seen:
                found[weekday(day)] += 1
                counts[weekday(day)].append(log.counts.get(day, 0))

        def covered(week):
            return fractions.Fraction(sum(found[w] for w in week), max(1, sum(there[w] for w in week)))

        # A lost Friday must not make another week of it: where the window counts too, it has to lead by a tenth.
        lead = WEEK_LEAD if with_window else 0
        monday_to_friday, *others = FIVE_DAY_WEEKS
        clear = [w for w in others if covered(w) > covered(monday_to_friday) + lead]
        week = workdays or max([monday_to_friday, *clear], key=covered)
        # Where history alone is looked at, a weekday has to be usual in it: one busy Sunday is not.
        often = {w for w in range(7) if with_window or found[w] * 100 >= NEAR_IDLE_PERCENT * there[w]}
        self.expected = set(week) | {w for w in often if counts[w] and statistics.median(counts[w]) >= BUSY_MEDIAN}
        usual = [n for w in self.expected for n in counts[w]]
        self.median = statistics.median(usual) if usual else 0
        if with_window:
            # Nobody knows how many records a lost day would have had.
            usual += [UNKNOWN for day in range(start, end) if self.expects(day) and day not in seen | stated]
        self.busy = bool(usual) and statistics.median(usual) >= BUSY_MEDIAN
        self.near_idle = not any(there[w] and found[w] * 100 >= NEAR_IDLE_PERCENT * there[w] for w in range(7))

    def expects(self, day):
        return weekday(day) in self.expected


def fill(interactive, non_interactive, habits, start, end):
    """day -> instant: days without interactive records that the sibling log makes believable."""
    present = interactive.days()
    sibling = {}
    for channel, days in non_interactive.channels.items():
        if interactive.channels.get(channel):
            for day, instant in days.items():
                sibling[day] = max(instant, sibling.get(day, instant))
    if not present or not sibling:
        return {}
    first, last = min(present), max(end - 1, *sibling)
    expected = [day for day in range(start, end) if habits.expects(day)]
    silent = sum(day not in present for day in expected)
    too_many = silent * habits.median > len(expected)
    seen, filled = non_interactive.seen(), {}
    for run in runs(set(range(first, last + 1)) - present):
        if run[-1] >= start and believable(present, habits, run, start, end):
            # Where the sibling goes on after a day, it was there until the day's end.
            until = {day: (day + 1) * DAY if max(sibling) > day else sibling[day] for day in sibling}
            filled.update({day: until[day] for day in run if day in sibling and day in seen
                           and not (too_many and habits.expects(day))})
    return filled


def believable(present, habits, run, start, end):
    around = days_around(present, run, start, end)
    silence = {}
    for usual in (True, False):
        days = [day for day in around if habits.expects(day) == usual]
        silence[usual] = 1 - (sum(day in present for day in days) + 0.5) / (len(days) + 1)
    return math.prod(silence[habits.expects(day)] for day in run) >= BELIEVABLE


def days_around(present, run, start, end):
    first = min(present)
    return set(range(max(first, run[0] - WEEKS_BEFORE), run[0])) | {
        day for day in range(max(first, start), end) if not run[0] <= day <= run[-1]}


def doubted(category, log, habits, by_files, start, end):
    """Days that files state and that are not believed: too long a silence in a log that is never that silent."""
    present = log.days()
    if not present:
        return set()
    long_runs = [run for run in runs(by_files - present) if len(run) > max(CLOSED_DAYS, PERMITTED_GAP[category])]
    known = {run[0]: sum(map(habits.expects, days_around(present, run, start, end))) for run in long_runs}
    return {day for run in long_runs for day in run
            if known[run[0]] >= DAYS_AROUND and not believable(present, habits, run, start, end)}


def runs(days):
    """Runs of consecutive days as lists."""
    found = []
    for day in sorted(days):
        if found and found[-1][-1] == day - 1:
            found[-1].append(day)
        else:
            found.append([day])
    return found


def permitted_missing(category, habits, expected):
    if category == "non_interactive" and not habits.busy:
        return expected // 10
    return expected * PERMITTED_MISSING[category] // 20


Found = collections.namedtuple("Found", "reasons numbers")


def judge(category, log, habits, filled, stated, of_sibling, start, end, settle_hours=24):
    """The reasons for which the evidence of one category does not suffice, and the numbers behind them.

    of_sibling: the habits of the non-interactive log that comes by the same channel.
    """
    seen = log.seen()
    window = range(start, end)
    present = seen | set(filled) | stated
    if not any(day in present for day in window):
        # A log that begins behind the window is too young.
        first = min(log.days() | stated, default=start)
        return Found({"window_longer_than_history" if first >= end else "category_missing"}, ())
    reasons = set()
    expected = [d for d in window if habits.expects(d)]
    missing = [d for d in window if d not in present]
    missing_expected = [d for d in expected if d not in present]

    too_many = len(missing_expected) > permitted_missing(category, habits, len(expected))
    long_runs = [run for run in runs(missing) if len(run) > PERMITTED_GAP[category]]
    # Where the other log of the channel is silent as a rule, this one may be.
    idle = habits.near_idle and any(of_sibling is None or of_sibling.expects(d) for d in missing)
    if too_many or idle:
        reasons.add("days_missing")
    if long_runs:
        reasons.add("gap")
    if reasons:
        first = min(log.days() | stated)
        late = missing if habits.near_idle else missing_expected + [d for run in long_runs for d in run]
        if all(day < first for day in late):
            reasons = {"window_longer_than_history"}

    covered = [day for day in window if day in present]
    instants = []
    if log.newest is not None:
        instants = [log.newest]
        for day in range((log.newest - 1) // DAY + 1, max(filled, default=0) + 1):
            if day in filled:
                instants.append(filled[day])
            elif habits.expects(day) and day not in log.days():
                break
    horizon = max([t - settle_hours * HOUR for t in instants] + [(day + 1) * DAY for day in stated], default=0)
    if sum((day + 1) * DAY > horizon for day in expected) > max(0, min(1, len(expected) - 1)):
        reasons.add("not_settled")
    return Found(reasons, (missing_expected, long_runs, len(covered), horizon) if reasons else ())
