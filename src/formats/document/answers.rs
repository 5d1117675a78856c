//! The answers of query services that a document is made of: what stands beside their records, and how many records each
//! has.

use super::arrays::ArrayKey;
use crate::answer::{Beside, Frames, Page, Totals};

/// An answer whose records are being read.
#[derive(Debug, Clone, Copy)]
struct Answer {
    /// How many containers it is in.
    within: usize,
    key: ArrayKey,
    beside: Beside,
    held: u64,
}

/// What is known of the answers of a stream.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// The outermost first.
    open: Vec<Answer>,
    totals: Totals,
    frames: Frames,
    says_incomplete: bool,
}

impl Answers {
    /// Whether one says of itself that records are missing.
    pub(crate) fn say_incomplete(&self) -> bool {
        self.says_incomplete || self.totals.is_short() || self.frames.say_incomplete()
    }

    /// Whether one counts more records than there are.
    pub(crate) fn are_short(&self) -> bool {
        self.totals.is_short()
    }

    /// Begins an answer in so many containers.
    pub(super) fn open(&mut self, within: usize, key: ArrayKey, beside: Beside) {
        self.says_incomplete |= beside.is_incomplete;
        self.open.push(Answer { within, key, beside, held: 0 });
    }

    /// Whether an answer with such an array may be one of the innermost one's records.
    pub(super) fn nest(&self, key: ArrayKey) -> bool {
        key != ArrayKey::Responses && self.open.last().is_some_and(|answer| answer.key == ArrayKey::Responses)
    }

    /// Takes in a member behind the records of the innermost one.
    pub(super) fn member(&mut self, key: &[u8], value: &[u8]) {
        if let Some(answer) = self.open.last_mut() {
            answer.beside.member(key, value);
            self.says_incomplete |= answer.beside.is_incomplete;
        }
    }

    /// Counts a record in the array of the innermost one.
    pub(super) fn count(&mut self) {
        if let Some(answer) = self.open.last_mut() {
            answer.held += 1;
        }
    }

    /// Takes in an object that may be a frame.
    pub(super) fn frame(&mut self, object: &[u8]) {
        self.frames.object(object);
    }

    /// Ends the answers that are not open any more where so many containers are.
    pub(super) fn close(&mut self, containers: usize) {
        while let Some(answer) = self.open.pop_if(|answer| answer.within >= containers) {
            let Answer { key, beside: Beside { total, is_linked, .. }, held, .. } = answer;
            let page = Page { total, held, is_linked, is_value: key == ArrayKey::Value };
            if self.open.last().is_some_and(|outer| outer.key == ArrayKey::Responses) {
                // What was asked in one request are several questions.
                self.totals.add_alone(page);
            } else {
                self.totals.add(page);
            }
        }
    }

    /// Ends the innermost one, which breaks off; in how many containers it was.
    pub(super) fn end_innermost(&mut self) -> usize {
        let within = self.open.last().map_or(0, |answer| answer.within);
        self.close(within);
        within
    }
}
