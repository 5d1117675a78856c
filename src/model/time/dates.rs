//! Dates written in numbers: which of them is the day. Evidence is gathered over a whole file, and
//! what it can't settle is not guessed.

use chrono::NaiveDate;

use super::{TimeError, written};

/// Which comes first in `3/4/2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    MonthFirst,
    DayFirst,
    /// Not known: only dates that can be read one way are read.
    #[default]
    Unsettled,
}

/// A date as written, not resolved yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrittenDate {
    Known(NaiveDate),
    /// Two numbers, either of which may be the day.
    Numbers {
        first: u32,
        second: u32,
        year: i32,
    },
}

impl WrittenDate {
    pub(super) fn resolve(self, order: DateOrder) -> Result<NaiveDate, TimeError> {
        let (first, second, year) = match self {
            Self::Known(date) => return Ok(date),
            Self::Numbers { first, second, year } => (first, second, year),
        };
        let month_first = NaiveDate::from_ymd_opt(year, first, second);
        let day_first = NaiveDate::from_ymd_opt(year, second, first);
        let date = match (order, month_first, day_first) {
            (DateOrder::MonthFirst, date, _) | (DateOrder::DayFirst, _, date) => date,
            (DateOrder::Unsettled, Some(a), Some(b)) if a != b => return Err(TimeError::Unsettled),
            (DateOrder::Unsettled, a, b) => a.or(b),
        };
        date.ok_or(TimeError::Unknown)
    }
}

/// What the dates of a file show of their order.
#[derive(Debug, Clone, Default)]
pub struct DateEvidence {
    /// Dates that can only be read month first, and only day first.
    month_first: u64,
    day_first: u64,
    /// Dates that can be read either way, and mean two days.
    either: u64,
    /// The first of them, for the message.
    example: Option<String>,
}

/// Why a file's dates can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{either} {} can be read day first or month first, such as '{example}', and {why}",
    if *either == 1 { "date" } else { "dates" }
)]
pub struct Undecided {
    either: u64,
    example: String,
    why: &'static str,
}

impl DateEvidence {
    /// Whether a time is written so that the order of day and month matters.
    #[must_use]
    pub fn concerns(text: &str) -> bool {
        matches!(written::read(text), Ok((WrittenDate::Numbers { .. }, _)))
    }

    /// Takes one time into account. A reading that lies after `latest` is none: no log is from the
    /// future.
    pub fn see(&mut self, text: &str, latest: i64) {
        let Ok((date @ WrittenDate::Numbers { .. }, clock)) = written::read(text) else { return };
        let reading = |order| {
            let date = date.resolve(order).ok()?;
            clock.on(date).filter(|at| *at <= latest)
        };
        match (reading(DateOrder::MonthFirst), reading(DateOrder::DayFirst)) {
            (Some(a), Some(b)) if a != b => {
                self.either += 1;
                self.example.get_or_insert_with(|| text.trim().to_owned());
            }
            (Some(_), None) => self.month_first += 1,
            (None, Some(_)) => self.day_first += 1,
            _ => {}
        }
    }

    /// Whether a time shows nothing that would change an order which earlier ones have shown: it can be
    /// read in that order. Much cheaper than to [`see`](Self::see) it.
    #[must_use]
    pub fn confirmed_by(&self, text: &str, latest: i64) -> bool {
        let order = match (self.month_first, self.day_first) {
            (1.., 0) => DateOrder::MonthFirst,
            (0, 1..) => DateOrder::DayFirst,
            _ => return false,
        };
        super::in_numbers(text.trim().as_bytes(), order).is_some_and(|at| at <= latest)
    }

    /// Whether some times can only be read in one order, and others only in the other.
    #[must_use]
    pub fn contradicts(&self) -> bool {
        self.month_first > 0 && self.day_first > 0
    }

    /// The order that holds for the whole file.
    ///
    /// # Errors
    /// Fails if some dates can be read either way, and no other date of the file tells which, or two
    /// tell different things.
    pub fn settle(&self) -> Result<DateOrder, Undecided> {
        let undecided =
            |why| Undecided { either: self.either, example: self.example.clone().unwrap_or_default(), why };
        match (self.month_first, self.day_first, self.either) {
            (1.., 0, _) => Ok(DateOrder::MonthFirst),
            (0, 1.., _) => Ok(DateOrder::DayFirst),
            (_, _, 0) => Ok(DateOrder::Unsettled),
            (0, 0, _) => Err(undecided("no other date of the file tells which")),
            _ => Err(undecided("the file's other dates are of both kinds")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(times: &[&str]) -> Result<DateOrder, Undecided> {
        let latest = super::super::parse("2026-11-24T00:00:00Z", DateOrder::Unsettled).expect("a time");
        let mut evidence = DateEvidence::default();
        for time in times {
            evidence.see(time, latest);
        }
        evidence.settle()
    }

    #[test]
    fn a_day_after_the_twelfth_settles_the_whole_file() {
        assert_eq!(settle(&["3/4/2026 1:00:00 AM", "3/25/2026 1:00:00 AM"]), Ok(DateOrder::MonthFirst));
        assert_eq!(settle(&["3/4/2026 1:00:00 AM", "25/3/2026 1:00:00 AM"]), Ok(DateOrder::DayFirst));
    }

    #[test]
    fn no_log_is_from_the_future() {
        assert_eq!(settle(&["12/11/2026 08:00:00"]), Ok(DateOrder::DayFirst));
    }

    #[test]
    fn a_time_that_confirms_an_order_does_not_change_what_holds() {
        let latest = super::super::parse("2026-11-24T00:00:00Z", DateOrder::Unsettled).expect("a time");
        let known = ["3/25/2026 1:00:00 AM", "25/3/2026, 1:00:00 AM"];
        for time in [
            "3/4/2026 1:00:00 AM",
            "4/4/2026, 1:00:00.5 AM",
            "3/25/2026 1:00:00 PM",
            "25/3/2026 1:00:00 PM",
            "12/11/2026 8:00:00 AM",
            "11/12/2026 8:00:00 AM",
            "2026-04-03T01:00:00Z",
            "yesterday",
        ] {
            for known in known {
                let mut evidence = DateEvidence::default();
                evidence.see(known, latest);
                let before = evidence.settle();
                if evidence.confirmed_by(time, latest) {
                    evidence.see(time, latest);
                    assert_eq!(evidence.settle(), before, "{time} after {known}");
                }
            }
        }
        let mut evidence = DateEvidence::default();
        assert!(!evidence.confirmed_by(known[0], latest), "nothing is known");
        evidence.see(known[0], latest);
        assert!(evidence.confirmed_by("3/4/2026, 1:00:00 AM", latest));
        assert!(!evidence.confirmed_by(known[1], latest) && !evidence.contradicts());
        evidence.see(known[1], latest);
        assert!(evidence.contradicts());
    }

    #[test]
    fn what_nothing_settles_is_not_guessed() {
        assert!(settle(&["3/4/2026 1:00:00 AM"]).is_err());
        assert!(settle(&["3/4/2026 1:00", "3/25/2026 1:00", "25/3/2026 1:00"]).is_err());
        assert_eq!(settle(&["4/4/2026 1:00:00 AM"]), Ok(DateOrder::Unsettled));
        assert_eq!(settle(&["2026-04-03T01:00:00Z", "3.4.2026 01:00:00"]), Ok(DateOrder::Unsettled));
    }
}
