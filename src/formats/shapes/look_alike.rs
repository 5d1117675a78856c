//! Files that are refused: what they are, what to export instead, and whether they can hold sign-ins all the
//! same. Those that can keep their tenants from being cleared, so in doubt a file can.

mod start;

use std::fmt;
use std::io::{self, Read as _};

use crate::text::Text;
pub(crate) use start::of_start;

/// What a file is that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRead {
    /// For the message.
    pub found: String,
    pub may_hold_sign_ins: bool,
    /// What would show, anywhere in it, that it may hold sign-ins all the same.
    pub(crate) doubted_by: DoubtedBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DoubtedBy {
    Nothing,
    /// The value of a legacy client.
    LegacyClients,
    /// That, or any column of clients.
    Clients,
}

impl NotRead {
    /// Of something that may be a sign-in log.
    pub fn unknown(found: impl Into<String>) -> Self {
        Self { found: found.into(), may_hold_sign_ins: true, doubted_by: DoubtedBy::Nothing }
    }

    fn look_alike(found: impl Into<String>, doubted_by: DoubtedBy) -> Self {
        Self { found: found.into(), may_hold_sign_ins: false, doubted_by }
    }

    /// The same, if what is all of the file, as UTF-8, can hold sign-ins at all.
    #[must_use]
    pub fn in_file(self, whole: &[u8]) -> Self {
        let may_hold_sign_ins = if self.may_hold_sign_ins {
            may_hold_sign_ins(whole)
        } else {
            self.doubted_by.is_in(&whole.to_ascii_lowercase())
        };
        Self { may_hold_sign_ins, ..self }
    }

    /// The same, by the whole text of a file of which only the head was looked at.
    ///
    /// # Errors
    /// Fails if the text can't be read.
    pub fn in_text(self, mut text: Text) -> io::Result<Self> {
        if self.may_hold_sign_ins || self.doubted_by == DoubtedBy::Nothing {
            return Ok(self);
        }
        let mut window = Vec::new();
        loop {
            let kept = window.len().min(OVERLAP_BYTES);
            window.drain(..window.len() - kept);
            let read = text.reader.by_ref().take(WINDOW_BYTES).read_to_end(&mut window)?;
            window[kept..].make_ascii_lowercase();
            if self.doubted_by.is_in(&window) {
                return Ok(Self { may_hold_sign_ins: true, ..self });
            }
            if read == 0 {
                return Ok(self);
            }
        }
    }
}

/// So much of a text is looked at at once, and again with what follows it.
const WINDOW_BYTES: u64 = 256 << 10;
const OVERLAP_BYTES: usize = 64;

/// Whether text in lower case has the name of a legacy client as a value.
pub(crate) fn names_legacy_client(lower: &[u8]) -> bool {
    DoubtedBy::LegacyClients.is_in(lower)
}

impl DoubtedBy {
    /// Whether text in lower case has it.
    fn is_in(self, lower: &[u8]) -> bool {
        const LEGACY_CLIENTS: [&str; 9] = [
            "authenticated smtp",
            "other clients",
            "exchange activesync",
            "exchange web services",
            "mapi over http",
            "outlook anywhere",
            "offline address book",
            "exchange online powershell",
            "bav2ropc",
        ];
        /// Words that are clients as whole values only.
        const LEGACY_VALUES: [&str; 4] = ["imap4", "pop3", "imap", "smtp"];
        const CLIENTS: [&str; 3] = ["clientapp", "client_app", "client app"];
        let has = |word: &str| memchr::memmem::find(lower, word.as_bytes()).is_some();
        let is_end = |byte: Option<&u8>| byte.is_none_or(|byte| b"\"',;\t\r\n|<>\\".contains(byte));
        let has_value = |word: &str| {
            memchr::memmem::find_iter(lower, word.as_bytes()).any(|at| {
                is_end(at.checked_sub(1).and_then(|at| lower.get(at))) && is_end(lower.get(at + word.len()))
            })
        };
        let legacy = || LEGACY_CLIENTS.into_iter().any(has) || LEGACY_VALUES.into_iter().any(has_value);
        match self {
            Self::Nothing => false,
            Self::LegacyClients => legacy(),
            Self::Clients => CLIENTS.into_iter().any(has) || legacy(),
        }
    }
}

impl fmt::Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.found)
    }
}

