"""What must hold between the two decisions about a tenant, and the tables that are printed."""
from collections import Counter
from dataclasses import dataclass

from changes import DAYS, NOTHING, REFUSED, REJECTS, USAGE

NO_IMPACT, WARNING, INSUFFICIENT, EXCLUDED = "no_impact", "warning", "insufficient_evidence", "excluded"
VERDICTS = (NO_IMPACT, WARNING, INSUFFICIENT, EXCLUDED)
NO_IMPACT_SHARE_MIN = 0.2
NOT_ASSESSED = {"verdict": "not_assessed", "reasons": ""}
# What may differ although nothing changed.
OF_THE_DECISION = ("decision_id",)


@dataclass(frozen=True)
class Case:
    """A tenant, its change, and both rows of the assessment."""

    index: int
    tenant_id: str
    description: str
    change: str
    details: str
    is_excluded: bool  # by the roster
    lacks_too_much: bool  # see changes.py
    lacks_visibly: bool  # see changes.py
    base: dict
    after: dict

    @property
    def move(self) -> tuple[str, str]:
        return self.base["verdict"], self.after["verdict"]

    @property
    def is_quieter_log(self) -> bool:
        """Days were removed, and none of them is missing afterwards: each is stated or filled. What is left is the whole
        log of a tenant with fewer sign-ins, and may be believed where the other one was not."""
        return (self.change == DAYS and self.base["verdict"] == INSUFFICIENT
                and not self.lacks_visibly and not self.lacks_too_much)


def violation(case: Case) -> str | None:
    """The law that is broken. Exclusion by the roster comes before all else."""
    base, after = case.move
    if "not_assessed" in (base, after):
        return "every tenant of the roster is assessed"
    if case.is_excluded:
        return None if base == after == EXCLUDED else "an excluded tenant stays excluded"
    if base != NO_IMPACT and after == NO_IMPACT:
        return None if case.is_quieter_log else f"{case.change}: never leads to no_impact"
    # A whole scope that is off already comes before usage that no protocol in it accounts for.
    if case.change == USAGE and after != WARNING and (base, after) != (EXCLUDED, EXCLUDED):
        return "usage in the window is a warning"
    if case.change in (REJECTS, REFUSED) and after == NO_IMPACT:
        return "what could not be read keeps its tenant from no_impact"
    if case.change in (REJECTS, REFUSED, DAYS) and base != NO_IMPACT and after != base:
        return f"{case.change}: changes no verdict but no_impact"
    if case.change == DAYS and after not in (base, INSUFFICIENT):
        return "days removed: no_impact may only become insufficient_evidence"
    if case.lacks_too_much and after == NO_IMPACT:
        return "days removed: a log that lacks too many is not whole"
    if case.change == NOTHING:
        return difference(case.base, case.after)
    return None


def lacks_no_impact(cases: list[Case]) -> str | None:
    """The laws mean nothing if hardly any tenant is `no_impact` before the change, for example because the doubts of one
    are taken for doubts of all."""
    share = sum(case.base["verdict"] == NO_IMPACT for case in cases) / len(cases)
    if share >= NO_IMPACT_SHARE_MIN:
        return None
    return f"only {share:.0%} of the tenants are no_impact before the change; {NO_IMPACT_SHARE_MIN:.0%} are needed"


def difference(base: dict, after: dict) -> str | None:
    """The change of other tenants changes nothing of this one."""
    columns = [name for name in base if name not in OF_THE_DECISION and base[name] != after.get(name)]
    return f"nothing was changed, and yet differs: {', '.join(columns)}" if columns else None


def share_table(cases: list[Case]) -> list[str]:
    counts = Counter(case.base["verdict"] for case in cases)
    lines = ["| verdict, before the change | tenants | share |", "|---|---|---|"]
    for verdict in sorted(counts, key=lambda verdict: -counts[verdict]):
        lines.append(f"| `{verdict}` | {counts[verdict]} | {100 * counts[verdict] / len(cases):.1f} % |")
    return lines


def move_table(cases: list[Case]) -> list[str]:
    lines = ["| change | tenants | verdict before | verdict after | moved |", "|---|---|---|---|---|"]
    for change in (USAGE, REJECTS, REFUSED, DAYS, NOTHING):
        of_change = [case for case in cases if case.change == change]
        moves = Counter(case.move for case in of_change)
        lines.append(f"| {change} | {len(of_change)} | | | {sum(n for (a, b), n in moves.items() if a != b)} |")
        for (base, after), count in sorted(moves.items()):
            lines.append(f"| | | `{base}` | {'the same' if base == after else f'`{after}`'} | {count} |")
    return lines


def report(case: Case, law: str) -> str:
    lines = [f"VIOLATION {law}", f"  tenant   {case.index} {case.tenant_id}", f"  made as  {case.description}",
             f"  change   {case.change}: {case.details}"]
    for name, row in (("before", case.base), ("after", case.after)):
        lines.append(f"  {name:8} {row['verdict']}: {row['reasons']}")
    return "\n".join(lines)
