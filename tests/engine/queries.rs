//! The shipped SQL, case by case: `tests/queries/<query>/<case>/` holds small tables, parameters and
//! the rows that the contract expects. `UPDATE_EXPECTED=1` rewrites the expected rows; read the diff.
//!
//! Of `records.csv` only the columns that matter are there, an empty cell is null, and a record is not
//! provably modern, and its auth method unknown, unless it says so. `sources.json`, `rejects.json`, `tenant_settings.json` and `campaign_events.json` have one row a
//! line, `decisions.json` one as `kept_decisions` reads it. `parameters.toml` replaces single parameters.

use super::kept_decisions;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, UInt32Array, new_null_array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use lightsout_lake::schema::{PARTITION, Table, timestamp};
use lightsout_query::catalog::{REPORTS, Report};
use lightsout_query::explain_values::with_values;
use lightsout_query::{Parameter, Queries};
use lightsout_report::Format;

const VIEWS: [&str; 2] = ["legacy_sign_ins", "sign_ins"];
/// What a case of `legacy_sign_ins` shows besides the columns of its records.
const ADDED_COLUMNS: [&str; 5] =
    ["user_key", "is_outbound", "is_mismatch", "in_tenant", "exchange_or_unnamed"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cases_of(query: &str) -> Vec<PathBuf> {
    let folder = root().join("tests/queries").join(query);
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|_| panic!("{query} has no cases in {}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    cases.sort();
    cases
}

/// The records of a case with every column of the table.
fn records(case: &Path) -> RecordBatch {
    let table = Table::SignInRecords.table_schema();
    let Ok(text) = fs::read_to_string(case.join("records.csv")) else { return RecordBatch::new_empty(table) };
    let fields: Vec<_> = header(&text)
        .into_iter()
        .map(|name| table.field_with_name(name).unwrap_or_else(|_| panic!("{name} in {}", case.display())))
        .cloned()
        .collect();
    let given = arrow::csv::ReaderBuilder::new(Arc::new(Schema::new(fields)))
        .with_header(true)
        .build(text.as_bytes())
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    assert_eq!(given.len(), 1, "{} is small and not empty", case.display());
    let given = &given[0];
    let columns: Vec<ArrayRef> = table
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            match given.column_by_name(field.name()) {
                Some(column) if field.name() == PARTITION => {
                    let modern = column.as_any().downcast_ref::<BooleanArray>().expect("booleans");
                    Arc::new(modern.iter().map(|value| Some(value == Some(true))).collect::<BooleanArray>())
                }
                Some(column) if field.name() == "auth_method" => {
                    let methods = column.as_any().downcast_ref::<StringArray>().expect("texts");
                    Arc::new(methods.iter().map(|method| method.or(Some("unknown"))).collect::<StringArray>())
                }
                Some(column) => Arc::clone(column),
                None if field.name() == "auth_method" => {
                    Arc::new(StringArray::from(vec!["unknown"; given.num_rows()]))
                }
                None if field.name() == PARTITION => {
                    Arc::new(BooleanArray::from(vec![false; given.num_rows()]))
                }
                None => new_null_array(field.data_type(), given.num_rows()),
            }
        })
        .collect();
    RecordBatch::try_new(table, columns).expect("the table's columns")
}

fn header(csv: &str) -> Vec<&str> {
    csv.lines().next().expect("a header").split(',').collect()
}

/// Rows of a table that a case has as `<table>.json`, one a line.
fn lines(case: &Path, table: Table) -> RecordBatch {
    let path = case.join(format!("{}.json", table.as_str()));
    let table = table.table_schema();
    let Ok(text) = fs::read(path) else { return RecordBatch::new_empty(table) };
    arrow::json::ReaderBuilder::new(Arc::clone(&table))
        .with_strict_mode(true)
        .build(text.as_slice())
        .and_then(|mut reader| reader.next().transpose())
        .unwrap_or_else(|error| panic!("{}: {error}", case.display()))
        .expect("a row")
}

