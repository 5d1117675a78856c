//! Files that were refused and can hold sign-ins. A file is of the tenant that its path or the operator names;
//! else of those with files in the same folder; else of the only one that came with it. It is no doubt any
//! more once its path or its content was read, or somebody said to pass it.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::Array;
use chrono::{DateTime, Utc};

use super::super::Queries;
use super::super::typed_columns::TypedColumns;
use super::dismissals::{Dismissals, REFUSED_FILES};
use super::owners::{OwnersRequest, folders};
use super::{Counted, Tenants};
use crate::Result;
use lightsout_model::evidence::TenantEvidence;

const NAME: &str = "refused_files";
const REFUSED: &str = "SELECT path, batch_id, content_id, assigned_tenant_id AS tenant_id, ingested_at FROM sources \
                       WHERE fate = 'refused'";
/// What may cure a refusal: the same path later, or the same content at any time.
const READ: &str = "SELECT path, content_id, max(ingested_at) AS ingested_at, \
                    bool_and(fate IS NOT DISTINCT FROM 'skipped') AS is_skipped, \
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

    /// The refused files, of each path the newest.
    async fn refused(&self) -> Result<Vec<Refused>> {
        let mut by_path: HashMap<String, Refused> = HashMap::new();
        self.each(NAME, REFUSED, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let (paths, batches) = (columns.text("path")?, columns.text("batch_id")?);
            let (contents, tenants) = (columns.text("content_id")?, columns.text("tenant_id")?);
            let times = columns.times("ingested_at")?;
            let text = |column: &arrow::array::StringArray, at: usize| {
                column.is_valid(at).then(|| column.value(at).to_owned())
            };
            for at in 0..batch.num_rows() {
                let file = Refused {
                    path: paths.value(at).to_owned(),
                    batch_id: batches.value(at).to_owned(),
                    content_id: text(contents, at),
                    tenant_id: text(tenants, at),
                    ingested_at: times(at),
                };
                let known = by_path.get(&file.path);
                if known.is_none_or(|known| known.ingested_at <= file.ingested_at) {
                    by_path.insert(file.path.clone(), file);
                }
            }
            Ok(())
        })
        .await?;
        let mut refused: Vec<Refused> = by_path.into_values().collect();
        refused.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(refused)
    }

    /// Those that were not read since.
    async fn not_cured(&self, refused: Vec<Refused>) -> Result<Vec<Refused>> {
        let places: HashMap<&str, Option<DateTime<Utc>>> =
            refused.iter().map(|file| (file.path.as_str(), file.ingested_at)).collect();
        let contents: HashSet<&str> = refused.iter().filter_map(|file| file.content_id.as_deref()).collect();
        let (mut read_paths, mut read_contents) = (HashSet::new(), HashSet::new());
        self.each(NAME, READ, &[], |batch| {
            let columns = TypedColumns { batch, query: NAME };
            let (paths, ids) = (columns.text("path")?, columns.text("content_id")?);
            let times = columns.times("ingested_at")?;
            let skipped = batch.column_by_name("is_skipped").and_then(arrow::array::AsArray::as_boolean_opt);
            let has_rows = batch.column_by_name("has_rows").and_then(arrow::array::AsArray::as_boolean_opt);
            for at in 0..batch.num_rows() {
                let is_read = !skipped.is_some_and(|skipped: &arrow::array::BooleanArray| skipped.value(at));
                let has_rows = has_rows.is_some_and(|rows: &arrow::array::BooleanArray| rows.value(at));
                // An empty file in its place is not what it was, and everything may come from stdin.
                let may_be_it = paths.value(at) != STDIN && (!is_read || has_rows);
                let later = places.get(paths.value(at)).is_some_and(|refused_at| *refused_at <= times(at));
                if may_be_it && later {
                    read_paths.insert(paths.value(at).to_owned());
                }
                if is_read && ids.is_valid(at) && contents.contains(ids.value(at)) {
                    read_contents.insert(ids.value(at).to_owned());
                }
            }
            Ok(())
        })
        .await?;
        let is_cured = |file: &Refused| {
            read_paths.contains(&file.path)
                || file.content_id.as_ref().is_some_and(|content| read_contents.contains(content))
        };
        Ok(refused.into_iter().filter(|file| !is_cured(file)).collect())
    }
}
