//! What must not matter: the order of columns, rows and members, line ends, delimiter, quotes, byte
//! order mark, encoding and framing. The same records, written in ways drawn at random, give the same
//! rows, ids of records without an id included.

use crate::program::{COLUMNS, Place};
use crate::shapes::{SHAPES, TENANT, sign_ins};
use lightsout_formats::encoding::Encoding;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;

const CASES: u32 = 6;
const VARIANTS: usize = 8;

/// A way to write a file.
#[derive(Debug, Clone)]
struct Manner {
    delimiter: u8,
    line_end: &'static str,
    quoted: bool,
    encoding: Encoding,
    mark: bool,
    /// Sort keys: they put columns, rows and members into an order.
    columns: Vec<u32>,
    rows: Vec<u32>,
    framing: usize,
}

fn manner() -> impl Strategy<Value = Manner> {
    let keys = || prop::collection::vec(any::<u32>(), 64);
    (
        prop::sample::select(vec![b',', b';', b'\t', b'|']),
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        any::<bool>(),
        prop::sample::select(Encoding::ALL.to_vec()),
        any::<bool>(),
        keys(),
        keys(),
        0..4usize,
    )
        .prop_map(|(delimiter, line_end, quoted, encoding, mark, columns, rows, framing)| Manner {
            delimiter,
            line_end,
            quoted,
            encoding,
            mark,
            columns,
            rows,
            framing,
        })
}

impl Manner {
    /// Bytes as stored, from text with bare line ends.
    fn store(&self, text: &str) -> Vec<u8> {
        let text = text.replace("\r\n", "\n").replace('\n', self.line_end);
        // A code page has none.
        let mark = if self.mark && self.encoding != Encoding::Windows1252 { "\u{feff}" } else { "" };
        self.encoding.encode(format!("{mark}{text}").as_bytes())
    }
}

fn ordered<T: Clone>(items: &[T], keys: &[u32]) -> Vec<T> {
    let mut places: Vec<usize> = (0..items.len()).collect();
    places.sort_by_key(|place| keys[place % keys.len()]);
    places.into_iter().map(|place| items[place].clone()).collect()
}

/// A table in some manner; `without`: columns that are left out.
fn table(text: &str, without: &[&str], manner: &Manner) -> Vec<u8> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let rows: Vec<Vec<String>> =
        reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect();
    let kept: Vec<usize> =
        (0..rows[0].len()).filter(|at| !without.contains(&rows[0][*at].as_str())).collect();
    let columns = ordered(&kept, &manner.columns);
    // The first row twice: equal rows without an id are told apart by their number.
    let body: Vec<Vec<String>> = rows[1..].iter().chain([&rows[1]]).cloned().collect();
    let quotes = if manner.quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
    let mut writer =
        csv::WriterBuilder::new().delimiter(manner.delimiter).quote_style(quotes).from_writer(Vec::new());
    for row in [&rows[0]].into_iter().chain(&ordered(&body, &manner.rows)) {
        writer.write_record(columns.iter().map(|at| &row[*at])).expect("memory");
    }
    manner.store(&String::from_utf8(writer.into_inner().expect("memory")).expect("text"))
}

/// JSON text with its members in another order, those inside of members too.
fn json(value: &Value, keys: &[u32], pretty: bool) -> String {
    let (blank, line) = if pretty { (" ", "\n  ") } else { ("", "") };
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| {
                    format!("{line}{}:{blank}{}", Value::from(key.as_str()), json(value, keys, pretty))
                })
                .collect();
            format!("{{{}{line}}}", ordered(&members, keys).join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| json(item, keys, pretty)).collect();
            format!("[{}]", items.join(&format!(",{blank}")))
        }
        scalar => scalar.to_string(),
    }
}

