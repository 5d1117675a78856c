//! A change that was announced to a tenant: what becomes of each protocol until it is off. The ledger
//! tells it, notices say it; neither a clock nor the lake is read here.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;

/// What the ledger holds of one tenant's announced change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub tenant_id: String,
    /// The decision that it was announced on.
    pub decision_id: String,
    pub announced_on: NaiveDate,
    /// The day from which the protocols may be turned off: as announced, or as it was rescheduled.
    pub effective_date: NaiveDate,
    /// The day before the latest reschedule; `None`: it has not been rescheduled.
    pub effective_date_before: Option<NaiveDate>,
    /// Why the latest of these was recorded: a withdrawal, an opt-in, a correction, a new date. As a person wrote
    /// it, so hostile until it is escaped.
    pub why: Option<String>,
    /// Every protocol that the announcement named. Of a change that was withdrawn: every protocol that is no longer
    /// to be turned off, as it stood before.
    pub protocols: BTreeMap<Protocol, ProtocolChange>,
}

/// Where one protocol of a change stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProtocolChange {
    /// Announced, and nothing speaks against it.
    Pending,
    /// The tenant keeps it.
    OptedOut { on: NaiveDate, by: Option<String> },
    /// New usage or lost coverage: it is not turned off.
    OnHold { since: NaiveDate, cause: HoldCause },
    /// It has been turned off.
    Off { on: NaiveDate },
    /// It has been turned off, and there was successful usage of it afterwards.
    UsedAfterChange { off_on: NaiveDate, last_used: NaiveDate },
}

/// The kind of a hold decides whether it can end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldCause {
    /// Somebody uses it, or it can't be told apart from use. Stays for this campaign: the tenant was
    /// told something that is not true, and needs a new notice with a new date.
    Usage,
    /// The evidence does not suffice: days are missing, or a doubt is not resolved. Ends when it does.
    Coverage,
    /// The roster excludes the tenant. Ends when it no longer does.
    Excluded,
}

impl HoldCause {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Coverage => "coverage",
            Self::Excluded => "excluded",
        }
    }
}

impl Change {
    /// The protocols whose state is such, in report order.
    pub fn that(&self, is: impl Fn(&ProtocolChange) -> bool) -> Vec<Protocol> {
        self.protocols.iter().filter(|(_, state)| is(state)).map(|(protocol, _)| *protocol).collect()
    }

    #[must_use]
    pub fn announced(&self) -> Vec<Protocol> {
        self.that(|_| true)
    }

    #[must_use]
    pub fn pending(&self) -> Vec<Protocol> {
        self.that(|state| matches!(state, ProtocolChange::Pending))
    }

    #[must_use]
    pub fn opted_out(&self) -> Vec<Protocol> {
        self.that(|state| matches!(state, ProtocolChange::OptedOut { .. }))
    }

    #[must_use]
    pub fn on_hold(&self) -> Vec<Protocol> {
        self.that(|state| matches!(state, ProtocolChange::OnHold { .. }))
    }

    /// On hold until the missing logs are there, and then as announced.
    #[must_use]
    pub fn waiting_for_logs(&self) -> Vec<Protocol> {
        self.that(|state| matches!(state, ProtocolChange::OnHold { cause: HoldCause::Coverage, .. }))
    }

    #[must_use]
    pub fn off(&self) -> Vec<Protocol> {
        self.that(|state| matches!(state, ProtocolChange::Off { .. }))
    }

    #[must_use]
    pub fn used_after_change(&self) -> Vec<Protocol> {
        self.that(|state| matches!(state, ProtocolChange::UsedAfterChange { .. }))
    }
}

/// One request: a row of a list, or what the command line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Lower case.
    pub tenant_id: String,
    /// `None`: all that were announced.
    pub protocols: Option<Vec<Protocol>>,
    pub by_whom: Option<String>,
    /// When it was asked for, or done; `None`: now.
    pub happened_at: Option<DateTime<Utc>>,
    pub line: Option<u64>,
}
