//! Members that hold more than a scalar: status, location, authentication details, event types. Each
//! is read from JSON, and from the text that exporters make of it: JSON in a cell, or what
//! PowerShell prints of an object.

use std::borrow::Cow;

use super::draft::{code, graver, last_code};
use crate::classify::names_basic_agent;
use crate::json::{Cursor, JsonError, Kind, Strings};
use lightsout_model::sign_in::Category;

/// `{"errorCode":50126,"failureReason":"…"}`; numbers may be text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Status<'a> {
    pub(super) error_code: Option<i64>,
    pub(super) failure_reason: Option<Cow<'a, str>>,
    /// Whether it has the member at all.
    pub(super) states_code: bool,
}

pub(super) fn status<'a>(cursor: &mut Cursor<'a, impl Strings>) -> Result<Status<'a>, JsonError> {
    let mut status = Status::default();
    cursor.object::<JsonError>(|cursor, key| {
        if key.eq_ignore_ascii_case("errorCode") {
            status.states_code = true;
            status.error_code = last_code(status.error_code, cursor.text()?.as_deref().and_then(code));
        } else if key.eq_ignore_ascii_case("failureReason") {
            status.failure_reason = cursor.text()?;
        } else {
            cursor.skip()?;
        }
        Ok(())
    })?;
    Ok(status)
}

/// A status in text: JSON, a code, or what PowerShell prints (`@{ErrorCode=0; FailureReason=Other.}`,
/// or a class with a line a member).
pub(super) fn status_in_text(text: &str) -> Status<'static> {
    let text = text.trim();
    if text.starts_with('{') {
        let mut cursor = Cursor::new(text);
        let read = status(&mut cursor).unwrap_or_default();
        return Status {
            error_code: read.error_code,
            failure_reason: read.failure_reason.map(|reason| Cow::Owned(reason.into_owned())),
            states_code: read.states_code,
        };
    }
    if let Some(number) = code(text) {
        return Status { error_code: Some(number), failure_reason: None, states_code: true };
    }
    let error_code = printed_member(text, "errorCode");
    Status {
        error_code: error_code.as_deref().and_then(code),
        failure_reason: printed_member(text, "failureReason")
            .filter(|reason| !reason.is_empty())
            .map(Cow::Owned),
        states_code: error_code.is_some(),
    }
}

/// The status in a cell that holds an object, its quotes still doubled.
pub(super) fn status_in_cell(cell: &str) -> Status<'_> {
    status(&mut Cursor::doubled(cell)).unwrap_or_default()
}

/// A member's value in `@{A=1; B=2}` or in `class X {\n  A: 1\n  B: 2\n}`.
fn printed_member(text: &str, name: &str) -> Option<String> {
    let text = text.trim_end();
    let text = text.strip_suffix('}').unwrap_or(text);
    let value_of = |part: &str, sign: char| {
        let (key, value) = part.split_once(sign)?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    let Some(members) = text.strip_prefix("@{") else {
        return text.split(['{', '\n']).find_map(|line| value_of(line, ':'));
    };
    // A value may hold semicolons itself: it ends where the next member starts.
    let is_member = |part: &str| {
        let key = part.split_once('=').map_or("", |(key, _)| key.trim());
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let mut parts = members.split(';').peekable();
    while let Some(part) = parts.next() {
        let Some(mut value) = value_of(part, '=') else { continue };
        while let Some(more) = parts.next_if(|part| !is_member(part)) {
            value.push(';');
            value.push_str(more);
        }
        return Some(value);
    }
    None
}

pub(super) fn country<'a>(cursor: &mut Cursor<'a, impl Strings>) -> Result<Option<Cow<'a, str>>, JsonError> {
    let mut country = None;
    cursor.object::<JsonError>(|cursor, key| {
        if key.eq_ignore_ascii_case("countryOrRegion") {
            country = cursor.text()?;
            Ok(())
        } else {
            cursor.skip()
        }
    })?;
    Ok(country)
}

/// The country in a location's text: JSON, PowerShell's print, or the last part of
/// `City, State, CC`. An object without a country has none.
pub(super) fn country_in_text(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let trimmed = text.trim();
    if trimmed.starts_with('{') {
        return country(&mut Cursor::new(trimmed)).ok()?.map(|country| Cow::Owned(country.into_owned()));
    }
    if trimmed.starts_with("@{") || trimmed.starts_with("class ") {
        return printed_member(trimmed, "countryOrRegion").filter(|text| !text.is_empty()).map(Cow::Owned);
    }
    // A type's name in place of an object.
    if trimmed.contains("Microsoft.") || trimmed.starts_with("System.") {
        return None;
    }
    match trimmed.rsplit_once(',') {
        None => Some(text),
        Some((_, last)) => {
            Some(last.trim()).filter(|last| !last.is_empty()).map(|last| last.to_owned().into())
        }
    }
}

/// The country in a cell that holds an object, its quotes still doubled.
pub(super) fn country_in_cell(cell: &str) -> Option<Cow<'_, str>> {
    country(&mut Cursor::doubled(cell)).ok().flatten()
}

