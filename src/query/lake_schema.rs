//! The names that a query can ask for: the tables of a snapshot, and views over them. A view is planned when
//! the first query names it, so a session costs nothing for the views that no query names. Views that
//! other crates compute are registered once, and tables of the user's own are added; SQL adds nothing and takes nothing
//! away.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::provider_as_source;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use tokio::sync::OnceCell;

use super::chosen_record::{ChosenRecords, Scope};
use super::duplicate_candidates::{self, CandidateRecords};
use super::lake_table::LakeTable;
use super::memoized_view::MemoizedView;
use super::views::{VIEWS, View, ViewKind};
use lightsout_lake::schema::Table;

/// Of the memory limit, what the memoized rows of one view may take, and the cached small files of a table.
pub(super) const CACHE_SHARE: usize = 8;

/// Of the memory limit, what choosing records may take while it is done.
const CHOSEN_RECORDS_SHARE: usize = 4;

/// What the kept rows of a view may take where they are sent with each plan that reads them.
const SENT_MAX: usize = 4 << 20;

/// What a contested sign-in takes in memory, about, with all its columns.
const CONTESTED_BYTES: usize = 512;

/// Whether there is a source whose records `stated_elsewhere` looks for in all others, which takes its time.
const ANY_AUDIT_LOG: &str = "SELECT source_id FROM sources WHERE shape IN ('audit', 'audit_csv') LIMIT 1";

/// The session that the schema belongs to; it must not keep it alive.
pub(super) type State = Box<dyn Fn() -> Option<SessionState> + Send + Sync>;

/// A view, and what it is planned as once a query has named it.
type Planned = (&'static View, OnceCell<Arc<dyn TableProvider>>);

/// See the file's first lines.
pub(super) struct LakeSchema {
    tables: HashMap<&'static str, Arc<dyn TableProvider>>,
    /// `sign_in_records` as files; `None` where its rows are in memory.
    records: Option<Arc<LakeTable>>,
    views: HashMap<&'static str, Planned>,
    /// Of the user's own, which are added to a session before it is asked.
    user_tables: RwLock<BTreeMap<String, Arc<dyn TableProvider>>>,
    contested_ids: OnceCell<Arc<MemoizedView>>,
    state: State,
    memory_limit_bytes: usize,
    /// Views are what their SQL says: their rows are not found in faster ways. Few rows that are found once are kept still,
    /// since plans without these are nested deeper than a scheduler reads them.
    is_plain: bool,
}

impl fmt::Debug for LakeSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LakeSchema").finish_non_exhaustive()
    }
}

impl LakeSchema {
    pub(super) fn new(
        tables: Vec<(Table, Arc<dyn TableProvider>)>,
        records: Option<Arc<LakeTable>>,
        state: State,
        memory_limit_bytes: usize,
    ) -> Self {
        let tables = tables.into_iter().map(|(table, provider)| (table.as_str(), provider)).collect();
        let views = VIEWS.iter().map(|view| (view.name, (view, OnceCell::new()))).collect();
        Self {
            tables,
            records,
            views,
            user_tables: RwLock::default(),
            contested_ids: OnceCell::new(),
            state,
            memory_limit_bytes,
            is_plain: false,
        }
    }

    /// The same with views that are what their SQL says.
    #[cfg(feature = "cluster")]
    pub(super) fn plain(self) -> Self {
        Self { is_plain: true, ..self }
    }

    /// Provides a view that another crate computes; `false` if there is none of that name to provide.
    pub(super) fn register(&self, name: &str, provider: Arc<dyn TableProvider>) -> bool {
        self.views
            .get(name)
            .filter(|(view, _)| view.kind == ViewKind::Registered)
            .is_some_and(|(_, place)| place.set(provider).is_ok())
    }

    /// The provider of a view that another crate computes, once it is registered.
    pub(super) fn registered(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        self.views.get(name).and_then(|(_, place)| place.get().cloned())
    }

