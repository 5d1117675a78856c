//! The shipped reports, by name, with what their headers say.

use datafusion::common::ScalarValue;
use serde::de::DeserializeOwned;

use super::{Parameter, Queries, timestamp};
use crate::campaign::Campaign;
use crate::error::{Error, Result};
use crate::evidence::Window;
use crate::protocol::Protocol;

/// A query that `lightsout report` runs.
#[derive(Debug, Clone)]
pub struct Report {
    pub name: &'static str,
    pub sql: &'static str,
}

/// Every shipped report, by name.
pub const REPORTS: [Report; 12] = [
    Report { name: "attempt_sources", sql: include_str!("../../queries/attempt_sources.sql") },
    Report { name: "attempts", sql: include_str!("../../queries/attempts.sql") },
    Report { name: "campaign_history", sql: include_str!("../../queries/campaign_history.sql") },
    Report { name: "campaign_state", sql: include_str!("../../queries/campaign_state.sql") },
    Report { name: "coverage", sql: include_str!("../../queries/coverage.sql") },
    Report { name: "evidence", sql: include_str!("../../queries/evidence.sql") },
    Report { name: "page_usage", sql: include_str!("../../queries/page_usage.sql") },
    Report { name: "protocol_usage", sql: include_str!("../../queries/protocol_usage.sql") },
    Report { name: "tenant_activity", sql: include_str!("../../queries/tenant_activity.sql") },
    Report { name: "unclear_clients", sql: include_str!("../../queries/unclear_clients.sql") },
    Report { name: "users_in_scope", sql: include_str!("../../queries/users_in_scope.sql") },
    Report { name: "who", sql: include_str!("../../queries/who.sql") },
];

impl Report {
    /// Finds a report.
    ///
    /// # Errors
    /// Fails if there is none of that name, and tells the names there are.
    pub fn find(name: &str) -> Result<&'static Self> {
        REPORTS.iter().find(|report| report.name == name).ok_or_else(|| Error::UnknownReport {
            name: name.to_owned(),
            known: REPORTS.iter().map(|report| report.name).collect::<Vec<_>>().join(", "),
        })
    }

    /// What it answers: the first line of its header.
    #[must_use]
    pub fn purpose(&self) -> &'static str {
        self.sql.lines().next().unwrap_or_default().trim_start_matches("--").trim()
    }

    /// Values for the parameters that its query has. `tenant_id` is one tenant, or `*` for all.
    #[must_use]
    pub fn bind(&self, campaign: &Campaign, window: Window, tenant_id: &str) -> Vec<Parameter> {
        let text = |text: String| ScalarValue::Utf8(Some(text));
        let value = |name: &str| match name {
            "window_start" => timestamp(window.start_at()),
            "window_end" => timestamp(window.end_at()),
            "lookback_start" => timestamp(Window::before(window.first, campaign.lookback_days).start_at()),
            "protocols" => {
                text(campaign.scope().into_iter().map(Protocol::as_str).collect::<Vec<_>>().join(","))
            }
            "campaign" => text(campaign.name.clone()),
            _ => text(tenant_id.to_ascii_lowercase()),
        };
        self.parameters().into_iter().map(|name| (name.to_owned(), value(name))).collect()
    }

    /// The parameters that its query has.
    #[must_use]
    pub fn parameters(&self) -> Vec<&'static str> {
        const KNOWN: [&str; 6] =
            ["window_start", "window_end", "lookback_start", "protocols", "campaign", "tenant"];
        KNOWN.into_iter().filter(|name| self.sql.contains(&format!("${name}"))).collect()
    }
}

impl Queries {
    /// The rows of a report on a campaign's ledger, of all its tenants.
    ///
    /// # Errors
    /// Fails if there is no such report, or its columns are not the members of `T`.
    pub async fn of_campaign<T: DeserializeOwned>(&self, name: &str, campaign: &str) -> Result<Vec<T>> {
        let report = Report::find(name)?;
        let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
        let parameters = [("campaign".to_owned(), text(campaign)), ("tenant".to_owned(), text("*"))];
        let mut rows = Vec::new();
        for batch in self.run(report.name, report.sql, &parameters).await? {
            rows.extend(crate::lake::rows::from_batch(&batch)?);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_file_is_a_report() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the queries folder")
            .filter_map(|entry| {
                entry.ok()?.file_name().into_string().ok()?.strip_suffix(".sql").map(str::to_owned)
            })
            .collect();
        files.sort_unstable();
        assert_eq!(files, REPORTS.map(|report| report.name));
    }
}
