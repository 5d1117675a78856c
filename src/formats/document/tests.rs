use super::*;

/// Records and broken parts, scanned in steps of `step` bytes as a stream would bring them.
fn scan(text: &str, step: usize) -> (Vec<String>, usize) {
    let bytes = text.as_bytes();
    let mut scanner = Scanner::default();
    let (mut start, mut end) = (0, 0);
    let (mut records, mut broken) = (Vec::new(), 0);
    loop {
        end = (end + step).min(bytes.len());
        let last = end == bytes.len();
        let scan = scanner.scan(&bytes[start..end], last);
        records.extend(scan.records.iter().map(|range| text[start..][range.clone()].to_owned()));
        broken += scan.broken.len();
        start += scan.consumed;
        if last && (scan.consumed == 0 || start == bytes.len()) {
            return (records, broken);
        }
    }
}

#[test]
fn every_framing_gives_the_same_records_however_the_stream_is_cut() {
    for text in [
        "[{\"a\":1},{\"b\":\"}]\\\"\"}]",
        "{\"records\": [ {\"a\":1},\n{\"b\":\"}]\\\"\"} ] }",
        "{\"@odata.context\":\"x\",\"n\":3,\"value\":[{\"a\":1},{\"b\":\"}]\\\"\"}],\"@odata.nextLink\":\"y\"}",
        "{\"a\":1}\n{\"b\":\"}]\\\"\"}",
        "[{\"a\":1}][{\"b\":\"}]\\\"\"}]",
        "{\"records\":[{\"a\":1}]}\n{\"records\":[{\"b\":\"}]\\\"\"}]}",
    ] {
        for step in [1, 2, 3, 7, 1000] {
            let (records, broken) = scan(text, step);
            assert_eq!(records, ["{\"a\":1}", "{\"b\":\"}]\\\"\"}"], "{text} in steps of {step}");
            assert_eq!(broken, 0, "{text} in steps of {step}");
        }
    }
}

#[test]
fn a_record_cut_in_a_string_or_between_members_costs_only_itself() {
    for cut in ["{\"time\":\"2026", "{\"time\":1,\"properties\":{", "{\"time\":[1,"] {
        let text = format!("[\n{{\"time\":1}},\n{cut}\n{{\"time\":2}},\n{{\"time\":3}}\n]");
        let (records, broken) = scan(&text, 1000);
        assert_eq!((records.len(), broken), (3, 1), "{text}");
    }
}

#[test]
fn an_envelope_that_was_cut_costs_nothing_of_the_next_one() {
    let next = "\n{\"@odata.context\":\"x\",\"value\":[{\"id\":2},{\"id\":3}]}";
    for (cut, lost) in [
        ("{\"value\":[{\"id\":1}", 1),
        ("{\"value\":[{\"id\":1},", 1),
        ("{\"value\":[{\"id\":1}]", 0),
        ("{\"value\":[{\"id\":1}],\"@odata.nextLink\":\"y\"", 0),
        ("{\"value\":[{\"id\":1}],\"more\":{\"a\":[]}}", 0),
    ] {
        for step in [1, 5, 1000] {
            let (records, broken) = scan(&format!("{cut}{next}"), step);
            assert_eq!((records.len(), broken), (3, lost), "{cut}: what it has lost stands for itself");
        }
    }
}

#[test]
fn a_byte_order_mark_between_joined_files_is_no_record() {
    for step in [1, 2, 1000] {
        let (records, broken) = scan("[{\"id\":1}]\u{feff}[{\"id\":2}]", step);
        assert_eq!((records.len(), broken), (2, 0));
    }
}

#[test]
fn a_broken_record_of_an_array_on_one_line_costs_only_itself() {
    for broken in ["{\"id\":2,\"a\":{", "{\"id\":\"2", "{\"id\":2]}", "{\"id\":\"2\"x\"}"] {
        let text = format!("[{{\"id\":1}},{broken},{{\"id\":3}},{{\"id\":4,\"a\":[{{\"b\":1}}]}}]");
        for step in [1, 9, 1000] {
            let (records, broken) = scan(&text, step);
            assert_eq!((records.len(), broken), (3, 1), "{text} in steps of {step}");
        }
    }
}

#[test]
fn objects_inside_of_a_broken_record_are_no_records() {
    let record = "{\n    \"id\": 1,\n    \"policies\": [\n      {\n        \"id\": 9\n      }\n    ]\n  }";
    let text = format!("[\n  {record},\n  {},\n  {record}\n]", record.replace("1,", "\"1,"));
    for step in [1, 9, 1000] {
        let (records, broken) = scan(&text, step);
        assert_eq!((records.len(), broken), (2, 1), "in steps of {step}");
    }
}

#[test]
fn the_first_record_shows_what_the_others_open_with() {
    let (records, broken) = scan("[{\"odd\":1},{\"odd\":{,{\"odd\":3},{\"odd\":4}]", 4);
    assert_eq!((records.len(), broken), (3, 1));
}

#[test]
fn a_file_that_ends_in_a_record_rejects_that_record() {
    let (records, broken) = scan("[{\"time\":1},{\"time\":", 4);
    assert_eq!((records.len(), broken), (1, 1));
}

#[test]
fn what_is_not_closed_at_the_end_is_cut() {
    for (text, is_cut, ends_in_array) in [
        ("[{\"id\":1}]", false, false),
        ("{\"id\":1}\n{\"id\":2}", false, false),
        ("{\"value\":[{\"id\":1}]}", false, false),
        ("{\"records\":[\n", true, true),
        ("[", true, true),
        ("[{\"id\":1},", true, true),
        ("{\"value\":[{\"id\":1}", true, true),
        ("{\"value\":[{\"id\":1}],\"more\":", true, false),
        ("[{\"id\":1},{\"id\":", true, false),
        ("{\"id\":1}\n{\"id\":", true, false),
        ("{\"value\":[{\"id\":1}{\"value\":[{\"id\":2}]}", true, false),
    ] {
        let mut scanner = Scanner::default();
        scanner.scan(text.as_bytes(), true);
        assert_eq!((scanner.is_cut(), scanner.ends_in_array()), (is_cut, ends_in_array), "{text}");
    }
}

// Behind an empty array of records nothing was read.
#[test]
fn every_array_of_records_of_a_document_is_read() {
    for text in [
        r#"{"records":[],"value":[{"id":"1"},{"id":"2"}]}"#,
        r#"{"records":[{"id":"1"}],"count":2,"note":"value","value":[{"id":"2"}],"more":["x"]}"#,
        r#"{"hits":{"hits":[{"id":"1"}],"total":1},"value":[{"id":"2"}]}"#,
    ] {
        for step in 1..=text.len() {
            let (found, broken) = scan(text, step);
            assert_eq!(
                (found.as_slice(), broken),
                (&[r#"{"id":"1"}"#.to_owned(), r#"{"id":"2"}"#.to_owned()][..], 0),
                "{text}"
            );
        }
    }
}
