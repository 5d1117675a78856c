//! The Entra portal's CSV downloads: interactive, non-interactive, application and managed identity
//! sign-ins. Which of them a file is stands only in its name; the tenant stands nowhere, unless somebody
//! has added it.

use super::draft::Item;

/// Column names, lower case, blanks collapsed.
const NAMES: [(&str, Item); 22] = [
    ("date (utc)", Item::SignedInAt),
    ("request id", Item::SignInId),
    ("correlation id", Item::CorrelationId),
    ("user id", Item::UserId),
    ("username", Item::UserPrincipalName),
    ("user type", Item::UserType),
    ("service principal id", Item::ServicePrincipalId),
    ("application", Item::AppName),
    ("application id", Item::AppId),
    ("resource", Item::ResourceName),
    ("resource id", Item::ResourceId),
    ("resource tenant id", Item::ResourceTenant),
    ("home tenant id", Item::HomeTenant),
    ("ip address", Item::IpAddress),
    ("location", Item::Location),
    ("status", Item::Status),
    ("sign-in error code", Item::ErrorCode),
    ("failure reason", Item::FailureReason),
    ("client app", Item::ClientApp),
    ("user agent", Item::UserAgent),
    ("authentication protocol", Item::AuthenticationProtocol),
    ("conditional access", Item::ConditionalAccess),
];

/// What a column tells; blanks and case do not matter.
pub(super) fn item(name: &str) -> Option<Item> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let own = NAMES.iter().find(|(known, _)| *known == name).map(|(_, item)| *item);
    own.or_else(|| Item::of_tenant(&name))
}

/// The word for a Conditional Access result that every other shape uses.
pub(super) fn conditional_access(word: &str) -> Option<&'static str> {
    [("Success", "success"), ("Failure", "failure"), ("Not applied", "notApplied")]
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word.trim()))
        .map(|(_, common)| common)
}
