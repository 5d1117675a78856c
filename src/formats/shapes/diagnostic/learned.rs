//! Diagnostic records by what is remembered of those before: which members are wanted, and the same
//! draft from where they were found. What the walk over a record does with rare members is left to it.

use std::borrow::Cow;
use std::ops::Range;

use super::super::draft::{Draft, Item};
use super::super::nested::is_certificate;
use super::super::{Parsed, draft};
use super::{
    ENVELOPE, Envelope, Member, Properties, assemble, is_of_log_analytics, is_of_properties, lowered_member,
};
use crate::json::learned::{Found, Learned, SLOTS, Segment, Want};
use crate::json::{Scanned, Strings};
use crate::reject::RejectReason;
use lightsout_model::sign_in::Category;
use lightsout_model::time::DateOrder;

// Slots: members of the envelope from 0 on, items of the properties from `ITEMS` on, then what is in
// them.
const ITEMS: u8 = 16;
const ERROR_CODE: u8 = 56;
const FAILURE_REASON: u8 = 57;
const COUNTRY: u8 = 58;

const fn slot_of(item: Item) -> u8 {
    ITEMS + item as u8
}

const STATUS: u8 = slot_of(Item::Status);
const LOCATION: u8 = slot_of(Item::Location);
const AUTHENTICATION_DETAILS: u8 = slot_of(Item::AuthenticationDetails);

const _: () = {
    let last = Item::ALL.len();
    assert!(Item::ALL[last - 1] as usize == last - 1 && ITEMS as usize + last <= ERROR_CODE as usize);
    assert!((COUNTRY as usize) < SLOTS);
};

/// What is wanted of the value at a path.
pub(in super::super) fn want(path: &[Segment]) -> Want {
    match path {
        [Segment::Key(key)] => match ENVELOPE.exactly(key) {
            Some(Member::Properties) => Want::Object(Member::Properties as u8),
            Some(member) => Want::Text(member as u8),
            None if lowered_member(key).is_some() || is_of_log_analytics(key) || is_of_properties(key) => {
                Want::Refuse
            }
            None => Want::Pass,
        },
        [Segment::Key(outer), Segment::Key(key)] if &**outer == "properties" => match Item::of_member(key) {
            // A category is wanted of each record, and it says more than its event types.
            Some(Item::EventTypes) => Want::Pass,
            Some(Item::ErrorCode | Item::FailureReason | Item::Country) => Want::Refuse,
            Some(item @ (Item::Status | Item::Location)) => Want::Object(slot_of(item)),
            Some(item @ Item::AuthenticationDetails) => Want::Array(slot_of(item)),
            Some(item) => Want::Text(slot_of(item)),
            None if &**key == "SignInBondData" => Want::Refuse,
            None => Want::Pass,
        },
        [Segment::Key(outer), Segment::Key(member), inner @ ..] if &**outer == "properties" => {
            let is = |key: &str, name: &str| key.eq_ignore_ascii_case(name);
            match (&**member, inner) {
                ("status", [Segment::Key(key)]) if is(key, "errorCode") => Want::Text(ERROR_CODE),
                ("status", [Segment::Key(key)]) if is(key, "failureReason") => Want::Text(FAILURE_REASON),
                ("location", [Segment::Key(key)]) if is(key, "countryOrRegion") => Want::Text(COUNTRY),
                ("authenticationDetails", [Segment::Element, Segment::Key(key)])
                    if is(key, "authenticationMethod") =>
                {
                    Want::Each
                }
                _ => Want::Pass,
            }
        }
        _ => Want::Pass,
    }
}

/// Reads the record `chunk[range]`; `None`: that is for the walk to do.
pub(in super::super) fn parse_learned<'a>(
    chunk: &'a str,
    range: Range<usize>,
    learned: &mut Learned,
    dates: DateOrder,
) -> Option<Result<Parsed<'a>, RejectReason>> {
    let found = learned.read(chunk, range.start, range.end)?;
    // Whether that step succeeded stands beside its method, and the two belong together.
    if found.each().any(|(start, end)| is_certificate(&chunk[start..end])) {
        return None;
    }
    let (envelope, properties) = gather(chunk, found);
    let category = envelope.category.as_deref()?.trim();
    // A name that is not known leaves the category to the event types, which the walk reads.
    if Category::from_table(category).is_none() && draft::speaks_of_sign_ins(category) {
        return None;
    }
    if !envelope.is_diagnostic() {
        return None;
    }
    let draft = assemble(envelope, properties, &chunk[range]);
    Some(draft.and_then(|draft| draft.finish_with(dates, DateOrder::MonthFirst)))
}

/// What the walk would have gathered.
fn gather<'a>(chunk: &'a str, found: &Found) -> (Envelope<'a>, Properties<'a>) {
    let text = |slot| -> Option<Cow<'a, str>> {
        let (start, end) = found.range(chunk.as_bytes(), slot)?;
        let text = if found.is_escaped(slot) {
            Scanned.read(chunk, start - 1).ok()?.0
        } else {
            Cow::Borrowed(&chunk[start..end])
        };
        Some(text).filter(|text| !crate::json::is_blank(text))
    };
    let mut envelope =
        Envelope { has_properties: found.has(Member::Properties as u8), ..Envelope::default() };
    for (_, member) in ENVELOPE.entries() {
        if found.has(*member as u8) {
            envelope.set(*member, text(*member as u8));
        }
    }
    let mut draft = Draft::default();
    for item in Item::ALL {
        let slot = slot_of(item);
        if found.has(slot) && !matches!(slot, STATUS | LOCATION | AUTHENTICATION_DETAILS) {
            draft.set(item, text(slot));
        }
    }
    let sign_in = &mut draft.sign_in;
    if found.has(STATUS) {
        sign_in.has_result |= found.has(ERROR_CODE);
        sign_in.error_code = text(ERROR_CODE).as_deref().and_then(draft::code);
        sign_in.failure_reason = text(FAILURE_REASON);
    }
    if found.has(LOCATION) {
        sign_in.country = text(COUNTRY);
    }
    (envelope, Properties { draft, bond_user_agent: None })
}
