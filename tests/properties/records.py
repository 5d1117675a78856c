"""What a sign-in is, and how it is written: as an Azure Monitor diagnostic record or as a row of a portal download.

Days are numbered from the first day of the window, 0 to 29. The window ends on a Tuesday, so that a file per week
can hold the window's last day together with the days after it.
"""
import json
from dataclasses import dataclass, replace
from datetime import date, timedelta

WINDOW_START = date(2026, 8, 30)
WINDOW_DAYS = 30
AS_OF = WINDOW_START + timedelta(days=WINDOW_DAYS)
LAST_DAY = WINDOW_DAYS + 1  # the logs go on for two days after the window
LOOKBACK_DAYS = 60

INTERACTIVE, NON_INTERACTIVE = "interactive", "non_interactive"
LOGS = (INTERACTIVE, NON_INTERACTIVE)
CATEGORY_NAMES = {INTERACTIVE: "SignInLogs", NON_INTERACTIVE: "NonInteractiveUserSignInLogs"}

EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
GRAPH = "00000003-0000-0000-c000-000000000000"
AZURE = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
OFFICE_APP = "d3590ed6-52b3-4102-aeff-aad2292ab01c"
TEAMS_APP = "1fec8e78-bce4-4aaf-ab1b-5451cc387264"

DATES = {day: (WINDOW_START + timedelta(days=day)).isoformat() for day in range(-120, 60)}
WEEKDAYS = {day: (WINDOW_START + timedelta(days=day)).weekday() for day in DATES}


@dataclass(frozen=True, slots=True)
class SignIn:
    log: str
    day: int
    second: int
    id: str
    user: str = ""
    address: str = ""
    client: str | None = "Browser"
    agent: str = ""
    auth: str = ""
    app: str = OFFICE_APP
    resource: str = EXCHANGE
    code: int | None = 0
    home: str = ""
    resource_tenant: str = ""
    fraction: str = ""  # of the second, with its dot

    def but(self, **fields) -> "SignIn":
        return replace(self, **fields)

    @property
    def time(self) -> str:
        hours, seconds = divmod(self.second, 3600)
        return f"{DATES[self.day]}T{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}{self.fraction}Z"


def diagnostic(sign_in: SignIn, tenant_id: str) -> bytes:
    """One line without its end. Optional members are left out where there is nothing to say."""
    s, time = sign_in, sign_in.time
    client = "" if s.client is None else f',"clientAppUsed":{json.dumps(s.client)}'
    status = "" if s.code is None else f',"status":{{"errorCode":{s.code}}}'
    optional = "".join(
        f',"{name}":"{value}"' for name, value in (
            ("userPrincipalName", s.address), ("authenticationProtocol", s.auth), ("resourceId", s.resource),
            ("homeTenantId", s.home), ("resourceTenantId", s.resource_tenant), ("userAgent", s.agent),
        ) if value)
    return (
        f'{{"time":"{time}","category":"{CATEGORY_NAMES[s.log]}","tenantId":"{tenant_id}","properties":{{"id":"{s.id}",'
        f'"createdDateTime":"{time}","userId":"{s.user}","appId":"{s.app}"{client}{optional}{status}}}}}'
    ).encode()


PORTAL_HEADER = (
    "Date (UTC),Request ID,User ID,Username,Application ID,Resource ID,Resource tenant ID,Home tenant ID,Status,"
    "Sign-in error code,Client app,User agent,Authentication Protocol"
).encode()


def portal(sign_in: SignIn) -> bytes:
    s = sign_in
    status = ("", "") if s.code is None else ("Failure" if s.code else "Success", str(s.code or "None"))
    cells = (s.time, s.id, s.user, s.address, s.app, s.resource, s.resource_tenant, s.home, *status, s.client or "",
             s.agent, s.auth)
    return ",".join(cells).encode()
