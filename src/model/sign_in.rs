//! The sign-in record: one accepted row of a raw file, after classifying. No I/O, no parsing.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;

/// Which of Entra's sign-in logs a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Interactive,
    NonInteractive,
    ServicePrincipal,
    ManagedIdentity,
    MicrosoftServicePrincipal,
    Adfs,
}

impl Category {
    pub const ALL: [Self; 6] = [
        Self::Interactive,
        Self::NonInteractive,
        Self::ServicePrincipal,
        Self::ManagedIdentity,
        Self::MicrosoftServicePrincipal,
        Self::Adfs,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::NonInteractive => "non_interactive",
            Self::ServicePrincipal => "service_principal",
            Self::ManagedIdentity => "managed_identity",
            Self::MicrosoftServicePrincipal => "microsoft_service_principal",
            Self::Adfs => "adfs",
        }
    }

    /// Whether its sign-ins are a user's: only those can be legacy sign-ins.
    #[must_use]
    pub const fn is_user(self) -> bool {
        matches!(self, Self::Interactive | Self::NonInteractive)
    }

    /// Whether nobody in person signs in: a record that names a user is not of it.
    #[must_use]
    pub const fn is_of_no_user(self) -> bool {
        match self {
            Self::ServicePrincipal | Self::ManagedIdentity | Self::MicrosoftServicePrincipal => true,
            Self::Interactive | Self::NonInteractive | Self::Adfs => false,
        }
    }

    /// The category of a Log Analytics table (`SigninLogs`, `AADNonInteractiveUserSignInLogs`, ...), also
    /// of one that was loaded again as a custom log (`SigninLogs_CL`).
    #[must_use]
    pub fn from_table(name: &str) -> Option<Self> {
        let name = name.trim();
        let name = name.strip_suffix("_CL").unwrap_or(name);
        let without_prefix = name.get(..3).filter(|prefix| prefix.eq_ignore_ascii_case("aad"));
        Self::from_diagnostic(if without_prefix.is_some() { &name[3..] } else { name })
    }

    /// The category of a Graph `signInEventTypes` value (`interactiveUser`, ...).
    #[must_use]
    pub fn from_event_type(name: &str) -> Option<Self> {
        const NAMES: [(&str, Category); 4] = [
            ("interactiveUser", Category::Interactive),
            ("nonInteractiveUser", Category::NonInteractive),
            ("servicePrincipal", Category::ServicePrincipal),
            ("managedIdentity", Category::ManagedIdentity),
        ];
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())).map(|(_, category)| *category)
    }

    /// The category of an Azure Monitor `category` value, upper and lower case alike;
    /// `None` for the other diagnostic categories (`AuditLogs`, `UserRiskEvents`, ...).
    #[must_use]
    pub fn from_diagnostic(name: &str) -> Option<Self> {
        const NAMES: [(&str, Category); 6] = [
            ("SignInLogs", Category::Interactive),
            ("NonInteractiveUserSignInLogs", Category::NonInteractive),
            ("ServicePrincipalSignInLogs", Category::ServicePrincipal),
            ("ManagedIdentitySignInLogs", Category::ManagedIdentity),
            ("MicrosoftServicePrincipalSignInLogs", Category::MicrosoftServicePrincipal),
            ("ADFSSignInLogs", Category::Adfs),
        ];
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, category)| *category)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is no category.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown category '{found}'; expected one of: {}", Category::ALL.map(Category::as_str).join(", "))]
pub struct UnknownCategory {
    pub found: String,
}

impl FromStr for Category {
    type Err = UnknownCategory;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|category| category.as_str() == name)
            .ok_or_else(|| UnknownCategory { found: name.to_owned() })
    }
}

/// How a sign-in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    Success,
    Interrupted,
    Blocked,
    Failure,
    /// No status: never taken for success.
    Unknown,
}

impl Outcome {
    pub const ALL: [Self; 5] =
        [Self::Success, Self::Interrupted, Self::Blocked, Self::Failure, Self::Unknown];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Interrupted => "interrupted",
            Self::Blocked => "blocked",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }
}

/// What is proven of how the client authenticated. A legacy protocol alone proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    Basic,
    Modern,
    /// OAuth with a password that another application than Exchange Online sent to Entra.
    PasswordGrant,
    Unknown,
}

impl AuthMethod {
    pub const ALL: [Self; 4] = [Self::Basic, Self::Modern, Self::PasswordGrant, Self::Unknown];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Modern => "modern",
            Self::PasswordGrant => "password_grant",
            Self::Unknown => "unknown",
        }
    }
}

