//! What a user agent and an application tell of the client behind a sign-in, and what can take its place. The
//! knowledge is the table `clients.toml`; here it is read and looked up. A client that the table does not know stays
//! unknown: then the way to find out is told, and nothing is guessed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize};

use crate::language::{Language, LocalText};
use crate::protocol::Protocol;

/// What is known of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Client {
    /// "mail app", "phone" and others of the table; [`NOT_KNOWN`] where the table does not know it. As everything
    /// else, in the language that was asked for.
    pub kind: &'static str,
    /// With its version where the user agent says it. Of one that is not known, why.
    pub name: String,
    /// What to do about it, in full sentences; of one that is not known, how to find out.
    pub advice: &'static str,
    /// The address where that is said.
    pub source: &'static str,
    /// The day on which somebody read it.
    pub checked: NaiveDate,
}

/// The kind of a client that the table does not know.
pub const NOT_KNOWN: LocalText = LocalText::new("not known", "nicht bekannt");

const REPLACED: LocalText = LocalText::new(
    "Exchange replaced its user agent with {}",
    "Exchange hat den Benutzer-Agent durch {} ersetzt",
);
const NO_AGENT: LocalText =
    LocalText::new("the log has no user agent", "im Anmeldeprotokoll steht kein Benutzer-Agent");
const OTHER_AGENT: LocalText =
    LocalText::new("its user agent is not in our list", "sein Benutzer-Agent steht nicht in unserer Liste");

/// Characters of a version.
const VERSION_CHARACTERS_MAX: usize = 24;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// By each kind its name in German.
    kinds_de: BTreeMap<String, String>,
    client: Vec<KnownRow>,
    rewritten: Rewritten,
    unknown: Vec<UnknownRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownRow {
    #[serde(default)]
    agent: Vec<String>,
    #[serde(default)]
    app: Vec<String>,
    kind: String,
    name: String,
    /// Absent: the same.
    name_de: Option<String>,
    #[serde(default)]
    version_after: Vec<String>,
    replacement: String,
    replacement_de: String,
    source: String,
    #[serde(deserialize_with = "day")]
    checked: NaiveDate,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rewritten {
    agent: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnknownRow {
    /// Empty: all others.
    protocols: Vec<Protocol>,
    find_out: String,
    find_out_de: String,
    source: String,
    #[serde(deserialize_with = "day")]
    checked: NaiveDate,
}

/// The patterns in lower case.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table: Table =
        toml::from_str(include_str!("clients.toml")).expect("the tests read the same table");
    for row in &mut table.client {
        for pattern in row.agent.iter_mut().chain(&mut row.app).chain(&mut row.version_after) {
            pattern.make_ascii_lowercase();
        }
    }
    table
});

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let day = toml::value::Datetime::deserialize(deserializer)?;
    day.to_string().parse().map_err(serde::de::Error::custom)
}

impl Client {
    /// What the table says of a client; `app` and `user_agent` are as logged.
    #[must_use]
    pub fn of(protocol: Protocol, app: Option<&str>, user_agent: Option<&str>) -> Self {
        Self::in_language(Language::English, protocol, app, user_agent)
    }

    /// The same in a language that notices are written in.
    #[must_use]
    pub fn in_language(
        language: Language,
        protocol: Protocol,
        app: Option<&str>,
        user_agent: Option<&str>,
    ) -> Self {
        let agent = user_agent.unwrap_or_default().trim().to_ascii_lowercase();
        let app = app.unwrap_or_default().to_ascii_lowercase();
        let known = TABLE.client.iter().find(|row| row.fits(&agent, &app));
        known.map_or_else(|| Self::unknown(language, protocol, &agent), |row| row.client(language, &agent))
    }

    #[must_use]
    pub fn is_known(&self) -> bool {
        !Language::ALL.iter().any(|language| self.kind == NOT_KNOWN.in_language(*language))
    }

    /// "phone: Apple Mail on iOS or iPadOS", "not known: the log has no user agent".
    #[must_use]
    pub fn kind_and_name(&self) -> String {
        if self.kind == self.name { self.name.clone() } else { format!("{}: {}", self.kind, self.name) }
    }

    fn unknown(language: Language, protocol: Protocol, agent: &str) -> Self {
        let last = TABLE.unknown.len() - 1;
        let row = TABLE.unknown.iter().find(|row| row.protocols.contains(&protocol));
        let row = row.unwrap_or(&TABLE.unknown[last]);
        let rewritten = TABLE.rewritten.agent.iter().find(|own| agent.eq_ignore_ascii_case(own));
        let name = match rewritten {
            Some(own) => REPLACED.in_language(language).replace("{}", own),
            None if agent.is_empty() => NO_AGENT.in_language(language).to_owned(),
            None => OTHER_AGENT.in_language(language).to_owned(),
        };
        let advice = match language {
            Language::English => &row.find_out,
            Language::German => &row.find_out_de,
        };
        Self {
            kind: NOT_KNOWN.in_language(language),
            name,
            advice,
            source: &row.source,
            checked: row.checked,
        }
    }
}

/// Texts are in lower case, as the patterns are.
impl KnownRow {
    fn fits(&self, agent: &str, app: &str) -> bool {
        let one_of = |patterns: &[String], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| text.contains(pattern.as_str()))
        };
        one_of(&self.agent, agent) && one_of(&self.app, app)
    }

    fn client(&'static self, language: Language, agent: &str) -> Client {
        let after = |before: &String| agent.split_once(before.as_str()).map(|(_, rest)| rest);
        let version = self.version_after.iter().find_map(|before| version(after(before)?));
        let (kind, name, advice) = match language {
            Language::English => (&self.kind, &self.name, &self.replacement),
            Language::German => (
                TABLE.kinds_de.get(&self.kind).unwrap_or(&self.kind),
                self.name_de.as_ref().unwrap_or(&self.name),
                &self.replacement_de,
            ),
        };
        Client {
            kind,
            name: version.map_or_else(|| name.clone(), |version| format!("{name} {version}")),
            advice,
            source: &self.source,
            checked: self.checked,
        }
    }
}

/// Digits and dots, if the text begins with any.
fn version(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let version = text[..end.min(VERSION_CHARACTERS_MAX)].trim_end_matches('.');
    version.starts_with(|first: char| first.is_ascii_digit()).then_some(version)
}

#[cfg(test)]
mod tests;
