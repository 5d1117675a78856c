"""One raw record read as a row: who, when, by what, with what outcome, and whose it is."""
import re

from . import reading
from .times import DAY, EARLIEST, parse_time
from .words import (CATEGORY, EXCHANGE_ONLINE, MODERN, NOT_STATED, REWRITE_AGENTS, UNRECOGNISED, USER_CATEGORIES,
                    WINRM_AGENT, fold, guid, known_tenant, outcome_of_code)

TENANT_PATH = re.compile(r"/tenants/([^/]+)/", re.IGNORECASE)
REJECTED, NOT_A_SIGN_IN = "rejected", "not a sign-in"


class Row:
    __slots__ = ("tenant category id time emitted user_id address client_app folded protocol method agent outcome "
                 "exchange no_resource app_id home resource_tenant correlation audit").split()

    @property
    def user(self):
        return self.user_id or self.address or f"?{self.protocol}"

    @property
    def states_client(self):
        return self.folded != NOT_STATED

    @property
    def provably_modern(self):
        return self.method == "modern" and self.protocol != "smtp_auth"

    @property
    def mismatched(self):
        return self.home not in (None, self.tenant) and self.resource_tenant not in (None, self.tenant)

    @property
    def outbound(self):
        return self.resource_tenant not in (None, self.tenant) and self.home in (None, self.tenant)

    @property
    def near(self):
        """At Exchange Online or at no named resource."""
        return self.exchange or self.no_resource


def text(value):
    if not isinstance(value, str):
        return None
    return value.strip() or None


def lower(value):
    value = text(value)
    return value.lower() if value else None


def certificate_succeeded(steps):
    return isinstance(steps, list) and any(
        isinstance(step, dict) and "certificate" in str(step.get("authenticationMethod")).lower()
        and step.get("succeeded") is True for step in steps)


def agent_kind(agent):
    agent = agent or ""
    if any(word in agent for word in REWRITE_AGENTS):
        return "rewrite"
    return "winrm" if WINRM_AGENT in agent else None


def classify(row, agent, auth_protocol, steps):
    """Sets auth method and protocol."""
    row.agent = agent_kind(agent)
    ropc = auth_protocol in ("ropc", "rpoc")
    own_app = row.app_id == EXCHANGE_ONLINE
    if row.agent:
        row.method = "basic"
    elif ropc and row.folded == MODERN and row.app_id and not own_app:
        row.method = "password_grant"
    elif ropc and (row.exchange or own_app):
        row.method = "basic"
    elif ropc and row.folded == MODERN:
        row.method = "password_grant"
    elif (row.folded == MODERN or auth_protocol in ("oauth2", "devicecode")
          or (row.folded == "exchange_activesync" and certificate_succeeded(steps))):
        row.method = "modern"
    else:
        row.method = "unknown"
    if row.category not in USER_CATEGORIES:
        row.protocol = None
    elif row.method == "basic" and row.near and row.folded in (MODERN, NOT_STATED, UNRECOGNISED, "other_legacy"):
        row.protocol = "remote_powershell" if row.agent == "winrm" else "other_legacy"
    elif row.method == "password_grant":
        row.protocol = "password_grant"
    else:
        row.protocol = None if row.folded == MODERN else row.folded


def read(shape, record, path_tenant, path_category, now):
    """A Row, REJECTED or NOT_A_SIGN_IN."""
    readers = {reading.DIAGNOSTIC: diagnostic, reading.GRAPH: sign_in_object, reading.SIGN_IN_OBJECTS: sign_in_object,
               reading.PORTAL_CSV: portal_row, reading.AUDIT: audit}
    return readers[shape](record, path_tenant, path_category, now)


def build(fields, now):
    """fields: what the shape's reader found, by name."""
    row = Row()
    row.tenant, row.category, row.time, row.emitted = (fields[k] for k in ("tenant", "category", "time", "emitted"))
    if row.tenant is None or row.time is None or row.time < EARLIEST or row.time > now + DAY:
        return REJECTED
    row.id = text(fields["id"])
    row.user_id, row.address = lower(fields["user_id"]), lower(fields["address"])
    row.client_app = text(fields["client_app"])
    row.folded = fold(row.client_app)
    row.outcome = fields["outcome"]
    resource_id, resource_name = lower(fields["resource_id"]), lower(fields["resource_name"])
    row.exchange = resource_id == EXCHANGE_ONLINE or (not resource_id and resource_name == "office 365 exchange online")
    row.no_resource = not resource_id and not resource_name
    row.app_id = lower(fields["app_id"])
    row.home, row.resource_tenant = known_tenant(fields["home"]), known_tenant(fields["resource_tenant"])
    row.correlation = lower(fields["correlation"])
    row.audit = fields.get("audit", False)
    classify(row, lower(fields["agent"]), lower(fields["auth_protocol"]), fields["steps"])
    return row


