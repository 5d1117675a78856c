"""What happens at a tenant, beside its everyday modern sign-ins. Each story is a function of the tenant."""
from . import shapes
from .kinds import EXO, INT, KINDS, NON, SPELLINGS, Kind, Variant
from .shapes import DAY
from .tenants import REPEATS, SECOND

NINE = ["pop3", "imap4", "smtp_auth", "exchange_activesync", "exchange_web_services", "offline_address_book",
        "mapi_over_http", "outlook_anywhere_rpc", "remote_powershell"]
REFUSED = b"When,Who,ClientApp,Outcome\n2026-09-10T09:00:00Z,scanner@example.com,Authenticated SMTP,Success\n"


def some(tenant, *kinds, least=1, most=4):
    for kind in kinds:
        for _ in range(tenant.rng.randint(least, most)):
            tenant.sign_in(kind)


def of(*kinds, **counts):
    """A story of a few sign-ins of each kind."""
    def story(tenant):
        some(tenant, *kinds, **counts)
    story.__name__ = " ".join(kinds)
    return story


def nothing(tenant):
    pass


# ---------------------------------------------------------------- usage

def one_protocol(tenant):
    some(tenant, "used_" + tenant.rng.choice(NINE), most=6)


def everything(tenant):
    some(tenant, *SPELLINGS, "mixed_outcomes", "rewritten", "winrm", "guest_in", "unrecognised", "unstated", most=2)


def edges_of_the_window(tenant):
    for t in (tenant.start * DAY, tenant.start * DAY - 1, tenant.end * DAY - 1, tenant.end * DAY):
        tenant.sign_in("used_imap4", t, NON)


def anonymous(tenant):
    """All ids are one constant: each record is a sign-in of its own."""
    tenant.anonymous = True
    some(tenant, "imap4", "sprayed_pop3", "used_smtp_auth", least=3, most=8)


def anonymous_and_idle(tenant):
    tenant.anonymous = True
    some(tenant, "sprayed_pop3", "sprayed_imap4", least=3, most=8)


def hidden_behind_a_modern_twin(tenant):
    """Another user's modern sign-in has the same id, and was emitted later."""
    s, file = tenant.sign_in("used_imap4", again=False, who=0)
    twin, _, _ = tenant.make(KINDS["modern"], s.created, s.category, who=1, outcome="success")
    tenant.put(twin.changed(id=s.id, emitted=s.emitted + 3600 * SECOND), file)


# ---------------------------------------------------------------- before the window

def earlier(tenant, days, who=0, kind="used_imap4", **choices):
    for day in days:
        tenant.sign_in(kind, tenant.time_on(tenant.start + day), NON, again=False, who=who, **choices)


def weekly_until_august(tenant):
    earlier(tenant, range(-58, -25, 7))


def fortnightly(tenant):
    earlier(tenant, range(-58, 0, 14))


def monthly(tenant):
    earlier(tenant, (-44, -14))


def four_times(tenant):
    earlier(tenant, (-50, -43, -36, -29))


def one_busy_week(tenant):
    monday = next(d for d in range(-45, -38) if (tenant.start + d + 3) % 7 == 0)
    earlier(tenant, range(monday, monday + 6))


def weekly_by_nobody(tenant):
    earlier(tenant, range(-58, -25, 7), who=None, nobody=True)


def weekly_and_monthly(tenant):
    earlier(tenant, range(-58, -25, 7))
    earlier(tenant, (-40, -10), who=1)


def weekly_and_still(tenant):
    earlier(tenant, [*range(-58, -25, 7), 8])


def before_the_lookback(tenant):
    earlier(tenant, (-61, -70))


def refused_before(tenant):
    earlier(tenant, (-20, -21, -30), kind="sprayed_imap4")


# ---------------------------------------------------------------- the same sign-in told elsewhere

def unstated_told_again(tenant):
    """Without a client app in one file, complete in another."""
    for _ in range(3):
        s, _, _ = tenant.make(KINDS["modern"], outcome="success")
        file = tenant.put(s)
        tenant.put(s.changed(client=None, emitted=s.emitted + 3600 * SECOND), file)


def unstated_at_a_stated_second(tenant):
    """Only audit records are excused by a correlation id and a second."""
    s, _, _ = tenant.make(KINDS["modern"], outcome="success", variant=Variant("Browser", "Mozilla/5.0", "none", EXO))
    s = s.changed(home=tenant.id, resource_tenant=tenant.id, user_id=tenant.users[0][0], address=tenant.users[0][1])
    tenant.put(s)
    other = s.changed(id=tenant.new_id(), client="")
    tenant.put(other)
    tenant.truth.tell(tenant.id, "not_stated", s.created, s.user_id, "success", True)


