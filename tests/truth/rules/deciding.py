"""From evidence to the verdict of each protocol and tenant."""
import collections

from . import coverage, doubts, identity
from .coverage import CategoryLog
from .times import DAY, day_of, rfc3339
from .words import OUTLOOK, REQUIRED_CATEGORIES, group_of, guid

YES = ("true", "yes", "1", "y", "x")
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class RosterRow:
    def __init__(self, cells):
        def cell(name):
            return (cells.get(name) or "").strip()

        self.excluded = cell("exclude").lower() in YES
        self.enabled = {p.strip() for p in cell("protocols_enabled").split(";") if p.strip()} or None
        self.workdays = [WEEKDAYS.index(w.strip()[:3].lower()) for w in cell("workdays").split(";") if w.strip()] or None
        self.range = ((day_of(cell("logs_from")), day_of(cell("logs_to")))
                      if cell("logs_from") and cell("logs_to") else None)


def read_roster(rows):
    return {guid(row["tenant_id"]): RosterRow(row) for row in rows if guid(row["tenant_id"])}


class Case:
    """All that is decided about: the logs, the roster, the campaign and the window."""

    def __init__(self, logs, roster, campaign, end, window_days=30, lookback=60, settle_hours=24):
        self.logs, self.roster, self.campaign = logs, roster, campaign
        self.start, self.end, self.lookback, self.settle_hours = end - window_days, end, lookback, settle_hours
        self.coverage = logs.evidence()
        every = [row for source in logs.sources for row in source.rows]
        self.stated_elsewhere = doubts.stated_instants(every)
        self.rows = collections.defaultdict(list)
        for row in identity.sign_ins(every):
            self.rows[row.tenant].append(row)
        self.holders = set(self.rows) | {t for t, logs_of in self.coverage.items() if logs_of.held}
        self.tenants = sorted(self.holders | set(roster))
        self.rejected = doubts.rejected(logs, self.tenants, self.start, end, lookback)
        self.refused = doubts.refused(logs)

    # ------------------------------------------------------------ coverage of one tenant

    def known(self, tenant):
        """category -> (log, habits, filled, stated, habits of the sibling log)"""
        logs, roster = self.coverage[tenant], self.roster.get(tenant)
        of_category = {category: logs.logs.get(category, CategoryLog()) for category in REQUIRED_CATEGORIES}
        stated, habits = {}, {}
        for category, log in of_category.items():
            stated[category] = set(logs.stated.get(category, ()))
            # What files lack, nobody can state away.
            lacking = logs.lacking.get(category, CategoryLog()).days()
            if roster and roster.range and category in logs.held and (log.days() or not lacking):
                stated[category] |= set(range(roster.range[0], min(roster.range[1], self.logs.now // DAY - 1) + 1)) - lacking
            by_files = set(logs.by_files.get(category, ()))
            habits[category] = coverage.Habits(log, stated[category] | by_files, self.start, self.end,
                                               roster and roster.workdays)
            by_files -= coverage.doubted(category, log, habits[category], by_files, self.start, self.end)
            stated[category] |= by_files
        interactive, other = (of_category[category] for category in ("interactive", "non_interactive"))
        filled = coverage.fill(interactive, other, habits["interactive"], self.start, self.end)
        has_sibling = any(interactive.channels.get(channel) for channel in other.channels)
        return {category: (log, habits[category], filled if log is interactive else {}, stated[category],
                           habits["non_interactive"] if log is interactive and has_sibling else None)
                for category, log in of_category.items()}

    def coverage_reasons(self, tenant):
        if tenant not in self.holders:
            return {"no_records"}
        reasons = set()
        for category, (log, *known) in self.known(tenant).items():
            def judge(log):
                return coverage.judge(category, log, *known, self.start, self.end, self.settle_hours)

            found, lacking = judge(log), self.coverage[tenant].lacking.get(category)
            if lacking:
                complete = judge(log.completed_by(lacking))
                if complete != found:
                    found = complete._replace(reasons=complete.reasons | {"column_missing"})
            reasons |= found.reasons
        return reasons

    def known_days(self, tenant):
        """Days on which every required category is seen, filled or stated."""
        return set.intersection(*(log.seen() | set(filled) | stated
                                  for log, _, filled, stated, _ in self.known(tenant).values()))

    # ------------------------------------------------------------ the decision

    def decide(self, tenant):
        campaign, rows, roster = self.campaign, self.rows.get(tenant, ()), self.roster.get(tenant)
        lacking = self.coverage_reasons(tenant)
        wide = doubts.of_sign_ins(rows, self.stated_elsewhere, self.start, self.end)
        if tenant in self.rejected:
            wide.add("rejected_records")
        if tenant in self.refused:
            wide.add("refused_files")
        if lacking and self.coverage[tenant].filtered:
            wide.add("filtered_export")

        in_use, unknown, attempted, after, users = set(), set(), set(), set(), set()
        earlier = collections.defaultdict(list)
        watched = set(campaign.scope) | {"other_legacy"}
        for row in rows:
            if not doubts.may_count(row, campaign) or row.protocol not in watched:
                continue
            if row.protocol == "other_legacy" and not row.near:
                continue
            day, usage = row.time // DAY, doubts.is_usage(row, campaign)
            if self.start - self.lookback <= day < self.start and usage:
                earlier[row.protocol].append(row)
            elif self.start <= day < self.end:
                if usage:
                    in_use.add(row.protocol)
                    users.add(row.user)
                elif row.outcome == "unknown":
                    unknown.add(row.protocol)
                elif row.outcome != "success":
                    attempted.add(row.protocol)
            elif day >= self.end and usage:
                after.add(row.protocol)
        before = set()
        if set(earlier) - in_use:
            known_days = self.known_days(tenant)
            before = {protocol for protocol, used in earlier.items()
                      if protocol not in in_use and doubts.used_before(used, known_days, self.end)}

        off = {p for p in campaign.scope if roster and roster.enabled is not None and p not in roster.enabled} - in_use
        doubtful = (unknown | before | after) - in_use - off
        in_doubt = {p for p in watched - in_use - off
                    if lacking or wide or group_of(p) & doubtful}
        reasons = set(wide)
        if set(campaign.scope) - in_use - off:
            reasons |= lacking
        if unknown & doubtful:
            reasons.add("unknown_outcome")
        if before & doubtful:
            reasons.add("used_before_window")

        if after & doubtful:
            reasons.add("used_after_window")

        clear = []
        if not lacking and not wide and "other_legacy" not in in_use | in_doubt:
            clear = [p for p in campaign.scope if p not in off and not group_of(p) & (in_use | in_doubt)]
        used = in_use & watched
        if roster and roster.excluded:
            verdict, reasons = "excluded", {"excluded"}
        elif set(campaign.scope) <= off:
            verdict, reasons = "excluded", {"already_off"}
        elif used:
            verdict = "warning"
            reasons = ({"in_use"} if used - {"other_legacy"} else set()) | (
                {"unattributed_legacy_use"} if "other_legacy" in used else set())
        elif reasons:
            verdict = "insufficient_evidence"
        else:
            verdict, reasons = "no_impact", {"attempted" if attempted & set(campaign.scope) else "unused"}
        return [tenant, verdict, ";".join(sorted(reasons)), ";".join(sorted(used)), ";".join(sorted(clear)), len(users)]

    # ------------------------------------------------------------ counts

    def usage(self):
        """Rows of protocol_usage in which anything is counted."""
        table = {}
        classes = ["success", "interrupted", "blocked", "failure", "unknown"]
        for rows in self.rows.values():
            for row in rows:
                if not self.start <= row.time // DAY < self.end or not doubts.may_count(row, self.campaign):
                    continue
                if row.outcome == "success" and row.outbound:
                    continue
                line = table.setdefault((row.tenant, row.protocol), [set(), [0] * 5, 0])
                if row.outcome == "success":
                    line[0].add(row.user)
                line[1][classes.index(row.outcome)] += 1
                line[2] = max(line[2], row.time)
        return [[*key, len(users), *counts, rfc3339(last)] for key, (users, counts, last) in sorted(table.items())]


def scope_with_groups(campaign):
    scope = list(campaign.scope)
    if OUTLOOK & set(scope):
        scope += sorted(OUTLOOK - set(scope))
    return campaign._replace(scope=scope)


def default_end(logs, settle_hours=24):
    """The day that the logs of half of the tenants reach."""
    days = sorted((max(log.newest for log in tenant.logs.values()) - settle_hours * DAY // 24) // DAY
                  for tenant in logs.evidence().values() if tenant.logs)
    return days[len(days) // 2] if days else None
