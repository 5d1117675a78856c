//! Times as the regional settings of an exporting computer write them: dates with blanks, dots and suffixes, halves of
//! the day in many languages before or behind the clock, English month names. Nothing is guessed: a text is read only
//! if all of it is understood. Dates of the Persian, Islamic and Thai calendars are told by their year, and refused by
//! that name.

use chrono::NaiveDate;

use super::dates::WrittenDate;
use super::{TimeError, assemble, fixed, fraction, zone};

/// A time of day and its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) micros: i64,
    pub(super) offset: i64,
}

impl Clock {
    pub(super) fn on(&self, date: NaiveDate) -> Option<i64> {
        assemble(date, self.hour, self.minute, self.second, self.micros, self.offset)
    }
}

/// Words for the halves of the day, in lower case and without dots and blanks; the second is after noon.
const HALVES: [(&str, bool); 31] = [
    ("am", false),
    ("pm", true),
    ("πμ", false),
    ("μμ", true),
    ("오전", false),
    ("오후", true),
    ("上午", false),
    ("下午", true),
    ("午前", false),
    ("午後", true),
    ("de", false),
    ("du", true),
    ("öö", false),
    ("ös", true),
    ("ص", false),
    ("م", true),
    ("fm", false),
    ("em", true),
    ("sa", false),
    ("ch", true),
    ("dop", false),
    ("odp", true),
    ("凌晨", false),
    ("清晨", false),
    ("早上", false),
    ("中午", true),
    ("晚上", true),
    ("pd", false),
    ("md", true),
    ("pg", false),
    ("ptg", true),
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// What stands between a date and its clock.
const JOINING: [&str; 6] = ["klo", "kl", "at", "t", "um", "alle"];

/// A date and a time of day, as written.
pub(super) fn read(text: &str) -> Result<(WrittenDate, Clock), TimeError> {
    let plain = plain(text);
    let pieces = pieces(&plain).ok_or(TimeError::Unknown)?;
    let (date, rest) = date(&pieces)?;
    let (rest, year_behind) = match date {
        Date::Whole(_) => (rest, None),
        // `Mon Oct 5 08:15:30 2026`
        Date::WithoutYear { .. } => match rest.split_last() {
            Some((Piece::Number(year), before)) if year.len() == 4 => (before, year.parse::<i32>().ok()),
            Some(_) | None => return Err(TimeError::Unknown),
        },
    };
    let date = match (date, year_behind) {
        (Date::Whole(date), _) => date,
        (Date::WithoutYear { month, day }, Some(year)) => {
            WrittenDate::Known(NaiveDate::from_ymd_opt(year, month, day).ok_or(TimeError::Unknown)?)
        }
        (Date::WithoutYear { .. }, None) => return Err(TimeError::Unknown),
    };
    let clock = clock(rest).ok_or(TimeError::Unknown)?;
    Ok((date, clock))
}

/// Lower case, every blank an ordinary one, digits of other scripts as ASCII, no marks of writing direction.
fn plain(text: &str) -> String {
    let of_script = |c: char, zero: u32| {
        let digit = u32::from(c).checked_sub(zero).filter(|digit| *digit < 10)?;
        char::from_digit(digit, 10)
    };
    let mut plain = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' => {}
            '年' | '월' | '月' if plain.ends_with(|before: char| before.is_ascii_digit()) => {
                plain.push('-');
            }
            '년' => plain.push('-'),
            '日' | '일' => plain.push(' '),
            c if c.is_whitespace() => plain.push(' '),
            c => {
                let digit = [0x660, 0x6f0, 0xe50, 0xff10].into_iter().find_map(|zero| of_script(c, zero));
                plain.extend(digit.unwrap_or(c).to_lowercase());
            }
        }
    }
    plain
}

/// A run of digits, a run of letters, or a sign; blanks only separate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Number(&'a str),
    Word(&'a str),
    Sign(char),
}

/// More of them than any time has.
const PIECES_MAX: usize = 40;

fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if pieces.len() == PIECES_MAX {
            return None;
        }
        let run = |is: fn(char) -> bool| rest.find(|c: char| !is(c)).unwrap_or(rest.len());
        let len = if first.is_ascii_digit() {
            let len = run(|c| c.is_ascii_digit());
            pieces.push(Piece::Number(&rest[..len]));
            len
        } else if first.is_alphabetic() {
            let len = run(char::is_alphabetic);
            pieces.push(Piece::Word(&rest[..len]));
            len
        } else {
            pieces.push(Piece::Sign(first));
            first.len_utf8()
        };
        rest = rest[len..].trim_start();
    }
    Some(pieces)
}

