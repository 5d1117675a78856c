//! Whether a file is the log of the tenant that somebody says it is. Its own records tell: a log's records
//! have its tenant as home or resource, and an export over many customers names each of them.

use std::collections::BTreeSet;

use lightsout_formats::shapes::Shape;
use lightsout_model::tenant::{Roster, is_guid};

/// Names that are kept of those that nobody knows.
const NAMES_KEPT: usize = 8;
/// Tenants that are counted; more than these are no single customer's.
const TENANTS_COUNTED: usize = 64;
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// What the records of a source, or of a part of it, say of whose they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    /// Of the records that state a home or resource tenant: those of which one is the assigned tenant.
    own: u64,
    /// Those that state other tenants alone.
    foreign: u64,
    /// The other tenants, with the records that state them.
    others: Vec<(String, u64)>,
    /// Records that stand for a tenant by a name that the roster knows.
    resolved: u64,
    /// Names that it does not know.
    unknown: BTreeSet<String>,
}

impl Identity {
    /// Whether records of the shape are to be looked at, where they state a tenant id themselves: Entra's
    /// own records state it, and in others somebody has added it.
    pub(super) fn concerns(shape: Shape) -> bool {
        match shape {
            Shape::Graph | Shape::PortalCsv | Shape::PowershellCsv => true,
            Shape::Diagnostic
            | Shape::LogAnalytics
            | Shape::LogAnalyticsCsv
            | Shape::Audit
            | Shape::AuditCsv => false,
        }
    }

    /// Counts a record of `tenant_id`.
    pub(super) fn count(&mut self, tenant_id: &str, home: Option<&str>, resource: Option<&str>) {
        let known = |id: &&str| is_guid(id) && *id != NOBODY;
        let (home, resource) = (home.filter(known), resource.filter(known));
        let is_own = |id: Option<&str>| id.is_some_and(|id| id.eq_ignore_ascii_case(tenant_id));
        if home.is_none() && resource.is_none() {
            return;
        }
        if is_own(home) || is_own(resource) {
            self.own += 1;
        } else {
            self.foreign += 1;
        }
        for (at, id) in [home, resource].into_iter().enumerate() {
            if let Some(id) = id.filter(|id| !is_own(Some(id)))
                && (at == 0 || home.is_none_or(|home| !home.eq_ignore_ascii_case(id)))
            {
                self.count_other(id, 1);
            }
        }
    }

    fn count_other(&mut self, id: &str, records: u64) {
        if let Some((_, count)) = self.others.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(id)) {
            *count += records;
        } else if self.others.len() < TENANTS_COUNTED {
            self.others.push((id.to_ascii_lowercase(), records));
        }
    }

    /// Counts a record that names its tenant otherwise than by its id.
    pub(super) fn count_name(&mut self, name: &str, is_known: bool) {
        if is_known {
            self.resolved += 1;
        } else if self.unknown.len() < NAMES_KEPT && !self.unknown.contains(name.trim()) {
            self.unknown.insert(name.trim().to_owned());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.own + self.foreign + self.resolved == 0 && self.unknown.is_empty()
    }

    /// Takes in another part of the same source.
    pub(super) fn merge(&mut self, other: Self) {
        self.own += other.own;
        self.foreign += other.foreign;
        self.resolved += other.resolved;
        for (id, records) in other.others {
            self.count_other(&id, records);
        }
        for name in other.unknown {
            self.count_name(&name, false);
        }
    }

    /// Why the source is to be refused as a whole, if it is. `assigned` is the tenant that path or operator
    /// say.
    pub(super) fn refusal(&self, assigned: Option<&str>, roster: &Roster) -> Option<String> {
        if self.unknown.len() > 1 || (!self.unknown.is_empty() && self.resolved > 0) {
            return Some(self.refusal_of_names(roster));
        }
        let said = self.own + self.foreign;
        let (other, records) =
            self.others.iter().max_by_key(|(id, records)| (*records, std::cmp::Reverse(id)))?;
        // A guest's record has two tenants, so a customer's log may have some with the other one.
        let is_other = self.foreign > 0 && (self.own == 0 || (self.foreign > self.own && *records == said));
        let assigned = assigned.unwrap_or("another tenant");
        let of = if *records == said {
            "throughout".to_owned()
        } else {
            format!("in {records} of {said} records")
        };
        is_other.then(|| {
            format!(
                "expected the log of {assigned}, as its path, --tenant, --tenants-from or its own rows say; found \
                 {other} as home or resource tenant {of}{}; say whose log it is with --tenant or --tenants-from",
                if self.own == 0 { format!(", and {assigned} nowhere") } else { String::new() }
            )
        })
    }

    fn refusal_of_names(&self, roster: &Roster) -> String {
        let names = self.unknown.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let way_out = if roster.tenants.is_empty() {
            "give the list of tenants with their domains: --roster FILE"
        } else {
            "add these domains or names to the roster"
        };
        format!(
            "its rows are of several tenants that they do not name by id; expected ids, or domains and \
             names that the roster knows; found {names}; {way_out}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "00000000-0000-4000-8000-00000000000a";
    const B: &str = "00000000-0000-4000-8000-00000000000b";
    const C: &str = "00000000-0000-4000-8000-00000000000c";

    fn refusal(records: &[(&str, &str, u64)]) -> Option<String> {
        let mut identity = Identity::default();
        for (home, resource, count) in records {
            for _ in 0..*count {
                identity.count(A, Some(*home), Some(*resource));
            }
        }
        identity.refusal(Some(A), &Roster::default())
    }

    #[test]
    fn a_log_of_another_tenant_throughout_is_refused_and_names_both() {
        for foreign in [
            &[(B, B, 3)][..],
            &[(B, B, 3), (C, B, 1), (B, C, 1)],
            &[("", B, 1)],
            &[("", "", 5), (B, NOBODY, 1)],
            &[(B, B, 1), (C, C, 1)],
            // A guest of A in the log of B.
            &[(B, B, 5), (A, B, 1)],
        ] {
            let told = refusal(foreign).unwrap_or_else(|| panic!("refused: {foreign:?}"));
            assert!(told.contains(A) && told.contains(B), "{told}");
        }
    }

    #[test]
    fn guests_outbound_users_and_unknown_tenants_are_no_other_log() {
        for own in [
            &[(A, A, 1)][..],
            &[(A, A, 3), (B, A, 5), (A, B, 5)],
            &[(A, B, 5)],
            &[("", "", 5)],
            &[(NOBODY, "not a guid", 5)],
            &[(A, A, 5), (B, B, 1)],
            &[],
        ] {
            assert_eq!(refusal(own), None, "{own:?}");
        }
    }

    #[test]
    fn rows_of_several_tenants_by_name_need_a_roster_that_knows_all_of_them() {
        let of = |names: &[(&str, bool)]| {
            let mut identity = Identity::default();
            for (name, is_known) in names {
                let mut part = Identity::default();
                part.count_name(name, *is_known);
                identity.merge(part);
            }
            identity.refusal(Some(A), &Roster::default())
        };
        assert_eq!(of(&[("customer-17", false), ("customer-17 ", false)]), None, "a SIEM's customer");
        assert_eq!(of(&[("contoso.com", true), ("fabrikam.com", true)]), None);
        for merged in
            [[("contoso.com", false), ("fabrikam.com", false)], [("contoso.com", true), ("x.com", false)]]
        {
            let told = of(&merged).expect("refused");
            assert!(told.contains("--roster") && told.contains(merged[1].0), "{told}");
        }
    }
}
