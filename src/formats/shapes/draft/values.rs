//! What single values of a record mean, whatever its shape.

use std::borrow::Cow;

use crate::classify::outcome;
use lightsout_model::sign_in::Outcome;
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
