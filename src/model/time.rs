//! The time spellings of sign-in logs, read exactly: UTC microseconds, the seventh digit cut.
//! A spelling without a zone is UTC. Whether `3/4/2026` is in March or in April is not for a single
//! record to say: `dates` settles it for a file.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, NaiveTime};

mod dates;
mod written;

pub use dates::{DateEvidence, DateOrder, Undecided};

const MICROS_PER_SECOND: i64 = 1_000_000;

pub const MICROS_PER_DAY: i64 = 86_400_000_000;

/// 2010-01-01: Entra logs begin later.
pub const EARLIEST: i64 = 1_262_304_000_000_000;

/// Whether a log that is read at `now` may tell of that instant: not before 2010, nor more than a day ahead.
#[must_use]
pub fn is_possible(at: i64, now: i64) -> bool {
    (EARLIEST..=now + MICROS_PER_DAY).contains(&at)
}

/// Why a text gives no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeError {
    Unknown,
    /// Day or month may come first, and nothing tells which.
    Unsettled,
    /// Its year is of the calendar of that name.
    OtherCalendar(&'static str),
}

/// Microseconds since 1970 of any spelling that is known.
///
/// Known: `2026-10-05T08:15:30.1234567Z`, the same with an offset, without a zone or with a blank
/// for the `T`; `10/5/2026 8:15:30 AM`, with fraction, comma, offset, in 24 hours or without
/// seconds, day and month in the order of `dates`; `5.10.2026 08:15:30`; `/Date(1759652130123)/`; seconds or
/// milliseconds since 1970, or micro- and nanoseconds; the days that Excel counts (`46300.34404`); and what regional settings make of these, as `written` has it.
///
/// # Errors
/// Fails if the text is none of them.
pub fn parse(text: &str, dates: DateOrder) -> Result<i64, TimeError> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let known = exported(bytes).or_else(|| iso(bytes)).or_else(|| in_numbers(bytes, dates));
    let in_one_number = || json_date(text).or_else(|| since_1970(text)).or_else(|| serial(text));
    if let Some(micros) = known.or_else(in_one_number) {
        return Ok(micros);
    }
    in_words(text, dates)
}

/// Any spelling whose parts are told by what is between them.
fn in_words(text: &str, dates: DateOrder) -> Result<i64, TimeError> {
    let (date, time) = written::read(text)?;
    let date = date.resolve(dates)?;
    time.on(date).ok_or(TimeError::Unknown)
}

/// Microseconds since 1970 of an ISO 8601 time.
#[must_use]
pub fn of_iso(text: &str) -> Option<i64> {
    iso(text.trim().as_bytes())
}

/// `2026-10-05T08:15:30.1234567` with `Z` or `+00:00`, as exporters write nearly all times.
fn exported(bytes: &[u8]) -> Option<i64> {
    let (text, zone) = bytes.split_first_chunk::<27>()?;
    if !matches!(zone, b"Z" | b"+00:00") {
        return None;
    }
    let mut digits = [0; 27];
    let mut wrong = 0;
    for (at, (digit, byte)) in digits.iter_mut().zip(text).enumerate() {
        let separator = match at {
            4 | 7 => b'-',
            10 => b'T',
            13 | 16 => b':',
            19 => b'.',
            _ => {
                *digit = i64::from(byte.wrapping_sub(b'0'));
                wrong |= u8::from(byte.wrapping_sub(b'0') > 9);
                continue;
            }
        };
        wrong |= byte ^ separator;
    }
    let number = |places: Range<usize>| digits[places].iter().fold(0, |number, digit| number * 10 + digit);
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (hour, minute, second) = (number(11..13), number(14..16), number(17..19));
    // Days that not every month has, leap seconds and what is no time are for the general way.
    if wrong != 0
        || !(1..=12).contains(&month)
        || !(1..=28).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    // Years that begin in March have their odd day last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leaps + (month * 153 + 2) / 5 + day - 1 - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * MICROS_PER_SECOND + number(20..26))
}

