//! Envelopes: what log shippers, search engines and query APIs put around a sign-in record. One table says where each
//! keeps its payload; how the payload is encoded (an object, JSON text, an array of either, or rows below a list of
//! columns) shows in the JSON itself. Envelopes are tried in the order of the table, never in that of the members, and
//! may be nested four deep. The shapes beside this file decide what is a record; nothing here reads one.
//!
//! [`records`] opens one outer record, and is asked only when no shape reads it as it stands.

#![expect(clippy::ptr_arg, reason = "what is borrowed outlives the value that it is a part of")]

use std::borrow::Cow;
use std::cell::LazyCell;

use super::Shape;
use crate::answer::AnswerState;
use crate::json::{Cursor, JsonError, Kind};

mod agent;
mod answers;
mod cut;
mod distinct;
mod dotted;
mod elastic;
mod rows;

pub use cut::CutPayload;

/// Envelopes inside envelopes; a payload that is deeper is not looked for.
pub const DEPTH_MAX: u8 = 4;
/// JSON text inside JSON text, counted over all envelopes.
const TEXTS_MAX: u8 = 8;
/// How many braces of a line are tried as the start of its record.
const STARTS_MAX: usize = 4;

/// How an envelope holds what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// One record, as an object or as JSON text.
    Record,
    /// An array of records, each an object or JSON text.
    Records,
    /// An array of rows, whose cells a list of columns names.
    Rows,
}

impl Payload {
    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => "a record, as an object or as JSON text",
            Self::Records => "an array of records, as objects or as JSON text",
            Self::Rows => "rows of cells below a list of columns",
        }
    }
}

/// A place where a record may be inside another object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// The member, and those inside it.
    pub path: &'static [&'static str],
    pub payload: Payload,
    /// What writes it.
    pub written_by: &'static str,
}

const fn envelope(path: &'static [&'static str], payload: Payload, written_by: &'static str) -> Envelope {
    Envelope { path, payload, written_by }
}

