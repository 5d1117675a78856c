use std::io::{Cursor, Read as _};
use std::sync::Arc;

use arrow::array::{
    BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, StringViewArray,
    TimestampMicrosecondArray,
};

use super::*;
use lightsout_output::table::{batch, lists};

fn written(batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let mut workbook = Workbook::new(Vec::new(), &batches[0].schema())?;
    batches.iter().try_for_each(|batch| workbook.write(batch))?;
    workbook.finish()
}

/// The part of a workbook, unpacked by what the zip crate reads, not by what it remembers.
fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a ZIP file");
    let mut text = String::new();
    archive.by_name(name).expect("the part").read_to_string(&mut text).expect("text");
    text
}

fn texts(values: &[&str]) -> RecordBatch {
    batch(vec![("text", Arc::new(StringArray::from_iter_values(values)) as ArrayRef)]).expect("a batch")
}

#[test]
fn every_type_is_a_cell_of_its_own_kind() {
    let time = 1_790_000_000_250_000; // 2026-09-21T14:13:20.25
    let row = batch(vec![
        ("text", Arc::new(StringViewArray::from_iter_values(["=1+1", "https://x.example"])) as ArrayRef),
        ("number", Arc::new(Int64Array::from(vec![Some(-7), None]))),
        ("id", Arc::new(Int64Array::from(vec![999_999_999_999_999, 1_000_000_000_000_001]))),
        ("share", Arc::new(Float64Array::from(vec![0.25, f64::NAN]))),
        ("on", Arc::new(BooleanArray::from(vec![true, false]))),
        ("day", Arc::new(Date32Array::from(vec![20_000, -30_000]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![time, 0]).with_timezone("UTC"))),
        ("list", lists([vec!["-x", "y"], vec![]].into_iter())),
    ]);
    let sheet = part(&written(&[row.expect("a batch")]).expect("a workbook"), "xl/worksheets/sheet1.xml");
    for cell in [
        // Text stays text, also once somebody has edited the cell.
        r#"<c r="A2" s="1" t="inlineStr"><is><t xml:space="preserve">=1+1</t></is></c>"#,
        r#"<c r="A3" s="1" t="inlineStr"><is><t xml:space="preserve">https://x.example</t></is></c>"#,
        r#"<c r="B2"><v>-7</v></c>"#,
        r#"<c r="C2"><v>999999999999999</v></c>"#,
        r#"<c r="C3" s="1" t="inlineStr"><is><t xml:space="preserve">1000000000000001</t></is></c>"#,
        r#"<c r="D2"><v>0.25</v></c>"#,
        r#"<c r="D3" s="1" t="inlineStr"><is><t xml:space="preserve">NaN</t></is></c>"#,
        r#"<c r="E2" t="b"><v>1</v></c>"#,
        r#"<c r="F2" s="3"><v>45569</v></c>"#,
        r#"<c r="F3" s="1" t="inlineStr"><is><t xml:space="preserve">1887-11-12</t></is></c>"#,
        r#"<c r="G3" s="4"><v>25569</v></c>"#,
        r#"<c r="H2" s="1" t="inlineStr"><is><t xml:space="preserve">-x;y</t></is></c>"#,
        r#"<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>"#,
        r#"</row></sheetData><autoFilter ref="A1:H3"/></worksheet>"#,
    ] {
        assert!(sheet.contains(cell), "{cell}\n{sheet}");
    }
    assert!(!sheet.contains("\"B3\"") && !sheet.contains("<f>"), "{sheet}");
    let at = sheet.split(r#"<c r="G2" s="4"><v>"#).nth(1).and_then(|rest| rest.split('<').next());
    let at: f64 = at.expect("a time").parse().expect("a number");
    let micros = (at - 25_569.0) * 86_400e6;
    assert!((micros - 1_790_000_000_250_000.0).abs() < 2.0, "{micros}");
}

#[test]
fn characters_that_xml_cannot_hold_come_back_as_they_were() {
    let bytes = written(&[texts(&["a<b>&\"c", "bell\u{7}", "_x0007_ is text", "_x_", "\u{ffff}é\n日本"])]);
    let sheet = part(&bytes.expect("a workbook"), "xl/worksheets/sheet1.xml");
    for text in ["a&lt;b&gt;&amp;\"c", "bell_x0007_", "_x005F_x0007_ is text", ">_x_<", "_xFFFF_é\n日本"] {
        assert!(sheet.contains(text), "{text} in {sheet}");
    }
}

#[test]
fn no_row_at_all_still_has_its_header() {
    let bytes = written(&[texts(&[])]).expect("a workbook");
    let sheet = part(&bytes, "xl/worksheets/sheet1.xml");
    assert!(
        sheet.contains(r#"<row r="1"><c r="A1" s="2" t="inlineStr"><is><t xml:space="preserve">text</t>"#)
    );
    assert!(sheet.ends_with(r#"</row></sheetData><autoFilter ref="A1:A1"/></worksheet>"#), "{sheet}");
    assert!(part(&bytes, "xl/workbook.xml").contains("lightsout!$A$1:$A$1<"));
}

#[test]
fn more_than_excel_holds_is_refused_and_not_cut() {
    let long = "é".repeat(CHARACTERS_MAX);
    assert!(written(&[texts(&[&long])]).is_ok());
    // Two units of UTF-16 each.
    let long = "🙂".repeat(16_384);
    let error = written(&[texts(&["", &long])]).expect_err("a cell that is too long").to_string();
    assert!(error.contains("32,767 characters in a cell; row 2 has 32768 in its column text"), "{error}");

    let row = texts(&["x"]);
    let mut workbook = Workbook::new(Vec::new(), &row.schema()).expect("a workbook");
    workbook.write(&row).expect("written");
    workbook.rows = ROWS_MAX - 1;
    workbook.write(&row).expect("the last row");
    let error = workbook.write(&row).expect_err("a row too many").to_string();
    assert!(error.contains("at most 1,048,575 rows below its header"), "{error}");
}

#[test]
fn columns_are_named_as_excel_names_them() {
    let names = [0, 25, 26, 51, 52, 701, 702, 16_383].map(letters);
    assert_eq!(names, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA", "XFD"]);
}
