//! The roster: the list of tenants with names, contacts and settings. Reading it is here, since a
//! roster is small and read once; what its settings mean is decided in `assess`.

mod roster_file;

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use crate::evidence::DayRange;
use crate::protocol::Protocol;

pub use roster_file::{Column, Place, RosterError};

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
    /// The protocols that are switched on for it; `None`: not known.
    pub protocols_enabled: Option<Vec<Protocol>>,
    /// First and last day that its logs are known to be complete for, both included.
    pub logs_from: Option<NaiveDate>,
    pub logs_to: Option<NaiveDate>,
    /// The days of its working week, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workdays: Option<Vec<Weekday>>,
    /// `Some(reason)`: left out of the campaign.
    pub exclude: Option<String>,
}

impl RosterTenant {
    /// The days that its logs are known to be complete for; one end alone declares nothing.
    #[must_use]
    pub fn logs(&self) -> Option<DayRange> {
        let (first, last) = (self.logs_from?, self.logs_to?);
        (first <= last).then_some(DayRange { first, last })
    }

    /// Those of the protocols that are not known to be off already, in their order: what is off is not
    /// announced. Where `protocols_enabled` says nothing, all of them.
    #[must_use]
    pub fn still_on(&self, protocols: &[Protocol]) -> Vec<Protocol> {
        let is_on = |protocol: &&Protocol| {
            self.protocols_enabled.as_ref().is_none_or(|enabled| enabled.contains(protocol))
        };
        protocols.iter().filter(is_on).copied().collect()
    }
}

/// All rows of a roster, by tenant id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    pub tenants: BTreeMap<String, RosterTenant>,
}

impl Roster {
    /// Nobody can know that a log is complete for a day that is not over: ranges end with `yesterday` at the
    /// latest. The number of tenants whose range was longer.
    pub fn end_with(&mut self, yesterday: NaiveDate) -> usize {
        let beyond = |tenant: &&mut RosterTenant| tenant.logs_to.is_some_and(|last| last > yesterday);
        let mut count = 0;
        for tenant in self.tenants.values_mut().filter(beyond) {
            tenant.logs_to = Some(yesterday);
            count += 1;
        }
        count
    }

    /// Reads a `.csv` file with a header line, a `.json` file that holds an array of objects, or a
    /// `.parquet` file.
    ///
    /// Columns may come in any order and only `tenant_id` is required. Lists are separated by `;`
    /// (in JSON and Parquet they may be lists), days are written `2026-10-31`, booleans true or false, yes or
    /// no, 1 or 0. An empty value says nothing.
    ///
    /// # Errors
    /// Fails if the file can't be read or is of no such kind, names an unknown column, holds a value that
    /// its column can't have, or has two rows for one tenant or one domain in two tenants. The error names
    /// file, line (in Parquet the row) and column.
    pub fn read(path: &Path) -> Result<Self, RosterError> {
        roster_file::read(path)
    }
}

/// 8-4-4-4-12 hexadecimal digits.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_protocol_that_is_known_to_be_off_is_not_announced() {
        let scope = [Protocol::Pop3, Protocol::Imap4, Protocol::SmtpAuth];
        let mut tenant = RosterTenant::default();
        assert_eq!(tenant.still_on(&scope), scope, "nothing is known of it");
        tenant.protocols_enabled = Some(vec![Protocol::SmtpAuth, Protocol::Pop3, Protocol::Autodiscover]);
        assert_eq!(tenant.still_on(&scope), [Protocol::Pop3, Protocol::SmtpAuth]);
        tenant.protocols_enabled = Some(Vec::new());
        assert_eq!(tenant.still_on(&scope), []);
    }
}