/// Every envelope. The original text of a record comes before what a program has made of it, and a narrow place before
/// a wide one. `Payload::Rows` is known by a list of columns beside the rows.
pub static ENVELOPES: [Envelope; 68] = {
    use Payload::{Record, Records, Rows};
    [
        envelope(&["eventHubsAzureRecord"], Record, "QRadar, from Event Hubs"),
        envelope(&["event", "original"], Record, "Elastic integrations, Logstash"),
        envelope(&["event.original"], Record, "Elastic integrations, with flat names"),
        envelope(&["message"], Record, "Filebeat, Logstash, Kafka connectors"),
        envelope(&["@message"], Record, "Amazon CloudWatch, a result of Logs Insights"),
        envelope(&["full_message"], Record, "Graylog, GELF"),
        envelope(&["short_message"], Record, "Graylog, GELF"),
        envelope(&["Message"], Record, "Amazon SNS, .NET log shippers"),
        envelope(&["hits", "hits"], Records, "Elasticsearch and OpenSearch, answer of _search"),
        envelope(&["_source"], Record, "Elasticsearch and OpenSearch, a hit"),
        envelope(&["fields"], Record, "Elasticsearch, a hit with fields"),
        envelope(&["result", "_raw"], Record, "Splunk, search exported as JSON"),
        envelope(&["_raw"], Record, "Splunk, events exported as JSON"),
        envelope(&["results"], Records, "Splunk, Defender advanced hunting, query APIs"),
        envelope(&["Results"], Records, "Defender APIs, CIPP"),
        envelope(&["result"], Record, "Splunk, fields of an event"),
        envelope(&["data", "ms-graph"], Record, "Wazuh, alert of the ms-graph module"),
        envelope(&["ms-graph"], Record, "Wazuh, event of the ms-graph module"),
        envelope(&["office365"], Record, "Wazuh, event of the office365 module"),
        envelope(&["full_log"], Record, "Wazuh, original event"),
        envelope(&["data"], Record, "Wazuh, Event Grid, REST APIs"),
        envelope(&["body", "stringValue"], Record, "OpenTelemetry, a log record"),
        envelope(&["body"], Record, "Graph $batch, a response; Azure Functions, OpenTelemetry"),
        envelope(&["Body"], Record, "Event Hubs Capture as JSON, message brokers"),
        envelope(&["responses"], Records, "Graph $batch, answer"),
        envelope(&["tables"], Rows, "Log Analytics query API"),
        envelope(&["Tables"], Rows, "Azure Data Explorer query API, version 1"),
        envelope(&["rows"], Rows, "Log Analytics query API, Steampipe"),
        envelope(&["Rows"], Rows, "Azure Data Explorer query API"),
        envelope(&["values"], Rows, "Elasticsearch, answer of an ES|QL query"),
        envelope(&["datarows"], Rows, "OpenSearch, answer of an SQL or PPL query"),
        envelope(&["AuditData"], Record, "Search-UnifiedAuditLog, as JSON"),
        envelope(&["RawEventData"], Record, "Defender advanced hunting, CloudAppEvents"),
        envelope(&["auditData"], Record, "Graph, a record of an audit log query"),
        envelope(&["records"], Records, "Azure Monitor, a message of Event Hubs"),
        envelope(&["Records"], Records, "Amazon SQS and Kinesis"),
        envelope(&["value"], Records, "Graph, a page; Kafka REST"),
        envelope(&["log"], Record, "fluentd, Fluent Bit, Docker"),
        envelope(&["event"], Record, "Splunk HTTP Event Collector"),
        envelope(&["Event"], Record, "SIEM forwarders"),
        envelope(&["record"], Record, "fluentd"),
        envelope(&["payload"], Record, "Kafka Connect, queues"),
        envelope(&["Payload"], Record, "queues"),
        envelope(&["detail"], Record, "Amazon EventBridge"),
        envelope(&["jsonPayload"], Record, "Google Cloud Logging"),
        envelope(&["textPayload"], Record, "Google Cloud Logging"),
        envelope(&["content"], Record, "Service Bus Explorer, Logic Apps"),
        envelope(&["raw"], Record, "SIEM forwarders"),
        envelope(&["rawEvent"], Record, "SIEM forwarders"),
        envelope(&["raw_log"], Record, "SIEM forwarders"),
        envelope(&["RawData"], Record, "Log Analytics, custom logs"),
        envelope(&["original"], Record, "Logstash"),
        envelope(&["json"], Record, "NXLog, Vector"),
        envelope(&["msg"], Record, "rsyslog, journald"),
        envelope(&["MESSAGE"], Record, "syslog-ng, journald"),
        envelope(&["line"], Record, "Grafana Loki"),
        envelope(&["streams"], Records, "Grafana Loki, a push or the answer of a query"),
        envelope(&["logText"], Record, "Google Security Operations, a raw log"),
        envelope(&["events"], Records, "SIEM exports"),
        envelope(&["logEvents"], Records, "Amazon CloudWatch"),
        envelope(&["logs"], Records, "REST APIs"),
        envelope(&["messages"], Records, "Graylog and Sumo Logic, answer of a search"),
        envelope(&["map"], Record, "Sumo Logic, a message"),
        envelope(&["attributes"], Record, "Datadog, a log"),
        envelope(&["resourceLogs"], Records, "OpenTelemetry, OTLP as JSON"),
        envelope(&["scopeLogs"], Records, "OpenTelemetry, OTLP as JSON"),
        envelope(&["logRecords"], Records, "OpenTelemetry, OTLP as JSON"),
        envelope(&["items"], Records, "REST APIs"),
    ]
};

