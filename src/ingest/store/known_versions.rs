//! The versions of blobs that nothing more is to be read from, by URL, size and `ETag`, as the table `sources` has them.

use std::collections::HashMap;

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::Int64Type;

use crate::find::Input;
use crate::source::assigned_id;
use crate::{Result, find::Assigned};
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;

/// What the content of a version was named by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    /// By its bytes alone.
    Content,
    /// By tenant and category too, since its records do not say them.
    Assignment { source_id: String, content_id: String },
    /// By several: those of an archive.
    Unclear,
}

/// The versions that the lake knows. Keys are hashes: a container may have millions of blobs.
#[derive(Debug, Default)]
pub(crate) struct KnownVersions(HashMap<[u8; 16], Named>);

fn key(path: &str, etag: &str, bytes: Option<u64>) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    // Azure quotes it in answers, and does not in listings.
    let etag = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
    hasher.update(path.as_bytes()).update(b"\0").update(etag.as_bytes()).update(b"\0");
    // Sizes of an archive's members say nothing of its own.
    hasher.update(&bytes.map_or([0xff; 8], u64::to_le_bytes));
    let hash = hasher.finalize();
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

const COLUMNS: [&str; 8] =
    ["path", "etag", "stored_bytes", "compression", "source_id", "content_id", "fate", "program_version"];

impl KnownVersions {
    /// Reads them.
    pub(crate) fn of(lake: &Lake) -> Result<Self> {
        let mut known = Self::default();
        for file in lake.opened(Table::Sources)? {
            for batch in file?.batches(Some(&COLUMNS))? {
                let batch = batch?;
                let text = |name: &str, row: usize| {
                    let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
                    column.is_valid(row).then(|| column.value(row))
                };
                let sizes = batch.column_by_name("stored_bytes");
                let sizes = sizes.and_then(|sizes| sizes.as_primitive_opt::<Int64Type>());
                for row in 0..batch.num_rows() {
                    let (Some(path), Some(etag)) = (text("path", row), text("etag", row)) else { continue };
                    // Another version of lightsout may read what this one passes.
                    let version = text("program_version", row);
                    if text("fate", row) == Some("skipped") && version != Some(env!("CARGO_PKG_VERSION")) {
                        continue;
                    }
                    let source_id = text("source_id", row).unwrap_or_default();
                    let named = match text("content_id", row) {
                        Some(content_id) if content_id != source_id => Named::Assignment {
                            source_id: source_id.to_owned(),
                            content_id: content_id.to_owned(),
                        },
                        _ => Named::Content,
                    };
                    let bytes = sizes.map_or(0, |sizes| sizes.value(row));
                    known.0.insert(key(path, etag, u64::try_from(bytes).ok()), named.clone());
                    if matches!(text("compression", row), Some("zip" | "tar")) {
                        known.add_archives(path, etag, &named);
                    }
                }
            }
        }
        Ok(known)
    }

    /// The archives that a member may be of: what its path says is not told apart from folders.
    fn add_archives(&mut self, path: &str, etag: &str, named: &Named) {
        for (at, _) in path.match_indices('/') {
            let entry = self.0.entry(key(&path[..at], etag, None)).or_insert_with(|| named.clone());
            if *entry != Named::Content || *named != Named::Content {
                *entry = Named::Unclear;
            }
        }
    }

    /// Whether nothing more is to be read from a blob: this version of it was, and was taken for the same tenant's.
    pub(crate) fn has(&self, input: &Input) -> bool {
        let Some(etag) = input.blob.as_ref().and_then(|blob| blob.etag.as_deref()) else { return false };
        let keys = [key(&input.name, etag, Some(input.stored_bytes)), key(&input.name, etag, None)];
        keys.iter().any(|key| match self.0.get(key) {
            Some(Named::Content) => true,
            Some(Named::Assignment { source_id, content_id }) => names_it(input, source_id, content_id),
            Some(Named::Unclear) | None => false,
        })
    }
}

/// Whether a content has this id by what is said of the input now.
fn names_it(input: &Input, source_id: &str, content_id: &str) -> bool {
    let Assigned { category, .. } = &input.assigned;
    let tenant = input.tenant_id();
    let category = input.says.category.or(*category);
    // Its records may say one of the two.
    [(tenant, category), (tenant, None), (None, category)]
        .into_iter()
        .any(|(tenant, category)| assigned_id(content_id, tenant, category) == source_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_known_if_all_its_members_are() {
        let mut known = KnownVersions::default();
        let assigned = Named::Assignment { source_id: "a".to_owned(), content_id: "b".to_owned() };
        known.add_archives("az://c/plain.zip/one.json", "1", &Named::Content);
        known.add_archives("az://c/plain.zip/two.json", "1", &Named::Content);
        known.add_archives("az://d/mixed.zip/one.json", "1", &Named::Content);
        known.add_archives("az://d/mixed.zip/two.json", "1", &assigned);
        let of = |path: &str| known.0.get(&key(path, "1", None));
        assert_eq!(of("az://c/plain.zip"), Some(&Named::Content));
        assert_eq!(of("az://d/mixed.zip"), Some(&Named::Unclear));
        assert_eq!(known.0.get(&key("az://c/plain.zip", "2", None)), None);
    }

    // What broke: Azure's listings name a version without the quotes that its answers have, so all blobs were read again.
    #[test]
    fn a_version_is_the_same_with_and_without_quotes() {
        assert_eq!(key("az://c/a", "0x8D", Some(1)), key("az://c/a", "\"0x8D\"", Some(1)));
        assert_ne!(key("az://c/a", "0x8D", Some(1)), key("az://c/a", "0x8D", Some(2)));
    }
}
