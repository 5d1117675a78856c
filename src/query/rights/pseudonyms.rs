//! Names in place of names: the same text has the same pseudonym in every session of a lake, and none can be guessed
//! without the lake's key.

use std::fmt::Write as _;

/// Bytes of a hash that a pseudonym shows.
const SHOWN_BYTES: usize = 8;

/// Endings of file names that are kept: they tell the kind of a file, and what is an archive is looked into.
const ENDINGS: [&str; 25] = [
    "json", "jsonl", "ndjson", "csv", "tsv", "txt", "log", "parquet", "avro", "zip", "tar", "tgz", "gz",
    "bz2", "xz", "zst", "7z", "rar", "xlsx", "xlsm", "docx", "ods", "jar", "xml", "html",
];

/// The name of what was read from standard input.
const STDIN: &str = "-";

/// See the file's first lines.
#[derive(Clone)]
pub struct Pseudonyms {
    key: [u8; 32],
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pseudonyms").finish_non_exhaustive()
    }
}

impl Pseudonyms {
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// `user-0123456789abcdef` for a user's name or id, in any case.
    pub(super) fn user(&self, name: &str) -> String {
        self.of("user", &name.trim().to_lowercase())
    }

    /// The same with another word in front.
    pub(super) fn of(&self, kind: &str, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(kind.as_bytes()).update(&[0]).update(text.as_bytes());
        let mut named = format!("{kind}-");
        for byte in &hasher.finalize().as_bytes()[..SHOWN_BYTES] {
            // Writing to a string does not fail.
            let _ = write!(named, "{byte:02x}");
        }
        named
    }

    /// A path with other names in it: files of one folder still are of one folder, and archives still are archives.
    pub(super) fn path(&self, path: &str) -> String {
        if path == STDIN {
            return path.to_owned();
        }
        let mut shown = String::with_capacity(path.len());
        for part in path.split_inclusive(['/', '\\']) {
            let name = part.trim_end_matches(['/', '\\']);
            let ending = name.rsplit_once('.').map(|(_, ending)| ending);
            let ending =
                ending.filter(|ending| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)));
            shown.push_str(&self.of("file", name));
            if let Some(ending) = ending {
                shown.push('.');
                shown.push_str(&ending.to_ascii_lowercase());
            }
            shown.push_str(&part[name.len()..]);
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_pseudonym_in_any_case_and_another_with_another_key() {
        let pseudonyms = Pseudonyms::new([7; 32]);
        let ada = pseudonyms.user("Ada@contoso.com");
        assert_eq!(ada, pseudonyms.user(" ada@CONTOSO.com"));
        assert!(ada.strip_prefix("user-").is_some_and(|hex| hex.len() == 16), "{ada}");
        assert_ne!(ada, pseudonyms.user("bob@contoso.com"));
        assert_ne!(ada, Pseudonyms::new([8; 32]).user("Ada@contoso.com"));
        assert_ne!(pseudonyms.of("address", "x")[8..], pseudonyms.of("user", "x")[5..], "kinds are apart");
        assert_eq!(pseudonyms.user(""), "", "nobody stays nobody");
    }

    #[test]
    fn a_path_keeps_its_folders_and_kinds_and_no_name() {
        let pseudonyms = Pseudonyms::new([7; 32]);
        let one = pseudonyms.path("exports/contoso/a.zip/ada.json");
        let other = pseudonyms.path("exports/contoso/a.zip/bob.CSV");
        let folder = |path: &str| path.rsplit_once('/').expect("a folder").0.to_owned();
        assert_eq!(folder(&one), folder(&other));
        assert!(
            folder(&one).strip_suffix(".zip").is_some()
                && one.strip_suffix(".json").is_some()
                && other.strip_suffix(".csv").is_some(),
            "{one}"
        );
        for name in ["exports", "contoso", "ada", "bob"] {
            assert!(!one.contains(name) && !other.contains(name), "{one} {other}");
        }
        assert_eq!(pseudonyms.path("-"), "-");
        assert!(!pseudonyms.path("C:\\logs\\x.contoso").contains("contoso"));
    }
}
