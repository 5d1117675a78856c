"""What happens at a tenant beside everyday sign-ins. Each story adds to the tenant's logs, files or roster row."""
import random

from records import AZURE, EXCHANGE, GRAPH, LOOKBACK_DAYS, LOGS, NON_INTERACTIVE
from rejects import LEGACY_LINES, MODERN_LINES, UNTIMED_LINES, make_reject
from refused import refused_file
from tenants import Tenant
from usage import named_protocol, some_usage


def window_day(rng: random.Random) -> int:
    return rng.randrange(30)


def tell(tenant: Tenant, days, **fields) -> None:
    for day in days:
        tenant.told.append(tenant.sign_in(tenant.rng.choice(LOGS), day, **fields))


def some_days(rng: random.Random) -> list[int]:
    return [window_day(rng) for _ in range(rng.choice((1, 1, 2, 4)))]


# ---------------------------------------------------------------- nothing that speaks against "no impact"

def nothing(_tenant: Tenant) -> None:
    pass


def only_failures(tenant: Tenant) -> None:
    for _ in range(tenant.rng.randrange(2, 8)):
        _, fields = named_protocol(tenant.rng)
        code = tenant.rng.choice((50126, 50126, 53003, 50053, 50076))
        tenant.everyday.append(tenant.sign_in(tenant.rng.choice(LOGS), window_day(tenant.rng), **fields, code=code))


def outbound_guests(tenant: Tenant) -> None:
    _, fields = named_protocol(tenant.rng)
    home = tenant.rng.choice((tenant.id, ""))
    tell(tenant, some_days(tenant.rng), **fields, home=home, resource_tenant=tenant.other)


def imap_with_oauth(tenant: Tenant) -> None:
    tell(tenant, some_days(tenant.rng), client="IMAP4", auth="oAuth2", agent="Thunderbird/140.3")


def legacy_elsewhere(tenant: Tenant) -> None:
    tell(tenant, some_days(tenant.rng), client="Other clients", auth="ropc", resource=tenant.rng.choice((GRAPH, AZURE)))


def password_grant(tenant: Tenant) -> None:
    tell(tenant, some_days(tenant.rng), client="Mobile Apps and Desktop clients", auth="ropc", agent="python-requests/2.32",
         app="5f0bc0a1-0000-4000-8000-000000000077")


def modern_line_rejected(tenant: Tenant) -> None:
    tenant.rejects.append(make_reject(tenant, tenant.rng, window_day(tenant.rng), MODERN_LINES)[1])


def rejected_long_ago(tenant: Tenant) -> None:
    tenant.rejects.append(make_reject(tenant, tenant.rng, -LOOKBACK_DAYS - 9, LEGACY_LINES[:1])[1])


# ---------------------------------------------------------------- usage and doubts

def usage(tenant: Tenant) -> None:
    what, sign_ins = some_usage(tenant, tenant.rng)
    tenant.told += sign_ins
    tenant.plan.append(what)


def weekly_before(tenant: Tenant) -> None:
    """Regular, and then silent: no doubt if the silence is long enough and was seen."""
    _, fields = named_protocol(tenant.rng)
    first = tenant.rng.randrange(-58, -44)
    last = tenant.rng.randrange(-14, 2)
    for day in range(first, last, tenant.rng.choice((3, 5, 7))):
        tenant.told.append(tenant.sign_in(NON_INTERACTIVE, day, **fields, user=tenant.users[0]))


def now_and_then_before(tenant: Tenant) -> None:
    _, fields = named_protocol(tenant.rng)
    tell(tenant, tenant.rng.sample(range(-58, 0), tenant.rng.choice((1, 2, 3))), **fields)


def unknown_status(tenant: Tenant) -> None:
    _, fields = named_protocol(tenant.rng)
    tell(tenant, some_days(tenant.rng), **fields, code=None)


def client_not_stated(tenant: Tenant) -> None:
    tell(tenant, some_days(tenant.rng), client=tenant.rng.choice(("", None, "Unknown")),
         resource=tenant.rng.choice((EXCHANGE, EXCHANGE, "", GRAPH)))


def unrecognised_client(tenant: Tenant) -> None:
    tell(tenant, some_days(tenant.rng), client=tenant.rng.choice(("Exchange Quantum Sync", "IMAP5")),
         resource=tenant.rng.choice((EXCHANGE, EXCHANGE, "", GRAPH)))


def rewrite_agent_elsewhere(tenant: Tenant) -> None:
    tell(tenant, some_days(tenant.rng), agent="BAV2ROPC", auth="ropc", resource=GRAPH)


def mismatched(tenant: Tenant) -> None:
    tell(tenant, some_days(tenant.rng), client="IMAP4", home=tenant.other, resource_tenant=tenant.other)


def told_again_without_a_client(tenant: Tenant) -> None:
    """The same sign-in twice; only one record says which client it was."""
    for s in tenant.rng.sample(tenant.everyday, min(3, len(tenant.everyday))):
        tenant.told.append(s.but(client=None))
        if tenant.rng.random() < 0.7:
            tenant.told.append(s)


def usage_with_the_id_of_another(tenant: Tenant) -> None:
    twin = tenant.rng.choice(tenant.everyday) if tenant.everyday else None
    if twin:
        _, fields = named_protocol(tenant.rng)
        day = tenant.rng.choice((twin.day, window_day(tenant.rng)))
        tenant.told.append(tenant.sign_in(twin.log, day, **fields, id=twin.id))


def line_rejected(tenant: Tenant) -> None:
    name, reject = make_reject(tenant, tenant.rng, window_day(tenant.rng), LEGACY_LINES)
    tenant.rejects.append(reject)
    tenant.plan.append(name)


def line_without_a_time(tenant: Tenant) -> None:
    name, reject = make_reject(tenant, tenant.rng, tenant.rng.choice((window_day(tenant.rng), 29)), UNTIMED_LINES)
    tenant.rejects.append(reject)
    tenant.plan.append(name)


def file_refused(tenant: Tenant) -> None:
    name, file = refused_file(tenant, tenant.rng)
    tenant.refused.append(file)
    tenant.plan.append(name)


# ---------------------------------------------------------------- the roster

def excluded(tenant: Tenant) -> None:
    tenant.roster |= {"exclude": "true", "exclude_reason": "asked to be left out"}


def some_off(tenant: Tenant) -> None:
    tenant.roster["protocols_enabled"] = "imap4;pop3;smtp_auth"
    now_and_then_before(tenant)


def all_off(tenant: Tenant) -> None:
    tenant.roster["protocols_enabled"] = "autodiscover"


STORIES = {
    nothing: 415, only_failures: 70, outbound_guests: 25, imap_with_oauth: 20, legacy_elsewhere: 15, password_grant: 15,
    modern_line_rejected: 20, rejected_long_ago: 8,
    usage: 70, weekly_before: 35, now_and_then_before: 20, unknown_status: 20, client_not_stated: 25,
    unrecognised_client: 25, rewrite_agent_elsewhere: 15, mismatched: 15, told_again_without_a_client: 20,
    usage_with_the_id_of_another: 20, line_rejected: 35, line_without_a_time: 40, file_refused: 25,
    excluded: 10, some_off: 12, all_off: 10,
}


def tell_story(tenant: Tenant) -> None:
    story = tenant.rng.choices(list(STORIES), list(STORIES.values()))[0]
    story(tenant)
    tenant.story = story.__name__.replace("_", " ")
