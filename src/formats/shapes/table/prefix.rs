//! Columns whose names begin with the place that their values had in a document: `properties.userPrincipalName`,
//! `data.ms-graph.clientAppUsed`, `value.id`. Tools write so what they flatten.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::shapes::draft::Item;
use crate::shapes::{log_analytics, portal, powershell};

/// So many columns must have a prefix.
const COLUMNS_MIN: usize = 3;
const SEPARATORS: [char; 4] = ['.', '/', ':', '_'];
/// Longer names, and names of more parts, are no members of a sign-in. In text that is no header, every separator would
/// make a prefix.
const NAME_LEN_MAX: usize = 256;
const SEPARATORS_MAX: usize = 8;
/// So many prefixes are tried.
const PREFIXES_MAX: usize = 8;

/// The names of a header without a prefix.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stripped {
    pub(super) names: Vec<String>,
    /// The prefix ends with the properties of a diagnostic record.
    pub(super) of_properties: bool,
}

/// The names without each prefix that several have: first without the properties of a diagnostic record, then by how
/// much of a sign-in the columns below it tell. A longer prefix may be that of an object inside of the record, such as
/// its device, whose `id` is not the sign-in's. What surrounds the record's members loses the outer parts of the prefix;
/// where a name of it is then one of theirs, it is left out.
pub(super) fn without(names: &[String]) -> impl Iterator<Item = Stripped> {
    let mut columns: BTreeMap<&str, usize> = BTreeMap::new();
    for prefix in names.iter().flat_map(|name| prefixes(name)) {
        *columns.entry(prefix).or_default() += 1;
    }
    columns.retain(|_, columns| *columns >= COLUMNS_MIN);
    let mut items: BTreeMap<&str, BTreeSet<Item>> =
        columns.into_keys().map(|prefix| (prefix, BTreeSet::new())).collect();
    if !items.is_empty() {
        for name in names {
            for prefix in prefixes(name) {
                if let Some(items) = items.get_mut(prefix) {
                    items.extend(item(&name[prefix.len()..]));
                }
            }
        }
    }
    let shared = items.into_iter().map(|(prefix, items)| (prefix, items.len()));
    // What is inside of the properties is an object of theirs.
    let is_inside = |prefix: &str| outer_parts(prefix).any(is_of_properties);
    let mut shared: Vec<(&str, usize)> = shared.filter(|(prefix, _)| !is_inside(prefix)).collect();
    shared.sort_by_key(|(prefix, items)| (!is_of_properties(prefix), Reverse(*items), prefix.len()));
    shared.into_iter().take(PREFIXES_MAX).map(|(prefix, _)| strip(names, prefix))
}

/// What a name may have before that of a member.
fn prefixes(name: &str) -> impl Iterator<Item = &str> {
    let name = if name.len() > NAME_LEN_MAX { "" } else { name };
    let separators = || name.match_indices(SEPARATORS);
    let few = separators().nth(SEPARATORS_MAX).is_none();
    separators().filter(move |(at, _)| few && *at > 0).map(|(at, _)| &name[..=at])
}

/// What a column tells in one of the shapes.
fn item(name: &str) -> Option<Item> {
    powershell::item(name).or_else(|| portal::item(name)).or_else(|| log_analytics::item(name))
}

fn is_of_properties(prefix: &str) -> bool {
    let last = prefix[..prefix.len() - 1].rsplit(SEPARATORS).next();
    last.is_some_and(|last| last.eq_ignore_ascii_case("properties"))
}

/// The longer of the shorter prefixes that a prefix begins with come first.
fn outer_parts(prefix: &str) -> impl Iterator<Item = &str> {
    prefix[..prefix.len() - 1]
        .rmatch_indices(SEPARATORS)
        .map(|(at, _)| &prefix[..=at])
        .filter(|outer| outer.len() > 1)
}

