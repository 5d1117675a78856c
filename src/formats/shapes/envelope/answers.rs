//! What the answers inside of a record say of being incomplete, where `document` does not go into them.

use std::borrow::Cow;

use super::{Levels, elements, members, part_of};
use crate::answer::{AnswerState, Frames, mentions_state, own_state};
use crate::json::Cursor;

/// What a value or the answers inside of it say.
pub(super) fn find(value: &Cow<'_, str>, levels: Levels) -> Option<AnswerState> {
    if !mentions_state(value) {
        return None;
    }
    match value.as_bytes().first()? {
        b'{' => {
            let levels = Levels { envelopes: levels.envelopes.checked_sub(1)?, ..levels };
            let inside = || {
                let parts = members(value)?.payloads.into_iter().map(|(_, part)| part);
                first_of(parts.filter_map(|part| find(&part_of(value, part), levels)))
            };
            match own_state(value) {
                Some(AnswerState::Incomplete) => Some(AnswerState::Incomplete),
                own => inside().filter(|inside| *inside == AnswerState::Incomplete).or(own),
            }
        }
        b'[' => {
            let (parts, mut frames) = (elements(value)?, Frames::default());
            for part in &parts {
                frames.object(value[part.clone()].as_bytes());
            }
            if frames.say_incomplete() {
                return Some(AnswerState::Incomplete);
            }
            first_of(parts.into_iter().filter_map(|part| find(&part_of(value, part), levels)))
        }
        b'"' => {
            let levels = Levels { texts: levels.texts.checked_sub(1)?, ..levels };
            let text = Cursor::new(value).string().ok()?;
            find(&Cow::Borrowed(text.trim()), levels)
        }
        _ => None,
    }
}

/// The state that weighs most.
fn first_of(mut states: impl Iterator<Item = AnswerState>) -> Option<AnswerState> {
    let first = states.next()?;
    Some(if states.any(|state| state == AnswerState::Incomplete) { AnswerState::Incomplete } else { first })
}