/// What a shape's parser hands over: the members as logged, nothing decided yet. Empty text is
/// `None`. Times are UTC microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawSignIn<'a> {
    /// A GUID, or nothing.
    pub tenant_id: Option<Cow<'a, str>>,
    /// What the record has in place of a tenant id: a domain, a name, a SIEM's customer.
    pub tenant_name: Option<Cow<'a, str>>,
    pub sign_in_id: Option<Cow<'a, str>>,
    pub category: Option<Category>,
    pub signed_in_at: Option<i64>,
    pub emitted_at: Option<i64>,
    pub user_id: Option<Cow<'a, str>>,
    pub user_principal_name: Option<Cow<'a, str>>,
    pub user_type: Option<Cow<'a, str>>,
    pub app_id: Option<Cow<'a, str>>,
    pub app_name: Option<Cow<'a, str>>,
    pub resource_id: Option<Cow<'a, str>>,
    pub resource_name: Option<Cow<'a, str>>,
    pub client_app: Option<Cow<'a, str>>,
    pub authentication_protocol: Option<Cow<'a, str>>,
    /// Some step of the record's authentication details succeeded with a client certificate.
    pub client_certificate: bool,
    pub error_code: Option<i64>,
    /// What the record says of its result in words, where it has no code, or says so beside it:
    /// an audit operation, a portal's status.
    pub stated_outcome: Option<Outcome>,
    pub failure_reason: Option<Cow<'a, str>>,
    pub conditional_access: Option<Cow<'a, str>>,
    pub user_agent: Option<Cow<'a, str>>,
    pub ip_address: Option<Cow<'a, str>>,
    pub country: Option<Cow<'a, str>>,
    pub is_interactive: Option<bool>,
    pub home_tenant_id: Option<Cow<'a, str>>,
    pub resource_tenant_id: Option<Cow<'a, str>>,
    pub correlation_id: Option<Cow<'a, str>>,
    /// Names a service principal and no user: a managed identity's too, so it states no category.
    pub service_principal: bool,
    /// Whether the record has the member at all: a file in which no user sign-in has it cannot
    /// prove absence.
    pub has_client_app: bool,
    pub has_result: bool,
}

impl RawSignIn<'_> {
    /// The same without borrowing from the record's text.
    #[must_use]
    pub fn into_owned(self) -> RawSignIn<'static> {
        let own = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        RawSignIn {
            tenant_id: own(self.tenant_id),
            tenant_name: own(self.tenant_name),
            sign_in_id: own(self.sign_in_id),
            category: self.category,
            signed_in_at: self.signed_in_at,
            emitted_at: self.emitted_at,
            user_id: own(self.user_id),
            user_principal_name: own(self.user_principal_name),
            user_type: own(self.user_type),
            app_id: own(self.app_id),
            app_name: own(self.app_name),
            resource_id: own(self.resource_id),
            resource_name: own(self.resource_name),
            client_app: own(self.client_app),
            authentication_protocol: own(self.authentication_protocol),
            client_certificate: self.client_certificate,
            error_code: self.error_code,
            stated_outcome: self.stated_outcome,
            failure_reason: own(self.failure_reason),
            conditional_access: own(self.conditional_access),
            user_agent: own(self.user_agent),
            ip_address: own(self.ip_address),
            country: own(self.country),
            is_interactive: self.is_interactive,
            home_tenant_id: own(self.home_tenant_id),
            resource_tenant_id: own(self.resource_tenant_id),
            correlation_id: own(self.correlation_id),
            service_principal: self.service_principal,
            has_client_app: self.has_client_app,
            has_result: self.has_result,
        }
    }
}

/// What `formats::classify` concludes from a [`RawSignIn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classified {
    /// `None`: a browser or modern client, or no user sign-in.
    pub protocol: Option<Protocol>,
    pub auth_method: AuthMethod,
    /// The member that decided the auth method, `None` where nothing did.
    pub auth_evidence: Option<&'static str>,
    pub outcome: Outcome,
}

impl Classified {
    /// Whether no verdict can need the record: it is modern, and no campaign counts that. SMTP AUTH goes off as a
    /// whole in some campaigns, with OAuth too.
    #[must_use]
    pub fn is_provably_modern(&self) -> bool {
        self.auth_method == AuthMethod::Modern && self.protocol != Some(Protocol::SmtpAuth)
    }
}