/// Digits of a fixed width.
fn fixed(bytes: &[u8], at: usize, width: usize) -> Option<u32> {
    let digits = bytes.get(at..at + width)?;
    digits
        .iter()
        .try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

fn iso(bytes: &[u8]) -> Option<i64> {
    let separators = [bytes.get(4)?, bytes.get(7)?, bytes.get(13)?, bytes.get(16)?];
    if separators != [&b'-', &b'-', &b':', &b':'] || !matches!(bytes.get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(fixed(bytes, 0, 4)?).ok()?,
        fixed(bytes, 5, 2)?,
        fixed(bytes, 8, 2)?,
    )?;
    let (hour, minute, second) = (fixed(bytes, 11, 2)?, fixed(bytes, 14, 2)?, fixed(bytes, 17, 2)?);
    let (micros, at) = fraction(bytes, 19)?;
    let offset = zone(&bytes[at..])?;
    assemble(date, hour, minute, second, micros, offset)
}

/// The fraction from `at` on, if there is one: microseconds and where it ends.
fn fraction(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    if !matches!(bytes.get(at), Some(b'.' | b',')) {
        return Some((0, at));
    }
    let mut micros = 0;
    let mut digits = 0;
    while let Some(byte) = bytes.get(at + 1 + digits).filter(|byte| byte.is_ascii_digit()) {
        if digits < 6 {
            micros = micros * 10 + i64::from(byte - b'0');
        }
        digits += 1;
    }
    if digits == 0 || digits > 12 {
        return None;
    }
    for _ in digits..6 {
        micros *= 10;
    }
    Some((micros, at + 1 + digits))
}

/// Seconds east of UTC: nothing, `Z`, `UTC`, `+01:00`, `-0500`, `+01`.
fn zone(rest: &[u8]) -> Option<i64> {
    let rest = rest.trim_ascii();
    match rest {
        b"" | b"Z" | b"z" | b"UTC" | b"GMT" => Some(0),
        [sign @ (b'+' | b'-'), offset @ ..] => {
            let minutes = match offset.len() {
                2 => 0,
                4 => fixed(offset, 2, 2)?,
                5 if offset[2] == b':' => fixed(offset, 3, 2)?,
                _ => return None,
            };
            let hours = fixed(offset, 0, 2)?;
            if hours > 14 || minutes > 59 {
                return None;
            }
            let seconds = i64::from(hours * 3600 + minutes * 60);
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn assemble(date: NaiveDate, hour: u32, minute: u32, second: u32, micros: i64, offset: i64) -> Option<i64> {
    // A leap second is the last microsecond of its minute: the logs' clocks do not count it.
    let (second, micros) = if second == 60 { (59, MICROS_PER_SECOND - 1) } else { (second, micros) };
    let time = NaiveTime::from_hms_opt(hour, minute, second)?;
    let seconds = date.and_time(time).and_utc().timestamp() - offset;
    seconds.checked_mul(MICROS_PER_SECOND)?.checked_add(micros)
}

/// `10/5/2026, 8:15:30.123 AM` in a known order, the spelling of most tables, without looking for anything;
/// `None` for any other, and what is no time.
fn in_numbers(bytes: &[u8], dates: DateOrder) -> Option<i64> {
    let (first, at) = one_or_two(bytes, 0)?;
    let (second, at) = one_or_two(bytes, behind(bytes, at, b'/')?)?;
    let at = behind(bytes, at, b'/')?;
    let year = fixed(bytes, at, 4).filter(|year| *year >= 1000)?;
    let at = behind(bytes, at + 4, b',').unwrap_or(at + 4);
    let (hour, at) = one_or_two(bytes, behind(bytes, at, b' ')?)?;
    let at = behind(bytes, at, b':')?;
    let (minute, second_of_minute) = (fixed(bytes, at, 2)?, fixed(bytes, behind(bytes, at + 2, b':')?, 2)?);
    let (micros, at) = fraction(bytes, at + 5)?;
    let afternoon = match &bytes[at..] {
        b" AM" => 0,
        b" PM" => 12,
        _ => return None,
    };
    let (month, day) = match dates {
        DateOrder::MonthFirst => (first, second),
        DateOrder::DayFirst => (second, first),
        DateOrder::Unsettled => return None,
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let hour = (1..=12).contains(&hour).then_some(hour % 12 + afternoon)?;
    assemble(date, hour, minute, second_of_minute, micros, 0)
}

/// A number of one digit or two, and where it ends.
fn one_or_two(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let digit =
        |at: usize| bytes.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0'));
    let first = digit(at)?;
    Some(digit(at + 1).map_or((first, at + 1), |second| (first * 10 + second, at + 2)))
}

/// What follows the byte at `at`, if it is `expected`.
fn behind(bytes: &[u8], at: usize, expected: u8) -> Option<usize> {
    (bytes.get(at) == Some(&expected)).then_some(at + 1)
}

/// `/Date(1759652130123)/`, as PowerShell 5 writes JSON: milliseconds since 1970, whatever offset it adds.
fn json_date(text: &str) -> Option<i64> {
    let text = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = text.rfind(['+', '-']).filter(|at| *at > 0).unwrap_or(text.len());
    text[..end].parse::<i64>().ok()?.checked_mul(1000)
}

/// Seconds (ten digits, perhaps with a fraction), milliseconds (thirteen), micro- (sixteen) or nanoseconds (nineteen)
/// since 1970.
fn since_1970(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    match (whole.len(), rest) {
        (10, None) => number.checked_mul(MICROS_PER_SECOND),
        (13, None) => number.checked_mul(1000),
        (16, None) => Some(number),
        (19, None) => Some(number / 1000),
        (10, Some(rest)) => {
            let (micros, end) = fraction(format!(".{rest}").as_bytes(), 0)?;
            (end == rest.len() + 1).then_some(number * MICROS_PER_SECOND + micros)
        }
        _ => None,
    }
}

/// Days since 30 December 1899 with a fraction, which is what Excel keeps of a time, and shows where a cell has no
/// format. It is exact to the millisecond.
fn serial(text: &str) -> Option<i64> {
    const DAY_1970: i64 = 25_569;
    const YEARS_2000_TO_2099: std::ops::Range<i64> = 36_526..73_051;
    const DIGITS_MAX: usize = 15;
    let (whole, rest) = text.split_once(['.', ','])?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(rest) || rest.len() > DIGITS_MAX {
        return None;
    }
    let day: i64 = whole.parse().ok().filter(|day| YEARS_2000_TO_2099.contains(day))?;
    let day_fraction: f64 = format!("0.{rest}").parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "at most the milliseconds of a day")]
    let millis = (day_fraction * 86_400_000.0).round() as i64;
    Some(((day - DAY_1970) * 86_400_000 + millis) * 1000)
}

/// RFC 3339 with six digits, as every output writes times.
#[must_use]
pub fn format(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .map(|time| time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_seen_in_the_wild_names_its_instant() {
        for (text, expected) in [
            ("2022-01-24T05:10:08.6816663Z", "2022-01-24T05:10:08.681666Z"),
            ("2022-01-24T05:10:08.6816663+00:00", "2022-01-24T05:10:08.681666Z"),
            ("2022-01-24T00:10:08-05:00", "2022-01-24T05:10:08.000000Z"),
            ("2023-07-21 05:03:52.160562400", "2023-07-21T05:03:52.160562Z"),
            ("2023-07-21T05:03:52", "2023-07-21T05:03:52.000000Z"),
            ("11/14/2025 1:48:53 AM", "2025-11-14T01:48:53.000000Z"),
            ("6/15/2026, 12:40:24.178 PM", "2026-06-15T12:40:24.178000Z"),
            ("1/9/2007 10:41:00 AM +01:00", "2007-01-09T09:41:00.000000Z"),
            ("01/09/2007 09:41:00", "2007-01-09T09:41:00.000000Z"),
            ("12/31/2026 12:00:00 AM", "2026-12-31T00:00:00.000000Z"),
            ("15.11.2025 03:55:59", "2025-11-15T03:55:59.000000Z"),
            ("5.11.2025 3.55.59", "2025-11-05T03:55:59.000000Z"),
            ("2025/11/15 03:55", "2025-11-15T03:55:00.000000Z"),
            ("11/14/2025 1:48:53\u{202f}PM", "2025-11-14T13:48:53.000000Z"),
            ("3/4/2025 1:48:53 p.m.", "2025-03-04T13:48:53.000000Z"),
            ("/Date(1759652130123)/", "2025-10-05T08:15:30.123000Z"),
            ("45935.34409722222", "2025-10-05T08:15:30.000000Z"),
            ("45935,5", "2025-10-05T12:00:00.000000Z"),
            ("2024-02-29T23:59:60Z", "2024-02-29T23:59:59.999999Z"),
            ("2024-02-29T23:59:59.9999999Z", "2024-02-29T23:59:59.999999Z"),
        ] {
            assert_eq!(parse(text, DateOrder::MonthFirst).map(format).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn the_way_for_most_times_agrees_with_the_general_one_on_every_day() {
        let mut taken = 0;
        for day in 0..400 * 366 {
            let seconds = i64::from(day) * 86_399 - 30_000_000_000;
            let Some(time) = DateTime::from_timestamp(seconds, 123_456_700) else { continue };
            for zone in ["Z", "+00:00"] {
                let text = format!("{}{zone}", time.format("%Y-%m-%dT%H:%M:%S.1234567"));
                if let Some(micros) = exported(text.as_bytes()) {
                    taken += 1;
                    assert_eq!(Some(micros), iso(text.as_bytes()), "{text}");
                }
            }
        }
        assert!(taken > 200_000, "{taken}");
        for odd in [
            "2026-02-30T08:15:30.1234567Z",
            "2026-13-05T08:15:30.1234567Z",
            "2026-10-05T24:15:30.1234567Z",
            "2026-10-05T08:15:60.1234567Z",
            "2026-10-05T08:15:30.123456Z",
            "2026-10-05T08:15:30.12345678Z",
            "2026-10-05T08:15:30.1234567+01:00",
            "2026-10-05t08:15:30.1234567Z",
            "2026-10-0aT08:15:30.1234567Z",
            "2026-10-05T08:15:30.123456:Z",
        ] {
            assert_eq!(exported(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn the_quick_way_reads_as_the_general_one() {
        let dates = [
            "9/21/2026",
            "21/9/2026",
            "09/05/2026",
            "2/29/2025",
            "0/1/2026",
            "1/1/0999",
            "1/123/2026",
            "1/2/26",
        ];
        let clocks =
            ["1:02:03 AM", "12:00:59.9999999 PM", "13:00:00 PM", "0:00:00 AM", "11:60:00 AM", "1:02:60 PM"];
        let more = [
            "1:02:03,5 PM",
            "1:02:03. AM",
            "01:02 AM",
            "1:02:03",
            "1:02:03 am",
            "1:02:03 AM Z",
            "101:02:03 AM",
        ];
        let mut quick = 0;
        for date in dates {
            for clock in clocks.into_iter().chain(more) {
                for between in [" ", ", ", ",", "T", "  "] {
                    let text = format!("{date}{between}{clock}");
                    for order in [DateOrder::MonthFirst, DateOrder::DayFirst, DateOrder::Unsettled] {
                        if let Some(micros) = in_numbers(text.as_bytes(), order) {
                            assert_eq!(in_words(&text, order), Ok(micros), "{text}");
                            quick += 1;
                        }
                    }
                }
            }
        }
        assert!(quick > 20, "{quick} read the quick way");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "2026-02-30T00:00:00Z",
            "2026-10-05",
            "2026-10-05T25:00:00Z",
            "2026-10-05T08:15:30.Z",
            "2026-10-05T08:15:30+25:00",
            "13/14/2026 1:00:00 AM",
            "0/0/0000 0:00:00",
            "10/5/2026 13:00:00 PM",
            "2026-10-05T08:15:30ZZ",
            "99999999999999999999",
            "45935",
            "12345.5",
            "45935.",
            "45935.5e3",
        ] {
            assert_eq!(parse(text, DateOrder::MonthFirst), Err(TimeError::Unknown), "{text}");
        }
    }
}
