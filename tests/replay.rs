//! Rejects tried again: what an operator can cure becomes rows, nothing is lost or counted twice.

mod program;

use program::Place;

const LAKE: &str = "lake";

fn told(place: &Place, arguments: &[&str]) -> String {
    String::from_utf8(place.run(LAKE, arguments).stdout).expect("text")
}

fn rows(place: &Place, query: &str) -> String {
    place.csv(LAKE, query).join("\n")
}

fn record(id: u32, tenant: &str, time: &str) -> String {
    format!(
        r#"{{"time":"{time}","category":"SignInLogs"{tenant},"properties":{{"id":"10000000-0000-4000-8000-{id:012}","createdDateTime":"{time}","userPrincipalName":"user{id}@example.com","clientAppUsed":"POP3","status":{{"errorCode":0}}}}}}"#
    )
}

const TENANT: &str = r#","tenantId":"00000000-0000-4000-8000-000000000001""#;
const OTHER: &str = "00000000-0000-4000-8000-000000000002";

#[test]
fn records_that_named_no_tenant_become_rows_once_somebody_names_it() {
    let place = Place::new();
    let lines = [
        record(1, TENANT, "2026-10-05T08:15:30Z"),
        record(2, "", "2026-10-06T08:15:30Z"),
        r#"{"time":"2026-10-06T08:1"#.to_owned(),
        record(3, "", "2026-10-07T08:15:30Z"),
        record(4, TENANT, "1999-10-07T08:15:30Z"),
    ];
    place.write("log.json", lines.join("\n").as_bytes());
    place.ingest(LAKE, &["log.json"]);
    assert_eq!(rows(&place, "SELECT count(*) FROM sign_in_records"), "1");
    let before = rows(&place, "SELECT reason, line, byte_offset, raw FROM rejects ORDER BY line");

    told(&place, &["lake", "replay"]);
    assert_eq!(rows(&place, "SELECT reason, line, byte_offset, raw FROM rejects ORDER BY line"), before);

    let dry = told(&place, &["lake", "replay", "--tenant", OTHER, "--dry-run", "--json"]);
    assert!(dry.contains("\"rows\": 2"), "{dry}");
    assert_eq!(rows(&place, "SELECT count(*) FROM sign_in_records"), "1", "a dry run writes nothing");

    let report = told(&place, &["lake", "replay", "--tenant", OTHER, "--json"]);
    assert!(report.contains("\"rows\": 2") && report.contains("\"still_rejected\": 2"), "{report}");
    assert_eq!(
        rows(
            &place,
            "SELECT tenant_id, count(*), min(source_offset) > 0 FROM sign_in_records GROUP BY 1 ORDER BY 1"
        ),
        format!("00000000-0000-4000-8000-000000000001,1,false\n{OTHER},2,true")
    );
    assert_eq!(
        rows(&place, "SELECT reason, line FROM rejects ORDER BY line"),
        "invalid_json,3\nimpossible_time,5"
    );
    let account = "SELECT sum(records), sum(rows), sum(rejected), sum(not_sign_ins) FROM sources";
    assert_eq!(rows(&place, account), "5,3,2,0");
    place.run(LAKE, &["lake", "verify"]);

    told(&place, &["lake", "replay", "--tenant", OTHER]);
    place.ingest(LAKE, &["log.json"]);
    assert_eq!(rows(&place, account), "5,3,2,0", "neither a second replay nor a second ingest adds anything");
    place.run(LAKE, &["lake", "verify"]);
}

#[test]
fn a_row_of_a_utf16_table_is_read_again_with_its_header() {
    let place = Place::new();
    let text = "TimeGenerated,UserPrincipalName,ResultType,AADTenantId\r\n\
                2026-10-05T08:15:30Z,ada@example.com,0,00000000-0000-4000-8000-000000000001\r\n\
                2026-10-06T08:15:30Z,jörg@example.com,0,\r\n";
    let mut bytes = vec![0xfe, 0xff];
    bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    place.write("log.csv", &bytes);
    place.ingest(LAKE, &["log.csv"]);
    let offset: usize = rows(&place, "SELECT byte_offset FROM rejects").parse().expect("one reject");
    let raw = &bytes[offset..offset + 8];
    assert_eq!(raw, [0, b'2', 0, b'0', 0, b'2', 0, b'6'], "the offset is that of the file as it is");

    told(&place, &["lake", "replay", "--tenant", OTHER]);
    assert_eq!(
        rows(
            &place,
            "SELECT tenant_id, user_principal_name, source_offset FROM sign_in_records WHERE sign_in_id LIKE 'row:%' ORDER BY 1"
        ),
        format!(
            "00000000-0000-4000-8000-000000000001,ada@example.com,114\n{OTHER},jörg@example.com,{offset}"
        )
    );
    place.run(LAKE, &["lake", "verify"]);
}
