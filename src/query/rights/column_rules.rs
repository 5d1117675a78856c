//! What becomes of each column of a restricted session. A table or view that is not listed here has nothing but what
//! its tenant may see, once its rows are those of the tenant.

use super::{NameRights, Rights, TenantRights};

/// What is shown in place of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnRule {
    /// Nothing: null.
    Hide,
    /// That there is a text, where the program needs one.
    Withhold,
    User,
    Address,
    Path,
    /// A JSON array of paths.
    Paths,
    /// JSON in which paths stand by their names, and perhaps users.
    Json,
    /// Free text: only if it does not seem to name anybody.
    Text,
    /// The filter of a download: that there is one, unless it is of dates alone.
    PageFilter,
    /// `sources.coverage`.
    Coverage,
    /// `sources.assigned_tenant_id`.
    AssignedTenant,
    /// A count of a source, of the session's tenants alone.
    SourceCount,
    /// The first or last time of a source, to the day.
    SourceTime,
}

/// When a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// The session is restricted in any way: the value can be about several tenants, or about users.
    Restricted,
    SomeTenants,
    Pseudonyms,
}

use ColumnRule::{
    Address, AssignedTenant, Coverage, Hide, Json, PageFilter, Path, Paths, SourceCount, SourceTime, Text,
    User, Withhold,
};
use When::{Pseudonyms, Restricted, SomeTenants};

const RULES: &[(&str, &str, When, ColumnRule)] = &[
    ("sign_in_records", "user_id", Pseudonyms, User),
    ("sign_in_records", "user_principal_name", Pseudonyms, User),
    ("sign_in_records", "ip_address", Pseudonyms, Address),
    ("sign_in_records", "user_agent", Pseudonyms, Text),
    ("sign_in_records", "app_name", Pseudonyms, Text),
    ("sign_in_records", "failure_reason", Pseudonyms, Text),
    ("rejects", "path", Restricted, Path),
    ("rejects", "detail", Restricted, Hide),
    ("rejects", "raw", Restricted, Hide),
    ("sources", "path", Restricted, Path),
    ("sources", "channel", Restricted, Path),
    ("sources", "header", Restricted, Hide),
    ("sources", "detail", Restricted, Hide),
    ("sources", "etag", Restricted, Hide),
    ("sources", "page_filter", Restricted, PageFilter),
    ("sources", "coverage", Restricted, Coverage),
    ("sources", "assigned_tenant_id", SomeTenants, AssignedTenant),
    ("sources", "stored_bytes", SomeTenants, SourceCount),
    ("sources", "content_bytes", SomeTenants, SourceCount),
    ("sources", "records", SomeTenants, SourceCount),
    ("sources", "rows", SomeTenants, SourceCount),
    ("sources", "rejected", SomeTenants, SourceCount),
    ("sources", "not_sign_ins", SomeTenants, SourceCount),
    ("sources", "counted", SomeTenants, SourceCount),
    ("sources", "pruned", SomeTenants, SourceCount),
    ("sources", "prefix_bytes", SomeTenants, SourceCount),
    ("sources", "first_signed_in_at", SomeTenants, SourceTime),
    ("sources", "last_signed_in_at", SomeTenants, SourceTime),
    ("decision_tenants", "details", Restricted, Json),
    ("decision_tenants", "evidence", Restricted, Hide),
    ("rosters", "roster_row", Pseudonyms, Json),
    ("decisions", "roster", Restricted, Hide),
    ("decisions", "evidence", Restricted, Hide),
    ("decisions", "campaign_rules", SomeTenants, Hide),
    ("decisions", "tenants", SomeTenants, Hide),
    ("campaign_events", "by_whom", Pseudonyms, User),
    ("campaign_events", "detail", Restricted, Json),
    ("tenant_settings", "path", Restricted, Path),
    ("tenant_settings", "settings", Restricted, Json),
    ("dismissals", "paths", Restricted, Paths),
    ("dismissals", "by_whom", Pseudonyms, User),
    ("dismissals", "why", Pseudonyms, Withhold),
    ("latest_roster", "other_columns", Pseudonyms, Hide),
    ("latest_roster", "reason", Pseudonyms, Hide),
    ("campaign_changes", "announcement", Restricted, Json),
    ("campaign_changes", "held_because", Restricted, Json),
    ("campaign_changes", "opted_out_by", Pseudonyms, User),
    ("campaign_status", "opted_out_by", Pseudonyms, User),
    ("campaign_status", "next_step", Pseudonyms, Text),
];

/// The rule of a column in a session with these rights, if there is one.
pub(super) fn of(table: &str, column: &str, rights: &Rights) -> Option<ColumnRule> {
    let applies = |when: When| match when {
        When::Restricted => !rights.are_unrestricted(),
        When::SomeTenants => rights.tenants != TenantRights::All,
        When::Pseudonyms => rights.names == NameRights::Pseudonyms,
    };
    let rule = RULES.iter().find(|(of, name, when, _)| *of == table && *name == column && applies(*when));
    rule.map(|(_, _, _, rule)| *rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightsout_lake::schema::Table;

    #[test]
    fn every_rule_is_of_a_column_that_there_is() {
        for (table, column, _, _) in RULES {
            if let Some(known) = Table::ALL.iter().find(|known| known.as_str() == *table) {
                assert!(known.table_schema().index_of(column).is_ok(), "{table}.{column}");
            }
        }
    }

    // A column that is added later must be looked at: whoever adds one decides here what restricted sessions see of it.
    #[test]
    fn every_text_of_a_table_has_a_rule_or_names_neither_users_nor_files() {
        let harmless = include_str!("harmless_columns.txt");
        let rights = Rights {
            tenants: TenantRights::Only(std::iter::once("a".to_owned()).collect()),
            names: NameRights::Pseudonyms,
        };
        for table in Table::ALL {
            for field in table.table_schema().fields() {
                let name = format!("{}.{}", table.as_str(), field.name());
                let is_harmless = harmless.lines().any(|line| line == name);
                let has_rule = of(table.as_str(), field.name(), &rights).is_some();
                assert!(
                    is_harmless != has_rule,
                    "{name}: a rule, or a line of harmless_columns.txt, not both"
                );
            }
        }
    }
}
