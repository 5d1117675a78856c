//! The contested records, with what it is told by which of them speaks.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use arrow::array::{
    Array as _, AsArray as _, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use parquet::arrow::arrow_reader::RowSelection;

use super::LegacyFile;
use super::ids::says_nothing;
use super::rank::{Claim, Names, Place, is_unique};
use super::read::{self, Texts};
use crate::cores::on_all_cores;
use crate::rivals::{self, IDS_MAX};

const OF_RECORDS: [&str; 13] = [
    "tenant_id",
    "sign_in_id",
    "category",
    "signed_in_at",
    "emitted_at",
    "user_id",
    "user_principal_name",
    "client_app",
    "auth_method",
    "outcome",
    "record_hash",
    "source_id",
    "source_offset",
];
/// Of others, with what tells whether they are rivals.
const PROTOCOL: &str = "protocol";

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
    let columns = Columns::of(batch)?;
    for at in 0..batch.num_rows() {
        let record = columns.record(at, false);
        let (tenant, id) = (columns.tenants.get(at), columns.ids.value(at));
        claims.push(record.claim(tenant, id, Some(*places.next()?), names));
    }
    Some(())
}

/// The columns that claims are made of.
struct Columns<'a> {
    tenants: Texts<'a>,
    ids: &'a StringArray,
    categories: Texts<'a>,
    user_ids: Texts<'a>,
    principal_names: Texts<'a>,
    client_apps: Texts<'a>,
    auth_methods: Texts<'a>,
    outcomes: Texts<'a>,
    sources: Texts<'a>,
    signed_in_at: &'a TimestampMicrosecondArray,
    emitted_at: &'a TimestampMicrosecondArray,
    record_hashes: &'a Int64Array,
    offsets: &'a Int64Array,
}

/// What one record says, its texts as they are.
struct Record<'a> {
    category: Option<&'a str>,
    signed_in_at: Option<i64>,
    emitted_at: Option<i64>,
    user_id: Option<&'a str>,
    principal_name: Option<&'a str>,
    states_client_app: bool,
    is_modern: bool,
    is_basic: bool,
    is_unknown: bool,
    provably_modern: bool,
    is_success: Option<bool>,
    hash: Option<i64>,
    source: Option<&'a str>,
    offset: Option<i64>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Option<Self> {
        let text = |name| Texts::of(batch, name);
        let time = |name| batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>();
        let number = |name| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
        Some(Self {
            tenants: text("tenant_id")?,
            ids: batch.column_by_name("sign_in_id")?.as_string_opt()?,
            categories: text("category")?,
            user_ids: text("user_id")?,
            principal_names: text("user_principal_name")?,
            client_apps: text("client_app")?,
            auth_methods: text("auth_method")?,
            outcomes: text("outcome")?,
            sources: text("source_id")?,
            signed_in_at: time("signed_in_at")?,
            emitted_at: time("emitted_at")?,
            record_hashes: number("record_hash")?,
            offsets: number("source_offset")?,
        })
    }

    fn record(&self, at: usize, provably_modern: bool) -> Record<'a> {
        let time = |times: &TimestampMicrosecondArray| -> Option<i64> {
            times.is_valid(at).then(|| times.value(at))
        };
        let number =
            |numbers: &Int64Array| -> Option<i64> { numbers.is_valid(at).then(|| numbers.value(at)) };
        Record {
            category: self.categories.get(at),
            signed_in_at: time(self.signed_in_at),
            emitted_at: time(self.emitted_at),
            user_id: self.user_ids.get(at),
            principal_name: self.principal_names.get(at),
            states_client_app: self.client_apps.get(at).is_some_and(|app| !says_nothing(app)),
            is_modern: self.auth_methods.get(at) == Some("modern"),
            is_basic: self.auth_methods.get(at) == Some("basic"),
            is_unknown: self.auth_methods.get(at) == Some("unknown"),
            provably_modern,
            is_success: self.outcomes.get(at).map(|outcome| outcome == "success"),
            hash: number(self.record_hashes),
            source: self.sources.get(at),
            offset: number(self.offsets),
        }
    }
}

