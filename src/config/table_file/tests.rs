use arrow::array::AsArray as _;
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;

use super::*;

const LIMIT: u64 = 1 << 20;

fn read_as(name: &str, bytes: &[u8]) -> Result<RecordBatch> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    let mut batches = read(&path, LIMIT)?;
    assert_eq!(batches.len(), 1);
    Ok(batches.remove(0))
}

fn csv(text: &str) -> RecordBatch {
    read_as("vips.csv", text.as_bytes()).expect("a table")
}

fn refused(name: &str, bytes: &[u8]) -> String {
    read_as(name, bytes).expect_err(name).to_string()
}

fn kinds(batch: &RecordBatch) -> Vec<(String, DataType)> {
    batch.schema().fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
}

fn row(batch: &RecordBatch, row: usize) -> Vec<String> {
    batch.columns().iter().map(|column| array_value_to_string(column, row).expect("text")).collect()
}

#[test]
fn ids_keep_their_zeros_and_other_columns_are_what_they_are_written_as() {
    let batch =
        csv("id,seats,share,since,seen,vip,note\n00123,7,0.5,2026-01-31,2026-01-31T08:00:00Z,true,x\n\
         45,-12,3,2026-02-01,2026-02-01 09:30:00,FALSE,1\n,,,,,,\n");
    let found: Vec<DataType> = kinds(&batch).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(found[..4], [DataType::Utf8, DataType::Int64, DataType::Float64, DataType::Date32]);
    assert!(matches!(&found[4], DataType::Timestamp(_, Some(zone)) if &**zone == "UTC"), "{found:?}");
    assert_eq!(found[5..], [DataType::Boolean, DataType::Utf8]);
    assert_eq!(row(&batch, 0)[..4], ["00123", "7", "0.5", "2026-01-31"]);
    assert_eq!(row(&batch, 1)[0], "45");
    assert_eq!(batch.column(0).null_count(), 1);
}

#[test]
fn a_column_is_text_where_a_number_would_be_written_otherwise() {
    for cell in
        ["+49", "007", "1e5", "12345678901234567890", "1,5", "0x10", "-0", "1.", "9.123456789012345678"]
    {
        let batch = csv(&format!("a;b\n{cell};1\n"));
        assert_eq!(kinds(&batch)[0].1, DataType::Utf8, "{cell}");
        assert_eq!(row(&batch, 0)[0], cell);
    }
}

#[test]
fn files_as_excel_saves_them_have_their_columns() {
    let utf16: Vec<u8> =
        "\u{feff}user\tseats\r\nAda\t7\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (what, bytes) in [
        ("semicolons", "user;seats\r\nAda;7\r\n".as_bytes()),
        ("a mark", "\u{feff}user,seats\nAda,7".as_bytes()),
        ("a line for Excel", b"sep=;\r\nuser;seats\r\nAda;7\r\n"),
        ("a comma in quotes", b"\"user\";\"seats\"\n\"Ada\";7\n"),
        ("UTF-16 and tabs", &utf16),
    ] {
        let batch = read_as("vips.csv", bytes).expect(what);
        assert_eq!(
            kinds(&batch),
            [("user".to_owned(), DataType::Utf8), ("seats".to_owned(), DataType::Int64)],
            "{what}"
        );
        assert_eq!(row(&batch, 0), ["Ada", "7"], "{what}");
    }
    let batch = csv("\"last, first\";seats\n\"Lovelace, Ada\";7\n");
    assert_eq!(row(&batch, 0), ["Lovelace, Ada", "7"]);
}

#[test]
fn what_could_be_read_wrongly_is_refused() {
    assert!(refused("a.csv", b"a,b;c\n1,2;3\n").contains("',' and ';' equally often"));
    assert!(refused("a.csv", b"a,b\n1\n").contains("1 fields"), "{}", refused("a.csv", b"a,b\n1\n"));
    assert!(refused("a.csv", b"a,b\n1,\"2\n3,4\n").contains("line 2: expected one line of text"));
    assert!(refused("a.csv", b"a,a\n1,2\n").contains("columns 1 and 2 are both named a"));
    assert!(refused("a.csv", b"a,,c\n1,2,3\n").contains("column 2 has no name"));
    assert!(refused("a.csv", b"").contains("it has no columns"));
    assert!(refused("a.csv", b"a,b\nM\xfcller,1\n").contains("line 2: expected text in UTF-8 or UTF-16"));
    // UTF-16 without its mark.
    assert!(refused("a.csv", b"a\0,\0b\0\n\0").contains("line 1: expected text in UTF-8"));
    assert!(refused("a.xlsx", b"PK").contains("ends with .csv, .tsv, .parquet, .ndjson or .jsonl"));
    assert!(refused("a.parquet", b"no such file at all").contains("a.parquet: "));
    assert!(refused("a.ndjson", b"[1, 2]\n").contains("expected a JSON object on each line"));
    let large = format!("a\n{}\n", "x".repeat(2 << 20));
    assert!(
        refused("a.csv", large.as_bytes())
            .contains("expected at most 1 MiB, half of --memory-limit, found 2 MiB")
    );
    let missing = read(Path::new("no-such.csv"), LIMIT).expect_err("no file").to_string();
    assert!(missing.starts_with("no-such.csv: "), "{missing}");
}

#[test]
fn lines_of_json_and_parquet_keep_their_own_types() {
    let batch =
        read_as("a.ndjson", b"{\"id\":\"00123\",\"n\":1,\"x\":1}\n{\"id\":\"4\",\"n\":2,\"x\":\"y\"}\n")
            .expect("rows");
    assert_eq!(batch.column_by_name("id").expect("a column").as_string::<i32>().value(0), "00123");
    assert_eq!(batch.column_by_name("n").expect("a column").data_type(), &DataType::Int64);
    assert_eq!(batch.column_by_name("x").expect("a column").data_type(), &DataType::Utf8);

    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a file");
    assert_eq!(read_as("a.parquet", &bytes).expect("rows"), batch);
}
