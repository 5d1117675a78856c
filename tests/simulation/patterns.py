"""What is lost, from which tenants, and how often the evidence may suffice in spite of it.

Owns the patterns of loss, the cells of the simulation (pattern, tenant size, history) and their goals.
A loss is a set of (category, day) of which no record reaches the program; day 0 is the first day of the
window. Each tenant draws its own.
"""
import random
from collections.abc import Callable
from dataclasses import dataclass

from activity import (
    CATEGORIES, CLOSED_BEFORE_WINDOW, CLOSED_IN_WINDOW, INTERACTIVE, NEAR_IDLE, NON_INTERACTIVE,
    SPARSE_INTERACTIVE, USUAL, Habits,
)

WINDOW_DAYS = 30
HISTORY_DAYS = 60
DAYS_AFTER = 2  # the logs are collected until two days after the window

WINDOW = range(WINDOW_DAYS)
HISTORY = range(-HISTORY_DAYS, 0)
ALL_DAYS = range(-HISTORY_DAYS, WINDOW_DAYS + DAYS_AFTER)

SIZES = (1, 3, 5, 20, 200)
FROM_THREE = (3, 5, 20, 200)
FROM_FIVE = (5, 20, 200)

Loss = set[tuple[str, int]]
Draw = Callable[[random.Random, dict[int, int]], Loss]


def of_both(days) -> Loss:
    return {(category, day) for category in CATEGORIES for day in days}


def intact(_rng, _weekdays) -> Loss:
    return set()


def every_nth(n: int, days=WINDOW, categories=CATEGORIES) -> Draw:
    def draw(rng, _weekdays):
        offset = rng.randrange(n)
        return {(category, day) for category in categories for day in days if day % n == offset}
    return draw


def at_random(share: float, days=WINDOW) -> Draw:
    return lambda rng, _weekdays: of_both([day for day in days if rng.random() < share])


def twice_three_days(rng, _weekdays) -> Loss:
    first = rng.randrange(WINDOW_DAYS - 6)
    second = rng.randrange(first + 4, WINDOW_DAYS - 2)
    return of_both([*range(first, first + 3), *range(second, second + 3)])


def pulls_of_seven_in_ten(rng, _weekdays) -> Loss:
    offset = rng.randrange(10)
    return of_both([day for day in WINDOW if (day + offset) % 10 >= 7])


def last_four_days(_rng, _weekdays) -> Loss:
    return of_both(range(WINDOW_DAYS - 4, WINDOW_DAYS + DAYS_AFTER))


def same_weekday(rng, weekdays) -> Loss:
    lost = rng.randrange(5)
    return of_both([day for day in WINDOW if weekdays[day] == lost])


def ten_days_of(category: str) -> Draw:
    def draw(rng, _weekdays):
        first = rng.randrange(WINDOW_DAYS - 9)
        return {(category, day) for day in range(first, first + 10)}
    return draw


@dataclass(frozen=True)
class Goal:
    """How many percent of the tenants of some sizes have sufficient evidence."""

    sizes: tuple[int, ...]
    at_least: float | None = None
    at_most: float | None = None

    def text(self) -> str:
        bound = f"≥ {self.at_least:g} %" if self.at_least is not None else f"≤ {self.at_most:g} %"
        if len(self.sizes) > 2 and self.sizes[-1] == SIZES[-1]:
            return f"{bound} from {self.sizes[0]} users"
        return f"{bound} with {' or '.join(map(str, self.sizes))} users"


@dataclass(frozen=True)
class Pattern:
    name: str
    draw: Draw
    goal: Goal | None = None
    sizes: tuple[int, ...] = SIZES
    habits: Habits = USUAL
    # With the days before the window, with the window alone, or both.
    histories: tuple[bool, ...] = (True, False)
    # Who states that the logs are complete: nobody, the "roster", or "covers" (the flag of `ingest`).
    stated: str | None = None
    smoke: bool = False


def at_most(percent: float, sizes=FROM_THREE) -> Goal:
    return Goal(sizes, at_most=percent)


def at_least(percent: float, sizes) -> Goal:
    return Goal(sizes, at_least=percent)


PATTERNS = (
    Pattern("intact", intact, at_least(95, FROM_FIVE), smoke=True),
    Pattern("intact, range in the roster", intact, at_least(80, (1, 3)), sizes=(1, 3), stated="roster", smoke=True),
    Pattern("intact, range by `--covers`", intact, at_least(80, (1, 3)), sizes=(1, 3), stated="covers"),
    Pattern("one day in eight", every_nth(8), at_most(10), smoke=True),
    Pattern("12 % of days at random", at_random(0.12), at_most(20)),
    Pattern("twice three days", twice_three_days, at_most(10)),
    Pattern("every other day", every_nth(2), at_most(10), smoke=True),
    Pattern("seven days of every ten pulled", pulls_of_seven_in_ten, at_most(10)),
    Pattern("last four days", last_four_days, at_most(10)),
    Pattern("non-interactive log off for ten days", ten_days_of(NON_INTERACTIVE), at_most(10)),
    Pattern("interactive log off for ten days", ten_days_of(INTERACTIVE), at_most(10)),
    Pattern("same weekday every week", same_weekday),
    Pattern("one day in eight, before the window too", every_nth(8, days=[*HISTORY, *WINDOW]), at_most(10),
            sizes=FROM_THREE, histories=(True,)),
    Pattern("12 % at random, before the window too", at_random(0.12, days=[*HISTORY, *WINDOW]), at_most(20),
            sizes=FROM_THREE, histories=(True,)),
    Pattern("every other day of the interactive log", every_nth(2, categories=(INTERACTIVE,)), sizes=FROM_THREE),
    Pattern("sparse interactive log, intact", intact, at_least(90, (20,)), sizes=(20,), habits=SPARSE_INTERACTIVE),
    Pattern("sparse interactive log, off for ten days", ten_days_of(INTERACTIVE), at_most(10, (20,)), sizes=(20,),
            habits=SPARSE_INTERACTIVE),
    Pattern("nearly idle, intact", intact, sizes=(3,), habits=NEAR_IDLE),
    Pattern("nearly idle, intact, range by `--covers`", intact, at_least(95, (3,)), sizes=(3,), habits=NEAR_IDLE,
            stated="covers"),
    Pattern("closed for two weeks before the window", intact, at_least(95, (5, 20)), sizes=(5, 20),
            habits=CLOSED_BEFORE_WINDOW, histories=(True,)),
    Pattern("closed for two weeks in the window", intact, sizes=(5, 20), habits=CLOSED_IN_WINDOW),
)


@dataclass(frozen=True)
class Cell:
    """The tenants of one pattern, one size and one length of history."""

    pattern: Pattern
    users: int
    history: bool

    @property
    def key(self) -> str:
        return f"{self.pattern.name}|{self.users}|{'history' if self.history else 'window'}"

    @property
    def goal(self) -> Goal | None:
        goal = self.pattern.goal
        return goal if goal and self.users in goal.sizes else None


def cells(patterns) -> list[Cell]:
    return [
        Cell(pattern, users, history)
        for pattern in patterns for history in pattern.histories for users in pattern.sizes
    ]


SMOKE_SIZES = (3, 5)


def smoke_cells() -> list[Cell]:
    return [cell for cell in cells(p for p in PATTERNS if p.smoke) if cell.users in SMOKE_SIZES]
