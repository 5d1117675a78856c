//! Announced changes, and what became of them.

use std::collections::BTreeMap;

use super::{Sample, at, day, who};
use lightsout_model::change::{Change, HoldCause, ProtocolChange};
use lightsout_model::evidence::{DayRange, Window};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::verdict::{ProtocolVerdict, Reason};

impl Sample {
    /// What was announced to a tenant of the sample, and where it stands.
    fn change(&mut self, tenant: usize, protocols: impl IntoIterator<Item = (Protocol, ProtocolChange)>) {
        let tenant_id = self.assessment.tenants[tenant].tenant_id.clone();
        let change = Change {
            tenant_id: tenant_id.clone(),
            decision_id: "d-0123abcd".to_owned(),
            announced_on: day(11, 24),
            effective_date: day(12, 24),
            effective_date_before: None,
            why: None,
            protocols: protocols.into_iter().collect(),
        };
        self.changes.insert(tenant_id, change);
    }

    /// Harbour & Sons began to use IMAP4 and SMTP AUTH again after the announcement.
    pub(crate) fn hold_for_usage() -> Self {
        use Protocol::{ExchangeActivesync, Imap4, Pop3, RemotePowershell, SmtpAuth};
        let mut sample = Self::all_protocols();
        sample.assessment.decision_id = "d-4567ef01".to_owned();
        sample.assessment.window = Window { first: day(10, 25), end: day(12, 15) };
        sample.notice_date = day(12, 15);
        let hold = ProtocolChange::OnHold { since: day(12, 15), cause: HoldCause::Usage };
        let by = Some("ada@example.com".to_owned());
        sample.change(
            1,
            [
                (Pop3, ProtocolChange::Pending),
                (Imap4, hold.clone()),
                (SmtpAuth, hold),
                (ExchangeActivesync, ProtocolChange::OptedOut { on: day(12, 1), by }),
                (RemotePowershell, ProtocolChange::Pending),
            ],
        );
        let harbour = &mut sample.assessment.tenants[1];
        harbour.last_day = Some(day(12, 14));
        harbour.days_seen = BTreeMap::from([(Category::Interactive, 44), (Category::NonInteractive, 51)]);
        harbour.reasons = vec![
            Reason::InUse { protocol: Imap4, users: 2, sign_ins: 1_204 },
            Reason::InUse { protocol: SmtpAuth, users: 1, sign_ins: 31 },
        ];
        let smtp_auth = &mut harbour.protocols[2];
        smtp_auth.verdict = ProtocolVerdict::InUse;
        (smtp_auth.users, smtp_auth.sign_ins) = (1, 31);
        smtp_auth.last_seen = Some(at("2026-12-13T04:00:00Z"));
        harbour.protocols_in_use = vec![Imap4, SmtpAuth];
        harbour.protocols_clear = vec![Pop3, RemotePowershell];
        let mut scanner = who()[1].clone();
        (scanner.protocol, scanner.sign_ins) = (SmtpAuth, 31);
        scanner.last_seen = at("2026-12-13T04:00:00Z");
        scanner.client_app = Some("Authenticated SMTP".to_owned());
        sample.who.values_mut().for_each(|rows| rows.push(scanner.clone()));
        sample
    }

    /// Meadow Farm's logs stopped coming after the announcement.
    pub(crate) fn hold_for_coverage() -> Self {
        let mut sample = Self::hold_for_usage();
        let hold = ProtocolChange::OnHold { since: day(12, 15), cause: HoldCause::Usage };
        let scope = sample.campaign.scope();
        sample.change(2, scope.into_iter().map(|protocol| (protocol, hold.clone())));
        let days = DayRange { first: day(12, 2), last: day(12, 14) };
        let gap = Reason::Gap { category: Category::NonInteractive, days, permitted_days: 4 };
        let meadow = &mut sample.assessment.tenants[2];
        (meadow.first_day, meadow.last_day) = (Some(day(10, 25)), Some(day(12, 1)));
        meadow.days_seen = BTreeMap::from([(Category::Interactive, 40), (Category::NonInteractive, 38)]);
        meadow.reasons = vec![gap.clone()];
        meadow.evidence_reasons = vec![gap];
        sample
    }

