"""Counts per cell, the Markdown tables, and the comparison with the goals."""
import csv
import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from patterns import SIZES, WINDOW_DAYS, Cell


@dataclass
class CellResult:
    """What the program decided about the tenants of one cell. Tenants without the monthly job tell how often
    the evidence suffices; tenants with it tell how often it is missed."""

    tenants: int = 0
    sufficient: int = 0
    jobs: int = 0
    jobs_missed: int = 0
    lost_days_cleared: float = 0.0
    reasons: Counter = field(default_factory=Counter)
    # A job whose record the program was given, and no warning: never allowed.
    jobs_ignored: list[str] = field(default_factory=list)
    not_assessed: list[str] = field(default_factory=list)

    def add(self, tenant: dict, verdict: str, reasons: str) -> None:
        if verdict == "not_assessed":
            self.not_assessed.append(tenant["id"])
        if tenant["job"] is not None:
            self.jobs += 1
            if tenant["job_collected"]:
                if verdict != "warning":
                    self.jobs_ignored.append(tenant["id"])
            elif verdict == "no_impact":
                self.jobs_missed += 1
            return
        self.tenants += 1
        if verdict == "no_impact":
            self.sufficient += 1
            self.lost_days_cleared += tenant["lost_days"]
        else:
            self.reasons.update(set(reasons.split(";")))

    def merge(self, other: "CellResult") -> None:
        self.tenants += other.tenants
        self.sufficient += other.sufficient
        self.jobs += other.jobs
        self.jobs_missed += other.jobs_missed
        self.lost_days_cleared += other.lost_days_cleared
        self.reasons += other.reasons
        self.jobs_ignored += other.jobs_ignored
        self.not_assessed += other.not_assessed

    @property
    def percent(self) -> float:
        return 100 * self.sufficient / self.tenants

    @property
    def job_missed_percent(self) -> float:
        """The chance that a tenant is told "no impact" and a job on a random day of the window, in a random one
        of the two logs, is among what was lost."""
        return 100 * self.lost_days_cleared / (WINDOW_DAYS * self.tenants)


def binomial_tail(count: int, trials: int, share: float, upper: bool) -> float:
    """The probability of at least (upper) or at most `count` hits."""
    hits = range(count, trials + 1) if upper else range(count + 1)
    return sum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in hits)


def missed_goals(cells: list[Cell], results: dict[str, CellResult], loose: bool) -> list[str]:
    """One line per goal that was missed. loose: a miss that chance explains (1 %) is none; for few tenants."""
    missed = []
    for cell in cells:
        result, goal = results[cell.key], cell.goal
        place = f"{cell.pattern.name}, {cell.users} users, {'90 days' if cell.history else 'window alone'}"
        if result.jobs_ignored:
            missed.append(f"{place}: a monthly job in the logs gave no warning: {', '.join(result.jobs_ignored)}")
        if goal is None:
            continue
        found = f"{result.sufficient} of {result.tenants} tenants have sufficient evidence ({result.percent:.1f} %)"
        if goal.at_least is not None and result.percent < goal.at_least:
            chance = binomial_tail(result.sufficient, result.tenants, goal.at_least / 100, upper=False)
            if not loose or chance < 0.01:
                missed.append(f"{place}: {found}; the goal is at least {goal.at_least:g} %")
        if goal.at_most is not None and result.percent > goal.at_most:
            chance = binomial_tail(result.sufficient, result.tenants, goal.at_most / 100, upper=True)
            if not loose or chance < 0.01:
                missed.append(f"{place}: {found}; the goal is at most {goal.at_most:g} %")
    return missed


def _table(cells, results, text_of, with_goals) -> list[str]:
    """A row per pattern and history, a column per tenant size."""
    sizes = [size for size in SIZES if any(cell.users == size for cell in cells)]
    rows = [
        "| pattern | days of logs | " + " | ".join(f"{s} user{'s' if s > 1 else ''}" for s in sizes)
        + (" | goal |" if with_goals else " |"),
        "|---|---|" + "---:|" * len(sizes) + ("---|" if with_goals else ""),
    ]
    patterns = list(dict.fromkeys(cell.pattern for cell in cells))
    for pattern in patterns:
        for history in pattern.histories:
            row = {c.users: text_of(results[c.key]) for c in cells if c.pattern == pattern and c.history == history}
            values = " | ".join(row.get(size, "") for size in sizes)
            goal = pattern.goal.text() if pattern.goal else "reported only"
            end = f" {goal} |" if with_goals else ""
            rows.append(f"| {pattern.name} | {'90' if history else '30'} | {values} |{end}")
    return rows


def markdown(cells: list[Cell], results: dict[str, CellResult], seed: int) -> str:
    jobs = sum(result.jobs for result in results.values())
    jobs_missed = sum(result.jobs_missed for result in results.values())
    tenants = {users: {results[cell.key].tenants for cell in cells if cell.users == users} for users in SIZES}
    counts = ", ".join(
        f"{'/'.join(map(str, sorted(found)))} of {users} user{'s' if users > 1 else ''}"
        for users, found in tenants.items() if found
    )
    lines = [
        f"Tenants per cell: {counts}. Seed {seed}.",
        "",
        "How often the evidence suffices, in percent of the tenants:",
        "",
        *_table(cells, results, lambda result: f"{result.percent:.0f}", with_goals=True),
        "",
        "How often a monthly job would be missed, in percent of the tenants: the verdict is `no_impact`, and a job",
        "on a random day of the window is among the records that were lost. It follows from the verdicts above. Of",
        f"the {jobs} tenants that really had a job in the window, {jobs_missed} lost it and were told `no_impact`.",
        "",
        *_table(cells, results, lambda result: f"{result.job_missed_percent:.1f}", with_goals=False),
        "",
    ]
    return "\n".join(lines)


def write_cells(path: Path, cells: list[Cell], results: dict[str, CellResult]) -> None:
    """One row per cell with all counts, and the reasons of the tenants whose evidence does not suffice."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["pattern", "users", "history_days", "tenants", "sufficient", "percent", "jobs", "jobs_missed",
                         "job_missed_percent", "not_assessed", "reasons"])
        for cell in cells:
            result = results[cell.key]
            reasons = ";".join(f"{reason}={count}" for reason, count in result.reasons.most_common())
            writer.writerow([
                cell.pattern.name, cell.users, 90 if cell.history else 30, result.tenants, result.sufficient,
                f"{result.percent:.1f}", result.jobs, result.jobs_missed, f"{result.job_missed_percent:.2f}",
                len(result.not_assessed), reasons,
            ])
