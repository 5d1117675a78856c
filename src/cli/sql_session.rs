//! What a person's SQL is asked of: the newest snapshot of the lake with the reports as views and the user's own tables,
//! in a time zone of choice. A shell goes on with what was committed meanwhile.

use std::sync::Arc;

use super::failure::{Failure, Result};
use super::shared::{Global, now, open_lake};
use lightsout_lake::Lake;
use lightsout_query::catalog::own::Library;
use lightsout_query::column_docs::{Vocabulary, relations};
use lightsout_query::report_views::ReportViews;
use lightsout_query::user_tables::UserTable;
use lightsout_query::views::VIEWS;
use lightsout_query::zoned::{UTC, time_zone};
use lightsout_query::{Queries, Resources};
use lightsout_workflow::session;

/// The rules of the reports that are views.
const CAMPAIGN: &str = "basic-auth-all-protocols";

/// See the file's first lines.
pub(super) struct SqlSession {
    lake: Lake,
    library: Arc<Library>,
    tables: Vec<UserTable>,
    resources: Resources,
    views: Arc<ReportViews>,
    zone: String,
    queries: Queries,
}

/// A name that there is to ask of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) purpose: String,
}

impl SqlSession {
    pub(super) async fn open(
        global: &Global,
        library: Library,
        tables: Vec<UserTable>,
        resources: Resources,
    ) -> Result<Self> {
        let lake = open_lake(global).await?;
        let library = Arc::new(library);
        let views = views(&lake, &library, &tables, &resources).await?;
        let queries = views.session(UTC)?;
        Ok(Self { lake, library, tables, resources, views, zone: UTC.to_owned(), queries })
    }

    pub(super) const fn queries(&self) -> &Queries {
        &self.queries
    }

    pub(super) const fn lake(&self) -> &Lake {
        &self.lake
    }

    /// Goes on to the newest snapshot; whether there is one.
    pub(super) async fn refresh(&mut self) -> Result<bool> {
        if !self.lake.has_news().await? {
            return Ok(false);
        }
        let lake = Lake::open(self.lake.root()).await?;
        let views = views(&lake, &self.library, &self.tables, &self.resources).await?;
        let queries = views.session(&self.zone)?;
        (self.lake, self.views, self.queries) = (lake, views, queries);
        Ok(true)
    }

    /// Follows a statement that sets the time zone, and says what it has become; `None` of every other statement.
    pub(super) fn set_time_zone(&mut self, sql: &str) -> Result<Option<String>> {
        let Some(named) = named_time_zone(sql) else { return Ok(None) };
        let Some(zone) = time_zone(&named) else {
            return Err(Failure::Usage {
                flag: "SET TIME ZONE",
                expected: "UTC or a name as in 'Europe/Berlin'".to_owned(),
                found: named,
            });
        };
        self.queries = self.views.session(&zone)?;
        self.zone = zone;
        Ok(Some(format!("times are shown in {}; days of views and reports are UTC days", self.zone)))
    }

    /// Tables, views, the user's own tables and the reports; with `parts` also what is only a part of other views.
    pub(super) fn names(&self, parts: bool) -> Vec<Listed> {
        let listed = |kind, name: &str, purpose: &str| Listed {
            kind,
            name: name.to_owned(),
            purpose: purpose.to_owned(),
        };
        let mut names: Vec<Listed> = relations()
            .iter()
            .map(|known| listed(if known.is_view { "view" } else { "table" }, known.name, known.purpose))
            .collect();
        names.extend(self.tables.iter().map(|table| {
            listed("yours", table.name(), &format!("Your own, of --with: {}.", table.columns()))
        }));
        names.extend(self.library.reports().map(|report| listed("report", report.name, report.purpose())));
        if parts {
            let parts = VIEWS.iter().filter(|view| view.is_part);
            names.extend(parts.map(|view| listed("part", view.name, view.purpose())));
        }
        names
    }

    pub(super) async fn vocabulary(&self) -> Result<Vocabulary> {
        Ok(self.queries.vocabulary().await?)
    }
}

async fn views(
    lake: &Lake,
    library: &Arc<Library>,
    tables: &[UserTable],
    resources: &Resources,
) -> Result<Arc<ReportViews>> {
    let queries = session::open(lake, resources.clone()).await?;
    for table in tables {
        queries.add_table(table);
    }
    let campaign = lightsout_config::campaign_file::load(CAMPAIGN)?;
    Ok(session::report_views(lake, queries, campaign, Arc::clone(library), now().date_naive()))
}

/// The name in `SET TIME ZONE 'Europe/Berlin'`, `SET timezone = UTC` and their like.
pub(super) fn named_time_zone(sql: &str) -> Option<String> {
    let lines = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    let text = lines.collect::<Vec<_>>().join(" ").replace('=', " = ");
    let words: Vec<&str> = text.trim().trim_end_matches(';').split_whitespace().collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    if matches!(lower.as_slice(), ["set", "session" | "local", ..]) {
        lower.remove(1);
    }
    let value = match lower.as_slice() {
        ["set", "time", "zone", _] | ["set", "timezone", "to" | "=", _] => words.last()?,
        _ => return None,
    };
    let value = value.trim_matches(['\'', '"']);
    Some(if value.eq_ignore_ascii_case("default") { UTC.to_owned() } else { value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_is_set_as_postgresql_sets_it() {
        for (sql, zone) in [
            ("SET TIME ZONE 'Europe/Berlin'", "Europe/Berlin"),
            ("set timezone = 'Asia/Tokyo';", "Asia/Tokyo"),
            ("SET TimeZone='UTC'", "UTC"),
            ("SET SESSION TIME ZONE LOCAL", "LOCAL"),
            ("-- where I am\nSET timezone TO \"Europe/Berlin\"", "Europe/Berlin"),
            ("SET TIME ZONE DEFAULT", "UTC"),
        ] {
            assert_eq!(named_time_zone(sql).as_deref(), Some(zone), "{sql}");
        }
        for sql in ["SET work_mem = 1", "SHOW TIME ZONE", "SELECT 1", "SET TIME ZONE", ""] {
            assert_eq!(named_time_zone(sql), None, "{sql}");
        }
    }
}
