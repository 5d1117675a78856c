//! What a tenant's settings, its roster row and the "SMTP AUTH clients" report prove of each protocol.
//! Pure: `query::settings` gathers the evidence, and `super::protocols` puts the answer into the order of
//! the rules.
//!
//! Settings prove that a protocol is off only if they are whole, of the days around the end of the
//! window, and later than every usage. The roster's `protocols_enabled` is a person's word, which has no
//! date. A report never proves that nothing was sent: it shows senders, or it takes back what an older
//! report of more days has shown.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::protocols::Beside;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{DayRange, TenantEvidence, Window};
use lightsout_model::protocol::Protocol;
use lightsout_model::settings::{CollectedSettings, ReportEvidence, SwitchCount};
use lightsout_model::tenant::RosterTenant;
use lightsout_model::verdict::Reason;

/// What is proved by other things than sign-ins.
#[derive(Debug, Default)]
pub(super) struct SettingsFinding {
    off_by_settings: BTreeSet<Protocol>,
    off_by_roster: BTreeSet<Protocol>,
    collected_at: Option<DateTime<Utc>>,
    /// Usage of SMTP AUTH that the report shows.
    report_usage: Option<ReportUsage>,
    /// Senders that leave SMTP AUTH unproven.
    report_doubt: ReportDoubt,
}

/// Senders that use SMTP AUTH by the newest report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReportUsage {
    pub(super) senders: u64,
    pub(super) days: DayRange,
    pub(super) stated: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ReportDoubt {
    /// Senders of whom the report does not say how they authenticated.
    pub(super) unclear: u64,
    /// Senders that may have been active outside the window alone.
    pub(super) unplaced: u64,
}

impl ReportDoubt {
    pub(super) const fn is_one(self) -> bool {
        self.unclear > 0 || self.unplaced > 0
    }
}

impl SettingsFinding {
    pub(super) fn new(
        campaign: &Campaign,
        scope: &[Protocol],
        roster: Option<&RosterTenant>,
        evidence: &TenantEvidence,
        window: Window,
    ) -> Self {
        let enabled = roster.and_then(|roster| roster.protocols_enabled.as_ref());
        let mut finding = Self {
            off_by_roster: enabled.map_or_else(BTreeSet::new, |enabled| {
                scope.iter().filter(|protocol| !enabled.contains(protocol)).copied().collect()
            }),
            ..Self::default()
        };
        let Some(settings) = &evidence.settings else { return finding };
        if let Some(collected) =
            settings.collected.as_ref().filter(|collected| is_usable(collected, campaign, window))
        {
            let is_off = |protocol: &&Protocol| {
                is_off(collected, **protocol, campaign) && is_later(collected, **protocol, evidence)
            };
            finding.off_by_settings = scope.iter().filter(is_off).copied().collect();
            finding.collected_at = Some(collected.collected_at);
        }
        let whole = campaign.texts.disables_smtp_client_authentication;
        let lookback = Window::before(window.first, campaign.lookback_days).first;
        (finding.report_usage, finding.report_doubt) = reports(&settings.reports, whole, window, lookback);
        finding
    }

    /// Whether the protocol is off already, if no usage contradicts it.
    fn is_off(&self, protocol: Protocol) -> bool {
        self.off_by_settings.contains(&protocol) || self.off_by_roster.contains(&protocol)
    }

    /// What the rules of a protocol need to know of it.
    pub(super) fn beside(&self, protocol: Protocol) -> Beside {
        let is_off = self.is_off(protocol);
        match protocol {
            Protocol::SmtpAuth => {
                Beside { is_off, report_usage: self.report_usage, report_doubt: self.report_doubt }
            }
            _ => Beside { is_off, ..Beside::default() },
        }
    }

    /// Why the tenant is left out where the whole scope is off.
    pub(super) fn excluded(&self) -> Reason {
        let collected_at = self.collected_at.filter(|_| !self.off_by_settings.is_empty());
        Reason::AlreadyOff { collected_at }
    }
}

/// Whether settings are whole and of the days around `as_of`.
fn is_usable(collected: &CollectedSettings, campaign: &Campaign, window: Window) -> bool {
    let age = (window.end - collected.collected_at.date_naive()).num_days();
    collected.problems.is_empty() && age.unsigned_abs() <= u64::from(campaign.evidence.settings_age_days_max)
}

/// Whether settings are later than every usage that may be of the protocol: its own, and that of legacy
/// clients at Exchange Online that name no protocol.
fn is_later(collected: &CollectedSettings, protocol: Protocol, evidence: &TenantEvidence) -> bool {
    let day = collected.collected_at.date_naive();
    let before_window = |protocol: Protocol| {
        let past = evidence.protocols.get(&protocol).map_or(&[][..], |found| &found.past_usage);
        past.iter().all(|usage| usage.last_day < day || usage.users == 0)
    };
    let is_before = |last: Option<DateTime<Utc>>| last.is_some_and(|last| last < collected.collected_at);
    let unattributed = evidence.protocols.get(&Protocol::OtherLegacy).is_none_or(|found| {
        let part = &found.exchange_or_unnamed;
        (part.usage_after_window.is_none() || is_before(found.last_after_window))
            && (part.usage.sign_ins + part.unknown == 0 || is_before(found.last_seen))
    });
    let own = evidence.protocols.get(&protocol).is_none_or(|found| {
        (found.usage_after_window.is_none() || is_before(found.last_after_window))
            && (found.usage.sign_ins + found.unknown == 0 || is_before(found.last_seen))
    });
    own && unattributed && before_window(protocol) && before_window(Protocol::OtherLegacy)
}

