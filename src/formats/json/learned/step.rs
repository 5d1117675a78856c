//! One strict step: from where a value has ended over brackets, commas, keys, literals and empty
//! containers to where the next value begins, or to the end of the record.

use super::super::strings::{Scanned, Strings};
use super::{Follows, Mark, Segment, Take, Want};

/// Containers inside containers that are learned; deeper ones are odd.
const DEPTH_MAX: usize = 32;
/// Longer text between two values is odd.
const LEN_MAX: usize = 2048;

pub(super) struct Step {
    pub(super) end: usize,
    pub(super) path: Vec<Segment>,
    pub(super) follows: Follows,
    pub(super) take: Take,
    pub(super) marks: Vec<Mark>,
}

/// Walks from `at`, where what is at `path` has ended; `None` if the text is odd.
pub(super) fn step(
    text: &str,
    at: usize,
    path: &[Segment],
    ended: Follows,
    want: fn(&[Segment]) -> Want,
) -> Option<Step> {
    let mut walk = Walk { text, start: at, at, path: path.to_vec(), want, marks: Vec::new() };
    let (follows, take) = match ended {
        Follows::Nothing => walk.value(),
        Follows::String => {
            walk.take(b'"')?;
            walk.after()
        }
        Follows::Number => walk.after(),
    }?;
    let Walk { at, path, marks, .. } = walk;
    Some(Step { end: at, path, follows, take, marks })
}

struct Walk<'t> {
    text: &'t str,
    start: usize,
    at: usize,
    path: Vec<Segment>,
    want: fn(&[Segment]) -> Want,
    marks: Vec<Mark>,
}

type Next = (Follows, Take);

/// What a value's end closed.
#[derive(PartialEq, Eq)]
enum Closed {
    /// None, some or all but the outermost container: another value follows.
    Containers,
    Record,
}

impl Walk<'_> {
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn mark(&mut self, slot: u8, len: usize) -> Option<()> {
        let start = u32::try_from(self.at - self.start).ok()?;
        let end = u32::try_from(self.at - self.start + len).ok()?;
        self.marks.push(Mark { slot, start, end });
        Some(())
    }

    fn key(&mut self) -> Option<Segment> {
        if self.peek()? != b'"' {
            return None;
        }
        let (key, end) = Scanned.read(self.text, self.at).ok()?;
        self.at = end;
        self.take(b':')?;
        Some(Segment::Key(key.into()))
    }

    /// A value is next, at `path`.
    fn value(&mut self) -> Option<Next> {
        loop {
            if self.at - self.start > LEN_MAX {
                return None;
            }
            let byte = self.peek()?;
            let want = (self.want)(&self.path);
            if want == Want::Refuse {
                return None;
            }
            match byte {
                b'"' | b'-' | b'0'..=b'9' => {
                    let take = match want {
                        Want::Pass => Take::Nothing,
                        Want::Text(slot) => Take::Slot(slot),
                        Want::Each => Take::Each,
                        _ => return None,
                    };
                    if byte != b'"' {
                        return Some((Follows::Number, take));
                    }
                    self.at += 1;
                    return Some((Follows::String, take));
                }
                b'{' | b'[' => {
                    match want {
                        Want::Pass => {}
                        Want::Object(slot) if byte == b'{' => self.mark(slot, 0)?,
                        Want::Array(slot) if byte == b'[' => self.mark(slot, 0)?,
                        _ => return None,
                    }
                    self.at += 1;
                    let (close, opened) =
                        if byte == b'{' { (b'}', None) } else { (b']', Some(Segment::Element)) };
                    if self.peek()? == close {
                        self.at += 1;
                    } else {
                        let segment = match opened {
                            Some(element) => element,
                            None => self.key()?,
                        };
                        if self.path.len() == DEPTH_MAX {
                            return None;
                        }
                        self.path.push(segment);
                        continue;
                    }
                }
                _ => {
                    let rest = &self.text[self.at..];
                    let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word))?;
                    match want {
                        Want::Pass | Want::Each => {}
                        Want::Text(slot) => self.mark(slot, word.len())?,
                        _ => return None,
                    }
                    self.at += word.len();
                }
            }
            // A value without text of its own has ended.
            if self.close()? == Closed::Record {
                return Some((Follows::Nothing, Take::Nothing));
            }
        }
    }

    /// What follows the value that has ended at `path`.
    fn after(&mut self) -> Option<Next> {
        match self.close()? {
            Closed::Record => Some((Follows::Nothing, Take::Nothing)),
            Closed::Containers => self.value(),
        }
    }

    /// Passes what closes, up to the next value or the record's end.
    fn close(&mut self) -> Option<Closed> {
        loop {
            let Some(last) = self.path.last() else {
                while self.at < self.text.len() {
                    self.peek()?;
                    if self.at < self.text.len() {
                        return None;
                    }
                }
                return Some(Closed::Record);
            };
            let in_object = matches!(last, Segment::Key(_));
            match self.peek()? {
                b',' => {
                    self.at += 1;
                    if in_object {
                        let key = self.key()?;
                        self.path.pop();
                        self.path.push(key);
                    }
                    return Some(Closed::Containers);
                }
                b'}' if in_object => {}
                b']' if !in_object => {}
                _ => return None,
            }
            self.at += 1;
            self.path.pop();
        }
    }
}
