//! What single values of a record mean, whatever its shape.

use std::borrow::Cow;

use crate::classify::{classify, outcome};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::{Outcome, RawSignIn};
use lightsout_model::tenant::{is_guid, tenant_id};

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A result code, also where it is text, or was taken for a measure (`50126.0`).
pub(in crate::shapes) fn code(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|byte| byte == b'0'));
    whole.map_or(text, |(whole, _)| whole).parse().ok()
}

pub(super) fn truth(text: &str) -> Option<bool> {
    if text.trim().eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.trim().eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// The outcome that a word states; other words state none.
pub(in crate::shapes) fn outcome_word(text: &str) -> Option<Outcome> {
    let text = text.trim();
    [
        ("success", Outcome::Success),
        ("succeeded", Outcome::Success),
        ("failure", Outcome::Failure),
        ("failed", Outcome::Failure),
        ("interrupted", Outcome::Interrupted),
    ]
    .into_iter()
    .find(|(word, _)| word.eq_ignore_ascii_case(text))
    .map(|(_, outcome)| outcome)
}

/// Of a member that is there twice, the value that may be Basic Authentication; else the last that says something.
pub(in crate::shapes) fn graver<'a>(
    known: Option<Cow<'a, str>>,
    next: Option<Cow<'a, str>>,
    is_harmless: impl Fn(&str) -> bool,
) -> Option<Cow<'a, str>> {
    match known {
        Some(known) if !is_harmless(&known) => Some(known),
        known => next.or(known),
    }
}

/// The client app of a sign-in that names several: one that may be Basic Authentication before a modern one, and one
/// that is stated before one that is not; else the last. False if two may be Basic Authentication and are not the same:
/// neither may be lost.
pub(super) fn graver_client<'a>(
    known: Option<Cow<'a, str>>,
    next: Option<Cow<'a, str>>,
) -> (Option<Cow<'a, str>>, bool) {
    let (known, next) = match (known, next) {
        (Some(known), Some(next)) if known != next => (known, next),
        (known, next) => return (next.or(known), true),
    };
    match (legacy_protocol(&known), legacy_protocol(&next)) {
        // What may be Basic Authentication comes before what is not, also if it is not stated.
        (None, _) => (Some(next), true),
        (Some(_), None) | (_, Some(Protocol::NotStated)) => (Some(known), true),
        (Some(Protocol::NotStated), _) => (Some(next), true),
        (Some(Protocol::Unrecognised), Some(Protocol::Unrecognised)) => {
            let is_same = known.trim().eq_ignore_ascii_case(next.trim());
            (Some(known), is_same)
        }
        (first, second) => (Some(known), first == second),
    }
}

/// The protocol that a client app stands for; `None` of a modern one.
fn legacy_protocol(app: &str) -> Option<Protocol> {
    classify(&RawSignIn { client_app: Some(Cow::Borrowed(app)), ..RawSignIn::default() }).protocol
}

/// Takes a member that a record has once, and notes where it is there again and says something else.
pub(in crate::shapes) fn once<'a>(
    known: &mut Option<Cow<'a, str>>,
    text: Option<Cow<'a, str>>,
    name: &'static str,
    twice: &mut Option<&'static str>,
) {
    if known.is_some() && text.is_some() && *known != text {
        *twice = Some(name);
    }
    *known = text.or(known.take());
}

/// Of two codes of one sign-in the one that may be usage; else the first.
pub(super) fn graver_code(first: Option<i64>, second: Option<i64>) -> Option<i64> {
    let succeeded = |code: &i64| outcome(Some(*code)) == Outcome::Success;
    first.filter(succeeded).or(second.filter(succeeded)).or(first).or(second)
}

/// Of two codes under one name the one that may be usage; else the second.
pub(in crate::shapes) fn last_code(first: Option<i64>, second: Option<i64>) -> Option<i64> {
    if first.is_some_and(|code| outcome(Some(code)) == Outcome::Success) { first } else { second }
}

/// The tenant in `/tenants/<id>/providers/Microsoft.aadiam`.
pub(super) fn tenant_in_path(path: &str) -> Option<String> {
    let mut parts = path.split('/');
    parts.find(|part| part.eq_ignore_ascii_case("tenants"))?;
    parts.next().and_then(tenant_id)
}

/// A tenant id as nearly all records have it.
pub(super) fn is_plain_tenant(text: &str) -> bool {
    is_guid(text) && text != NOBODY
}
