//! Rows cut and split; and the fast way to do it against the one that goes byte by byte, over tables whose
//! text is drawn: quotes anywhere, any line end, cells that hold JSON, cut anywhere.
//! `LIGHTSOUT_FUZZ_CASES` sets the number of cases for long runs.

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::*;
use crate::shapes::RecordReader;
use lightsout_model::time::DateOrder;

fn rows_of(text: &str) -> (Vec<Vec<String>>, usize) {
    let found = scan(text.as_bytes(), b',', true);
    let rows = found.records.iter().map(|range| {
        let cells = cells(&text[range.clone()], b',').expect("a whole row");
        cells.into_iter().map(Cow::into_owned).collect()
    });
    (rows.collect(), found.broken.len())
}

#[test]
fn quoted_cells_may_hold_anything() {
    let (rows, broken) = rows_of("a,\"b\r\n\"\"c\"\", d\",\r\n\r\n1,2,3");
    assert_eq!(rows, [vec!["a", "b\r\n\"c\", d", ""], vec!["1", "2", "3"]]);
    assert_eq!(broken, 0);
}

#[test]
fn a_cut_row_costs_itself_alone() {
    let (rows, broken) = rows_of("1,\"cut he\n2,\"b\",3\n4,\"e\",5\n");
    assert_eq!((rows.len(), broken), (2, 1), "{rows:?}");
    let (rows, broken) = rows_of("1,2\n3,\"cut he");
    assert_eq!((rows.len(), broken), (1, 1));
}

#[test]
fn rows_are_the_same_however_the_stream_is_cut() {
    let text = "a,\"b\n\"\"c\"\"\",d\r\n\"x\",\"y\",\"z\"\n";
    for step in 1..text.len() {
        let (mut start, mut end, mut records) = (0, 0, Vec::new());
        while start < text.len() {
            end = (end + step).min(text.len());
            let found = scan(&text.as_bytes()[start..end], b',', end == text.len());
            records.extend(found.records.iter().map(|range| text[start..][range.clone()].to_owned()));
            assert!(found.broken.is_empty());
            start += found.consumed;
        }
        assert_eq!(records, ["a,\"b\n\"\"c\"\"\",d", "\"x\",\"y\",\"z\""], "in steps of {step}");
    }
}

