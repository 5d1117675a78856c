//! What the new default policy of a tenant goes on allowing. A tenant without a default policy allows
//! everything; its new one allows nothing but what somebody may still need.

use super::SWITCHES;
use crate::plan::Due;
use lightsout_model::change::{Change, ProtocolChange};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{ProtocolVerdict, TenantAssessment};

/// Protocols that are in use or may be, or that the tenant keeps, without what is due or off by this change, in
/// report order; SMTP AUTH, too, where the campaign does not judge it. `judged` is the tenant as the logs show it now; of one that nothing is known of, or that uses a
/// protocol that nothing names, everything that is not due stays allowed.
#[must_use]
pub fn still_allowed(due: &Due, change: &Change, judged: Option<&TenantAssessment>) -> Vec<Protocol> {
    let goes_off =
        |protocol: Protocol| due.protocols.contains(&protocol) || due.off_before.contains(&protocol);
    let all = SWITCHES.iter().map(|(protocol, _)| *protocol).filter(|protocol| !goes_off(*protocol));
    let may_be_used = |protocol: Protocol| {
        judged.is_some_and(|judged| {
            let mut of_it = judged.protocols.iter().filter(|assessed| assessed.protocol == protocol);
            of_it.any(|assessed| {
                matches!(assessed.verdict, ProtocolVerdict::InUse | ProtocolVerdict::Unproven)
            })
        })
    };
    let nameless = [Protocol::OtherLegacy, Protocol::NotStated, Protocol::Unrecognised];
    if judged.is_none() || nameless.into_iter().any(may_be_used) {
        return all.collect();
    }
    let is_kept = |protocol: Protocol| {
        let state = change.protocols.get(&protocol);
        // Somebody has switched on again what is used after the change.
        matches!(
            state,
            Some(
                ProtocolChange::OptedOut { .. }
                    | ProtocolChange::OnHold { .. }
                    | ProtocolChange::UsedAfterChange { .. }
            )
        )
    };
    // The only one that Exchange Online still takes from everybody: it goes off only where it was judged.
    let was_judged = |protocol: Protocol| {
        judged.is_some_and(|judged| {
            judged.protocols.iter().any(|assessed| assessed.protocol == protocol && assessed.in_scope)
        })
    };
    let stays = |protocol: Protocol| {
        is_kept(protocol)
            || may_be_used(protocol)
            || (protocol == Protocol::SmtpAuth && !was_judged(protocol))
    };
    // These find their server by it, once in a while.
    let finds_by_autodiscover = |protocol: Protocol| {
        protocol == Protocol::ExchangeActivesync || Protocol::MapiOverHttp.group().contains(&protocol)
    };
    let autodiscover = all.clone().any(|protocol| finds_by_autodiscover(protocol) && stays(protocol));
    all.filter(|protocol| stays(*protocol) || (autodiscover && *protocol == Protocol::Autodiscover)).collect()
}
