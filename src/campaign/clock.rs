//! The time that a command is told, and the system's clock beside it. Whoever sets the first must not be able to turn
//! anything off early: what ends a wait needs both.

use chrono::{DateTime, NaiveDate, Utc};

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

    /// The later day of both: a new date is counted from then.
    #[must_use]
    pub fn latest(&self) -> NaiveDate {
        self.now.max(self.wall).date_naive()
    }
}
