//! The schema `public` of a snapshot: the lake's tables and views, and each report as a view, asked with the
//! defaults of `lightsout report`. A view is planned when the first query names it.

use lightsout_query::Error as QueryError;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::{DataFusionError, Result as EngineResult};
use tokio::sync::OnceCell;

use crate::live::Snapshot;
use lightsout_query::catalog::Report;
use lightsout_query::views::VIEWS;

/// See the file's first lines.
pub(super) struct Public {
    snapshot: Arc<Snapshot>,
    reports: BTreeMap<String, OnceCell<Arc<dyn TableProvider>>>,
}

impl fmt::Debug for Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Public").finish_non_exhaustive()
    }
}

impl Public {
    /// `left_out` are reports that are not shown.
    pub(super) fn new(snapshot: Arc<Snapshot>, left_out: &[String]) -> Self {
        let reports = snapshot.rules.library.reports().map(|report| report.name.to_owned());
        let reports = reports.filter(|name| !left_out.contains(name)).map(|name| (name, OnceCell::new()));
        Self { reports: reports.collect(), snapshot }
    }

    /// Reports of the user's own that can't be views, each with the reason.
    pub(super) async fn unfit(&self) -> Vec<(String, String)> {
        let mut unfit = Vec::new();
        for report in self.snapshot.rules.library.reports() {
            if self.snapshot.rules.library.path(report.name).is_none() {
                continue;
            }
            if self.snapshot.queries.names().table_exist(report.name) {
                unfit.push((report.name.to_owned(), "the lake has a table or view of that name".to_owned()));
            } else if let Err(error) = report.header() {
                let told = format!("line {}: found {}; expected {}", error.line, error.found, error.expected);
                unfit.push((report.name.to_owned(), told));
            } else if let Err(error) = self.plan(&report).await {
                unfit.push((report.name.to_owned(), error.strip_backtrace()));
            }
        }
        unfit
    }

    async fn plan(&self, report: &Report<'_>) -> EngineResult<Arc<dyn TableProvider>> {
        let outside = |error: crate::error::Error| DataFusionError::External(Box::new(error));
        let window = self.snapshot.window().await.map_err(outside)?;
        let parameters = report.bind(&self.snapshot.rules.campaign, window, "*");
        self.snapshot.queries.view_of(report, parameters).await
    }
}

#[async_trait]
impl SchemaProvider for Public {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.snapshot.queries.names().table_names();
        names.retain(|name| !VIEWS.iter().any(|view| view.is_part && view.name == name));
        names.extend(self.reports.keys().cloned());
        names.sort_unstable();
        names
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        if let Some(table) = self.snapshot.queries.names().table(name).await? {
            return Ok(Some(table));
        }
        let Some(made) = self.reports.get(name) else { return Ok(None) };
        let outside = |error: QueryError| DataFusionError::External(Box::new(error));
        let report = self.snapshot.rules.library.find(name).map_err(outside)?;
        Ok(Some(Arc::clone(made.get_or_try_init(|| self.plan(&report)).await?)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.snapshot.queries.names().table_exist(name) || self.reports.contains_key(name)
    }
}