/// Whether the start of a file shows that it is a picture or a page to print.
#[must_use]
pub fn is_picture(head: &[u8]) -> bool {
    const MARKS: [&[u8]; 5] = [b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\xef\xbf\xbdPNG"];
    MARKS.iter().any(|mark| head.starts_with(mark))
}

/// Whether text can hold sign-ins: each has a time. Notes about an export, settings and the like have none,
/// and name no legacy client.
fn may_hold_sign_ins(text: &[u8]) -> bool {
    const WORDS: [&str; 11] = [
        "imap",
        "pop3",
        "smtp",
        "activesync",
        "mapi",
        "rpc",
        "ews",
        "exchange web services",
        "other clients",
        "\"error\"",
        "@odata",
    ];
    let Ok(text) = std::str::from_utf8(text) else { return true };
    let lower = text.to_lowercase();
    // Spreadsheets and their like keep times as numbers.
    lower.contains('\0')
        || lower.trim_start().starts_with('<')
        || WORDS.iter().any(|word| lower.contains(word))
        || has_time(lower.as_bytes())
}

/// Whether there is a date, a time of day, or a number that is as long as a time.
fn has_time(text: &[u8]) -> bool {
    const LONG: usize = 9;
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = 0;
    while let Some(start) = text[at..].iter().position(u8::is_ascii_digit).map(|skipped| at + skipped) {
        let first = digits(start);
        at = start + first;
        let Some(separator) = text.get(at).copied() else { return first >= LONG };
        let second = digits(at + 1);
        let third = match text.get(at + 1 + second) {
            Some(byte) if *byte == separator => digits(at + 2 + second),
            _ => 0,
        };
        let is_clock = separator == b':' && first <= 2 && second == 2;
        let is_date = matches!(separator, b'-' | b'/' | b'.')
            && (1..=2).contains(&second)
            && [first, third].iter().all(|count| (1..=4).contains(count))
            && (separator == b'/' || first == 4 || third == 4);
        if first >= LONG || is_clock || is_date {
            return true;
        }
    }
    false
}

const WINDOWS_EVENTS: &str = "Windows logon events, which are not sign-ins to Entra";

const HUNTING_TABLE: &str = "a Defender hunting table (AADSignInEventsBeta, EntraIdSignInEvents), which is \
                             not read; export SigninLogs or the portal's sign-in log instead";

/// A column that a KQL `summarize` makes.
pub(super) fn is_aggregate(name: &str) -> bool {
    const PREFIXES: [&str; 14] = [
        "count_",
        "countif_",
        "dcount_",
        "dcountif_",
        "sum_",
        "avg_",
        "min_",
        "max_",
        "set_",
        "list_",
        "any_",
        "arg_max_",
        "percentile_",
        "bin_",
    ];
    const WORDS: [&str; 3] = ["count", "total", "attempts"];
    let name = name.trim().to_ascii_lowercase();
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || WORDS.contains(&name.as_str())
}

/// Whether Log Analytics was told to show times in another zone than UTC: `TimeGenerated [Local Time]`.
pub(super) fn in_local_time(names: &[String]) -> bool {
    names.iter().any(|name| {
        let lower = name.trim().to_lowercase();
        let zone = lower.strip_suffix(']').and_then(|name| name.split_once('['));
        zone.is_some_and(|(name, zone)| {
            (name.contains("time") || name.contains("date"))
                && !matches!(zone.trim(), "utc" | "utc+0" | "utc+00:00")
        })
    })
}

/// What text is that is neither JSON nor a table, for the message.
pub(crate) fn of_text(text: &str) -> NotRead {
    if is_format_list(text) {
        return NotRead::unknown(
            "a list of names and values for the screen, as PowerShell's Format-List writes it, which may lack columns \
             and cut values; export with | ConvertTo-Json -Depth 5 or | Export-Csv instead",
        );
    }
    if let Some(markup) = markup(text) {
        return NotRead::unknown(format!(
            "{markup}, which is not read; export with | ConvertTo-Json -Depth 5 or | Export-Csv, or from the portal as \
             JSON or CSV"
        ));
    }
    if let Some(found) = start::of_text(text) {
        return found;
    }
    let start: String = text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    NotRead::unknown(format!("text that starts with '{}'", start.trim()))
}

/// What text is that starts with a tag.
fn markup(text: &str) -> Option<&'static str> {
    let start: String = text.trim_start().chars().take(200).collect::<String>().to_ascii_lowercase();
    let is_page =
        ["<!doctype html", "<html", "<table", "<head", "<body"].iter().any(|tag| start.starts_with(tag));
    if start.starts_with("<objs ") || start.contains("schemas.microsoft.com/powershell/2004") {
        Some("XML as Export-Clixml writes it")
    } else if is_page {
        Some("an HTML page or table")
    } else if start.starts_with("<?xml") {
        Some("XML")
    } else {
        None
    }
}

