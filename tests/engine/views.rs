//! The views, case by case: `tests/views/<view>/<case>/` holds small tables and every row that the view gives
//! of them. `UPDATE_EXPECTED=1` rewrites the expected rows; read the diff. `sign_ins` and `legacy_sign_ins`
//! have their cases in `tests/queries`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::take_record_batch;
use arrow::datatypes::Schema;
use lightsout_lake::schema::{PARTITION, Table};
use lightsout_query::Queries;
use lightsout_query::column_docs::relations;
use lightsout_query::views::VIEWS;
use lightsout_report::Format;

use super::kept_decisions;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/views")
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|_| panic!("no cases in {}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("a name")
}

/// Records with every column of the table; a record is not provably modern unless it says so.
fn records(case: &Path) -> RecordBatch {
    let table = Table::SignInRecords.table_schema();
    let Ok(text) = fs::read_to_string(case.join("records.csv")) else { return RecordBatch::new_empty(table) };
    let header = text.lines().next().expect("a header").split(',');
    let fields: Vec<_> =
        header.map(|name| table.field_with_name(name).expect("a column of the table").clone()).collect();
    let given = arrow::csv::ReaderBuilder::new(Arc::new(Schema::new(fields)))
        .with_header(true)
        .build(text.as_bytes())
        .and_then(|mut reader| reader.next().transpose())
        .unwrap_or_else(|error| panic!("{}: {error}", case.display()))
        .expect("a record");
    let columns = table.fields().iter().map(|field| -> ArrayRef {
        match given.column_by_name(field.name()) {
            Some(column) if field.name() == PARTITION => {
                let modern = column.as_any().downcast_ref::<BooleanArray>().expect("booleans");
                Arc::new(modern.iter().map(|value| Some(value == Some(true))).collect::<BooleanArray>())
            }
            Some(column) => Arc::clone(column),
            None => new_null_array(field.data_type(), given.num_rows()),
        }
    });
    let columns = columns.collect();
    RecordBatch::try_new(table, columns).expect("the table's columns")
}

fn lines(case: &Path, table: Table) -> RecordBatch {
    let schema = table.table_schema();
    let Ok(text) = fs::read(case.join(format!("{}.json", table.as_str()))) else {
        return RecordBatch::new_empty(schema);
    };
    arrow::json::ReaderBuilder::new(Arc::clone(&schema))
        .with_strict_mode(true)
        .build(text.as_slice())
        .and_then(|mut reader| reader.next().transpose())
        .unwrap_or_else(|error| panic!("{}: {error}", case.display()))
        .unwrap_or_else(|| RecordBatch::new_empty(schema))
}

fn reversed(batch: &RecordBatch) -> RecordBatch {
    let rows = u32::try_from(batch.num_rows()).expect("a small case");
    take_record_batch(batch, &UInt32Array::from_iter_values((0..rows).rev())).expect("rows")
}

async fn session(case: &Path, turned: bool, memory_limit_bytes: usize) -> Queries {
    let mut tables = vec![
        (Table::SignInRecords, records(case)),
        (Table::Sources, lines(case, Table::Sources)),
        (Table::CampaignEvents, lines(case, Table::CampaignEvents)),
    ];
    tables.extend(kept_decisions::of(case));
    if turned {
        tables = tables.into_iter().map(|(table, rows)| (table, reversed(&rows))).collect();
    }
    lightsout_workflow::session::over_rows(tables, memory_limit_bytes).await.expect("tables")
}

/// Every row of a view, in one order. How many days are left depends on the day.
async fn rows(queries: &Queries, view: &str) -> String {
    let columns = queries.columns_of(view).await.expect("a plan").expect("a view");
    let columns: Vec<String> = columns
        .into_iter()
        .map(|column| match column.name.as_str() {
            "next_step" => "regexp_replace(next_step, ', in [0-9]+ days?$', '') AS next_step".to_owned(),
            name => name.to_owned(),
        })
        .collect();
    let order: Vec<String> = (1..=columns.len()).map(|at| at.to_string()).collect();
    let sql = format!("SELECT {} FROM {view} ORDER BY {}", columns.join(", "), order.join(", "));
    let batches = queries.run(view, &sql, &[]).await.unwrap_or_else(|error| panic!("{view}: {error}"));
    let mut text = Vec::new();
    lightsout_report::write(&mut text, &batches, Format::Csv).expect("in memory");
    String::from_utf8(text).expect("text")
}

