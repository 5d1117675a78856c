//! A new effective date for a change whose day has passed while it was on hold or opted out. The tenant was told that
//! nothing happens on that day, so the new date is as far ahead as that of an announcement: what it made of the first
//! one no longer counts. It is never the same day, and both clocks must reach it.

use chrono::{Days, NaiveDate};

use super::clock::Clock;
use super::event::{Event, EventKind, Reschedule};
use super::state::AnnouncedTenant;
use lightsout_model::campaign::Campaign;
use lightsout_model::protocol::Protocol;

/// Why a change gets a new date, as its event and [`lightsout_model::change::Change::why`] say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewDate {
    HoldEnded,
    OptedIn,
}

impl NewDate {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HoldEnded => "hold_ended",
            Self::OptedIn => "opted_in",
        }
    }
}

pub(super) fn reschedule(
    campaign: &Campaign,
    tenant: &AnnouncedTenant,
    protocols: &[Protocol],
    why: NewDate,
    clock: Clock,
) -> Event {
    // No fewer than the announcement gave, whatever the file says by now.
    let announced = tenant.announcement.notice_days.unwrap_or_default();
    let notice_days = campaign.notice_days.max(announced).max(1);
    let date = clock.latest().checked_add_days(Days::new(notice_days.into())).unwrap_or(NaiveDate::MAX);
    let id = &tenant.change.tenant_id;
    Event::new(&campaign.name, id, EventKind::Rescheduled, protocols, clock.now)
        .on_decision(&tenant.change.decision_id)
        .effective(date)
        .told(&Reschedule { why: why.as_str().to_owned(), notice_days })
}
