"""What the people of an invented tenant do: per category and day, who signs in and how often.

Owns the model of activity. It knows weekdays but no dates, ids, files or losses. Every user has a rate of
their own, fixed working days, sick days and holidays, and devices that stay busy to some extent while nobody
works. A gamma variate per user and day makes the counts overdispersed: they vary more than Poisson counts.
"""
import math
import random
from dataclasses import dataclass

INTERACTIVE = "interactive"
NON_INTERACTIVE = "non_interactive"
CATEGORIES = (INTERACTIVE, NON_INTERACTIVE)

# Sign-ins per user and workday, on average.
RATES = {INTERACTIVE: 1.2, NON_INTERACTIVE: 6.0}
# Large tenants are scaled down to keep the simulation fast. Their days stay far from silent.
SCALE = {20: 0.4, 200: 0.07}


@dataclass(frozen=True)
class Habits:
    """What distinguishes one kind of tenant from another."""

    interactive: float = RATES[INTERACTIVE]
    non_interactive: float = RATES[NON_INTERACTIVE]
    # The sign-ins of the whole tenant per workday, instead of a rate per user.
    interactive_of_tenant: float | None = None
    # Days of the window (0 is its first day) on which the company is closed, first and last.
    closed: tuple[int, int] | None = None

    def mean(self, category: str, users: int) -> float:
        if category == NON_INTERACTIVE:
            return self.non_interactive * SCALE.get(users, 1.0)
        if self.interactive_of_tenant is not None:
            return self.interactive_of_tenant / users
        return self.interactive * SCALE.get(users, 1.0)


USUAL = Habits()
# The log is sparse because people hardly ever type a password, not because records are lost.
SPARSE_INTERACTIVE = Habits(interactive_of_tenant=3.0)
NEAR_IDLE = Habits(interactive=0.12, non_interactive=0.15)
CLOSED_BEFORE_WINDOW = Habits(closed=(-40, -27))
CLOSED_IN_WINDOW = Habits(closed=(7, 20))


class User:
    """One user's rates and absences over all simulated days."""

    def __init__(self, rng: random.Random, tenant_users: int, day_count: int):
        self.rate = {
            INTERACTIVE: rng.gammavariate(1.2, 1 / 1.2),
            NON_INTERACTIVE: 0.15 + 0.85 * rng.gammavariate(1.6, 1 / 1.6),
        }
        self.workdays = set(range(5))
        if tenant_users > 1 and rng.random() < 0.2:
            self.workdays = set(rng.sample(range(5), rng.choice((3, 4))))
        # The share of a workday's sign-ins that happens on a day off: phones fetch mail, laptops sleep.
        self.share_on_days_off = {INTERACTIVE: 0.04, NON_INTERACTIVE: rng.choice((0.05, 0.2, 0.35))}
        self.away = [False] * day_count
        if rng.random() < 0.35:
            self._stay_away(rng.randrange(-7, day_count - 3), 14)
        for day in range(day_count):
            if rng.random() < 0.005:
                self._stay_away(day, rng.randint(1, 5))
            if rng.random() < 0.02:
                self._stay_away(day, 1)

    def _stay_away(self, first: int, length: int) -> None:
        for day in range(max(0, first), min(len(self.away), first + length)):
            self.away[day] = True


def poisson(rng: random.Random, mean: float) -> int:
    if mean > 40.0:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def tenant_activity(rng: random.Random, users: int, weekdays: dict[int, int], habits: Habits) -> dict:
    """Per category and day, a list with one user number per sign-in.

    weekdays: the weekday (Monday is 0) of each day, in order; day 0 is the first day of the window.
    """
    people = [User(rng, users, len(weekdays)) for _ in range(users)]
    means = {category: habits.mean(category, users) for category in CATEGORIES}
    activity = {category: {day: [] for day in weekdays} for category in CATEGORIES}
    for index, (day, weekday) in enumerate(weekdays.items()):
        bank_holiday = weekday < 5 and rng.random() < 1 / 45
        closed = habits.closed is not None and habits.closed[0] <= day <= habits.closed[1]
        for number, user in enumerate(people):
            works = weekday in user.workdays and not user.away[index] and not closed
            works = works and (not bank_holiday or rng.random() < 0.08)
            mood = rng.gammavariate(2.0, 0.5)
            for category in CATEGORIES:
                mean = means[category] * user.rate[category] * mood
                if not works:
                    mean *= user.share_on_days_off[category]
                activity[category][day].extend([number] * poisson(rng, mean))
    return activity