/// The records inside one outer record, in their order, each as the text of its object; `None` if it holds none. A
/// record that has others beside its own members, such as the original that it was made of, is the first of them. Of a
/// list that holds records, what is none is handed out too, so that it is rejected and
/// not lost. An envelope that is whole and has no record in it gives an empty list.
#[must_use]
pub fn records(outer: &str) -> Option<Vec<Cow<'_, str>>> {
    let outer = outer.trim();
    let mut found = Vec::new();
    let held = match outer.as_bytes().first()? {
        b'{' | b'[' | b'"' => open(&Cow::Borrowed(outer), ALL_LEVELS, &mut found),
        _ => behind_prefix(outer, ALL_LEVELS, &mut found),
    };
    let is_bare = matches!(found.as_slice(), [Cow::Borrowed(only)] if only.len() == outer.len());
    (held != Held::Nothing && !is_bare).then_some(found)
}

/// What breaks off inside of an outer record that is whole.
#[must_use]
pub fn cut_payload(outer: &str) -> Option<CutPayload> {
    cut::find(&Cow::Borrowed(outer.trim()), ALL_LEVELS)
}

/// What an object says that holds the records of an answer, or one of them, or that has such an object inside of it.
/// Where one record is wrapped, a member `error` is what a shipper of logs notes of that record.
#[must_use]
pub fn answer_state(outer: &str) -> Option<AnswerState> {
    answers::find(&Cow::Borrowed(outer.trim()), ALL_LEVELS)
}

/// The record inside, if it is exactly one.
pub(crate) fn only_record(outer: &str) -> Option<Cow<'_, str>> {
    <[_; 1]>::try_from(records(outer)?).ok().map(|[record]| record)
}

/// What a value turned out to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Records,
    /// It is an envelope, and empty.
    NoRecord,
    Nothing,
}

/// How much deeper a payload may be.
#[derive(Debug, Clone, Copy)]
struct Levels {
    envelopes: u8,
    texts: u8,
}

const ALL_LEVELS: Levels = Levels { envelopes: DEPTH_MAX, texts: TEXTS_MAX };

/// Hands out what is in a value.
fn open<'a>(value: &Cow<'a, str>, levels: Levels, found: &mut Vec<Cow<'a, str>>) -> Held {
    match value.as_bytes().first() {
        Some(b'{') if Shape::of_record(value).is_some() => {
            let at = found.len();
            found.push(value.clone());
            // A program's version of a record may have the original as a member.
            if object(value, levels, found) == Held::Records {
                distinct::keep_new(found, at, at + 1);
            } else {
                found.truncate(at + 1);
            }
            Held::Records
        }
        Some(b'{') => object(value, levels, found),
        Some(b'[') => array(value, levels, found),
        Some(b'"') => text(value, levels, found),
        _ => Held::Nothing,
    }
}

/// The same of a part of a value, which lives no longer than the value.
fn open_part<'a>(
    value: &Cow<'a, str>,
    part: std::ops::Range<usize>,
    levels: Levels,
    found: &mut Vec<Cow<'a, str>>,
) -> Held {
    open(&part_of(value, part), levels, found)
}

fn part_of<'a>(value: &Cow<'a, str>, part: std::ops::Range<usize>) -> Cow<'a, str> {
    match value {
        Cow::Borrowed(text) => Cow::Borrowed(text[part].trim()),
        Cow::Owned(text) => Cow::Owned(text[part].trim().to_owned()),
    }
}