    /// Adds a table of the user's own, whose name is none of the lake's.
    pub(super) fn add_user_table(&self, name: &str, table: Arc<dyn TableProvider>) {
        self.user_tables.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), table);
    }

    /// Puts rows in the place of a view, for tests that compute nothing.
    #[cfg(all(test, feature = "cluster"))]
    pub(super) fn replace(&self, name: &str, provider: Arc<dyn TableProvider>) -> bool {
        self.views[name].1.set(provider).is_ok()
    }

    fn user_table(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        self.user_tables.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The names of the user's own tables, in order.
    pub(super) fn user_table_names(&self) -> Vec<String> {
        self.user_tables.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    pub(super) fn lake_table(&self, table: Table) -> Arc<dyn TableProvider> {
        Arc::clone(&self.tables[table.as_str()])
    }

    async fn make(&self, view: &View) -> Result<Arc<dyn TableProvider>> {
        let Some(state) = (self.state)() else {
            return datafusion::common::plan_err!("the session of the view {} has ended", view.name);
        };
        let bytes_max = if self.is_plain { SENT_MAX } else { self.memory_limit_bytes / CACHE_SHARE };
        let kind = match view.kind {
            ViewKind::ChosenRecords | ViewKind::SignIns if self.is_plain => ViewKind::Sql,
            kind => kind,
        };
        Ok(match kind {
            ViewKind::Sql => {
                let plan = state.create_logical_plan(view.text).await?;
                DataFrame::new(state, plan).into_view()
            }
            ViewKind::ContestedIds => {
                let memoized = async || {
                    let plan = state.create_logical_plan(view.text).await?;
                    Ok::<_, DataFusionError>(Arc::new(MemoizedView::new(plan, bytes_max)))
                };
                Arc::<MemoizedView>::clone(self.contested_ids.get_or_try_init(memoized).await?)
            }
            ViewKind::ContestedSignIns => {
                // Naming the ids makes them.
                let view = MemoizedView::new(state.create_logical_plan(view.text).await?, bytes_max);
                Arc::new(match self.contested_ids.get() {
                    Some(ids) => view.limited_by(Arc::clone(ids), CONTESTED_BYTES),
                    None => view,
                })
            }
            ViewKind::DuplicateCandidates => {
                let mut plan = state.create_logical_plan(view.text).await?;
                if let Some(records) = &self.records {
                    let undeclared = state.create_logical_plan(duplicate_candidates::UNDECLARED).await?;
                    let undeclared = state.optimize(&undeclared)?;
                    let records = CandidateRecords::new(Arc::clone(records), undeclared);
                    plan = with_table(plan, Table::SignInRecords, Arc::new(records))?;
                }
                Arc::new(MemoizedView::new(plan, bytes_max))
            }
            ViewKind::ChosenRecords | ViewKind::SignIns => {
                let scope = if view.kind == ViewKind::SignIns { Scope::All } else { Scope::Legacy };
                let plan = state.create_logical_plan(view.text).await?;
                match &self.records {
                    Some(records) => {
                        let bytes_max = self.memory_limit_bytes / CHOSEN_RECORDS_SHARE;
                        Arc::new(ChosenRecords::new(Arc::clone(records), scope, plan, bytes_max))
                    }
                    None => DataFrame::new(state, plan).into_view(),
                }
            }
            ViewKind::StatedElsewhere => {
                let any = state.create_logical_plan(ANY_AUDIT_LOG).await?;
                let plan = state.create_logical_plan(view.text).await?;
                Arc::new(MemoizedView::new(plan, bytes_max).only_if(state.optimize(&any)?))
            }
            ViewKind::Registered => {
                return datafusion::common::plan_err!("the view {} is not registered", view.name);
            }
        })
    }
}

/// Whether a session has the view: one that another crate computes must be registered first.
fn is_available((view, provider): &Planned) -> bool {
    view.kind != ViewKind::Registered || provider.initialized()
}

/// The plan with another provider in place of a table.
fn with_table(plan: LogicalPlan, table: Table, provider: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let source = provider_as_source(provider);
    let replaced = plan.transform_up(|node| {
        Ok(match node {
            LogicalPlan::TableScan(mut scan) if scan.table_name.table() == table.as_str() => {
                scan.source = Arc::clone(&source);
                Transformed::yes(LogicalPlan::TableScan(scan))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(replaced.data)
}

#[async_trait]
impl SchemaProvider for LakeSchema {
    fn table_names(&self) -> Vec<String> {
        // What is only a part of other views is found by its name, and not listed.
        let views = self.views.iter().filter(|(_, planned)| is_available(planned) && !planned.0.is_part);
        let views = views.map(|(name, _)| name);
        let mut names: Vec<String> = self.tables.keys().chain(views).map(|name| (*name).to_owned()).collect();
        names.extend(self.user_table_names());
        names.sort_unstable();
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(table) = self.tables.get(name) {
            return Ok(Some(Arc::clone(table)));
        }
        let Some((view, provider)) = self.views.get(name) else { return Ok(self.user_table(name)) };
        if view.kind == ViewKind::Registered {
            return Ok(provider.get().cloned());
        }
        Ok(Some(Arc::clone(provider.get_or_try_init(|| self.make(view)).await?)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.contains_key(name)
            || self.views.get(name).is_some_and(is_available)
            || self.user_table(name).is_some()
    }
}
