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
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::setup_pg_catalog;

use super::DATABASE;
use super::public::Public;
use crate::error::{Error, Result};
use crate::live::Snapshot;
use lightsout_query::Error as QueryError;
use lightsout_query::Queries;

const PUBLIC: &str = "public";
const PG_CATALOG: &str = "pg_catalog";

/// See the file's first lines. The catalogues of all snapshots are one, so that a table keeps its number.
pub(super) struct Catalogue {
    base: SessionContext,
    newest: Arc<Newest>,
    last: Mutex<Option<Arc<Wire>>>,
    left_out: Vec<String>,
}

/// A snapshot as clients see it.
pub(super) struct Wire {
    /// Kept for its files and its session.
    snapshot: Arc<Snapshot>,
    pub(super) queries: Queries,
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
    pub(super) fn new(snapshot: &Arc<Snapshot>, left_out: Vec<String>) -> Result<Self> {
        let public = Arc::new(Public::new(Arc::clone(snapshot), &left_out));
        let newest = Arc::new(Newest(RwLock::new(public)));
        let state = snapshot.queries.context().state();
        let config = state
            .config()
            .clone()
            .with_default_catalog_and_schema(DATABASE, PUBLIC)
            .with_create_default_catalog_and_schema(false);
        let list: Arc<dyn CatalogProviderList> = Arc::new(MemoryCatalogProviderList::new());
        let schema: Arc<dyn SchemaProvider> = Arc::clone(&newest) as _;
        list.register_catalog(DATABASE.to_owned(), database([(PUBLIC, schema)]).map_err(failed)?);
        let state =
            SessionStateBuilder::new_from_existing(state).with_config(config).with_catalog_list(list).build();
        let base = SessionContext::new_with_state(state);
        setup_pg_catalog(&base, DATABASE, EmptyContextProvider).map_err(|source| failed(*source))?;
        Ok(Self { base, newest, last: Mutex::new(None), left_out })
    }

    /// A snapshot as clients see it; the last one is kept.
    ///
    /// # Errors
    /// Fails if the engine does not take the catalogues.
    pub(super) fn wire(&self, snapshot: &Arc<Snapshot>) -> Result<Arc<Wire>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wire) = last.as_ref().filter(|wire| Arc::ptr_eq(&wire.snapshot, snapshot)) {
            return Ok(Arc::clone(wire));
        }
        let public = Arc::new(Public::new(Arc::clone(snapshot), &self.left_out));
        *self.newest.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&public);
        let pg_catalog = self.base.catalog(DATABASE).and_then(|catalog| catalog.schema(PG_CATALOG));
        let pg_catalog = pg_catalog.map(|schema| (PG_CATALOG, schema));
        let schemas = pg_catalog.into_iter().chain([(PUBLIC, public as Arc<dyn SchemaProvider>)]);
        let databases: Arc<dyn CatalogProviderList> = Arc::new(MemoryCatalogProviderList::new());
        databases.register_catalog(DATABASE.to_owned(), database(schemas).map_err(failed)?);
        let state =
            SessionStateBuilder::new_from_existing(self.base.state()).with_catalog_list(databases).build();
        let queries = snapshot.queries.within(SessionContext::new_with_state(state));
        let wire = Arc::new(Wire { snapshot: Arc::clone(snapshot), queries });
        *last = Some(Arc::clone(&wire));
        Ok(wire)
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
