//! Suggests a known name for an unknown one: the nearest by spelling, or what a word of KQL or of the raw logs is
//! called here.

/// What the columns of the raw logs and of Log Analytics are called here.
const COLUMNS: [(&str, &str); 20] = [
    ("aadtenantid", "tenant_id"),
    ("appdisplayname", "app_name"),
    ("category", "category"),
    ("clientappused", "client_app"),
    ("conditionalaccessstatus", "conditional_access"),
    ("createddatetime", "signed_in_at"),
    ("date", "event_date"),
    ("day", "event_date"),
    ("email", "user_principal_name"),
    ("errorcode", "error_code"),
    ("location", "country"),
    ("resourcedisplayname", "resource_name"),
    ("resultdescription", "failure_reason"),
    ("resulttype", "error_code"),
    ("status", "outcome"),
    ("tenant", "tenant_id"),
    ("time", "signed_in_at"),
    ("timegenerated", "signed_in_at"),
    ("upn", "user_principal_name"),
    ("user", "user_principal_name"),
];

const TABLES: [(&str, &str); 5] = [
    ("aadnoninteractiveusersigninlogs", "sign_ins"),
    ("assessment", "latest_decision"),
    ("protocolusage", "usage_daily"),
    ("roster", "latest_roster"),
    ("signinlogs", "sign_ins"),
];

/// What functions of KQL are here.
const FUNCTIONS: [(&str, &str); 12] = [
    ("ago", "now() - INTERVAL '7 days'"),
    ("bin", "date_trunc('day', signed_in_at)"),
    ("countif", "count(*) FILTER (WHERE ...)"),
    ("dcount", "count(DISTINCT ...)"),
    ("iff", "CASE WHEN ... THEN ... ELSE ... END"),
    ("isempty", "... IS NULL"),
    ("isnotempty", "... IS NOT NULL"),
    ("makeset", "array_agg(DISTINCT ...)"),
    ("startofday", "date_trunc('day', ...)"),
    ("strcat", "concat(...)"),
    ("tolower", "lower(...)"),
    ("tostring", "CAST(... AS text)"),
];

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameKind {
    Column,
    Table,
    Function,
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The known name that an unknown one most likely stands for; `None` if none is near.
pub(super) fn suggest(found: &str, known: &[&str], kind: NameKind) -> Option<String> {
    let wanted = folded(found);
    if let Some(same) = known.iter().find(|name| folded(name) == wanted) {
        return Some((*same).to_owned());
    }
    let other = match kind {
        NameKind::Column => &COLUMNS[..],
        NameKind::Table => &TABLES,
        NameKind::Function => &FUNCTIONS,
    };
    if let Some((_, meant)) = other.iter().find(|(name, _)| *name == wanted)
        && (kind == NameKind::Function || known.contains(meant))
    {
        return Some((*meant).to_owned());
    }
    let nearest = known
        .iter()
        .map(|name| (strsim::osa_distance(&folded(name), &wanted), *name))
        .min_by_key(|(distance, name)| (*distance, name.len(), *name));
    if let Some((distance, name)) = nearest
        && distance <= (wanted.chars().count() / 3).max(1)
    {
        return Some(name.to_owned());
    }
    // A part of a name, or a name with more to it.
    let holds =
        |name: &&&str| wanted.len() > 3 && (folded(name).contains(&wanted) || wanted.contains(&folded(name)));
    known
        .iter()
        .filter(|name| name.len() > 3)
        .filter(holds)
        .min_by_key(|name| name.len())
        .map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_suggested() {
        let columns = ["tenant_id", "signed_in_at", "user_principal_name", "protocol", "ip_address"];
        let suggest = |found| suggest(found, &columns, NameKind::Column);
        for (found, expected) in [
            ("protocl", "protocol"),
            ("Protocol", "protocol"),
            ("tenantid", "tenant_id"),
            ("userprincipalname", "user_principal_name"),
            ("timegenerated", "signed_in_at"),
            ("singed_in_at", "signed_in_at"),
            ("address", "ip_address"),
            ("upn", "user_principal_name"),
        ] {
            assert_eq!(suggest(found).as_deref(), Some(expected), "{found}");
        }
        assert_eq!(suggest("colour"), None);
        // What it would be called is not among the columns of this query.
        assert_eq!(suggest("clientappused"), None);
    }

    #[test]
    fn tables_and_functions_of_kql_are_known() {
        assert_eq!(
            suggest("SigninLogs", &["sign_ins", "sources"], NameKind::Table).as_deref(),
            Some("sign_ins")
        );
        assert_eq!(suggest("dcount", &["count"], NameKind::Function).as_deref(), Some("count(DISTINCT ...)"));
        assert_eq!(
            suggest("date_trun", &["date_trunc", "trunc"], NameKind::Function).as_deref(),
            Some("date_trunc")
        );
    }
}
