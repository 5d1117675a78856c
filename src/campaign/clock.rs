//! The time that a command is told, and the system's clock beside it. Whoever sets the first must not be able to turn
//! anything off early: what ends a wait needs both.

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};

/// A lake that nothing was added to for that long is no lake that a campaign is run on.
const AHEAD_DAYS_MAX: i64 = 180;

/// What a lake says of the time that it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LakeTimes {
    /// Of the accepted records.
    pub last_log_day: Option<NaiveDate>,
    pub last_ingest: Option<DateTime<Utc>>,
}

/// The system's clock can't be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockStop {
    #[error(
        "the system clock says {}, and the lake has sign-ins of {day}. Nothing was recorded; set the clock, then run the \
         command again",
        written(*wall)
    )]
    Slow { wall: DateTime<Utc>, day: NaiveDate },
    #[error(
        "the system clock says {}, and the newest log in the lake is of {newest}. Nothing was recorded; set the clock, or, \
         if it is right, ingest the latest logs first",
        written(*wall)
    )]
    Fast { wall: DateTime<Utc>, newest: NaiveDate },
}

fn written(wall: DateTime<Utc>) -> String {
    wall.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Both times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The time that it is said to be: `--now`, else the system's clock.
    pub now: DateTime<Utc>,
    /// The system's clock; in a rehearsal, `now`.
    pub wall: DateTime<Utc>,
}

impl Clock {
    /// A clock that nobody has set.
    #[must_use]
    pub const fn of(now: DateTime<Utc>) -> Self {
        Self { now, wall: now }
    }

    /// The day that it is said to be.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.now.date_naive()
    }

    /// A day that both clocks have reached: what is due is due by then.
    #[must_use]
    pub fn reached(&self) -> NaiveDate {
        self.now.min(self.wall).date_naive()
    }

    /// Whether the system's clock can be right, by what the lake holds. An announcement by a clock that is slow would be
    /// due as soon as the clock is set.
    ///
    /// # Errors
    /// Fails if sign-ins of the lake are later than the clock permits, or if nothing of it is anywhere near.
    pub fn fits(&self, lake: LakeTimes) -> Result<(), ClockStop> {
        let today = self.wall.date_naive();
        // Records may be up to a day after the clock that they were ingested by.
        if let Some(day) = lake.last_log_day.filter(|day| *day > today + TimeDelta::days(1)) {
            return Err(ClockStop::Slow { wall: self.wall, day });
        }
        let newest = lake.last_log_day.max(lake.last_ingest.map(|at| at.date_naive()));
        match newest.filter(|newest| today - *newest > TimeDelta::days(AHEAD_DAYS_MAX)) {
            Some(newest) => Err(ClockStop::Fast { wall: self.wall, newest }),
            None => Ok(()),
        }
    }

    /// The later day of both: a new date is counted from then.
    #[must_use]
    pub fn latest(&self) -> NaiveDate {
        self.now.max(self.wall).date_naive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> DateTime<Utc> {
        time.parse().expect("a time")
    }

    fn lake(day: &str, ingested: &str) -> LakeTimes {
        LakeTimes { last_log_day: day.parse().ok(), last_ingest: ingested.parse().ok() }
    }

    // A year slow, then set right: what it announced was due at once.
    #[test]
    fn a_clock_that_the_logs_contradict_is_refused() {
        let logs = lake("2026-11-01", "2026-11-02T06:00:00Z");
        for (wall, stop) in [
            ("2025-11-02T09:00:00Z", Some("slow")),
            ("2026-10-30T23:59:59Z", Some("slow")),
            ("2026-10-31T00:00:00Z", None),
            ("2026-11-02T09:00:00Z", None),
            ("2027-05-01T09:00:00Z", None),
            ("2027-05-02T09:00:00Z", Some("fast")),
        ] {
            let stopped = match Clock::of(at(wall)).fits(logs) {
                Ok(()) => None,
                Err(ClockStop::Slow { .. }) => Some("slow"),
                Err(ClockStop::Fast { .. }) => Some("fast"),
            };
            assert_eq!(stopped, stop, "{wall}");
        }
        assert_eq!(Clock::of(at("2026-11-02T09:00:00Z")).fits(LakeTimes::default()), Ok(()));
    }
}
