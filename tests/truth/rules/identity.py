"""Which records are one sign-in, and which of them is chosen for it."""
import collections

SAME_INSTANT = 1_000_000


def contradict(a, b):
    if abs(a.time - b.time) > SAME_INSTANT:
        return True
    if a.user_id and b.user_id:
        return a.user_id != b.user_id
    return bool(a.address and b.address and a.address != b.address)


def unique(rows):
    """Whether the id of these records is the id of one sign-in."""
    return not any(contradict(a, b) for i, a in enumerate(rows) for b in rows[i + 1:])


def rank(row):
    emitted = row.emitted if row.emitted is not None else -(1 << 62)
    # Which client it was: the most certain first. What no verdict counts does not refute what is provably basic.
    counted = row.protocol is not None and row.method in ("basic", "unknown")
    certainty = (3 if row.states_client and counted else 2 if counted and row.method == "basic" else
                 1 if row.states_client else 0)
    return certainty, not row.provably_modern, emitted, row.outcome == "success"


def sign_ins(rows):
    """One row for each sign-in."""
    keys = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in rows:
        keys[(row.tenant, row.id)][row.category].append(row)
    chosen = []
    for categories in keys.values():
        stray = categories.pop(None, [])
        if categories and stray:
            home = max(categories)
            for row in stray:
                row.category = home
            categories[home] += stray
        elif stray:
            categories[None] = stray
        for group in categories.values():
            chosen += [max(group, key=rank)] if len(group) == 1 or unique(group) else group
    return chosen