/// Opens all payloads of an object, in the order of the table. What a later one repeats is left out.
fn object<'a>(value: &Cow<'a, str>, levels: Levels, found: &mut Vec<Cow<'a, str>>) -> Held {
    let Some(envelopes) = levels.envelopes.checked_sub(1) else { return Held::Nothing };
    let levels = Levels { envelopes, ..levels };
    let Some(Members { mut payloads, containers }) = members(value) else { return Held::Nothing };
    if payloads.is_empty()
        && let Some(record) = elastic::record_of(value)
    {
        return open(&Cow::Owned(record), levels, found);
    }
    // An empty list under a name that nobody knows is not an answer without sign-ins.
    if let Some(containers) = containers.filter(|_| payloads.is_empty())
        && list(value, containers, levels, found) == Held::Records
    {
        return Held::Records;
    }
    payloads.sort_by_key(|(envelope, _)| *envelope);
    let start = found.len();
    let mut held = Held::Nothing;
    let agent = LazyCell::new(|| agent::of(value));
    for (envelope, part) in payloads {
        let before = found.len();
        let opened = match ENVELOPES[envelope].payload {
            Payload::Rows => rows::open(value, part.clone(), levels, found),
            Payload::Record | Payload::Records => Held::Nothing,
        };
        let opened = if opened == Held::Nothing { open_part(value, part, levels, found) } else { opened };
        if opened == Held::Records
            && let Some(agent) = &*agent
        {
            agent::hand_down(agent, &mut found[before..]);
        }
        match opened {
            Held::Records if held == Held::Records => distinct::keep_new(found, start, before),
            Held::Records => held = Held::Records,
            Held::NoRecord | Held::Nothing => {
                found.truncate(before);
                if held == Held::Nothing {
                    held = opened;
                }
            }
        }
    }
    if held == Held::Nothing
        && let Some(record) = elastic::record_of(value).or_else(|| dotted::document_of(value))
    {
        held = open(&Cow::Owned(record), levels, found);
    }
    held
}

/// What an object has that may hold records.
struct Members {
    /// Where its payloads are, with their place in the table.
    payloads: Vec<(usize, std::ops::Range<usize>)>,
    /// All its members, if each is an object or an array: a script's list, whatever it is called, or records by their
    /// ids.
    containers: Option<Vec<std::ops::Range<usize>>>,
}

/// `None` if it is no valid object.
fn members(object: &str) -> Option<Members> {
    let mut payloads = Vec::new();
    let mut containers = Some(Vec::new());
    let mut cursor = Cursor::new(object);
    cursor
        .object::<JsonError>(|cursor, key| {
            let kind = cursor.kind()?;
            let start = cursor.at();
            cursor.skip()?;
            let part = start..cursor.at();
            if !matches!(kind, Kind::Object | Kind::Array) {
                containers = None;
            }
            if let Some(containers) = &mut containers {
                containers.push(part.clone());
            }
            if matches!(kind, Kind::Number | Kind::Literal) {
                return Ok(());
            }
            for (at, envelope) in ENVELOPES.iter().enumerate() {
                let payload = match envelope.path {
                    [name] if *name == key => part.clone(),
                    [name, inner] if *name == key && kind == Kind::Object => {
                        let Some(inner) = member(&object[part.clone()], inner) else { continue };
                        start + inner.start..start + inner.end
                    }
                    _ => continue,
                };
                // Of several members of one name the last one counts.
                payloads.retain(|(known, _)| *known != at);
                payloads.push((at, payload));
            }
            Ok(())
        })
        .and_then(|()| cursor.end())
        .ok()?;
    Some(Members { payloads, containers: containers.filter(|containers| !containers.is_empty()) })
}

/// Where a member of an object is.
fn member(object: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let mut found = None;
    Cursor::new(object)
        .object::<JsonError>(|cursor, key| {
            cursor.kind()?;
            let start = cursor.at();
            cursor.skip()?;
            if key == name {
                found = Some(start..cursor.at());
            }
            Ok(())
        })
        .ok()?;
    found
}

/// Where the elements of an array are; `None` if it is no valid array.
fn elements(array: &str) -> Option<Vec<std::ops::Range<usize>>> {
    let mut elements = Vec::new();
    let mut cursor = Cursor::new(array);
    cursor
        .array::<JsonError>(|cursor| {
            cursor.kind()?;
            let start = cursor.at();
            cursor.skip()?;
            elements.push(start..cursor.at());
            Ok(())
        })
        .and_then(|()| cursor.end())
        .ok()?;
    Some(elements)
}

fn array<'a>(value: &Cow<'a, str>, levels: Levels, found: &mut Vec<Cow<'a, str>>) -> Held {
    let Some(elements) = elements(value) else { return Held::Nothing };
    list(value, elements, levels, found)
}

