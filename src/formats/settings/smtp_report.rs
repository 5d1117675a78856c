//! The Exchange admin center's "SMTP AUTH clients" report as CSV: one row for each sender, and since
//! October 2024 how it authenticated. It tells of messages, not of sign-ins, and of 7 to 90 days as a
//! whole.
//!
//! A row that cannot be read counts as a sender of whom nothing is known: it may be one by Basic
//! Authentication.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use lightsout_model::evidence::DayRange;
use lightsout_model::settings::{REPORT_DAYS_MAX, SmtpReport};

use super::header::{self, Column};
use super::{ADDRESSES_MAX, short};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A report that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub report: SmtpReport,
    pub basic_senders: Vec<String>,
    pub unclear_senders: Vec<String>,
}

/// How one sender authenticated, the worst that some row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Method {
    Modern,
    Unclear,
    Basic,
}

/// Whether a text begins with the header of such a report, behind lines for a spreadsheet program.
#[must_use]
pub fn is_report(header: &str) -> bool {
    columns(header).is_some()
}

/// The delimiter that makes a header of it, and the columns.
fn columns(header: &str) -> Option<(u8, Vec<Option<Column>>)> {
    DELIMITERS.into_iter().find_map(|delimiter| {
        let mut reader = reader(header, delimiter);
        let row = reader.records().next()?.ok()?;
        Some((delimiter, header::read(row.iter())?))
    })
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

/// Lines at the start that are for a program: `sep=;`, `#TYPE …`.
fn without_preamble(mut text: &str) -> &str {
    loop {
        text = text.trim_start_matches(['\u{feff}', '\r', '\n', ' ']);
        if !text.starts_with("sep=") && !text.starts_with("#TYPE ") {
            return text;
        }
        text = text.split_once('\n').map_or("", |(_, rest)| rest);
    }
}

/// Reads a report; `name` is the file's, which may state its days.
///
/// # Errors
/// Fails if it is no such report.
pub fn parse(text: &str, name: &str) -> Result<Read, String> {
    let text = without_preamble(text);
    let Some((delimiter, columns)) = columns(text) else {
        return Err("expected the header of an \"SMTP AUTH clients\" report".to_owned());
    };
    let places = |wanted: Column| {
        let is = move |(at, column): (usize, &Option<Column>)| (*column == Some(wanted)).then_some(at);
        columns.iter().enumerate().filter_map(is)
    };
    let mut report = SmtpReport {
        says_protocol: places(Column::Protocol).chain(places(Column::BasicMessages)).next().is_some(),
        ..SmtpReport::default()
    };
    let mut senders: BTreeMap<String, Method> = BTreeMap::new();
    let (mut first_day, mut last_day) = (None, None);
    for row in reader(text, delimiter).records().skip(1) {
        report.rows += 1;
        let row = row.ok().filter(|row| row.len() == columns.len());
        let cell = |row: &csv::StringRecord, wanted| {
            let at = places(wanted).next()?;
            row.get(at).filter(|cell| !cell.is_empty()).map(str::to_owned)
        };
        let Some((row, sender)) = row.and_then(|row| cell(&row, Column::Sender).map(|sender| (row, sender)))
        else {
            report.unreadable_rows += 1;
            continue;
        };
        let number = |wanted| cell(&row, wanted).and_then(|cell| number(&cell));
        report.messages = report.messages.saturating_add(number(Column::Messages).unwrap_or(0));
        let day = |wanted| cell(&row, wanted).and_then(|cell| cell.get(..10)?.parse::<NaiveDate>().ok());
        first_day = first_day.into_iter().chain(day(Column::FirstDay)).min();
        last_day = last_day.max(day(Column::LastDay));
        let words = places(Column::Protocol).filter_map(|at| row.get(at).filter(|cell| !cell.is_empty()));
        let method = match words.max_by_key(|word| method(word)).map(str::to_owned) {
            // Two columns that contradict each other: the worse one counts.
            Some(word) if number(Column::BasicMessages).is_some_and(|messages| messages > 0) => {
                method(&word).max(Method::Basic)
            }
            Some(word) => method(&word),
            None => match (number(Column::BasicMessages), number(Column::OauthMessages)) {
                (Some(1..), _) => Method::Basic,
                (Some(0), Some(1..)) => Method::Modern,
                _ => Method::Unclear,
            },
        };
        let known = senders.entry(short(&sender).to_lowercase()).or_insert(method);
        *known = method.max(*known);
    }
    let of = |wanted: Method| senders.iter().filter(move |(_, method)| **method == wanted);
    let count = |wanted| of(wanted).count() as u64;
    report.senders = senders.len() as u64 + report.unreadable_rows;
    report.basic_senders = count(Method::Basic);
    report.unclear_senders = count(Method::Unclear) + report.unreadable_rows;
    let in_rows = first_day.zip(last_day).map(|(first, last)| DayRange { first, last });
    let (in_name, last_in_name) = days_in_name(name);
    report.days = in_rows.filter(|days| is_possible(*days)).or(in_name);
    report.last_day = report.days.map(|days| days.last).or(last_in_name);
    let addresses = |wanted| of(wanted).take(ADDRESSES_MAX).map(|(sender, _)| sender.clone()).collect();
    Ok(Read { report, basic_senders: addresses(Method::Basic), unclear_senders: addresses(Method::Unclear) })
}

/// A number as people and spreadsheets write it: `1,234`, `1.234`, `1 234`.
fn number(cell: &str) -> Option<u64> {
    let digits: String = cell.chars().filter(char::is_ascii_digit).collect();
    let others =
        cell.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | ' ' | '\u{a0}' | '\u{202f}'));
    digits.parse().ok().filter(|_| others)
}

