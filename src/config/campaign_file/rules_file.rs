//! Campaign files: TOML text in, [`Campaign`] out. The text is looked through with its places before it
//! gets its types, so that whatever is wrong is told with line and column, and with what is expected there.

use std::fmt;
use std::ops::Range;

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use lightsout_model::campaign::{
    Campaign, DAYS_MAX, NAME_CHARACTERS_MAX, POLICY_NAME_CHARACTERS_MAX, SETTLE_HOURS_MAX, policy_name,
};
use lightsout_model::language::Language;
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::is_guid;

use super::EMBEDDED;

/// A campaign that can't be used, and where in its file the trouble is.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    #[error("campaign '{name}' is neither built in ({}) nor a file that can be read: {source}", EMBEDDED.map(|(name, _)| name).join(", "))]
    NotFound { name: String, source: std::io::Error },
    /// `source` says what was found and what is expected.
    #[error("campaign file {file}, {place}: {}", .source.message())]
    Invalid { file: String, place: Place, source: toml::de::Error },
    #[error("campaign file {file}, {place}: {key} is {found}; expected {expected}")]
    Value { file: String, place: Place, key: String, found: String, expected: String },
}

/// A character of a file; both numbers begin at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

impl Place {
    pub(crate) fn of(at: usize, text: &str) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
        let lines_before = before.bytes().filter(|byte| *byte == b'\n').count();
        Self { line: number(lines_before), column: number(before[start..].chars().count()) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Numbers with the least and the most that they may be.
const NUMBERS: [(&[&str], u32, u32); 21] = [
    (&["window_days"], 1, DAYS_MAX),
    (&["lookback_days"], 0, DAYS_MAX),
    (&["settle_hours"], 0, SETTLE_HOURS_MAX),
    (&["notice_days"], 0, DAYS_MAX),
    (&["max_decision_age_days"], 0, DAYS_MAX),
    (&["waves", "size"], 1, u32::MAX),
    (&["waves", "pending_max"], 1, u32::MAX),
    (&["evidence", "days_missing_max"], 0, 20),
    (&["evidence", "days_missing_max_interactive"], 0, 20),
    (&["evidence", "days_missing_percent"], 0, 100),
    (&["evidence", "busy_median"], 1, u32::MAX),
    (&["evidence", "history_weeks"], 1, 26),
    (&["evidence", "thin_percent"], 0, 100),
    (&["evidence", "thin_median_min"], 1, u32::MAX),
    (&["evidence", "thin_weeks_min"], 1, 26),
    (&["evidence", "idle_percent"], 0, 100),
    (&["evidence", "silence_chance_min_percent"], 1, 100),
    (&["evidence", "ended_usage_days_min"], 2, 60),
    (&["evidence", "ended_usage_weeks_min"], 1, 10),
    (&["evidence", "ended_silence_days_min"], 7, DAYS_MAX),
    (&["evidence", "settings_age_days_max"], 0, 30),
];

/// Texts that say something if they are there.
const TEXTS: [&[&str]; 11] = [
    &["title"],
    &["message_id"],
    &["operator", "name"],
    &["operator", "contact"],
    &["operator", "signature"],
    &["texts", "method"],
    &["texts", "background"],
    &["texts", "date_note"],
    &["texts", "opt_out"],
    &["texts", "switch_on_again"],
    &["texts", "smtp_auth"],
];

/// Days, which TOML can write without quotes.
const DAYS: [&[&str]; 2] = [&["effective_date"], &["texts", "checked"]];

/// See [`super::parse`].
pub(super) fn parse(text: &str, file: &str) -> Result<Campaign, CampaignError> {
    let invalid = |source: toml::de::Error| {
        let at = source.span().map_or(0, |span| span.start);
        CampaignError::Invalid { file: file.to_owned(), place: Place::of(at, text), source }
    };
    let mut rules = DeTable::parse(text).map_err(invalid)?;
    let check = Check { text, file, rules: rules.get_ref() };
    check.all()?;
    let translations = check.keys(&["translations"]);
    let of_operator = check.keys(&["operator", "translations"]);
    // TOML has days of its own; the type wants their text.
    for key in DAYS {
        if let Some(value) = value_mut(rules.get_mut(), key)
            && let Some(day) = value.get_ref().as_datetime().map(ToString::to_string)
        {
            *value.get_mut() = DeValue::String(day.into());
        }
    }
    let mut campaign = Campaign::deserialize(toml::Deserializer::from(rules)).map_err(invalid)?;
    for id in campaign.waves.exclude_tenants.iter_mut().chain(&mut campaign.app_ids) {
        id.make_ascii_lowercase();
    }
    for (table, tags) in [("translations", translations), ("operator.translations", of_operator)] {
        for (tag, span) in tags {
            if let Some((found, expected)) = translation_fault(&campaign, table, &tag) {
                let (file, place) = (file.to_owned(), Place::of(span.start, text));
                return Err(CampaignError::Value {
                    file,
                    place,
                    key: format!("{table}.{tag}"),
                    found,
                    expected,
                });
            }
        }
    }
    Ok(campaign)
}

fn value_mut<'a, 'de>(table: &'a mut DeTable<'de>, key: &[&str]) -> Option<&'a mut Spanned<DeValue<'de>>> {
    let (first, rest) = key.split_first()?;
    let value = table.get_mut(*first)?;
    if rest.is_empty() {
        return Some(value);
    }
    let DeValue::Table(table) = value.get_mut() else { return None };
    value_mut(table, rest)
}

/// The checks of single values. A key that is missing, unknown or of another type is left to the types,
/// which tell it as well.
struct Check<'a> {
    text: &'a str,
    file: &'a str,
    rules: &'a DeTable<'a>,
}

type Value<'a> = &'a Spanned<DeValue<'a>>;

impl<'a> Check<'a> {
    fn all(&self) -> Result<(), CampaignError> {
        for (key, least, most) in NUMBERS {
            self.number(&key.join("."), self.value(key), least, most)?;
        }
        let expected = format!(
            "at most {NAME_CHARACTERS_MAX} letters, digits, '-', '_' and '.', a letter or digit first: the \
             authentication policy of its runbooks, '{}', may have {POLICY_NAME_CHARACTERS_MAX} characters",
            policy_name("NAME")
        );
        self.each_text(&["name"], is_name, &expected)?;
        for key in TEXTS {
            self.each_text(key, says_something, "a text")?;
        }
        self.each_text(&["language"], is_language, "a language tag (BCP 47) like en or de-CH")?;
        let expected = "an address that begins with https:// or http://";
        self.each_text(&["texts", "latest_information"], is_web_address, expected)?;
        for key in DAYS {
            self.day(key)?;
        }
        let expected = "one mail address like basic-auth@example.com";
        self.each_text(&["operator", "reply_to"], is_mail_address, expected)?;
        self.categories(&["permitted_gap_days"])?;
        self.posts(&["earlier_posts"])?;
        self.each_text(&["waves", "exclude_clouds"], says_something, "names of clouds like gcc")?;
        let expected = "tenant ids like 72f988bf-86f1-41af-91ab-2d7cd011db47";
        self.each_text(&["waves", "exclude_tenants"], is_guid, expected)?;
        let expected = "application ids like fb78d390-0c51-40cd-8e17-fdbfab77341b";
        self.each_text(&["app_ids"], is_guid, expected)?;
        if let Some(protocols) = self.value(&["protocols"]) {
            let protocols = self.protocols("protocols", protocols)?;
            if let Some(app_ids) = self.value(&["app_ids"])
                && !protocols.contains(&Protocol::PasswordGrant)
            {
                let expected =
                    "none, because they apply only to password grants, and protocols has no 'password_grant'";
                return Err(self.wrong(app_ids.span(), "app_ids", shown(app_ids), expected));
            }
        }
        self.groups(&["groups"])
    }