enum Date {
    Whole(WrittenDate),
    /// The year stands behind the clock.
    WithoutYear {
        month: u32,
        day: u32,
    },
}

/// Whether a word is a name, whole or by its first three letters.
fn named(word: &str, names: &[&str]) -> Option<usize> {
    let is =
        |name: &&str| name.starts_with(word) && word.len() >= 3 || word == "sept" && **name == *"september";
    names.iter().position(is)
}

fn month(word: &str) -> Option<u32> {
    named(word, &MONTHS).and_then(|at| u32::try_from(at + 1).ok())
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|_| text.len() <= 4)
}

/// The year of a date whose month has a name; of two digits it is of this century.
fn year(text: &str) -> Option<i32> {
    let year = i32::try_from(number(text)?).ok()?;
    match text.len() {
        4 => Some(year),
        2 => Some(2000 + year),
        _ => None,
    }
}

/// The date at the start, and what follows it.
fn date<'p, 'a>(mut pieces: &'p [Piece<'a>]) -> Result<(Date, &'p [Piece<'a>]), TimeError> {
    use Piece::{Number, Sign, Word};
    let known = |year: i32, month: u32, day: u32| {
        calendar(year)?;
        NaiveDate::from_ymd_opt(year, month, day)
            .map(|date| Date::Whole(WrittenDate::Known(date)))
            .ok_or(TimeError::Unknown)
    };
    if let [Word(word), rest @ ..] = pieces
        && named(word, &WEEKDAYS).is_some()
    {
        pieces = behind_signs(rest, &[',', '.']);
    }
    match pieces {
        [Number(day), rest @ ..] if matches!(behind_signs(rest, &['-', '.', '/']), [Word(word), ..] if month(word).is_some()) =>
        {
            let [Word(word), rest @ ..] = behind_signs(rest, &['-', '.', '/']) else {
                return Err(TimeError::Unknown);
            };
            let [Number(last), rest @ ..] = behind_signs(rest, &['-', '.', ',', '/']) else {
                return Err(TimeError::Unknown);
            };
            let month = month(word).ok_or(TimeError::Unknown)?;
            // `2026-Oct-05`
            let (year_text, day) = if day.len() == 4 { (day, last) } else { (last, day) };
            let (year, day) = year(year_text).zip(number(day)).ok_or(TimeError::Unknown)?;
            Ok((known(year, month, day)?, behind_date(rest)))
        }
        [Word(word), Number(day), rest @ ..] => {
            let (month, day) = month(word).zip(number(day)).ok_or(TimeError::Unknown)?;
            match behind_signs(rest, &[',']) {
                [Number(last), more @ ..] if last.len() == 4 && !matches!(more, [Sign(':'), ..]) => {
                    let year = year(last).ok_or(TimeError::Unknown)?;
                    Ok((known(year, month, day)?, behind_date(more)))
                }
                rest => Ok((Date::WithoutYear { month, day }, rest)),
            }
        }
        [
            Number(a),
            Sign(first @ ('/' | '.' | '-')),
            Number(b),
            Sign(second @ ('/' | '.' | '-')),
            Number(c),
            rest @ ..,
        ] if first == second => {
            let (a_number, b_number) = number(a).zip(number(b)).ok_or(TimeError::Unknown)?;
            if a.len() == 4 {
                let year = i32::try_from(a_number).map_err(|_| TimeError::Unknown)?;
                let day = number(c).filter(|_| c.len() <= 2).ok_or(TimeError::Unknown)?;
                return Ok((known(year, b_number, day)?, behind_date(rest)));
            }
            let year = number(c).and_then(|year| i32::try_from(year).ok()).filter(|year| *year >= 1000);
            let year = year.ok_or(TimeError::Unknown)?;
            // No culture writes dots month first.
            if *first == '.' {
                return Ok((known(year, b_number, a_number)?, behind_date(rest)));
            }
            calendar(year)?;
            let date = WrittenDate::Numbers { first: a_number, second: b_number, year };
            Ok((Date::Whole(date), behind_date(rest)))
        }
        _ => Err(TimeError::Unknown),
    }
}

/// Whether a year is of the Gregorian calendar, as far as years in which logs are written tell.
fn calendar(year: i32) -> Result<(), TimeError> {
    match year {
        1380..=1420 => Err(TimeError::OtherCalendar("Persian")),
        1430..=1480 => Err(TimeError::OtherCalendar("Islamic (Hijri)")),
        2540..=2620 => Err(TimeError::OtherCalendar("Thai Buddhist")),
        _ => Ok(()),
    }
}

fn behind_signs<'p, 'a>(mut pieces: &'p [Piece<'a>], signs: &[char]) -> &'p [Piece<'a>] {
    while let [Piece::Sign(sign), rest @ ..] = pieces
        && signs.contains(sign)
    {
        pieces = rest;
    }
    pieces
}