    /// Part of what was announced to Harbour & Sons has been done.
    pub(crate) fn follow_up() -> Self {
        use Protocol::{ExchangeActivesync, Pop3, RemotePowershell, SmtpAuth};
        let mut sample = Self::all_protocols();
        sample.notice_date = day(12, 28);
        let off = ProtocolChange::Off { on: day(12, 27) };
        let by = Some("ada@example.com".to_owned());
        sample.change(
            1,
            [
                (Pop3, off.clone()),
                (SmtpAuth, off),
                (ExchangeActivesync, ProtocolChange::OptedOut { on: day(12, 1), by }),
                (RemotePowershell, ProtocolChange::OnHold { since: day(12, 20), cause: HoldCause::Usage }),
            ],
        );
        sample
    }

    /// Harbour & Sons' scanner has been replaced, so what was on hold goes off after all.
    pub(crate) fn released() -> Self {
        use Protocol::{Imap4, Pop3, SmtpAuth};
        let mut sample =
            Self::after_hold([Pop3, Imap4, SmtpAuth].map(|protocol| (protocol, ProtocolChange::Pending)));
        sample.protocols_told = Some(vec![Imap4, SmtpAuth]);
        sample
    }

    /// The announcement rested on the logs of another company.
    pub(crate) fn withdrawn() -> Self {
        use Protocol::{Imap4, Pop3, RemotePowershell, SmtpAuth};
        let all = [Pop3, Imap4, SmtpAuth, RemotePowershell];
        let mut sample = Self::after_hold(all.map(|protocol| (protocol, ProtocolChange::Pending)));
        sample.explain("agreed with the customer by telephone", None);
        sample
    }

    /// A hold lasted until after the day.
    pub(crate) fn rescheduled() -> Self {
        use Protocol::{Imap4, Pop3};
        let mut sample = Self::after_hold([Pop3, Imap4].map(|protocol| (protocol, ProtocolChange::Pending)));
        sample.explain("the missing logs came after the day of the change", Some(15));
        sample
    }

    /// Harbour & Sons' scanner still sends.
    pub(crate) fn used_after_change() -> Self {
        use Protocol::{Imap4, Pop3, SmtpAuth};
        let used = ProtocolChange::UsedAfterChange { off_on: day(12, 27), last_used: day(12, 30) };
        let mut sample = Self::hold_for_usage();
        sample.notice_date = day(12, 31);
        sample.assessment.window.end = day(12, 31);
        for row in &mut sample.assessment.tenants[1].protocols {
            row.last_seen = row.last_seen.map(|_| at("2026-12-30T05:00:00Z"));
        }
        for row in sample.who.values_mut().flatten() {
            row.last_seen = at("2026-12-30T05:00:00Z");
        }
        let off = ProtocolChange::Off { on: day(12, 27) };
        sample.change(1, [(Pop3, off), (Imap4, used.clone()), (SmtpAuth, used)]);
        sample
    }

    /// Somebody confirmed the wrong tenant.
    pub(crate) fn corrected() -> Self {
        use Protocol::{Pop3, SmtpAuth};
        let mut sample =
            Self::after_hold([Pop3, SmtpAuth].map(|protocol| (protocol, ProtocolChange::Pending)));
        sample.explain("the confirmation was of another tenant", None);
        sample
    }

    /// Harbour & Sons no longer want to keep EAS.
    pub(crate) fn opted_in() -> Self {
        use Protocol::{ExchangeActivesync, Pop3};
        let mut sample =
            Self::after_hold([Pop3, ExchangeActivesync].map(|protocol| (protocol, ProtocolChange::Pending)));
        sample.protocols_told = Some(vec![ExchangeActivesync]);
        sample.explain("the opt-out was meant for another tenant", Some(10));
        sample
    }

    /// What was on hold in December is no longer in use.
    fn after_hold(protocols: impl IntoIterator<Item = (Protocol, ProtocolChange)>) -> Self {
        let mut sample = Self::hold_for_usage();
        sample.change(1, protocols);
        let harbour = &mut sample.assessment.tenants[1];
        harbour.reasons.clear();
        harbour.protocols_in_use.clear();
        sample
    }

    /// Why, and of a new date how many days later it is.
    fn explain(&mut self, why: &str, days_later: Option<u64>) {
        for change in self.changes.values_mut() {
            change.why = Some(why.to_owned());
            if let Some(days) = days_later {
                change.effective_date_before = Some(change.effective_date);
                change.effective_date = change.effective_date + chrono::Days::new(days);
            }
        }
    }
}
