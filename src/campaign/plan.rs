//! What is to be turned off now: the tenants whose day has come, and the protocols that nobody keeps.

use chrono::NaiveDate;

use super::clock::Clock;
use super::state::Ledger;
use lightsout_model::campaign::Campaign;
use lightsout_model::protocol::Protocol;
use lightsout_model::tenant::Roster;

/// One tenant whose day has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub tenant_id: String,
    /// To be turned off, in report order; never empty.
    pub protocols: Vec<Protocol>,
    /// Turned off by this change before.
    pub off_before: Vec<Protocol>,
    pub effective_date: NaiveDate,
    /// SMTP AUTH as a whole, not only Basic Authentication of it.
    pub disables_smtp_client_authentication: bool,
    /// Modern authentication for Outlook for Windows is off, or not known to be on.
    pub enables_outlook_modern_auth: bool,
}

/// The plan of a day, by tenant id. The ledger must have been rechecked. Both clocks must have reached a tenant's day.
#[must_use]
pub fn plan(campaign: &Campaign, roster: &Roster, ledger: &Ledger, clock: Clock) -> Vec<Due> {
    let due = ledger.tenants.values().filter(|tenant| tenant.due_on() <= clock.reached());
    let planned = due.filter_map(|tenant| {
        let settings = roster.tenants.get(&tenant.change.tenant_id);
        let pending = tenant.change.pending();
        // Switched off by the tenant itself meanwhile.
        let protocols = settings.map_or_else(|| pending.clone(), |settings| settings.still_on(&pending));
        let outlook = campaign.turns_off_outlook(&protocols);
        let modern_auth = settings.and_then(|settings| settings.outlook_modern_auth);
        (!protocols.is_empty()).then(|| Due {
            tenant_id: tenant.change.tenant_id.clone(),
            effective_date: tenant.change.effective_date,
            disables_smtp_client_authentication: campaign.texts.disables_smtp_client_authentication
                && protocols.contains(&Protocol::SmtpAuth),
            enables_outlook_modern_auth: campaign.texts.enables_outlook_modern_auth
                && outlook
                && modern_auth != Some(true),
            off_before: tenant.change.off(),
            protocols,
        })
    });
    planned.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Announcement, ChangeKind, Event, EventKind};

    // The notice asks the same method (`src/notify/facts.rs`), so that both say the same of Outlook.
    #[test]
    fn a_protocol_that_a_campaign_groups_with_outlook_is_planned_as_outlook() {
        let today: NaiveDate = "2026-12-24".parse().expect("a day");
        let announcement = Announcement {
            announcement_id: "a".to_owned(),
            kind: ChangeKind::SelectedProtocols,
            seed: 0,
            wave: None,
            eligible: 1,
            notice_date: None,
            notice_days: None,
            short_notice: false,
        };
        let midnight = lightsout_model::evidence::midnight(today);
        let event = Event::new("c", "t", EventKind::Announced, &[Protocol::Imap4], midnight);
        let event = event.on_decision("d").effective(today).told(&announcement);
        let ledger = Ledger::of(vec![event]).expect("a ledger");
        let mut campaign =
            lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("built in");
        let enables = |campaign: &Campaign| {
            plan(campaign, &Roster::default(), &ledger, Clock::of(midnight))[0].enables_outlook_modern_auth
        };
        assert!(!enables(&campaign));
        let outlook = Protocol::MapiOverHttp.group().iter().copied().chain([Protocol::Imap4]).collect();
        campaign.groups.insert("outlook".to_owned(), outlook);
        assert!(enables(&campaign));
    }
}
