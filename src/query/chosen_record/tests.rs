use std::collections::BTreeMap;
use std::hash::BuildHasher as _;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use proptest::prelude::*;

use super::super::Queries;
use super::*;
use lightsout_lake::LakeFile;
use lightsout_lake::schema::{Table, timestamp};
use lightsout_lake::write::DataFileWriter;

const LIMIT: usize = 256 << 20;
/// Small, so that files have several.
const GROUP_ROWS: usize = 97;
/// Lakes that are generated, each with so many worlds: a thousand worlds and more in all.
const CASES: u32 = 8;
const WORLDS: std::ops::Range<usize> = 130..250;

/// A record, in the words of its columns; its place among all is its offset.
#[derive(Debug, Clone)]
struct Record {
    /// Pairs of tenants have the same ids, no others.
    world: usize,
    tenant: &'static str,
    id: u8,
    category: Option<&'static str>,
    client_app: Option<&'static str>,
    protocol: Option<&'static str>,
    auth_method: &'static str,
    provably_modern: bool,
    signed_in_at: i64,
    user_id: Option<&'static str>,
    principal_name: Option<&'static str>,
    emitted_at: Option<i64>,
    outcome: Option<&'static str>,
    has_hash: bool,
    source: &'static str,
    file: u8,
}

impl Record {
    /// That of its text, which says all but where it is.
    fn hash(&self) -> Option<i64> {
        let text = format!("{:?}", Self { file: 0, source: "", has_hash: true, world: 0, ..self.clone() });
        self.has_hash.then(|| foldhash::quality::FixedState::with_seed(0).hash_one(text).cast_signed())
    }
}

fn record() -> impl Strategy<Value = Record> {
    use prop::sample::select;

    // The last id stands for many sign-ins.
    let who = (select(vec!["a", "b"]), prop_oneof![4 => 0..12_u8, 1 => Just(12)]);
    let app = select(vec![
        (Some("IMAP4"), Some("imap4"), "unknown", false),
        (Some("imap4"), Some("imap4"), "basic", false),
        (None, Some("not_stated"), "unknown", false),
        (Some(" Unknown "), Some("not_stated"), "unknown", false),
        // By its user agent alone.
        (None, Some("other_legacy"), "basic", false),
        // Services, and what is modern.
        (None, None, "unknown", false),
        (Some("Browser"), None, "modern", true),
        (None, None, "modern", true),
        (Some("Browser"), None, "basic", false),
        // A provably modern record of a legacy protocol, and two that verdicts need all the same.
        (Some("Exchange ActiveSync"), Some("exchange_activesync"), "modern", true),
        (Some("Authenticated SMTP"), Some("smtp_auth"), "modern", false),
        (Some("Browser"), Some("password_grant"), "password_grant", false),
    ]);
    let category =
        select(vec![None, None, Some("interactive"), Some("non_interactive"), Some("service_principal")]);
    // Within a second, at its edge, beyond it, and far from all others.
    let second = 1_000_000_i64;
    let signed_in_at = select(vec![0, 0, 0, second / 2, second, second + 1, 2 * second, 900 * second]);
    let user = select(vec![
        (None, None),
        (None, None),
        (Some("u"), None),
        (Some("u"), Some("U@example.com")),
        (Some("u"), Some("renamed@example.com")),
        (None, Some("u@example.com")),
        (Some("v"), Some("v@example.com")),
    ]);
    let emitted_at = prop::option::of(0..3_i64);
    let outcome = select(vec![None, Some("success"), Some("failure"), Some("unknown")]);
    let place = (select(vec!["s", "t"]), 0..2_u8, prop::bool::weighted(0.8));
    (who, app, category, (signed_in_at, user), emitted_at, outcome, place).prop_map(
        |(
            (tenant, id),
            (client_app, protocol, auth_method, provably_modern),
            category,
            (signed_in_at, (user_id, principal_name)),
            emitted_at,
            outcome,
            (source, file, has_hash),
        )| Record {
            world: 0,
            tenant,
            id,
            category,
            client_app,
            protocol,
            auth_method,
            provably_modern,
            signed_in_at: i64::from(id) * 5_000_000 + signed_in_at,
            user_id,
            principal_name,
            emitted_at,
            outcome,
            has_hash,
            source,
            file,
        },
    )
}

/// What two tenants have: ids that are mostly unique, or not, and some records that are there twice.
fn world() -> impl Strategy<Value = Vec<Record>> {
    let consistent = prop::bool::weighted(0.5);
    (prop::collection::vec(record(), 0..30), consistent, 0..4_usize).prop_map(
        |(mut records, consistent, repeated)| {
            if consistent {
                for record in records.iter_mut().filter(|record| record.id < 12) {
                    record.signed_in_at = i64::from(record.id) * 5_000_000;
                    (record.user_id, record.principal_name) = (Some("u"), None);
                }
            }
            let again: Vec<Record> = records.iter().step_by(5).take(repeated).cloned().collect();
            records.extend(again.into_iter().map(|record| Record { file: 1 - record.file, ..record }));
            records
        },
    )
}