def every_repeat(tenant):
    """Each way in which a sign-in is told more than once, with its records in any order."""
    kind = Kind("imap4", [Variant("IMAP4", "", "none", EXO, "password")], dict(success=60, interrupted=20, failure=20))
    for variety in [*REPEATS, "refused_later", "later_unstated", "later_modern", "cut_as_well"]:
        for who in (0, 1, 5):
            s, user, outcome = tenant.make(kind, who=who)
            outcome, _ = tenant.repeat(kind, s, user, outcome, variety)
            tenant.tell(kind, s, user, outcome)


def audited(tenant, same_id=False, same_second=False, complete=True):
    for n in range(3):
        s, user, _ = tenant.make(KINDS["modern"], who=n * 7, outcome="success", variant=Variant(
            "Browser", "Mozilla/5.0", "none", EXO, ""))
        s = s.changed(resource_tenant=tenant.id, home=tenant.id)
        if complete:
            tenant.put(s)
        told = s if same_id else s.changed(id=tenant.new_id())
        if not same_second:
            told = told.changed(created=told.created + (0 if same_id else 2 * SECOND))
        tenant.files.own_file(f"audit/{tenant.index}.json").put(shapes.audit(told))
        if not same_id:
            whole_second = told.created // SECOND * SECOND
            tenant.truth.tell(tenant.id, "not_stated", whole_second, user, "success", True)


def audited_by_id(tenant):
    audited(tenant, same_id=True)


def audited_by_second(tenant):
    audited(tenant, same_second=True)


def audited_at_another_second(tenant):
    audited(tenant)


def audited_alone(tenant):
    audited(tenant, same_second=True, complete=False)


# ---------------------------------------------------------------- rejected and refused

def cut(tenant, client, day, keep_client=True):
    """A line that was cut in two, of which nothing else is told."""
    s, _, _ = tenant.make(KINDS["used_imap4"], tenant.time_on(tenant.start + day), NON, variant=Variant(
        client, "Mozilla/5.0", "none", EXO, ""))
    data = shapes.diagnostic(s)
    tenant.put_broken(data[:data.index(b'"userAgent"' if keep_client else b'"clientAppUsed"')])


def cut_legacy(tenant):
    cut(tenant, "IMAP4", 12)


def cut_before_the_client(tenant):
    cut(tenant, "Browser", 12, keep_client=False)


def cut_legacy_in_the_lookback(tenant):
    cut(tenant, "POP3", -40)


def cut_modern(tenant):
    for day in (3, 9, -30):
        cut(tenant, "Browser", day)


def cut_long_ago(tenant):
    cut(tenant, "IMAP4", -75)


def cut_after_the_window(tenant):
    cut(tenant, "IMAP4", 30)


def cut_but_told_whole(tenant):
    s, _ = tenant.sign_in("sprayed_imap4", again=False)
    data = shapes.diagnostic(s)
    tenant.put_broken(data[:data.index(b'"userAgent"')])


