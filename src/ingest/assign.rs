//! Whose log a file is, for exports that name no tenant: by a list (`--tenants-from`), and for files
//! that it does not have, by one answer for all.

use std::path::{Path, PathBuf};

use super::find::{Assigned, Input};
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::Roster;

const COLUMNS: &str = "path,tenant_id or path,tenant_id,category";

/// What is wrong with such a list.
#[derive(Debug, thiserror::Error)]
pub enum AssignmentsError {
    #[error("reading {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: expected a CSV with the columns {COLUMNS}; found {found}")]
    Columns { path: PathBuf, found: String },
    #[error("{path}, line {line}: {found}")]
    Row { path: PathBuf, line: u64, found: String },
}

/// The list, in the order of its file, and the answer for all other files.
#[derive(Debug, Default)]
pub struct Assignments {
    rows: Vec<(String, Option<glob::Pattern>, Assigned)>,
    otherwise: Assigned,
}

impl Assignments {
    /// Reads a CSV: `path` is a file, a folder (all files in it), or a glob pattern, as a whole or as
    /// the end of a path; `tenant_id` whose log it is, by id, or by a domain or name of the roster;
    /// `category` is optional.
    ///
    /// # Errors
    /// Fails with the line if the list can't be read or a row is wrong.
    pub fn read(path: Option<&Path>, otherwise: Assigned, roster: &Roster) -> Result<Self, AssignmentsError> {
        let Some(path) = path else { return Ok(Self { rows: Vec::new(), otherwise }) };
        let text = std::fs::read_to_string(path)
            .map_err(|source| AssignmentsError::Read { path: path.to_owned(), source })?;
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let wrong = |line, found: String| AssignmentsError::Row { path: path.to_owned(), line, found };
        let columns = reader.headers().map_err(|error| wrong(1, error.to_string()))?.clone();
        let column = |name: &str| columns.iter().position(|column| column.eq_ignore_ascii_case(name));
        let (Some(of_path), Some(of_tenant)) = (column("path"), column("tenant_id")) else {
            let found = columns.iter().collect::<Vec<_>>().join(",");
            return Err(AssignmentsError::Columns { path: path.to_owned(), found });
        };
        let mut rows = Vec::new();
        for row in reader.records() {
            let row = row
                .map_err(|error| wrong(error.position().map_or(0, csv::Position::line), error.to_string()))?;
            let line = row.position().map_or(0, csv::Position::line);
            let cell = |at: usize| row.get(at).filter(|cell| !cell.is_empty());
            let name = cell(of_path).ok_or_else(|| wrong(line, "expected a path, found none".to_owned()))?;
            let tenant =
                cell(of_tenant).ok_or_else(|| wrong(line, "expected a tenant_id, found none".to_owned()))?;
            let tenant = roster
                .tenant_of(tenant)
                .map_err(|expected| wrong(line, format!("expected {expected}; found '{tenant}'")))?;
            let category: Option<Category> =
                column("category").and_then(cell).map(str::parse).transpose().map_err(
                    |error: lightsout_model::sign_in::UnknownCategory| wrong(line, error.to_string()),
                )?;
            let pattern =
                name.contains(['*', '?', '[']).then(|| glob::Pattern::new(name)).transpose().map_err(
                    |error| wrong(line, format!("expected a pattern like exports/*.csv: {error}")),
                )?;
            let same = rows.iter().find(|(known, _, of): &&(String, _, Assigned)| {
                known == name && of.tenant_id.as_deref() != Some(tenant.as_str())
            });
            if let Some((_, _, of)) = same {
                let known = of.tenant_id.clone().unwrap_or_default();
                return Err(wrong(
                    line,
                    format!(
                        "'{name}' is of the tenant {known} in an earlier line, and of {tenant} here; keep one"
                    ),
                ));
            }
            rows.push((name.to_owned(), pattern, Assigned { tenant_id: Some(tenant), category }));
        }
        Ok(Self { rows, otherwise })
    }

    /// What the first row that fits says of a file; what it leaves open, the answer for all says.
    #[must_use]
    pub fn of(&self, input: &Input) -> Assigned {
        let listed = input.path.as_deref().and_then(|path| self.listed(path)).cloned().unwrap_or_default();
        Assigned {
            tenant_id: listed.tenant_id.or_else(|| self.otherwise.tenant_id.clone()),
            category: listed.category.or(self.otherwise.category),
        }
    }

    fn listed(&self, path: &Path) -> Option<&Assigned> {
        let row = self.rows.iter().find(|(name, pattern, _)| match pattern {
            Some(pattern) => {
                pattern.matches_path(path)
                    || path.file_name().is_some_and(|file| pattern.matches(&file.to_string_lossy()))
            }
            None => path.ancestors().any(|part| part.ends_with(name.trim_start_matches("./"))),
        })?;
        Some(&row.2)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::find::PathFacts;

    fn list(text: &str) -> Result<Assignments, AssignmentsError> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        Assignments::read(Some(file.path()), Assigned::default(), &Roster::default())
    }

    fn tenant(list: &Assignments, path: &str) -> Option<String> {
        let input = Input {
            path: Some(path.into()),
            name: path.to_owned(),
            stored_bytes: 0,
            says: PathFacts::default(),
            assigned: Assigned::default(),
        };
        list.of(&input).tenant_id
    }

    #[test]
    fn a_file_a_folder_and_a_pattern_find_their_files() {
        let id = |last: char| format!("7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3{last}");
        let list = list(&format!(
            "path,tenant_id,category\nexports/a,{},\nb.csv,{},interactive\nc-*.json,{{{}}},\n",
            id('1').to_uppercase(),
            id('2'),
            id('3'),
        ))
        .expect("a list");
        assert_eq!(tenant(&list, "/data/exports/a/x.csv"), Some(id('1')));
        assert_eq!(tenant(&list, "/data/b.csv"), Some(id('2')));
        assert_eq!(tenant(&list, "/data/c-1.json"), Some(id('3')));
        assert_eq!(tenant(&list, "/data/exports/ab/x.csv"), None);
    }

    #[test]
    fn a_wrong_list_says_where_and_what() {
        let told = list("file,tenant\nx,y\n").expect_err("columns").to_string();
        assert!(told.contains("path,tenant_id") && told.contains("file,tenant"), "{told}");
        let told = list("path,tenant_id\nx,contoso.com\n").expect_err("a domain").to_string();
        assert!(
            told.contains("line 2") && told.contains("--roster") && told.contains("contoso.com"),
            "{told}"
        );
        let text = "path,tenant_id,category\nx,7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3c,signin\n";
        let told = list(text).expect_err("category").to_string();
        assert!(told.contains("line 2") && told.contains("non_interactive"), "{told}");
    }
}
