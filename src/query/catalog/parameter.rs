//! The parameters of a query: their types, how a header declares them, how their values are written.

use std::fmt;

use chrono::NaiveDate;
use datafusion::common::ScalarValue;

use super::header::{HeaderError, cut};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::{AuthMethod, Category, Outcome};
use lightsout_model::verdict::TenantVerdict;

/// The parameters that the program binds from the rules; every other one is a flag.
const WELL_KNOWN: [(&str, Kind); 9] = [
    ("window_start", Kind::Timestamp),
    ("window_end", Kind::Timestamp),
    ("lookback_start", Kind::Timestamp),
    ("later_end", Kind::Timestamp),
    ("protocols", Kind::Text),
    ("auth_methods", Kind::Text),
    ("app_ids", Kind::Text),
    ("campaign", Kind::Text),
    ("tenant", Kind::Text),
];

/// The parameter of that name that is bound from the rules.
pub(super) fn well_known(name: &str) -> Option<(&'static str, Kind)> {
    WELL_KNOWN.into_iter().find(|(known, _)| *known == name)
}

/// The values of the column that a parameter is named as, if all of them are known.
fn known_values(name: &str) -> Option<Vec<&'static str>> {
    Some(match name {
        "protocol" | "protocols" => Protocol::ALL.map(Protocol::as_str).to_vec(),
        "category" | "categories" => Category::ALL.map(Category::as_str).to_vec(),
        "outcome" | "outcomes" => Outcome::ALL.map(Outcome::as_str).to_vec(),
        "auth_method" | "auth_methods" => AuthMethod::ALL.map(AuthMethod::as_str).to_vec(),
        "verdict" => TenantVerdict::ALL.map(TenantVerdict::as_str).to_vec(),
        _ => return None,
    })
}

