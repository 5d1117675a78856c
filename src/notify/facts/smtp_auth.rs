//! SMTP AUTH on its own: it has a switch of its own and devices of its own, so every notice that has to
//! do with it says in one place what is true of it.

use serde::Serialize;

use super::change::person;
use super::usage::{in_use, why_kept};
use crate::NoticeContext;
use crate::locale::Locale;
use crate::notice::NoticeKind;
use crate::notice_content::NoticeContent;
use lightsout_model::change::ProtocolChange;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Reason, TenantAssessment};

#[derive(Debug, Serialize)]
pub(super) struct SmtpAuth {
    state: State,
    users: u64,
    sign_ins: u64,
    last_seen: String,
    /// Why it is neither in use nor cleared.
    why: String,
    /// The day that it was opted out, put on hold, or turned off.
    on: Option<String>,
    /// Of usage after it was turned off.
    last_used: Option<String>,
    by: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// This notice announces it.
    TurnedOff,
    InUse,
    NotInUse,
    NotCleared,
    AlreadyOff,
    /// Of an announced change.
    OnHold,
    Pending,
    OptedOut,
    Off,
    /// Off, and used after that.
    UsedAfterChange,
    /// The announcement that it would be turned off is taken back.
    Withdrawn,
    /// Used, and outside the scope.
    UsedOutsideScope,
}

/// `None`: neither in scope nor used, or nothing of what the message takes back or moves.
pub(super) fn smtp_auth(
    notice_content: &NoticeContent,
    context: &NoticeContext,
    tenant: &TenantAssessment,
) -> Option<SmtpAuth> {
    let protocol = Protocol::SmtpAuth;
    let locale = notice_content.locale;
    let used = in_use(protocol, tenant, locale);
    let mut last_used = None;
    let (state, on, by) = match (notice_content.kind, notice_content.state(protocol)) {
        (NoticeKind::Withdrawn, _) if notice_content.protocols.contains(&protocol) => {
            (State::Withdrawn, None, None)
        }
        (
            NoticeKind::Hold
            | NoticeKind::FollowUp
            | NoticeKind::Released
            | NoticeKind::Rescheduled
            | NoticeKind::UsedAfterChange
            | NoticeKind::Corrected
            | NoticeKind::OptedIn,
            Some(change),
        ) => match change {
            ProtocolChange::Pending => (State::Pending, None, None),
            ProtocolChange::OptedOut { on, by } => (State::OptedOut, Some(*on), person(by.as_deref())),
            ProtocolChange::OnHold { since, .. } => (State::OnHold, Some(*since), None),
            ProtocolChange::Off { on } => (State::Off, Some(*on), None),
            ProtocolChange::UsedAfterChange { off_on, last_used: last } => {
                last_used = Some(locale.date(*last));
                (State::UsedAfterChange, Some(*off_on), None)
            }
        },
        // A message that takes something back or moves it says nothing of what it leaves alone.
        (
            NoticeKind::Withdrawn | NoticeKind::Rescheduled | NoticeKind::Corrected | NoticeKind::OptedIn,
            None,
        ) => return None,
        _ => (unchanged(notice_content, context, tenant)?, None, None),
    };
    Some(SmtpAuth {
        state,
        users: used.users,
        sign_ins: used.sign_ins,
        last_seen: used.last_seen,
        why: why_kept(protocol, context, tenant, locale),
        on: on.map(|on| locale.date(on)),
        last_used,
        by,
    })
}

fn unchanged(
    notice_content: &NoticeContent,
    context: &NoticeContext,
    tenant: &TenantAssessment,
) -> Option<State> {
    let protocol = Protocol::SmtpAuth;
    let announces = matches!(notice_content.kind, NoticeKind::NoImpact | NoticeKind::SelectedProtocols);
    let used = tenant.protocols.iter().any(|row| row.protocol == protocol && row.sign_ins > 0);
    Some(if announces && notice_content.protocols.contains(&protocol) {
        State::TurnedOff
    } else if tenant.protocols_in_use.contains(&protocol) {
        State::InUse
    } else if notice_content.already_off.contains(&protocol) {
        State::AlreadyOff
    } else if !context.campaign.scope().contains(&protocol) {
        used.then_some(State::UsedOutsideScope)?
    } else if tenant.protocols_clear.contains(&protocol) {
        State::NotInUse
    } else {
        State::NotCleared
    })
}

/// The senders of an "SMTP AUTH clients" report. They are no users and no sign-ins, and are told apart.
#[derive(Debug, Serialize)]
pub(super) struct SmtpSenders {
    senders: u64,
    /// "19 October 2026 to 17 November 2026"; `None`: nothing states the days.
    range: Option<String>,
}

impl SmtpSenders {
    pub(super) fn of(tenant: &TenantAssessment, locale: Locale) -> Option<Self> {
        tenant.reasons.iter().find_map(|reason| match reason {
            Reason::InUseByReport { senders, days, stated } => {
                Some(Self { senders: *senders, range: stated.then(|| locale.range(days.first, days.last)) })
            }
            _ => None,
        })
    }
}
