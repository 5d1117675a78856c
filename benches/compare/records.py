"""Invented sign-in records in the shape of Entra's diagnostic export, a few microseconds each.

A tenant has policies and users, a user a few habits (an app on a device at a place), and all that a habit
fixes is rendered once, so that values repeat as they do in real logs. A record is a habit's members with those
that differ each time put in, some optional ones left out, written in the order of one exporter.
"""
import base64
import bisect
import datetime
import functools
import itertools
import json
import random

import pools

TICKS_A_DAY = 864_000_000_000
INTERACTIVE, NON_INTERACTIVE = "SignInLogs", "NonInteractiveUserSignInLogs"

# The members of `properties`, in the order of the export of 2025.
MEMBERS = """id createdDateTime userDisplayName userPrincipalName userId agent appId appDisplayName ipAddress status
clientAppUsed userAgent deviceDetail location mfaDetail correlationId conditionalAccessStatus
appliedConditionalAccessPolicies authenticationContextClassReferences originalRequestId isInteractive tokenIssuerName
tokenIssuerType authenticationProcessingDetails networkLocationDetails clientCredentialType processingTimeInMilliseconds
riskDetail riskLevelAggregated riskLevelDuringSignIn riskState riskEventTypes riskEventTypes_v2 resourceDisplayName
resourceId resourceTenantId homeTenantId tenantId authenticationDetails authenticationRequirementPolicies
sessionLifetimePolicies authenticationRequirement alternateSignInName signInIdentifier servicePrincipalId userType
flaggedForReview isTenantRestricted autonomousSystemNumber crossTenantAccessType privateLinkDetails ssoExtensionVersion
uniqueTokenIdentifier authenticationStrengths incomingTokenType authenticationProtocol appServicePrincipalId
resourceServicePrincipalId rngcStatus signInTokenProtectionStatus tokenProtectionStatusDetails originalTransferMethod
isThroughGlobalSecureAccess globalSecureAccessIpAddress conditionalAccessAudiences sessionId appOwnerTenantId
resourceOwnerTenantId""".split()
AT = {name: place for place, name in enumerate(MEMBERS)}
ENVELOPE = """time resourceId operationName operationVersion category tenantId resultType resultSignature
resultDescription durationMs callerIpAddress correlationId identity Level location properties""".split()
ENVELOPE_AT = {name: place for place, name in enumerate(ENVELOPE)}
# Each is absent from one record in ten.
OPTIONAL = [AT[name] for name in """agent userAgent deviceDetail location mfaDetail authenticationContextClassReferences
originalRequestId tokenIssuerName networkLocationDetails clientCredentialType riskDetail riskEventTypes resourceTenantId
homeTenantId authenticationRequirementPolicies sessionLifetimePolicies alternateSignInName signInIdentifier
servicePrincipalId userType flaggedForReview autonomousSystemNumber privateLinkDetails ssoExtensionVersion
uniqueTokenIdentifier authenticationStrengths incomingTokenType authenticationProtocol rngcStatus sessionId
resourceServicePrincipalId""".split()]

# How a JSON writer spells what is inside the members: as documented, sorted, or sorted by nobody and
# timid (slashes and everything beyond ASCII escaped).
DOCUMENTED, SORTED, TIMID = range(3)


class Exporter:
    """A version of the exporter: which members it knows, and in what order it writes them."""

    def __init__(self, share, spelling, envelope, members):
        self.share, self.spelling = share, spelling
        self.envelope = [ENVELOPE_AT[name] for name in envelope]
        self.members = [AT[name] for name in members]


NEW_IN_2025 = {"agent", "tokenProtectionStatusDetails", "isThroughGlobalSecureAccess", "globalSecureAccessIpAddress",
               "conditionalAccessAudiences", "sessionId", "appOwnerTenantId", "resourceOwnerTenantId"}
NEW_IN_2023 = {"tenantId", "clientCredentialType", "sessionLifetimePolicies", "authenticationContextClassReferences",
               "alternateSignInName", "signInIdentifier", "authenticationStrengths", "appServicePrincipalId",
               "resourceServicePrincipalId", "rngcStatus", "signInTokenProtectionStatus", "originalTransferMethod"}