def cut_of_another_category(tenant):
    s, _, _ = tenant.make(KINDS["workload"])
    data = shapes.diagnostic(s)
    tenant.put_broken(data[:len(data) // 2])


def bad_bytes(tenant):
    s, _, _ = tenant.make(KINDS["modern"])
    tenant.put_broken(shapes.diagnostic(s.changed(client="Browser", agent="L\u00fcx")).replace(b"\\u00fc", b"\xff\xc3"))


def impossible_time(tenant):
    s, _, _ = tenant.make(KINDS["modern"])
    data = shapes.diagnostic(s.changed(client="Browser", agent="Mozilla/5.0"))
    tenant.put_broken(data.replace(b'"createdDateTime":"20', b'"createdDateTime":"16'))


def other_operations(tenant):
    for operation, category in (("Update user", "AuditLogs"), ("User Risk Detection", "UserRiskEvents")):
        tenant.rng.choice(tenant.places()).put(shapes.dumps(dict(
            time=shapes.when_text(tenant.time_on(tenant.start + 5)), operationName=operation, category=category,
            tenantId=tenant.id, properties=dict(id="Directory_1"))), "not_sign_ins")


def refused_beside_it(tenant):
    """Needs a folder of its own: in a shared one it is a doubt of everybody in it."""
    tenant.files.whole(f"own/{tenant.index}/senders.csv", REFUSED)


def refused_by_its_path(tenant):
    tenant.files.whole(f"misc/tenantId={tenant.id}/senders.csv", REFUSED)


def mostly_rejected(tenant):
    """Its only files are rejects for the greater part, if modern ones."""
    s, _, _ = tenant.make(KINDS["modern"], outcome="success")
    data = shapes.diagnostic(s.changed(client="Browser", agent="Mozilla/5.0"))
    for file in tenant.places():
        for _ in range(file.account["records"] + 5):
            file.put(data[:-3], "rejected")


def torn_and_longer_copy(tenant):
    """A file that was read while it was written, and the file as it was in the end."""
    records = []
    for _ in range(4):
        s, user, outcome = tenant.make(KINDS["sprayed_imap4"], category=NON)
        tenant.tell(KINDS["sprayed_imap4"], s, user, outcome)
        records.append(shapes.diagnostic(s) + b"\n")
    whole = b"".join(records)
    torn = whole[:whole.rindex(b'"id"')]
    tenant.files.whole(f"own/{tenant.index}/torn.json", torn, (4, 3, 1, 0))
    tenant.files.whole(f"own/{tenant.index}/whole.json", whole, (4, 4, 0, 0))


# ---------------------------------------------------------------- the roster

def excluded(tenant):
    tenant.excluded = True
    one_protocol(tenant)


def half_is_off(tenant):
    tenant.protocols_enabled = ["imap4", "pop3", "smtp_auth"]


def off_and_used_before(tenant):
    """Usage before the window of a protocol that is off by now is no doubt any more."""
    half_is_off(tenant)
    earlier(tenant, (-44, -14), kind="used_exchange_web_services")


def off_but_used(tenant):
    half_is_off(tenant)
    some(tenant, "used_mapi_over_http")


def all_is_off(tenant):
    tenant.protocols_enabled = ["autodiscover"]


def all_is_off_but_used(tenant):
    tenant.protocols_enabled = ["autodiscover"]
    some(tenant, "used_smtp_auth")


# name -> (story, needs a folder of its own). The order decides which tenant gets which.
OWN = True
STORIES = [
    (nothing, False), (of("sprayed_smtp_auth", "sprayed_imap4"), False), (one_protocol, False), (nothing, False),
    (of("guest_out_imap", "guest_out_pop", "guest_out_unstated"), False), (weekly_until_august, False), (cut_legacy, False),
    (of("oauth_imap", "certificate", "device_code", "unstated_modern"), False), (of("password_grant", "workload"), False),
    (of("unrecognised", most=2), False), (unstated_told_again, False), (one_protocol, False), (cut_modern, False),
    (of("other_elsewhere", "unstated_elsewhere", "unrecognised_elsewhere"), False), (fortnightly, False), (nothing, False),
    (of("rewritten"), False), (audited_by_id, False), (refused_beside_it, OWN), (nothing, False), (monthly, False),
    (audited_by_second, False), (of("unstated", most=2), False), (cut_but_told_whole, False), (of("oauth_smtp"), False),
    (cut_long_ago, False), (hidden_behind_a_modern_twin, False), (of("mismatched", most=2), False), (nothing, False),
    (of("unknown_imap4", most=2), False), (of("sprayed_autodiscover", "autodiscover", "outlook_service"), False),
    (weekly_and_monthly, False), (anonymous_and_idle, False), (of("other_exchange"), False),
    (of("rewritten_elsewhere", most=2), False), (half_is_off, False), (torn_and_longer_copy, OWN), (four_times, False),
    (anonymous, False), (cut_after_the_window, False), (of("mismatched_modern"), False), (excluded, False),
    (audited_at_another_second, False), (before_the_lookback, False), (everything, False), (nothing, False),
    (of("unstated_unknown", most=1), False), (one_busy_week, False), (other_operations, False), (cut_before_the_client, False),
    (of("exchange_web_services", "mapi_over_http"), False), (off_and_used_before, False), (refused_by_its_path, False),
    (of("unstated_failed", "sprayed_pop3"), False), (weekly_by_nobody, False), (bad_bytes, False), (edges_of_the_window, False),
    (off_but_used, False), (of("certificate_failed"), False), (mostly_rejected, OWN), (of("winrm"), False), (nothing, False),
    (impossible_time, False), (refused_before, False), (of("guest_in"), False), (all_is_off, False), (audited_alone, False),
    (cut_legacy_in_the_lookback, False), (of("unknown_exchange_web_services", "used_imap4"), False),
    (cut_of_another_category, False), (weekly_and_still, False), (of("unstated_rewritten_elsewhere", most=1), False),
    (all_is_off_but_used, False), (nothing, False), (of("mixed_outcomes", "sprayed_pop3"), False), ("column", OWN),
    (unstated_at_a_stated_second, False), (every_repeat, False),
]
# For downloads, which hold no broken lines and no repeats.
PLAIN = [nothing, of("sprayed_smtp_auth", "sprayed_imap4"), one_protocol, nothing, of("oauth_imap"), of("unrecognised", most=1),
         of("unknown_imap4", most=1), nothing, of("rewritten"), of("unstated", most=1), of("guest_out_imap"), of("mismatched", most=1)]
# For storage exports, in which a broken line would be a torn file.
STORED = PLAIN + [weekly_until_august, monthly, of("certificate"), of("certificate_failed"), anonymous]