/// `Name   : value`: a name, blanks, a colon and a blank.
fn is_format_list(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or_default();
    let Some((name, _)) = first.split_once(": ") else { return false };
    let is_padded = name.ends_with(' ');
    let name = name.trim_end();
    is_padded && !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The portal's tables have far more.
const PORTAL_COLUMNS_MIN: usize = 8;

/// What a table with such columns is, for the message.
pub(super) fn of_columns(names: &[String]) -> NotRead {
    let has = |known: &str| names.iter().any(|name| name.trim().eq_ignore_ascii_case(known));
    let any = |known: &[&str]| known.iter().any(|name| has(name));
    if names.len() < 2 || names.first().is_some_and(|name| markup(name).is_some()) {
        return of_text(&names.concat());
    }
    if let Some(format) = names.iter().find_map(|name| event_format(name)) {
        return NotRead::unknown(format!(
            "lines of {format}, which hold only selected fields of each record and seldom its client app; \
             export the records themselves as JSON, from Log Analytics, Event Hubs or a storage account"
        ));
    }
    if has("Request ID") && any(&["Authentication method", "Authentication method detail"]) {
        return NotRead::look_alike(
            "the portal's authentication details (…SignIns_AuthDetails_…), which name no user and no client app; the \
             file beside it without AuthDetails in its name is the sign-in log",
            DoubtedBy::LegacyClients,
        );
    }
    let is_of_portal = names.len() >= PORTAL_COLUMNS_MIN
        && names.iter().take(2).any(|name| name.to_ascii_lowercase().contains("(utc)"));
    if is_of_portal && !has("Request ID") {
        return NotRead::unknown(format!(
            "the portal's sign-in log with headers that are not in English ({}); set the language of the Entra admin \
             center to English (Settings, Language + region) and download again, or download JSON",
            columns(names)
        ));
    }
    if any(&["EventID", "EventCode", "Event ID", "LogonType", "SubjectUserName", "TargetUserName"])
        && !any(&["AccountUpn", "ErrorCode", "ClientAppUsed"])
    {
        return NotRead::look_alike(WINDOWS_EVENTS, DoubtedBy::Clients);
    }
    if any(&["AccountUpn", "AccountObjectId"]) || has("LogonType") && has("ClientAppUsed") {
        return NotRead::unknown(HUNTING_TABLE);
    }
    if in_local_time(names) {
        return NotRead::unknown(
            "a Log Analytics export whose times are in another time zone than UTC; set the display \
             of times to UTC and export again",
        );
    }
    if names.iter().any(|name| is_aggregate(name)) {
        let found = format!(
            "the result of a KQL summary, with the columns {}; export the sign-ins themselves, one row each",
            columns(names)
        );
        return NotRead::look_alike(found, DoubtedBy::LegacyClients);
    }
    NotRead::unknown(format!("a table with the columns {}", columns(names)))
}

/// The format of events whose header ends with its version, perhaps behind what syslog writes: `<134>1 host CEF:0`.
fn event_format(start: &str) -> Option<&'static str> {
    let (before, version) = start.trim().rsplit_once(':')?;
    let is_version =
        version.starts_with(|first: char| first.is_ascii_digit()) && version.len() <= "2.0".len();
    let formats = ["LEEF", "CEF"];
    formats.into_iter().find(|format| is_version && before.ends_with(format))
}

/// Graph's answer where it gives no sign-ins: its code and message, and what to do.
pub(crate) fn graph_error(object: &str) -> Option<String> {
    let found: serde_json::Value = serde_json::from_str(object.trim()).ok()?;
    let error = found.get("error").or_else(|| found.get("body")?.get("error"))?;
    let text = |name: &str| {
        let text: String = error.get(name)?.as_str()?.chars().filter(|c| !c.is_control()).take(200).collect();
        Some(text)
    };
    let code = text("code").or_else(|| error.as_str().map(str::to_owned))?;
    let message = text("message").map(|message| format!(": {message}")).unwrap_or_default();
    let has = |part: &str| code.contains(part);
    let way_out = if has("NonPremiumTenant") || has("B2CTenant") {
        "the tenant has no Entra ID P1 licence, which Graph requires for sign-in logs: assign one, or \
         download the logs in the Entra admin center"
    } else if has("Forbidden") || has("Denied") || has("PermissionMissing") || has("Unauthorized") {
        "the collector may not read sign-in logs: grant AuditLog.Read.All with the role Reports Reader, and collect again"
    } else if has("Token") {
        "the collector's token was not valid: sign in and collect again"
    } else if has("TooManyRequests") || has("Throttled") || has("429") {
        "Graph throttled the collector: collect again later"
    } else {
        "collect again"
    };
    Some(format!("Graph's error {code}{message}; {way_out}"))
}

