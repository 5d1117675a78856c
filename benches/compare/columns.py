"""The columns that every engine writes: those of lightsout's `sign_in_records` that need no rules of its own.

lightsout writes five more (protocol, auth_method, auth_evidence, outcome and where in which source a record
stands), which no engine could without the rules.
"""
# (column, path in the diagnostic record, type): text, code (a whole number), flag, time
COLUMNS = [
    ("tenant_id", "tenantId", "text"),
    ("sign_in_id", "properties.id", "text"),
    ("category", "category", "text"),
    ("signed_in_at", "properties.createdDateTime", "time"),
    ("emitted_at", "time", "time"),
    ("user_id", "properties.userId", "text"),
    ("user_principal_name", "properties.userPrincipalName", "text"),
    ("user_type", "properties.userType", "text"),
    ("app_id", "properties.appId", "text"),
    ("app_name", "properties.appDisplayName", "text"),
    ("resource_id", "properties.resourceId", "text"),
    ("resource_name", "properties.resourceDisplayName", "text"),
    ("client_app", "properties.clientAppUsed", "text"),
    ("authentication_protocol", "properties.authenticationProtocol", "text"),
    ("error_code", "properties.status.errorCode", "code"),
    ("failure_reason", "properties.status.failureReason", "text"),
    ("conditional_access", "properties.conditionalAccessStatus", "text"),
    ("user_agent", "properties.userAgent", "text"),
    ("ip_address", "properties.ipAddress", "text"),
    ("country", "properties.location.countryOrRegion", "text"),
    ("is_interactive", "properties.isInteractive", "flag"),
    ("home_tenant_id", "properties.homeTenantId", "text"),
    ("resource_tenant_id", "properties.resourceTenantId", "text"),
    ("correlation_id", "properties.correlationId", "text"),
]
# And event_date, the day of signed_in_at.


def tree():
    """The paths as nested dictionaries, with the types as leaves."""
    root = {}
    for _, path, kind in COLUMNS:
        *parents, leaf = path.split(".")
        node = root
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = kind
    return root
