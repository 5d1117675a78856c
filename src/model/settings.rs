//! A tenant's settings as evidence: what Exchange Online's configuration says about Basic Authentication, and the
//! "SMTP AUTH clients" report of the Exchange admin center. How their files are read is in `formats`; what they prove
//! is decided in `assess`.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::evidence::DayRange;
use crate::protocol::Protocol;

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

/// The facts of one collection: settings and counts, no persons.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CollectedSettings {
    /// When the collector was started.
    pub collected_at: DateTime<Utc>,
    /// Why nothing is concluded from it, in words; empty if every cmdlet gave its whole answer.
    pub problems: Vec<String>,
    /// `SmtpClientAuthenticationDisabled` of the organisation; `None`: not set, or not shown.
    pub smtp_auth_disabled: Option<bool>,
    /// `SmtpClientAuthenticationDisabled` of the mailboxes.
    pub smtp_auth_disabled_mailboxes: SwitchCount,
    /// `DefaultAuthenticationPolicy`.
    pub default_policy: Option<String>,
    pub policies: Vec<AuthenticationPolicy>,
    /// Policies that users have been given, and how many.
    pub assigned_policies: BTreeMap<String, u64>,
    pub mailboxes: u64,
    /// A protocol's switch on all mailboxes.
    pub mailbox_switches: BTreeMap<Protocol, SwitchCount>,
    /// The switches of each mailbox plan; one that the plan does not set, or does not show, is left out.
    pub plan_switches: Vec<BTreeMap<Protocol, bool>>,
    /// `EwsEnabled` of the organisation; `None`: not set.
    pub ews_enabled: Option<bool>,
    pub is_dehydrated: Option<bool>,
    pub oauth2_client_profile_enabled: Option<bool>,
}

/// How many mailboxes have a switch set to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SwitchCount {
    #[serde(rename = "true")]
    pub on: u64,
    #[serde(rename = "false")]
    pub off: u64,
    /// Not set: inherited.
    #[serde(rename = "null")]
    pub unset: u64,
    /// The cmdlet does not show it.
    pub absent: u64,
}

impl SwitchCount {
    #[must_use]
    pub const fn total(self) -> u64 {
        self.on.saturating_add(self.off).saturating_add(self.unset).saturating_add(self.absent)
    }
}

/// An authentication policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthenticationPolicy {
    /// Everything that a user or the organisation may call it: name, identity, GUID, distinguished name.
    pub called: Vec<String>,
    /// Whether it allows Basic Authentication, by protocol; what it does not show is left out.
    pub allows_basic: BTreeMap<Protocol, bool>,
}

impl AuthenticationPolicy {
    /// Whether it is the policy that `named` stands for.
    #[must_use]
    pub fn is_called(&self, named: &str) -> bool {
        self.called.iter().any(|called| called.eq_ignore_ascii_case(named.trim()))
    }
}

/// What a report says, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SmtpReport {
    /// The days that the file's name or its rows, or the operator, state.
    pub days: Option<DayRange>,
    /// The last day, where only that is stated.
    pub last_day: Option<NaiveDate>,
    /// Whether it says how senders authenticated at all.
    pub says_protocol: bool,
    pub senders: u64,
    pub basic_senders: u64,
    /// Senders of whom it does not say how they authenticated, and rows that cannot be read.
    pub unclear_senders: u64,
    pub messages: u64,
    pub rows: u64,
    pub unreadable_rows: u64,
}