    fn value(&self, key: &[&str]) -> Option<Value<'a>> {
        let (last, tables) = key.split_last()?;
        let table = tables.iter().try_fold(self.rules, |table, key| table.get(*key)?.get_ref().as_table())?;
        table.get(*last)
    }

    /// The keys of a table, and where they are.
    fn keys(&self, table: &[&str]) -> Vec<(String, Range<usize>)> {
        let table = self.value(table).and_then(|value| value.get_ref().as_table());
        table.into_iter().flatten().map(|(key, _)| (key.get_ref().to_string(), key.span())).collect()
    }

    fn wrong(
        &self,
        span: Range<usize>,
        key: impl Into<String>,
        found: String,
        expected: impl Into<String>,
    ) -> CampaignError {
        CampaignError::Value {
            file: self.file.to_owned(),
            place: Place::of(span.start, self.text),
            key: key.into(),
            found,
            expected: expected.into(),
        }
    }

    fn number(
        &self,
        key: &str,
        value: Option<Value<'a>>,
        least: u32,
        most: u32,
    ) -> Result<(), CampaignError> {
        let Some(value) = value else { return Ok(()) };
        let number = value.get_ref().as_integer();
        let number = number.and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
        if number.is_some_and(|number| (i64::from(least)..=i64::from(most)).contains(&number)) {
            return Ok(());
        }
        Err(self.wrong(value.span(), key, shown(value), format!("a whole number, {least} to {most}")))
    }

