//! Sixty-four bytes at once: which are quotes, backslashes, control characters. With AVX2 where the
//! processor has it, else with plain words. The only `unsafe` of the readers is here: the call of code
//! for AVX2, after its presence was seen, and unaligned loads from an array of the same size.

#![expect(unsafe_code, reason = "vector instructions; each use says why it is sound")]
#![expect(clippy::inline_always, reason = "instructions are chosen for what they are inlined into")]
#![cfg_attr(target_arch = "x86_64", expect(clippy::cast_ptr_alignment, reason = "loads that need none"))]

/// One bit a byte, the first byte lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    pub(super) controls: u64,
}

/// How many bytes are compared together.
pub(super) const WINDOW: usize = 32;
/// How many bytes are looked at together.
pub(crate) const BLOCK: usize = 64;

/// Work that looks at bytes: compiled anew for each way to look, if `by` is inlined.
pub(crate) trait Work {
    type Done;

    fn by(self, look: impl Look) -> Self::Done;
}

/// The way to look that the processor permits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processor {
    #[cfg(target_arch = "x86_64")]
    avx2: Option<avx2::Avx2>,
}

impl Processor {
    /// With the fastest instructions that it has.
    pub(crate) fn detect() -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            avx2: avx2::Avx2::detect(),
        }
    }

    /// With instructions that every processor has.
    #[cfg(test)]
    pub(crate) const fn portable() -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            avx2: None,
        }
    }

    pub(crate) fn run<W: Work>(self, work: W) -> W::Done {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = self.avx2 {
            return avx2.run(work);
        }
        work.by(Words)
    }
}

/// A way to look at bytes. One bit a byte, the first byte lowest.
pub(crate) trait Look: Copy {
    fn masks(self, block: &[u8; BLOCK]) -> Masks;

    /// Which bytes are `byte`.
    fn places(self, block: &[u8; BLOCK], byte: u8) -> u64;

    /// Which bytes are equal.
    fn equal(self, a: &[u8; WINDOW], b: &[u8; WINDOW]) -> u32;

    /// Which bytes a string can't have as they are: quotes, backslashes, control characters.
    fn specials(self, block: &[u8; BLOCK]) -> u64;

    /// Which bytes are digits.
    fn digits(self, window: &[u8; WINDOW]) -> u32;

    /// Every bit the sum modulo two of the bits up to it: set from an opening quote until before the
    /// closing one.
    fn running_parity(self, bits: u64) -> u64;
}

/// Plain words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words;

