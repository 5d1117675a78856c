"""What may be usage and cannot be ruled out."""
import collections

from .times import DAY, week
from .words import NOT_STATED, UNRECOGNISED, USER_CATEGORIES

SILENT_DAYS, USAGE_DAYS, USAGE_WEEKS = 14, 5, 3
# A record without a time may be so far from those of its file.
EXPORT_DAYS = 31


def is_own(row):
    return row.category in USER_CATEGORIES and not row.mismatched


def may_count(row, campaign):
    """Whether a success of this sign-in would be usage, were it not outbound."""
    return (is_own(row) and row.protocol is not None
            and (row.method in ("basic", "unknown") or (campaign.disables_smtp and row.protocol == "smtp_auth")
                 or (row.method == "password_grant" and row.protocol in campaign.scope
                     and row.app_id in campaign.app_ids)))


def is_usage(row, campaign):
    return row.outcome == "success" and not row.outbound and may_count(row, campaign)


def of_sign_ins(rows, stated_elsewhere, start, end):
    """Doubts of the whole tenant that its sign-ins in the window raise."""
    found = set()
    for row in rows:
        if (row.category not in USER_CATEGORIES or not start <= row.time // DAY < end or row.provably_modern
                or row.method == "modern" or row.outcome not in ("success", "unknown")):
            continue
        if row.mismatched:
            found.add("tenant_mismatch")
            continue
        if row.outbound:
            continue
        if row.protocol == UNRECOGNISED and row.near:
            found.add("unrecognised_client")
        if row.protocol == NOT_STATED and row.near and not (row.audit and instant(row) in stated_elsewhere):
            found.add("client_not_stated")
        if (row.agent and not row.near and (row.protocol in (None, NOT_STATED, UNRECOGNISED, "other_legacy"))):
            found.add("legacy_agent_elsewhere")
    return found


def instant(row):
    """Tenant, correlation id and second."""
    return row.tenant, row.correlation, row.time // 1_000_000


def stated_instants(rows):
    return {instant(row) for row in rows if row.correlation and row.states_client}


def used_before(earlier, known_days, end):
    """Whether usage before the window keeps the doubt. earlier: rows of one protocol in the lookback."""
    users = collections.defaultdict(set)
    for row in earlier:
        users[row.user].add(row.time // DAY)
    return not all(released(user, sorted(days), known_days, end) for user, days in users.items())


def released(user, days, known_days, end):
    if user.startswith("?") or len(days) < USAGE_DAYS or len({week(day) for day in days}) < USAGE_WEEKS:
        return False
    pause = max(b - a for a, b in zip(days, days[1:]))
    silent = sum(days[-1] < day < end for day in known_days)
    return silent >= max(SILENT_DAYS, 2 * pause)


def rejected(logs, tenants, start, end, lookback):
    """Tenants of which a rejected record may be usage."""
    ids = {(row.tenant, row.id) for source in logs.sources for row in source.rows}
    found = set()
    for source in logs.sources:
        if not any(reject.may_be_usage for reject in source.rejects) or logs.has_longer_copy(source):
            continue
        days = [row.time // DAY for row in source.rows]
        near = not days or (min(days) - EXPORT_DAYS < end and start - lookback <= max(days) + EXPORT_DAYS)
        for reject in source.rejects:
            if not reject.may_be_usage:
                continue
            if not (near if reject.time is None else start - lookback <= reject.time // DAY < end):
                continue
            owner = reject.tenant or (next(iter(source.tenants)) if len(source.tenants) == 1 else None)
            if owner and reject.id and (owner, reject.id) in ids:
                continue
            found |= {owner} if owner else set(tenants)
    return found


def refused(logs):
    """Tenants of which a refused file may hold sign-ins."""
    found = set()
    for source in logs.sources:
        if source.refused:
            neighbours = {tenant for other in logs.sources if other.folder == source.folder and not other.refused
                          for tenant in other.tenants}
            found |= {source.path_tenant} if source.path_tenant else neighbours
    return found
