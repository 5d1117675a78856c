//! Rejects tried again: what an operator can cure becomes rows, nothing is lost or counted twice.

use std::fs;
use std::process::{Command, Output};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn lightsout(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lightsout"))
            .args(arguments)
            .args(["--lake", &self.path("lake"), "--quiet"])
            .env_remove("LIGHTSOUT_LAKE")
            .output()
            .expect("the program starts")
    }

    fn sql(&self, query: &str) -> String {
        let output = self.lightsout(&["sql", query, "--format", "csv"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").lines().skip(1).collect::<Vec<_>>().join("\n")
    }

    fn holds(&self) {
        let output = self.lightsout(&["lake", "verify"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
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
    fs::write(place.path("log.json"), lines.join("\n")).expect("a file");
    place.lightsout(&["ingest", &place.path("log.json")]);
    assert_eq!(place.sql("SELECT count(*) FROM sign_in_records"), "1");
    let before = place.sql("SELECT reason, line, byte_offset, raw FROM rejects ORDER BY line");

    let output = place.lightsout(&["lake", "replay"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.sql("SELECT reason, line, byte_offset, raw FROM rejects ORDER BY line"), before);

    let dry = place.lightsout(&["lake", "replay", "--tenant", OTHER, "--dry-run", "--json"]);
    assert!(String::from_utf8_lossy(&dry.stdout).contains("\"rows\": 2"));
    assert_eq!(place.sql("SELECT count(*) FROM sign_in_records"), "1", "a dry run writes nothing");

    let output = place.lightsout(&["lake", "replay", "--tenant", OTHER, "--json"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("\"rows\": 2") && told.contains("\"still_rejected\": 2"), "{told}");
    assert_eq!(
        place.sql(
            "SELECT tenant_id, count(*), min(source_offset) > 0 FROM sign_in_records GROUP BY 1 ORDER BY 1"
        ),
        format!("00000000-0000-4000-8000-000000000001,1,false\n{OTHER},2,true")
    );
    assert_eq!(
        place.sql("SELECT reason, line FROM rejects ORDER BY line"),
        "invalid_json,3\nimpossible_time,5"
    );
    let account = "SELECT sum(records), sum(rows), sum(rejected), sum(not_sign_ins) FROM sources";
    assert_eq!(place.sql(account), "5,3,2,0");
    place.holds();

    place.lightsout(&["lake", "replay", "--tenant", OTHER]);
    place.lightsout(&["ingest", &place.path("log.json")]);
    assert_eq!(place.sql(account), "5,3,2,0", "neither a second replay nor a second ingest adds anything");
    place.holds();
}

#[test]
fn a_row_of_a_utf16_table_is_read_again_with_its_header() {
    let place = Place::new();
    let text = "TimeGenerated,UserPrincipalName,ResultType,AADTenantId\r\n\
                2026-10-05T08:15:30Z,ada@example.com,0,00000000-0000-4000-8000-000000000001\r\n\
                2026-10-06T08:15:30Z,jörg@example.com,0,\r\n";
    let mut bytes = vec![0xfe, 0xff];
    bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    fs::write(place.path("log.csv"), &bytes).expect("a file");
    place.lightsout(&["ingest", &place.path("log.csv")]);
    let offset: usize = place.sql("SELECT byte_offset FROM rejects").parse().expect("one reject");
    let raw = &bytes[offset..offset + 8];
    assert_eq!(raw, [0, b'2', 0, b'0', 0, b'2', 0, b'6'], "the offset is that of the file as it is");

    place.lightsout(&["lake", "replay", "--tenant", OTHER]);
    assert_eq!(
        place.sql("SELECT tenant_id, user_principal_name, source_offset FROM sign_in_records WHERE sign_in_id LIKE 'row:%' ORDER BY 1"),
        format!(
            "00000000-0000-4000-8000-000000000001,ada@example.com,114\n{OTHER},jörg@example.com,{offset}"
        )
    );
    place.holds();
}
