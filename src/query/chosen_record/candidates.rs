//! Reads the contested records and their duplicates, with the columns that decide which one is chosen.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use arrow::array::{
    Array as _, AsArray as _, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use parquet::arrow::arrow_reader::RowSelection;

use super::ScannedFile;
use super::contested::states_no_client_app;
use super::rank::{Candidate, Interner, Place, is_unique};
use super::read::{self, Texts};
use crate::duplicate_candidates::{self, SEARCHED_IDS_MAX};
use crate::parallel::on_all_cores;

const OF_RECORDS: [&str; 14] = [
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
    PROTOCOL,
];
const PROTOCOL: &str = "protocol";

/// Reads the contested records, which are in the order of their places.
pub(super) fn of(
    files: &[ScannedFile],
    contested: &[Place],
    interner: &mut Interner,
) -> Option<Vec<Candidate>> {
    let of_files: Vec<&[Place]> = contested.chunk_by(|a, b| a.0 == b.0).collect();
    let read = on_all_cores(&of_files, |places| {
        let file = &files[places.first()?.0 as usize];
        let rows = read::selection(places.iter().map(|(_, row)| *row), true, file.rows.count());
        let batches = read::columns(read::open(&file.at)?, &OF_RECORDS, Some(rows))?;
        batches.collect::<Result<Vec<RecordBatch>, _>>().ok()
    })?;
    let mut candidates = Vec::with_capacity(contested.len());
    for (places, batches) in of_files.into_iter().zip(read) {
        let provably_modern = files[places.first()?.0 as usize].provably_modern;
        let mut places = places.iter();
        for batch in batches {
            add_records(&mut candidates, &batch, provably_modern, &mut places, interner)?;
        }
    }
    Some(candidates)
}

fn add_records<'p>(
    candidates: &mut Vec<Candidate>,
    batch: &RecordBatch,
    provably_modern: bool,
    places: &mut impl Iterator<Item = &'p Place>,
    interner: &mut Interner,
) -> Option<()> {
    let columns = Columns::of(batch)?;
    for at in 0..batch.num_rows() {
        let record = columns.record(at, provably_modern);
        let (tenant, id) = (columns.tenants.get(at), columns.ids.value(at));
        candidates.push(record.candidate(tenant, id, Some(*places.next()?), interner));
    }
    Some(())
}

/// The columns that candidates are made of.
struct Columns<'a> {
    tenants: Texts<'a>,
    ids: &'a StringArray,
    categories: Texts<'a>,
    user_ids: Texts<'a>,
    principal_names: Texts<'a>,
    client_apps: Texts<'a>,
    auth_methods: Texts<'a>,
    outcomes: Texts<'a>,
    protocols: Texts<'a>,
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
    names_protocol: bool,
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
            protocols: text(PROTOCOL)?,
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
            states_client_app: self.client_apps.get(at).is_some_and(|app| !states_no_client_app(app)),
            names_protocol: self.protocols.key(at).is_some(),
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
    fn candidate(
        self,
        tenant: Option<&str>,
        id: &str,
        place: Option<Place>,
        interner: &mut Interner,
    ) -> Candidate {
        let mut number = |text: Option<&str>| text.map(|text| interner.intern(text));
        Candidate {
            tenant: number(tenant),
            id: id.into(),
            category: number(self.category),
            signed_in_at: self.signed_in_at,
            user_id: number(self.user_id),
            address: number(self.principal_name.map(str::to_lowercase).as_deref()),
            states_client_app: self.states_client_app,
            // A duplicate outside the legacy side names none that a verdict needs: `rival_records` has no protocol.
            names_protocol: self.names_protocol && place.is_some(),
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

/// Adds the duplicates of records that state no client app, from files of the other rows.
pub(super) fn add_duplicates(
    candidates: &mut Vec<Candidate>,
    interner: &mut Interner,
    folder: &str,
    paths: &[&str],
    candidates_max: usize,
) -> Option<()> {
    // One record without a client app is enough for its id; what other tenants have of it does not matter. An id
    // that is not unique by these records alone is none by any others.
    let undeclared = candidates.iter().filter(|candidate| !candidate.states_client_app);
    let ids: HashSet<&str> = undeclared.map(|candidate| &*candidate.id).collect();
    let mut of_ids: HashMap<(u32, &str), Vec<&Candidate>> = HashMap::new();
    for candidate in candidates.iter().filter(|candidate| ids.contains(&*candidate.id)) {
        if let Some(tenant) = candidate.tenant {
            of_ids.entry((tenant, &candidate.id)).or_default().push(candidate);
        }
    }
    of_ids.retain(|_, records| is_unique(records.iter().copied()));
    if of_ids.len() > SEARCHED_IDS_MAX {
        return None;
    }
    let mut wanted: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
    for (tenant, id) in of_ids.into_keys() {
        wanted.entry(interner.resolve(tenant)).or_default().insert(id);
    }
    if wanted.is_empty() {
        return Some(());
    }
    let by_tenant = wanted.iter().map(|(tenant, ids)| {
        ((*tenant).to_owned(), ids.iter().map(|id| (*id).to_owned()).collect::<Vec<String>>())
    });
    let places = duplicate_candidates::select_rows(folder, paths, &by_tenant.collect());
    let mut files: Vec<(&str, &ParquetAccessPlan)> = Vec::new();
    for path in paths {
        match places.get(*path) {
            Some(Some(plan)) => files.push((path, plan)),
            Some(None) => {}
            // It can't be looked into.
            None => return None,
        }
    }
    let found =
        on_all_cores(&files, |(path, plan)| duplicates_in(&Path::new(folder).join(path), plan, &wanted))?;
    drop(wanted);
    let duplicates: Vec<Duplicates> = found.into_iter().flatten().collect();
    // A constant in place of ids has as many as there are records.
    if candidates.len() + duplicates.iter().map(|(batch, _)| batch.num_rows()).sum::<usize>() > candidates_max
    {
        return None;
    }
    for (batch, provably_modern) in &duplicates {
        let columns = Columns::of(batch)?;
        for at in 0..batch.num_rows() {
            let record = columns.record(at, *provably_modern);
            candidates.push(record.candidate(columns.tenants.get(at), columns.ids.value(at), None, interner));
        }
    }
    Some(())
}

/// Records of duplicates, and whether they are of the modern side.
type Duplicates = (RecordBatch, bool);

fn duplicates_in(
    path: &Path,
    plan: &ParquetAccessPlan,
    wanted: &BTreeMap<&str, HashSet<&str>>,
) -> Option<Vec<Duplicates>> {
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
    for batch in read::columns(reader, &OF_RECORDS, Some(selected))? {
        let batch = batch.ok()?;
        let (tenants, protocols) = (Texts::of(&batch, "tenant_id")?, Texts::of(&batch, PROTOCOL)?);
        let ids = batch.column_by_name("sign_in_id")?.as_string_opt::<i32>()?;
        // Of each tenant that the rows are of, the ids that are wanted.
        let of_tenants = tenants.each(|tenant| wanted.get(tenant));
        let is_duplicate = |at: usize| {
            let of_tenant = tenants.key(at).and_then(|key| of_tenants[key]);
            (provably_modern || protocols.key(at).is_none())
                && ids.is_valid(at)
                && of_tenant.is_some_and(|of_tenant| of_tenant.contains(ids.value(at)))
        };
        let duplicates: BooleanArray = (0..batch.num_rows()).map(|at| Some(is_duplicate(at))).collect();
        if duplicates.true_count() > 0 {
            found.push((filter_record_batch(&batch, &duplicates).ok()?, provably_modern));
        }
    }
    Some(found)
}
