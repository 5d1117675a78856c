//! Days and hours of instants, as the account counts them.

use chrono::NaiveDate;
use lightsout_model::time::MICROS_PER_DAY;

/// Days since 1970 of an instant.
#[must_use]
pub(super) fn day_of(micros: i64) -> i32 {
    i32::try_from(micros.div_euclid(MICROS_PER_DAY)).unwrap_or(0)
}

/// The date of a day counted from 1970.
pub(super) fn date(day: i32) -> NaiveDate {
    NaiveDate::from_epoch_days(day).unwrap_or_default()
}

/// The hour of its day.
pub(super) fn hour_of(micros: i64) -> u32 {
    const MICROS_PER_HOUR: i64 = 3_600_000_000;
    u32::try_from(micros.div_euclid(MICROS_PER_HOUR).rem_euclid(24)).unwrap_or(0)
}