/// Opens each element; those without a record are handed out as they are, beside others that have one.
fn list<'a>(
    value: &Cow<'a, str>,
    elements: Vec<std::ops::Range<usize>>,
    levels: Levels,
    found: &mut Vec<Cow<'a, str>>,
) -> Held {
    let start = found.len();
    let mut held = if elements.is_empty() { Held::NoRecord } else { Held::Nothing };
    let mut others = false;
    for element in elements {
        let before = found.len();
        match open_part(value, element.clone(), levels, found) {
            Held::Records => held = Held::Records,
            Held::NoRecord if held == Held::Nothing => held = Held::NoRecord,
            Held::NoRecord => {}
            // Loki and fluentd put the time beside the record.
            Held::Nothing if is_time(&value[element.clone()]) => found.truncate(before),
            Held::Nothing => {
                others = true;
                found.truncate(before);
                found.push(part_of(value, element));
            }
        }
    }
    if held == Held::Records || (held == Held::NoRecord && !others) {
        return held;
    }
    found.truncate(start);
    Held::Nothing
}

/// Whether an element is a number, or text of digits: a time, and no part of a record.
fn is_time(element: &str) -> bool {
    let digits = element.trim().trim_matches('"');
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// JSON text in a string, or a line that has a record at its end.
fn text<'a>(value: &Cow<'a, str>, levels: Levels, found: &mut Vec<Cow<'a, str>>) -> Held {
    let Some(texts) = levels.texts.checked_sub(1) else { return Held::Nothing };
    let levels = Levels { texts, ..levels };
    let mut cursor = Cursor::new(value);
    let Ok(decoded) = cursor.string() else { return Held::Nothing };
    if cursor.end().is_err() {
        return Held::Nothing;
    }
    let plain = decoded.trim().trim_start_matches('\u{feff}');
    let mut owned = Vec::new();
    let held = match plain.as_bytes().first() {
        Some(b'{' | b'[' | b'"') => match lines_of(plain) {
            Some(lines) => joined(&lines, levels, &mut owned),
            None => open(&Cow::Borrowed(plain), levels, &mut owned),
        },
        Some(_) => behind_prefix(plain, levels, &mut owned),
        None => Held::Nothing,
    };
    found.extend(owned.into_iter().map(|record| Cow::Owned(record.into_owned())));
    held
}

/// The lines of a text that holds an object in each of several lines.
fn lines_of(text: &str) -> Option<Vec<&str>> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let whole = |line: &&str| line.starts_with('{') && line.ends_with('}');
    (lines.len() > 1 && lines.iter().all(whole)).then_some(lines)
}

fn joined<'a>(lines: &[&'a str], levels: Levels, found: &mut Vec<Cow<'a, str>>) -> Held {
    let mut held = Held::Nothing;
    for line in lines {
        let before = found.len();
        if open(&Cow::Borrowed(line), levels, found) == Held::Records {
            held = Held::Records;
        } else {
            found.truncate(before);
            found.push(Cow::Borrowed(line));
        }
    }
    held
}

/// A line that begins with what syslog, fluentd or a container runtime put before the record.
fn behind_prefix<'a>(line: &'a str, levels: Levels, found: &mut Vec<Cow<'a, str>>) -> Held {
    if !line.ends_with(['}', ']']) {
        return Held::Nothing;
    }
    for (at, _) in line.match_indices('{').take(STARTS_MAX) {
        // Fluent Bit writes `tag: [time, {record}]`.
        let inside = line[at..].strip_suffix(']').filter(|_| line[..at].contains('['));
        for record in std::iter::once(&line[at..]).chain(inside) {
            let before = found.len();
            match open(&Cow::Borrowed(record.trim_end()), levels, found) {
                Held::Nothing => found.truncate(before),
                held => return held,
            }
        }
    }
    Held::Nothing
}

#[cfg(test)]
mod tests;