/// What follows a date: `2026. 10. 05.`, `5.10.2026 г.`, a comma, a word for the clock.
fn behind_date<'p, 'a>(pieces: &'p [Piece<'a>]) -> &'p [Piece<'a>] {
    let mut pieces = behind_signs(pieces, &['.', ',', '-', '@']);
    if let [Piece::Word("г" | "р" | "r" | "g"), rest @ ..] = pieces {
        pieces = behind_signs(rest, &['.', ',']);
    }
    if let [Piece::Word(word), rest @ ..] = pieces
        && JOINING.contains(word)
    {
        pieces = behind_signs(rest, &['.', ',']);
    }
    pieces
}

/// A half of the day at the start, and what follows it; its letters may have dots between.
fn half<'p, 'a>(pieces: &'p [Piece<'a>]) -> Option<(bool, &'p [Piece<'a>])> {
    let mut word = String::new();
    let mut rest = pieces;
    while let [Piece::Word(part), more @ ..] = rest
        && word.chars().count() < 3
    {
        word.push_str(part);
        rest = behind_signs(more, &['.']);
        if let Some((_, afternoon)) = HALVES.iter().find(|(known, _)| *known == word) {
            return Some((*afternoon, rest));
        }
    }
    None
}

/// The time of day at the start, as hour, minute, second and microseconds, and what follows it.
type TimeOfDay<'p, 'a> = (&'a str, &'a str, u32, i64, &'p [Piece<'a>]);

fn time_of_day<'p, 'a>(pieces: &'p [Piece<'a>]) -> Option<TimeOfDay<'p, 'a>> {
    use Piece::{Number, Sign, Word};
    // `08 h 15 min 30 s`, in Canadian French.
    if let [Number(hour), Word("h"), Number(minute), Word("min"), Number(second), Word("s"), rest @ ..] =
        pieces
    {
        return Some((hour, minute, two_digits(second)?, 0, rest));
    }
    let [Number(hour), Sign(colon @ (':' | '.')), Number(minute), rest @ ..] = pieces else { return None };
    let (second, micros, rest) = match rest {
        [Sign(sign), Number(second), Sign('.' | ','), Number(fraction_digits), rest @ ..]
            if sign == colon =>
        {
            let (micros, _) = fraction(format!(".{fraction_digits}").as_bytes(), 0)?;
            (two_digits(second)?, micros, rest)
        }
        [Sign(sign), Number(second), rest @ ..] if sign == colon => (two_digits(second)?, 0, rest),
        rest => (0, 0, rest),
    };
    // `08:15:30 ч.`, `08:15:30 Uhr`
    let rest = if let [Word("ч" | "uhr"), rest @ ..] = rest { behind_signs(rest, &['.']) } else { rest };
    Some((hour, minute, second, micros, rest))
}

/// `h:mm[:ss[.fff]]` with a half of the day before or behind, and a zone; some cultures write dots for the colons.
fn clock(pieces: &[Piece<'_>]) -> Option<Clock> {
    let (before, pieces) = half(pieces).map_or((None, pieces), |(afternoon, rest)| (Some(afternoon), rest));
    let (hour, minute, second, micros, rest) = time_of_day(pieces)?;
    let (behind, rest) = half(rest).map_or((None, rest), |(afternoon, rest)| (Some(afternoon), rest));
    let hour = hour.parse::<u32>().ok().filter(|_| hour.len() <= 2)?;
    let hour = match (before, behind) {
        (Some(_), Some(_)) => return None,
        (Some(afternoon), None) | (None, Some(afternoon)) => {
            // Some write noon and midnight as 0.
            let hour = if hour == 12 { 0 } else { hour };
            (hour < 12).then_some(hour + if afternoon { 12 } else { 0 })?
        }
        (None, None) => hour,
    };
    let mut zone_text = String::new();
    for piece in rest {
        match piece {
            Piece::Number(text) | Piece::Word(text) => zone_text.push_str(text),
            Piece::Sign(sign) => zone_text.push(*sign),
        }
    }
    let zone_text = zone_text.to_ascii_uppercase();
    let zone_text = zone_text.strip_prefix("UTC").filter(|rest| !rest.is_empty()).unwrap_or(&zone_text);
    let offset = zone(zone_text.as_bytes())?;
    Some(Clock { hour, minute: two_digits(minute)?, second, micros, offset })
}

fn two_digits(text: &str) -> Option<u32> {
    fixed(text.as_bytes(), 0, 2).filter(|_| text.len() == 2)
}

#[cfg(test)]
mod tests;
