use super::*;
use crate::encoding::Encoding;
use crate::frame::Framer;
use crate::recognise::Recognised;
use crate::shapes::envelope::answer_state;
use crate::text::Text;

const RECORD: &str = r#"{"time":"2026-10-05T08:20:00Z","category":"SignInLogs","operationName":"Sign-in activity","properties":{"id":"1"}}"#;

/// Whether a file says that it is incomplete, however it is cut while it is read; and how many records it has.
fn read(file: &str) -> (bool, usize) {
    let all = [1, 7, 64, 1 << 20].map(|step| {
        let reader = std::io::Cursor::new(file.as_bytes().to_vec());
        let text = Text::new(reader, false, Encoding::Utf8, 0);
        let (mut framer, recognised) = Framer::in_steps(text, step, step).expect("memory");
        let Recognised::Records(head) = recognised else { panic!("records in {file}") };
        let (mut says, mut records) = (false, 0);
        while let Some(chunk) = framer.next_chunk().expect("memory") {
            assert!(chunk.broken.is_empty(), "{:?} of {file}", chunk.broken);
            for range in chunk.records() {
                let record = std::str::from_utf8(&chunk.bytes[range]).expect("text");
                let inside = head.reader.unwrap_record(record);
                records += inside.as_ref().map_or(1, Vec::len);
                says |= inside.is_some() && answer_state(record) == Some(AnswerState::Incomplete);
            }
        }
        assert!(!framer.is_cut(), "{file}");
        (says || framer.says_incomplete(), records)
    });
    assert!(all.iter().all(|read| *read == all[0]), "{all:?} of {file}");
    all[0]
}

fn records(count: usize) -> String {
    vec![RECORD; count].join(",")
}

