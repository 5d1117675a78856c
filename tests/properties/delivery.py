"""Writes a tenant's logs where its delivery puts them, and the roster."""
import csv
from pathlib import Path

from records import (
    CATEGORY_NAMES, DATES, INTERACTIVE, LAST_DAY, LOGS, NON_INTERACTIVE, PORTAL_HEADER, SignIn, diagnostic, portal,
)
from tenants import Tenant

TENANTS_PER_COLLECTOR = 100
FLUSH_BYTES = 1 << 17
PORTAL_NAMES = {INTERACTIVE: "InteractiveSignIns", NON_INTERACTIVE: "NonInteractiveSignIns"}
ROSTER_COLUMNS = ("tenant_id", "display_name", "workdays", "logs_from", "logs_to", "protocols_enabled", "exclude",
                  "exclude_reason")

# Two folders, because `--covers` is said of all that one ingest reads.
LOGS_FOLDER, COMPLETE_FOLDER = "logs", "logs-complete"


class Files:
    """Many files that grow together. Few are ever open."""

    def __init__(self, root: Path):
        self.root = root
        self.buffers: dict[str, bytearray] = {}
        self.records = 0

    def line(self, path: str, data: bytes) -> None:
        buffer = self.buffers.setdefault(path, bytearray())
        buffer += data
        buffer += b"\n"
        if len(buffer) > FLUSH_BYTES:
            self.flush(path)

    def whole(self, path: str, data: bytes) -> None:
        self.buffers[path] = bytearray(data)

    def flush(self, path: str) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("ab") as file:
            file.write(self.buffers[path])
        self.buffers[path] = bytearray()

    def close(self) -> None:
        for path in self.buffers:
            self.flush(path)


def place_of(tenant: Tenant, log: str, day: int) -> str:
    """The file that holds a day of a log."""
    collector = f"collector-{tenant.index // TENANTS_PER_COLLECTOR:03d}"
    if tenant.delivery == "own":
        # Weeks begin on Mondays; day 1 is one.
        return f"{LOGS_FOLDER}/own/{tenant.index:05d}/week-{DATES[(day - 1) // 7 * 7 + 1]}.ndjson"
    if tenant.delivery == "storage":
        year, month, date = DATES[day].split("-")
        return (f"{LOGS_FOLDER}/export/insights-logs-{CATEGORY_NAMES[log].lower()}/tenantId={tenant.id}"
                f"/y={year}/m={month}/d={date}/h=08/m=00/PT1H.json")
    if tenant.delivery == "portal":
        return (f"{LOGS_FOLDER}/portal/tenantId={tenant.id}/{PORTAL_NAMES[log]}_{DATES[-3]}_{DATES[LAST_DAY + 1]}.csv")
    if tenant.delivery == "apart":
        return f"{LOGS_FOLDER}/{collector}-{log}/sign-ins.ndjson"
    root = COMPLETE_FOLDER if tenant.delivery == "covers" else LOGS_FOLDER
    return f"{root}/{collector}/{log}.ndjson"


def write_tenant(tenant: Tenant, files: Files) -> None:
    sign_ins = sorted((*tenant.everyday, *tenant.told), key=lambda s: (s.day, s.second))
    files.records += len(sign_ins)
    if tenant.delivery == "portal":
        write_downloads(tenant, sign_ins, files)
    else:
        for s in sign_ins:
            files.line(place_of(tenant, s.log, s.day), diagnostic(s, tenant.id))
        for reject in tenant.rejects:
            files.line(place_of(tenant, reject.log, reject.day), reject.data)
    for log, day in tenant.empty_storage_days:
        path = place_of(tenant, log, day)
        files.buffers.setdefault(path, bytearray())
    for s in tenant.separate:
        root = COMPLETE_FOLDER if tenant.delivery == "covers" else LOGS_FOLDER
        files.line(f"{root}/later/{tenant.index:05d}/more.ndjson", diagnostic(s, tenant.id))
    for path, data in tenant.refused:
        files.whole(f"{LOGS_FOLDER}/{path}", data)


def write_downloads(tenant: Tenant, sign_ins: list[SignIn], files: Files) -> None:
    """Newest first, as the portal writes them."""
    for log in LOGS:
        path = place_of(tenant, log, 0)
        rows = [portal(s) for s in reversed(sign_ins) if s.log == log]
        rejects = [reject.data for reject in tenant.rejects if reject.log == log]
        if rows or rejects:
            for data in (PORTAL_HEADER, *rows[:1], *rejects, *rows[1:]):
                files.line(path, data)


def write_roster(path: Path, tenants: list[tuple[str, int, dict[str, str]]]) -> None:
    """Of all tenants: one that loses every record is assessed all the same."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ROSTER_COLUMNS, restval="")
        writer.writeheader()
        for tenant_id, index, row in tenants:
            writer.writerow({"tenant_id": tenant_id, "display_name": f"Tenant {index}"} | row)
