//! Derives sessions for a server from one session: the same tables and views, with a memory pool of their own for each
//! query, and with more catalogs beside the lake's.

use std::sync::Arc;

use datafusion::catalog::SchemaProvider;
use datafusion::execution::context::SessionContext;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_optimizer::PhysicalOptimizerRule;

use super::{Queries, failed};
use crate::Result;

impl Queries {
    /// The session itself, for who makes another one of it. Nothing may be put into it.
    #[must_use]
    pub const fn context(&self) -> &SessionContext {
        &self.context
    }

    /// The tables and views that there are to ask of.
    #[must_use]
    pub fn names(&self) -> Arc<dyn SchemaProvider> {
        Arc::clone(&self.schema) as _
    }

    /// The same questions asked in another session.
    #[must_use]
    pub fn within(&self, context: SessionContext) -> Self {
        Self {
            context,
            schema: Arc::clone(&self.schema),
            memory_limit_bytes: self.memory_limit_bytes,
            pruned_before: self.pruned_before,
        }
    }

    /// The same session for one query: with memory of its own, so much disk for what does not fit, and a last
    /// rule for its plan.
    ///
    /// # Errors
    /// Fails if there is no place for temporary files.
    pub fn for_one(
        &self,
        pool: Arc<dyn MemoryPool>,
        limit_bytes: usize,
        disk_bytes: u64,
        last_rule: Arc<dyn PhysicalOptimizerRule + Send + Sync>,
    ) -> Result<Self> {
        let runtime = RuntimeEnvBuilder::from_runtime_env(&self.context.runtime_env())
            .with_memory_pool(pool)
            .with_max_temp_directory_size(disk_bytes)
            .build_arc()
            .map_err(|source| failed("session", source))?;
        let state = SessionStateBuilder::new_from_existing(self.context.state())
            .with_runtime_env(runtime)
            .with_physical_optimizer_rule(last_rule)
            .build();
        Ok(Self {
            context: SessionContext::new_with_state(state),
            schema: Arc::clone(&self.schema),
            memory_limit_bytes: limit_bytes,
            pruned_before: self.pruned_before,
        })
    }
}