/// Records in some manner.
fn records(records: &[Value], manner: &Manner) -> Vec<u8> {
    let pretty = manner.quoted;
    let records = ordered(records, &manner.rows);
    let texts: Vec<String> = records.iter().map(|record| json(record, &manner.columns, pretty)).collect();
    manner.store(&match manner.framing {
        0 | 1 => texts.join("\n"),
        2 => format!("[{}]\n", texts.join(",\n")),
        _ => format!("{{\"records\":[{}]}}", texts.join(",")),
    })
}

/// Ingests every file and compares their rows.
fn same_rows(files: &[(String, Vec<u8>)]) -> Result<(), TestCaseError> {
    let place = Place::new();
    for (name, bytes) in files {
        place.write(name, bytes);
    }
    let mut arguments: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    arguments.extend(["--tenant", TENANT]);
    let report = place.ingest("lake", &arguments);
    prop_assert_eq!(&report["rejected"], 0, "{:#}", report);
    prop_assert_eq!(&report["files_refused"], 0, "{:#}", report);
    let query = format!(
        "SELECT s.path, {COLUMNS} FROM sign_in_records r JOIN sources s ON s.source_id = r.source_id"
    );
    let rows = place.sql("lake", &query);
    let of = |name: &str| {
        let mut rows: Vec<String> = rows
            .iter()
            .filter(|row| row["path"] == name)
            .map(|row| {
                let mut row = row.clone();
                row["path"] = Value::Null;
                row.to_string()
            })
            .collect();
        rows.sort();
        rows
    };
    let expected = of(&files[0].0);
    prop_assert!(!expected.is_empty());
    let mut seen_before = 0;
    for (name, _) in &files[1..] {
        let found = of(name);
        if found.is_empty() {
            // The same bytes twice.
            seen_before += 1;
        } else {
            prop_assert_eq!(&expected, &found, "{}", name);
        }
    }
    prop_assert_eq!(&report["files_seen_before"], seen_before);
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: CASES, failure_persistence: None, max_shrink_iters: 60, ..Config::default() })]

    #[test]
    fn how_a_table_is_written_changes_no_row(
        shape in 0..4usize,
        with_id in any::<bool>(),
        manners in prop::collection::vec(manner(), VARIANTS),
    ) {
        let file = ["log-analytics.csv", "NonInteractiveSignIns_2026-10-15.csv", "powershell.csv", "audit.csv"][shape];
        let shape = SHAPES.iter().find(|shape| shape.file == file).expect("a shape");
        let carried: Vec<_> = sign_ins().into_iter().filter(|sign_in| (shape.carries)(sign_in)).collect();
        let text = (shape.write)(&carried);
        let without: &[&str] = if with_id { &[] } else { &["Id", "Request ID"] };
        let files: Vec<_> = manners
            .iter()
            .enumerate()
            .map(|(at, manner)| (format!("{at}/{file}"), table(&text, without, manner)))
            .collect();
        same_rows(&files)?;
    }

    #[test]
    fn how_json_is_written_changes_no_row(
        shape in prop::sample::select(vec!["diagnostic.json", "lower-case.json", "audit.json"]),
        with_id in any::<bool>(),
        manners in prop::collection::vec(manner(), VARIANTS),
    ) {
        let shape = SHAPES.iter().find(|known| known.file == shape).expect("a shape");
        let text = (shape.write)(&sign_ins());
        let mut list: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let mut manners = manners;
        if !with_id {
            for record in &mut list {
                for object in [record.as_object_mut().expect("an object").get_mut("properties")].into_iter().flatten() {
                    object.as_object_mut().expect("an object").remove("id");
                }
                let record = record.as_object_mut().expect("an object");
                record.remove("Id");
                record.remove("IntraSystemId");
            }
            // Such a record is known by its text, and so by the order of its members.
            let order = manners[0].columns.clone();
            for manner in &mut manners {
                manner.columns.clone_from(&order);
            }
        }
        list.push(list[0].clone());
        let files: Vec<_> = manners
            .iter()
            .enumerate()
            .map(|(at, manner)| (format!("{at}-{}", shape.file), records(&list, manner)))
            .collect();
        same_rows(&files)?;
    }
}