impl Look for Words {
    fn masks(self, block: &[u8; BLOCK]) -> Masks {
        let mut masks = Masks { quotes: 0, backslashes: 0, controls: 0 };
        for (at, word) in block.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            masks.quotes |= zero_bytes(word ^ (ONES * u64::from(b'"'))) << (at * 8);
            masks.backslashes |= zero_bytes(word ^ (ONES * u64::from(b'\\'))) << (at * 8);
            masks.controls |= zero_bytes(word & (ONES * 0xe0)) << (at * 8);
        }
        masks
    }

    fn places(self, block: &[u8; BLOCK], byte: u8) -> u64 {
        let words = block.as_chunks::<8>().0.iter().enumerate();
        words.fold(0, |places, (at, word)| {
            places | zero_bytes(u64::from_le_bytes(*word) ^ (ONES * u64::from(byte))) << (at * 8)
        })
    }

    fn equal(self, a: &[u8; WINDOW], b: &[u8; WINDOW]) -> u32 {
        let mut equal = 0;
        for (at, (a, b)) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).enumerate() {
            equal |= zero_bytes(u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)) << (at * 8);
        }
        #[expect(clippy::cast_possible_truncation, reason = "four times eight bits")]
        {
            equal as u32
        }
    }

    fn specials(self, block: &[u8; BLOCK]) -> u64 {
        let masks = self.masks(block);
        masks.quotes | masks.backslashes | masks.controls
    }

    fn digits(self, window: &[u8; WINDOW]) -> u32 {
        let bits = window.iter().enumerate();
        bits.fold(0, |bits, (at, byte)| bits | u32::from(byte.is_ascii_digit()) << at)
    }

    fn running_parity(self, mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// A bit for each byte of the word that is zero.
fn zero_bytes(word: u64) -> u64 {
    const LOWS: u64 = ONES * 0x7f;
    let zeros = !(((word & LOWS) + LOWS) | word | LOWS);
    // Brings the eight high bits together.
    (zeros >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8, _mm256_cmpeq_epi8,
        _mm256_loadu_si256, _mm256_max_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
        _mm256_sub_epi8,
    };

    use super::super::index::{Index, Outcome};
    use super::super::learned::Learned;
    use super::{BLOCK, Look, Masks, WINDOW, Work};

    /// Proof that the processor has AVX2, carry-less multiplication and the bit instructions.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Avx2(());

    impl Avx2 {
        pub(in super::super) fn detect() -> Option<Self> {
            let has = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("pclmulqdq")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("popcnt")
                && is_x86_feature_detected!("lzcnt");
            has.then_some(Self(()))
        }

        pub(super) fn run<W: Work>(self, work: W) -> W::Done {
            #[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,popcnt,lzcnt")]
            fn run<W: Work>(look: Avx2, work: W) -> W::Done {
                work.by(look)
            }
            // SAFETY: `self` is made by `detect` alone, which saw every one of these features.
            unsafe { run(self, work) }
        }

        /// [`Index::build_by`], compiled for these instructions.
        pub(in super::super) fn build(self, index: &mut Index, text: &[u8]) -> Outcome {
            #[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,popcnt,lzcnt")]
            fn build(look: Avx2, index: &mut Index, text: &[u8]) -> Outcome {
                index.build_by(look, text)
            }
            // SAFETY: as above.
            unsafe { build(self, index, text) }
        }

        /// [`Learned::read_by`], compiled for these instructions.
        pub(in super::super) fn read(
            self,
            learned: &mut Learned,
            chunk: &str,
            start: usize,
            end: usize,
        ) -> bool {
            #[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,popcnt,lzcnt")]
            fn read(look: Avx2, learned: &mut Learned, chunk: &str, start: usize, end: usize) -> bool {
                learned.read_by(look, chunk, start, end)
            }
            // SAFETY: as above.
            unsafe { read(self, learned, chunk, start, end) }
        }
    }

    impl Look for Avx2 {
        #[inline(always)]
        fn masks(self, block: &[u8; BLOCK]) -> Masks {
            // SAFETY: the features are there, as `self` proves; each load reads 32 of the block's 64
            // bytes and needs no alignment.
            unsafe {
                let halves = block.as_ptr().cast::<__m256i>();
                let (low, high) = (_mm256_loadu_si256(halves), _mm256_loadu_si256(halves.add(1)));
                let both = |found: [__m256i; 2]| {
                    let [low, high] = found.map(|half| _mm256_movemask_epi8(half).cast_unsigned());
                    u64::from(low) | u64::from(high) << 32
                };
                let quote = _mm256_set1_epi8(b'"'.cast_signed());
                let backslash = _mm256_set1_epi8(b'\\'.cast_signed());
                let last_control = _mm256_set1_epi8(0x1f);
                let control = |half| _mm256_cmpeq_epi8(_mm256_max_epu8(half, last_control), last_control);
                Masks {
                    quotes: both([_mm256_cmpeq_epi8(low, quote), _mm256_cmpeq_epi8(high, quote)]),
                    backslashes: both([
                        _mm256_cmpeq_epi8(low, backslash),
                        _mm256_cmpeq_epi8(high, backslash),
                    ]),
                    controls: both([control(low), control(high)]),
                }
            }
        }

        #[inline(always)]
        fn places(self, block: &[u8; BLOCK], byte: u8) -> u64 {
            // SAFETY: as above.
            unsafe {
                let halves = block.as_ptr().cast::<__m256i>();
                let wanted = _mm256_set1_epi8(byte.cast_signed());
                let places =
                    |half| u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(half, wanted)).cast_unsigned());
                places(_mm256_loadu_si256(halves)) | places(_mm256_loadu_si256(halves.add(1))) << 32
            }
        }

        #[inline(always)]
        fn equal(self, a: &[u8; WINDOW], b: &[u8; WINDOW]) -> u32 {
            // SAFETY: as above; each load reads a whole window.
            unsafe {
                let [a, b] = [a, b].map(|window| _mm256_loadu_si256(window.as_ptr().cast::<__m256i>()));
                _mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)).cast_unsigned()
            }
        }

        #[inline(always)]
        fn specials(self, block: &[u8; BLOCK]) -> u64 {
            // SAFETY: as above.
            unsafe {
                let halves = block.as_ptr().cast::<__m256i>();
                let specials = |bytes| {
                    let quotes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'"'.cast_signed()));
                    let backslashes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\\'.cast_signed()));
                    let last_control = _mm256_set1_epi8(0x1f);
                    let controls = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, last_control), last_control);
                    let all = _mm256_or_si256(_mm256_or_si256(quotes, backslashes), controls);
                    u64::from(_mm256_movemask_epi8(all).cast_unsigned())
                };
                specials(_mm256_loadu_si256(halves)) | specials(_mm256_loadu_si256(halves.add(1))) << 32
            }
        }

        #[inline(always)]
        fn digits(self, window: &[u8; WINDOW]) -> u32 {
            // SAFETY: as above.
            unsafe {
                let bytes = _mm256_loadu_si256(window.as_ptr().cast::<__m256i>());
                let value = _mm256_sub_epi8(bytes, _mm256_set1_epi8(b'0'.cast_signed()));
                let nine = _mm256_set1_epi8(9);
                let digits = _mm256_cmpeq_epi8(_mm256_max_epu8(value, nine), nine);
                _mm256_movemask_epi8(digits).cast_unsigned()
            }
        }

        #[inline(always)]
        fn running_parity(self, bits: u64) -> u64 {
            // SAFETY: the feature is there, as `self` proves.
            unsafe {
                let product =
                    _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits.cast_signed()), _mm_set1_epi8(-1));
                _mm_cvtsi128_si64(product).cast_unsigned()
            }
        }
    }
}
