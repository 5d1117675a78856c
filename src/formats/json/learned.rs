//! Reads records that look like those before them: what stands between two values (quotes, brackets,
//! keys, `true`, `null`, empty containers) takes few forms, so each form is proven once, remembered,
//! and from then on compared.
//!
//! A *place* is where a value has ended: the path of keys and elements that leads to it, which also
//! fixes what is open around it. A *link* leads from a place over one form of text to the next value
//! or to the end of the record. A link is made by a strict step through text that was met, so
//! a record that is covered by links, with valid values between them, is valid JSON. What no link fits
//! makes a new one; text that is not valid, members that the reader wants in another form, and keys
//! that occur twice make the record *odd*: another reader has the word on it.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

mod step;

use std::collections::HashMap;

#[cfg(target_arch = "x86_64")]
use super::blocks::avx2::Avx2;
use super::blocks::{BLOCK, Look, WINDOW, Words};
use super::{escape, number};

/// How many values of a record can be kept.
pub const SLOTS: usize = 64;

/// The link that leads to a record's start; none leads to it.
const START: u16 = 0;
const PLACES_MAX: usize = 1000;
const LINKS_MAX: usize = 4096;
const LINKS_PER_PLACE_MAX: usize = 24;
/// Records looked at before it is judged whether they are alike, and left alone if they are not.
const JUDGED: u32 = 256;
const LEFT_ALONE: u32 = 4096;

/// One step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    Key(Box<str>),
    Element,
}

/// What the reader wants of the value at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Nothing of it; but perhaps of what is in it.
    Pass,
    /// Its text, in this slot. A container makes the record odd.
    Text(u8),
    /// Its text, which may occur more than once.
    Each,
    /// What is in the object, the slot being marked. Anything else makes the record odd.
    Object(u8),
    /// The same of an array.
    Array(u8),
    /// A record that has it is odd.
    Refuse,
}

/// What follows a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Follows {
    /// The text of a string; the link ends behind its opening quote.
    String,
    Number,
    /// The end of the record.
    Nothing,
}

#[derive(Debug)]
struct Place {
    path: Vec<Segment>,
    /// What ended here: a string's closing quote is still to come.
    ended: Follows,
    links: Vec<u16>,
}

#[derive(Debug, Clone)]
#[repr(align(64))]
struct Link {
    /// The first bytes of the text; of those behind its end, `beyond` has the bits.
    head: [u8; WINDOW],
    beyond: u32,
    len: u16,
    follows: Follows,
    take: Take,
    to: u16,
    /// The link that was next the last time.
    next: u16,
    /// How long the string was that it led to.
    usual: u8,
    /// Its text is all in `head`, nothing in it is wanted, and a string follows.
    plain: bool,
    /// The rest of the text, and what in all of it is wanted: in `more`, from 1 on; 0: nothing.
    more: u16,
}

/// What becomes of the value that a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    Nothing,
    Slot(u8),
    Each,
}

/// What few links have.
#[derive(Debug, Default, PartialEq, Eq)]
struct More {
    tail: Vec<u8>,
    marks: Vec<Mark>,
}

/// Something wanted that has no value of its own: a literal, or that a container opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    slot: u8,
    start: u32,
    end: u32,
}

/// What was wanted of a record.
#[derive(Debug)]
pub struct Found {
    seen: u64,
    literals: u64,
    escaped: u64,
    /// Where each slot's text is in the chunk; a string's without its quotes.
    ranges: [(u32, u32); SLOTS],
    each: Vec<(u32, u32)>,
}

impl Found {
    fn clear(&mut self) {
        (self.seen, self.literals, self.escaped) = (0, 0, 0);
        self.each.clear();
    }

    /// False if the slot was filled before.
    #[inline]
    fn put(&mut self, slot: u8, range: (u32, u32)) -> bool {
        let bit = 1 << slot;
        let new = self.seen & bit == 0;
        self.seen |= bit;
        self.ranges[usize::from(slot) % SLOTS] = range;
        new
    }

