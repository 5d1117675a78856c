//! The verdict of one protocol in one tenant. What it means for the tenant is `super::tenant`'s.

use chrono::NaiveDate;

use super::settings::{ReportDoubt, ReportUsage};
use lightsout_model::evidence::{PastUsage, ProtocolEvidence, UserCount};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{ProtocolAssessment, ProtocolVerdict, Reason};

/// One protocol judged, with the numbers that the rules of a tenant tell of.
pub(super) struct Finding {
    pub(super) protocol: Protocol,
    pub(super) verdict: ProtocolVerdict,
    pub(super) usage: UserCount,
    /// Interrupted, blocked and failed sign-ins.
    pub(super) attempts: u64,
    unknown: u64,
    usage_before_window: UserCount,
    usage_after_window: UserCount,
    last_after_window: Option<NaiveDate>,
    /// What is known of it by other things than sign-ins.
    beside: Beside,
}

/// What settings, roster and the "SMTP AUTH clients" report say of one protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Beside {
    /// It is off already, unless usage contradicts that.
    pub(super) is_off: bool,
    pub(super) report_usage: Option<ReportUsage>,
    pub(super) report_doubt: ReportDoubt,
}

impl Finding {
    /// Judges a protocol on all its sign-ins. `sufficient`: the tenant's evidence suffices; `has_ended`:
    /// whether usage before the window has been followed by a silence that is long enough.
    pub(super) fn new(
        protocol: Protocol,
        evidence: &ProtocolEvidence,
        sufficient: bool,
        has_ended: impl Fn(&PastUsage) -> bool,
        beside: Beside,
    ) -> Self {
        let before = still_open(evidence, has_ended, |past| (past.users, past.sign_ins));
        Self {
            protocol,
            verdict: ProtocolVerdict::Unused,
            usage: evidence.usage,
            attempts: attempts(evidence),
            unknown: if evidence.is_unknown_dismissed { 0 } else { evidence.unknown },
            usage_before_window: before.unwrap_or(evidence.usage_before_window),
            usage_after_window: evidence.usage_after_window,
            last_after_window: last_after(evidence),
            beside,
        }
        .judged(sufficient)
    }

    /// Judges `other_legacy` as far as it counts for the tenant: its sign-ins to Exchange Online or
    /// to no named resource. A script that gets a token for another service is no mail client.
    pub(super) fn unattributed(
        evidence: &ProtocolEvidence,
        sufficient: bool,
        has_ended: impl Fn(&PastUsage) -> bool,
    ) -> Self {
        let part = &evidence.exchange_or_unnamed;
        let before = still_open(evidence, has_ended, |past| (past.exchange_users, past.exchange_sign_ins));
        Self {
            protocol: Protocol::OtherLegacy,
            verdict: ProtocolVerdict::Unused,
            usage: part.usage,
            attempts: 0,
            unknown: if evidence.is_unknown_dismissed { 0 } else { part.unknown },
            usage_before_window: before.unwrap_or(part.usage_before_window),
            usage_after_window: part.usage_after_window,
            last_after_window: last_after(evidence),
            beside: Beside::default(),
        }
        .judged(sufficient)
    }

    /// The first that applies.
    fn judged(mut self, sufficient: bool) -> Self {
        self.verdict = if any(self.usage) || self.beside.report_usage.is_some() {
            ProtocolVerdict::InUse
        } else if self.beside.is_off {
            ProtocolVerdict::AlreadyOff
        } else if !sufficient
            || self.unknown > 0
            || any(self.usage_before_window)
            || any(self.usage_after_window)
            || self.beside.report_doubt.is_one()
        {
            ProtocolVerdict::Unproven
        } else if self.attempts > 0 {
            ProtocolVerdict::Attempted
        } else {
            ProtocolVerdict::Unused
        };
        self
    }

    /// Whether nothing speaks against switching the protocol off.
    pub(super) fn is_clear(&self) -> bool {
        matches!(self.verdict, ProtocolVerdict::Attempted | ProtocolVerdict::Unused)
    }

    /// Whether it may be switched off, or is.
    pub(super) fn keeps_nothing(&self) -> bool {
        self.is_clear() || self.verdict == ProtocolVerdict::AlreadyOff
    }

    /// What shows that it is in use.
    pub(super) fn in_use(&self) -> impl Iterator<Item = Reason> {
        let UserCount { users, sign_ins } = self.usage;
        let signed_in = any(self.usage).then_some(match self.protocol {
            Protocol::OtherLegacy => Reason::UnattributedLegacyUse { users, sign_ins },
            protocol => Reason::InUse { protocol, users, sign_ins },
        });
        let report = self.beside.report_usage;
        let sent = report.map(|ReportUsage { senders, days, stated }| Reason::InUseByReport {
            senders,
            days,
            stated,
        });
        signed_in.into_iter().chain(sent)
    }

    /// Why the protocol's own sign-ins, and messages, leave it unproven; what is off raises no doubt.
    pub(super) fn doubts(&self) -> impl Iterator<Item = Reason> {
        let protocol = self.protocol;
        let UserCount { users, sign_ins } = self.usage_before_window;
        let unknown =
            (self.unknown > 0).then_some(Reason::UnknownOutcome { protocol, sign_ins: self.unknown });
        let before =
            any(self.usage_before_window).then_some(Reason::UsedBeforeWindow { protocol, users, sign_ins });
        let UserCount { users, sign_ins } = self.usage_after_window;
        let last_day = self.last_after_window;
        let after = any(self.usage_after_window).then_some(Reason::UsedAfterWindow {
            protocol,
            users,
            sign_ins,
            last_day,
        });
        let ReportDoubt { unclear: senders, unplaced } = self.beside.report_doubt;
        let report = self.beside.report_doubt.is_one().then_some(Reason::SmtpReport { senders, unplaced });
        let is_off = self.verdict == ProtocolVerdict::AlreadyOff;
        unknown.into_iter().chain(before).chain(after).chain(report).filter(move |_| !is_off)
    }
}

/// The row of `protocol_usage`.
pub(super) fn row(finding: &Finding, evidence: &ProtocolEvidence, in_scope: bool) -> ProtocolAssessment {
    ProtocolAssessment {
        protocol: finding.protocol,
        in_scope,
        verdict: finding.verdict,
        users: evidence.usage.users,
        sign_ins: evidence.usage.sign_ins,
        interrupted: evidence.interrupted,
        blocked: evidence.blocked,
        failures: evidence.failures,
        unknown: evidence.unknown,
        last_seen: evidence.last_seen,
    }
}

/// Usage before the window that has not ended, where it is known by the users' last days.
fn still_open(
    evidence: &ProtocolEvidence,
    has_ended: impl Fn(&PastUsage) -> bool,
    part: impl Fn(&PastUsage) -> (u64, u64),
) -> Option<UserCount> {
    if evidence.is_past_dismissed {
        return Some(UserCount::default());
    }
    let open = evidence.past_usage.iter().filter(|past| !has_ended(past)).map(part);
    let count = open.fold(UserCount::default(), |count, (users, sign_ins)| UserCount {
        users: count.users + users,
        sign_ins: count.sign_ins + sign_ins,
    });
    (!evidence.past_usage.is_empty()).then_some(count)
}

fn last_after(evidence: &ProtocolEvidence) -> Option<NaiveDate> {
    evidence.last_after_window.map(|last| last.date_naive())
}

fn attempts(evidence: &ProtocolEvidence) -> u64 {
    evidence.interrupted.saturating_add(evidence.blocked).saturating_add(evidence.failures)
}

const fn any(count: UserCount) -> bool {
    !count.is_none()
}
