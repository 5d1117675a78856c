//! Files that were refused and can hold sign-ins. A file is of the tenant that its path or the operator names;
//! else of those with files in the same folder; else of the only one that came with it. It is no doubt any
//! more once its content was read, there or elsewhere, it was read at its path in another form, or somebody said to
//! pass it. A collector may write every day to one path: a file whose records all come after the refusal is not the
//! refused one in another form.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::{Array as _, StringArray};
use chrono::{DateTime, Utc};

use super::super::Queries;
use super::super::typed_columns::TypedColumns;
use super::dismissals::{Dismissals, REFUSED_FILES};
use super::owners::{OwnersRequest, folders};
use super::{Counted, Tenants};
use crate::Result;
use lightsout_model::evidence::TenantEvidence;

const NAME: &str = "refused_files";
const REFUSED: &str = "SELECT path, batch_id, content_id, assigned_tenant_id AS tenant_id, ingested_at \
                       FROM sources WHERE fate = 'refused'";
/// What may cure a refusal.
const READ: &str = "SELECT path, content_id, max(ingested_at) AS ingested_at, \
                    bool_and(fate IS NOT DISTINCT FROM 'skipped') AS is_skipped, \
                    min(first_signed_in_at) AS first_at, \
                    sum(coalesce(rows, 0)) > 0 AS has_rows FROM sources \
                    WHERE fate IS DISTINCT FROM 'refused' GROUP BY path, content_id";

/// The name of what was read from standard input.
const STDIN: &str = "-";

struct Refused {
    path: String,
    batch_id: String,
    content_id: Option<String>,
    tenant_id: Option<String>,
    ingested_at: Option<DateTime<Utc>>,
}

/// A file that was read, or passed on request.
struct Read<'a> {
    path: &'a str,
    content_id: Option<&'a str>,
    ingested_at: Option<DateTime<Utc>>,
    first_at: Option<DateTime<Utc>>,
    is_skipped: bool,
    has_rows: bool,
}

impl Refused {
    /// Whether nothing of it is unread any more.
    fn is_cured_by(&self, read: &Read<'_>) -> bool {
        let in_its_place =
            read.path == self.path && read.path != STDIN && self.ingested_at <= read.ingested_at;
        match (self.content_id.as_deref(), read.content_id) {
            (Some(refused), Some(content)) if refused == content => !read.is_skipped || in_its_place,
            // It could not be opened, so its content is not known.
            (None, _) => in_its_place && (read.is_skipped || read.has_rows),
            (Some(_), _) => {
                let is_later_day = match (read.first_at, self.ingested_at) {
                    (Some(first), Some(refused)) => first >= refused,
                    (None, _) | (_, None) => false,
                };
                in_its_place && (read.is_skipped || read.has_rows && !is_later_day)
            }
        }
    }
}

impl Queries {
    pub(super) async fn add_refused(&self, tenants: &mut Tenants, dismissals: &Dismissals) -> Result<()> {
        let refused = self.refused().await?;
        if refused.is_empty() {
            return Ok(());
        }
        let refused = self.not_cured(refused).await?;
        let request = OwnersRequest {
            batches: refused.iter().map(|file| file.batch_id.clone()).collect(),
            folders: refused.iter().flat_map(|file| folders(&file.path)).map(str::to_owned).collect(),
            ..OwnersRequest::default()
        };
        let owners = self.owners(&request).await?;
        let mut found: BTreeMap<&str, Counted> = BTreeMap::new();
        for file in &refused {
            let mut of: Vec<&str> = file.tenant_id.as_deref().into_iter().collect();
            for folder in folders(&file.path) {
                if of.is_empty() {
                    of.extend(owners.of_folder(folder).map(String::as_str));
                }
            }
            if of.is_empty() {
                of.extend(owners.only_of_batch(&file.batch_id).map(String::as_str));
            }
            for tenant_id in of {
                if !dismissals.cover(tenant_id, REFUSED_FILES, &file.path, file.ingested_at) {
                    found.entry(tenant_id).or_default().add(1, &file.path);
                }
            }
        }
        for (tenant_id, counted) in found {
            // It may be all that came of a tenant.
            let nothing = || TenantEvidence { tenant_id: tenant_id.to_owned(), ..TenantEvidence::default() };
            let tenant = tenants.entry(tenant_id.to_owned()).or_insert_with(nothing);
            tenant.refused.files = counted.count;
            tenant.refused.paths = counted.into_paths();
        }
        Ok(())
    }

