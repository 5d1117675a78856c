//! Where a value ends, found sixty-four bytes at a time. Text that is odd (a backslash outside strings, a
//! line end in one, a bracket that closes what is not open) is left to the reader that goes byte by byte.

#![expect(clippy::inline_always, reason = "compiled anew for each set of instructions")]

use crate::json::blocks::{BLOCK, Look, Processor, Work};

/// What the bytes from the start of a value on tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Ends(usize),
    NeedsMore,
    Odd,
}

/// Containers in containers; in more the reader byte by byte looks for the one too many.
const DEPTH_MAX: u32 = 120;

/// Where the object or array at `at` ends, by strings and brackets alone.
pub(super) fn end(processor: Processor, buffer: &[u8], at: usize) -> Found {
    processor.run(Value { text: &buffer[at..] }).from(at)
}

impl Found {
    fn from(self, start: usize) -> Self {
        match self {
            Self::Ends(len) => Self::Ends(start + len),
            other => other,
        }
    }
}

struct Value<'b> {
    text: &'b [u8],
}

/// What one block leaves to the next.
#[derive(Default)]
struct State {
    base: usize,
    /// Lowest bit: its first byte is escaped.
    escaped: u64,
    /// All bits, if it starts in a string.
    in_string: u64,
    /// One bit a container that is open, the innermost lowest: whether it is an object.
    objects: u128,
    open: u32,
}

impl Work for Value<'_> {
    type Done = Found;

    #[inline(always)]
    fn by(self, look: impl Look) -> Found {
        let mut state = State::default();
        let (blocks, rest) = self.text.as_chunks::<BLOCK>();
        for block in blocks {
            let found = state.block(look, block);
            if found != Found::NeedsMore {
                return found;
            }
        }
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        state.block(look, &last)
    }
}

impl State {
    #[inline(always)]
    fn block(&mut self, look: impl Look, block: &[u8; BLOCK]) -> Found {
        let mut escaped = self.escaped;
        self.escaped = 0;
        let backslashes = look.places(block, b'\\');
        let mut begun = 0;
        let mut left = backslashes & !escaped;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            begun |= bit;
            escaped |= bit << 1;
            self.escaped = bit >> 63;
            // What it begun begins no escape.
            left &= !(bit | bit << 1);
        }
        let quotes = look.places(block, b'"') & !escaped;
        let in_string = look.running_parity(quotes) ^ self.in_string;
        self.in_string = (in_string.cast_signed() >> 63).cast_unsigned();
        let odd = begun & !in_string | look.places(block, b'\n') & in_string;

        let braces = look.places(block, b'{') | look.places(block, b'}');
        let brackets = look.places(block, b'[') | look.places(block, b']');
        let mut borders = (braces | brackets) & !in_string;
        if odd != 0 {
            borders &= (1 << odd.trailing_zeros()) - 1;
        }
        while borders != 0 {
            let at = borders.trailing_zeros() as usize;
            borders &= borders - 1;
            let is_object = u128::from(braces >> at & 1);
            if matches!(block[at], b'{' | b'[') {
                self.objects = self.objects << 1 | is_object;
                self.open += 1;
                if self.open > DEPTH_MAX {
                    return Found::Odd;
                }
                continue;
            }
            if self.objects & 1 != is_object {
                return Found::Odd;
            }
            self.objects >>= 1;
            self.open -= 1;
            if self.open == 0 {
                return Found::Ends(self.base + at + 1);
            }
        }
        self.base += BLOCK;
        if odd == 0 { Found::NeedsMore } else { Found::Odd }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Value, value_end};
    use super::{Found, Processor, end};

    proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn a_value_ends_where_the_reader_byte_by_byte_says(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", "{\"a\":[", "]}", "\"", "\\", "\\\"", "\"x\"", "\"\\\\\"", "\"}\\\"{\"", ",", "\n", "é",
                "\"a text that is longer than the sixty-four bytes that are looked at together {\"",
                "\"a\":{\"b\":[1,2,{}],\"c\":\"\\u00e4\"},", "                                       ",
            ]), 0..60),
            wide in any::<bool>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let text = format!("{}{}", if wide { "{" } else { "[" }, pieces.concat());
            let text = &text.as_bytes()[..=cut.index(text.len())];
            for processor in [Processor::detect(), Processor::portable()] {
                match (end(processor, text, 0), value_end(text, 0)) {
                    (Found::Ends(found), Value::Ends(expected)) => prop_assert_eq!(found, expected),
                    (Found::NeedsMore, Value::NeedsMore) | (Found::Odd, _) => {}
                    (found, _) => prop_assert!(false, "{:?} of {}", found, String::from_utf8_lossy(text)),
                }
            }
        }
    }

    /// The property would hold of a fast way that is never taken.
    #[test]
    fn a_value_that_is_as_it_should_be_is_not_odd() {
        let text = format!("{{\"a\\\"}}\":[{}],\"b\":{{}}}}, {{", "{\"c\":\"\\\\\"},".repeat(40));
        for processor in [Processor::detect(), Processor::portable()] {
            assert_eq!(end(processor, text.as_bytes(), 0), Found::Ends(text.len() - 3));
            assert_eq!(end(processor, &text.as_bytes()[..200], 0), Found::NeedsMore);
        }
    }
}