/// What a JSON object with such keys is, for the message. A summary has no objects among its values.
pub(super) fn of_keys(keys: &[String], has_objects: bool) -> NotRead {
    let any = |known: &[&str]| keys.iter().any(|key| known.contains(&key.as_str()));
    if any(&["EventID", "EventCode", "winlog", "SubjectUserName"]) {
        return NotRead::look_alike(WINDOWS_EVENTS, DoubtedBy::Clients);
    }
    if any(&["AccountUpn", "AccountObjectId"]) && any(&["LogonType", "ErrorCode"]) {
        return NotRead::unknown(HUNTING_TABLE);
    }
    if any(&["fields"]) && any(&["columns"]) && any(&["init_offset", "preview"]) {
        return NotRead::unknown(
            "results that Splunk wrote column by column (json_cols), which are not read; export them with \
             output_mode=json",
        );
    }
    if any(&["resourceLogs"]) {
        return NotRead::unknown(
            "OpenTelemetry logs whose bodies do not hold the records as JSON text; export them with the body as it was \
             received, or export the records from Log Analytics, Event Hubs or a storage account",
        );
    }
    if any(&["activityDateTime", "activityDisplayName"]) && !any(&["createdDateTime", "clientAppUsed"]) {
        return NotRead::look_alike(
            "the directory's audit log, which says who changed what and holds no sign-ins",
            DoubtedBy::Clients,
        );
    }
    if any(&["panels", "visualization", "gridPos", "fallbackResourceIds", "lenses", "dashboard", "visState"])
    {
        // Their queries name clients.
        return NotRead::look_alike("a dashboard or workbook, which holds no sign-ins", DoubtedBy::Nothing);
    }
    if !has_objects && keys.iter().any(|key| is_aggregate(key)) {
        let found = format!(
            "the result of a KQL summary, with the keys {}; export the sign-ins themselves, one record each",
            keys.join(", ")
        );
        return NotRead::look_alike(found, DoubtedBy::LegacyClients);
    }
    NotRead::unknown(format!("a JSON object with the keys {}", keys.join(", ")))
}

fn columns(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| name.trim().chars().filter(|c| !c.is_control()).take(40).collect())
        .collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_graph_is_quoted_with_its_cause() {
        let told = graph_error(
            r#"{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":"Neither tenant is B2C or tenant doesn't have premium license"}}"#,
        );
        let told = told.expect("an error");
        for part in ["Authentication_RequestFromNonPremium", "premium license", "P1"] {
            assert!(told.contains(part), "{told}");
        }
        let batch =
            graph_error(r#"{"id":"2","status":403,"body":{"error":{"code":"Forbidden","message":"no"}}}"#);
        assert!(batch.is_some_and(|told| told.contains("AuditLog.Read.All")));
        assert_eq!(graph_error(r#"{"status":{"errorCode":1}}"#), None);
    }

    #[test]
    fn a_list_for_the_screen_is_told_how_to_be_exported() {
        let list =
            "\r\n\r\nId              : aaaaaaaa-0000-4000-8000-000000000000\r\nCreatedDateTime : 10/11/2026";
        assert!(of_text(list).found.contains("Export-Csv"));
        for text in ["Id: 1", "2026-11-10 09:00 : a", "a name : b", "", ": "] {
            assert!(of_text(text).found.starts_with("text that starts with"), "{text}");
        }
    }

    #[test]
    fn only_what_has_a_time_or_names_a_legacy_client_can_hold_sign_ins() {
        for text in [
            "When,Who\n2026-11-10T09:00:00Z,a@example.com",
            "who,at\na,10/5/26",
            "a 5.10.2026",
            "a,9:05 AM",
            "at=1793001730",
            "user,client\nanna,IMAP4",
            "{\"error\":{\"code\":\"Forbidden\"}}",
            "<?xml version=\"1.0\"?>",
            "PAR1\0\0",
        ] {
            assert!(may_hold_sign_ins(text.as_bytes()), "{text}");
        }
        assert!(may_hold_sign_ins(b"\xff\xfe"));
        for text in [
            "",
            "# Exports\nof October 2026, by Anna (anna@example.com), v1.2.3",
            "{\"name\":\"lake\",\"n\":17}",
        ] {
            assert!(!may_hold_sign_ins(text.as_bytes()), "{text}");
        }
    }
}
