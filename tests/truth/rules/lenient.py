"""What a rejected record says if its bytes are read leniently."""
import re

from .times import DAY, EARLIEST, parse_time
from .words import CATEGORY, MODERN, REWRITE_AGENTS, WINRM_AGENT, fold, guid


def member(name):
    return re.compile(r'"' + name + r'"\s*:\s*"([^"]*)"')


CLIENT, CATEGORY_NAME, OPERATION = member("clientAppUsed"), member("category"), member("operationName")
TENANT, RESOURCE, CREATED, EMITTED = member("tenantId"), member("resourceId"), member("createdDateTime"), member("time")
ID, PROTOCOL, AGENT = member("id"), member("authenticationProtocol"), member("userAgent")


def breaks_off_as_records_end(words):
    """Whether it may be the beginning of one record and the end of another, so that only its tenant is told."""
    opened = 0
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", words)
    for mark in outside:
        opened += (mark in "{[") - (mark in "}]")
    return words.strip().endswith("}") and opened > 0


class Reject:
    def __init__(self, raw, path_tenant, now):
        self.raw = raw
        words = raw.decode("utf-8", "replace")

        def first(pattern):
            m = pattern.search(words)
            return m.group(1).strip() if m else None

        self.id = first(ID)
        agent = words.lower()
        legacy_sign = (any(word in agent for word in (*REWRITE_AGENTS, WINRM_AGENT))
                       or (first(PROTOCOL) or "").lower() == "ropc")
        client = first(CLIENT)
        self.states_modern = bool(client) and fold(client) == MODERN and not legacy_sign
        category = first(CATEGORY_NAME)
        self.other_category = (
            (bool(category) and CATEGORY.get(category.lower()) not in ("interactive", "non_interactive"))
            or (first(OPERATION) or "Sign-in activity") != "Sign-in activity")
        self.tenant = guid(first(TENANT) or "")
        if self.tenant is None:
            m = re.search(r"/tenants/([^/\"]+)/", first(RESOURCE) or "")
            self.tenant = (guid(m.group(1)) if m else None) or path_tenant
        created = first(CREATED)
        self.time = parse_time(created if created else first(EMITTED))
        if self.time is not None and not EARLIEST <= self.time <= now + DAY:
            self.time = None
        if breaks_off_as_records_end(words):
            self.id, self.time, self.states_modern, self.other_category = None, None, False, False

    @property
    def may_be_usage(self):
        return not self.states_modern and not self.other_category