def diagnostic(record, path_tenant, _path_category, now):
    raw_category = record.get("category")
    category = CATEGORY.get(raw_category.lower()) if isinstance(raw_category, str) else None
    if record.get("operationName") not in (None, "Sign-in activity") or (raw_category and not category):
        return NOT_A_SIGN_IN
    props = record.get("properties")
    if not isinstance(props, dict):
        return REJECTED
    tenant = guid(record.get("tenantId"))
    if tenant is None:
        m = TENANT_PATH.search(str(record.get("resourceId") or ""))
        tenant = (guid(m.group(1)) if m else None) or path_tenant
    emitted = parse_time(record.get("time"))
    created = text(props.get("createdDateTime"))
    status = props.get("status")
    code = status.get("errorCode") if isinstance(status, dict) else None
    if category is None and (text(props.get("userId")) or text(props.get("userPrincipalName"))):
        category = {True: "interactive", False: "non_interactive"}.get(props.get("isInteractive"))
    return build(dict(
        tenant=tenant, category=category, id=props.get("id"), time=parse_time(created) if created else emitted,
        emitted=emitted, outcome=outcome_of_code(record.get("resultType") if code is None else code),
        correlation=props.get("correlationId") or record.get("correlationId"), **common(props)), now)


def common(props):
    return dict(
        user_id=props.get("userId"), address=props.get("userPrincipalName"), client_app=props.get("clientAppUsed"),
        resource_id=props.get("resourceId"), resource_name=props.get("resourceDisplayName"), app_id=props.get("appId"),
        home=props.get("homeTenantId"), resource_tenant=props.get("resourceTenantId"), agent=props.get("userAgent"),
        auth_protocol=props.get("authenticationProtocol"), steps=props.get("authenticationDetails"))


def sign_in_object(record, path_tenant, path_category, now):
    kinds = [str(kind).lower() for kind in record.get("signInEventTypes") or []]
    names = {"noninteractiveuser": "non_interactive", "interactiveuser": "interactive",
             "serviceprincipal": "service_principal", "managedidentity": "managed_identity"}
    category = next((names[kind] for kind in kinds if kind in names), None) or path_category
    if category is None and isinstance(record.get("isInteractive"), bool):
        category = "interactive" if record["isInteractive"] else "non_interactive"
    status = record.get("status")
    return build(dict(
        tenant=path_tenant, category=category, id=record.get("id"), time=parse_time(record.get("createdDateTime")),
        emitted=None, outcome=outcome_of_code(status.get("errorCode") if isinstance(status, dict) else None),
        correlation=record.get("correlationId"), **common(record)), now)


def portal_row(row, path_tenant, path_category, now):
    code, word = row.get("Sign-in error code", "").strip(), row.get("Status", "").strip().lower()
    outcome = outcome_of_code(code)
    if outcome == "unknown":
        outcome = {"success": "success", "interrupted": "interrupted", "failure": "failure"}.get(word, "unknown")
    return build(dict(
        tenant=path_tenant, category=path_category, id=row.get("Request ID"), time=parse_time(row.get("Date (UTC)")),
        emitted=None, outcome=outcome, correlation=row.get("Correlation ID"), user_id=row.get("User ID"),
        address=row.get("Username"), client_app=row.get("Client app"), resource_id=row.get("Resource ID"),
        resource_name=row.get("Resource"), app_id=row.get("Application ID"), home=row.get("Home tenant ID"),
        resource_tenant=row.get("Resource tenant ID"), agent=row.get("User agent"),
        auth_protocol=row.get("Authentication Protocol"), steps=None), now)


def audit(record, path_tenant, _path_category, now):
    """The unified audit log's UserLoggedIn and UserLoginFailed: no client app, only the user agent."""
    if record.get("Operation") not in ("UserLoggedIn", "UserLoginFailed"):
        return NOT_A_SIGN_IN
    extended = {p.get("Name"): p.get("Value") for p in record.get("ExtendedProperties") or [] if isinstance(p, dict)}
    return build(dict(
        tenant=guid(record.get("OrganizationId")) or path_tenant, category=None, id=record.get("Id"),
        time=parse_time(record.get("CreationTime")), emitted=None, outcome=outcome_of_code(record.get("ErrorNumber")),
        correlation=record.get("InterSystemsId"), user_id=record.get("UserKey"), address=record.get("UserId"),
        client_app=None, resource_id=record.get("ObjectId"), resource_name=None, app_id=record.get("ApplicationId"),
        home=record.get("ActorContextId"), resource_tenant=record.get("TargetContextId"),
        agent=extended.get("UserAgent"), auth_protocol=None, steps=None, audit=True), now)
