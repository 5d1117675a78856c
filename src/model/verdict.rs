//! Verdicts and the reason codes that come with them. `assess` reaches them, `notify` tells them.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::evidence::{DayRange, Dismissal, FilteredExport, Window};
use crate::protocol::Protocol;
use crate::sign_in::Category;

/// What is decided of one protocol in one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProtocolVerdict {
    InUse,
    /// The tenant's settings prove it.
    AlreadyOff,
    Unproven,
    Attempted,
    Unused,
}

impl ProtocolVerdict {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InUse => "in_use",
            Self::AlreadyOff => "already_off",
            Self::Unproven => "unproven",
            Self::Attempted => "attempted",
            Self::Unused => "unused",
        }
    }
}

/// What is decided of one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantVerdict {
    NoImpact,
    Warning,
    InsufficientEvidence,
    Excluded,
}

impl TenantVerdict {
    pub const ALL: [Self; 4] = [Self::NoImpact, Self::Warning, Self::InsufficientEvidence, Self::Excluded];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoImpact => "no_impact",
            Self::Warning => "warning",
            Self::InsufficientEvidence => "insufficient_evidence",
            Self::Excluded => "excluded",
        }
    }
}

impl fmt::Display for TenantVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a verdict is what it is. `code()` is the word in lists; the fields are its numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// The roster says so. `note` is the roster's own reason.
    Excluded { note: String },
    /// A protocol in scope is in use.
    InUse { protocol: Protocol, users: u64, sign_ins: u64 },
    /// "Other clients" are in use at Exchange Online or at no named resource.
    UnattributedLegacyUse { users: u64, sign_ins: u64 },
    /// The lake holds nothing of the tenant.
    NoRecords,
    /// A required category has no covered day in the window.
    CategoryMissing { category: Category },
    /// A run of uncovered days longer than permitted.
    Gap { category: Category, days: DayRange, permitted_days: u32 },
    /// More days are missing than permitted, of those on which sign-ins are usual.
    DaysMissing {
        category: Category,
        /// As in "Monday to Friday".
        weekdays: String,
        expected: u32,
        seen: u32,
        needed: u32,
        /// From the first of the missing days to the last.
        missing: DayRange,
    },
    /// A log with so few records that its silence proves nothing unless every day is stated.
    NearIdle { category: Category, days_seen: u32, window_days: u32 },
    /// Expected days lie after the end of what the log can prove. `last_provable_day` is the last day before
    /// that end; `None`: nothing says until when the log is complete.
    NotSettled { category: Category, last_provable_day: Option<NaiveDate> },
    /// History starts too late in the window. `possible_from` is the first `as_of` for which a
    /// verdict is possible if collection goes on.
    WindowLongerThanHistory { category: Category, first_covered_day: NaiveDate, possible_from: NaiveDate },
    /// Files would have covered the days, but lack a column.
    ColumnMissing { category: Category, columns: Vec<String> },
    /// Sign-ins of a protocol without a status.
    UnknownOutcome { protocol: Protocol, sign_ins: u64 },
    /// Usage in the lookback days before the window: monthly and quarterly jobs.
    UsedBeforeWindow { protocol: Protocol, users: u64, sign_ins: u64 },
    /// Usage from the end of the window on. Its days are not over, but it is usage.
    UsedAfterWindow { protocol: Protocol, users: u64, sign_ins: u64, last_day: Option<NaiveDate> },
    /// Client apps that are not recognised.
    UnrecognisedClient { sign_ins: u64 },
    /// Client apps that are empty or "Unknown".
    ClientNotStated { sign_ins: u64 },
    /// Exchange's rewrite of Basic Authentication, at another resource.
    LegacyAgentElsewhere { sign_ins: u64 },
    /// Sign-ins whose home and resource tenants are both others.
    TenantMismatch { sign_ins: u64 },
    /// Rejected records that may be usage. `paths` are some of their files.
    RejectedRecords { records: u64, paths: Vec<String> },
    /// Refused files that may hold sign-ins of the tenant. `paths` are some of them.
    RefusedFiles { files: u64, paths: Vec<String> },
    /// Downloads that look as if a filter was set.
    FilteredExport { category: Category, export: FilteredExport },
    /// Senders in the "SMTP AUTH clients" report: `senders` of whom it does not say how they authenticated,
    /// and `unplaced` that used SMTP AUTH on a day that it does not say, perhaps outside the window.
    SmtpReport {
        senders: u64,
        #[serde(default)]
        unplaced: u64,
    },
    /// Senders by SMTP AUTH in the newest "SMTP AUTH clients" report. It counts messages, not sign-ins, over its
    /// days as a whole; where nothing states those, they are the longest that they can be.
    InUseByReport { senders: u64, days: DayRange, stated: bool },
    /// The whole scope is off already, by settings of that time.
    AlreadyOff { collected_at: Option<DateTime<Utc>> },
    /// No impact, and sign-ins were only tried: interrupted, blocked or failed.
    Attempted { protocol: Protocol, sign_ins: u64 },
    /// No impact: nothing in scope was used or tried.
    Unused,
}