/// Whether some authentication step succeeded with a certificate, and none with a password: then the password may be
/// what signed in. A step that does not say so did not succeed.
pub(super) fn certificate_succeeded(cursor: &mut Cursor<'_, impl Strings>) -> Result<bool, JsonError> {
    let (mut certificate, mut password) = (false, false);
    cursor.array::<JsonError>(|cursor| {
        if cursor.kind()? != Kind::Object {
            return cursor.skip();
        }
        let (mut with_certificate, mut with_password, mut succeeded) = (false, false, false);
        cursor.object::<JsonError>(|cursor, key| {
            if key.eq_ignore_ascii_case("authenticationMethod") {
                let method = cursor.text()?.unwrap_or_default();
                with_certificate = is_certificate(&method);
                with_password = method.trim().eq_ignore_ascii_case("password");
            } else if key.eq_ignore_ascii_case("succeeded") {
                succeeded = cursor.text()?.is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
            } else {
                cursor.skip()?;
            }
            Ok(())
        })?;
        certificate |= with_certificate && succeeded;
        password |= with_password && succeeded;
        Ok(())
    })?;
    Ok(certificate && !password)
}

/// Whether an authentication method is a certificate: "X.509 Certificate" and its kin, and not "No certificate" or
/// "Certificate expired". What is not known for one is none, and leaves its sign-in undecided.
pub(super) fn is_certificate(method: &str) -> bool {
    const BEFORE: [&str; 3] = ["x509", "client", "user"];
    const AFTER: [&str; 6] = [
        "",
        "basedauthentication",
        "authentication",
        "singlefactor",
        "multifactor",
        "singlefactorauthentication",
    ];
    let word = b"certificate";
    if !method.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)) {
        return false;
    }
    let name: String =
        method.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let kind = BEFORE.iter().find_map(|before| name.strip_prefix(before)).unwrap_or(&name);
    kind.strip_prefix("certificate").is_some_and(|after| AFTER.contains(&after))
}

/// The texts of a list, one behind the other; `None` if it has none.
pub(super) fn list<'a>(cursor: &mut Cursor<'a, impl Strings>) -> Result<Option<Cow<'a, str>>, JsonError> {
    let mut texts: Vec<Cow<'a, str>> = Vec::new();
    cursor.array::<JsonError>(|cursor| {
        texts.extend(cursor.text()?);
        Ok(())
    })?;
    Ok(match texts.len() {
        0 | 1 => texts.pop(),
        _ => Some(Cow::Owned(texts.join(", "))),
    })
}

/// How deep an agent may be in lists and objects.
const AGENT_DEPTH_MAX: u8 = 3;

/// A user agent, also where a tool has put it in a list or an object: the one that proves Basic Authentication, or all
/// of a list.
pub(super) fn agent<'a>(cursor: &mut Cursor<'a, impl Strings>) -> Result<Option<Cow<'a, str>>, JsonError> {
    agent_within(cursor, AGENT_DEPTH_MAX)
}

fn agent_within<'a>(
    cursor: &mut Cursor<'a, impl Strings>,
    depth: u8,
) -> Result<Option<Cow<'a, str>>, JsonError> {
    let mut agents: Vec<Cow<'a, str>> = Vec::new();
    let kind = cursor.kind()?;
    match kind {
        Kind::Array if depth > 0 => cursor.array::<JsonError>(|cursor| {
            agents.extend(agent_within(cursor, depth - 1)?);
            Ok(())
        })?,
        Kind::Object if depth > 0 => cursor.object::<JsonError>(|cursor, _| {
            agents.extend(agent_within(cursor, depth - 1)?);
            Ok(())
        })?,
        _ => return cursor.text(),
    }
    if let Some(at) = agents.iter().position(|agent| is_basic_agent(agent)) {
        return Ok(Some(agents.swap_remove(at)));
    }
    Ok(match (kind, agents.len()) {
        (Kind::Object, _) => None,
        (_, 0 | 1) => agents.pop(),
        _ => Some(Cow::Owned(agents.join(", "))),
    })
}

/// Of two agents of one sign-in the one that proves Basic Authentication, else the second.
pub(super) fn graver_agent<'a>(
    first: Option<Cow<'a, str>>,
    second: Option<Cow<'a, str>>,
) -> Option<Cow<'a, str>> {
    graver(first, second, |agent| !is_basic_agent(agent))
}

fn is_basic_agent(agent: &str) -> bool {
    names_basic_agent(&agent.to_ascii_lowercase())
}

pub(super) fn certificate_in_text(text: &str) -> bool {
    text.trim_start().starts_with('[') && certificate_succeeded(&mut Cursor::new(text)).unwrap_or(false)
}

/// The same in a cell, its quotes still doubled.
pub(super) fn certificate_in_cell(cell: &str) -> bool {
    cell.starts_with('[')
        && may_name_certificate(cell.as_bytes())
        && certificate_succeeded(&mut Cursor::doubled(cell)).unwrap_or(false)
}

