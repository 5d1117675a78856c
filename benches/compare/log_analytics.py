"""The same records as a CSV of Log Analytics: flat columns, some of whose cells hold JSON.

As an export of `union SigninLogs, AADNonInteractiveUserSignInLogs`: UTF-8, LF, times as the portal prints
them, only those cells quoted that need it.
"""
import json

from records import AT, DOCUMENTED, ENVELOPE_AT

WORKSPACE = "9d2f6c1e-4b7a-4c3d-9e58-1f0a2b3c4d5e"
COLUMNS = """TenantId SourceSystem TimeGenerated_[UTC] ResourceId OperationName OperationVersion Category ResultType
ResultSignature ResultDescription DurationMs CorrelationId Resource ResourceGroup ResourceProvider Identity Level Location
AlternateSignInName AppDisplayName AppId AuthenticationDetails AuthenticationProcessingDetails AuthenticationRequirement
AuthenticationRequirementPolicies AuthenticationProtocol ClientAppUsed ConditionalAccessPolicies ConditionalAccessStatus
CreatedDateTime_[UTC] DeviceDetail IsInteractive Id IPAddress IsRisky LocationDetails MfaDetail NetworkLocationDetails
OriginalRequestId ProcessingTimeInMilliseconds RiskDetail RiskEventTypes RiskEventTypes_V2 RiskLevelAggregated
RiskLevelDuringSignIn RiskState ResourceDisplayName ResourceIdentity ServicePrincipalId Status TokenIssuerName
TokenIssuerType UserAgent UserDisplayName UserId UserPrincipalName AADTenantId UserType FlaggedForReview SignInIdentifier
ResourceTenantId HomeTenantId UniqueTokenIdentifier IncomingTokenType AutonomousSystemNumber CrossTenantAccessType
Type""".split()
# Columns whose member has another name than theirs with a small first letter.
MEMBER_OF = {"IPAddress": "ipAddress", "LocationDetails": "location", "ConditionalAccessPolicies": "appliedConditionalAccessPolicies",
             "RiskEventTypes_V2": "riskEventTypes_v2", "ResourceIdentity": "resourceId"}
ENVELOPE_COLUMNS = {"ResourceId": "resourceId", "OperationName": "operationName", "OperationVersion": "operationVersion",
                    "Category": "category", "ResultType": "resultType", "ResultSignature": "resultSignature",
                    "ResultDescription": "resultDescription", "DurationMs": "durationMs", "Identity": "identity", "Level": "Level",
                    "Location": "location", "AADTenantId": "tenantId"}
FIXED = {"TenantId": WORKSPACE, "SourceSystem": "Azure AD", "Resource": "Microsoft.aadiam", "ResourceGroup": "Microsoft.aadiam",
         "ResourceProvider": "", "IsRisky": ""}
HEADER = ",".join(column.replace("_[", " [") for column in COLUMNS).encode() + b"\n"
SPELLING = DOCUMENTED


def _source(column):
    """Where a column comes from: ("fixed", cell), ("envelope", place), ("members", place) or the name itself."""
    if column in FIXED:
        return "fixed", FIXED[column]
    if column in ENVELOPE_COLUMNS:
        return "envelope", ENVELOPE_AT[ENVELOPE_COLUMNS[column]]
    member = MEMBER_OF.get(column, column[0].lower() + column[1:])
    return ("members", AT[member]) if member in AT else (column, None)


SOURCES = [_source(column) for column in COLUMNS]


def cell(member):
    """A rendered member's value as a cell: text bare, all else as JSON; quoted where the format asks for it."""
    value = member[member.find(":") + 1:]
    if value[:1] == '"':
        value = json.loads(value) if "\\" in value else value[1:-1]
    elif value == "null":
        value = ""
    if '"' in value or "," in value or "\n" in value:
        value = '"' + value.replace('"', '""') + '"'
    return value


def portal_time(text):
    """2026-10-05T13:04:05.1234567 as the portal prints it: "10/5/2026, 1:04:05.123 PM"."""
    hour = int(text[11:13])
    return (f'"{int(text[5:7])}/{int(text[8:10])}/{text[:4]}, {hour % 12 or 12}:{text[14:23]} {"PM" if hour >= 12 else "AM"}"')


def csv_line(record):
    """The record as one line, without the newline."""
    cells = []
    for kind, place in SOURCES:
        if kind == "members":
            cells.append(cell(record.members[place]))
        elif kind == "envelope":
            cells.append(cell(record.envelope[place]))
        elif kind == "fixed":
            cells.append(place)
        elif kind == "TimeGenerated_[UTC]":
            cells.append(portal_time(record.emitted))
        elif kind == "CreatedDateTime_[UTC]":
            cells.append(portal_time(record.created))
        elif kind == "Type":
            cells.append("SigninLogs" if record.interactive else "AADNonInteractiveUserSignInLogs")
        else:
            raise ValueError(f"no source for column {kind}")
    return ",".join(cells)