impl Reason {
    /// The word that stands for the reason in lists and SQL.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Excluded { .. } => "excluded",
            Self::InUse { .. } | Self::InUseByReport { .. } => "in_use",
            Self::UnattributedLegacyUse { .. } => "unattributed_legacy_use",
            Self::NoRecords => "no_records",
            Self::CategoryMissing { .. } => "category_missing",
            Self::Gap { .. } => "gap",
            Self::DaysMissing { .. } | Self::NearIdle { .. } => "days_missing",
            Self::NotSettled { .. } => "not_settled",
            Self::WindowLongerThanHistory { .. } => "window_longer_than_history",
            Self::ColumnMissing { .. } => "column_missing",
            Self::UnknownOutcome { .. } => "unknown_outcome",
            Self::UsedBeforeWindow { .. } => "used_before_window",
            Self::UsedAfterWindow { .. } => "used_after_window",
            Self::UnrecognisedClient { .. } => "unrecognised_client",
            Self::ClientNotStated { .. } => "client_not_stated",
            Self::LegacyAgentElsewhere { .. } => "legacy_agent_elsewhere",
            Self::TenantMismatch { .. } => "tenant_mismatch",
            Self::RejectedRecords { .. } => "rejected_records",
            Self::RefusedFiles { .. } => "refused_files",
            Self::FilteredExport { .. } => "filtered_export",
            Self::SmtpReport { .. } => "smtp_report",
            Self::AlreadyOff { .. } => "already_off",
            Self::Attempted { .. } => "attempted",
            Self::Unused => "unused",
        }
    }

    /// Whether somebody uses a protocol, or may: what no further log can take back. Other doubts end when
    /// their cure is applied.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        match self {
            Self::InUse { .. }
            | Self::InUseByReport { .. }
            | Self::UnattributedLegacyUse { .. }
            | Self::UnknownOutcome { .. }
            | Self::UsedBeforeWindow { .. }
            | Self::UsedAfterWindow { .. }
            | Self::UnrecognisedClient { .. }
            | Self::ClientNotStated { .. } => true,
            Self::Excluded { .. }
            | Self::NoRecords
            | Self::CategoryMissing { .. }
            | Self::Gap { .. }
            | Self::DaysMissing { .. }
            | Self::NearIdle { .. }
            | Self::NotSettled { .. }
            | Self::WindowLongerThanHistory { .. }
            | Self::ColumnMissing { .. }
            | Self::LegacyAgentElsewhere { .. }
            | Self::TenantMismatch { .. }
            | Self::RejectedRecords { .. }
            | Self::RefusedFiles { .. }
            | Self::FilteredExport { .. }
            | Self::SmtpReport { .. }
            | Self::AlreadyOff { .. }
            | Self::Attempted { .. }
            | Self::Unused => false,
        }
    }

    /// The protocol that the reason is about; `None` if it may be about any.
    #[must_use]
    pub const fn protocol(&self) -> Option<Protocol> {
        match self {
            Self::InUse { protocol, .. }
            | Self::UnknownOutcome { protocol, .. }
            | Self::UsedBeforeWindow { protocol, .. }
            | Self::UsedAfterWindow { protocol, .. }
            | Self::Attempted { protocol, .. } => match protocol {
                // "Other clients" may be any protocol.
                Protocol::OtherLegacy => None,
                protocol => Some(*protocol),
            },
            Self::InUseByReport { .. } | Self::SmtpReport { .. } => Some(Protocol::SmtpAuth),
            Self::Excluded { .. }
            | Self::UnattributedLegacyUse { .. }
            | Self::NoRecords
            | Self::CategoryMissing { .. }
            | Self::Gap { .. }
            | Self::DaysMissing { .. }
            | Self::NearIdle { .. }
            | Self::NotSettled { .. }
            | Self::WindowLongerThanHistory { .. }
            | Self::ColumnMissing { .. }
            | Self::UnrecognisedClient { .. }
            | Self::ClientNotStated { .. }
            | Self::LegacyAgentElsewhere { .. }
            | Self::TenantMismatch { .. }
            | Self::RejectedRecords { .. }
            | Self::RefusedFiles { .. }
            | Self::FilteredExport { .. }
            | Self::AlreadyOff { .. }
            | Self::Unused => None,
        }
    }

    /// The log that the reason is about, if it is about one.
    #[must_use]
    pub const fn category(&self) -> Option<Category> {
        match self {
            Self::CategoryMissing { category }
            | Self::Gap { category, .. }
            | Self::DaysMissing { category, .. }
            | Self::NearIdle { category, .. }
            | Self::NotSettled { category, .. }
            | Self::WindowLongerThanHistory { category, .. }
            | Self::ColumnMissing { category, .. }
            | Self::FilteredExport { category, .. } => Some(*category),
            Self::Excluded { .. }
            | Self::InUse { .. }
            | Self::UnattributedLegacyUse { .. }
            | Self::NoRecords
            | Self::UnknownOutcome { .. }
            | Self::UsedBeforeWindow { .. }
            | Self::UsedAfterWindow { .. }
            | Self::UnrecognisedClient { .. }
            | Self::ClientNotStated { .. }
            | Self::LegacyAgentElsewhere { .. }
            | Self::TenantMismatch { .. }
            | Self::RejectedRecords { .. }
            | Self::RefusedFiles { .. }
            | Self::SmtpReport { .. }
            | Self::InUseByReport { .. }
            | Self::AlreadyOff { .. }
            | Self::Attempted { .. }
            | Self::Unused => None,
        }
    }

    /// The words of several reasons, each once, in the order of the rule.
    #[must_use]
    pub fn codes(reasons: &[Self]) -> Vec<&'static str> {
        let mut codes = Vec::new();
        for code in reasons.iter().map(Self::code) {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes
    }
}

