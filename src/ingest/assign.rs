//! Whose log a file is, for exports that name no tenant: by a list (`--tenants-from`), and for files
//! that it does not have, by one answer for all.

use std::path::Path;

use super::find::{Assigned, Input};

/// A line of the list.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// A file, a folder (all files in it), or a pattern, as a whole or as the end of a path.
    pub path: String,
    /// Where `path` is one.
    pub pattern: Option<glob::Pattern>,
    pub assigned: Assigned,
}

/// The list, in the order of its file, and the answer for all other files.
#[derive(Debug, Default)]
pub struct Assignments {
    rows: Vec<Assignment>,
    otherwise: Assigned,
}

impl Assignments {
    #[must_use]
    pub const fn new(rows: Vec<Assignment>, otherwise: Assigned) -> Self {
        Self { rows, otherwise }
    }

    /// What the first row that fits says of a file; what it leaves open, the answer for all says.
    #[must_use]
    pub fn of(&self, input: &Input) -> Assigned {
        let path = match &input.blob {
            Some(_) => Some(Path::new(&input.name)),
            None => input.path.as_deref(),
        };
        let listed = path.and_then(|path| self.listed(path)).cloned().unwrap_or_default();
        Assigned {
            tenant_id: listed.tenant_id.or_else(|| self.otherwise.tenant_id.clone()),
            category: listed.category.or(self.otherwise.category),
        }
    }

    fn listed(&self, path: &Path) -> Option<&Assigned> {
        let row = self.rows.iter().find(|row| match &row.pattern {
            Some(pattern) => {
                pattern.matches_path(path)
                    || path.file_name().is_some_and(|file| pattern.matches(&file.to_string_lossy()))
            }
            None => path.ancestors().any(|part| part.ends_with(row.path.trim_start_matches("./"))),
        })?;
        Some(&row.assigned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::PathFacts;

    fn tenant(list: &Assignments, path: &str) -> Option<String> {
        let input = Input {
            path: Some(path.into()),
            blob: None,
            name: path.to_owned(),
            stored_bytes: 0,
            says: PathFacts::default(),
            assigned: Assigned::default(),
            is_of_folder: false,
            unreadable: None,
        };
        list.of(&input).tenant_id
    }

    #[test]
    fn a_file_a_folder_and_a_pattern_find_their_files() {
        let row = |path: &str, tenant: &str| Assignment {
            path: path.to_owned(),
            pattern: path.contains('*').then(|| glob::Pattern::new(path).expect("a pattern")),
            assigned: Assigned { tenant_id: Some(tenant.to_owned()), category: None },
        };
        let rows = vec![row("exports/a", "1"), row("b.csv", "2"), row("c-*.json", "3")];
        let list = Assignments::new(rows, Assigned::default());
        let of = |path| tenant(&list, path);
        assert_eq!(of("/data/exports/a/x.csv").as_deref(), Some("1"));
        assert_eq!(of("/data/b.csv").as_deref(), Some("2"));
        assert_eq!(of("/data/c-1.json").as_deref(), Some("3"));
        assert_eq!(of("/data/exports/ab/x.csv"), None);
    }
}
