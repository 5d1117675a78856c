//! A tenant's settings as evidence: what Exchange Online's configuration says about Basic
//! Authentication, and the "SMTP AUTH clients" report of the Exchange admin center.
//!
//! [`COLLECTOR`] is the PowerShell that writes the first; [`collected`] reads its JSON and
//! [`smtp_report`] the CSV of the second. Both turn text into facts: bytes, files and the lake are the
//! ingest's, and what the facts prove is decided in `assess::settings`.

pub mod collected;
mod header;
pub mod smtp_report;
#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::evidence::DayRange;
pub use collected::{AuthenticationPolicy, CollectedSettings, SwitchCount};
pub use smtp_report::SmtpReport;

/// The read-only collector, as `lightsout settings script` prints it.
pub const COLLECTOR: &str = include_str!("collector.ps1");

/// A longer file is refused: it is read as a whole.
pub const FILE_BYTES_MAX: usize = 16 << 20;

/// Addresses that the lake keeps of one file. Their number is kept in full.
const ADDRESSES_MAX: usize = 1000;

/// A text that a file brings is cut to this.
const TEXT_CHARACTERS_MAX: usize = 200;

/// Which of the two a file is: its shape in `sources`, and `kind` in `tenant_settings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingsKind {
    /// The collector's JSON.
    ExchangeSettings,
    /// The "SMTP AUTH clients" report as CSV.
    SmtpAuthReport,
}

impl SettingsKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExchangeSettings => "exchange_settings",
            Self::SmtpAuthReport => "smtp_auth_report",
        }
    }
}

/// A row of `tenant_settings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsRow {
    pub tenant_id: String,
    pub source_id: String,
    pub path: String,
    pub kind: SettingsKind,
    /// When the settings were read, or when the report's range ends.
    pub collected_at: DateTime<Utc>,
    /// Whether every cmdlet gave its whole answer; of a report, whether every row could be read.
    pub complete: bool,
    /// [`StoredSettings`] as JSON.
    pub settings: String,
    pub ingested_at: DateTime<Utc>,
    pub batch_id: String,
}

/// What the lake keeps of one file: the facts that verdicts rest on, and addresses for `explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoredSettings {
    ExchangeSettings {
        facts: CollectedSettings,
        /// Mailboxes that have SMTP AUTH enabled for themselves, at most 1,000.
        smtp_auth_mailboxes: Vec<String>,
        accepted_domains: Vec<String>,
    },
    SmtpAuthReport {
        /// Names the content, whatever the file is called.
        content: String,
        report: SmtpReport,
        /// Senders by Basic Authentication, at most 1,000.
        basic_senders: Vec<String>,
        /// Senders of whom the report does not say how they authenticated, at most 1,000.
        unclear_senders: Vec<String>,
    },
}

/// What all settings of a tenant in the lake say, as far as an assessment may look at it: counts and
/// settings, no persons.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsEvidence {
    /// The newest settings that are dated close enough to the end of the window.
    pub collected: Option<CollectedSettings>,
    /// Every report that may tell of the window or of the lookback days, in order of its days.
    pub reports: Vec<ReportEvidence>,
}

impl SettingsEvidence {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.collected.is_none() && self.reports.is_empty()
    }
}

/// One "SMTP AUTH clients" report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportEvidence {
    /// The days it tells of; if nothing states them, the longest that they can be.
    pub days: DayRange,
    /// Whether the file's name, its rows or the operator state the days.
    pub stated: bool,
    pub senders: u64,
    pub basic_senders: u64,
    pub unclear_senders: u64,
}

impl ReportEvidence {
    /// The days of a report that nothing states them of: the report reaches back 90 days at most, and
    /// not beyond the day on which it was ingested.
    #[must_use]
    pub fn longest_days(last: NaiveDate) -> DayRange {
        let first = last.checked_sub_days(chrono::Days::new(REPORT_DAYS_MAX - 1)).unwrap_or(last);
        DayRange { first, last }
    }
}

/// The longest range that the report can be asked for.
pub const REPORT_DAYS_MAX: u64 = 90;

/// A text from outside, without control characters and not longer than makes sense.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_CHARACTERS_MAX).collect()
}