/// A run of days inside the window that nothing covers, of a category that the campaign requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageGap {
    pub category: Category,
    pub days: DayRange,
    /// Longest run that the campaign permits.
    pub permitted_days: u32,
}

impl CoverageGap {
    /// Number of days.
    #[must_use]
    pub fn length_days(self) -> i64 {
        self.days.length_days()
    }

    /// Longer than permitted; a shorter one proves nothing wrong, and is told all the same.
    #[must_use]
    pub fn is_too_long(self) -> bool {
        self.length_days() > i64::from(self.permitted_days)
    }
}

/// One row of `protocol_usage`, with its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolAssessment {
    pub protocol: Protocol,
    pub in_scope: bool,
    pub verdict: ProtocolVerdict,
    pub users: u64,
    pub sign_ins: u64,
    pub interrupted: u64,
    pub blocked: u64,
    pub failures: u64,
    pub unknown: u64,
    pub last_seen: Option<DateTime<Utc>>,
}

/// One row of `assessment`, with everything a notice says of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantAssessment {
    pub tenant_id: String,
    pub display_name: Option<String>,
    pub verdict: TenantVerdict,
    /// The reasons of the rule that decided.
    pub reasons: Vec<Reason>,
    /// What is wrong with the evidence, empty if it is sufficient: also for tenants whose verdict
    /// does not rest on it.
    pub evidence_reasons: Vec<Reason>,
    /// What speaks against turning protocols off, usage first, whichever rule decided the verdict; without
    /// `evidence_reasons`.
    #[serde(default)]
    pub objections: Vec<Reason>,
    /// Doubts that people have looked into and dismissed.
    #[serde(default)]
    pub dismissals: Vec<Dismissal>,
    /// Every protocol in scope and every other seen, in report order.
    pub protocols: Vec<ProtocolAssessment>,
    /// In use and in scope, or `other_legacy` at Exchange Online or at no named resource.
    pub protocols_in_use: Vec<Protocol>,
    /// In scope, and of a group that is clear.
    pub protocols_clear: Vec<Protocol>,
    /// Distinct users of `protocols_in_use`.
    pub users: u64,
    /// First and last covered day in the window, over the required categories.
    pub first_day: Option<NaiveDate>,
    pub last_day: Option<NaiveDate>,
    /// Covered days in the window, per required category.
    #[serde(default)]
    pub days_seen: BTreeMap<Category, u32>,
    /// The same of the campaign's `lookback_days` before the window. Empty: an earlier program did not count them.
    #[serde(default)]
    pub lookback_days_seen: BTreeMap<Category, u32>,
    /// Every uncovered run of days in the window, permitted or not, by required category and day.
    #[serde(default)]
    pub gaps: Vec<CoverageGap>,
}

impl TenantAssessment {
    /// The dismissals that the verdict may rest on: not those of a doubt that has come back since.
    pub fn dismissals_in_force(&self) -> impl Iterator<Item = &Dismissal> {
        let stands = |dismissal: &&Dismissal| {
            self.objections.iter().chain(&self.reasons).any(|reason| reason.code() == dismissal.doubt)
        };
        self.dismissals.iter().filter(move |dismissal| !stands(dismissal))
    }

    /// Whether the tenant's settings, or the roster, show that the protocol is off.
    #[must_use]
    pub fn is_already_off(&self, protocol: Protocol) -> bool {
        let is_off = |row: &ProtocolAssessment| row.verdict == ProtocolVerdict::AlreadyOff;
        self.protocols.iter().any(|row| row.protocol == protocol && is_off(row))
    }
}

/// All verdicts of one run over one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    pub decision_id: String,
    pub campaign: String,
    pub window: Window,
    /// Sorted by tenant id.
    pub tenants: Vec<TenantAssessment>,
}
