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
    let ids = ["1", "2", "3", "4"].map(|n| format!("10000000-0000-4000-8000-00000000000{n}"));
    let by_id = table("CorrelationId", &ids.each_ref().map(String::as_str));
    assert_eq!(ingested("cut-id.csv", &by_id.as_bytes()[..by_id.len() - 9]), torn);
}
