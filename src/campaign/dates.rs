//! The days of a change.

use chrono::{Days, NaiveDate};

use lightsout_model::campaign::Campaign;

/// The day from which protocols may be turned off: the campaign's own, else `notice_days` after the
/// notice.
#[must_use]
pub(super) fn effective_date(campaign: &Campaign, notice_date: NaiveDate) -> NaiveDate {
    let after_notice = || notice_date.checked_add_days(Days::new(campaign.notice_days.into()));
    campaign.effective_date.or_else(after_notice).unwrap_or(NaiveDate::MAX)
}

/// Days from one day to a later one.
pub(super) fn days_between(first: NaiveDate, later: NaiveDate) -> u32 {
    u32::try_from((later - first).num_days()).unwrap_or(0)
}
