//! What became of an announced change, and what stays on beside it, each protocol with its reason.

use serde::Serialize;

use super::usage::{Kept, in_use, why_kept};
use super::{Protocols, TEXT_CHARACTERS_MAX};
use crate::NoticeContext;
use crate::notice_content::NoticeContent;
use lightsout_model::change::{Change, ProtocolChange};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::TenantAssessment;
use lightsout_output::text::{count, date, plain_short};

#[derive(Debug, Serialize)]
pub(super) struct ChangeFacts {
    announced_on: String,
    effective_date: String,
    decision_id: String,
    announced: Protocols,
    pending: Protocols,
    opted_out: Vec<OptedOut>,
    on_hold: Vec<Dated>,
    /// Of those on hold: what is turned off as announced once the missing logs are there.
    waiting_for_logs: Protocols,
    off: Vec<Dated>,
}

#[derive(Debug, Serialize)]
struct OptedOut {
    name: &'static str,
    on: String,
    by: Option<String>,
}

#[derive(Debug, Serialize)]
struct Dated {
    name: &'static str,
    on: String,
}

impl ChangeFacts {
    pub(super) fn of(change: &Change) -> Self {
        let mut facts = Self {
            announced_on: date(change.announced_on),
            effective_date: date(change.effective_date),
            decision_id: plain_short(&change.decision_id, TEXT_CHARACTERS_MAX),
            announced: Protocols::of(&change.announced()),
            pending: Protocols::of(&change.pending()),
            opted_out: Vec::new(),
            on_hold: Vec::new(),
            waiting_for_logs: Protocols::of(&change.waiting_for_logs()),
            off: Vec::new(),
        };
        for (protocol, state) in &change.protocols {
            let name = protocol.display_name();
            match state {
                ProtocolChange::Pending => {}
                ProtocolChange::OptedOut { on, by } => {
                    facts.opted_out.push(OptedOut { name, on: date(*on), by: person(by.as_deref()) });
                }
                ProtocolChange::OnHold { since, .. } => facts.on_hold.push(Dated { name, on: date(*since) }),
                ProtocolChange::Off { on } | ProtocolChange::UsedAfterChange { off_on: on, .. } => {
                    facts.off.push(Dated { name, on: date(*on) });
                }
            }
        }
        facts
    }
}

/// Who it was, as the request says; `None` where it says nothing that can be shown.
pub(super) fn person(by: Option<&str>) -> Option<String> {
    by.map(|by| plain_short(by, TEXT_CHARACTERS_MAX)).filter(|by| !by.is_empty())
}

/// On hold without usage of their own, each with its reason.
pub(super) fn held(
    notice_content: &NoticeContent,
    context: &NoticeContext,
    tenant: &TenantAssessment,
) -> Vec<Kept> {
    let unused = notice_content.protocols.iter().filter(|protocol| !notice_content.in_use.contains(protocol));
    let why = |protocol: Protocol| {
        // The hold stands until it is ended, also where its reason is gone.
        if tenant.protocols_clear.contains(&protocol) {
            "nothing speaks against it any more, but it has not been released".to_owned()
        } else {
            why_kept(protocol, context, tenant)
        }
    };
    unused.map(|protocol| Kept::new(*protocol, why(*protocol))).collect()
}

/// In scope and not turned off by what was done, each with its reason.
pub(super) fn stays_on(
    notice_content: &NoticeContent,
    context: &NoticeContext,
    tenant: &TenantAssessment,
) -> Vec<Kept> {
    let scope = context.campaign.scope();
    let announced = notice_content.change.map(Change::announced).unwrap_or_default();
    let stays = |protocol: &Protocol| !notice_content.already_off.contains(protocol);
    let mut protocols: Vec<Protocol> = scope.into_iter().filter(stays).chain(announced).collect();
    protocols.sort_unstable();
    protocols.dedup();
    let why = |protocol: Protocol| match notice_content.state(protocol) {
        Some(ProtocolChange::Off { .. } | ProtocolChange::UsedAfterChange { .. }) => None,
        Some(ProtocolChange::OptedOut { on, by }) => {
            let by = person(by.as_deref()).map(|by| format!(" by {by}")).unwrap_or_default();
            Some(format!("opted out{by} on {}", date(*on)))
        }
        Some(ProtocolChange::OnHold { since, .. }) => {
            Some(format!("on hold since {}; another notice comes before it changes", date(*since)))
        }
        Some(ProtocolChange::Pending) => {
            Some(format!("not turned off yet; announced for {}", date(notice_content.effective_date)))
        }
        None if tenant.protocols_in_use.contains(&protocol) => {
            let used = in_use(protocol, tenant);
            let users = count(used.users, "user", "users");
            Some(format!("in use by {users}, {}", count(used.sign_ins, "sign-in", "sign-ins")))
        }
        None if tenant.protocols_clear.contains(&protocol) => Some("it was not announced".to_owned()),
        None => Some(why_kept(protocol, context, tenant)),
    };
    protocols.into_iter().filter_map(|protocol| Some(Kept::new(protocol, why(protocol)?))).collect()
}