fn reversed(batch: &RecordBatch) -> RecordBatch {
    let rows = u32::try_from(batch.num_rows()).expect("a small case");
    take_record_batch(batch, &UInt32Array::from_iter_values((0..rows).rev())).expect("rows")
}

/// Values for the parameters of a query: those of the rules, then its own.
fn parameters(case: &Path, report: &Report<'_>) -> Vec<Parameter> {
    let mut values: BTreeMap<String, String> = toml::from_str(
        "window_start = '2026-10-01'\nwindow_end = '2026-10-31'\nlookback_start = '2026-08-02'\n\
         later_end = '2200-01-01'\n\
         protocols = 'imap4,pop3'\nauth_methods = 'basic,unknown'\napp_ids = ''\n\
         campaign = 'mine'\ntenant = '*'",
    )
    .expect("the defaults");
    if let Ok(text) = fs::read_to_string(case.join("parameters.toml")) {
        let own: BTreeMap<String, String> = toml::from_str(&text).expect("names and texts");
        values.extend(own);
    }
    let header = report.header().unwrap_or_else(|error| panic!("{}: {error:?}", report.name));
    let bound = header.bound.iter().map(|name| {
        let value = &values[*name];
        let value = if matches!(*name, "protocols" | "auth_methods" | "app_ids" | "campaign" | "tenant") {
            ScalarValue::Utf8(Some(value.clone()))
        } else {
            let day: chrono::NaiveDate = value.parse().expect("a day");
            lightsout_query::timestamp(lightsout_model::evidence::midnight(day))
        };
        ((*name).to_owned(), value)
    });
    let own = header.parameters.iter().map(|declared| {
        let given = values.get(&declared.name).map(|text| declared.kind.parse(text));
        (
            declared.name.clone(),
            given.map_or_else(|| declared.default.clone(), |value| value.expect("a value")).into(),
        )
    });
    bound.chain(own).collect()
}

fn csv(batches: &[RecordBatch]) -> String {
    let mut text = Vec::new();
    lightsout_report::write(&mut text, batches, Format::Csv).expect("in memory");
    String::from_utf8(text).expect("text")
}

async fn queries(case: &Path, turned: bool) -> Queries {
    let mut tables = vec![(Table::SignInRecords, records(case))];
    let others = [Table::Sources, Table::CampaignEvents, Table::Rejects, Table::TenantSettings];
    tables.extend(others.map(|table| (table, lines(case, table))));
    tables.extend(kept_decisions::of(case));
    if turned {
        tables = tables.into_iter().map(|(table, rows)| (table, reversed(&rows))).collect();
    }
    lightsout_workflow::session::over_rows(tables, 256 << 20).await.expect("tables and views")
}

async fn answer(query: &str, case: &Path, turned: bool) -> String {
    let queries = queries(case, turned).await;
    let (sql, parameters) = if VIEWS.contains(&query) {
        let text = fs::read_to_string(case.join("records.csv")).expect("the records of a view's case");
        let mut columns = header(&text);
        if query == "legacy_sign_ins" {
            columns.retain(|column| *column != PARTITION);
            columns.extend(ADDED_COLUMNS);
        }
        let columns = columns.join(", ");
        (format!("SELECT {columns} FROM {query} ORDER BY {columns}"), Vec::new())
    } else {
        let report = Report::find(query).expect("a shipped report");
        let sql = fs::read_to_string(root().join(format!("queries/{query}.sql"))).expect("the shipped file");
        let parameters = parameters(case, report);
        // As it is shown to people, who paste it anywhere.
        if turned { (with_values(&sql, &parameters), Vec::new()) } else { (sql, parameters) }
    };
    let rows = queries.run(query, &sql, &parameters).await;
    csv(&rows.unwrap_or_else(|error| panic!("{}: {error}", case.display())))
}

fn all_queries() -> Vec<&'static str> {
    VIEWS.into_iter().chain(REPORTS.iter().map(|report| report.name)).collect()
}