#[tokio::test]
async fn every_case_gives_the_expected_rows_whatever_the_order_of_its_input() {
    let mut wrong = Vec::new();
    for view in below(&folder()) {
        for case in below(&view) {
            let queries = session(&case, false, 256 << 20).await;
            let found = rows(&queries, name(&view)).await;
            assert_eq!(found, rows(&queries, name(&view)).await, "{}: asked again", case.display());
            let turned = rows(&session(&case, true, 256 << 20).await, name(&view)).await;
            assert_eq!(found, turned, "{}: the order of the input shows", case.display());
            let path = case.join("expected.csv");
            if std::env::var_os("UPDATE_EXPECTED").is_some() {
                fs::write(&path, &found).expect("a file");
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            if expected != found {
                wrong.push(format!("{}\nexpected:\n{expected}found:\n{found}", case.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_view_says_what_it_is_and_has_cases() {
    let elsewhere = ["legacy_sign_ins", "sign_ins"];
    let with_cases: BTreeSet<String> = below(&folder()).iter().map(|view| name(view).to_owned()).collect();
    for view in VIEWS.iter().filter(|view| !view.is_part) {
        for word in ["Reads:", "Params: none", "Grain:", "Columns:", "Order: none", "Blind spots:"] {
            assert!(view.text.contains(&format!("\n-- {word}")), "{}: {word} is missing", view.name);
        }
        assert!(
            with_cases.contains(view.name) || elsewhere.contains(&view.name),
            "{} has no case in tests/views",
            view.name
        );
    }
}

#[tokio::test]
async fn a_header_tells_every_column_with_its_type_and_no_other() {
    let queries = lightsout_workflow::session::over_rows(Vec::new(), 64 << 20).await.expect("an empty lake");
    for view in VIEWS.iter().filter(|view| !view.is_part && !view.text.contains("those of sign_in_records")) {
        let columns = queries.columns_of(view.name).await.expect("a plan").expect("a view");
        let header: String = view
            .text
            .lines()
            .take_while(|line| line.starts_with("--"))
            .map(|line| line[2..].trim())
            .collect::<Vec<_>>()
            .join(" ");
        let told =
            header.split_once("Columns:").and_then(|(_, rest)| rest.split_once("Order:")).expect("columns").0;
        let mut named = Vec::new();
        for part in told.split(';') {
            let words: Vec<&str> =
                part.split_whitespace().map(|word| word.trim_end_matches([',', ':'])).collect();
            let kinds = ["text", "bigint", "timestamp", "date", "boolean"];
            let Some(at) = words.iter().position(|word| kinds.contains(word)) else { continue };
            named.extend(words[..at].iter().map(|name| ((*name).to_owned(), words[at].to_owned())));
        }
        let found: Vec<(String, String)> =
            columns.into_iter().map(|column| (column.name, column.sql_type)).collect();
        assert_eq!(named, found, "{}", view.name);
    }
}

#[tokio::test]
async fn verdicts_that_do_not_fit_are_made_again_for_each_query_and_are_the_same() {
    let case = folder().join("verdicts/several-decisions");
    let roomy = session(&case, false, 256 << 20).await;
    // Of 16 KiB an eighth, which is less than the rows of one decision.
    let tight = session(&case, false, 16 << 10).await;
    let expected = rows(&roomy, "verdicts").await;
    let sql = "SELECT decision_id, tenant_id, verdict FROM verdicts";
    let count = async |queries: &Queries| -> usize {
        let batches = queries.run("verdicts", sql, &[]).await.expect("rows");
        batches.iter().map(RecordBatch::num_rows).sum()
    };
    assert_eq!(count(&tight).await, expected.lines().count() - 1);
    assert_eq!(count(&tight).await, count(&roomy).await);
}

#[tokio::test]
async fn every_column_of_every_relation_is_documented() {
    let queries = lightsout_workflow::session::over_rows(Vec::new(), 64 << 20).await.expect("an empty lake");
    let mut undocumented = Vec::new();
    for relation in relations() {
        assert!(relation.purpose.ends_with('.'), "{}", relation.name);
        let columns = queries.columns_of(relation.name).await.expect("a plan").expect("a relation");
        for column in columns {
            let (of, name) = (relation.name, &column.name);
            if column.meaning.len() <= 3 && name != "display_name" {
                undocumented.push(format!("{of}.{name}: '{}'", column.meaning));
            }
        }
    }
    assert!(undocumented.is_empty(), "{}", undocumented.join("\n"));
}

#[tokio::test]
async fn every_documented_column_exists() {
    let queries = lightsout_workflow::session::over_rows(Vec::new(), 64 << 20).await.expect("an empty lake");
    let known = queries.vocabulary().await.expect("plans").relations;
    let columns = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/columns.txt");
    let columns = fs::read_to_string(columns).expect("the columns' meanings");
    for line in columns.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(' ').next().expect("a name");
        let is_there = match name.split_once('.') {
            Some((table, column)) => known[table].iter().any(|known| known == column),
            None => known.values().flatten().any(|known| known == name),
        };
        assert!(is_there, "{name}");
    }
}

#[tokio::test]
async fn a_view_is_registered_once_and_missing_until_then() {
    let queries = Queries::over_rows(Vec::new(), 64 << 20).await.expect("an empty lake");
    for view in ["verdicts", "latest_decision", "latest_roster", "campaign_status"] {
        assert!(queries.columns_of(view).await.expect("no plan").is_none(), "{view}");
    }
    lightsout_decisions::views::register(&queries).expect("the first time");
    assert!(queries.columns_of("verdicts").await.expect("a plan").is_some());
    assert!(lightsout_decisions::views::register(&queries).is_err());
}
