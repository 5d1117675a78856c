//! What differs between two versions of a roster: tenants that came, went or changed, and exclusions that ended. An
//! exclusion that ends is the one change that can lead to something being turned off.

use crate::protocol::Protocol;
use crate::tenant::{Roster, RosterTenant};

/// What became of one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RosterChangeKind {
    Added,
    Removed,
    Changed,
}

impl RosterChangeKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// One tenant that two rosters say different things of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterChange {
    pub tenant_id: String,
    pub display_name: Option<String>,
    pub kind: RosterChangeKind,
    /// Of a tenant in both: `column: before -> after`, in the order of the columns.
    pub columns: Vec<String>,
}

/// The tenants that differ, sorted by tenant id.
#[must_use]
pub fn roster_changes(before: &Roster, after: &Roster) -> Vec<RosterChange> {
    let mut changes = Vec::new();
    for (id, tenant) in &after.tenants {
        let (kind, columns) = match before.tenants.get(id) {
            None => (RosterChangeKind::Added, Vec::new()),
            Some(earlier) if earlier == tenant => continue,
            Some(earlier) => (RosterChangeKind::Changed, changed_columns(earlier, tenant)),
        };
        changes.push(change(id, tenant, kind, columns));
    }
    let removed = before.tenants.iter().filter(|(id, _)| !after.tenants.contains_key(*id));
    changes.extend(removed.map(|(id, tenant)| change(id, tenant, RosterChangeKind::Removed, Vec::new())));
    changes.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
    changes
}

/// The tenants that `before` excludes and `after` does not, in the order of their ids, as `before` has them.
#[must_use]
pub fn no_longer_excluded<'a>(before: &'a Roster, after: &Roster) -> Vec<&'a RosterTenant> {
    let is_excluded = |id: &String| after.tenants.get(id).is_some_and(|tenant| tenant.exclude.is_some());
    let excluded = before.tenants.iter().filter(|(_, tenant)| tenant.exclude.is_some());
    excluded.filter(|(id, _)| !is_excluded(id)).map(|(_, tenant)| tenant).collect()
}

fn change(id: &str, tenant: &RosterTenant, kind: RosterChangeKind, columns: Vec<String>) -> RosterChange {
    RosterChange { tenant_id: id.to_owned(), display_name: tenant.display_name.clone(), kind, columns }
}

fn changed_columns(before: &RosterTenant, after: &RosterTenant) -> Vec<String> {
    let mut columns: Vec<(&str, [String; 2])> = named_values(before)
        .into_iter()
        .zip(named_values(after))
        .map(|((name, before), (_, after))| (name, [before, after]))
        .collect();
    let names = before.other_columns.keys().chain(after.other_columns.keys());
    let mut names: Vec<&str> = names.map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let other =
        |tenant: &RosterTenant, name: &str| tenant.other_columns.get(name).cloned().unwrap_or_default();
    columns.extend(names.into_iter().map(|name| (name, [other(before, name), other(after, name)])));
    columns.retain(|(_, [before, after])| before != after);
    let shown = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
    columns
        .iter()
        .map(|(name, [before, after])| format!("{name}: {} -> {}", shown(before), shown(after)))
        .collect()
}

/// What `protocols_enabled` says where all of them are off.
pub const NO_PROTOCOL: &str = "none";

/// The names of the columns that lightsout knows, in the order of [`named_values`].
pub const ROSTER_COLUMNS: [&str; 13] = [
    "tenant_id",
    "display_name",
    "domains",
    "cloud",
    "language",
    "contacts",
    "outlook_modern_auth",
    "protocols_enabled",
    "logs_from",
    "logs_to",
    "workdays",
    "exclude",
    "exclude_reason",
];

/// The values of a tenant as a roster file writes them; what it does not say is empty.
#[must_use]
pub fn named_values(tenant: &RosterTenant) -> [(&'static str, String); 13] {
    let RosterTenant {
        tenant_id,
        display_name,
        domains,
        cloud,
        language,
        contacts,
        outlook_modern_auth,
        protocols_enabled,
        logs_from,
        logs_to,
        workdays,
        exclude,
        other_columns: _,
    } = tenant;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let yes = |is: bool| if is { "true" } else { "false" }.to_owned();
    let protocols = |all: &Vec<Protocol>| match all.as_slice() {
        [] => NO_PROTOCOL.to_owned(),
        all => all.iter().map(|of| of.as_str()).collect::<Vec<_>>().join(";"),
    };
    let values = [
        tenant_id.clone(),
        text(display_name),
        domains.join(";"),
        text(cloud),
        text(language),
        contacts.join(";"),
        outlook_modern_auth.map(yes).unwrap_or_default(),
        protocols_enabled.as_ref().map(protocols).unwrap_or_default(),
        logs_from.map(|day| day.to_string()).unwrap_or_default(),
        logs_to.map(|day| day.to_string()).unwrap_or_default(),
        workdays.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(";"),
        if exclude.is_some() { yes(true) } else { String::new() },
        text(exclude),
    ];
    let mut values = values.into_iter();
    ROSTER_COLUMNS.map(|name| (name, values.next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str, exclude: Option<&str>) -> RosterTenant {
        RosterTenant {
            tenant_id: id.to_owned(),
            exclude: exclude.map(str::to_owned),
            ..RosterTenant::default()
        }
    }

    fn roster(tenants: Vec<RosterTenant>) -> Roster {
        Roster { tenants: tenants.into_iter().map(|tenant| (tenant.tenant_id.clone(), tenant)).collect() }
    }

    #[test]
    fn a_tenant_that_came_went_or_changed_is_told_with_its_columns() {
        let before = roster(vec![tenant("a", None), tenant("b", Some("asked")), tenant("c", None)]);
        let mut changed = tenant("b", None);
        changed.contacts = vec!["it@b.example.com".to_owned()];
        changed.other_columns.insert("region".to_owned(), "north".to_owned());
        let after = roster(vec![changed, tenant("c", None), tenant("d", None)]);
        let told: Vec<(String, &str, String)> = roster_changes(&before, &after)
            .into_iter()
            .map(|change| (change.tenant_id, change.kind.as_str(), change.columns.join("; ")))
            .collect();
        let of_b = "contacts: nothing -> it@b.example.com; exclude: true -> nothing; exclude_reason: asked -> \
                    nothing; region: nothing -> north";
        let expected = [("a", "removed", ""), ("b", "changed", of_b), ("d", "added", "")];
        assert_eq!(told, expected.map(|(id, kind, columns)| (id.to_owned(), kind, columns.to_owned())));
        assert!(roster_changes(&after, &after).is_empty());
    }

    #[test]
    fn an_exclusion_ends_by_a_change_and_by_a_tenant_that_is_not_there_any_more() {
        let before = roster(vec![tenant("a", Some("asked")), tenant("b", Some("asked")), tenant("c", None)]);
        let ids = |after: &Roster| -> Vec<String> {
            no_longer_excluded(&before, after).iter().map(|tenant| tenant.tenant_id.clone()).collect()
        };
        assert_eq!(ids(&Roster::default()), ["a", "b"]);
        assert_eq!(ids(&roster(vec![tenant("a", None), tenant("b", Some("another reason"))])), ["a"]);
        assert!(ids(&before).is_empty());
    }
}
