//! Dates, numbers and lists as a reader of a language writes them. Texts are in `phrases`; both are all that templates
//! do not say themselves.

use chrono::{Datelike as _, NaiveDate};

use lightsout_model::evidence::Month;
use lightsout_model::language::{Language, LocalText};
use lightsout_model::protocol::Protocol;
use lightsout_output::text;

use super::phrases::{self, Noun};

/// A language, and how it writes things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Locale(pub(super) Language);

const MONTHS_DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

impl Locale {
    pub(super) const fn text(self, text: LocalText) -> &'static str {
        text.in_language(self.0)
    }

    /// The text with a value for each `{name}` in it.
    pub(super) fn fill(self, text: LocalText, values: &[(&str, &str)]) -> String {
        let mut filled = String::new();
        let mut rest = self.text(text);
        // Piece by piece, so that a value that looks like a name stays what it is.
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            filled.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
            rest = after;
        }
        filled + rest
    }

    /// "24 December 2026", "24. Dezember 2026".
    pub(super) fn date(self, day: NaiveDate) -> String {
        match self.0 {
            Language::English => text::date(day),
            Language::German => format!("{}. {}", day.day(), month_de(day)),
        }
    }

    /// "October 2026", "Oktober 2026".
    pub(super) fn month(self, month: Month) -> String {
        let first = month.window().first;
        match self.0 {
            Language::English => first.format("%B %Y").to_string(),
            Language::German => month_de(first),
        }
    }

    /// "1 October 2026 to 3 October 2026"; one day by itself.
    pub(super) fn range(self, first: NaiveDate, last: NaiveDate) -> String {
        if first == last {
            return self.date(first);
        }
        self.fill(phrases::RANGE, &[("first", &self.date(first)), ("last", &self.date(last))])
    }

    /// "12,345", "12.345".
    pub(super) fn number(self, n: u64) -> String {
        let english = text::number(n);
        match self.0 {
            Language::English => english,
            Language::German => english.replace(',', "."),
        }
    }

    /// "1 sign-in", "1.200 Anmeldungen".
    pub(super) fn count(self, n: u64, noun: Noun) -> String {
        let noun = if n == 1 { noun.one } else { noun.many };
        format!("{} {}", self.number(n), self.text(noun))
    }

    /// "POP3, IMAP4 and SMTP AUTH".
    pub(super) fn enumerate(self, names: &[impl AsRef<str>]) -> String {
        self.joined(names, phrases::AND)
    }

    /// "reach their mailbox or send mail", after "can no longer"; German negates each: "nicht mehr auf ihr Postfach
    /// zugreifen und keine E-Mails mehr senden".
    pub(super) fn losses(self, names: &[impl AsRef<str>]) -> String {
        self.joined(names, phrases::LOSSES)
    }

    fn joined(self, names: &[impl AsRef<str>], last: LocalText) -> String {
        let mut joined = String::new();
        for (at, name) in names.iter().enumerate() {
            if at > 0 && at + 1 == names.len() {
                joined.push(' ');
                joined.push_str(self.text(last));
                joined.push(' ');
            } else if at > 0 {
                joined.push_str(", ");
            }
            joined.push_str(name.as_ref());
        }
        joined
    }

    /// Most protocols have one name in all languages; those that are words do not.
    pub(super) fn protocol(self, protocol: Protocol) -> &'static str {
        match protocol {
            Protocol::PasswordGrant => self.text(phrases::PASSWORD_GRANT),
            Protocol::OtherLegacy => self.text(phrases::OTHER_LEGACY),
            Protocol::NotStated => self.text(phrases::NOT_STATED),
            Protocol::Unrecognised => self.text(phrases::UNRECOGNISED),
            named => named.display_name(),
        }
    }

    pub(super) fn protocols(self, protocols: &[Protocol]) -> Vec<&'static str> {
        protocols.iter().map(|protocol| self.protocol(*protocol)).collect()
    }
}

fn month_de(day: NaiveDate) -> String {
    format!("{} {}", MONTHS_DE[day.month0() as usize], day.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_numbers_and_lists_are_written_as_the_language_does() {
        let (english, german) = (Locale(Language::English), Locale(Language::German));
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        assert_eq!(english.date(day("2026-03-04")), "4 March 2026");
        assert_eq!(german.date(day("2026-03-04")), "4. März 2026");
        assert_eq!(german.month("2026-12".parse().expect("a month")), "Dezember 2026");
        assert_eq!(german.range(day("2026-03-04"), day("2026-05-05")), "4. März 2026 bis 5. Mai 2026");
        assert_eq!(english.count(1_234_567, phrases::USERS), "1,234,567 users");
        assert_eq!(german.count(1_234_567, phrases::SIGN_INS), "1.234.567 Anmeldungen");
        assert_eq!(german.count(1, phrases::SIGN_INS), "1 Anmeldung");
        assert_eq!(english.enumerate(&["A", "B", "C"]), "A, B and C");
        assert_eq!(german.enumerate(&["A", "B", "C"]), "A, B und C");
        assert_eq!(english.losses(&["A", "B"]), "A or B");
        assert_eq!(german.losses(&["A", "B"]), "A und B");
        assert_eq!(german.enumerate(&["A"]), "A");
    }

    #[test]
    fn the_months_are_those_that_chrono_counts() {
        for (month, name) in (1..).zip(MONTHS_DE) {
            let first = NaiveDate::from_ymd_opt(2026, month, 1).expect("a day");
            assert_eq!(Locale(Language::German).date(first), format!("1. {name} 2026"));
        }
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_stays_as_it_is() {
        let text = LocalText::new("by {by} on {on}", "von {by} am {on}");
        let german = Locale(Language::German);
        assert_eq!(german.fill(text, &[("by", "{on}"), ("on", "x")]), "von {on} am x");
    }
}