    /// The refused files, of each path and content the newest.
    async fn refused(&self) -> Result<Vec<Refused>> {
        let mut newest: BTreeMap<(String, Option<String>), Refused> = BTreeMap::new();
        self.each(NAME, REFUSED, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let (paths, batches) = (columns.text("path")?, columns.text("batch_id")?);
            let (contents, tenants) = (columns.text("content_id")?, columns.text("tenant_id")?);
            let times = columns.times("ingested_at")?;
            for at in 0..batch.num_rows() {
                let file = Refused {
                    path: paths.value(at).to_owned(),
                    batch_id: batches.value(at).to_owned(),
                    content_id: text(contents, at).map(str::to_owned),
                    tenant_id: text(tenants, at).map(str::to_owned),
                    ingested_at: times(at),
                };
                let key = (file.path.clone(), file.content_id.clone());
                if newest.get(&key).is_none_or(|known| known.ingested_at <= file.ingested_at) {
                    newest.insert(key, file);
                }
            }
            Ok(())
        })
        .await?;
        Ok(newest.into_values().collect())
    }

    /// Those that were not read since.
    async fn not_cured(&self, refused: Vec<Refused>) -> Result<Vec<Refused>> {
        let (mut by_path, mut by_content) =
            (HashMap::<&str, Vec<usize>>::new(), HashMap::<&str, Vec<usize>>::new());
        for (at, file) in refused.iter().enumerate() {
            by_path.entry(&file.path).or_default().push(at);
            if let Some(content) = &file.content_id {
                by_content.entry(content).or_default().push(at);
            }
        }
        let mut cured: HashSet<usize> = HashSet::new();
        self.each(NAME, READ, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let (paths, contents) = (columns.text("path")?, columns.text("content_id")?);
            let (times, first_at) = (columns.times("ingested_at")?, columns.times("first_at")?);
            let is_true = |name: &str, at: usize| {
                let column = batch.column_by_name(name).and_then(arrow::array::AsArray::as_boolean_opt);
                column.is_some_and(|column: &arrow::array::BooleanArray| column.value(at))
            };
            for at in 0..batch.num_rows() {
                let read = Read {
                    path: paths.value(at),
                    content_id: text(contents, at),
                    ingested_at: times(at),
                    first_at: first_at(at),
                    is_skipped: is_true("is_skipped", at),
                    has_rows: is_true("has_rows", at),
                };
                let of_content = read.content_id.and_then(|content| by_content.get(content));
                let candidates = by_path.get(read.path).into_iter().chain(of_content).flatten();
                cured.extend(candidates.copied().filter(|at| refused[*at].is_cured_by(&read)));
            }
            Ok(())
        })
        .await?;
        let left = refused.into_iter().enumerate().filter(|(at, _)| !cured.contains(at));
        Ok(left.map(|(_, file)| file).collect())
    }
}

fn text(column: &StringArray, at: usize) -> Option<&str> {
    column.is_valid(at).then(|| column.value(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str, content_id: Option<&str>) -> Refused {
        Refused {
            path: path.to_owned(),
            batch_id: "1".to_owned(),
            content_id: content_id.map(str::to_owned),
            tenant_id: None,
            ingested_at: DateTime::from_timestamp(10, 0),
        }
    }

    fn read<'a>(path: &'a str, content_id: &'a str) -> Read<'a> {
        Read {
            path,
            content_id: Some(content_id),
            ingested_at: DateTime::from_timestamp(20, 0),
            first_at: DateTime::from_timestamp(5, 0),
            is_skipped: false,
            has_rows: true,
        }
    }

    // A collector that writes to one path every day: the next day's file was taken for the refused one.
    #[test]
    fn a_refusal_is_cured_by_its_content_or_another_form_of_it() {
        let later_day = Read { first_at: DateTime::from_timestamp(10, 0), ..read("a", "d") };
        for (what, file, by, expected) in [
            ("its content, elsewhere", refused("a", Some("c")), read("b", "c"), true),
            ("another form in its place", refused("a", Some("c")), read("a", "d"), true),
            ("other content elsewhere", refused("a", Some("c")), read("b", "d"), false),
            ("the next day's file in its place", refused("a", Some("c")), later_day, false),
            ("an empty one", refused("a", Some("c")), Read { has_rows: false, ..read("a", "d") }, false),
            ("an earlier one", refused("a", Some("c")), Read { ingested_at: None, ..read("a", "d") }, false),
            (
                "one passed, in its place",
                refused("a", Some("c")),
                Read { is_skipped: true, ..read("a", "c") },
                true,
            ),
            (
                "one passed elsewhere",
                refused("a", Some("c")),
                Read { is_skipped: true, ..read("b", "c") },
                false,
            ),
            ("one that could not be opened, read later", refused("a", None), read("a", "d"), true),
            ("one from standard input", refused("-", None), read("-", "d"), false),
        ] {
            assert_eq!(file.is_cured_by(&by), expected, "{what}");
        }
    }
}