    /// Whether the record has the member, whatever its value.
    #[must_use]
    pub fn has(&self, slot: u8) -> bool {
        self.seen & 1 << slot != 0
    }

    /// Where the text is; `None` if the record does not have it, or it is `null`.
    #[must_use]
    pub fn range(&self, chunk: &[u8], slot: u8) -> Option<(usize, usize)> {
        let (start, end) = self.ranges[usize::from(slot) % SLOTS];
        let null = self.literals & 1 << slot != 0 && chunk.get(start as usize) == Some(&b'n');
        (self.has(slot) && !null).then_some((start as usize, end as usize))
    }

    /// The slots that are filled, a bit each.
    #[must_use]
    pub fn slots(&self) -> u64 {
        self.seen
    }

    /// Where the texts are that were wanted each; those without escapes.
    pub fn each(&self) -> impl Iterator<Item = (usize, usize)> {
        self.each.iter().map(|(start, end)| (*start as usize, *end as usize))
    }

    /// Whether the text has escapes, which are valid.
    #[must_use]
    pub fn is_escaped(&self, slot: u8) -> bool {
        self.escaped & 1 << slot != 0
    }
}

/// The forms that were met, for one kind of record.
#[derive(Debug)]
pub struct Learned {
    want: fn(&[Segment]) -> Want,
    #[cfg(target_arch = "x86_64")]
    avx2: Option<Avx2>,
    places: Vec<Place>,
    by_path: HashMap<(Vec<Segment>, Follows), u16>,
    links: Box<[Link; LINKS_MAX]>,
    links_len: usize,
    more: Vec<More>,
    found: Found,
    judged: u32,
    odd: u32,
    left_alone: u32,
}

/// A record that is not for this reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Odd;

impl Learned {
    /// Nothing is known yet but what is wanted.
    #[must_use]
    pub fn new(want: fn(&[Segment]) -> Want) -> Self {
        let start = Place { path: Vec::new(), ended: Follows::Nothing, links: Vec::new() };
        let to_start = Link {
            // Fits nowhere: such bytes are in no text.
            head: [0xff; WINDOW],
            beyond: 0,
            len: 0,
            follows: Follows::Nothing,
            take: Take::Nothing,
            to: 0,
            next: START,
            usual: 0,
            plain: false,
            more: 0,
        };
        Self {
            want,
            #[cfg(target_arch = "x86_64")]
            avx2: Avx2::detect(),
            places: vec![start],
            by_path: HashMap::new(),
            links: vec![to_start; LINKS_MAX].try_into().unwrap_or_else(|_| unreachable!("of that length")),
            links_len: 1,
            more: Vec::new(),
            found: Found { seen: 0, literals: 0, escaped: 0, ranges: [(0, 0); SLOTS], each: Vec::new() },
            judged: 0,
            odd: 0,
            left_alone: 0,
        }
    }