fn config() -> Config {
    let cases = std::env::var("LIGHTSOUT_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    Config { cases: cases.unwrap_or(400), failure_persistence: None, ..Config::default() }
}

/// A cell as exporters write it, and as they should not; `|` is any delimiter.
fn cell() -> impl Strategy<Value = String> {
    let cells = [
        "",
        " ",
        "x",
        "9/21/2026, 11:59:54 PM",
        "\"9/21/2026, 11:59:54 PM\"",
        "\"25/9/2026 11:59\"",
        "2026-10-05T08:15:30.1234567Z",
        "SignInLogs",
        "AuditLogs",
        "AADNonInteractiveUserSignInLogs",
        "50126",
        "\"\"",
        "\"  \"",
        "\"\"\"\"",
        "\"a|b\"",
        "\"a\r\nb\"",
        "\"Jördis \"\"J\"\" | Köln\" ",
        "\"Jördis \"\"J\"\" | Köln\"",
        "\"{\"\"errorCode\"\":50126,\"\"failureReason\"\":\"\"Wrong \\\"\"x\\\"\" \\u00e4.\"\"}\"",
        "\"{\"\"errorCode\"\":\"\"0\"\",\"\"failureReason\"\":null}\"",
        "\" {\"\"city\"\":\"\"Ghent\"\",\"\"countryOrRegion\"\":\"\"BE\"\",\"\"geo\"\":{\"\"a\"\":[1.5e3,true]}} \"",
        "\"[{\"\"authenticationMethod\"\":\"\"X.509 Certificate\"\"},{\"\"a\"\":\"\"\\\\\"\"}]\"",
        "\"[{\"\"authenticationMethod\"\":\"\"\\u0063ertificate\"\"}]\"",
        "\"[{\"\"authenticationMethod\"\":\"\"Password\"\"\"",
        "\"[\"\"interactiveUser\"\"]\"",
        "{}",
        "[]",
        "Ghent, BE",
        "a\"b",
        "\"a\"b",
        "\"a",
        "a\"",
        "\"a\"\r",
        "\"a\"\r\n",
        "\u{feff}\"a\"",
        "an unquoted cell that is longer than the sixty-four bytes that are looked at together, whatever they hold",
        "\"a quoted cell, longer than sixty-four bytes, with \"\"quotes\"\" in it\nand a second line that is as long\"",
    ];
    prop_oneof![
        8 => prop::sample::select(cells.to_vec()).prop_map(str::to_owned),
        1 => "[a\"\r\n|é\\\\{}:, ]{0,12}",
        1 => (0..130_usize).prop_map(|len| "y".repeat(len)),
    ]
}

const HEADER: [&str; 12] = [
    "TimeGenerated [UTC]",
    "CreatedDateTime [UTC]",
    "AADTenantId",
    "Category",
    "ResultType",
    "Status",
    "LocationDetails",
    "AuthenticationDetails",
    "UserPrincipalName",
    "Id",
    "SignInEventTypes",
    "Status_string",
];

fn row() -> impl Strategy<Value = String> {
    let time = prop::sample::select(vec![
        "\"9/21/2026, 11:59:54 PM\"",
        "2026-10-05T08:15:30Z",
        "\"25/9/2026 11:59\"",
    ]);
    let whole = (time, prop::collection::vec(cell(), HEADER.len() - 1))
        .prop_map(|(time, cells)| format!("{time}|{}", cells.join("|")));
    let plain = Just("2026-10-05T08:15:30Z|\"9/21/2026, 11:59:54 PM\"|t|SignInLogs|0|{}|||u|i||".to_owned());
    prop_oneof![
        4 => whole,
        2 => plain,
        2 => prop::collection::vec(cell(), 0..16).prop_map(|cells| cells.join("|")),
        1 => Just(HEADER.join("|")),
        1 => prop::sample::select(vec!["", " ", "\r", "\r\r", "\t", "\r\"a\""]).prop_map(str::to_owned),
    ]
}

fn table() -> impl Strategy<Value = (u8, String)> {
    let rows =
        prop::collection::vec((row(), prop::sample::select(vec!["\n", "\n", "\r\n", "\r", "\n\n"])), 0..12);
    (prop::sample::select(DELIMITERS.to_vec()), rows).prop_map(|(delimiter, rows)| {
        let text: String = rows.into_iter().flat_map(|(row, end)| [row, end.to_owned()]).collect();
        (delimiter, text.replace('|', &char::from(delimiter).to_string()))
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rows_found_together_are_the_rows_found_byte_by_byte(
        (delimiter, text) in table(),
        cut in any::<prop::sample::Index>(),
        last in any::<bool>(),
        order in prop::sample::select(vec![DateOrder::MonthFirst, DateOrder::DayFirst, DateOrder::Unsettled]),
    ) {
        let header = HEADER.join(&char::from(delimiter).to_string());
        let mut reader = RecordReader::csv(&header).expect("a header that is known");
        reader.dates = order;
        let cut = (0..=cut.index(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        for chunk in [&text[..cut], text.as_str()] {
            let expected = scan(chunk.as_bytes(), delimiter, last);
            for finder in [Finder::new(), Finder::portable()] {
                let found = finder.scan(chunk.as_bytes(), delimiter, last);
                prop_assert_eq!(&found.records, &expected.records);
                prop_assert_eq!(&found.broken, &expected.broken);
                prop_assert_eq!(found.consumed, expected.consumed);
                for (at, range) in found.records.iter().enumerate() {
                    let ends = found.cells.of(at);
                    let record = &chunk[range.clone()];
                    if let Some(row) = Row::new(chunk, range.start, ends) {
                        let split = (0..row.len()).map(|at| row.cell(at).text().into_owned());
                        let known = cells(record, delimiter).map(|cells| {
                            cells.into_iter().map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
                        });
                        prop_assert_eq!(Some(split.collect::<Vec<_>>()), known, "{}", record);
                    }
                    prop_assert_eq!(reader.parse_row(chunk, range.clone(), ends), reader.parse(record), "{}", record);
                    let (mut times, mut times_known) = (Vec::new(), Vec::new());
                    reader.times_of_row(chunk, range.clone(), ends, |time| times.push(time.to_owned()));
                    reader.times(record, |time| times_known.push(time.to_owned()));
                    prop_assert_eq!(times, times_known, "{}", record);
                }
            }
        }
    }
}

/// The property would hold of a fast way that is never taken.
#[test]
fn rows_that_are_as_they_should_be_are_found_together() {
    let row = "1,\"2\n\"\"3\"\"\",,\"\"\r\n";
    for finder in [Finder::new(), Finder::portable()] {
        let found = finder.scan(row.repeat(50).as_bytes(), b',', true);
        let known = (0..50).filter(|at| found.cells.of(*at).len() == 4).count();
        assert_eq!((found.records.len(), known), (50, 50));
    }
}

#[test]
fn a_row_that_is_too_long_costs_itself_alone() {
    let text = format!("1,2\n\"{}\"\n3,4\n", "y".repeat(RECORD_BYTES_MAX));
    let expected = scan(text.as_bytes(), b',', true);
    let found = Finder::new().scan(text.as_bytes(), b',', true);
    assert_eq!((expected.records.len(), expected.broken.len()), (2, 1));
    assert_eq!((found.records, found.broken), (expected.records, expected.broken));
    assert_eq!((found.cells.of(0).len(), found.cells.of(1).len()), (2, 2));
}