fn strip(names: &[String], prefix: &str) -> Stripped {
    let own: BTreeSet<String> =
        names.iter().filter_map(|name| name.strip_prefix(prefix)).map(plain).collect();
    let outer: Vec<&str> = outer_parts(prefix).collect();
    let names = names.iter().map(|name| {
        if let Some(name) = name.strip_prefix(prefix) {
            return name.to_owned();
        }
        let name = outer.iter().find_map(|outer| name.strip_prefix(outer)).unwrap_or(name);
        let is_of_path = plain(name) == "resourceid";
        if is_of_path || own.contains(&plain(name)) { String::new() } else { name.to_owned() }
    });
    Stripped { names: names.collect(), of_properties: is_of_properties(prefix) }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crate::shapes::{Parsed, RecordReader, Shape};
    use lightsout_model::sign_in::RawSignIn;

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

    fn sign_in(reader: &RecordReader, record: &str) -> RawSignIn<'static> {
        match reader.parse(record).map(Parsed::into_owned) {
            Ok(Parsed::SignIn(sign_in)) => *sign_in,
            other => panic!("a sign-in: {other:?}"),
        }
    }

    // The longest prefix counted, so the device's columns were taken for the sign-in's.
    #[test]
    fn a_flattened_record_is_the_sign_in_that_it_was_nested() {
        let header = "time,category,tenantId,resultType,properties.id,properties.createdDateTime,\
                      properties.clientAppUsed,properties.userPrincipalName,properties.status.errorCode,\
                      properties.status.failureReason,properties.status.additionalDetails,\
                      properties.deviceDetail.deviceId,properties.deviceDetail.operatingSystem,\
                      properties.deviceDetail.browser";
        let row = "2026-10-05T08:20:00Z,NonInteractiveUserSignInLogs,7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c,50126,1,\
                   2026-10-05T08:15:30Z,IMAP4,ann@example.com,50126,Invalid password,none,device-1,Windows,Outlook";
        let nested = r#"{"time":"2026-10-05T08:20:00Z","category":"NonInteractiveUserSignInLogs","tenantId":"7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c","resultType":"50126","properties":{"id":"1","createdDateTime":"2026-10-05T08:15:30Z","clientAppUsed":"IMAP4","userPrincipalName":"ann@example.com","status":{"errorCode":50126,"failureReason":"Invalid password","additionalDetails":"none"},"deviceDetail":{"deviceId":"device-1","operatingSystem":"Windows","browser":"Outlook"}}}"#;
        let mut expected = sign_in(&RecordReader::json(Shape::Diagnostic), nested);
        // A table has no time of emission beside that of the sign-in.
        expected.emitted_at = None;
        let policy = ["id", "displayName", "result"]
            .map(|name| format!(",properties.appliedConditionalAccessPolicies.0.{name}"))
            .concat();
        for (more, cells) in [(String::new(), ""), (policy, ",policy-1,Block,success")] {
            let header = format!("{header}{more}");
            let reader = RecordReader::csv(&header).unwrap_or_else(|found| panic!("{}", found.found));
            assert_eq!(sign_in(&reader, &format!("{row}{cells}")), expected, "{header}");
        }
    }

    #[test]
    fn an_object_inside_of_a_record_is_not_the_record() {
        let inner = ["id", "displayName", "result", "resourceId", "status"]
            .map(|name| format!("value.appliedConditionalAccessPolicies.0.{name}"))
            .join(",");
        let header =
            format!("value.id,value.createdDateTime,value.userPrincipalName,value.clientAppUsed,{inner}");
        let reader = RecordReader::csv(&header).expect("a header");
        let read =
            sign_in(&reader, "1,2026-10-05T08:15:30Z,ann@example.com,IMAP4,policy-1,Block,success,r,s");
        assert_eq!(read.sign_in_id.as_deref(), Some("1"));
        assert_eq!(read.client_app.as_deref(), Some("IMAP4"));
    }

    // Every separator made a prefix of up to the name's length, and the file took for ever.
    #[test]
    fn text_of_many_separators_is_soon_passed() {
        const LEN: usize = 1 << 20;
        let started = Instant::now();
        let long = "a_".repeat(LEN / 2);
        let many = "ab.c_d,".repeat(LEN / 70);
        let parts = format!("{},", "a.".repeat(64)).repeat(LEN / 1290);
        for header in [&long, &many, &parts] {
            assert!(RecordReader::csv(header).is_err());
        }
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}
