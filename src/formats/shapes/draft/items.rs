//! What a record can tell, and what Graph and those who export call it.

use crate::shapes::names::Names;

/// One thing that a member or column of a record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::shapes) enum Item {
    SignInId,
    SignedInAt,
    EmittedAt,
    Tenant,
    /// `/tenants/<id>/providers/Microsoft.aadiam`
    TenantPath,
    /// The tenant by a domain or a name, as exports over many customers have it.
    TenantName,
    Category,
    /// The Log Analytics table.
    TableName,
    /// `["interactiveUser"]`
    EventTypes,
    UserId,
    UserPrincipalName,
    UserType,
    ServicePrincipalId,
    AppId,
    AppName,
    ResourceId,
    ResourceName,
    ClientApp,
    AuthenticationProtocol,
    AuthenticationDetails,
    /// An object, its text, or a word.
    Status,
    /// Of more weight than the status, where it says something.
    ErrorCode,
    /// A code or a word, of less weight than the status.
    ResultType,
    FailureReason,
    /// Of less weight than the status' reason.
    ResultDescription,
    ConditionalAccess,
    UserAgent,
    IpAddress,
    /// An object, its text, or `City, State, CC`.
    Location,
    /// A country alone, of less weight than the location.
    Country,
    IsInteractive,
    HomeTenant,
    ResourceTenant,
    CorrelationId,
}

/// Graph's names.
static NAMES: Names<Item> = Names::new(&[
    ("id", Item::SignInId),
    ("createdDateTime", Item::SignedInAt),
    ("userId", Item::UserId),
    ("userPrincipalName", Item::UserPrincipalName),
    ("userType", Item::UserType),
    ("servicePrincipalId", Item::ServicePrincipalId),
    ("appId", Item::AppId),
    ("appDisplayName", Item::AppName),
    ("resourceId", Item::ResourceId),
    ("resourceDisplayName", Item::ResourceName),
    ("clientAppUsed", Item::ClientApp),
    ("authenticationProtocol", Item::AuthenticationProtocol),
    ("authenticationDetails", Item::AuthenticationDetails),
    ("status", Item::Status),
    ("errorCode", Item::ErrorCode),
    ("failureReason", Item::FailureReason),
    ("conditionalAccessStatus", Item::ConditionalAccess),
    ("userAgent", Item::UserAgent),
    ("ipAddress", Item::IpAddress),
    ("location", Item::Location),
    ("isInteractive", Item::IsInteractive),
    ("signInEventTypes", Item::EventTypes),
    ("homeTenantId", Item::HomeTenant),
    ("resourceTenantId", Item::ResourceTenant),
    ("correlationId", Item::CorrelationId),
    ("countryOrRegion", Item::Country),
]);

/// What people and tools call the column that says whose row it is, in exports that have no tenant of
/// their own.
static TENANTS: Names<Item> = Names::new(&[
    ("tenantId", Item::Tenant),
    ("tenant_id", Item::Tenant),
    ("tenant id", Item::Tenant),
    ("tenantGuid", Item::Tenant),
    ("customerTenantId", Item::Tenant),
    ("tenant", Item::TenantName),
    ("tenantName", Item::TenantName),
    ("tenant_name", Item::TenantName),
    ("tenant name", Item::TenantName),
    ("tenantDisplayName", Item::TenantName),
    ("tenantDomain", Item::TenantName),
    ("tenant_domain", Item::TenantName),
    ("tenant domain", Item::TenantName),
    ("tenantFilter", Item::TenantName),
    ("defaultDomainName", Item::TenantName),
    ("primaryDomain", Item::TenantName),
    ("customer", Item::TenantName),
    ("customerId", Item::TenantName),
    ("customer_id", Item::TenantName),
    ("customerName", Item::TenantName),
    ("customer_name", Item::TenantName),
    ("customer name", Item::TenantName),
    ("customerDomain", Item::TenantName),
    ("customer domain", Item::TenantName),
    ("organization", Item::TenantName),
    ("organisation", Item::TenantName),
    ("organizationName", Item::TenantName),
    ("company", Item::TenantName),
    ("companyName", Item::TenantName),
]);

impl Item {
    /// Which of the columns that somebody added says whose row it is.
    pub(in crate::shapes) fn of_tenant(name: &str) -> Option<Self> {
        TENANTS.in_any_case(name)
    }

    /// Whether it decides what a sign-in is, so that of several values none may be lost.
    pub(in crate::shapes) const fn decides(self) -> bool {
        matches!(
            self,
            Self::ClientApp
                | Self::UserAgent
                | Self::AuthenticationProtocol
                | Self::Status
                | Self::ErrorCode
                | Self::ResultType
        )
    }

    /// In the order of their definition.
    pub(in crate::shapes) const ALL: [Self; 34] = [
        Self::SignInId,
        Self::SignedInAt,
        Self::EmittedAt,
        Self::Tenant,
        Self::TenantPath,
        Self::TenantName,
        Self::Category,
        Self::TableName,
        Self::EventTypes,
        Self::UserId,
        Self::UserPrincipalName,
        Self::UserType,
        Self::ServicePrincipalId,
        Self::AppId,
        Self::AppName,
        Self::ResourceId,
        Self::ResourceName,
        Self::ClientApp,
        Self::AuthenticationProtocol,
        Self::AuthenticationDetails,
        Self::Status,
        Self::ErrorCode,
        Self::ResultType,
        Self::FailureReason,
        Self::ResultDescription,
        Self::ConditionalAccess,
        Self::UserAgent,
        Self::IpAddress,
        Self::Location,
        Self::Country,
        Self::IsInteractive,
        Self::HomeTenant,
        Self::ResourceTenant,
        Self::CorrelationId,
    ];

    /// What Graph's member of that name tells, in Graph's spelling.
    pub(in crate::shapes) fn of_member(name: &str) -> Option<Self> {
        NAMES.exactly(name)
    }

    /// The same in any case.
    pub(in crate::shapes) fn of_name(name: &str) -> Option<Self> {
        NAMES.in_any_case(name)
    }
}