#[tokio::test]
async fn every_case_gives_the_expected_rows_whatever_the_order_of_its_input() {
    let mut wrong = Vec::new();
    for query in all_queries() {
        for case in cases_of(query) {
            let name = format!("{query}/{}", case.file_name().unwrap_or_default().display());
            let found = answer(query, &case, false).await;
            let turned = answer(query, &case, true).await;
            assert_eq!(
                found, turned,
                "{name}: the order of the input shows, or the values that are filled in"
            );
            let path = case.join("expected.csv");
            if std::env::var_os("UPDATE_EXPECTED").is_some() {
                fs::write(&path, &found).expect("a file");
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            if expected != found {
                wrong.push(format!("{name}\nexpected:\n{expected}found:\n{found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_format_holds_every_row_of_every_report() {
    for report in REPORTS {
        let mut cases = cases_of(report.name);
        cases.sort_by_key(|case| fs::metadata(case.join("expected.csv")).expect("its rows").len());
        // The fewest rows, mostly none, and the most.
        for case in cases.iter().take(1).chain(cases.last()) {
            let name = case.display();
            let rows =
                queries(case, false).await.run(report.name, report.sql, &parameters(case, report)).await;
            let rows = rows.expect("rows");
            let count: usize = rows.iter().map(RecordBatch::num_rows).sum();
            let schema = rows[0].schema();
            let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            let written = |format| {
                let mut bytes = Vec::new();
                lightsout_report::write(&mut bytes, &rows, format)
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
                bytes
            };
            let csv = written(Format::Csv);
            let mut csv = csv::Reader::from_reader(csv.as_slice());
            assert_eq!(csv.headers().expect("a header").iter().collect::<Vec<_>>(), columns, "{name}");
            assert_eq!(csv.records().flatten().count(), count, "{name}");

            let json: Vec<serde_json::Value> = serde_json::from_slice(&written(Format::Json)).expect("JSON");
            let ndjson = String::from_utf8(written(Format::Ndjson)).expect("text");
            let lines = ndjson.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
            assert_eq!(json, lines.collect::<Vec<serde_json::Value>>(), "{name}");
            assert_eq!(json.len(), count, "{name}");
            for row in &json {
                let names: BTreeSet<&str> =
                    row.as_object().expect("a row").keys().map(String::as_str).collect();
                assert_eq!(
                    names,
                    columns.iter().copied().collect::<BTreeSet<_>>(),
                    "{name}: nulls are there"
                );
            }

            let table = String::from_utf8(written(Format::Table)).expect("text");
            // Three lines of the frame and one of names.
            assert_eq!(table.trim_end().lines().count(), count + 4, "{name}\n{table}");

            let mut file = tempfile::tempfile().expect("a file");
            std::io::Write::write_all(&mut file, &written(Format::Parquet)).expect("written");
            let parquet = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 1 << 20)
                .expect("Parquet")
                .collect::<Result<Vec<_>, _>>()
                .expect("rows");
            let whole = |batches: &[RecordBatch]| {
                arrow::compute::concat_batches(&rows[0].schema(), batches).expect("one batch")
            };
            assert_eq!(whole(&parquet), whole(&rows), "{name}");
        }
    }
}

#[tokio::test]
async fn what_verdicts_rest_on_is_what_the_sign_ins_show_of_users_that_are_not_modern() {
    let key = "tenant_id, sign_in_id, category, client_app, protocol, outcome, source_id, source_offset";
    let mut seen = BTreeSet::new();
    for query in all_queries() {
        for case in cases_of(query) {
            // Cases of several queries are of the same records.
            if !seen.insert(fs::read(case.join("records.csv")).unwrap_or_default()) {
                continue;
            }
            let queries = queries(&case, false).await;
            let rows = async |from: &str| {
                let sql = format!("SELECT {key} FROM {from} ORDER BY {key}");
                csv(&queries.run("compare", &sql, &[]).await.expect("rows"))
            };
            let legacy = rows("legacy_sign_ins").await;
            let shown = rows(
                "sign_ins WHERE NOT provably_modern AND protocol IS NOT NULL \
                 AND (category IS NULL OR category IN ('interactive', 'non_interactive'))",
            )
            .await;
            assert_eq!(legacy, shown, "{}", case.display());
        }
    }
}

/// Of the rows that `select` gives of a query's answer, the text.
async fn selected(case: &Path, query: &str, select: &str) -> String {
    let queries = queries(case, false).await;
    let report = Report::find(query).expect("a shipped report");
    let parameters = parameters(case, report);
    csv(&queries
        .run(query, &format!("{select} FROM ({}) AS found ORDER BY 1, 2", report.sql), &parameters)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", case.display())))
}

#[tokio::test]
async fn what_verdicts_rest_on_is_what_the_reports_show() {
    let usage = "SELECT tenant_id, protocol, users, sign_ins, interrupted, blocked, failures, unknown, last_seen, \
                 users_before_window, sign_ins_before_window, exchange_users, exchange_sign_ins, exchange_unknown, \
                 exchange_users_before_window, exchange_sign_ins_before_window";
    for query in ["evidence", "protocol_usage", "users_in_scope", "unclear_clients"] {
        for case in cases_of(query) {
            let name = case.display();
            let rows = selected(&case, "evidence", usage).await;
            let of_tenants =
                |line: &&str| !matches!(line.split(',').nth(1), Some("" | "legacy_agent_elsewhere"));
            // A protocol that was only used after the window is in the one alone.
            let counts = |line: &&str| line.split(',').skip(2).any(|cell| !matches!(cell, "" | "0"));
            let rows: Vec<&str> = rows.lines().filter(of_tenants).filter(counts).collect();
            let reported = selected(&case, "protocol_usage", usage).await;
            assert_eq!(rows, reported.lines().filter(counts).collect::<Vec<_>>(), "{name}");

            let users = |from: &str| format!("SELECT tenant_id, {from} AS users");
            let found = selected(&case, "evidence", &users("nullif(users_in_scope, 0)")).await;
            let found: Vec<&str> = found.lines().filter(|line| !line.ends_with(',')).collect();
            let shown = selected(&case, "users_in_scope", &users("users")).await;
            assert_eq!(found, shown.lines().collect::<Vec<_>>(), "{name}");

            let doubts = "SELECT tenant_id || ' ' || protocol AS what, nullif(doubts, 0) AS doubts";
            let found = selected(&case, "evidence", doubts).await;
            let doubts = "SELECT DISTINCT tenant_id || ' ' || protocol AS what, \
                          nullif(sum(doubts) OVER (PARTITION BY tenant_id, protocol), 0) AS doubts";
            let shown = selected(&case, "unclear_clients", doubts).await;
            let some = |text: &str| -> Vec<String> {
                let told = |line: &&str| !line.starts_with(',') && !line.ends_with(',');
                text.lines().filter(told).map(str::to_owned).collect()
            };
            assert_eq!(some(&found), some(&shown), "{name}");
        }
    }
}

#[tokio::test]
async fn what_an_outer_join_does_not_find_is_found_missing_whichever_side_is_larger() {
    // Turned round by the engine, such a join once lost the rows that it was asked for.
    let ids = |table: Table, ids: &[&str]| {
        let schema = table.table_schema();
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            match field.name().as_str() {
                "source_id" => Arc::new(arrow::array::StringArray::from(ids.to_vec())),
                _ => new_null_array(field.data_type(), ids.len()),
            }
        });
        let columns = columns.collect();
        (table, RecordBatch::try_new(schema, columns).expect("the table's columns"))
    };
    let (many, few) = (["a", "b", "c", "d"], ["a", "z"]);
    for (records, sources) in [(&few[..], &many[..]), (&many[..], &few[..])] {
        let rows = vec![ids(Table::SignInRecords, records), ids(Table::Sources, sources)];
        let queries = Queries::over_rows(rows, 64 << 20).await.expect("tables and views");
        let sql = "SELECT r.source_id FROM sources AS s RIGHT JOIN sign_in_records AS r \
                   ON r.source_id = s.source_id WHERE s.source_id IS NULL ORDER BY 1";
        let found = csv(&queries.run("missing", sql, &[]).await.expect("rows"));
        let missing = records.iter().filter(|id| !sources.contains(id));
        let expected: Vec<&str> = ["source_id"].into_iter().chain(missing.copied()).collect();
        assert_eq!(found.lines().collect::<Vec<_>>(), expected);
    }
}

/// The part of a header that one word opens.
fn part<'a>(sql: &'a str, name: &str) -> Option<&'a str> {
    let start = sql.find(&format!("-- {name}:"))? + name.len() + 4;
    let rest = &sql[start..];
    let end = rest.match_indices('\n').find(|(at, _)| !rest[at + 1..].starts_with("--  "));
    Some(&rest[..end.map_or(rest.len(), |(at, _)| at)])
}

/// Names and types as `Columns:` tells them: `users, sign_ins bigint: what they mean`.
fn documented_columns(sql: &str) -> Vec<(String, DataType)> {
    let text = part(sql, "Columns").expect("documented columns").replace("\n--", "\n");
    let mut columns = Vec::new();
    if text.contains("those of sign_in_records") {
        let fields = Table::SignInRecords.table_schema();
        let fields =
            fields.fields().iter().filter(|field| !text.contains(&format!("without {}", field.name())));
        columns.extend(fields.map(|field| (field.name().clone(), field.data_type().clone())));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    for (at, word) in words.iter().enumerate().skip(1) {
        let kind = match word.trim_end_matches([':', ';', ',', '.']) {
            "text" => DataType::Utf8,
            "text[]" => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
            "bigint" => DataType::Int64,
            "timestamp" => timestamp(),
            "date" => DataType::Date32,
            "boolean" => DataType::Boolean,
            "double" => DataType::Float64,
            _ => continue,
        };
        // The names before a type are a list with commas.
        let mut first = at - 1;
        while first > 0 && words[first - 1].ends_with(',') {
            first -= 1;
        }
        let names = words[first..at].iter().map(|name| (name.trim_end_matches(',').to_owned(), kind.clone()));
        columns.extend(names);
    }
    columns
}

/// The expressions after the last `clause` of a query.
fn listed<'a>(sql: &'a str, clause: &str) -> Vec<&'a str> {
    let Some((_, list)) = sql.rsplit_once(clause) else { return Vec::new() };
    let list = ["ORDER BY", "HAVING", "LIMIT"].iter().filter_map(|next| list.split(next).next());
    let list = list.min_by_key(|list| list.len()).unwrap_or_default();
    list.split(',').map(|item| item.trim().trim_end_matches(" DESC")).collect()
}

#[tokio::test]
async fn every_query_says_what_it_reads_and_gives_and_has_cases_and_a_total_order() {
    for query in all_queries() {
        let view = VIEWS.contains(&query);
        let path = format!("queries/{}{query}.sql", if view { "views/" } else { "" });
        let sql = fs::read_to_string(root().join(&path)).expect("the shipped file");
        assert!(sql.starts_with("-- "), "{path} opens with its purpose");
        for name in ["Reads", "Params", "Grain", "Columns", "Order", "Blind spots"] {
            let told = part(&sql, name).unwrap_or_default().trim();
            assert!(!told.is_empty(), "{path}: {name} is missing");
        }
        let cases = cases_of(query);
        assert!(!cases.is_empty(), "{path} has no case");
        let queries = queries(&cases[0], false).await;
        let (body, parameters) = if view {
            (format!("SELECT * FROM {query}"), Vec::new())
        } else {
            let report = Report::find(query).expect("a report");
            for name in report.parameters() {
                let told = part(&sql, "Params").unwrap_or_default();
                assert!(told.contains(&format!("${name} ")), "{path}: ${name} is not documented");
            }
            (sql.clone(), parameters(&cases[0], report))
        };
        let rows = queries.run(query, &body, &parameters).await.expect("rows");
        let found: Vec<(String, DataType)> =
            rows[0].schema().fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect();
        assert_eq!(documented_columns(&sql), found, "{path}");
        if !view {
            // The last SELECT that is not inside of another.
            let (_, last) = sql.rsplit_once("\nSELECT").expect("a query");
            let order = listed(last, "ORDER BY");
            for key in listed(last, "GROUP BY") {
                assert!(order.contains(&key), "{path}: its order leaves {key} open");
            }
        }
    }
}
