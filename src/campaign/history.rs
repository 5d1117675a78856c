//! What has happened to one protocol of a change. Each kind of event has a place of its own here, so that one that is
//! taken back uncovers what stood before: an opt-out that ends leaves a hold that is older.

use chrono::{DateTime, NaiveDate, Utc};

use super::event::{Event, Hold};
use lightsout_model::change::ProtocolChange;

/// See the file's first lines.
#[derive(Debug, Clone, Default)]
pub(super) struct ProtocolHistory {
    opted_out: Option<(DateTime<Utc>, Option<String>)>,
    /// The date that the tenant was told of for it: another one that came while it was kept is not of it.
    pub(super) told_date: Option<NaiveDate>,
    pub(super) hold: Option<(Hold, DateTime<Utc>)>,
    pub(super) off: Option<DateTime<Utc>>,
    /// The latest use after it was turned off.
    pub(super) last_used: Option<DateTime<Utc>>,
    pub(super) opted_in: bool,
    pub(super) corrected: bool,
}

impl ProtocolHistory {
    pub(super) fn announced_for(date: NaiveDate) -> Self {
        Self { told_date: Some(date), ..Self::default() }
    }

    /// Where it stands: the order of these conditions is their precedence.
    pub(super) fn state(&self) -> ProtocolChange {
        match (self.off, self.last_used) {
            (Some(off), Some(used)) => {
                return ProtocolChange::UsedAfterChange {
                    off_on: off.date_naive(),
                    last_used: used.date_naive(),
                };
            }
            (Some(off), None) => return ProtocolChange::Off { on: off.date_naive() },
            (None, _) => {}
        }
        if let Some((at, by)) = &self.opted_out {
            return ProtocolChange::OptedOut { on: at.date_naive(), by: by.clone() };
        }
        match &self.hold {
            Some((hold, since)) => ProtocolChange::OnHold { since: since.date_naive(), cause: hold.cause },
            None => ProtocolChange::Pending,
        }
    }

    pub(super) fn opted_out_at(&self) -> Option<DateTime<Utc>> {
        self.opted_out.as_ref().map(|(at, _)| *at)
    }

    /// The first opt-out is the one that holds, until it is taken back.
    pub(super) fn opt_out(&mut self, at: DateTime<Utc>, by: Option<&str>) {
        self.opted_out.get_or_insert_with(|| (at, by.map(str::to_owned)));
        self.opted_in = false;
    }

    pub(super) fn opt_in(&mut self) {
        self.opted_in = self.opted_out.take().is_some() || self.opted_in;
    }

    /// The first confirmation is the one that holds, until it is taken back or the protocol is used again.
    pub(super) fn turned_off(&mut self, at: DateTime<Utc>) {
        if self.off.is_none() || self.last_used.is_some() {
            self.off = Some(at);
            self.last_used = None;
        }
        self.corrected = false;
    }

    pub(super) fn correct(&mut self) {
        self.corrected = self.off.take().is_some() || self.corrected;
        self.last_used = None;
    }
}

/// When it happened: never later than it was recorded, whatever time the command was told. A hold from a day to come
/// would never end, and use of what was turned off then would not be seen.
pub(super) fn instant(event: &Event) -> DateTime<Utc> {
    event.recorded_at.map_or(event.happened_at, |recorded_at| recorded_at.min(event.happened_at))
}