impl Record<'_> {
    fn claim(self, tenant: Option<&str>, id: &str, place: Option<Place>, names: &mut Names) -> Claim {
        let mut number = |text: Option<&str>| text.map(|text| names.number(text));
        Claim {
            tenant: number(tenant),
            id: id.into(),
            category: number(self.category),
            signed_in_at: self.signed_in_at,
            user_id: number(self.user_id),
            address: number(self.principal_name.map(str::to_lowercase).as_deref()),
            states_client_app: self.states_client_app,
            is_modern: self.is_modern,
            is_basic: self.is_basic,
            is_unknown: self.is_unknown,
            provably_modern: self.provably_modern,
            emitted_at: self.emitted_at,
            is_success: self.is_success,
            record_hash: self.hash,
            source: number(self.source),
            offset: self.offset,
            place,
        }
    }
}

/// Adds what speaks against records that state no client app, from files of the other rows.
pub(super) fn add_rivals(
    claims: &mut Vec<Claim>,
    names: &mut Names,
    folder: &str,
    paths: &[&str],
    claims_max: usize,
) -> Option<()> {
    // One record without a client app is enough for its id; what other tenants have of it does not matter. An id
    // that is not unique by these records alone is none by any others.
    let undeclared = claims.iter().filter(|claim| !claim.states_client_app);
    let ids: HashSet<&str> = undeclared.map(|claim| &*claim.id).collect();
    let mut of_ids: HashMap<(u32, &str), Vec<&Claim>> = HashMap::new();
    for claim in claims.iter().filter(|claim| ids.contains(&*claim.id)) {
        if let Some(tenant) = claim.tenant {
            of_ids.entry((tenant, &claim.id)).or_default().push(claim);
        }
    }
    of_ids.retain(|_, records| is_unique(records.iter().copied()));
    if of_ids.len() > IDS_MAX {
        return None;
    }
    let mut wanted: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
    for (tenant, id) in of_ids.into_keys() {
        wanted.entry(names.text(tenant)).or_default().insert(id);
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
    drop(wanted);
    let rivals: Vec<Rivals> = found.into_iter().flatten().collect();
    // A constant in place of ids has as many as there are records.
    if claims.len() + rivals.iter().map(|(batch, _)| batch.num_rows()).sum::<usize>() > claims_max {
        return None;
    }
    for (batch, provably_modern) in &rivals {
        let columns = Columns::of(batch)?;
        for at in 0..batch.num_rows() {
            let record = columns.record(at, *provably_modern);
            claims.push(record.claim(columns.tenants.get(at), columns.ids.value(at), None, names));
        }
    }
    Some(())
}

/// Records of rivals, and whether they are of the modern side.
type Rivals = (RecordBatch, bool);

fn rivals_of(
    path: &Path,
    plan: &ParquetAccessPlan,
    wanted: &BTreeMap<&str, HashSet<&str>>,
) -> Option<Vec<Rivals>> {
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
    let names: Vec<&str> = OF_RECORDS.into_iter().chain([PROTOCOL]).collect();
    let mut found = Vec::new();
    for batch in read::columns(reader, &names, Some(selected))? {
        let batch = batch.ok()?;
        let (tenants, protocols) = (Texts::of(&batch, "tenant_id")?, Texts::of(&batch, PROTOCOL)?);
        let ids = batch.column_by_name("sign_in_id")?.as_string_opt::<i32>()?;
        // Of each tenant that the rows are of, the ids that are wanted.
        let of_tenants = tenants.each(|tenant| wanted.get(tenant));
        let is_rival = |at: usize| {
            let of_tenant = tenants.key(at).and_then(|key| of_tenants[key]);
            (provably_modern || protocols.key(at).is_none())
                && ids.is_valid(at)
                && of_tenant.is_some_and(|of_tenant| of_tenant.contains(ids.value(at)))
        };
        let rivals: BooleanArray = (0..batch.num_rows()).map(|at| Some(is_rival(at))).collect();
        if rivals.true_count() > 0 {
            found.push((filter_record_batch(&batch, &rivals).ok()?, provably_modern));
        }
    }
    Some(found)
}