    /// Without the instructions that not every processor has.
    #[must_use]
    pub fn portable(want: fn(&[Segment]) -> Want) -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            avx2: None,
            ..Self::new(want)
        }
    }

    /// Reads the record `chunk[start..end]`; `None` if it is odd. What is behind its end may be looked
    /// at, and changes nothing.
    ///
    /// Text must be UTF-8.
    pub fn read(&mut self, chunk: &str, start: usize, end: usize) -> Option<&Found> {
        if self.left_alone > 0 {
            self.left_alone -= 1;
            return None;
        }
        // Places are kept in 32 bits.
        if u32::try_from(chunk.len()).is_err() {
            return None;
        }
        #[cfg(target_arch = "x86_64")]
        let read = match self.avx2 {
            Some(avx2) => avx2.read(self, chunk, start, end),
            None => self.read_by(Words, chunk, start, end),
        };
        #[cfg(not(target_arch = "x86_64"))]
        let read = self.read_by(Words, chunk, start, end);
        self.judge(read);
        read.then_some(&self.found)
    }

    /// Leaves records alone for a while if most are odd: what is tried in vain costs.
    fn judge(&mut self, read: bool) {
        self.judged += 1;
        self.odd += u32::from(!read);
        if self.judged == JUDGED {
            if self.odd > JUDGED / 2 {
                self.left_alone = LEFT_ALONE;
            }
            (self.judged, self.odd) = (0, 0);
        }
    }

    #[inline(always)]
    pub(super) fn read_by(&mut self, look: impl Look, chunk: &str, start: usize, end: usize) -> bool {
        self.found.clear();
        self.follow(look, chunk, start, end).is_ok()
    }

    #[inline(always)]
    fn follow(&mut self, look: impl Look, chunk: &str, start: usize, end: usize) -> Result<(), Odd> {
        let bytes = chunk.as_bytes();
        let (mut before, mut at) = (START, start);
        loop {
            let next = self.links[usize::from(before) % LINKS_MAX].next;
            let this = if self.fits(look, bytes, next, at) {
                next
            } else {
                let place = self.links[usize::from(before) % LINKS_MAX].to;
                let links = &self.places[usize::from(place)].links;
                let this = match links.iter().find(|link| self.fits(look, bytes, **link, at)) {
                    Some(link) => *link,
                    None => self.learn(chunk.get(..end).ok_or(Odd)?, place, at)?,
                };
                self.links[usize::from(before) % LINKS_MAX].next = this;
                this
            };
            let link = &mut self.links[usize::from(this) % LINKS_MAX];
            if !link.plain && link.more != 0 {
                let base = short(at);
                for mark in &self.more[usize::from(link.more) - 1].marks {
                    if !self.found.put(mark.slot, (base + mark.start, base + mark.end)) {
                        return Err(Odd);
                    }
                    self.found.literals |= 1 << mark.slot;
                }
            }
            at += usize::from(link.len);
            let from = at;
            let mut escaped = false;
            match link.follows {
                Follows::String => {
                    // Where the length is the usual one, what follows need not wait for it.
                    let usual = block(bytes, at).is_some_and(|block| {
                        look.specials(block) << (63 - link.usual) == 1 << 63
                            && block[usize::from(link.usual) % BLOCK] == b'"'
                    });
                    if usual {
                        at += usize::from(link.usual);
                    } else {
                        (at, escaped) = string_end(look, bytes, at, end, &mut link.usual).ok_or(Odd)?;
                    }
                }
                Follows::Number if at < end => at = number_end(look, &chunk[..end], at).ok_or(Odd)?,
                Follows::Number => return Err(Odd),
                Follows::Nothing => return if at == end { Ok(()) } else { Err(Odd) },
            }
            let range = (short(from), short(at));
            match link.take {
                Take::Nothing => {}
                Take::Slot(slot) => {
                    if !self.found.put(slot, range) {
                        return Err(Odd);
                    }
                    self.found.escaped |= u64::from(escaped) << slot;
                }
                Take::Each if escaped => return Err(Odd),
                Take::Each => self.found.each.push(range),
            }
            before = this;
        }
    }

    /// Whether the link's text stands at `at`.
    #[inline(always)]
    fn fits(&self, look: impl Look, bytes: &[u8], link: u16, at: usize) -> bool {
        let link = &self.links[usize::from(link) % LINKS_MAX];
        let equal = match block(bytes, at) {
            Some(window) => look.equal(window, &link.head),
            None => look.equal(&last_bytes(bytes, at), &link.head),
        };
        if equal | link.beyond != u32::MAX {
            return false;
        }
        if link.plain {
            return true;
        }
        let end = at + usize::from(link.len);
        let tail = || bytes.get(at + WINDOW..end) == Some(&self.more[usize::from(link.more) - 1].tail);
        // Only a number's link is the start of other links.
        let number = || matches!(bytes.get(end), Some(b'-' | b'0'..=b'9'));
        (usize::from(link.len) <= WINDOW || tail()) && (link.follows != Follows::Number || number())
    }

    /// Makes the link that leads on from `at`.
    #[cold]
    fn learn(&mut self, text: &str, place: u16, at: usize) -> Result<u16, Odd> {
        let from = &self.places[usize::from(place)];
        if at > text.len() || from.links.len() >= LINKS_PER_PLACE_MAX || self.links_len >= LINKS_MAX {
            return Err(Odd);
        }
        let step = step::step(text, at, &from.path, from.ended, self.want).ok_or(Odd)?;
        let glue = &text.as_bytes()[at..step.end];
        let to = self.place(step.path, step.follows)?;
        let mut head = [0; WINDOW];
        let in_head = glue.len().min(WINDOW);
        head[..in_head].copy_from_slice(&glue[..in_head]);
        let more = More { tail: glue[in_head..].to_vec(), marks: step.marks };
        let more = if more == More::default() {
            0
        } else {
            self.more.push(more);
            u16::try_from(self.more.len()).map_err(|_| Odd)?
        };
        let link = u16::try_from(self.links_len).map_err(|_| Odd)?;
        self.links[self.links_len] = Link {
            head,
            beyond: u32::MAX.checked_shl(u32::try_from(in_head).unwrap_or(u32::MAX)).unwrap_or(0),
            len: u16::try_from(glue.len()).map_err(|_| Odd)?,
            follows: step.follows,
            take: step.take,
            to,
            next: START,
            usual: 0,
            plain: more == 0 && step.follows == Follows::String,
            more,
        };
        self.links_len += 1;
        self.places[usize::from(place)].links.push(link);
        Ok(link)
    }

    fn place(&mut self, path: Vec<Segment>, ended: Follows) -> Result<u16, Odd> {
        if let Some(place) = self.by_path.get(&(path.clone(), ended)) {
            return Ok(*place);
        }
        if self.places.len() >= PLACES_MAX {
            return Err(Odd);
        }
        let place = u16::try_from(self.places.len()).map_err(|_| Odd)?;
        self.by_path.insert((path.clone(), ended), place);
        self.places.push(Place { path, ended, links: Vec::new() });
        Ok(place)
    }
}

