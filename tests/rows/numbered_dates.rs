//! Dates written in numbers, in files that are read in many steps: their order is settled by the whole
//! file, and the file is then read anew.

use serde_json::Value;

use crate::program::Place;

const HEADER: &str = "TimeGenerated [UTC],CreatedDateTime [UTC],Id,AADTenantId,Category,ResultType,UserPrincipalName,\
                      ClientAppUsed,ConditionalAccessPolicies\n";
const ROWS: usize = 6_000;

/// A table of more than two megabytes; row `at` is of the date `date_of(at)`.
fn table(date_of: impl Fn(usize) -> &'static str) -> String {
    let padding = "x".repeat(300);
    let rows = (0..ROWS).map(|at| {
        let time = format!("\"{}, 11:{:02}:{:02} AM\"", date_of(at), at / 60 % 60, at % 60);
        format!(
            "{time},{time},10000000-0000-4000-8000-{at:012},00000000-0000-4000-8000-000000000001,SignInLogs,0,\
             ann@example.com,IMAP4,\"[{{\"\"displayName\"\":\"\"{padding}\"\"}}]\"\n"
        )
    });
    HEADER.chars().chain(rows.flat_map(|row| row.chars().collect::<Vec<_>>())).collect()
}

fn ingested(date_of: impl Fn(usize) -> &'static str) -> Value {
    let place = Place::new();
    let table = table(date_of);
    assert!(table.len() > 2 << 20, "more than is read before a file is recognised: {}", table.len());
    place.write("export.csv", table.as_bytes());
    place.ingest("lake", &["export.csv", "--dry-run"])
}

/// Both readers of the file once shared their place in it: what the first had read, the second missed.
#[test]
fn a_file_that_is_read_twice_gives_all_its_rows() {
    let told = ingested(|_| "10/25/2025");
    assert_eq!((&told["records"], &told["rows"]), (&ROWS.into(), &ROWS.into()), "{told:#}");
    assert_eq!(told["each"][0]["first_signed_in_at"], "2025-10-25T11:00:00.000000Z");
}

#[test]
fn the_last_date_of_a_file_may_settle_all_others() {
    let told = ingested(|at| if at + 1 < ROWS { "10/5/2025" } else { "25/10/2025" });
    assert_eq!(told["rows"], ROWS, "{told:#}");
    assert_eq!(told["each"][0]["first_signed_in_at"], "2025-05-10T11:00:00.000000Z");
}

#[test]
fn a_last_date_that_contradicts_the_others_has_the_file_refused() {
    let told = ingested(|at| match at {
        0 => "10/25/2025",
        at if at + 1 < ROWS => "10/5/2025",
        _ => "25/10/2025",
    });
    let refused = told["each"][0]["detail"].as_str().unwrap_or_default();
    // Each of the others is told twice a row.
    let either = 2 * (ROWS - 2);
    assert!(refused.contains(&format!("{either} dates")) && refused.contains("'10/5/2025, 11:"), "{told:#}");
    assert!(refused.contains("--date-order"), "{refused}");
}