OF_2023 = [name for name in MEMBERS if name not in NEW_IN_2025]
OF_2022 = [name for name in OF_2023 if name not in NEW_IN_2023]
REARRANGED = """category time tenantId operationName properties resourceId operationVersion resultType resultSignature
resultDescription durationMs callerIpAddress correlationId identity Level location""".split()
EXPORTERS = [
    Exporter(0.40, DOCUMENTED, ENVELOPE, MEMBERS),
    Exporter(0.20, DOCUMENTED, ENVELOPE, OF_2023),
    Exporter(0.16, SORTED, sorted(ENVELOPE), sorted(OF_2023)),
    Exporter(0.18, DOCUMENTED, ENVELOPE, OF_2022),
    Exporter(0.06, TIMID, REARRANGED, MEMBERS[3:40] + MEMBERS[:3] + MEMBERS[40:]),
]
SHARES = list(itertools.accumulate(exporter.share for exporter in EXPORTERS))


def exporter_at(fraction):
    """The exporter whose share of [0, 1) holds the fraction."""
    return min(bisect.bisect_right(SHARES, fraction), len(EXPORTERS) - 1)


_encode = [json.JSONEncoder(separators=(",", ":"), ensure_ascii=spelling == TIMID, sort_keys=spelling == SORTED).encode
           for spelling in range(3)]


def spell(value, spelling):
    """JSON without blanks."""
    text = _encode[spelling](value)
    return text.replace("/", "\\/") if spelling == TIMID else text


def guid(bits):
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-9{text[17:20]}-{text[20:]}"