    /// A text, or each text of a list.
    fn each_text(
        &self,
        key: &[&str],
        is_right: impl Fn(&str) -> bool,
        expected: &str,
    ) -> Result<(), CampaignError> {
        let Some(value) = self.value(key) else { return Ok(()) };
        let texts = value.get_ref().as_array().map_or(std::slice::from_ref(value), |items| &items[..]);
        let wrong = texts.iter().find(|text| text.get_ref().as_str().is_some_and(|text| !is_right(text)));
        wrong.map_or(Ok(()), |text| Err(self.wrong(text.span(), key.join("."), shown(text), expected)))
    }

    fn day(&self, key: &[&str]) -> Result<(), CampaignError> {
        let Some(value) = self.value(key) else { return Ok(()) };
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(day) => day.to_string(),
            _ => String::new(),
        };
        // What chrono reads of "26-12-31" lies in antiquity.
        let day: Option<NaiveDate> = text.parse().ok();
        if day.is_some_and(|day| (2000..2200).contains(&day.year())) {
            return Ok(());
        }
        Err(self.wrong(value.span(), key.join("."), shown(value), "a day like 2026-12-31"))
    }

    fn categories(&self, key: &[&str]) -> Result<(), CampaignError> {
        let Some(value) = self.value(key) else { return Ok(()) };
        let Some(table) = value.get_ref().as_table() else { return Ok(()) };
        let known: Vec<&str> = Category::ALL
            .iter()
            .filter(|category| category.is_user())
            .map(|category| category.as_str())
            .collect();
        if table.is_empty() {
            let expected = format!("days for at least one of: {}", known.join(", "));
            return Err(self.wrong(value.span(), key.join("."), "empty".to_owned(), expected));
        }
        for (category, days) in table {
            let name: &str = category.get_ref();
            if !known.contains(&name) {
                let (found, expected) = (quoted(name), format!("one of: {}", known.join(", ")));
                return Err(self.wrong(category.span(), "a category of permitted_gap_days", found, expected));
            }
            self.number(&format!("permitted_gap_days.{name}"), Some(days), 0, DAYS_MAX)?;
        }
        Ok(())
    }

    fn posts(&self, key: &[&str]) -> Result<(), CampaignError> {
        let posts = self.value(key).and_then(|value| value.get_ref().as_array());
        for post in posts.into_iter().flatten().filter_map(|post| post.get_ref().as_table()) {
            for (member, value) in post {
                if value.get_ref().as_str().is_some_and(|text| !says_something(text)) {
                    let key = format!("{} of an earlier post", member.get_ref());
                    return Err(self.wrong(value.span(), key, shown(value), "a text"));
                }
            }
        }
        Ok(())
    }

    /// A list of protocols, each once, that a switch exists for.
    fn protocols(&self, key: &str, value: Value<'a>) -> Result<Vec<Protocol>, CampaignError> {
        let Some(items) = value.get_ref().as_array() else { return Ok(Vec::new()) };
        let mut protocols = Vec::new();
        for item in items {
            let Some(name) = item.get_ref().as_str() else { continue };
            let Some(protocol) = Protocol::NAMED.into_iter().find(|known| known.as_str() == name) else {
                let known = Protocol::NAMED.map(Protocol::as_str).join(", ");
                return Err(self.wrong(
                    item.span(),
                    format!("a protocol of {key}"),
                    quoted(name),
                    format!("one of: {known}"),
                ));
            };
            if protocols.contains(&protocol) {
                let key = format!("a protocol of {key}");
                return Err(self.wrong(item.span(), key, format!("{} again", quoted(name)), "each once"));
            }
            protocols.push(protocol);
        }
        if items.is_empty() {
            return Err(self.wrong(value.span(), key, "empty".to_owned(), "at least one protocol"));
        }
        Ok(protocols)
    }

    /// No protocol in two groups, and those of Outlook in one.
    fn groups(&self, key: &[&str]) -> Result<(), CampaignError> {
        let groups = self.value(key).and_then(|value| value.get_ref().as_table());
        let mut placed: Vec<(Protocol, &str)> = Vec::new();
        for (name, value) in groups.into_iter().flatten() {
            let key = format!("groups.{}", name.get_ref());
            let protocols = self.protocols(&key, value)?;
            for protocol in &protocols {
                if let Some((_, other)) = placed.iter().find(|(placed, _)| placed == protocol) {
                    let found = format!("'{protocol}', which is in groups.{other} too");
                    let key = format!("a protocol of {key}");
                    return Err(self.wrong(value.span(), key, found, "each protocol in one group at most"));
                }
                placed.push((*protocol, name.get_ref()));
            }
            let outlook = Protocol::MapiOverHttp.group();
            let of_outlook: Vec<&str> =
                protocols.iter().filter(|protocol| outlook.contains(protocol)).map(|p| p.as_str()).collect();
            if !of_outlook.is_empty() && of_outlook.len() < outlook.len() {
                let all: Vec<&str> = outlook.iter().map(|protocol| protocol.as_str()).collect();
                let expected = format!("all of {} or none: Outlook uses them together", all.join(", "));
                let found = format!("a group that holds only {} of Outlook", of_outlook.join(", "));
                return Err(self.wrong(value.span(), key, found, expected));
            }
        }
        Ok(())
    }
}

