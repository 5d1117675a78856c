//! What a session may see: all tenants or some, and users by their names or by pseudonyms. Enforced below SQL: a
//! restricted session has providers of its own for every table (`restricted_table`), which leave out rows and replace
//! values before any expression of a query is computed. Views are computed over these, so they need no rules of their
//! own; those that other crates compute over the whole lake are wrapped like tables.
//!
//! `column_rules` says what becomes of each column, `source_access` which files concern a tenant, `masks` computes the
//! values that are shown instead, `pseudonyms` makes names that are the same in every session of a lake.

mod column_rules;
mod masks;
mod pseudonyms;
mod restricted_exec;
mod restricted_table;
mod source_access;

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::catalog::TableProvider;

use super::views::{VIEWS, ViewKind};
use super::{Queries, failed};
use crate::Result;
use lightsout_lake::schema::Table;
pub use pseudonyms::Pseudonyms;
use restricted_table::RestrictedTable;
use source_access::SourceAccess;

/// The tenants that are seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TenantRights {
    All,
    /// By id, in lower case.
    Only(BTreeSet<String>),
}

impl TenantRights {
    #[must_use]
    pub fn contains(&self, tenant_id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(tenants) => tenants.contains(tenant_id),
        }
    }
}

/// How users are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameRights {
    Shown,
    Pseudonyms,
}

/// See the file's first lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rights {
    pub tenants: TenantRights,
    pub names: NameRights,
}

impl Rights {
    /// Everything is seen.
    pub const ALL: Self = Self { tenants: TenantRights::All, names: NameRights::Shown };

    #[must_use]
    pub fn are_unrestricted(&self) -> bool {
        *self == Self::ALL
    }
}

impl Queries {
    /// A session over the same snapshot that sees no more than these rights permit. It shares no result with this one,
    /// and has no tables of the user's own.
    ///
    /// # Errors
    /// Fails if the engine does not take the session.
    pub fn restricted(&self, rights: &Rights, pseudonyms: &Pseudonyms) -> Result<Self> {
        let rights = Arc::new(rights.clone());
        let pseudonyms = Arc::new(pseudonyms.clone());
        let sources = Arc::new(SourceAccess::new(Arc::clone(&rights), self.table(Table::Sources)));
        let restrict = |name: &'static str, provider: Arc<dyn TableProvider>| -> Arc<dyn TableProvider> {
            let (rights, pseudonyms) = (Arc::clone(&rights), Arc::clone(&pseudonyms));
            Arc::new(RestrictedTable::new(name, provider, rights, pseudonyms, Arc::clone(&sources)))
        };
        let tables = Table::ALL.map(|table| (table, restrict(table.as_str(), self.table(table))));
        // The faster ways to choose records read files beside the tables, so that views are computed by their SQL.
        let queries = Self::over_providers(tables.into(), None, self.memory_limit_bytes)?;
        for view in VIEWS.iter().filter(|view| view.kind == ViewKind::Registered) {
            if let Some(provider) = self.schema.registered(view.name)
                && !queries.schema.register(view.name, restrict(view.name, provider))
            {
                let message = "it can't be registered".to_owned();
                return Err(failed(view.name, datafusion::error::DataFusionError::Plan(message)));
            }
        }
        Ok(Self { pruned_before: self.pruned_before, ..queries })
    }
}

#[cfg(test)]
mod tests;