fn batch(records: &[(usize, &Record)]) -> RecordBatch {
    let texts = |of: &dyn Fn(&Record) -> Option<String>| -> ArrayRef {
        Arc::new(records.iter().map(|(_, record)| of(record)).collect::<StringArray>())
    };
    let schema = Table::SignInRecords.file_schema();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "tenant_id" => texts(&|record| Some(format!("{}-{}", record.tenant, record.world))),
        "sign_in_id" => {
            texts(&|record| (record.id > 0).then(|| format!("id-{}-{}", record.world, record.id)))
        }
        "category" => texts(&|record| record.category.map(str::to_owned)),
        "client_app" => texts(&|record| record.client_app.map(str::to_owned)),
        "protocol" => texts(&|record| record.protocol.map(str::to_owned)),
        "outcome" => texts(&|record| record.outcome.map(str::to_owned)),
        "auth_method" => texts(&|record| Some(record.auth_method.to_owned())),
        "user_id" => texts(&|record| record.user_id.map(str::to_owned)),
        "user_principal_name" => texts(&|record| record.principal_name.map(str::to_owned)),
        "signed_in_at" => {
            let times = records.iter().map(|(_, record)| Some(record.signed_in_at));
            Arc::new(times.collect::<TimestampMicrosecondArray>().with_data_type(timestamp()))
        }
        "record_hash" => Arc::new(records.iter().map(|(_, record)| record.hash()).collect::<Int64Array>()),
        "source_id" => texts(&|record| Some(record.source.to_owned())),
        "emitted_at" => {
            let times = records.iter().map(|(_, record)| record.emitted_at);
            Arc::new(times.collect::<TimestampMicrosecondArray>().with_data_type(timestamp()))
        }
        "source_offset" => {
            Arc::new(records.iter().map(|(at, _)| i64::try_from(*at).ok()).collect::<Int64Array>())
        }
        _ => new_null_array(field.data_type(), records.len()),
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).expect("the columns")
}

/// The records as data files; where they are all in one, as another program may leave them.
fn files(folder: &std::path::Path, records: &[Record], services_apart: bool) -> Vec<LakeFile> {
    type File = (bool, bool, u8);
    type Rows<'a> = Vec<(usize, &'a Record)>;
    let mut of_files: BTreeMap<File, Rows<'_>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        let is_service = services_apart && record.protocol.is_none();
        of_files.entry((record.provably_modern, is_service, record.file)).or_default().push((at, record));
    }
    let write = |((modern, service, file), records): (File, Rows<'_>)| {
        let name = format!("part-{service}-{file}");
        let table = Table::SignInRecords;
        let mut writer = DataFileWriter::create(folder, table, Some(modern), &name).expect("a file");
        for records in records.chunks(GROUP_ROWS) {
            writer.write(&batch(records)).expect("rows");
            writer.end_row_group().expect("a row group");
        }
        let file = writer.finish().expect("the file");
        LakeFile {
            path: file.path,
            bytes: file.bytes,
            provably_modern: file.provably_modern,
            statistics: Some(file.statistics),
        }
    };
    of_files.into_iter().map(write).collect()
}

async fn answer(queries: &Queries, scope: Scope, limit: &str) -> String {
    let view = match scope {
        Scope::Legacy => "legacy_sign_ins",
        Scope::All => "sign_ins",
    };
    let sql = format!("SELECT * FROM {view} {limit} ORDER BY source_offset");
    let rows = queries.run("test", &sql, &[]).await.expect("an answer");
    arrow::util::pretty::pretty_format_batches(&rows).expect("a table").to_string()
}