/// What is wrong with a translation, and what is expected. One that lacks a text would be filled with another language.
fn translation_fault(campaign: &Campaign, table: &str, tag: &str) -> Option<(String, String)> {
    let Some(language) = Language::of_tag(tag) else {
        let known: Vec<&str> = Language::ALL.iter().map(|language| language.tag()).collect();
        return Some(("a language without notices".to_owned(), format!("one of: {}", known.join(", "))));
    };
    if language == campaign.base_language() {
        let expected =
            format!("another language than {}, that of the campaign's own texts", campaign.language);
        return Some(("the campaign's own language".to_owned(), expected));
    }
    let translation = campaign.translations.get(tag).filter(|_| table == "translations")?;
    let missing = translation.missing(campaign);
    (!missing.is_empty()).then(|| {
        (
            format!("without {}", missing.join(", ")),
            "the translation of every text that the campaign has".to_owned(),
        )
    })
}

/// A value as a message shows it.
fn shown(value: Value<'_>) -> String {
    match value.get_ref() {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("'{}{more}'", short.escape_debug())
}

fn says_something(text: &str) -> bool {
    !text.trim().is_empty()
}

/// The name is a cell of lists, a word of commands, and becomes part of a policy's name.
fn is_name(name: &str) -> bool {
    name.len() <= NAME_CHARACTERS_MAX
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_first =
        |part: &str| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_other =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    parts.next().is_some_and(is_first) && parts.all(is_other)
}

/// What a mail program takes as it stands: nothing quoted, no display name, no blank.
fn is_mail_address(text: &str) -> bool {
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_{|}~.".contains(&byte);
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && local.bytes().all(atom) && domain.contains('.') && domain.split('.').all(label)
    })
}

fn is_web_address(text: &str) -> bool {
    let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    plain && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
