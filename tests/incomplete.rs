//! Files that do not hold all that they seem to hold: cut while they were written or copied, or incomplete by their own
//! word. They are read, prove no day, and end the ingest with exit code 3.

mod program;

use std::fmt::Write as _;

use program::Place;

const LAKE: &str = "lake";
const TENANT: &str = "7a1f3c52-0b1d-4e6a-9c2f-5d8e0f1a2b3a";

/// Ingests a file, which holds its sign-ins in the order of their ids; its exit code and how it ends by the lake.
fn ingested(name: &str, bytes: &[u8]) -> (Option<i32>, String) {
    let place = Place::new();
    place.write(name, bytes);
    let output = place.tries(LAKE, &["ingest", name, "--max-rejects", "90%"]);
    let sources = "SELECT coalesce(truncation, 'whole') || ' ' || rows || ' ' || rejected FROM sources";
    (output.status.code(), place.csv(LAKE, sources).join(", "))
}

fn table(last_column: &str, last_cells: &[&str]) -> String {
    let mut text = format!("TimeGenerated,AADTenantId,Category,UserPrincipalName,ResultType,{last_column}");
    for (at, cell) in last_cells.iter().enumerate() {
        write!(text, "\n2026-10-05T08:1{at}:30Z,{TENANT},SignInLogs,user{at}@example.com,0,{cell}")
            .expect("text");
    }
    text
}

/// What broke: the row has as many cells as any other, so it was taken, and the day of the cut counted as seen.
#[test]
fn a_table_that_is_cut_inside_its_last_cell_is_torn() {
    let clients = ["Browser", "IMAP4", "Browser", "Browser"];
    let whole = table("ClientAppUsed", &clients);
    assert_eq!(ingested("whole.csv", whole.as_bytes()), (Some(0), "whole 4 0".to_owned()));
    assert_eq!(ingested("ended.csv", format!("{whole}\n").as_bytes()), (Some(0), "whole 4 0".to_owned()));
    let torn = (Some(3), "torn 3 1".to_owned());
    for (situation, left_out) in
        [("inside its last cell", 3), ("before its last cell", 7), ("before its delimiter", 8)]
    {
        let cut = &whole[..whole.len() - left_out];
        assert_eq!(ingested("cut.csv", cut.as_bytes()), torn, "cut {situation}");
    }
    let quoted =
        table("ClientAppUsed", &clients.map(|client| format!("\"{client}\"")).each_ref().map(String::as_str));
    assert_eq!(ingested("quoted.csv", quoted.as_bytes()), (Some(0), "whole 4 0".to_owned()));
    assert_eq!(ingested("open-quote.csv", &quoted.as_bytes()[..quoted.len() - 1]), torn);
    let notes = table("Note", &["\"a\nb\"", "\"c\nd\"", "\"e\nf\""]);
    assert_eq!(ingested("notes.csv", notes.as_bytes()), (Some(0), "whole 3 0".to_owned()));
    let inside = (Some(3), "torn 2 1".to_owned());
    assert_eq!(ingested("behind-a-line-end.csv", &notes.as_bytes()[..notes.len() - 2]), inside);
    let ids = ["1", "2", "3", "4"].map(|n| format!("10000000-0000-4000-8000-00000000000{n}"));
    let by_id = table("CorrelationId", &ids.each_ref().map(String::as_str));
    assert_eq!(ingested("cut-id.csv", &by_id.as_bytes()[..by_id.len() - 9]), torn);
}

fn record(id: u32, client: &str) -> String {
    format!(
        r#"{{"time":"2026-10-05T08:1{id}:30Z","category":"SignInLogs","operationName":"Sign-in activity","tenantId":"{TENANT}","properties":{{"id":"10000000-0000-4000-8000-00000000000{id}","createdDateTime":"2026-10-05T08:1{id}:30Z","userPrincipalName":"user{id}@example.com","clientAppUsed":"{client}","status":{{"errorCode":0}}}}}}"#
    )
}

fn message(payload: &str) -> String {
    serde_json::json!({"@timestamp": "2026-10-05T08:20:00Z", "message": payload}).to_string()
}

/// What broke: the reject of a payload that was cut before it was wrapped never said that records are missing.
#[test]
fn a_payload_that_is_cut_in_a_whole_envelope_tears_the_file() {
    let [first, second] = [record(1, "Browser"), record(2, "Browser")];
    let list = format!(r#"{{"records":[{first},{second}]}}"#);
    let whole = format!("{}\n{}\n", message(&list), message(&first));
    assert_eq!(ingested("whole.json", whole.as_bytes()).1, "whole 3 0");
    let cut_list = format!("{}\n{}\n", message(&list[..list.len() - 30]), message(&first));
    assert_eq!(ingested("list.json", cut_list.as_bytes()), (Some(3), "torn 1 1".to_owned()));
    let cut_record = message(&second[..second.len() - 30]);
    let at_the_end = format!("{}\n{cut_record}", message(&first));
    assert_eq!(ingested("last.json", at_the_end.as_bytes()), (Some(3), "torn 1 1".to_owned()));
    // A message that was cut among others is a reject, as a line that was cut is.
    let middle = format!("{cut_record}\n{}\n", message(&first));
    assert_eq!(ingested("middle.json", middle.as_bytes()), (Some(0), "whole 1 1".to_owned()));
}

#[test]
fn previews_of_a_search_that_has_not_ended_are_an_incomplete_answer() {
    let result = |is_preview: bool, id: u32| {
        serde_json::json!({"preview": is_preview, "offset": 0, "result": {"_raw": record(id, "Browser")}})
            .to_string()
    };
    let previews = format!("{}\n{}\n", result(true, 1), result(true, 2));
    let incomplete = (Some(3), "incomplete 2 0".to_owned());
    assert_eq!(ingested("previews.json", previews.as_bytes()), incomplete);
    let ended = format!("{previews}{}\n", result(false, 3));
    assert_eq!(ingested("ended.json", ended.as_bytes()), (Some(0), "whole 3 0".to_owned()));
    for answer in [
        format!(
            r#"{{"preview":true,"init_offset":0,"results":[{0},{1}]}}"#,
            result(true, 1),
            result(true, 2)
        ),
        format!(
            r#"{{"value":[{},{}],"error":{{"code":"PartialError"}}}}"#,
            record(1, "POP3"),
            record(2, "POP3")
        ),
    ] {
        assert_eq!(ingested("answer.json", answer.as_bytes()), incomplete, "{answer}");
    }
}

#[test]
fn a_hidden_file_that_may_be_a_log_is_named_and_not_read() {
    let place = Place::new();
    place.write("logs/a.json", record(1, "Browser").as_bytes());
    place.write("logs/.PT1H.json.Xa3bQz", record(2, "IMAP4").as_bytes());
    place.write("logs/.a.json.swp", b"b0VIM 9.1");
    let output = place.loud(LAKE, &["ingest", "logs"]);
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("logs/.PT1H.json.Xa3bQz: skipped, because it is hidden"), "{told}");
    assert!(!told.contains(".swp"), "{told}");
    place.ingest(LAKE, &["logs/.PT1H.json.Xa3bQz"]);
    assert_eq!(place.csv(LAKE, "SELECT count(*) FROM sign_in_records"), ["2"]);
}
