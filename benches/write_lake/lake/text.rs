//! Random numbers, and ids that follow from numbers.

/// A small generator: the same seed gives the same numbers on every machine.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

/// Mixes the bits of a number.
pub(super) const fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// In `0..below`.
    pub(super) const fn below(&mut self, below: u64) -> u64 {
        ((self.next() as u128 * below as u128) >> 64) as u64
    }

    /// In `0.0..1.0`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are left")]
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// In `0..count`, the first the most often: the n-th about 1/n as often (Zipf's law).
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..count")]
    pub(super) fn zipf(&mut self, count: u32) -> u32 {
        let rank = (self.unit() * (f64::from(count) + 1.0).ln()).exp() as u32;
        rank.saturating_sub(1).min(count - 1)
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The text of a GUID, of the kind that is made at random.
pub(super) fn guid(number: u128, out: &mut [u8; 36]) -> &str {
    let version = 0x4000_u128 << 64;
    let variant = 0x8000_0000_0000_0000_u128;
    let number = number & !(0xf000_u128 << 64) & !(0xc000_0000_0000_0000_u128) | version | variant;
    let mut at = 0;
    for (index, byte) in number.to_be_bytes().into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out[at] = b'-';
            at += 1;
        }
        out[at] = HEX[usize::from(byte >> 4)];
        out[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    std::str::from_utf8(out).expect("hexadecimal digits")
}

/// A number of 128 bits that follows from two of 64.
pub(super) const fn wide(number: u64, salt: u64) -> u128 {
    let high = mix(number ^ salt.rotate_left(32));
    (high as u128) << 64 | mix(high ^ number) as u128
}
