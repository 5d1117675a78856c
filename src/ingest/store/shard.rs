//! One of several processes that share a list of inputs.

use std::str::FromStr;

/// The I-th of N processes. Which inputs are its own follows from their names alone, so that all agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    index: u64,
    count: u64,
}

impl Shard {
    /// Whether an input of this name is its own.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        let hash = blake3::hash(name.as_bytes());
        let first = hash.as_bytes().first_chunk().copied().map_or(0, u64::from_le_bytes);
        first % self.count == self.index
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || format!("expected a part and the number of parts, e.g. 2/4 (from 1/4 to 4/4), found '{text}'");
        let (index, count) = text.split_once('/').ok_or_else(expected)?;
        let number = |text: &str| text.trim().parse::<u32>().map(u64::from).map_err(|_| expected());
        let (index, count) = (number(index)?, number(count)?);
        if index == 0 || index > count {
            return Err(expected());
        }
        Ok(Self { index: index - 1, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_input_is_of_one_shard_and_shards_are_about_equal() {
        let shards: Vec<Shard> =
            (1..=4).map(|index| format!("{index}/4").parse().expect("a shard")).collect();
        let mut counts = [0; 4];
        for number in 0..4000 {
            let name = format!("logs/{number}/PT1H.json");
            let owners: Vec<usize> = (0..4).filter(|shard| shards[*shard].has(&name)).collect();
            let [owner] = owners[..] else { panic!("{name} is of {owners:?}") };
            counts[owner] += 1;
        }
        assert!(counts.into_iter().all(|count| (850..1150).contains(&count)), "{counts:?}");
    }

    // The split is part of what processes on several machines agree on: another one would leave inputs out.
    #[test]
    fn the_split_stays_as_it_is() {
        let shard: Shard = "2/3".parse().expect("a shard");
        let own: Vec<u32> = (0..12).filter(|number| shard.has(&number.to_string())).collect();
        assert_eq!(own, [0, 2]);
    }

    #[test]
    fn a_shard_that_cannot_be_is_refused() {
        for text in ["", "1", "0/4", "5/4", "1/0", "a/b", "-1/4"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
