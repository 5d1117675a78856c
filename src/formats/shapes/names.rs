//! A fixed few names, found in one step: most of a record's keys are none of them.

/// Names and what they stand for.
pub(super) struct Names<T: 'static> {
    entries: &'static [(&'static str, T)],
    /// Place in `entries` from 1 on, by hash; 0: none. What collides follows.
    slots: [u8; 256],
}

impl<T: Copy> Names<T> {
    pub(super) const fn new(entries: &'static [(&'static str, T)]) -> Self {
        assert!(entries.len() < 128, "room for names to stand apart");
        let mut slots = [0; 256];
        let mut at = 0;
        while at < entries.len() {
            let mut slot = hash(entries[at].0.as_bytes());
            while slots[slot] != 0 {
                slot = (slot + 1) % 256;
            }
            at += 1;
            #[expect(clippy::cast_possible_truncation, reason = "fewer than 128 entries")]
            {
                slots[slot] = at as u8;
            }
        }
        Self { entries, slots }
    }

    /// All of them.
    pub(super) fn entries(&self) -> &'static [(&'static str, T)] {
        self.entries
    }

    /// What the name stands for, in this spelling.
    #[inline]
    pub(super) fn exactly(&self, name: &str) -> Option<T> {
        self.find(name, |known| known == name)
    }

    /// The same in any case.
    #[inline]
    pub(super) fn in_any_case(&self, name: &str) -> Option<T> {
        self.find(name, |known| known.eq_ignore_ascii_case(name))
    }

    #[inline]
    fn find(&self, name: &str, is: impl Fn(&str) -> bool) -> Option<T> {
        let mut slot = hash(name.as_bytes());
        while let Some((known, meaning)) = self.entries.get(usize::from(self.slots[slot]).wrapping_sub(1)) {
            if is(known) {
                return Some(*meaning);
            }
            slot = (slot + 1) % 256;
        }
        None
    }
}

/// By length and three bytes, in any case.
#[inline]
const fn hash(name: &[u8]) -> usize {
    let len = name.len();
    if len == 0 {
        return 0;
    }
    let [first, middle, last] = [name[0] | 0x20, name[len / 2] | 0x20, name[len - 1] | 0x20];
    (len * 37 + first as usize * 5 + middle as usize * 11 + last as usize * 3) % 256
}

#[cfg(test)]
mod tests {
    use super::*;

    static NAMES: Names<u8> = Names::new(&[("id", 1), ("userId", 2), ("userid2", 3), ("", 4)]);

    #[test]
    fn a_name_is_found_in_its_spelling_and_in_any() {
        for (name, exactly, in_any_case) in [
            ("id", Some(1), Some(1)),
            ("ID", None, Some(1)),
            ("userId", Some(2), Some(2)),
            ("USERID2", None, Some(3)),
            ("", Some(4), Some(4)),
            ("di", None, None),
            ("u\u{308}serId", None, None),
        ] {
            assert_eq!(NAMES.exactly(name), exactly, "{name}");
            assert_eq!(NAMES.in_any_case(name), in_any_case, "{name}");
        }
    }
}
