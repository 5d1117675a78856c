//! A folder of the user's own queries, `--queries DIR`: each `*.sql` is a report of its file's name.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{REPORTS, Report, Topic};
use crate::{Error, Result};

/// Decodes the bytes of a file that people wrote; the error is the line on which they are no text.
pub type Decode = fn(Vec<u8>) -> std::result::Result<String, usize>;

/// One file of the folder.
#[derive(Debug, Clone)]
struct OwnQuery {
    name: String,
    path: PathBuf,
    sql: String,
}

/// The shipped reports and a folder's.
#[derive(Debug, Clone, Default)]
pub struct Library {
    own: Vec<OwnQuery>,
}

impl Library {
    /// The shipped reports, and those of a folder if one is given. Headers are read when they are asked for,
    /// so that a file that somebody is at work on is not in the way of the others.
    ///
    /// # Errors
    /// Fails if there is no such folder, if it can't be read or has no query, or if a file is no text or has a name that is taken
    /// or can't be typed.
    pub fn open(folder: Option<&Path>, decode: Decode) -> Result<Self> {
        let Some(folder) = folder else { return Ok(Self::default()) };
        let wrong = |found: &str, way_out: String| Error::QueriesFolder {
            folder: folder.to_owned(),
            found: found.to_owned(),
            way_out,
        };
        match folder.metadata() {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                let around = folder.parent().filter(|around| !around.as_os_str().is_empty());
                let around = around.unwrap_or(Path::new(".")).display();
                return Err(wrong("a file", format!("name the folder that it is in: --queries {around}")));
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                let way_out = "correct the path, or leave --queries out for the shipped reports";
                return Err(wrong("nothing", way_out.to_owned()));
            }
            // It may be there and not for us to see: reading it says why.
            Err(_) => {}
        }
        let failed = || Error::read(folder.display().to_string());
        let mut own = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            if path.extension().is_some_and(|extension| extension == "sql") && path.is_file() {
                own.push(OwnQuery::read(path, decode)?);
            }
        }
        if own.is_empty() {
            let way_out = "put a query there, NAME.sql, or name another folder";
            return Err(wrong("a folder without one", way_out.to_owned()));
        }
        own.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { own })
    }

    /// Every report: the shipped ones, then the folder's by name.
    pub fn reports(&self) -> impl Iterator<Item = Report<'_>> {
        REPORTS.iter().copied().chain(self.own.iter().map(|own| Report {
            name: &own.name,
            topic: Topic::Own,
            sql: &own.sql,
        }))
    }

    /// Finds a report.
    ///
    /// # Errors
    /// Fails if there is none of that name, and tells the nearest.
    pub fn find(&self, name: &str) -> Result<Report<'_>> {
        self.reports()
            .find(|report| report.name == name)
            .ok_or_else(|| unknown(name, &self.reports().map(|report| report.name).collect::<Vec<_>>()))
    }

    /// The file of one of the folder's reports.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.own.iter().find(|own| own.name == name).map(|own| own.path.as_path())
    }
}

impl OwnQuery {
    fn read(path: PathBuf, decode: Decode) -> Result<Self> {
        let wrong = |line, found: String, expected: &str| Error::Header {
            path: path.display().to_string(),
            line,
            found,
            expected: expected.to_owned(),
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !is_name {
            return Err(wrong(1, "this file name".to_owned(), "letters, digits, _ and - before .sql"));
        }
        if REPORTS.iter().any(|report| report.name == name) {
            let found = format!("the name '{name}', which is a shipped report's");
            return Err(wrong(1, found, "another file name"));
        }
        let bytes = std::fs::read(&path).map_err(Error::read(path.display().to_string()))?;
        let sql = decode(bytes).map_err(|line| wrong(line, "bytes that are not text".to_owned(), "UTF-8"))?;
        Ok(Self { name, path, sql })
    }
}

/// The error for a name that is none.
pub(super) fn unknown(name: &str, known: &[&str]) -> Error {
    Error::UnknownReport { name: name.to_owned(), hint: hint(name, known) }
}

/// The names that may have been meant, or all of them.
fn hint(name: &str, known: &[&str]) -> String {
    let lower = name.to_ascii_lowercase().replace('-', "_");
    let holds = |known: &str| lower.len() >= 3 && known.contains(&lower);
    let mut near: Vec<(f64, &str)> = known
        .iter()
        .map(|known| (strsim::jaro_winkler(&lower, known).max(if holds(known) { 0.9 } else { 0.0 }), *known))
        .filter(|(likeness, _)| *likeness > 0.85)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<&str> = near.into_iter().take(5).map(|(_, name)| name).collect();
    if near.is_empty() {
        return format!("there are: {}", known.join(", "));
    }
    format!("did you mean {}? lightsout report lists them all", near.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightsout_config::spreadsheet::decoded;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).expect("a file");
        }
        folder
    }

    fn wrong(files: &[(&str, &[u8])]) -> String {
        Library::open(Some(folder(files).path()), decoded).expect_err("a folder that is wrong").to_string()
    }

    #[test]
    fn files_of_the_folder_are_listed_after_shipped_reports() {
        let folder = folder(&[
            ("mine.sql", b"-- Mine.\nSELECT 1"),
            ("a-b.sql", b"\xef\xbb\xbf-- First.\r\nSELECT 1"),
            ("notes.txt", b"no query"),
        ]);
        let library = Library::open(Some(folder.path()), decoded).expect("a library");
        let own: Vec<_> =
            library.reports().filter(|report| report.topic == Topic::Own).map(|own| own.name).collect();
        assert_eq!(own, ["a-b", "mine"]);
        assert_eq!(library.find("a-b").expect("a report").purpose(), "First.");
        assert!(library.find("who").is_ok());
        assert_eq!(library.path("mine"), Some(folder.path().join("mine.sql").as_path()));
        assert_eq!(library.path("who"), None);
    }

    #[test]
    fn a_file_needs_a_new_name_of_plain_characters() {
        let text = wrong(&[("who.sql", b"-- Mine.\nSELECT 1")]);
        assert!(
            text.contains("who.sql, line 1: found the name 'who', which is a shipped report's"),
            "{text}"
        );
        assert!(wrong(&[("my query.sql", b"")]).contains("letters, digits, _ and -"));
        assert!(wrong(&[("-x.sql", b"")]).contains("letters, digits, _ and -"));
        let text = wrong(&[("mine.sql", b"-- Mine.\n\xff")]);
        assert!(text.contains("line 2: found bytes that are not text; expected UTF-8"), "{text}");
        assert!(wrong(&[("notes.txt", b"no query")]).contains("expected a folder with files *.sql"));
    }

    #[test]
    fn an_unknown_name_suggests_the_nearest() {
        let hint = |name: &str| hint(name, &["top_users", "top_apps", "who", "smtp_auth_senders"]);
        assert_eq!(hint("top-user"), "did you mean top_users? lightsout report lists them all");
        assert!(hint("smtp").contains("smtp_auth_senders?"));
        assert_eq!(hint("xyzzy"), "there are: top_users, top_apps, who, smtp_auth_senders");
    }
}
