//! Whose a rejected record or a refused file may be, where it does not say so: the tenants of its source, of
//! the files in its folder, of its ingest.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::Queries;
use super::super::typed_columns::TypedColumns;
use crate::Result;

const NAME: &str = "source_tenants";

/// Accepted files with the tenants that they are of.
const SQL: &str = "WITH entries AS (SELECT source_id, batch_id, path, unnest(coverage) AS entry FROM sources \
                   WHERE coalesce(fate, 'ingested') NOT IN ('refused', 'skipped')) \
                   SELECT DISTINCT source_id, batch_id, path, entry['tenant_id'] AS tenant_id FROM entries";

/// The sources, batches and folders whose tenants are looked up.
#[derive(Debug, Default)]
pub(super) struct OwnersRequest {
    pub(super) sources: HashSet<String>,
    pub(super) batches: HashSet<String>,
    pub(super) folders: HashSet<String>,
}

/// Tenants by what they share with a record or file.
#[derive(Debug, Default)]
pub(super) struct Owners {
    sources: HashMap<String, BTreeSet<String>>,
    batches: HashMap<String, BTreeSet<String>>,
    folders: HashMap<String, BTreeSet<String>>,
}

impl Owners {
    /// The only tenant of a source.
    pub(super) fn of_source(&self, source_id: &str) -> Option<&String> {
        only(self.sources.get(source_id)?)
    }

    /// All tenants that came with a batch.
    pub(super) fn of_batch(&self, batch_id: &str) -> impl Iterator<Item = &String> {
        self.batches.get(batch_id).into_iter().flatten()
    }

    pub(super) fn only_of_batch(&self, batch_id: &str) -> Option<&String> {
        only(self.batches.get(batch_id)?)
    }

    /// All tenants with accepted files in a folder.
    pub(super) fn of_folder(&self, folder: &str) -> impl Iterator<Item = &String> {
        self.folders.get(folder).into_iter().flatten()
    }
}

fn only(tenants: &BTreeSet<String>) -> Option<&String> {
    tenants.first().filter(|_| tenants.len() == 1)
}

/// The folder that a file or a member of an archive is in.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder)
}

/// The folder, and around an archive the folder that it is in.
pub(super) fn folders(path: &str) -> impl Iterator<Item = &str> {
    // Out of the innermost archive's folders up to the one that holds the outermost archive.
    let is_archive = |component: &str| {
        component
            .rsplit_once('.')
            .is_some_and(|(_, ending)| ARCHIVES.iter().any(|known| known.eq_ignore_ascii_case(ending)))
    };
    let mut inner = folder(path);
    let mut found = vec![inner];
    while inner.split(['/', '\\']).any(is_archive) {
        inner = folder(inner);
        found.push(inner);
    }
    found.into_iter()
}

/// Endings of files that are archives themselves, office documents too.
const ARCHIVES: [&str; 14] =
    ["zip", "tar", "tgz", "gz", "bz2", "xz", "zst", "7z", "rar", "xlsx", "xlsm", "docx", "ods", "jar"];

impl Queries {
    pub(super) async fn owners(&self, request: &OwnersRequest) -> Result<Owners> {
        let mut owners = Owners::default();
        self.each(NAME, SQL, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let (ids, batches) = (columns.text("source_id")?, columns.text("batch_id")?);
            let (paths, tenants) = (columns.text("path")?, columns.text("tenant_id")?);
            for at in 0..batch.num_rows() {
                let folder = folder(paths.value(at));
                let places = [
                    (&request.sources, &mut owners.sources, ids.value(at)),
                    (&request.batches, &mut owners.batches, batches.value(at)),
                    (&request.folders, &mut owners.folders, folder),
                ];
                for (wanted, found, key) in places {
                    if wanted.contains(key) {
                        found.entry(key.to_owned()).or_default().insert(tenants.value(at).to_owned());
                    }
                }
            }
            Ok(())
        })
        .await?;
        Ok(owners)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_an_archive_is_in_its_folder_too() {
        for (path, expected) in [
            ("logs/a.json", &["logs"][..]),
            ("logs/a.zip/b.json", &["logs/a.zip", "logs"]),
            ("logs/a.xlsx/xl/workbook.xml", &["logs/a.xlsx/xl", "logs/a.xlsx", "logs"]),
            ("x/a.tar.gz/b.ZIP/c/d", &["x/a.tar.gz/b.ZIP/c", "x/a.tar.gz/b.ZIP", "x/a.tar.gz", "x"]),
            ("a.json", &[""]),
        ] {
            assert_eq!(folders(path).collect::<Vec<_>>(), expected, "{path}");
        }
    }
}