/// The next `N` bytes, if there are as many.
#[inline(always)]
fn block<const N: usize>(bytes: &[u8], at: usize) -> Option<&[u8; N]> {
    bytes.get(at..at.wrapping_add(N))?.first_chunk()
}

/// A place in a chunk, which is shorter than 4 GiB.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "looked at before a chunk is read")]
fn short(at: usize) -> u32 {
    at as u32
}

/// Where the string's text that begins at `at` ends, and whether it has escapes; notes the length of
/// its first part.
#[inline(always)]
fn string_end(
    look: impl Look,
    bytes: &[u8],
    mut at: usize,
    end: usize,
    usual: &mut u8,
) -> Option<(usize, bool)> {
    let mut escaped = false;
    loop {
        let special = match block(bytes, at) {
            Some(block) => look.specials(block),
            None => look.specials(&last_bytes(bytes, at)),
        };
        if special == 0 {
            at += BLOCK;
            continue;
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 64")]
        {
            *usual = special.trailing_zeros() as u8;
        }
        at += special.trailing_zeros() as usize;
        match bytes.get(at) {
            Some(b'"') => return Some((at, escaped)),
            Some(b'\\') if at < end => (_, at) = escape::decode(&bytes[..end], at).ok()?,
            _ => return None,
        }
        escaped = true;
    }
}

/// The bytes from `at` on near the end; behind it newlines, which are in no valid string and no link.
#[cold]
fn last_bytes<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut window = [b'\n'; N];
    let rest = bytes.get(at..).unwrap_or_default();
    window[..rest.len()].copy_from_slice(rest);
    window
}

/// Where the number at `at` ends, `None` if it is none.
#[inline(always)]
fn number_end(look: impl Look, text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    if let Some(window) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let len = (!look.digits(window)).trailing_zeros() as usize;
        let leading_zero = window[0] == b'0' && len > 1;
        if len > 0 && len < WINDOW && !leading_zero && !matches!(window[len], b'.' | b'e' | b'E') {
            return Some(at + len);
        }
    }
    number::end(text, at).ok()
}
