//! What a client finds in the database: the lake's tables and views, each report as a view, and the
//! catalogues that clients look into, `pg_catalog` and `information_schema`.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, SchemaProvider,
    TableProvider,
};
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::context::SessionContext;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::ScalarUDF;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::setup_pg_catalog;

use super::DATABASE;
use super::cursors::Cursors;
use super::functions;
use super::information_schema::InformationSchema;
use super::names::Names;
use super::operators::NamesAsNumbers;
use super::pg_catalog::PgCatalog;
use super::public::Public;
use super::settings::Settings;
use super::time_zone::UTC;

use crate::error::{Error, Result};
use crate::live::Snapshot;
use lightsout_query::Error as QueryError;
use lightsout_query::Queries;
use lightsout_query::zoned::Zoned;

const PUBLIC: &str = "public";
const PG_CATALOG: &str = "pg_catalog";
const INFORMATION_SCHEMA: &str = "information_schema";

/// See the file's first lines. The catalogues of all snapshots are one, so that a table keeps its number.
pub(super) struct Catalogue {
    base: SessionContext,
    newest: Arc<Newest>,
    names: Arc<Names>,
    last: Mutex<Option<(Arc<Snapshot>, Arc<Public>)>>,
    left_out: Vec<String>,
}

/// What a client has made of its session, as far as the catalogue tells of it.
#[derive(Default)]
pub(super) struct State {
    pub(super) user: Mutex<String>,
    pub(super) settings: Mutex<Settings>,
    pub(super) cursors: Mutex<Cursors>,
}

/// A snapshot as one client sees it.
pub(super) struct Wire {
    /// Kept for its files and its session.
    snapshot: Arc<Snapshot>,
    zone: String,
    pub(super) queries: Queries,
}

impl Wire {
    /// Whether it is that snapshot in that time zone.
    pub(super) fn is_of(&self, snapshot: &Arc<Snapshot>, zone: &str) -> bool {
        Arc::ptr_eq(&self.snapshot, snapshot) && self.zone == zone
    }
}

/// The names of the newest snapshot, for the catalogues.
#[derive(Debug)]
struct Newest(RwLock<Arc<Public>>);

impl Newest {
    fn public(&self) -> Arc<Public> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl SchemaProvider for Newest {
    fn table_names(&self) -> Vec<String> {
        self.public().table_names()
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        self.public().table(name).await
    }

    fn table_exist(&self, name: &str) -> bool {
        self.public().table_exist(name)
    }
}

fn failed(source: DataFusionError) -> Error {
    Error::Query(QueryError::Engine { name: "catalogue".to_owned(), source: Box::new(source) })
}

impl Catalogue {
    /// `left_out` are reports that are not shown.
    ///
    /// # Errors
    /// Fails if the engine does not take the catalogues.
    pub(super) async fn new(snapshot: &Arc<Snapshot>, left_out: Vec<String>) -> Result<Self> {
        let public = Arc::new(Public::new(Arc::clone(snapshot), &left_out));
        let newest = Arc::new(Newest(RwLock::new(public)));
        let state = snapshot.queries.context().state();
        let config = state
            .config()
            .clone()
            .with_default_catalog_and_schema(DATABASE, PUBLIC)
            .with_create_default_catalog_and_schema(false)
            // There is one with PostgreSQL's names.
            .with_information_schema(false);
        let list: Arc<dyn CatalogProviderList> = Arc::new(MemoryCatalogProviderList::new());
        let schema: Arc<dyn SchemaProvider> = Arc::clone(&newest) as _;
        let told = InformationSchema { schemas: Vec::new(), names: Arc::default() };
        let told: Arc<dyn SchemaProvider> = Arc::new(told);
        let schemas = [(PUBLIC, schema), (INFORMATION_SCHEMA, told)];
        list.register_catalog(DATABASE.to_owned(), database(schemas).map_err(failed)?);
        let state =
            SessionStateBuilder::new_from_existing(state).with_config(config).with_catalog_list(list).build();
        let base = SessionContext::new_with_state(state);
        setup_pg_catalog(&base, DATABASE, EmptyContextProvider).map_err(|source| failed(*source))?;
        let names = Arc::new(Names::read(&base, snapshot).await.map_err(failed)?);
        functions::register(&base, &names);
        Ok(Self { base, newest, names, last: Mutex::new(None), left_out })
    }

    /// A snapshot as a client sees it.
    ///
    /// # Errors
    /// Fails if the engine does not take the catalogues.
    pub(super) fn wire(
        &self,
        snapshot: &Arc<Snapshot>,
        client: &Arc<State>,
        zone: &str,
    ) -> Result<Arc<Wire>> {
        let mut public: Arc<dyn SchemaProvider> = self.public(snapshot);
        if zone != UTC {
            public = Arc::new(Zoned { inner: public, zone: zone.into() });
        }
        let library = self.base.catalog(DATABASE).and_then(|catalog| catalog.schema(PG_CATALOG));
        let pg_catalog = library.map(|library| {
            let (names, state) = (Arc::clone(&self.names), Arc::clone(client));
            (PG_CATALOG, Arc::new(PgCatalog { library, names, state }) as Arc<dyn SchemaProvider>)
        });
        let mut schemas = vec![(PUBLIC, public)];
        schemas.extend(pg_catalog);
        let told = InformationSchema { schemas: schemas.clone(), names: Arc::clone(&self.names) };
        schemas.push((INFORMATION_SCHEMA, Arc::new(told)));
        let databases: Arc<dyn CatalogProviderList> = Arc::new(MemoryCatalogProviderList::new());
        databases.register_catalog(DATABASE.to_owned(), database(schemas).map_err(failed)?);
        let base = self.base.state();
        let mut config = base.config().clone();
        config.options_mut().execution.time_zone = Some(zone.to_owned());
        let mut planners: Vec<Arc<dyn ExprPlanner>> =
            vec![Arc::new(NamesAsNumbers(Arc::new(functions::function_number(&self.names))))];
        planners.extend(base.expr_planners().iter().cloned());
        // Those that depend on the settings, as now().
        let updated: Vec<ScalarUDF> = base
            .scalar_functions()
            .values()
            .filter_map(|function| function.inner().with_updated_config(config.options()))
            .collect();
        let state = SessionStateBuilder::new_from_existing(base)
            .with_config(config)
            .with_catalog_list(databases)
            .with_expr_planners(planners)
            .build();
        let context = SessionContext::new_with_state(state);
        for function in updated {
            context.register_udf(function);
        }
        functions::register_for(&context, client);
        let queries = snapshot.queries.within(context);
        Ok(Arc::new(Wire { snapshot: Arc::clone(snapshot), zone: zone.to_owned(), queries }))
    }

    /// The tables, views and reports of a snapshot; those of the last one are kept, as reports are planned once.
    fn public(&self, snapshot: &Arc<Snapshot>) -> Arc<Public> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, public)) = last.as_ref()
            && Arc::ptr_eq(of, snapshot)
        {
            return Arc::clone(public);
        }
        let public = Arc::new(Public::new(Arc::clone(snapshot), &self.left_out));
        *self.newest.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&public);
        *last = Some((Arc::clone(snapshot), Arc::clone(&public)));
        public
    }
}

fn database(
    schemas: impl IntoIterator<Item = (&'static str, Arc<dyn SchemaProvider>)>,
) -> EngineResult<Arc<dyn CatalogProvider>> {
    let catalog = MemoryCatalogProvider::new();
    for (name, schema) in schemas {
        catalog.register_schema(name, schema)?;
    }
    Ok(Arc::new(catalog))
}