fn method(word: &str) -> Method {
    let word = word.to_lowercase();
    let holds = |known: &[&str]| known.iter().any(|known| word.contains(known));
    if holds(&["basic", "plain", "login", "ntlm"]) {
        Method::Basic
    } else if holds(&["oauth", "bearer", "modern"]) && !holds(&["not", "non", "no ", "without"]) {
        Method::Modern
    } else {
        Method::Unclear
    }
}

/// Whether a report can be of such a range; the admin center counts days a little differently by zone.
fn is_possible(days: DayRange) -> bool {
    (1..=i64::try_from(REPORT_DAYS_MAX).unwrap_or(90) + 2).contains(&days.length_days())
}

/// The range that a file name holds, and the last day if it holds one day alone: `2026-10-19`,
/// `2026_10_19` or `20261019`, anywhere in it.
fn days_in_name(name: &str) -> (Option<DayRange>, Option<NaiveDate>) {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).as_bytes();
    let mut days = Vec::new();
    let mut at = 0;
    while at < name.len() {
        let before = at.checked_sub(1).and_then(|at| name.get(at));
        match day_at(&name[at..]).filter(|_| !before.is_some_and(u8::is_ascii_digit)) {
            Some((day, len)) => {
                days.push(day);
                at += len;
            }
            None => at += 1,
        }
    }
    let (first, last) = (days.iter().min().copied(), days.iter().max().copied());
    match (first, last) {
        (Some(first), Some(last)) if days.len() > 1 => {
            (Some(DayRange { first, last }).filter(|days| is_possible(*days)), None)
        }
        (_, last) => (None, last),
    }
}

fn day_at(text: &[u8]) -> Option<(NaiveDate, usize)> {
    let number = |range: std::ops::Range<usize>| -> Option<u32> {
        let digits = text.get(range)?;
        digits.iter().all(u8::is_ascii_digit).then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
    };
    let separator = text.get(4).copied().filter(|c| matches!(c, b'-' | b'_' | b'.'));
    let (month, day, len) = match separator {
        Some(separator) if text.get(7) == Some(&separator) => (number(5..7)?, number(8..10)?, 10),
        Some(_) => return None,
        None => (number(4..6)?, number(6..8)?, 8),
    };
    if text.get(len).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let year = i32::try_from(number(0..4)?).ok().filter(|year| (2015..2100).contains(year))?;
    Some((NaiveDate::from_ymd_opt(year, month, day)?, len))
}
