//! What `Export-Csv` makes of the sign-in objects of the Graph and Azure AD modules: Graph's names, or those of a
//! flattened object (`Status.ErrorCode`), or what the person typed into `Select-Object`. Dates come
//! in the culture of the exporting computer.

use super::draft::Item;

/// Names without their punctuation, lower case, that are not Graph's own.
const NAMES: [(&str, Item); 12] = [
    ("statuserrorcode", Item::ErrorCode),
    ("statusfailurereason", Item::FailureReason),
    ("locationcountryorregion", Item::Country),
    ("country", Item::Country),
    ("application", Item::AppName),
    ("clientapp", Item::ClientApp),
    ("resource", Item::ResourceName),
    ("upn", Item::UserPrincipalName),
    ("created", Item::SignedInAt),
    ("requestid", Item::SignInId),
    ("failure", Item::FailureReason),
    ("conditionalaccess", Item::ConditionalAccess),
];

/// What a column tells; punctuation and case do not matter.
pub(super) fn item(name: &str) -> Option<Item> {
    let bare: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let own = NAMES.iter().find(|(known, _)| *known == bare);
    own.map(|(_, item)| *item).or_else(|| Item::of_name(&bare)).or_else(|| Item::of_tenant(&bare))
}
