//! A row of `campaign_events`, and what its `detail` holds.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use lightsout_model::change::HoldCause;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::Reason;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The tenant was told that protocols go off, and when. `detail`: [`Announcement`].
    Announced,
    /// The tenant keeps protocols.
    OptedOut,
    /// Protocols are not turned off for now. `detail`: [`Hold`].
    Held,
    /// A hold is over.
    Released,
    /// Protocols have been turned off.
    Confirmed,
    /// An announcement is taken back: nothing of it that is still on is turned off. `detail`: [`Explanation`].
    Withdrawn,
    /// An opt-out is taken back. `detail`: [`Explanation`].
    OptedIn,
    /// A confirmation is taken back: the protocols were not turned off. `detail`: [`Explanation`].
    Corrected,
    /// Protocols were used after the day on which they were turned off. `detail`: [`UsageAfterChange`].
    UsedAfterChange,
    /// The change has a new effective date. `detail`: [`Reschedule`].
    Rescheduled,
    /// The tenant was told what is in use; nothing is announced.
    Warned,
    /// The tenant was told which evidence is missing.
    EvidenceAsked,
}

impl EventKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::OptedOut => "opted_out",
            Self::Held => "held",
            Self::Released => "released",
            Self::Confirmed => "confirmed",
            Self::Withdrawn => "withdrawn",
            Self::OptedIn => "opted_in",
            Self::Corrected => "corrected",
            Self::UsedAfterChange => "used_after_change",
            Self::Rescheduled => "rescheduled",
            Self::Warned => "warned",
            Self::EvidenceAsked => "evidence_asked",
        }
    }
}

/// One row of `campaign_events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// A hash of all the rest: the same event has the same id.
    pub event_id: String,
    pub campaign: String,
    pub tenant_id: String,
    pub event: EventKind,
    /// Joined with `;`, in report order.
    pub protocols: String,
    pub decision_id: Option<String>,
    pub happened_at: DateTime<Utc>,
    /// Of announcements and new dates: the day from which the protocols may be turned off.
    pub effective_date: Option<NaiveDate>,
    pub by_whom: Option<String>,
    /// JSON.
    pub detail: Option<String>,
    /// By the system's clock, whatever time a command was told; `None`: not recorded, or by an earlier version.
    #[serde(default)]
    pub recorded_at: Option<DateTime<Utc>>,
    /// Its place in the order of the campaign's events. `None`: not recorded, or by an earlier version.
    #[serde(default)]
    pub ledger_position: Option<u64>,
}

impl Event {
    /// An event with its id.
    #[must_use]
    pub fn new(
        campaign: &str,
        tenant_id: &str,
        event: EventKind,
        protocols: &[Protocol],
        happened_at: DateTime<Utc>,
    ) -> Self {
        let mut protocols = protocols.to_vec();
        protocols.sort_unstable();
        protocols.dedup();
        let names: Vec<&str> = protocols.iter().map(|protocol| protocol.as_str()).collect();
        Self {
            event_id: String::new(),
            campaign: campaign.to_owned(),
            tenant_id: tenant_id.to_owned(),
            event,
            protocols: names.join(";"),
            decision_id: None,
            // The tables keep microseconds.
            happened_at: DateTime::from_timestamp_micros(happened_at.timestamp_micros())
                .unwrap_or(happened_at),
            effective_date: None,
            by_whom: None,
            detail: None,
            recorded_at: None,
            ledger_position: None,
        }
        .named()
    }

    /// The event as it is recorded. The place is part of its id: the same request may be made, taken back and made
    /// again. The clock is not, so that the same commands give the same ids.
    #[must_use]
    pub fn recorded(mut self, ledger_position: u64, wall: DateTime<Utc>) -> Self {
        self.ledger_position = Some(ledger_position);
        self.recorded_at = DateTime::from_timestamp_micros(wall.timestamp_micros());
        self.named()
    }

    /// The protocols that it names.
    #[must_use]
    pub fn protocol_list(&self) -> Vec<Protocol> {
        self.protocols.split(';').filter_map(|protocol| protocol.parse().ok()).collect()
    }

    #[must_use]
    pub(crate) fn on_decision(mut self, decision_id: &str) -> Self {
        self.decision_id = Some(decision_id.to_owned());
        self.named()
    }

    #[must_use]
    pub fn effective(mut self, date: NaiveDate) -> Self {
        self.effective_date = Some(date);
        self.named()
    }

    #[must_use]
    pub fn by(mut self, whom: Option<&str>) -> Self {
        self.by_whom = whom.map(str::to_owned);
        self.named()
    }

    #[must_use]
    pub fn told(mut self, detail: &impl Serialize) -> Self {
        self.detail = serde_json::to_string(detail).ok();
        self.named()
    }

    fn named(mut self) -> Self {
        let happened_at = self.happened_at.timestamp_micros().to_string();
        let effective_date = self.effective_date.map(|date| date.to_string());
        let ledger_position = self.ledger_position.map(|position| position.to_string());
        let mut hasher = blake3::Hasher::new();
        for part in [
            Some(self.campaign.as_str()),
            Some(self.tenant_id.as_str()),
            Some(self.event.as_str()),
            Some(self.protocols.as_str()),
            self.decision_id.as_deref(),
            Some(happened_at.as_str()),
            effective_date.as_deref(),
            self.by_whom.as_deref(),
            self.detail.as_deref(),
            ledger_position.as_deref(),
        ] {
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hasher.update(&length.to_le_bytes()).update(part.unwrap_or_default().as_bytes());
        }
        hasher.finalize().to_hex()[..32].clone_into(&mut self.event_id);
        self
    }
}

/// What an announcement tells a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Nothing in scope is in use: all of it goes off.
    NoImpact,
    /// Something is in use: what is not goes off.
    SelectedProtocols,
}

impl ChangeKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoImpact => "no_impact",
            Self::SelectedProtocols => "selected_protocols",
        }
    }
}

/// How a tenant came to be picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// The same for all that were picked together; a command that is repeated finds it again.
    pub announcement_id: String,
    pub kind: ChangeKind,
    /// What the draw began with.
    pub seed: u64,
    /// Tenants of the wave; `None`: everyone eligible.
    pub wave: Option<u32>,
    /// Tenants that it was drawn from.
    pub eligible: u64,
    /// The day that the notices are given, where it is not that of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_date: Option<NaiveDate>,
    /// Days that must pass after it was recorded before anything of it is turned off. `None`: an earlier version
    /// recorded it, and the effective date alone counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_days: Option<u32>,
    /// Somebody chose to give fewer days than the campaign's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub short_notice: bool,
}

impl Announcement {
    /// As events keep it.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Hold {
    /// As events keep it.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Why something that was recorded is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    pub why: String,
}

/// Usage of protocols after they were turned off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageAfterChange {
    pub why: String,
    /// The latest successful sign-in of each protocol.
    pub last_used: BTreeMap<Protocol, DateTime<Utc>>,
}

/// A new effective date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reschedule {
    pub why: String,
    /// Days that must pass after it was recorded before anything is turned off.
    pub notice_days: u32,
}

/// Why protocols are on hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub cause: HoldCause,
    #[serde(deserialize_with = "known")]
    pub reasons: Vec<Reason>,
}

/// A hold outlives the rules that it was made by: reasons that are not known any more are left out, and the
/// cause stands.
fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Reason>, D::Error> {
    let reasons: Vec<serde_json::Value> = Deserialize::deserialize(deserializer)?;
    Ok(reasons.into_iter().filter_map(|reason| serde_json::from_value(reason).ok()).collect())
}
