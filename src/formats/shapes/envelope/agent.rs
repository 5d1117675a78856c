//! A user agent that only the envelope has. Integrations move it out of the record (`user_agent.original` of Elastic), and
//! an agent that proves Basic Authentication must not be lost with what is around a record.

use std::borrow::Cow;

use super::member;
use crate::classify::names_basic_agent;
use crate::json::{Cursor, JsonError, Kind};
use crate::shapes::nested::agent;

/// How deep in the envelope it may be.
const DEPTH_MAX: u8 = 3;

/// The agent of an envelope, if it proves Basic Authentication.
pub(super) fn of(envelope: &str) -> Option<String> {
    if names_basic_agent(&envelope.to_ascii_lowercase()) { find(envelope, "", DEPTH_MAX) } else { None }
}

/// Gives such an agent to records that have none.
pub(super) fn hand_down(agent: &str, records: &mut [Cow<'_, str>]) {
    let text = serde_json::Value::from(agent).to_string();
    for record in records {
        if !names_basic_agent(&record.to_ascii_lowercase())
            && let Some((name, place)) = place(record)
        {
            *record = Cow::Owned(format!("{}\"{name}\":{text},{}", &record[..place], &record[place..]));
        }
    }
}

/// The agent in a member of an object, also inside of another object; what is in lists is of single records.
fn find(object: &str, outer: &str, depth: u8) -> Option<String> {
    let mut found = None;
    let walked = Cursor::new(object).object::<JsonError>(|cursor, key| {
        let kind = cursor.kind()?;
        let start = cursor.at();
        cursor.skip()?;
        let name: String = outer.chars().chain(key.chars()).filter(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        let value = &object[start..cursor.at()];
        match kind {
            Kind::String | Kind::Array if names_agent(&name) => {
                let agent = agent(&mut Cursor::new(value))?;
                if let Some(agent) = agent.filter(|agent| names_basic_agent(&agent.to_ascii_lowercase())) {
                    found = Some(agent.into_owned());
                }
            }
            Kind::Object if depth > 0 => found = found.take().or_else(|| find(value, &name, depth - 1)),
            _ => {}
        }
        Ok(())
    });
    walked.ok().and(found)
}

/// Whether members of that name hold an agent.
fn names_agent(name: &str) -> bool {
    name.ends_with("useragent") || name.ends_with("useragentoriginal")
}

/// What a record calls its agent, and where it takes the member: in its properties, if it has some.
fn place(record: &str) -> Option<(&'static str, usize)> {
    let (name, object) = match member(record, "properties") {
        Some(properties) if record[properties.clone()].starts_with('{') => ("userAgent", properties.start),
        _ => ("UserAgent", 0),
    };
    let inside = record.get(object + 1..)?;
    (record[object..].starts_with('{') && !inside.trim_start().starts_with('}')).then_some((name, object + 1))
}