/// Whether the word stands somewhere, or may stand there in escapes.
fn may_name_certificate(text: &[u8]) -> bool {
    memchr::memchr3_iter(b'f', b'F', b'\\', text).any(|at| {
        let word = at.checked_sub(5).and_then(|start| text.get(start..start + 11));
        text[at] == b'\\' || word.is_some_and(|word| word.eq_ignore_ascii_case(b"certificate"))
    })
}

/// The first event type that is known.
pub(super) fn event_type(cursor: &mut Cursor<'_, impl Strings>) -> Result<Option<Category>, JsonError> {
    let mut category = None;
    cursor.array::<JsonError>(|cursor| {
        let found = cursor.text()?.as_deref().and_then(Category::from_event_type);
        category = category.or(found);
        Ok(())
    })?;
    Ok(category)
}

/// The same from `["interactiveUser"]` in a cell, or words joined by PowerShell.
pub(super) fn event_type_in_text(text: &str) -> Option<Category> {
    let text = text.trim();
    if text.starts_with('[') {
        return event_type(&mut Cursor::new(text)).ok()?;
    }
    text.trim_matches(['{', '}']).split([',', ';', ' ']).find_map(Category::from_event_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_for_a_certificate_is_one() {
        for method in
            ["X.509 Certificate", "certificate", "Client certificate", "X.509 certificate (multi-factor)"]
        {
            assert!(is_certificate(method), "{method}");
        }
        for method in ["No certificate", "Certificate expired", "Certificate not presented", "Password", ""] {
            assert!(!is_certificate(method), "{method}");
        }
    }

    #[test]
    fn a_status_is_read_from_every_text_that_exporters_make_of_it() {
        for text in [
            r#"{"errorCode":50126,"failureReason":"Wrong password."}"#,
            "{\r\n  \"failureReason\": \"Wrong password.\",\r\n  \"errorCode\": \"50126\"\r\n}",
            "@{errorCode=50126; failureReason=Wrong password.; additionalDetails=}",
            "class SignInStatus {\n  ErrorCode: 50126\n  FailureReason: Wrong password.\n  AdditionalDetails: \n}\n",
        ] {
            let status = status_in_text(text);
            assert_eq!(status.error_code, Some(50126), "{text}");
            assert_eq!(status.failure_reason.as_deref(), Some("Wrong password."), "{text}");
        }
        assert_eq!(status_in_text("0").error_code, Some(0));
        let reason = |text: &str| status_in_text(text).failure_reason.map(Cow::into_owned);
        assert_eq!(reason("class SignInStatus {\n  ErrorCode: 0\n  FailureReason: \n}\n"), None);
        for text in [
            "class SignInStatus {\n  ErrorCode: 1\n  FailureReason: Blocked: a; b=c.\n}\n",
            "@{ErrorCode=1; FailureReason=Blocked: a; b=c.; AdditionalDetails=}",
        ] {
            let expected = if text.starts_with('@') { "Blocked: a" } else { "Blocked: a; b=c." };
            assert_eq!(reason(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(reason("@{FailureReason=One; two.; ErrorCode=1}").as_deref(), Some("One; two."));
        let type_name = status_in_text("Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus");
        assert_eq!(type_name, Status::default());
    }

    #[test]
    fn only_a_step_that_succeeded_with_a_certificate_counts() {
        for (steps, expected) in [
            (r#"[{"authenticationMethod":"X.509 Certificate","succeeded":true}]"#, true),
            (r#"[{"succeeded":"True","authenticationMethod":"x.509 certificate"}]"#, true),
            (r#"[{"authenticationMethod":"X.509 Certificate","succeeded":false}]"#, false),
            (
                r#"[{"authenticationMethod":"X.509 Certificate","succeeded":true},{"authenticationMethod":"Password","succeeded":true}]"#,
                false,
            ),
            (
                r#"[{"authenticationMethod":"Password","succeeded":false},{"authenticationMethod":"X.509 Certificate","succeeded":true}]"#,
                true,
            ),
            (r#"[{"authenticationMethod":"X.509 Certificate"}]"#, false),
            (r#"[{"authenticationMethod":"Password","succeeded":true}]"#, false),
            (
                r#"[{"authenticationMethod":"X.509 Certificate","succeeded":false},{"authenticationMethod":"Password","succeeded":true}]"#,
                false,
            ),
        ] {
            assert_eq!(certificate_in_text(steps), expected, "{steps}");
            assert_eq!(certificate_in_cell(&steps.replace('"', "\"\"")), expected, "{steps}");
        }
    }

    #[test]
    fn a_country_is_the_last_part_of_a_place() {
        for (text, expected) in [
            ("Seattle, Washington, US", Some("US")),
            ("KP", Some("KP")),
            (r#"{"city":"Ghent","countryOrRegion":"BE"}"#, Some("BE")),
            (r#"{"geoCoordinates":{}}"#, None),
            ("@{City=Ghent; State=; CountryOrRegion=BE; GeoCoordinates=}", Some("BE")),
            ("class SignInLocation {\n  City: Ghent\n  CountryOrRegion: BE\n}\n", Some("BE")),
            ("Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInLocation", None),
            ("System.Collections.Hashtable", None),
            (", , ", None),
        ] {
            assert_eq!(country_in_text(text.into()).as_deref(), expected, "{text}");
        }
    }
}