/// The answers by files and by the views, for each limit.
async fn both_answers(
    records: &[Record],
    scope: Scope,
    services_apart: bool,
    limits: &[&str],
) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path(), records, services_apart);
    let at = folder.path().join(Table::SignInRecords.as_str()).display().to_string();
    let table = Arc::new(LakeTable::new(Table::SignInRecords, at, files, LIMIT));
    let tables: Vec<(Table, Arc<dyn TableProvider>)> = vec![(Table::SignInRecords, Arc::clone(&table) as _)];
    let by_files = Queries::over_providers(tables, Some(Arc::clone(&table)), LIMIT).expect("a session");
    let state = by_files.context.state();
    let by_sql = state.create_logical_plan("SELECT * FROM sign_in_records").await.expect("a plan");
    let chosen = ChosenRecords::new(Arc::clone(&table), scope, by_sql, LIMIT);
    assert!(chosen.find(&state, &[]).await.expect("no error").is_some(), "found without the views");

    let numbered: Vec<(usize, &Record)> = records.iter().enumerate().collect();
    let rows = [true, false].map(|modern| {
        let of: Vec<_> =
            numbered.iter().filter(|(_, record)| record.provably_modern == modern).copied().collect();
        let rows = batch(&of);
        let mut columns = rows.columns().to_vec();
        columns.push(Arc::new(BooleanArray::from(vec![modern; rows.num_rows()])));
        let schema = Table::SignInRecords.table_schema();
        (Table::SignInRecords, RecordBatch::try_new(schema, columns).expect("the columns"))
    });
    let by_rows = Queries::over_rows(rows.into(), LIMIT).await.expect("a session");
    let mut answers = Vec::new();
    for limit in limits {
        answers.push((answer(&by_files, scope, limit).await, answer(&by_rows, scope, limit).await));
    }
    answers
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// Many worlds in one lake: it is planning the queries that takes the time.
fn records() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec(world(), WORLDS).prop_map(|worlds| {
        let numbered = worlds.into_iter().enumerate();
        numbered
            .flat_map(|(world, records)| records.into_iter().map(move |record| Record { world, ..record }))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn files_and_views_choose_the_same_records(
        records in records(),
        services_apart: bool,
    ) {
        let limits = ["", "WHERE tenant_id < 'b'", "WHERE category = 'interactive'"];
        let answers = block_on(both_answers(&records, Scope::Legacy, services_apart, &limits));
        for ((by_files, by_views), limit) in answers.into_iter().zip(limits) {
            prop_assert_eq!(by_files, by_views, "{}", limit);
        }
    }

    /// `count(*)` over `sign_ins` sorted every row of the lake.
    #[test]
    fn files_and_sql_show_the_same_sign_ins(
        mut records in records(),
        services_apart: bool,
    ) {
        // Ingest gives each record an id.
        for record in &mut records {
            record.id = record.id.max(1);
        }
        let limits = [
            "",
            "WHERE tenant_id = 'a-3'",
            "WHERE tenant_id < 'a-2' AND outcome = 'success'",
            "WHERE category = 'interactive'",
            "WHERE protocol IS NOT NULL AND provably_modern",
            "WHERE sign_in_id = 'id-7-2'",
        ];
        let answers = block_on(both_answers(&records, Scope::All, services_apart, &limits));
        for ((by_files, by_sql), limit) in answers.into_iter().zip(limits) {
            prop_assert_eq!(by_files, by_sql, "{}", limit);
        }
    }
}

#[test]
fn records_without_an_id_are_left_to_the_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path(), &[Record { id: 0, ..not_stated() }], true);
    let at = folder.path().join(Table::SignInRecords.as_str()).join(&files[0].path);
    assert!(contested::find_contested(&[at], Scope::All).is_none());
}

#[test]
fn an_unreadable_file_is_left_to_the_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("torn.parquet"), "PAR1").expect("a file");
    let torn = [folder.path().join("torn.parquet")];
    assert!(contested::count_rows(&torn).is_none());
    assert!(contested::find_contested(&torn, Scope::Legacy).is_none());
    assert!(contested::find_contested(&torn, Scope::All).is_none());
}

fn not_stated() -> Record {
    Record {
        world: 0,
        tenant: "a",
        id: 1,
        category: None,
        client_app: None,
        protocol: Some("not_stated"),
        auth_method: "unknown",
        provably_modern: false,
        signed_in_at: 0,
        user_id: None,
        principal_name: None,
        emitted_at: None,
        outcome: None,
        has_hash: true,
        source: "s",
        file: 0,
    }
}

#[tokio::test]
async fn rows_beyond_the_memory_limit_are_left_to_the_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path(), &vec![not_stated(); 20], true);
    let at = folder.path().join(Table::SignInRecords.as_str()).display().to_string();
    let table = Arc::new(LakeTable::new(Table::SignInRecords, at, files, LIMIT));
    let tables: Vec<(Table, Arc<dyn TableProvider>)> = vec![(Table::SignInRecords, Arc::clone(&table) as _)];
    let queries = Queries::over_providers(tables, Some(Arc::clone(&table)), LIMIT).expect("a session");
    let state = queries.context.state();
    let by_sql = state.create_logical_plan("SELECT * FROM sign_in_records").await.expect("a plan");
    for scope in [Scope::Legacy, Scope::All] {
        let found = async |bytes_max| {
            let chosen = ChosenRecords::new(Arc::clone(&table), scope, by_sql.clone(), bytes_max);
            chosen.find(&state, &[]).await.expect("no error").is_some()
        };
        assert!(found(20 * CANDIDATE_BYTES).await, "{scope:?}");
        assert!(!found(20 * ID_BYTES - 1).await, "{scope:?}");
    }
}
