//! Columns whose names begin with the place that their values had in a document: `properties.userPrincipalName`,
//! `data.ms-graph.clientAppUsed`, `value.id`. Tools write so what they flatten.

use std::collections::{BTreeMap, BTreeSet};

/// So many columns must have a prefix.
const COLUMNS_MIN: usize = 3;
const SEPARATORS: [char; 4] = ['.', '/', ':', '_'];

/// The names of a header without a prefix.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stripped {
    pub(super) names: Vec<String>,
    /// The prefix ends with the properties of a diagnostic record.
    pub(super) of_properties: bool,
}

/// The names without each prefix that several have, the longest first. What surrounds the record's members loses the
/// outer parts of the prefix; where a name of it is then one of theirs, it is left out.
pub(super) fn without(names: &[String]) -> impl Iterator<Item = Stripped> {
    let mut prefixes: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names {
        for (at, separator) in name.char_indices().skip(1) {
            if SEPARATORS.contains(&separator) {
                *prefixes.entry(&name[..=at]).or_default() += 1;
            }
        }
    }
    let mut shared: Vec<&str> =
        prefixes.into_iter().filter(|(_, count)| *count >= COLUMNS_MIN).map(|(prefix, _)| prefix).collect();
    shared.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
    shared.into_iter().map(|prefix| strip(names, prefix))
}

fn strip(names: &[String], prefix: &str) -> Stripped {
    let own: BTreeSet<String> =
        names.iter().filter_map(|name| name.strip_prefix(prefix)).map(plain).collect();
    let outer = prefix[..prefix.len() - 1].rmatch_indices(SEPARATORS).map(|(at, _)| &prefix[..=at]);
    let outer: Vec<&str> = outer.collect();
    let names = names.iter().map(|name| {
        if let Some(name) = name.strip_prefix(prefix) {
            return name.to_owned();
        }
        let name = outer.iter().find_map(|outer| name.strip_prefix(outer)).unwrap_or(name);
        let is_of_path = plain(name) == "resourceid";
        if is_of_path || own.contains(&plain(name)) { String::new() } else { name.to_owned() }
    });
    let last = prefix[..prefix.len() - 1].rsplit(SEPARATORS).next();
    Stripped {
        names: names.collect(),
        of_properties: last.is_some_and(|last| last.eq_ignore_ascii_case("properties")),
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use crate::shapes::{Parsed, RecordReader, Shape};

    #[test]
    fn a_prefix_that_the_columns_of_a_sign_in_share_is_no_part_of_their_names() {
        const TENANT: &str = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c";
        let members = ["id", "createdDateTime", "userPrincipalName", "clientAppUsed", "status.errorCode"];
        let row = "1,2026-10-05T08:15:30Z,ann@example.com,IMAP4,0";
        for (prefix, before, cells) in [
            ("value.", "", String::new()),
            ("value/", "", String::new()),
            ("_source.", "", String::new()),
            ("result.", "", String::new()),
            ("data.ms-graph.", "timestamp,id,rule.id,", "x,2,3,".to_owned()),
            ("properties.", "_time,category,tenantId,resourceId,id,", format!("x,SignInLogs,{TENANT},/a,2,")),
            ("properties_", "timestamp,message,", "x,Sign-in activity,".to_owned()),
            (
                "azure.signinlogs.properties.",
                "azure.signinlogs.category,azure.tenant_id,",
                format!("SignInLogs,{TENANT},"),
            ),
        ] {
            let columns: Vec<String> = members.iter().map(|name| format!("{prefix}{name}")).collect();
            let header = format!("{before}{}", columns.join(","));
            let reader =
                RecordReader::csv(&header).unwrap_or_else(|found| panic!("{header}: {}", found.found));
            assert_eq!(reader.shape(), Shape::PowershellCsv, "{header}");
            let row = format!("{cells}{row}");
            let Ok(Parsed::SignIn(sign_in)) = reader.parse(&row) else { panic!("{:?}", reader.parse(&row)) };
            assert_eq!(sign_in.sign_in_id.as_deref(), Some("1"), "{header}");
            assert_eq!(sign_in.client_app.as_deref(), Some("IMAP4"), "{header}");
            assert_eq!(sign_in.error_code, Some(0), "{header}");
            assert_eq!(sign_in.resource_id, None, "{header}");
            let has_tenant = cells.contains(TENANT);
            assert_eq!(sign_in.tenant_id.as_deref(), has_tenant.then_some(TENANT), "{header}");
            assert_eq!(sign_in.category.is_some(), has_tenant, "{header}");
        }
    }

    #[test]
    fn a_table_of_something_else_is_none_without_a_prefix_either() {
        for header in [
            "user_id,user_name,user_type,user_created",
            "ticket.id,ticket.created,ticket.status,ticket.title",
            "properties.count_,properties.userPrincipalName,properties.clientAppUsed",
            "a.b,a.c,a.d",
        ] {
            assert!(RecordReader::csv(header).is_err(), "{header}");
        }
    }
}
