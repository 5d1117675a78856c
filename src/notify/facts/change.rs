//! What became of an announced change, and what stays on beside it, each protocol with its reason.

use serde::Serialize;

use super::usage::{Kept, in_use, why_kept};
use super::{Protocols, TEXT_CHARACTERS_MAX};
use crate::NoticeContext;
use crate::locale::Locale;
use crate::notice_content::NoticeContent;
use crate::phrases;
use lightsout_model::change::{Change, ProtocolChange};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::TenantAssessment;
use lightsout_output::text::plain_short;

/// Characters of an operator's explanation.
const WHY_CHARACTERS_MAX: usize = 400;

#[derive(Debug, Serialize)]
pub(super) struct ChangeFacts {
    announced_on: String,
    effective_date: String,
    /// The day that was said before, if the change has another now.
    effective_date_before: Option<String>,
    /// Why something was taken back or moved; in the words of whoever did it, quoted.
    why: Option<String>,
    decision_id: String,
    announced: Protocols,
    pending: Protocols,
    opted_out: Vec<OptedOut>,
    on_hold: Vec<Dated>,
    /// Of those on hold: what is turned off as announced once the missing logs are there.
    waiting_for_logs: Protocols,
    off: Vec<Dated>,
    /// Off, and used after that.
    used: Vec<UsedAfter>,
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

#[derive(Debug, Serialize)]
struct UsedAfter {
    name: &'static str,
    off_on: String,
    last_used: String,
}

impl ChangeFacts {
    pub(super) fn of(change: &Change, locale: Locale) -> Self {
        let why = change.why.as_deref().map(|why| explanation(why, locale));
        let mut facts = Self {
            announced_on: locale.date(change.announced_on),
            effective_date: locale.date(change.effective_date),
            effective_date_before: change.effective_date_before.map(|day| locale.date(day)),
            why: why.filter(|why| !why.is_empty()),
            decision_id: plain_short(&change.decision_id, TEXT_CHARACTERS_MAX),
            announced: Protocols::of(&change.announced(), locale),
            pending: Protocols::of(&change.pending(), locale),
            opted_out: Vec::new(),
            on_hold: Vec::new(),
            waiting_for_logs: Protocols::of(&change.waiting_for_logs(), locale),
            off: Vec::new(),
            used: Vec::new(),
        };
        for (protocol, state) in &change.protocols {
            let name = locale.protocol(*protocol);
            match state {
                ProtocolChange::Pending => {}
                ProtocolChange::OptedOut { on, by } => {
                    facts.opted_out.push(OptedOut { name, on: locale.date(*on), by: person(by.as_deref()) });
                }
                ProtocolChange::OnHold { since, .. } => {
                    facts.on_hold.push(Dated { name, on: locale.date(*since) });
                }
                ProtocolChange::Off { on } => facts.off.push(Dated { name, on: locale.date(*on) }),
                ProtocolChange::UsedAfterChange { off_on, last_used } => {
                    facts.off.push(Dated { name, on: locale.date(*off_on) });
                    let (off_on, last_used) = (locale.date(*off_on), locale.date(*last_used));
                    facts.used.push(UsedAfter { name, off_on, last_used });
                }
            }
        }
        facts
    }
}

/// What the ledger says itself is said in the notice's language, and what somebody wrote is quoted.
fn explanation(why: &str, locale: Locale) -> String {
    match why {
        "hold_ended" => locale.text(phrases::WHY_HOLD_ENDED).to_owned(),
        "opted_in" => locale.text(phrases::WHY_OPTED_IN).to_owned(),
        why => {
            let why = plain_short(why, WHY_CHARACTERS_MAX);
            if why.is_empty() { why } else { locale.fill(phrases::WHY_QUOTED, &[("why", &why)]) }
        }
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
    let locale = notice_content.locale;
    let unused = notice_content.protocols.iter().filter(|protocol| !notice_content.in_use.contains(protocol));
    let why = |protocol: Protocol| {
        // The hold stands until it is ended, also where its reason is gone.
        if tenant.protocols_clear.contains(&protocol) {
            locale.text(phrases::NOT_RELEASED).to_owned()
        } else {
            why_kept(protocol, context, tenant, locale)
        }
    };
    unused.map(|protocol| Kept::new(*protocol, why(*protocol), locale)).collect()
}

/// In scope and not turned off by what was done, each with its reason.
pub(super) fn stays_on(
    notice_content: &NoticeContent,
    context: &NoticeContext,
    tenant: &TenantAssessment,
) -> Vec<Kept> {
    let locale = notice_content.locale;
    let scope = context.campaign.scope();
    let announced = notice_content.change.map(Change::announced).unwrap_or_default();
    let stays = |protocol: &Protocol| !notice_content.already_off.contains(protocol);
    let mut protocols: Vec<Protocol> = scope.into_iter().filter(stays).chain(announced).collect();
    protocols.sort_unstable();
    protocols.dedup();
    let why = |protocol: Protocol| match notice_content.state(protocol) {
        Some(ProtocolChange::Off { .. } | ProtocolChange::UsedAfterChange { .. }) => None,
        Some(ProtocolChange::OptedOut { on, by }) => {
            Some(opted_out(by.as_deref(), &locale.date(*on), locale))
        }
        Some(ProtocolChange::OnHold { since, .. }) => {
            Some(locale.fill(phrases::ON_HOLD, &[("on", &locale.date(*since))]))
        }
        Some(ProtocolChange::Pending) => {
            let on = locale.date(notice_content.effective_date);
            Some(locale.fill(phrases::NOT_OFF_YET, &[("on", &on)]))
        }
        None if tenant.protocols_in_use.contains(&protocol) => {
            let used = in_use(protocol, tenant, locale);
            let users = locale.count(used.users, phrases::USERS);
            let sign_ins = locale.count(used.sign_ins, phrases::SIGN_INS);
            Some(locale.fill(phrases::IN_USE_BY, &[("users", &users), ("sign_ins", &sign_ins)]))
        }
        None if tenant.protocols_clear.contains(&protocol) => {
            Some(locale.text(phrases::NOT_ANNOUNCED).to_owned())
        }
        None => Some(why_kept(protocol, context, tenant, locale)),
    };
    protocols.into_iter().filter_map(|protocol| Some(Kept::new(protocol, why(protocol)?, locale))).collect()
}

fn opted_out(by: Option<&str>, on: &str, locale: Locale) -> String {
    match person(by) {
        Some(by) => locale.fill(phrases::OPTED_OUT_BY, &[("by", &by), ("on", on)]),
        None => locale.fill(phrases::OPTED_OUT, &[("on", on)]),
    }
}