/// Type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Bigint,
    Double,
    Date,
    Timestamp,
    Boolean,
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::Text, Self::Bigint, Self::Double, Self::Date, Self::Timestamp, Self::Boolean];

    /// Its name in headers, as SQL has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bigint => "bigint",
            Self::Double => "double",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Boolean => "boolean",
        }
    }

    /// What stands for a value in help.
    #[must_use]
    pub const fn value_name(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Bigint => "N",
            Self::Double => "NUMBER",
            Self::Date => "DATE",
            Self::Timestamp => "TIME",
            Self::Boolean => "true|false",
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bigint => "a whole number",
            Self::Double => "a number, as in 0.25",
            Self::Date => "a day as in 2026-11-02",
            Self::Timestamp => "a UTC time as in 2026-11-02T08:30:00Z, or a day",
            Self::Boolean => "true or false",
        }
    }

    /// A value of this type.
    ///
    /// # Errors
    /// Fails with what was expected.
    pub fn parse(self, text: &str) -> Result<ParameterValue, String> {
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        let value = match self {
            Self::Text => Some(ScalarValue::Utf8(Some(text.to_owned()))),
            Self::Bigint => text.trim().parse().ok().map(|number| ScalarValue::Int64(Some(number))),
            Self::Double => {
                let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
                number.map(|number| ScalarValue::Float64(Some(number)))
            }
            Self::Date => day(text.trim()).map(|day| ScalarValue::Date32(Some(day.to_epoch_days()))),
            Self::Timestamp => {
                let text = text.trim();
                let micros = match day(text) {
                    Some(day) => Some(lightsout_model::evidence::midnight(day).timestamp_micros()),
                    None => lightsout_model::time::of_iso(text),
                };
                micros.map(|micros| ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
            }
            Self::Boolean => match text.trim().to_ascii_lowercase().as_str() {
                "true" => Some(ScalarValue::Boolean(Some(true))),
                "false" => Some(ScalarValue::Boolean(Some(false))),
                _ => None,
            },
        };
        value.map(ParameterValue).ok_or_else(|| format!("expected {}", self.expected()))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A value of a parameter, of a type that the engine binds.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterValue(pub(crate) ScalarValue);

impl ParameterValue {
    /// Of a text its characters.
    #[must_use]
    pub fn as_text(&self) -> Option<String> {
        self.0.try_as_str().flatten().map(str::to_owned)
    }
}

impl From<String> for ParameterValue {
    fn from(text: String) -> Self {
        Self(ScalarValue::Utf8(Some(text)))
    }
}

impl From<ParameterValue> for ScalarValue {
    fn from(value: ParameterValue) -> Self {
        value.0
    }
}

/// A parameter as a header declares it: `$name type default VALUE = meaning`.
#[derive(Debug, Clone)]
pub struct Declared {
    pub name: String,
    pub kind: Kind,
    /// Null of those that are bound from the rules.
    pub default: ParameterValue,
    /// The default as the header has it, without quotes.
    pub default_text: String,
    pub meaning: String,
    /// Line of the file.
    pub line: usize,
}

impl Declared {
    /// The flag that sets it, without its dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// A value of it. One that is named as a column of known values has one of these, several with commas between them,
    /// or its default: any other matches nothing, and the empty answer would look like one.
    ///
    /// # Errors
    /// Fails with what was expected.
    pub fn parse(&self, text: &str) -> Result<ParameterValue, String> {
        let known = known_values(&self.name).filter(|_| self.kind == Kind::Text && text != self.default_text);
        if let Some(known) = known {
            let is_known = |value: &str| value == "*" || known.contains(&value);
            if let Some(unknown) = text.split(',').map(str::trim).find(|value| !is_known(value)) {
                let near = known.iter().map(|name| (strsim::osa_distance(name, unknown), *name)).min();
                let near = near.filter(|(distance, _)| *distance <= 3).map(|(_, name)| name);
                let near = near.map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
                return Err(format!("expected one of {}; found '{unknown}'{near}", known.join(", ")));
            }
        }
        self.kind.parse(text)
    }
}

/// The declarations of a header's part `Params`, which begins on the line `first_line`.
pub(super) fn declarations(text: &str, first_line: usize) -> Result<Vec<Declared>, HeaderError> {
    let none = text.trim().trim_end_matches('.');
    if none.is_empty() || none.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    let mut declared: Vec<Declared> = Vec::new();
    for (at, piece) in pieces(text) {
        let line = first_line + memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count();
        let one = declaration(piece, line)?;
        if declared.iter().any(|other| other.name == one.name) {
            return Err(HeaderError {
                line,
                found: format!("${} for the second time", one.name),
                expected: "every parameter once".to_owned(),
            });
        }
        declared.push(one);
    }
    Ok(declared)
}

/// Cut at each `;` that a `$` follows, as a meaning may have its own; each with its place.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let ends = text.match_indices(';').map(|(at, _)| at);
    let ends = ends.filter(|at| text[at + 1..].trim_start().starts_with('$')).chain([text.len()]);
    let mut start = 0;
    ends.map(|end| {
        let piece = &text[start..end];
        let at = start + piece.len() - piece.trim_start().len();
        start = end + 1;
        (at, piece.trim())
    })
    .collect()
}

fn declaration(piece: &str, line: usize) -> Result<Declared, HeaderError> {
    let piece = piece.split_whitespace().collect::<Vec<_>>().join(" ");
    let wrong = |found: String, expected: &str| HeaderError { line, found, expected: expected.to_owned() };
    let malformed = || {
        wrong(
            format!("'{}'", cut(&piece)),
            "declarations of the form: $name type default VALUE = meaning; $name ...",
        )
    };
    let rest = piece.strip_prefix('$').ok_or_else(malformed)?;
    let (name, rest) = rest.split_once(' ').ok_or_else(malformed)?;
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_name {
        let expected = "a name of lower-case letters, digits and _, with a letter first";
        return Err(wrong(format!("${}", cut(name)), expected));
    }
    let (kind, rest) = rest.split_once(' ').ok_or_else(malformed)?;
    let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or_else(|| {
        let known = Kind::ALL.map(Kind::as_str).join(", ");
        wrong(format!("type '{}' of ${name}", cut(kind)), &format!("one of: {known}"))
    })?;
    let (default, meaning) = default_and_meaning(rest).ok_or_else(malformed)?;
    let default_text = default.clone().unwrap_or_default();
    let default = match (well_known(name), default) {
        (Some((_, bound)), _) if bound != kind => {
            return Err(wrong(
                format!("type {kind} of ${name}"),
                &format!("{bound}: it is bound from the rules"),
            ));
        }
        (Some(_), Some(_)) => {
            return Err(wrong(format!("a default of ${name}"), "none: it is bound from the rules"));
        }
        (Some(_), None) => ParameterValue(ScalarValue::Null),
        (None, None) => {
            let expected =
                format!("one, so that the report runs without it: ${name} {kind} default VALUE = meaning");
            return Err(wrong(format!("${name} without a default"), &expected));
        }
        (None, Some(text)) => kind.parse(&text).map_err(|expected| {
            wrong(format!("default '{}' of ${name}", cut(&text)), expected.trim_start_matches("expected "))
        })?,
    };
    Ok(Declared { name: name.to_owned(), kind, default, default_text, meaning, line })
}

/// `default VALUE = meaning` or `= meaning`; a value with blanks or `=` is in single quotes.
fn default_and_meaning(rest: &str) -> Option<(Option<String>, String)> {
    let Some(rest) = rest.strip_prefix("default ") else {
        return Some((None, rest.strip_prefix('=')?.trim().to_owned()));
    };
    let (value, rest) = if let Some(quoted) = rest.strip_prefix('\'') {
        let mut end = quoted.find('\'')?;
        while quoted[end + 1..].starts_with('\'') {
            end += 2 + quoted[end + 2..].find('\'')?;
        }
        (quoted[..end].replace("''", "'"), &quoted[end + 1..])
    } else {
        let (value, rest) = rest.split_once(' ')?;
        (value.to_owned(), rest)
    };
    Some((Some(value), rest.trim_start().strip_prefix('=')?.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> (usize, String, String) {
        let error = declarations(text, 3).expect_err("a declaration that is wrong");
        (error.line, error.found, error.expected)
    }

    #[test]
    fn a_declaration_has_a_name_a_type_a_default_and_a_meaning() {
        let text = "$window_end timestamp = its end; not in it;\n$word text default 'it''s; = so' = a word;\n\
                    $share double default 0.5 = a share; $on boolean default TRUE = whether";
        let found = declarations(text, 3).expect("declarations");
        let declared: Vec<_> = found.iter().map(|d| (d.name.as_str(), d.line, d.meaning.as_str())).collect();
        assert_eq!(
            declared,
            [
                ("window_end", 3, "its end; not in it"),
                ("word", 4, "a word"),
                ("share", 5, "a share"),
                ("on", 5, "whether")
            ]
        );
        assert_eq!(found[1].default.0, ScalarValue::Utf8(Some("it's; = so".to_owned())));
        assert_eq!(found[3].default.0, ScalarValue::Boolean(Some(true)));
        assert!(declarations("none", 1).is_ok_and(|found| found.is_empty()));
    }

    #[test]
    fn an_invalid_declaration_says_what_was_expected() {
        let (line, found, expected) = wrong("$top bigint default 5 = rows;\n$max number default 1 = most");
        assert_eq!((line, found.as_str()), (4, "type 'number' of $max"));
        assert_eq!(expected, "one of: text, bigint, double, date, timestamp, boolean");
        assert_eq!(wrong("$top bigint = rows").1, "$top without a default");
        assert_eq!(wrong("$top bigint default five = rows").1, "default 'five' of $top");
        assert_eq!(wrong("$top bigint default five = rows").2, "a whole number");
        assert_eq!(wrong("$Top bigint default 5 = rows").1, "$Top");
        assert_eq!(wrong("top bigint default 5").1, "'top bigint default 5'");
        assert_eq!(wrong("$top bigint default 5").1, "'$top bigint default 5'");
        assert_eq!(wrong("$word text default 'open = a word").1, "'$word text default 'open = a word'");
        assert_eq!(wrong("$tenant bigint = a tenant").1, "type bigint of $tenant");
        assert_eq!(wrong("$tenant text default x = a tenant").1, "a default of $tenant");
        assert_eq!(wrong("$a text default x = a;\n$a text default y = a").0, 4);
    }

    #[test]
    fn a_value_that_its_column_cannot_have_is_refused_with_those_it_can() {
        let text = "$protocol text default '' = a protocol; $outcome text default '*' = an outcome; $word text default '' = any";
        let declared = declarations(text, 1).expect("declarations");
        for (at, value) in [(0, "imap4"), (0, "imap4, pop3"), (0, ""), (1, "*"), (1, "success"), (2, "imap")]
        {
            assert!(declared[at].parse(value).is_ok(), "{value}");
        }
        let told = declared[0].parse("imap").expect_err("no protocol");
        assert!(told.starts_with("expected one of pop3, imap4, smtp_auth"), "{told}");
        assert!(told.ends_with("found 'imap' (did you mean imap4?)"), "{told}");
        let told = declared[1].parse("success,succes").expect_err("no outcome");
        assert!(
            told.contains("interrupted, blocked, failure, unknown; found 'succes' (did you mean success?)"),
            "{told}"
        );
    }

    #[test]
    fn values_are_read_by_their_type() {
        let time = |micros| ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()));
        for (kind, text, expected) in [
            (Kind::Text, " a ", ScalarValue::Utf8(Some(" a ".to_owned()))),
            (Kind::Bigint, "-5", ScalarValue::Int64(Some(-5))),
            (Kind::Double, "0.25", ScalarValue::Float64(Some(0.25))),
            (Kind::Date, "1970-01-03", ScalarValue::Date32(Some(2))),
            (Kind::Timestamp, "1970-01-02", time(86_400_000_000)),
            (Kind::Timestamp, "1970-01-01T00:00:01Z", time(1_000_000)),
            (Kind::Boolean, "False", ScalarValue::Boolean(Some(false))),
        ] {
            assert_eq!(kind.parse(text), Ok(ParameterValue(expected)), "{kind} {text}");
        }
        for (kind, text) in [
            (Kind::Bigint, "5.5"),
            (Kind::Double, "NaN"),
            (Kind::Date, "2026-02-30"),
            (Kind::Timestamp, "yesterday"),
            (Kind::Boolean, "1"),
        ] {
            assert!(
                kind.parse(text).is_err_and(|expected| expected.starts_with("expected ")),
                "{kind} {text}"
            );
        }
    }
}