/// What the settings say of one protocol.
fn is_off(collected: &CollectedSettings, protocol: Protocol, campaign: &Campaign) -> bool {
    match protocol {
        Protocol::SmtpAuth => {
            is_smtp_auth_off(collected)
                || !campaign.texts.disables_smtp_client_authentication
                    && is_off_by_policies(collected, protocol)
        }
        Protocol::ExchangeWebServices => {
            collected.ews_enabled == Some(false)
                || is_off_by_policies(collected, protocol)
                || is_off_on_mailboxes(collected, protocol)
        }
        _ => is_off_by_policies(collected, protocol) || is_off_on_mailboxes(collected, protocol),
    }
}

/// Off in the organisation, and on in no mailbox against it.
fn is_smtp_auth_off(collected: &CollectedSettings) -> bool {
    let mailboxes = collected.smtp_auth_disabled_mailboxes;
    collected.smtp_auth_disabled == Some(true)
        && mailboxes.off == 0
        && mailboxes.absent == 0
        && mailboxes.total() == collected.mailboxes
}

/// The default policy and every policy that a user has forbid Basic Authentication by the protocol.
fn is_off_by_policies(collected: &CollectedSettings, protocol: Protocol) -> bool {
    let Some(default) = &collected.default_policy else { return false };
    // A name that stands for two policies may stand for either.
    let forbids = |named: &str| {
        let mut called = collected.policies.iter().filter(|policy| policy.is_called(named)).peekable();
        called.peek().is_some() && called.all(|policy| policy.allows_basic.get(&protocol) == Some(&false))
    };
    std::iter::once(default).chain(collected.assigned_policies.keys()).all(|named| forbids(named))
}

/// The protocol's switch is false on every mailbox, and in every plan that a new mailbox may come by.
fn is_off_on_mailboxes(collected: &CollectedSettings, protocol: Protocol) -> bool {
    let all_off = |count: &SwitchCount| {
        collected.mailboxes > 0 && count.off == collected.mailboxes && count.total() == count.off
    };
    collected.mailbox_switches.get(&protocol).is_some_and(all_off)
        && !collected.plan_switches.is_empty()
        && collected.plan_switches.iter().all(|plan| plan.get(&protocol) == Some(&false))
}

/// What becomes of a report beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReportValidity {
    Stands,
    /// A newer, shorter report does not have its senders, and does not tell of all its days either.
    Doubted,
    /// Another report tells of all its days that matter.
    Answered,
}

/// Usage and doubts by all reports. `whole`: SMTP AUTH with OAuth goes off too, so that every sender is
/// affected who is known to use it.
fn reports(
    reports: &[ReportEvidence],
    whole: bool,
    window: Window,
    lookback: NaiveDate,
) -> (Option<ReportUsage>, ReportDoubt) {
    let (mut usage, mut doubt): (Option<ReportUsage>, _) = (None, ReportDoubt::default());
    for report in reports.iter().filter(|report| report.days.last >= lookback) {
        let validity = validity(report, reports, window);
        let using =
            if whole { report.senders.saturating_sub(report.unclear_senders) } else { report.basic_senders };
        if validity == ReportValidity::Answered {
            continue;
        }
        doubt.unclear = doubt.unclear.max(report.unclear_senders);
        if using == 0 {
            continue;
        }
        if validity == ReportValidity::Stands && report.days.last >= window.first {
            let this = ReportUsage { senders: using, days: report.days, stated: report.stated };
            // The report of the fewest days tells the most.
            let shorter = |other: &ReportUsage| {
                (other.days.length_days(), other.days) <= (this.days.length_days(), this.days)
            };
            usage = usage.filter(shorter).or(Some(this));
        } else {
            doubt.unplaced = doubt.unplaced.max(using);
        }
    }
    (usage, doubt)
}

/// Days of a report that matter are those from the start of the window on; of one that ended before, all
/// of the window.
fn validity(report: &ReportEvidence, others: &[ReportEvidence], window: Window) -> ReportValidity {
    let last_of_window = window.end.checked_sub_days(Days::new(1)).unwrap_or(window.end);
    // The last day of a report that nobody dated is only the latest that it can be.
    let last = if report.stated { report.days.last } else { report.days.last.min(last_of_window) };
    let matters = if last < window.first {
        DayRange { first: window.first, last: last_of_window }
    } else {
        DayRange { first: report.days.first.max(window.first), last }
    };
    let mut validity = ReportValidity::Stands;
    for other in others.iter().filter(|other| *other != report && other.stated) {
        let is_same_range = other.days == report.days && report.stated;
        if is_same_range || other.days.last < matters.last {
            continue;
        }
        if other.days.first <= matters.first && !(report.stated && contains(other.days, report.days)) {
            return ReportValidity::Answered;
        }
        if other.days.first > report.days.first {
            validity = ReportValidity::Doubted;
        }
    }
    validity
}

/// Whether a range holds all of another: then a report of it has that one's senders too, or one of both
/// is wrong.
fn contains(outer: DayRange, inner: DayRange) -> bool {
    outer.first <= inner.first && inner.last <= outer.last
}

#[cfg(test)]
mod tests;
