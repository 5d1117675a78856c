use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampMicrosecondArray};

use super::*;
use lightsout_output::table::batch;

const MILL: &str = "11111111-1111-4111-8111-111111111111";
const MILL_TOO: &str = "11111111-1111-4111-8222-222222222222";
const TIDE: &str = "2b2b2b2b-2222-4222-8222-222222222222";

fn texts_of(values: &[&str]) -> ArrayRef {
    Arc::new(values.iter().map(|text| (!text.is_empty()).then_some(*text)).collect::<StringArray>())
}

fn names() -> TenantNames {
    [(MILL, "Old Mill"), (TIDE, "Tidewater Legal")].map(|(id, name)| (id.to_owned(), name.to_owned())).into()
}

fn usage() -> RecordBatch {
    let times = [1_790_000_000_250_000, 1_790_000_100_000_000];
    batch(vec![
        ("tenant_id", texts_of(&[MILL, TIDE])),
        ("user_principal_name", texts_of(&["ada@oldmill.example.com", "grace@tidewater.example.com"])),
        ("sign_ins", Arc::new(Int64Array::from(vec![12, 3])) as ArrayRef),
        ("last_seen", Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
        ("country", texts_of(&["", ""])),
        ("protocol", texts_of(&["imap4", "imap4"])),
    ])
    .expect("columns of one length")
}

fn fitted(rows: &RecordBatch, width: usize) -> Option<String> {
    as_fitted(fitted_rows(std::slice::from_ref(rows), width, &names(), true).expect("text"), width)
}

fn as_fitted(text: Option<String>, width: usize) -> Option<String> {
    let text = text?;
    for line in text.lines().filter(|line| line.starts_with(['+', '|'])) {
        assert!(line.width() <= width, "{width}: {line}");
    }
    Some(text)
}

#[test]
fn each_step_makes_a_table_smaller_and_says_what_it_left_out() {
    let widest = fitted_rows(&[usage()], 200, &names(), false).expect("text").expect("a table");
    assert!(widest.contains(MILL) && widest.contains("| 2026-09-21 14:13:20 |"), "{widest}");

    let named = fitted(&usage(), 200).expect("a table");
    assert!(named.contains("| Old Mill ") && !named.contains(MILL), "{named}");

    let narrow = fitted(&usage(), 84).expect("a table");
    assert!(narrow.contains("in all rows: protocol imap4\nempty in all rows: country\n"), "{narrow}");
    assert!(narrow.contains("ada@oldmill.example.com") && !narrow.contains('…'), "{narrow}");

    let cut = fitted(&usage(), 80).expect("a table");
    assert!(cut.contains("…") && cut.contains("are cut"), "{cut}");
    // Numbers and times are never cut so.
    assert!(cut.contains("| 12 ") && cut.contains("2026-09-21 14:15:00"), "{cut}");
    // Of a query every column is wanted.
    let asked = |width| as_fitted(fitted_rows(&[usage()], width, &names(), false).expect("text"), width);
    assert!(asked(70).is_some_and(|text| text.contains("last_seen") || text.contains("| last_")));
    assert_eq!(asked(40), None);
}

#[test]
fn a_report_leaves_out_what_matters_least_and_names_it() {
    let number = |n: i64| Arc::new(Int64Array::from(vec![n, n + 1])) as ArrayRef;
    let time = || {
        let times = TimestampMicrosecondArray::from(vec![1_790_000_000_000_000, 1_790_000_100_000_000]);
        Arc::new(times.with_timezone("UTC")) as ArrayRef
    };
    let rows = batch(vec![
        ("tenant_id", texts_of(&[MILL, TIDE])),
        ("protocol", texts_of(&["imap4", "pop3"])),
        ("sign_ins", number(12)),
        ("first_seen", time()),
        ("last_seen", time()),
        ("interrupted", number(5)),
        ("unknown", number(7)),
    ]);
    let text = fitted(&rows.expect("a batch"), 75).expect("a table");
    assert!(text.contains("columns not shown: first_seen, unknown; use -x"), "{text}");
    assert!(text.contains("| Old Mill ") && text.contains("| 2026-09-21 14:13 |"), "{text}");
    assert!(text.contains("interrupted") && !text.contains("unknown |"), "{text}");
}

#[test]
fn a_short_id_stands_for_one_tenant_alone() {
    let rows =
        batch(vec![("tenant_id", texts_of(&[MILL, MILL_TOO, TIDE, "00000000-0000-0000-0000-00000000000a"]))]);
    let rows = rows.expect("a batch");
    let text = fitted_rows(&[rows], 30, &names(), false).expect("text").expect("a table");
    // Of one tenant without a name the id, as long as no other begins so.
    assert!(text.contains("| 11111111-1111-4111-82… "), "{text}");
    assert!(text.contains("| 00000000… ") && text.contains("| Old Mill "), "{text}");

    let twins: TenantNames =
        [(MILL, "Old Mill"), (TIDE, "Old Mill")].map(|(id, name)| (id.to_owned(), name.to_owned())).into();
    let rows = batch(vec![("tenant_id", texts_of(&[MILL, TIDE]))]).expect("a batch");
    let text = fitted_rows(&[rows], 30, &twins, true).expect("text").expect("a table");
    assert!(text.contains("| Old Mill (11111111…) |\n| Old Mill (2b2b2b2b…) |"), "{text}");
}

#[test]
fn wide_characters_take_two_columns_and_hostile_ones_none() {
    let rows = batch(vec![
        ("name", texts_of(&["山田太郎", "Zoë 🙂", "a\u{1b}[31m\u{202e}b\nc", "plain"])),
        ("n", Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef),
    ]);
    let text = fitted(&rows.expect("a batch"), 80).expect("a table");
    let widths: BTreeSet<usize> = text.lines().map(unicode_width::UnicodeWidthStr::width).collect();
    assert_eq!(widths.len(), 1, "{text}");
    assert!(text.contains("| 山田太郎 | 1 |") && text.contains("| a[31mb c "), "{text}");
    assert_eq!(cut("山田太郎です", 8), "山田太…");
    assert_eq!(cut("山田太郎", 8), "山田太郎");
}

#[test]
fn no_row_at_all_still_has_its_header() {
    let text = fitted(&usage().slice(0, 0), 80).expect("a table");
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.contains("| user_principal_name |"), "{text}");
}

#[test]
fn names_of_columns_break_at_their_underscores() {
    assert_eq!(lines_of("user_principal_name"), ["user_", "principal_", "name"]);
    assert_eq!(lines_of("is_on"), ["is_on"]);
    assert_eq!(lines_of("ip_addresses"), ["ip_", "addresses"]);
}
