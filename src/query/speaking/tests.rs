use std::collections::BTreeMap;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use proptest::prelude::*;

use super::super::Queries;
use super::*;
use crate::lake::LakeFile;
use crate::lake::schema::{Table, timestamp};
use crate::lake::write::DataFileWriter;

const LIMIT: usize = 256 << 20;
/// Small, so that files have several.
const GROUP_ROWS: usize = 7;

/// A record, in the words of its columns; its place among all is its offset.
#[derive(Debug, Clone)]
struct Record {
    tenant: &'static str,
    id: u8,
    category: Option<&'static str>,
    client_app: Option<&'static str>,
    protocol: Option<&'static str>,
    provably_modern: bool,
    emitted_at: Option<i64>,
    outcome: Option<&'static str>,
    source: &'static str,
    file: u8,
}

fn record() -> impl Strategy<Value = Record> {
    let who = (prop::sample::select(vec!["a", "b"]), 0..12_u8);
    let app = prop::sample::select(vec![
        (Some("IMAP4"), Some("imap4"), false),
        (Some("imap4"), Some("imap4"), false),
        (None, Some("not_stated"), false),
        (Some(" Unknown "), Some("not_stated"), false),
        // Services, and what is modern.
        (None, None, false),
        (Some("Browser"), None, true),
        (None, None, true),
        // A provably modern record of a legacy protocol.
        (Some("Exchange ActiveSync"), Some("exchange_activesync"), true),
    ]);
    let category = prop::sample::select(vec![
        None,
        None,
        Some("interactive"),
        Some("non_interactive"),
        Some("service_principal"),
    ]);
    let emitted_at = prop::option::of(0..3_i64);
    let outcome = prop::sample::select(vec![None, Some("success"), Some("failure"), Some("unknown")]);
    (who, app, category, emitted_at, outcome, prop::sample::select(vec!["s", "t"]), 0..2_u8).prop_map(
        |(
            (tenant, id),
            (client_app, protocol, provably_modern),
            category,
            emitted_at,
            outcome,
            source,
            file,
        )| {
            Record {
                tenant,
                id,
                category,
                client_app,
                protocol,
                provably_modern,
                emitted_at,
                outcome,
                source,
                file,
            }
        },
    )
}

fn batch(records: &[(usize, &Record)]) -> RecordBatch {
    let texts = |of: &dyn Fn(&Record) -> Option<String>| -> ArrayRef {
        Arc::new(records.iter().map(|(_, record)| of(record)).collect::<StringArray>())
    };
    let schema = Table::SignInRecords.file_schema();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "tenant_id" => texts(&|record| Some(record.tenant.to_owned())),
        "sign_in_id" => texts(&|record| (record.id > 0).then(|| format!("id-{}", record.id))),
        "category" => texts(&|record| record.category.map(str::to_owned)),
        "client_app" => texts(&|record| record.client_app.map(str::to_owned)),
        "protocol" => texts(&|record| record.protocol.map(str::to_owned)),
        "outcome" => texts(&|record| record.outcome.map(str::to_owned)),
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
fn files(folder: &std::path::Path, records: &[Record], apart: bool) -> Vec<LakeFile> {
    type File = (bool, bool, u8);
    type Rows<'a> = Vec<(usize, &'a Record)>;
    let mut of_files: BTreeMap<File, Rows<'_>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        let is_service = apart && record.protocol.is_none();
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

async fn answer(queries: &Queries, limit: &str) -> String {
    let sql = format!("SELECT * FROM legacy_sign_ins {limit} ORDER BY source_offset");
    let rows = queries.run("test", &sql, &[]).await.expect("an answer");
    arrow::util::pretty::pretty_format_batches(&rows).expect("a table").to_string()
}

/// The answers by files and by the views.
async fn both(records: &[Record], apart: bool, limit: &str) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(folder.path(), records, apart);
    let at = folder.path().join(Table::SignInRecords.as_str()).display().to_string();
    let table = Arc::new(LakeTable::new(Table::SignInRecords, at, files, LIMIT));
    let tables: Vec<(Table, Arc<dyn TableProvider>)> = vec![(Table::SignInRecords, Arc::clone(&table) as _)];
    let by_files = Queries::over_providers(tables, Some(Arc::clone(&table)), LIMIT).expect("a session");
    let state = by_files.context.state();
    let by_sql = state.create_logical_plan("SELECT * FROM sign_in_records").await.expect("a plan");
    let speaking = SpeakingRecords::new(Arc::clone(&table), by_sql, LIMIT);
    assert!(speaking.find(&state).expect("no error").is_some(), "found without the views");

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
    (answer(&by_files, limit).await, answer(&by_rows, limit).await)
}

fn at_once<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn the_same_records_speak_as_by_the_views(
        records in prop::collection::vec(record(), 0..60),
        apart: bool,
    ) {
        for limit in ["", "WHERE tenant_id = 'a'", "WHERE category = 'interactive'"] {
            let (by_files, by_views) = at_once(both(&records, apart, limit));
            prop_assert_eq!(by_files, by_views, "{}", limit);
        }
    }
}

#[test]
fn a_file_that_can_not_be_read_is_left_to_the_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("torn.parquet"), "PAR1").expect("a file");
    assert!(ids::contested(&[folder.path().join("torn.parquet")], usize::MAX).is_none());
}

#[test]
fn more_rows_than_memory_has_room_for_are_left_to_the_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = Record {
        tenant: "a",
        id: 1,
        category: None,
        client_app: None,
        protocol: Some("not_stated"),
        provably_modern: false,
        emitted_at: None,
        outcome: None,
        source: "s",
        file: 0,
    };
    let records = vec![record; 20];
    let files = files(folder.path(), &records, true);
    let at = folder.path().join(Table::SignInRecords.as_str()).join(&files[0].path);
    assert_eq!(ids::contested(std::slice::from_ref(&at), 20).expect("there is room").1.len(), 20);
    assert!(ids::contested(&[at], 19).is_none());
}
