//! From when to when the lake holds sign-in logs. A report over days without any log has no rows, or only zeros: whoever
//! reads it must hear that nothing was looked at.

use chrono::{DateTime, NaiveDate, Utc};
use datafusion::common::ScalarValue;
use serde::Deserialize;

use super::Queries;
use crate::Result;
use lightsout_model::evidence::Window;

const NAME: &str = "log_extent";

const SQL: &str = "SELECT min(first_day) AS first_day, max(last_day) AS last_day, \
                   count(*) FILTER (WHERE last_day >= CAST($window_first AS date) \
                   AND first_day < CAST($window_end AS date)) AS entries_in_window \
                   FROM coverage_entries \
                   WHERE kind = 'records' AND ($tenant = '*' OR tenant_id = $tenant)";

/// The days of the accepted records.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LogExtent {
    /// `None`: there is no record.
    pub first_day: Option<NaiveDate>,
    pub last_day: Option<NaiveDate>,
    /// Days with records in the window, counted for each source.
    pub entries_in_window: i64,
}

impl Queries {
    /// The days of one tenant's records, or of all with `*`, and how many of them are in the window; without a window,
    /// how many there are.
    ///
    /// # Errors
    /// Fails if the lake can't be read.
    pub async fn log_extent(&self, window: Option<Window>, tenant_id: &str) -> Result<LogExtent> {
        let text = |text: String| ScalarValue::Utf8(Some(text));
        let day = |day: Option<NaiveDate>, otherwise: &str| {
            text(day.map_or_else(|| otherwise.to_owned(), |day| day.to_string()))
        };
        let parameters = [
            ("window_first".to_owned(), day(window.map(|window| window.first), "0001-01-01")),
            ("window_end".to_owned(), day(window.map(|window| window.end), "9999-12-31")),
            ("tenant".to_owned(), text(tenant_id.to_owned())),
        ];
        let mut rows: Vec<LogExtent> = Vec::new();
        for batch in self.run(NAME, SQL, &parameters).await? {
            rows.extend(lightsout_lake::rows::from_batch(&batch)?);
        }
        // An aggregate without groups has one row.
        Ok(rows.pop().unwrap_or(LogExtent { first_day: None, last_day: None, entries_in_window: 0 }))
    }

    /// When a file was last ingested. `None`: never.
    ///
    /// # Errors
    /// Fails if the lake can't be read.
    pub async fn last_ingest(&self) -> Result<Option<DateTime<Utc>>> {
        #[derive(Deserialize)]
        struct Newest {
            last_ingest: Option<DateTime<Utc>>,
        }
        let newest = "SELECT max(ingested_at) AS last_ingest FROM sources";
        let mut rows: Vec<Newest> = Vec::new();
        for batch in self.run("last_ingest", newest, &[]).await? {
            rows.extend(lightsout_lake::rows::from_batch(&batch)?);
        }
        Ok(rows.pop().and_then(|row| row.last_ingest))
    }
}
