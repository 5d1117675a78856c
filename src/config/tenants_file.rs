//! The list of `--tenants-from`: whose log each file, folder or pattern is. It takes what a roster takes: commas,
//! semicolons or tabs, UTF-8 or UTF-16, as spreadsheets save it.

use std::path::Path;

use lightsout_model::sign_in::{Category, UnknownCategory};
use lightsout_model::tenant::Roster;

use crate::spreadsheet::{ONE_LINE, broken_cell, decoded, line_of, separator};

const COLUMNS: [&str; 3] = ["path", "tenant_id", "category"];

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantsRow {
    /// A file, a folder (all files in it), or a pattern, as a whole or as the end of a path.
    pub path: String,
    /// Where `path` is one.
    pub pattern: Option<glob::Pattern>,
    pub tenant_id: String,
    pub category: Option<Category>,
}

/// A list that can't be used, and where in its file that shows.
#[derive(Debug, thiserror::Error)]
pub enum TenantsFileError {
    #[error("{file} can't be read: {source}")]
    Read { file: String, source: std::io::Error },
    #[error(
        "{file}, line {line}: expected CSV, as UTF-8 text; save it again, in Excel as 'CSV UTF-8 (comma delimited)'"
    )]
    NoText { file: String, line: usize },
    #[error("{file}, line {line}: {source}")]
    Csv { file: String, line: u64, source: csv::Error },
    #[error(
        "{file}: expected a CSV with the columns path,tenant_id or path,tenant_id,category; found {found}"
    )]
    Columns { file: String, found: String },
    #[error("{file}, line {line}, column {column}: found '{found}'; expected {expected}")]
    Value { file: String, line: u64, column: &'static str, found: String, expected: String },
}

/// Reads a list. A tenant is an id, or a domain or name of the roster; an empty category says nothing.
///
/// # Errors
/// Fails with the line if the list can't be read or a cell can't be what its column holds.
pub fn read(path: &Path, roster: &Roster) -> Result<Vec<TenantsRow>, TenantsFileError> {
    let file = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|source| TenantsFileError::Read { file: file.clone(), source })?;
    let text = decoded(bytes).map_err(|line| TenantsFileError::NoText { file: file.clone(), line })?;
    parse(&text, &file, roster)
}

fn parse(text: &str, file: &str, roster: &Roster) -> Result<Vec<TenantsRow>, TenantsFileError> {
    let invalid = |source: csv::Error| {
        let line = line_of(text, source.position());
        TenantsFileError::Csv { file: file.to_owned(), line, source }
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .delimiter(separator(text))
        .from_reader(text.as_bytes());
    let names = reader.headers().map_err(invalid)?.clone();
    let column = |name: &str| names.iter().position(|column| column.eq_ignore_ascii_case(name));
    let (Some(path_at), Some(tenant_at)) = (column("path"), column("tenant_id")) else {
        let found = names.iter().collect::<Vec<_>>().join(",");
        return Err(TenantsFileError::Columns { file: file.to_owned(), found });
    };
    let category_at = column("category");
    let mut rows: Vec<TenantsRow> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(invalid)?;
        // Spreadsheets leave lines of nothing but separators.
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = line_of(text, record.position());
        let wrong = |column, found: &str, expected: String| TenantsFileError::Value {
            file: file.to_owned(),
            line,
            column,
            found: found.to_owned(),
            expected,
        };
        if let Some((at, found)) = broken_cell(&record) {
            let name = names.get(at).unwrap_or_default();
            let known = COLUMNS.into_iter().find(|column| column.eq_ignore_ascii_case(name));
            return Err(wrong(known.unwrap_or("path"), &found, ONE_LINE.to_owned()));
        }
        let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
        let path = cell(Some(path_at));
        if path.is_empty() {
            return Err(wrong("path", path, "a file, a folder, or a pattern like exports/*.csv".to_owned()));
        }
        let tenant = cell(Some(tenant_at));
        let tenant_id = roster.tenant_of(tenant).map_err(|expected| wrong("tenant_id", tenant, expected))?;
        let category = cell(category_at);
        let category = (!category.is_empty()).then(|| category.parse::<Category>()).transpose();
        let category = category.map_err(|UnknownCategory { found }| {
            let known = Category::ALL.map(Category::as_str).join(", ");
            wrong("category", &found, format!("one of: {known}"))
        })?;
        let pattern = path.contains(['*', '?', '[']).then(|| glob::Pattern::new(path)).transpose();
        let pattern = pattern
            .map_err(|error| wrong("path", path, format!("a pattern like exports/*.csv ({error})")))?;
        if let Some(other) = rows.iter().find(|row| row.path == path && row.tenant_id != tenant_id) {
            let expected = format!("one tenant for each path; an earlier line says {}", other.tenant_id);
            return Err(wrong("path", path, expected));
        }
        rows.push(TenantsRow { path: path.to_owned(), pattern, tenant_id, category });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b31";
    const SECOND: &str = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b32";

    fn list(text: &str) -> Result<Vec<TenantsRow>, TenantsFileError> {
        parse(text, "tenants.csv", &Roster::default())
    }

    #[test]
    fn every_separator_and_spelling_of_an_id_is_read() {
        for separator in [",", ";", "\t"] {
            let text = format!(
                "path,tenant_id,category\r\nexports/a,{},\r\n,,\r\nc-*.json,{{{SECOND}}},interactive\r\n",
                FIRST.to_uppercase()
            )
            .replace(',', separator);
            let rows = list(&text).expect("a list");
            assert_eq!(rows.len(), 2, "{text}");
            assert_eq!((rows[0].tenant_id.as_str(), rows[0].category), (FIRST, None));
            assert!(rows[0].pattern.is_none());
            assert_eq!((rows[1].tenant_id.as_str(), rows[1].category), (SECOND, Some(Category::Interactive)));
            assert!(rows[1].pattern.as_ref().is_some_and(|pattern| pattern.matches("c-1.json")));
        }
    }

    #[test]
    fn what_excel_saves_as_unicode_text_is_read() {
        let text = format!("path\ttenant_id\n\u{fc}ber.csv\t{FIRST}\n");
        let utf16: Vec<u8> =
            [0xfeff_u16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tenants.txt");
        std::fs::write(&path, utf16).expect("a file");
        let rows = read(&path, &Roster::default()).expect("a list");
        assert_eq!(rows[0].path, "\u{fc}ber.csv");
    }

    #[test]
    fn a_wrong_list_says_where_and_what() {
        let cases = [
            ("file,tenant\nx,y\n".to_owned(), vec!["path,tenant_id", "file,tenant"]),
            ("path,tenant_id\nx,contoso.com\n".to_owned(), vec!["line 2", "--roster", "contoso.com"]),
            (
                format!("path,tenant_id,category\nx,{FIRST},signin\n"),
                vec!["line 2", "category", "'signin'", "non_interactive"],
            ),
            (format!("path,tenant_id\nx,{FIRST}\nx,{SECOND}\n"), vec!["line 3", "'x'", FIRST]),
            (format!("path,tenant_id\n,{FIRST}\n"), vec!["line 2", "column path", "a file"]),
            (format!("path,tenant_id\nx,{FIRST},y\n"), vec!["line 2"]),
        ];
        for (text, expected) in cases {
            let message = list(&text).expect_err("a wrong list").to_string();
            for part in expected {
                assert!(message.starts_with("tenants.csv") && message.contains(part), "{part} in {message}");
            }
        }
    }
}
