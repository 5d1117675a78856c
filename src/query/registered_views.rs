//! Views that other crates compute: the catalog has their names and headers, and the crate that owns one registers
//! the provider of its rows. A session without it has no such view.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::error::DataFusionError;

use super::lake_schema::CACHE_SHARE;
use super::{Queries, failed};
use crate::Result;
use lightsout_lake::schema::Table;

impl Queries {
    /// Registers the provider of a view that the catalog leaves to another crate.
    ///
    /// # Errors
    /// Fails if the catalog has no such view, or if it is registered already.
    pub fn register(&self, view: &str, provider: Arc<dyn TableProvider>) -> Result<()> {
        if self.schema.register(view, provider) {
            return Ok(());
        }
        let message = "it is no view that can be registered, or it is registered already".to_owned();
        Err(failed(view, DataFusionError::Plan(message)))
    }

    /// A table of the snapshot, for the provider of a view that reads it.
    #[must_use]
    pub fn table(&self, table: Table) -> Arc<dyn TableProvider> {
        self.schema.lake_table(table)
    }

    /// The bytes of rows that a registered view may memoize.
    #[must_use]
    pub const fn memoized_bytes_max(&self) -> usize {
        self.memory_limit_bytes / CACHE_SHARE
    }
}
