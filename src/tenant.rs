//! The roster: the list of tenants with names, contacts and settings. Reading it is here, since a
//! roster is small and read once; what its settings mean is decided in `assess`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What the roster says of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RosterTenant {
    /// Lower case.
    pub tenant_id: String,
    pub display_name: Option<String>,
    pub domains: Vec<String>,
    /// `worldwide` (default), `gcc`, ...
    pub cloud: Option<String>,
    pub language: Option<String>,
    pub contacts: Vec<String>,
    /// Whether modern authentication for Outlook for Windows is on; `None`: not known.
    pub outlook_modern_auth: Option<bool>,
    /// First and last day that its logs are known to be complete for, both included.
    pub logs_from: Option<NaiveDate>,
    pub logs_to: Option<NaiveDate>,
    /// `Some(reason)`: left out of the campaign.
    pub exclude: Option<String>,
}

/// All rows of a roster, by tenant id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    pub tenants: BTreeMap<String, RosterTenant>,
}
