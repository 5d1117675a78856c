"""Sign-ins as a forwarder delivers them: Azure Monitor diagnostic records, one per line, gzip.

Owns the shape of records and files. A tenant's lines are built once with placeholders for its id, because
the same activity is written for the tenants of many cells.
"""
import gzip
import random
from datetime import date, timedelta
from pathlib import Path

from activity import INTERACTIVE, NON_INTERACTIVE

CATEGORY_NAMES = {INTERACTIVE: "SignInLogs", NON_INTERACTIVE: "NonInteractiveUserSignInLogs"}

TENANT = "<tenant-id>"  # placeholder for the whole id
TENANT_TAIL = "<tenant-tail>"  # placeholder for the id without its first eight digits

EXCHANGE = ("00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online")
OUTLOOK_WEB = ("9199bf20-a13f-4107-85dc-02114787ef48", "One Outlook Web")
OFFICE = ("d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office")

LINE = (
    '{{"time":"{time}Z","operationName":"Sign-in activity","category":"{category}","tenantId":"' + TENANT + '",'
    '"resultType":"0","callerIpAddress":"192.0.2.{host}","properties":{{"id":"{id:08x}' + TENANT_TAIL + '",'
    '"createdDateTime":"{time}+00:00","userId":"{user:08x}' + TENANT_TAIL + '",'
    '"userPrincipalName":"user{user}@' + TENANT + '.example.com","appId":"{app_id}","appDisplayName":"{app}",'
    '"resourceId":"' + EXCHANGE[0] + '","resourceDisplayName":"' + EXCHANGE[1] + '","ipAddress":"192.0.2.{host}",'
    '"clientAppUsed":"{client}","userAgent":"{agent}","status":{{"errorCode":0}},"isInteractive":{interactive}}}}}\n'
)
JOB_USER = 0xFFFF


class TenantLines:
    """The lines of one tenant's activity per (category, day), with placeholders for the tenant's id."""

    def __init__(self, rng: random.Random, activity: dict, window_start: date):
        self._rng = rng
        self._window_start = window_start
        self._next_id = 1
        self.days: dict[tuple[str, int], bytes] = {}
        for category, days in activity.items():
            client, app = ("Browser", OUTLOOK_WEB) if category == INTERACTIVE else (
                "Mobile Apps and Desktop clients", OFFICE)
            for day, users in days.items():
                if users:
                    lines = [self._line(category, day, user, client, app, "") for user in users]
                    self.days[category, day] = "".join(lines).encode()

    def job_line(self, category: str, day: int) -> bytes:
        """A device that sends a mail by SMTP AUTH with a password."""
        return self._line(category, day, JOB_USER, "Authenticated SMTP", EXCHANGE, "BAV2ROPC").encode()

    def _line(self, category, day, user, client, app, agent) -> str:
        second = self._rng.randrange(5 * 3600, 20 * 3600)
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{self._rng.randrange(1000):03d}"
        self._next_id += 1
        return LINE.format(
            time=f"{self._window_start + timedelta(days=day)}T{clock}", category=CATEGORY_NAMES[category],
            host=1 + user % 250, id=self._next_id, user=user + 1, app_id=app[0], app=app[1], client=client,
            agent=agent, interactive="true" if category == INTERACTIVE else "false",
        )


def tenant_lines(lines: bytes, tenant_id: str) -> bytes:
    return lines.replace(TENANT.encode(), tenant_id.encode()).replace(TENANT_TAIL.encode(), tenant_id[8:].encode())


class Forwarder:
    """Writes a file per day and category: of all tenants together, as a provider's forwarder does, or of each
    tenant in a folder of its own."""

    def __init__(self, folder: Path, window_start: date, folder_per_tenant: bool):
        self._folder = folder
        self._window_start = window_start
        self._folder_per_tenant = folder_per_tenant
        self._open_files: dict[str, gzip.GzipFile] = {}
        self.records = 0

    def write(self, tenant_id: str, category: str, day: int, lines: bytes) -> None:
        self.records += lines.count(b"\n")
        name = f"{self._window_start + timedelta(days=day)}-{category}.ndjson.gz"
        if self._folder_per_tenant:
            path = self._folder / tenant_id / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with gzip.GzipFile(path, "ab", compresslevel=1, mtime=0) as file:
                file.write(lines)
            return
        if name not in self._open_files:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._open_files[name] = gzip.GzipFile(self._folder / name, "wb", compresslevel=1, mtime=0)
        self._open_files[name].write(lines)

    def close(self) -> None:
        for file in self._open_files.values():
            file.close()
