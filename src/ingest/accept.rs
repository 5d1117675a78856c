//! What every row must have: a record's gaps are filled by what its file is known to be, and its ids and times are
//! checked.

use std::borrow::Cow;

use crate::find::Input;
use lightsout_formats::reject::RejectReason;
use lightsout_model::sign_in::{Category, RawSignIn};
use lightsout_model::tenant::is_guid;

/// A record that becomes a row.
pub(super) struct Accepted<'a> {
    pub(super) raw: RawSignIn<'a>,
    pub(super) tenant_id: Cow<'a, str>,
    pub(super) signed_in_at: i64,
}

/// Fills what the record leaves open and checks what every row must have.
pub(super) fn accept<'r>(
    mut raw: RawSignIn<'r>,
    named: Option<&str>,
    input: &Input,
    now: i64,
) -> std::result::Result<Accepted<'r>, RejectReason> {
    let user = raw.user_id.is_some() || raw.user_principal_name.is_some();
    let by_interaction = || {
        raw.is_interactive
            .filter(|_| user)
            .map(|interactive| if interactive { Category::Interactive } else { Category::NonInteractive })
    };
    let service = raw.service_principal;
    let fits = |category: &Category| !(service && category.is_user() || user && category.is_of_no_user());
    let assigned = input.assigned.category.filter(fits);
    // A file's name does not make a user's sign-in a service's.
    let of_path = input.says.category.filter(|category| !(user && category.is_of_no_user()));
    raw.category = raw.category.or(of_path).or_else(by_interaction).or(assigned);
    if service {
        raw.category = raw.category.or(Some(Category::ServicePrincipal));
    }
    let assigned = || input.tenant_id().map(|tenant| Cow::Owned(tenant.to_owned()));
    let no_tenant = || match named {
        Some(name) => RejectReason::UnknownTenant { found: name.chars().take(60).collect() },
        None => RejectReason::NoTenant,
    };
    let tenant_id = lower_case(raw.tenant_id.take().or_else(assigned).ok_or_else(no_tenant)?);
    let signed_in_at = raw.signed_in_at.ok_or(RejectReason::NoTime)?;
    if !lightsout_model::time::is_possible(signed_in_at, now) {
        return Err(RejectReason::ImpossibleTime { found: lightsout_model::time::format(signed_in_at) });
    }
    for id in [&mut raw.home_tenant_id, &mut raw.resource_tenant_id] {
        // What is no id of a tenant does not say that it is another one.
        if id.as_deref().is_some_and(|text| !is_guid(text)) {
            *id = id.take().and_then(|text| lightsout_model::tenant::tenant_id(&text)).map(Cow::Owned);
        }
    }
    if raw.resource_name.as_deref().is_some_and(stands_for_any) {
        raw.resource_name = None;
    }
    for id in [&mut raw.app_id, &mut raw.resource_id] {
        if let Some(text) = id.as_deref()
            && (text.starts_with(['{', '0']) || stands_for_any(text))
        {
            *id = id.take().and_then(plain_id);
        }
    }
    for id in [
        &mut raw.sign_in_id,
        &mut raw.user_id,
        &mut raw.app_id,
        &mut raw.resource_id,
        &mut raw.home_tenant_id,
        &mut raw.resource_tenant_id,
    ] {
        if let Some(text) = id.as_deref()
            && has_upper_case(text)
            && is_guid(text)
        {
            *id = id.take().map(lower_case);
        }
    }
    Ok(Accepted { raw, tenant_id, signed_in_at })
}

/// Whether a text names nothing: what exporters, spreadsheets and databases write where there is no value.
fn stands_for_any(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "anonymized",
        "unknown",
        "-",
        "--",
        "n/a",
        "#n/a",
        "none",
        "null",
        "undefined",
        "(blank)",
        "(empty)",
        "nan",
    ];
    let text = text.trim();
    text.len() <= 10 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// An id without braces; one that stands for any id is none.
fn plain_id(id: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let bare = id.trim().trim_start_matches('{').trim_end_matches('}');
    let is_zero = !bare.is_empty() && bare.bytes().all(|byte| matches!(byte, b'0' | b'-'));
    if is_zero || stands_for_any(bare) {
        None
    } else if bare.len() < id.len() && is_guid(bare) {
        Some(Cow::Owned(bare.to_owned()))
    } else {
        Some(id)
    }
}

/// Names a record without an id by its tenant and content.
pub(super) fn content_hash(tenant_id: &str, content: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(tenant_id.as_bytes()).update(b"\0").update(content.as_bytes());
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}

/// Looks at all of it: that takes no branch a byte.
fn has_upper_case(text: &str) -> bool {
    text.bytes().fold(false, |found, byte| found | byte.is_ascii_uppercase())
}

fn lower_case(text: Cow<'_, str>) -> Cow<'_, str> {
    if has_upper_case(&text) { Cow::Owned(text.to_ascii_lowercase()) } else { text }
}