_dates = {}
_minutes = [f"T{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440)]


def time_text(ticks):
    """Ticks (100 ns since 1970) as a time of the log, seven digits, without its zone."""
    day, rest = divmod(ticks, TICKS_A_DAY)
    date = _dates.get(day)
    if date is None:
        date = _dates[day] = (datetime.date(1970, 1, 1) + datetime.timedelta(day)).isoformat()
    minute, rest = divmod(rest, 600_000_000)
    return f"{date}{_minutes[minute]}{rest // 10_000_000:02d}.{rest % 10_000_000:07d}"


def zipf_up_to(rng, count):
    """An index below count; the first ones come up most (as the inverse of a Zipf distribution's tail)."""
    return int((count + 1) ** rng.random()) - 1


STEP_TIME = "\0"   # stands for the record's time in the authentication steps until that is known


def step(method, detail, succeeded, result, requirement, sequence):
    made = {"authenticationStepDateTime": STEP_TIME, "authenticationMethod": method, "succeeded": succeeded,
            "authenticationStepResultDetail": result, "authenticationStepRequirement": requirement,
            "StatusSequence": sequence, "RequestSequence": sequence}
    if detail:
        made["authenticationMethodDetail"] = detail
    return made


BY_CLAIM = step("Previously satisfied", None, True, "First factor requirement satisfied by claim in the token",
                "Primary authentication", 0)
PASSWORD = step("Password", "Password Hash Sync", True, "Correct password", "Primary authentication", 0)
WRONG = step("Password", "Password in the cloud", False, "Invalid username or password / \"50126\"", "Primary authentication", 1)
SECOND_BY_CLAIM = step("Previously satisfied", None, True, "MFA requirement satisfied by claim in the token",
                       "Multifactor authentication", 0)
PUSHED = step("Mobile app notification", None, True, "MFA completed in Azure AD", "Multifactor authentication", 1)
WAITED = step("Mobile app notification", None, False, "Authentication in progress", "Multifactor authentication", 0)
STEPS_OF_SUCCESS = [[], [BY_CLAIM], [BY_CLAIM], [BY_CLAIM, SECOND_BY_CLAIM], [PASSWORD, WAITED, PUSHED], [PASSWORD, PUSHED]]
STEPS_OF_TOKEN = [[], [], [], [BY_CLAIM], [BY_CLAIM, SECOND_BY_CLAIM]]
STEPS_OF_FAILURE = [[WRONG], [], [BY_CLAIM], [PASSWORD, WAITED]]
STEPS_OF_LEGACY = [[PASSWORD], [PASSWORD], [], [PASSWORD]]
DETAILS = [[{"key": "Legacy TLS (TLS 1.0, 1.1, 3DES)", "value": "False"}, {"key": "Is CAE Token", "value": value}]
           for value in ("False", "True")]
SCOPES = ['["user_impersonation"]', '["openid","profile","email"]', "", '["Mail.Read","Files.ReadWrite.All","User.Read"]']
DETAILS += [[{"key": "Login Hint Present", "value": "True"}, *DETAILS[0][:1],
             {"key": "Oauth Scope Info", "value": scope}, *DETAILS[0][1:]] for scope in SCOPES]
DETAILS += [[{"key": "Root Key Type", "value": "Unknown"}, *details] for details in DETAILS[2:]]


def rendered(values):
    """Each value in the three spellings: list of lists by spelling."""
    return [[spell(value, spelling) for value in values] for spelling in range(3)]


SPELLED_DETAILS = [[f'"authenticationProcessingDetails":{text}' for text in texts] for texts in rendered(DETAILS)]
SPELLED_STEPS = {kind: [[f'"authenticationDetails":{text}' for text in texts] for texts in rendered(steps)]
                 for kind, steps in (("success", STEPS_OF_SUCCESS), ("token", STEPS_OF_TOKEN), ("failure", STEPS_OF_FAILURE),
                                     ("legacy", STEPS_OF_LEGACY))}
STEP_MARK = spell(STEP_TIME, DOCUMENTED)[1:-1]


class Tenant:
    """A tenant's policies and how many users it has; users are made when they first sign in."""

    def __init__(self, seed, index, tenants):
        rng = random.Random(f"{seed}/tenant/{index}")
        self.index, self.id = index, guid(rng.getrandbits(128))
        self.domain = f"tenant{index}.example.{('com', 'net', 'org')[index % 3]}"
        self.user_count = 3 + int(rng.random() * 8) + int(150 / (1 + index) ** 0.5)
        self.places = [rng.choice(pools.PLACES) for _ in range(3)]
        self.network = [{"networkType": "trustedNamedLocation", "networkNames": rng.sample(pools.NETWORKS, rng.choice((1, 1, 2)))}]
        self.workspace = guid(rng.getrandbits(128))
        # By steps of 5 from 0 to 12, so that the largest tenants do not decide the mean size of records.
        policies = [self.policy(rng, number) for number in range((index * 5 + 8) % 13)]
        self.policies = [[[spell(form, spelling) for form in forms] for forms in policies] for spelling in range(3)]

    @staticmethod
    def policy(rng, number):
        """A policy as it may be found in a record: eight forms, by what it came to there."""
        base = {"id": guid(rng.getrandbits(128)), "displayName": f"{number + 1:02d} - {rng.choice(pools.POLICIES)}",
                "enforcedGrantControls": rng.choice(pools.GRANTS), "enforcedSessionControls": rng.choice(pools.SESSIONS)}
        return [base | {"result": result, "conditionsSatisfied": rng.choice((0, 1, 3, 7, 15, 19, 23, 1023, 65535)),
                        "conditionsNotSatisfied": rng.choice((0, 0, 1, 2, 4, 8, 12, 16))}
                for result in pools.RESULTS]


class User:
    """One user and its habits; of its habits the first is the commonest."""

    def __init__(self, seed, tenant, number):
        rng = random.Random(f"{seed}/user/{tenant.index}/{number}")
        given, family = rng.choice(pools.GIVEN), rng.choice(pools.FAMILY)
        plain = "".join(c for c in f"{given}.{family}".lower() if c.isascii() and (c.isalpha() or c == ".")).strip(".")
        self.id = guid(rng.getrandbits(128))
        self.name = rng.choice(pools.DISPLAY).format(g=given, f=family)
        self.identity = [f'"identity":{spell(self.name, spelling)}' for spelling in range(3)]
        self.principal = f"{plain or 'user'}{number}@{tenant.domain}"
        self.guest = rng.random() < 0.02
        self.home = guid(rng.getrandbits(128)) if self.guest else tenant.id
        self.habit_count, self.legacy_count = 1 + int(rng.random() * 5), 1 + int(rng.random() * 2)
        self.habits = {}

    def habit(self, seed, tenant, number, legacy):
        habit = self.habits.get((number, legacy))
        if habit is None:
            rng = random.Random(f"{seed}/habit/{self.id}/{number}/{legacy}")
            client = rng.choices(pools.LEGACY, pools.LEGACY_WEIGHTS)[0] if legacy else None
            habit = self.habits[number, legacy] = Habit(rng, tenant, self, client)
        return habit


class Habit:
    """An app used on one device at one place; `legacy` is the legacy client's entry of the pool, or None."""

    def __init__(self, rng, tenant, user, legacy):
        version, minor = 120 + int(rng.random() * 22), int(rng.random() * 9)
        agent, system, browser, client, interactive = (text.format(v=version, w=minor) if isinstance(text, str) else text
                                                       for text in rng.choice(pools.MODERN))
        protocol = "none"
        app = zipf_up_to(rng, len(pools.APPS))
        resource = int(rng.random() * rng.random() * len(pools.RESOURCES))
        if legacy:
            client, agent, protocol = legacy
            system, browser, interactive, resource = "", "", 2, 0
        self.interactive = interactive / 10
        self.is_legacy = legacy is not None
        city, state, country, latitude, longitude, network = rng.choice(tenant.places if rng.random() < 0.9 else pools.PLACES)
        host = 1 + int(254 * rng.random())
        self.address = (f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{host}" if rng.random() < 0.8
                        else f"2001:db8:{tenant.index & 0xffff:x}:{int(rng.random() * 8):x}::{host:x}")
        self.app, (self.resource, resource_id) = pools.APPS[app], pools.RESOURCES[resource]
        self.app_id = guid(0xa11ce << 100 | app * 7919)
        device = {"deviceId": "", "operatingSystem": system, "browser": browser}
        if not legacy and rng.random() < 0.6:
            device = {"deviceId": guid(rng.getrandbits(128)),
                      "displayName": rng.choice(("DESKTOP-{n:07X}", "CORP\\PC-{n}", "{u}'s iPhone", "LAPTOP-{n:06X}")).format(
                          n=rng.getrandbits(20), u=user.name.split()[0]),
                      **{k: v for k, v in device.items() if k != "deviceId"}, "isCompliant": rng.random() < 0.8,
                      "isManaged": rng.random() < 0.8, "trustType": rng.choice(("Azure AD joined", "Hybrid Azure AD joined",
                                                                               "Azure AD registered"))}
        place = {"city": city, "state": state, "countryOrRegion": country,
                 "geoCoordinates": {"latitude": latitude, "longitude": longitude}}
        if rng.random() < 0.15:
            del place["state"]
        self.country = country
        self.policy_bits = rng.getrandbits(64)
        second_factor = rng.random() < 0.3 and not legacy
        resource_id = resource_id or guid(0xbee << 100 | resource * 104729)
        self.values = {
            "userDisplayName": user.name, "userPrincipalName": user.principal, "userId": user.id,
            "agent": {"agentType": "notAgentic", "parentAppId": ""}, "appId": self.app_id, "appDisplayName": self.app,
            "ipAddress": self.address, "clientAppUsed": client, "userAgent": agent, "deviceDetail": device, "location": place,
            "mfaDetail": {}, "authenticationContextClassReferences": [], "tokenIssuerName": "", "tokenIssuerType": "AzureAD",
            "networkLocationDetails": tenant.network if rng.random() < 0.5 else [], "clientCredentialType": "none",
            "riskDetail": "none", "riskLevelAggregated": "none", "riskLevelDuringSignIn": "none", "riskState": "none",
            "riskEventTypes": [], "riskEventTypes_v2": [], "resourceDisplayName": self.resource, "resourceId": resource_id,
            "resourceTenantId": tenant.id, "homeTenantId": user.home, "tenantId": tenant.id,
            "authenticationRequirementPolicies": [{"requirementProvider": "multiConditionalAccess", "detail": "Conditional Access"}]
            if second_factor else [], "sessionLifetimePolicies": [],
            "authenticationRequirement": "multiFactorAuthentication" if second_factor else "singleFactorAuthentication",
            "alternateSignInName": user.principal, "signInIdentifier": user.principal, "servicePrincipalId": "",
            "userType": "Guest" if user.guest else "Member", "flaggedForReview": False, "isTenantRestricted": False,
            "autonomousSystemNumber": network, "crossTenantAccessType": "b2bCollaboration" if user.guest else "none",
            "privateLinkDetails": {}, "ssoExtensionVersion": "", "authenticationStrengths": [],
            "incomingTokenType": "none" if legacy else rng.choice(("none", "primaryRefreshToken", "refreshToken")),
            "authenticationProtocol": protocol, "appServicePrincipalId": None,
            "resourceServicePrincipalId": guid(rng.getrandbits(128)), "rngcStatus": 0, "signInTokenProtectionStatus": "none",
            "tokenProtectionStatusDetails": {"signInSessionStatus": rng.choice(("bound", "unbound")), "signInSessionStatusCode": 0},
            "originalTransferMethod": "none", "isThroughGlobalSecureAccess": False, "globalSecureAccessIpAddress": "",
            "conditionalAccessAudiences": [resource_id], "sessionId": guid(rng.getrandbits(128)),
            "appOwnerTenantId": guid(0xc0ffee << 100), "resourceOwnerTenantId": guid(0xc0ffee << 100),
        }
        self.spelled = [None] * 3

    def members(self, spelling):
        """What the habit fixes, each member at its place, the others empty."""
        members = self.spelled[spelling]
        if members is None:
            members = [""] * len(MEMBERS)
            for name, value in self.values.items():
                members[AT[name]] = f'"{name}":{spell(value, spelling)}'
            self.spelled[spelling] = members
        return members


class World:
    """All tenants of one seed, made as they are needed. The same seed makes the same ones, whoever asks first."""

    USERS_KEPT = 60_000

    def __init__(self, seed, tenants, legacy_share):
        self.seed, self.count, self.legacy_share = seed, tenants, legacy_share
        weights = [(1 + index) ** -0.8 for index in range(tenants)]
        self.sizes = list(itertools.accumulate(weights))
        # Legacy clients live in three tenants of five; elsewhere there are none.
        self.legacy_tenants = [index for index in range(tenants) if index % 5 in (0, 2, 3)]
        self.legacy_sizes = list(itertools.accumulate(weights[index] for index in self.legacy_tenants))
        self.tenants, self.users = {}, {}

    def tenant(self, index):
        tenant = self.tenants.get(index)
        if tenant is None:
            tenant = self.tenants[index] = Tenant(self.seed, index, self.count)
        return tenant

    def user(self, tenant, number):
        user = self.users.get((tenant.index, number))
        if user is None:
            if len(self.users) > self.USERS_KEPT:
                self.users.clear()
            user = self.users[tenant.index, number] = User(self.seed, tenant, number)
        return user

    def draw(self, rng):
        """Who signs in, and how: (tenant, user, habit)."""
        if rng.random() < self.legacy_share:
            at = bisect.bisect(self.legacy_sizes, rng.random() * self.legacy_sizes[-1])
            tenant = self.tenant(self.legacy_tenants[at])
            # Few users have a client that never was replaced.
            user = self.user(tenant, zipf_up_to(rng, max(2, tenant.user_count // 12)))
            habit = user.habit(self.seed, tenant, zipf_up_to(rng, user.legacy_count), True)
        else:
            tenant = self.tenant(bisect.bisect(self.sizes, rng.random() * self.sizes[-1]))
            user = self.user(tenant, zipf_up_to(rng, tenant.user_count))
            habit = user.habit(self.seed, tenant, zipf_up_to(rng, user.habit_count), False)
        return tenant, user, habit


@functools.lru_cache(maxsize=50_000)
def spell_result(result, resource, app_id, spelling):
    """The members `status` and `resultDescription` of a result of the pools."""
    code, reason, more = result
    status = {"errorCode": code}
    if reason:
        reason = status["failureReason"] = reason.format(resource=resource, app=app_id)
    if more:
        status["additionalDetails"] = more
    return f'"status":{spell(status, spelling)}', f'"resultDescription":{spell(reason, spelling)}'


class Record:
    """One sign-in: its members at their places, and what the envelope repeats of them."""

    __slots__ = ("tenant", "user", "habit", "members", "envelope", "interactive", "created", "emitted", "failed")


def draw_record(world, rng, ticks, spelling):
    """The record that is emitted at that time, in one spelling."""
    record = Record()
    random_number = rng.random
    tenant, user, habit = record.tenant, record.user, record.habit = world.draw(rng)
    bits = rng.getrandbits(256)
    number, correlation = guid(bits & (1 << 128) - 1), guid(bits >> 128)
    # Most are emitted within minutes, a few after hours.
    lag = int(random_number() * 6_000_000_000) if random_number() < 0.98 else int(random_number() * 90_000_000_000)
    emitted, created = time_text(ticks), time_text(ticks - lag)
    interactive = record.interactive = random_number() < habit.interactive
    members = record.members = habit.members(spelling).copy()

    failed = record.failed = random_number() < (0.3 if habit.is_legacy else 0.07)
    if failed:
        result, = rng.choices(pools.FAILED, pools.SPRAYED_WEIGHTS if habit.is_legacy else pools.FAILED_WEIGHTS)
    else:
        result = pools.SUCCEEDED[1 if habit.is_legacy else int(random_number() * len(pools.SUCCEEDED))]
    code = result[0]
    status, description = spell_result(result, habit.resource, habit.app_id, spelling)

    policies = tenant.policies[spelling]
    if random_number() < 0.5:
        policies = policies[:int(random_number() * len(policies))]
    choice = habit.policy_bits if random_number() < 0.7 else rng.getrandbits(64)
    applied = ",".join([forms[choice >> 3 * place & 7] for place, forms in enumerate(policies)])
    verdict = "failure" if code == 53003 else "notApplied" if not policies or choice & 0xff < 0x60 else "success"
    kind = "failure" if failed else "legacy" if habit.is_legacy else "success" if interactive else "token"
    steps = SPELLED_STEPS[kind][spelling]

    members[0] = f'"id":"{number}"'
    members[1] = f'"createdDateTime":"{created}+00:00"'
    members[AT_STATUS] = status
    members[AT_CORRELATION] = f'"correlationId":"{correlation}"'
    members[AT_VERDICT] = f'"conditionalAccessStatus":"{verdict}"'
    members[AT_POLICIES] = f'"appliedConditionalAccessPolicies":[{applied}]'
    members[AT_ORIGINAL] = f'"originalRequestId":"{number}"'
    members[AT_INTERACTIVE] = '"isInteractive":true' if interactive else '"isInteractive":false'
    members[AT_DETAILS] = SPELLED_DETAILS[spelling][choice >> 50 & 7]
    members[AT_DURATION] = f'"processingTimeInMilliseconds":{30 + int(random_number() ** 4 * 6000)}'
    members[AT_STEPS] = steps[int(random_number() * len(steps))].replace(STEP_MARK, f"{created}+00:00")
    members[AT_TOKEN] = f'"uniqueTokenIdentifier":"{base64.urlsafe_b64encode((bits >> 64 & (1 << 128) - 1).to_bytes(16, "big"))[:22].decode()}"'
    if random_number() < 0.01:
        members[AT_RISK] = '"riskLevelDuringSignIn":"medium"'
        members[AT_RISK_STATE] = '"riskState":"atRisk"'
    for place in OPTIONAL:
        if random_number() < 0.1:
            members[place] = ""

    slash = "\\/" if spelling == TIMID else "/"
    record.created, record.emitted = created, emitted
    record.envelope = [
        f'"time":"{emitted}Z"', f'"resourceId":"{slash}tenants{slash}{tenant.id}{slash}providers{slash}Microsoft.aadiam"',
        '"operationName":"Sign-in activity"', '"operationVersion":"1.0"',
        f'"category":"{INTERACTIVE if interactive else NON_INTERACTIVE}"', f'"tenantId":"{tenant.id}"', f'"resultType":"{code}"',
        f'"resultSignature":"{"FAILURE" if failed else "SUCCESS"}"',
        description if failed else "", '"durationMs":0', f'"callerIpAddress":"{habit.address}"',
        f'"correlationId":"{correlation}"', user.identity[spelling],
        '"Level":4', f'"location":"{habit.country}"', ""]
    return record


(AT_STATUS, AT_CORRELATION, AT_VERDICT, AT_POLICIES, AT_ORIGINAL, AT_INTERACTIVE, AT_DETAILS, AT_DURATION, AT_STEPS, AT_TOKEN,
 AT_RISK, AT_RISK_STATE) = (AT[name] for name in """status correlationId conditionalAccessStatus
appliedConditionalAccessPolicies originalRequestId isInteractive authenticationProcessingDetails
processingTimeInMilliseconds authenticationDetails uniqueTokenIdentifier riskLevelDuringSignIn riskState""".split())


def diagnostic_line(record, exporter):
    """The record as one line of an exporter's newline-delimited JSON, without the newline."""
    members = record.members
    record.envelope[-1] = f'"properties":{{{",".join([members[place] for place in exporter.members if members[place]])}}}'
    envelope = record.envelope
    return f'{{{",".join([envelope[place] for place in exporter.envelope if envelope[place]])}}}'
