"""One sign-in written as the exporters write it: diagnostic record, portal CSV row, Graph object, audit record."""
import dataclasses
import datetime as dt
import json

from .kinds import INT, NON

DAY = 86_400_000_000
_dates = {}


def date_text(day):
    if day not in _dates:
        _dates[day] = (dt.date(1970, 1, 1) + dt.timedelta(day)).isoformat()
    return _dates[day]


def when_text(t, zone="Z", digits="0"):
    """RFC 3339 with seven digits; zone 'Z', '+00:00' or '-05:00'."""
    if zone == "-05:00":
        t -= 5 * 3_600_000_000
    day, rest = divmod(t, DAY)
    s, us = divmod(rest, 1_000_000)
    return f"{date_text(day)}T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}.{us:06d}{digits}{zone}"


@dataclasses.dataclass
class SignIn:
    tenant: str
    category: str | None
    id: str | None
    correlation: str
    created: int | None
    emitted: int | None
    user_id: str | None
    address: str | None
    client: str | None
    agent: str
    auth: str | None
    resource: tuple | None
    details: str
    app: tuple
    code: int | None
    home: str | None
    resource_tenant: str | None
    ip: str
    zone: str = "Z"

    def changed(self, **fields):
        return dataclasses.replace(self, **fields)


def step(method, succeeded):
    return dict(authenticationMethod=method, succeeded=succeeded, authenticationStepRequirement="Primary authentication")


DETAILS = {
    "": [],
    "password": [step("Password", True)],
    "mfa": [dict(authenticationMethod="Previously satisfied", succeeded=True,
                 authenticationStepResultDetail="MFA requirement satisfied by claim in the token")],
    "certificate": [step("X.509 Certificate", True)],
    "certificate_failed": [step("X.509 Certificate", False), step("Password", True)],
}


def dumps(value):
    return json.dumps(value, separators=(",", ":")).encode()


def diagnostic(s):
    record = {}
    if s.emitted is not None:
        record["time"] = when_text(s.emitted)
    record.update(resourceId=f"/tenants/{s.tenant}/providers/Microsoft.aadiam", operationName="Sign-in activity",
                  operationVersion="1.0", category=s.category, tenantId=s.tenant)
    if s.category is None:
        del record["category"]
    if s.code is not None:
        record.update(resultType=str(s.code), resultSignature="FAILURE" if s.code else "SUCCESS")
    record.update(callerIpAddress=s.ip, correlationId=s.correlation, Level=4)
    props = dict(id=s.id) if s.id is not None else {}
    if s.created is not None:
        props["createdDateTime"] = when_text(s.created, s.zone)
    props.update(properties(s))
    if s.auth is not None:
        props["authenticationProtocol"] = s.auth
    if s.category is not None:
        props["isInteractive"] = s.category == INT
    record["properties"] = props
    return dumps(record)


def properties(s):
    props = {}
    if s.address is not None:
        props["userPrincipalName"] = s.address
    if s.user_id is not None:
        props["userId"] = s.user_id
    props.update(appId=s.app[1], appDisplayName=s.app[0], ipAddress=s.ip)
    if s.code is not None:
        props["status"] = dict(errorCode=s.code, failureReason="Other.")
    if s.client is not None:
        props["clientAppUsed"] = s.client
    props.update(userAgent=s.agent, location=dict(city="Whitby", countryOrRegion="GB"), correlationId=s.correlation,
                 conditionalAccessStatus="notApplied", authenticationDetails=DETAILS[s.details])
    if s.resource is not None:
        props.update(resourceDisplayName=s.resource[0], resourceId=s.resource[1])
    if s.resource_tenant is not None:
        props["resourceTenantId"] = s.resource_tenant
    if s.home is not None:
        props["homeTenantId"] = s.home
    return props


def graph(s):
    kind = {INT: "interactiveUser", NON: "nonInteractiveUser"}[s.category]
    value = dict(id=s.id, createdDateTime=when_text(s.created), signInEventTypes=[kind], **properties(s))
    if s.auth is not None:
        value["authenticationProtocol"] = s.auth
    return value


PORTAL_HEADER = ("Date (UTC)|Request ID|User ID|Username|Application|Application ID |Resource|Resource ID |Resource tenant ID|"
                 "Home tenant ID|IP address|Status|Sign-in error code|Failure reason|Client app|User agent|"
                 "Authentication Protocol|Correlation ID").split("|")


def portal(s):
    status = "" if s.code is None else "Failure" if s.code else "Success"
    resource = s.resource or ("", "")
    cells = [when_text(s.created), s.id, s.user_id, s.address, s.app[0], s.app[1], *resource, s.resource_tenant, s.home, s.ip,
             status, "" if s.code is None else str(s.code) if s.code else "None", "", s.client, s.agent, s.auth, s.correlation]
    return [cell or "" for cell in cells]


def audit(s):
    """A UserLoggedIn of the unified audit log: whole seconds, no zone, no client app."""
    return dumps(dict(
        RecordType=15, Workload="AzureActiveDirectory", Operation="UserLoggedIn" if s.code == 0 else "UserLoginFailed",
        Id=s.id, IntraSystemsId=s.id, InterSystemsId=s.correlation, CreationTime=when_text(s.created)[:19],
        OrganizationId=s.tenant, UserType=0, UserKey=s.user_id, UserId=s.address, ErrorNumber=str(s.code), ClientIP=s.ip,
        ApplicationId=s.app[1], ObjectId=s.resource[1], Target=[dict(ID=s.resource[1], Type=0)],
        ActorContextId=s.home, TargetContextId=s.resource_tenant, ResultStatus="Success",
        ExtendedProperties=[dict(Name="UserAgent", Value=s.agent), dict(Name="RequestType", Value="OAuth2:Authorize")]))
