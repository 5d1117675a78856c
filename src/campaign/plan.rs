//! What is to be turned off now: the tenants whose day has come, and the protocols that nobody keeps.

use chrono::NaiveDate;

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

/// The plan of a day, by tenant id. The ledger must have been rechecked.
#[must_use]
pub fn plan(campaign: &Campaign, roster: &Roster, ledger: &Ledger, today: NaiveDate) -> Vec<Due> {
    let due = ledger.tenants.values().filter(|tenant| tenant.change.effective_date <= today);
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
