//! The reports by name, shipped and of the user's own, with what their headers say.

pub mod header;
pub mod own;
pub mod parameter;

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use datafusion::common::ScalarValue;
use serde::de::DeserializeOwned;

use super::{Parameter, Queries, timestamp};
use crate::Result;
use header::{Header, HeaderError};
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{Window, midnight};
use lightsout_model::protocol::Protocol;
use parameter::ParameterValue;

/// After every sign-in that a lake can hold, and early enough for SQL to write it in any unit.
pub(super) const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2200, 1, 1).expect("a day");

/// What a report is about: the headings of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    Usage,
    Who,
    Attempts,
    Logs,
    Campaign,
    /// Of the user's own.
    Own,
}

impl Topic {
    pub const ALL: [Self; 6] =
        [Self::Usage, Self::Who, Self::Attempts, Self::Logs, Self::Campaign, Self::Own];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "Usage and trends",
            Self::Who => "Users and clients",
            Self::Attempts => "Failed sign-ins",
            Self::Logs => "Logs and coverage",
            Self::Campaign => "Verdicts and campaigns",
            Self::Own => "Your own",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A query that `lightsout report` runs.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    pub name: &'a str,
    pub topic: Topic,
    pub sql: &'a str,
}

/// A shipped query by its file's name.
macro_rules! report {
    ($topic:ident, $name:literal) => {
        Report {
            name: $name,
            topic: Topic::$topic,
            sql: include_str!(concat!("../../../queries/", $name, ".sql")),
        }
    };
}

/// Every shipped report, by topic; in each those first that are asked for first.
pub const REPORTS: &[Report<'static>] = &[
    report!(Usage, "usage_by_protocol"),
    report!(Usage, "protocol_usage"),
    report!(Usage, "monthly_users"),
    report!(Usage, "usage_by_day"),
    report!(Usage, "usage_by_week"),
    report!(Who, "who"),
    report!(Who, "who_is_left"),
    report!(Who, "new_usage"),
    report!(Who, "migrated"),
    report!(Who, "protocols_per_user"),
    report!(Who, "service_like_accounts"),
    report!(Who, "smtp_auth_senders"),
    report!(Who, "guests"),
    report!(Who, "top_users"),
    report!(Who, "top_apps"),
    report!(Who, "top_user_agents"),
    report!(Who, "top_ip_addresses"),
    report!(Who, "top_countries"),
    report!(Attempts, "attempts"),
    report!(Attempts, "attempt_sources"),
    report!(Attempts, "failures_by_code"),
    report!(Attempts, "blocked_by_policy"),
    report!(Attempts, "spray_suspects"),
    report!(Logs, "coverage"),
    report!(Logs, "coverage_calendar"),
    report!(Logs, "unclear_clients"),
    report!(Logs, "ingest_lag"),
    report!(Logs, "duplicates"),
    report!(Logs, "rejected_records"),
    report!(Logs, "reconcile"),
    report!(Campaign, "evidence"),
    report!(Campaign, "past_usage"),
    report!(Campaign, "users_in_scope"),
    report!(Campaign, "page_usage"),
    report!(Campaign, "tenant_activity"),
    report!(Campaign, "verdicts_over_time"),
    report!(Campaign, "campaign_state"),
    report!(Campaign, "campaign_history"),
];

impl Report<'static> {
    /// Finds a shipped report.
    ///
    /// # Errors
    /// Fails if there is none of that name, and tells the nearest.
    pub fn find(name: &str) -> Result<&'static Self> {
        REPORTS
            .iter()
            .find(|report| report.name == name)
            .ok_or_else(|| own::unknown(name, &REPORTS.iter().map(|report| report.name).collect::<Vec<_>>()))
    }
}

impl<'a> Report<'a> {
    /// What it answers: the first line of its header.
    #[must_use]
    pub fn purpose(&self) -> &'a str {
        self.sql.trim_start().lines().next().unwrap_or_default().trim_start_matches("--").trim()
    }

    /// What its header says.
    ///
    /// # Errors
    /// Fails if the header is not as it must be, which no shipped one's is.
    pub fn header(&self) -> Result<Header, HeaderError> {
        Header::read(self.sql)
    }

    /// Values for the parameters that its query has: from the rules, and the defaults of its own.
    /// `tenant_id` is one tenant, or `*` for all.
    #[must_use]
    pub fn bind(&self, campaign: &Campaign, window: Window, tenant_id: &str) -> Vec<Parameter> {
        self.bind_with(campaign, Some(window), tenant_id, &BTreeMap::new())
    }

    /// The same with values for its own parameters, by name. Without a window, for reports that
    /// [need none](Self::needs_window).
    #[must_use]
    pub fn bind_with(
        &self,
        campaign: &Campaign,
        window: Option<Window>,
        tenant_id: &str,
        values: &BTreeMap<String, ParameterValue>,
    ) -> Vec<Parameter> {
        let text = |text: String| ScalarValue::Utf8(Some(text));
        let Ok(header) = self.header() else { return Vec::new() };
        let bound = header.bound.iter().filter_map(|name| {
            let value = match *name {
                "window_start" => timestamp(window?.start_at()),
                "window_end" => timestamp(window?.end_at()),
                "lookback_start" => {
                    timestamp(Window::before(window?.first, campaign.lookback_days).start_at())
                }
                "later_end" => timestamp(midnight(LAST_DAY)),
                "protocols" => {
                    text(campaign.scope().into_iter().map(Protocol::as_str).collect::<Vec<_>>().join(","))
                }
                "auth_methods" => text(campaign.auth_methods()),
                "app_ids" => text(campaign.app_ids.join(",")),
                "campaign" => text(campaign.name.clone()),
                _ => text(tenant_id.to_ascii_lowercase()),
            };
            Some(((*name).to_owned(), value))
        });
        let own = header.parameters.iter().map(|declared| {
            let value = values.get(&declared.name).unwrap_or(&declared.default);
            (declared.name.clone(), value.0.clone())
        });
        bound.chain(own).collect()
    }

    /// The parameters that its query has and the rules bind.
    #[must_use]
    pub fn parameters(&self) -> Vec<&'static str> {
        self.header().map(|header| header.bound).unwrap_or_default()
    }

    /// Whether what it answers depends on the window.
    #[must_use]
    pub fn needs_window(&self) -> bool {
        self.parameters().iter().any(|name| ["window_start", "window_end", "lookback_start"].contains(name))
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
            rows.extend(lightsout_lake::rows::from_batch(&batch)?);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_file_is_a_report() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../queries");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the queries folder")
            .filter_map(|entry| {
                entry.ok()?.file_name().into_string().ok()?.strip_suffix(".sql").map(str::to_owned)
            })
            .collect();
        files.sort_unstable();
        let mut names: Vec<&str> = REPORTS.iter().map(|report| report.name).collect();
        names.sort_unstable();
        assert_eq!(files, names);
    }

    #[test]
    fn every_header_can_be_read_and_topics_stand_together() {
        let mut topics: Vec<Topic> = Vec::new();
        for report in REPORTS {
            if let Err(error) = report.header() {
                panic!("{}, line {}: {}; expected {}", report.name, error.line, error.found, error.expected);
            }
            if topics.last() != Some(&report.topic) {
                assert!(!topics.contains(&report.topic), "{}", report.name);
                topics.push(report.topic);
            }
        }
        assert!(!topics.contains(&Topic::Own));
    }
}