// An answer of 10 of 51,234 hits proved all days of its records.
#[test]
fn an_answer_that_counts_more_records_than_the_file_has_is_incomplete() {
    let hits = |total: &str, count: usize| {
        format!(r#"{{"took":3,"timed_out":false,"hits":{{"total":{total},"hits":[{}]}}}}"#, records(count))
    };
    let exactly = |total: u64| format!(r#"{{"value":{total},"relation":"eq"}}"#);
    let at_least = r#"{"value":3,"relation":"gte"}"#;
    for (file, expected) in [
        (hits("51234", 2), true),
        (hits("2", 2), false),
        (hits("-1", 2), false),
        (hits(&exactly(51234), 2), true),
        (hits(&exactly(2), 2), false),
        (hits(at_least, 3), true),
        // Its order is another.
        (format!(r#"{{"hits":{{"hits":[{}],"total":{{"relation":"eq","value":3}}}}}}"#, records(2)), true),
        (format!(r#"{{"hits":{{"hits":[{}],"total":2}},"took":3}}"#, records(2)), false),
        (format!(r#"{{"hits":{{"hits":[{}],"total":51234}}}}"#, records(2)), true),
        (format!(r#"{{"hits":{{"hits":[{}],"total" : 20 }}}}"#, records(2)), true),
        (format!(r#"{{"hits":{{"hits":[{}],"total":2}},"terminated_early":true}}"#, records(2)), true),
        (format!(r#"{{"hits":{{"hits":[{}],"total":2}},"timed_out" : false }}"#, records(2)), false),
        // Aggregations keep the scanner out.
        (format!(r#"{{"aggregations":{{"a":{{}}}},"hits":{{"total":3,"hits":[{}]}}}}"#, records(2)), true),
        (format!(r#"{{"aggregations":{{"a":{{}}}},"hits":{{"total":2,"hits":[{}]}}}}"#, records(2)), false),
        // Pages that were joined, the last one empty as a scroll ends.
        ([hits(&exactly(3), 2), hits(&exactly(3), 1), hits(&exactly(3), 0)].join("\n"), false),
        ([hits(&exactly(5), 2), hits(&exactly(5), 2)].join("\n"), true),
        ([hits(at_least, 2), hits(at_least, 2), hits(at_least, 1)].join("\n"), false),
        ([hits(at_least, 2), hits(at_least, 2)].join("\n"), true),
        // Two answers, of which one is whole.
        ([hits("3", 3), hits("4", 2)].join("\n"), true),
        ([hits("3", 3), hits("2", 2)].join("\n"), false),
        (format!(r#"{{"schema":[],"total":9,"size":2,"datarows":[{}]}}"#, records(2)), true),
        (
            format!(
                r#"{{"Stats":{{"dataset_statistics":[{{"table_row_count":3}}]}},"Schema":[],"Results":[{}]}}"#,
                records(2)
            ),
            true,
        ),
        (format!(r#"{{"isTruncated":true,"items":[{}]}}"#, records(2)), true),
        (format!(r#"{{"took":1,"is_partial":true,"items":[{}]}}"#, records(2)), true),
        (format!(r#"{{"items":[{}],"Exceptions":["E_RUNAWAY_QUERY"]}}"#, records(2)), true),
        (format!(r#"{{"items":[{}],"Exceptions":[]}}"#, records(2)), false),
    ] {
        assert_eq!(read(&file).0, expected, "{file}");
    }
}

// `@odata.count` of the first page counts all pages of the chain.
#[test]
fn a_page_of_graph_is_short_only_where_no_other_page_can_have_the_rest() {
    let page = |count: &str, link: bool, held: usize| {
        let link = if link { r#","@odata.nextLink":"https://graph.example.com/?$skiptoken=a""# } else { "" };
        format!(r#"{{"@odata.context":"c"{count},"value":[{}]{link}}}"#, records(held))
    };
    let of = |count: u64| format!(r#","@odata.count":{count}"#);
    for (file, expected) in [
        (page(&of(9000), false, 2), true),
        (page(&of(2), false, 2), false),
        (page("", false, 2), false),
        (format!(r#"{{"value":[{}],"@odata.count":9000}}"#, records(2)), true),
        // The others are in other files.
        (page(&of(9), true, 2), false),
        ([page(&of(9), true, 2), page("", true, 2)].concat(), false),
        (page("", false, 2), false),
        // All are here.
        ([page(&of(5), true, 2), page("", true, 2), page("", false, 1)].join("\n"), false),
        ([page(&of(5), true, 2), page(&of(5), true, 2), page(&of(6), false, 1)].join("\n"), false),
        // The links were taken out.
        ([page(&of(5), false, 2), page("", false, 2), page("", false, 1)].join("\n"), false),
        ([page(&of(5), false, 2), page(&of(5), false, 3)].join("\n"), false),
        // One in the middle is lost.
        ([page(&of(5), true, 2), page("", false, 1)].join("\n"), true),
        // Two chains.
        ([page(&of(2), false, 2), page(&of(3), true, 2), page("", false, 1)].join("\n"), false),
        ([page(&of(3), false, 2), page(&of(2), false, 2)].join("\n"), true),
        ([page(&of(2), false, 2), page(&of(3), false, 2)].join("\n"), true),
        (format!("[{}]", [page(&of(5), true, 2), page("", false, 3)].join(",")), false),
        // Answers of $batch.
        (
            format!(
                r#"{{"responses":[{{"id":"1","status":200,"headers":{{}},"body":{}}}]}}"#,
                page(&of(9), false, 2)
            ),
            true,
        ),
        (
            format!(
                r#"{{"responses":[{{"id":"1","status":200,"headers":{{}},"body":{}}}]}}"#,
                page(&of(9), true, 2)
            ),
            false,
        ),
        (serde_json::Value::from(page(&of(9), false, 2)).to_string(), true),
        (serde_json::Value::from(page(&of(2), false, 2)).to_string(), false),
    ] {
        assert_eq!(read(&file).0, expected, "{file}");
    }
}

#[test]
fn frames_of_data_explorer_say_how_the_query_ended() {
    let header = r#"{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0"}"#;
    let table = format!(
        r#"{{"FrameType":"DataTable","TableKind":"PrimaryResult","Columns":[{{"ColumnName":"r"}}],"Rows":[[{RECORD}]]}}"#
    );
    let end = |has_errors: bool, cancelled: bool| {
        format!(r#"{{"FrameType":"DataSetCompletion","HasErrors":{has_errors},"Cancelled":{cancelled}}}"#)
    };
    let frames = |end: &str| {
        let frames = [header, &table, end];
        frames.into_iter().filter(|frame| !frame.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let sorted = r#"{"Cancelled":true,"FrameType":"DataSetCompletion","HasErrors":false}"#;
    for (end, expected) in [
        (end(false, false), false),
        (end(true, false), true),
        (end(false, true), true),
        (sorted.to_owned(), true),
        (String::new(), true),
    ] {
        let frames = frames(&end);
        for file in [
            format!("[{}]", frames.join(",")),
            frames.join("\n"),
            format!("[\n  {}\n]", frames.join(",\n  ").replace("{\"FrameType\"", "{\n    \"FrameType\"")),
            format!("{0}\n{0}", format!("[{}]", frames.join(","))),
            serde_json::Value::from(format!("[{}]", frames.join(","))).to_string(),
        ] {
            assert_eq!(read(&file).0, expected, "{file}");
        }
    }
}

#[test]
fn the_empty_page_that_ends_a_scroll_is_no_file_to_refuse() {
    let recognised = |file: &str| crate::recognise::recognise(file.as_bytes(), true).expect("all of it");
    let file = r#"{"took":1,"hits":{"total":{"value":420,"relation":"eq"},"hits":[]}}"#;
    assert!(matches!(recognised(file), Recognised::Empty));
    assert!(matches!(recognised(&file.replace("420", "0")), Recognised::Empty));
    let timed_out = r#"{"took":1,"timed_out":true,"hits":{"hits":[]}}"#;
    assert!(matches!(recognised(timed_out), Recognised::Unknown(_)));
}

#[test]
fn an_answer_with_an_error_beside_its_records_is_incomplete() {
    for (object, expected) in [
        (r#"{"tables":[],"error":{"code":"PartialError"}}"#, true),
        (r#"{"error":{"code":"UnknownError"},"value":[{"id":"1"}]}"#, true),
        (r#"{"timed_out":true,"hits":{"hits":[]}}"#, true),
        (r#"{"timed_out" : true, "hits":{"hits":[]}}"#, true),
        (r#"{"timed_out":false,"_shards":{"total":2,"failed":1},"hits":{"hits":[]}}"#, true),
        (r#"{"timed_out":false,"_shards":{"total":2,"failed":0},"hits":{"hits":[]}}"#, false),
        (r#"{"results":[[{"field":"@message","value":"a"}]],"status":"Timeout"}"#, true),
        (r#"{"results":[[{"field":"@message","value":"a"}]],"status":"Complete"}"#, false),
        (r#"{"rows":[["a"]],"cursor":"c29tZQ=="}"#, true),
        (r#"{"rows":[["a"]],"cursor":""}"#, false),
        (r#"{"items":[{"id":"1"}],"has_more":true}"#, true),
        (r#"{"items":[{"id":"1"}],"has_more":false}"#, false),
        (r#"{"took":1,"is_partial":true,"columns":[{"name":"a"}],"values":[["b"]]}"#, true),
        (r#"{"took":1,"is_partial":false,"columns":[{"name":"a"}],"values":[["b"]]}"#, false),
        (r#"{"messages":[{"message":{}},{"message":{}}],"total_results":51234}"#, true),
        (r#"{"messages":[{"message":{}},{"message":{}}],"total_results":2}"#, false),
        (r#"{"total":5000,"data":[{"id":"1"}]}"#, true),
        (r#"{"data":[{"id":"1"}],"error":{"message":"of a shipper"}}"#, false),
        (r#"{"tables":[],"error":null}"#, false),
        (r#"{"tables":[],"error":{}}"#, false),
        (r#"{"tables":[{"error":{"code":"in a table"}}]}"#, false),
        (r#"{"message":"{}","error":{"message":"of a shipper"}}"#, false),
    ] {
        let expected = expected.then_some(AnswerState::Incomplete);
        assert_eq!(answer_state(object), expected, "{object}");
    }
}

#[test]
fn results_of_a_search_that_has_not_ended_are_previews() {
    for (object, expected) in [
        (r#"{"preview":true,"offset":0,"result":{"_raw":"{}"}}"#, Some(AnswerState::Preview)),
        (r#"{"preview":false,"offset":0,"lastrow":true,"result":{"_raw":"{}"}}"#, Some(AnswerState::Final)),
        (r#"{"preview":true,"init_offset":0,"results":[{"_raw":"{}"}]}"#, Some(AnswerState::Incomplete)),
        (r#"{"preview":false,"init_offset":0,"results":[{"_raw":"{}"}]}"#, None),
        (r#"{"preview":true,"message":"{}"}"#, None),
    ] {
        assert_eq!(answer_state(object), expected, "{object}");
    }
}

// The second answer was taken for the next page behind one that breaks off.
#[test]
fn answers_of_one_request_may_stand_in_one_array() {
    let hits = |total: u64, held: usize| {
        format!(
            r#"{{"took":1,"hits":{{"total":{{"value":{total}}},"hits":[{}]}},"status":200}}"#,
            records(held)
        )
    };
    let request = |answers: &[String]| format!(r#"{{"took":1,"responses":[{}]}}"#, answers.join(","));
    for (file, expected) in [
        (request(&[hits(2, 2), hits(3, 3)]), (false, 5)),
        (request(&[hits(2, 2), hits(4, 3)]), (true, 5)),
        (request(&[hits(0, 0), hits(1, 1)]), (false, 1)),
        // They are no pages of each other, though both count the same.
        (request(&[hits(4, 2), hits(4, 2)]), (true, 4)),
        ([request(&[hits(2, 2)]), request(&[hits(1, 1)])].join("\n"), (false, 3)),
    ] {
        assert_eq!(read(&file), expected, "{file}");
    }
}

#[test]
fn the_tail_of_a_document_is_read_in_linear_time() {
    let file = format!(r#"{{"records":[{}],{}"#, RECORD, ":a".repeat(1 << 19));
    let started = std::time::Instant::now();
    crate::recognise::recognise(file.as_bytes(), true);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
