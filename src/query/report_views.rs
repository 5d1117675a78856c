//! A session in which each report is a view, asked with the defaults of `lightsout report`. A view is planned when the
//! first query names it, and only then is the window looked for.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider as _, CatalogProviderList as _, MemoryCatalogProvider, MemoryCatalogProviderList,
    SchemaProvider, TableProvider,
};
use datafusion::common::ParamValues;
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::context::SessionContext;
use datafusion::execution::session_state::SessionStateBuilder;
use futures::FutureExt as _;
use tokio::sync::OnceCell;

use super::catalog::Report;
use super::catalog::own::Library;
use super::zoned::{UTC, Zoned};
use super::{Parameter, Queries, failed};
use crate::Result;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::Window;

/// The names that a session starts with.
const CATALOG: &str = "datafusion";
const PUBLIC: &str = "public";

/// Finds the window of reports that are asked without one.
pub type FindWindow =
    Box<dyn Fn(Queries) -> Pin<Box<dyn Future<Output = Result<Window>> + Send>> + Send + Sync>;

/// What reports are asked with.
pub struct ReportRules {
    pub campaign: Campaign,
    pub library: Arc<Library>,
    pub find_window: FindWindow,
}

/// See the file's first lines.
pub struct ReportViews {
    queries: Queries,
    rules: ReportRules,
    window: OnceCell<Window>,
    planned: BTreeMap<String, OnceCell<Arc<dyn TableProvider>>>,
}

impl fmt::Debug for ReportViews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReportViews").finish_non_exhaustive()
    }
}

impl ReportViews {
    /// The views over a session. A report of the user's own whose name a table has is none.
    #[must_use]
    pub fn new(queries: Queries, rules: ReportRules) -> Self {
        let names = rules.library.reports().map(|report| report.name.to_owned());
        let planned = names.filter(|name| !queries.names().table_exist(name));
        let planned = planned.map(|name| (name, OnceCell::new())).collect();
        Self { queries, rules, window: OnceCell::new(), planned }
    }

    /// The session with the views, in which times are of a time zone, by its name.
    ///
    /// # Errors
    /// Fails if the engine does not take the names.
    pub fn session(self: &Arc<Self>, zone: &str) -> Result<Queries> {
        let refused = |source| failed("session", source);
        let mut public: Arc<dyn SchemaProvider> = Arc::clone(self) as _;
        if zone != UTC {
            public = Arc::new(Zoned { inner: public, zone: zone.into() });
        }
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(PUBLIC, public).map_err(refused)?;
        let catalogs = MemoryCatalogProviderList::new();
        catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
        let base = self.queries.context().state();
        // The names are all there: the engine would put an empty schema in their place.
        let mut config = base.config().clone().with_create_default_catalog_and_schema(false);
        config.options_mut().execution.time_zone = Some(zone.to_owned());
        // Those that depend on the settings, as now().
        let updated: Vec<_> = base
            .scalar_functions()
            .values()
            .filter_map(|function| function.inner().with_updated_config(config.options()))
            .collect();
        let state = SessionStateBuilder::new_from_existing(base)
            .with_config(config)
            .with_catalog_list(Arc::new(catalogs))
            .build();
        let context = SessionContext::new_with_state(state);
        for function in updated {
            context.register_udf(function);
        }
        Ok(self.queries.within(context))
    }

    async fn plan(&self, report: &Report<'_>) -> Result<Arc<dyn TableProvider>> {
        let window = if report.needs_window() {
            let found = self.window.get_or_try_init(|| (self.rules.find_window)(self.queries.clone()));
            Some(*found.await?)
        } else {
            None
        };
        let parameters = report.bind_with(&self.rules.campaign, window, "*", &BTreeMap::new());
        self.queries.view_of(report, parameters).await.map_err(|source| failed(report.name, source))
    }
}

impl Queries {
    /// A report as a view, with values for its parameters.
    ///
    /// # Errors
    /// Fails if the report can't be planned.
    pub async fn view_of(
        &self,
        report: &Report<'_>,
        parameters: Vec<Parameter>,
    ) -> EngineResult<Arc<dyn TableProvider>> {
        let values = parameters.into_iter().map(|(name, value)| (name, value.into())).collect();
        let state = self.context.state();
        // Boxed: see `Queries::run`.
        let planned = async {
            let plan = state.create_logical_plan(report.sql).await?;
            let plan = plan.with_param_values(ParamValues::Map(values))?;
            Ok(Arc::new(ViewTable::new(plan, Some(report.sql.to_owned()))) as Arc<dyn TableProvider>)
        };
        planned.boxed().await
    }
}

#[async_trait]
impl SchemaProvider for ReportViews {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.queries.names().table_names();
        names.extend(self.planned.keys().cloned());
        names.sort_unstable();
        names
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        if let Some(table) = self.queries.names().table(name).await? {
            return Ok(Some(table));
        }
        let Some(planned) = self.planned.get(name) else { return Ok(None) };
        let outside = |error: crate::Error| DataFusionError::External(Box::new(error));
        let report = self.rules.library.find(name).map_err(outside)?;
        let planned = planned.get_or_try_init(|| self.plan(&report)).await.map_err(outside)?;
        Ok(Some(Arc::clone(planned)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.queries.names().table_exist(name) || self.planned.contains_key(name)
    }
}
