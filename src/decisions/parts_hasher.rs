//! Hashes the parts that an id follows from, each behind its length, so that no two lists of parts look the same. The
//! JSON of a part is never held: it grows with the number of tenants.

use std::io::{self, BufWriter, Write as _};

use serde::Serialize;
use serde::ser::Error as _;

/// See the file's first lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct PartsHasher(blake3::Hasher);

impl PartsHasher {
    /// A part that is a text.
    pub(crate) fn text(&mut self, part: &str) {
        self.length(part.len() as u64);
        self.0.update(part.as_bytes());
    }

    /// A part that is the JSON of a value.
    pub(crate) fn json(&mut self, part: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
        self.written(|to| Ok(serde_json::to_writer(to, part)?)).map_err(serde_json::Error::custom)
    }

    /// A part that is written the same twice: once to learn its length.
    pub(crate) fn written(&mut self, write: impl Fn(&mut dyn io::Write) -> io::Result<()>) -> io::Result<()> {
        let mut length = ByteCount(0);
        write(&mut length)?;
        self.length(length.0);
        let mut buffer = BufWriter::new(&mut self.0);
        write(&mut buffer)?;
        buffer.flush()
    }

    fn length(&mut self, bytes: u64) {
        self.0.update(&bytes.to_le_bytes());
    }

    /// The hash of the parts.
    pub(crate) fn finish(&self) -> String {
        self.0.finalize().to_hex()[..32].to_owned()
    }

    /// The hash of the parts and, as the last one, the version of the rules.
    pub(crate) fn id(mut self, rules_version: u32) -> String {
        self.text(&rules_version.to_string());
        self.finish()
    }
}

/// Counts what is written to it.
struct ByteCount(u64);

impl io::Write for ByteCount {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_hashed_as_its_text_and_parts_do_not_run_together() {
        let value = vec!["a", "b\"c"];
        let of = |parts: &[&str]| {
            let mut hasher = PartsHasher::default();
            for part in parts {
                hasher.text(part);
            }
            hasher.finish()
        };
        let mut streamed = PartsHasher::default();
        streamed.json(&value).expect("JSON");
        assert_eq!(streamed.finish(), of(&[&serde_json::to_string(&value).expect("JSON")]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    }
}
