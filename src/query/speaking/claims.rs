//! The contested records, with what it is told by which of them speaks.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use parquet::arrow::arrow_reader::RowSelection;

use super::LegacyFile;
use super::ids::says_nothing;
use super::rank::{Claim, Names, Place};
use super::read::{self, Texts};
use crate::query::cores::on_all_cores;
use crate::query::rivals::{self, IDS_MAX};

const OF_RECORDS: [&str; 8] = [
    "tenant_id",
    "sign_in_id",
    "category",
    "emitted_at",
    "client_app",
    "outcome",
    "source_id",
    "source_offset",
];
const OF_RIVALS: [&str; 5] = ["tenant_id", "sign_in_id", "category", "client_app", "protocol"];

/// Reads the contested records, which are in the order of their places.
pub(super) fn of(files: &[LegacyFile], contested: &[Place], names: &mut Names) -> Option<Vec<Claim>> {
    let of_files: Vec<&[Place]> = contested.chunk_by(|a, b| a.0 == b.0).collect();
    let read = on_all_cores(&of_files, |places| {
        let file = &files[places.first()?.0 as usize];
        let rows = read::selection(places.iter().map(|(_, row)| *row), true, file.rows.count());
        let batches = read::columns(read::open(&file.at)?, &OF_RECORDS, Some(rows))?;
        batches.collect::<Result<Vec<RecordBatch>, _>>().ok()
    })?;
    let mut claims = Vec::with_capacity(contested.len());
    for (places, batches) in of_files.into_iter().zip(read) {
        let mut places = places.iter();
        for batch in batches {
            add_records(&mut claims, &batch, &mut places, names)?;
        }
    }
    Some(claims)
}

fn add_records<'p>(
    claims: &mut Vec<Claim>,
    batch: &RecordBatch,
    places: &mut impl Iterator<Item = &'p Place>,
    names: &mut Names,
) -> Option<()> {
    let text = |name| Texts::of(batch, name);
    let ids = batch.column_by_name("sign_in_id")?.as_string_opt::<i32>()?;
    let (tenants, categories, client_apps) = (text("tenant_id")?, text("category")?, text("client_app")?);
    let (outcomes, sources) = (text("outcome")?, text("source_id")?);
    let emitted_at = batch.column_by_name("emitted_at")?.as_primitive_opt::<TimestampMicrosecondType>()?;
    let offsets = batch.column_by_name("source_offset")?.as_primitive_opt::<Int64Type>()?;
    for at in 0..batch.num_rows() {
        let mut number = |texts: &Texts<'_>| texts.get(at).map(|text| names.number(text));
        claims.push(Claim {
            tenant: number(&tenants),
            id: ids.value(at).into(),
            category: number(&categories),
            states_client_app: client_apps.get(at).is_some_and(|app| !says_nothing(app)),
            provably_modern: false,
            emitted_at: emitted_at.is_valid(at).then(|| emitted_at.value(at)),
            is_success: outcomes.get(at).map(|outcome| outcome == "success"),
            source: number(&sources),
            offset: offsets.is_valid(at).then(|| offsets.value(at)),
            place: Some(*places.next()?),
        });
    }
    Some(())
}

/// Adds what speaks against records that state no client app, from files of the other rows.
pub(super) fn add_rivals(
    claims: &mut Vec<Claim>,
    names: &mut Names,
    folder: &str,
    paths: &[&str],
) -> Option<()> {
    // One record without a client app is enough for its id; what other tenants have of it does not matter.
    let mut wanted: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
    let undeclared = claims.iter().filter(|claim| !claim.states_client_app);
    let ids: HashSet<&str> = undeclared.map(|claim| &*claim.id).collect();
    if ids.len() > IDS_MAX {
        return None;
    }
    for claim in claims.iter().filter(|claim| ids.contains(&*claim.id)) {
        if let Some(tenant) = claim.tenant {
            wanted.entry(names.text(tenant)).or_default().insert(&claim.id);
        }
    }
    if wanted.is_empty() {
        return Some(());
    }
    let by_tenant = wanted.iter().map(|(tenant, ids)| {
        ((*tenant).to_owned(), ids.iter().map(|id| (*id).to_owned()).collect::<Vec<String>>())
    });
    let places = rivals::look(folder, paths, &by_tenant.collect());
    let mut files: Vec<(&str, &ParquetAccessPlan)> = Vec::new();
    for path in paths {
        match places.get(*path) {
            Some(Some(plan)) => files.push((path, plan)),
            Some(None) => {}
            // It can't be looked into.
            None => return None,
        }
    }
    let found = on_all_cores(&files, |(path, plan)| rivals_of(&Path::new(folder).join(path), plan, &wanted))?;
    let found: Vec<Rival> = found.into_iter().flatten().collect();
    for rival in found {
        claims.push(Claim {
            tenant: Some(names.number(&rival.tenant)),
            id: rival.id,
            category: rival.category.map(|category| names.number(&category)),
            states_client_app: rival.states_client_app,
            provably_modern: rival.provably_modern,
            emitted_at: None,
            is_success: None,
            source: None,
            offset: None,
            place: None,
        });
    }
    Some(())
}

struct Rival {
    tenant: String,
    id: Box<str>,
    category: Option<String>,
    states_client_app: bool,
    provably_modern: bool,
}

fn rivals_of(
    path: &Path,
    plan: &ParquetAccessPlan,
    wanted: &BTreeMap<&str, HashSet<&str>>,
) -> Option<Vec<Rival>> {
    let reader = read::open(path)?;
    // The partition is in the path, and nowhere else.
    let provably_modern = path.components().any(|part| part.as_os_str() == "provably_modern=true");
    let mut selectors: Vec<RowSelection> = Vec::new();
    for (group, access) in reader.metadata().row_groups().iter().zip(plan.inner()) {
        let rows = usize::try_from(group.num_rows()).ok()?;
        selectors.push(match access {
            RowGroupAccess::Skip => read::selection(std::iter::empty(), true, rows),
            RowGroupAccess::Scan => read::selection(std::iter::empty(), false, rows),
            RowGroupAccess::Selection(selection) => selection.clone(),
        });
    }
    let selected: RowSelection = selectors.into_iter().collect();
    let mut found = Vec::new();
    for batch in read::columns(reader, &OF_RIVALS, Some(selected))? {
        let batch = batch.ok()?;
        let text = |name| Texts::of(&batch, name);
        let (tenants, categories, client_apps) = (text("tenant_id")?, text("category")?, text("client_app")?);
        let protocols = text("protocol")?;
        let ids = batch.column_by_name("sign_in_id")?.as_string_opt::<i32>()?;
        // Of each tenant that the rows are of, the ids that are wanted.
        let of_tenants = tenants.each(|tenant| wanted.get(tenant));
        for at in 0..batch.num_rows() {
            let Some(of_tenant) = tenants.key(at).and_then(|key| of_tenants[key]) else { continue };
            let is_other = provably_modern || protocols.key(at).is_none();
            if is_other && ids.is_valid(at) && of_tenant.contains(ids.value(at)) {
                found.push(Rival {
                    tenant: tenants.get(at)?.to_owned(),
                    id: ids.value(at).into(),
                    category: categories.get(at).map(str::to_owned),
                    states_client_app: client_apps.get(at).is_some_and(|app| !says_nothing(app)),
                    provably_modern,
                });
            }
        }
    }
    Some(found)
}
