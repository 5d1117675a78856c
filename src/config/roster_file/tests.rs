//! Roster files as people write them, and what they are told when one is wrong.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
    StringViewArray, TimestampMicrosecondArray,
};
use chrono::NaiveDate;

use super::typed::NO_REASON_GIVEN;
use super::*;
use chrono::Weekday;
use lightsout_model::protocol::Protocol;
use lightsout_model::tenant::RosterTenant;

const CONTOSO: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
const FABRIKAM: &str = "22222222-aaaa-4bbb-8ccc-000000000002";

fn csv(text: &str) -> Result<Roster, RosterError> {
    Ok(collect("roster.csv", csv::rows(text, "roster.csv")?)?.roster)
}

fn json(text: &str) -> Result<Roster, RosterError> {
    Ok(collect("roster.json", json::rows(text, "roster.json")?)?.roster)
}

fn told(result: Result<Roster, RosterError>) -> String {
    result.expect_err("the roster is wrong").to_string()
}

fn only(result: Result<Roster, RosterError>) -> RosterTenant {
    let tenants = result.expect("a valid roster").tenants;
    assert_eq!(tenants.len(), 1);
    tenants.into_values().next().expect("one tenant")
}

fn full() -> RosterTenant {
    RosterTenant {
        tenant_id: CONTOSO.to_owned(),
        display_name: Some("Contoso, Ltd".to_owned()),
        domains: vec!["contoso.com".to_owned(), "contoso.de".to_owned()],
        cloud: Some("gcc".to_owned()),
        language: Some("de".to_owned()),
        contacts: vec!["it@contoso.com".to_owned()],
        outlook_modern_auth: Some(true),
        protocols_enabled: Some(vec![Protocol::SmtpAuth, Protocol::Pop3]),
        logs_from: NaiveDate::from_ymd_opt(2026, 10, 1),
        logs_to: NaiveDate::from_ymd_opt(2026, 10, 31),
        workdays: Some(vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Sun]),
        exclude: Some("leaving us".to_owned()),
        other_columns: BTreeMap::new(),
    }
}

#[test]
fn a_csv_with_every_column_is_read_in_any_order_and_case() {
    let text = "Display_Name,tenant_id,domains,cloud,language,contacts,outlook_modern_auth,\
         protocols_enabled,logs_from,logs_to,workdays,exclude,exclude_reason\n\
         \"Contoso, Ltd\",11111111-AAAA-4BBB-8CCC-000000000001, contoso.com; contoso.de ;,gcc,de,\
         it@contoso.com,yes,smtp_auth;POP3,2026-10-01,2026-10-31,sunday;mon - thu,1,leaving us\n";
    assert_eq!(only(csv(text)), full());
}

#[test]
fn a_json_array_of_objects_says_the_same_with_arrays_or_with_texts() {
    let text = r#"[{"tenant_id": "11111111-AAAA-4BBB-8CCC-000000000001",
        "display_name": "Contoso, Ltd", "domains": ["contoso.com", "contoso.de"], "cloud": "gcc",
        "language": "de", "contacts": "it@contoso.com", "outlook_modern_auth": true,
        "protocols_enabled": ["smtp_auth", "pop3"], "logs_from": "2026-10-01",
        "logs_to": "2026-10-31", "workdays": ["Sun-Thu"], "exclude": 1, "reason": "leaving us"}]"#;
    assert_eq!(only(json(text)), full());
}

#[test]
fn only_the_tenant_id_is_required_and_an_empty_value_says_nothing() {
    let nothing = RosterTenant { tenant_id: CONTOSO.to_owned(), ..RosterTenant::default() };
    assert_eq!(only(csv(&format!("tenant_id\n{CONTOSO}\n"))), nothing);
    let text = format!("tenant_id,exclude,logs_to,domains,protocols_enabled\n{CONTOSO},,, ,\n");
    assert_eq!(only(csv(&text)), nothing);
    assert_eq!(only(json(&format!(r#"[{{"tenant_id":"{CONTOSO}","exclude":null}}]"#))), nothing);
}

#[test]
fn an_exclusion_without_a_reason_has_a_default_one_and_a_reason_alone_excludes_nobody() {
    let exclude = |value: &str| only(csv(&format!("tenant_id,exclude,reason\n{CONTOSO},{value}\n"))).exclude;
    assert_eq!(exclude("TRUE,"), Some(NO_REASON_GIVEN.to_owned()));
    assert_eq!(exclude("yes,own campaign"), Some("own campaign".to_owned()));
    assert_eq!(exclude("no,own campaign"), None);
    assert_eq!(exclude(",own campaign"), None);
}

/// A file in a folder of its own.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    (folder, path)
}

fn read_bytes(name: &str, bytes: &[u8]) -> Result<Roster, RosterError> {
    let (_folder, path) = file(name, bytes);
    Ok(read(&path)?.roster)
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_first_column() {
    let text = format!("\u{feff}tenant_id,display_name\r\n{CONTOSO},Contoso\r\n");
    assert_eq!(only(read_bytes("r.csv", text.as_bytes())).display_name.as_deref(), Some("Contoso"));
    let text = format!("\u{feff}[{{\"tenant_id\":\"{CONTOSO}\"}}]");
    assert_eq!(only(read_bytes("r.JSON", text.as_bytes())).tenant_id, CONTOSO);
}

#[test]
fn semicolons_tabs_and_utf_16_are_read_as_spreadsheets_write_them() {
    let text = format!(
        "tenant_id;display_name;domains;exclude\r\n{CONTOSO};Łódź, Ltd;\"contoso.com;contoso.de\";\r\n;;;\r\n"
    );
    let tenant = only(read_bytes("r.csv", text.as_bytes()));
    assert_eq!(tenant.display_name.as_deref(), Some("Łódź, Ltd"));
    assert_eq!(tenant.domains, ["contoso.com", "contoso.de"]);
    let text = format!("\u{feff}tenant_id\tdisplay_name\r\n{CONTOSO}\tŁódź\r\n");
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(order).collect();
        assert_eq!(only(read_bytes("r.csv", &bytes)).display_name.as_deref(), Some("Łódź"));
    }
}

#[test]
fn text_of_another_encoding_is_told_with_its_line_and_how_to_save_it() {
    let text = format!("tenant_id,display_name\n{CONTOSO},M\u{fc}ller\n");
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    let told = told(read_bytes("r.csv", &latin));
    assert!(told.contains("r.csv, line 2: expected UTF-8 text") && told.contains("CSV UTF-8"), "{told}");
}

#[test]
fn a_file_that_is_not_there_or_of_another_kind_is_named() {
    let told = told(read(Path::new("nowhere/roster.csv")).map(|file| file.roster));
    assert!(told.contains("nowhere/roster.csv"), "{told}");
    let told = super::tests::told(read(Path::new("roster.xlsx")).map(|file| file.roster));
    assert_eq!(
        told,
        "roster roster.xlsx has an unknown format; expected a name that ends in .csv, .json or .parquet"
    );
}

#[test]
fn two_rows_for_one_tenant_are_told_with_both_lines_and_the_column() {
    let upper = CONTOSO.to_uppercase();
    let text = format!("cloud,tenant_id\n,{CONTOSO}\n\n,{FABRIKAM}\n,{upper}\n");
    let expected = format!(
        "roster roster.csv, line 5, column 2 (tenant_id): found '{CONTOSO}', expected one row for each tenant; \
         line 2 has it already, keep one"
    );
    assert_eq!(told(csv(&text)), expected);
    let text = format!("[{{\"tenant_id\":\"{CONTOSO}\"}},\n\n {{\"tenant_id\":\n\"{upper}\"}}]");
    let told = told(json(&text));
    assert!(told.contains("line 3, column tenant_id") && told.contains("line 1 has it already"), "{told}");
}

#[test]
fn a_domain_in_two_tenants_is_told_since_tenants_are_found_by_it() {
    let text = format!("tenant_id,domains\n{CONTOSO},a.example; Contoso.com\n{FABRIKAM},contoso.COM\n");
    let expected = format!(
        "roster roster.csv, line 3, column 2 (domains): found 'contoso.COM', expected a domain in one tenant \
         only; tenant {CONTOSO} on line 2 has it too"
    );
    assert_eq!(told(csv(&text)), expected);
    let twice = only(csv(&format!("tenant_id,domains\n{CONTOSO},contoso.com;contoso.com\n")));
    assert_eq!(twice.domains.len(), 2);
}

#[test]
fn a_contact_that_is_no_mail_address_is_told() {
    for wrong in ["Ada Lovelace", "@example.com", "ada@"] {
        let text = format!("tenant_id,contacts\n{CONTOSO},it@example.com;{wrong}\n");
        let told = told(csv(&text));
        assert!(
            told.contains(&format!("line 2, column 2 (contacts): found '{wrong}', expected mail")),
            "{told}"
        );
    }
}

#[test]
fn a_column_that_is_not_known_is_kept_as_text() {
    let text = format!("tenant_id,Region, ,account manager\n{CONTOSO}, north ,,\n");
    let expected = BTreeMap::from([("Region".to_owned(), "north".to_owned())]);
    assert_eq!(only(csv(&text)).other_columns, expected);
    let text = format!(r#"[{{"tenant_id":"{CONTOSO}","seats":7,"tags":["a","b"],"none":null}}]"#);
    let expected = [("seats", "7"), ("tags", "a;b")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(only(json(&text)).other_columns, BTreeMap::from(expected));
    let rate: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
    let found = only(parquet(vec![("tenant_id", texts(&[Some(CONTOSO)])), ("rate", rate)]));
    assert_eq!(found.other_columns, BTreeMap::from([("rate".to_owned(), "1.5".to_owned())]));
}

#[test]
fn a_column_that_looks_mistyped_is_named_with_the_one_that_it_resembles() {
    let warnings = |name: &str| {
        let text = format!("tenant_id,{name}\n{CONTOSO},a\n");
        collect("roster.csv", csv::rows(&text, "roster.csv").expect("rows")).expect("a roster").warnings
    };
    let cases = [("contact", "contacts"), ("Display Name", "display_name"), ("langauge", "language")];
    for (name, meant) in cases {
        let expected = format!(
            "roster roster.csv: column '{name}' is not known and is kept as one of your own; did you mean {meant}?"
        );
        assert_eq!(warnings(name), [expected]);
    }
    for name in ["notes", "region", "crm_id"] {
        assert!(warnings(name).is_empty(), "{name}");
    }
}

/// Whoever writes `exlude` wants to keep a tenant out of the campaign.
#[test]
fn a_mistyped_exclude_is_refused() {
    for name in ["exlude", "excluded", "Exclude ?"] {
        let told = told(csv(&format!("tenant_id,{name}\n{CONTOSO},true\n")));
        let expected = format!(
            "roster roster.csv, line 1, column 2: unknown column '{name}'; did you mean exclude? Give a column of \
             your own another name"
        );
        assert_eq!(told, expected);
    }
}

#[test]
fn no_protocol_is_written_none() {
    let tenant = only(csv(&format!("tenant_id,protocols_enabled\n{CONTOSO},none\n")));
    assert_eq!(tenant.protocols_enabled, Some(Vec::new()));
}

#[test]
fn a_column_that_is_there_twice_or_not_at_all_is_told() {
    let twice = told(csv(&format!("tenant_id,exclude_reason,reason\n{CONTOSO},a,b\n")));
    assert!(twice.contains("line 1, column 3 (exclude_reason): the column appears twice"), "{twice}");
    let none = told(csv("display_name\nContoso\n"));
    assert!(none.contains("line 1: the required column tenant_id is missing"), "{none}");
}

#[test]
fn a_wrong_value_is_told_with_its_file_line_and_column() {
    let cases = [
        ("tenant_id", "contoso.com", "a tenant id like"),
        ("tenant_id", "11111111-aaaa-4bbb-8ccc-00000000000g", "a tenant id like"),
        ("logs_from", "31.10.2026", "a day like 2026-10-31"),
        ("logs_to", "2026-02-29", "a day like 2026-10-31"),
        ("exclude", "maybe", "true or false"),
        ("outlook_modern_auth", "on", "true or false"),
        ("protocols_enabled", "smtp", "some of: pop3, imap4, smtp_auth"),
        ("protocols_enabled", ";", "names of protocols, none, or nothing"),
    ];
    for (column, found, expected) in cases {
        let number = if column == "tenant_id" { 1 } else { 2 };
        let text = match column {
            "tenant_id" => format!("tenant_id,cloud\n{CONTOSO},\n{found},\n"),
            _ => format!("tenant_id,{column}\n{CONTOSO},\n{FABRIKAM},{found}\n"),
        };
        let told = told(csv(&text));
        let place =
            format!("roster roster.csv, line 3, column {number} ({column}): found '{found}', expected ");
        assert!(told.starts_with(&place) && told.contains(expected), "{told}");
    }
}

#[test]
fn a_range_of_logs_that_ends_before_it_begins_is_told() {
    let text = format!("tenant_id,logs_from,logs_to\n{CONTOSO},2026-10-02,2026-10-01\n");
    let told = told(csv(&text));
    assert!(told.contains("column 3 (logs_to): found '2026-10-01'"), "{told}");
}

#[test]
fn a_line_with_too_few_values_is_told_with_its_number() {
    let told = told(csv(&format!("tenant_id,cloud\n{CONTOSO}\n")));
    assert!(told.contains("line: 2"), "{told}");
}

#[test]
fn json_that_is_no_array_of_objects_is_told() {
    assert!(told(json("{}")).contains("expected an array of objects"));
    let told = told(json(&format!("[{{\"tenant_id\":\"{CONTOSO}\"}},\n7]")));
    assert!(told.contains("line 2") && told.contains("found '7'"), "{told}");
}

#[test]
fn one_end_of_a_range_of_logs_declares_nothing() {
    let mut tenant = full();
    assert!(tenant.logs().is_some());
    tenant.logs_to = None;
    assert_eq!(tenant.logs(), None);
}

/// A Parquet file of these columns.
fn parquet(columns: Vec<(&str, ArrayRef)>) -> Result<Roster, RosterError> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    )
    .expect("columns of one length");
    let (_folder, path) = file("roster.parquet", &[]);
    let mut writer =
        ArrowWriter::try_new(File::create(&path).expect("a file"), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a footer");
    Ok(read(&path)?.roster)
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(values.iter().copied().collect::<StringArray>())
}

fn list(values: &[&str]) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value(values.iter().map(|value| Some(*value)));
    Arc::new(lists.finish())
}

#[test]
fn parquet_says_the_same_with_lists_or_texts_and_with_days_or_times() {
    let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
    let first = Date32Array::from(vec![day("2026-10-01").to_epoch_days()]);
    let last = day("2026-10-31").and_hms_opt(13, 0, 0).expect("a time").and_utc().timestamp_micros();
    let last = TimestampMicrosecondArray::from(vec![last]).with_timezone("UTC");
    let name = StringViewArray::from(vec!["Contoso, Ltd"]);
    let columns = vec![
        ("Tenant_Id", texts(&[Some("11111111-AAAA-4BBB-8CCC-000000000001")])),
        ("display_name", Arc::new(name) as ArrayRef),
        ("domains", list(&["contoso.com", "contoso.de"])),
        ("cloud", texts(&[Some("gcc")])),
        ("language", texts(&[Some("de")])),
        ("contacts", texts(&[Some("it@contoso.com")])),
        ("outlook_modern_auth", Arc::new(BooleanArray::from(vec![true]))),
        ("protocols_enabled", list(&["smtp_auth", "pop3"])),
        ("logs_from", Arc::new(first)),
        ("logs_to", Arc::new(last)),
        ("workdays", list(&["Sun-Thu"])),
        ("exclude", texts(&[Some("yes")])),
        ("reason", texts(&[Some("leaving us")])),
    ];
    assert_eq!(only(parquet(columns)), full());
}

#[test]
fn what_is_wrong_in_parquet_is_told_with_its_row_and_column() {
    let two = texts(&[Some(CONTOSO), Some(CONTOSO)]);
    let told_of = |columns| told(parquet(columns));
    assert!(told_of(vec![("tenant_id", two.clone())]).contains("row 2, column tenant_id: found"));
    let cloud: ArrayRef = Arc::new(Float64Array::from(vec![1.5, 2.5]));
    let told_type = told_of(vec![("tenant_id", two.clone()), ("cloud", cloud)]);
    assert!(told_type.contains("column cloud: the column is of type Float64; expected text"), "{told_type}");
    let told_name = told_of(vec![("tenant_id", two.clone()), ("exlude", two.clone())]);
    assert!(told_name.contains("unknown column 'exlude'; did you mean exclude?"), "{told_name}");
    assert!(told_of(vec![("cloud", two)]).contains("the required column tenant_id is missing"));
    let told_kind = told(read_bytes("roster.parquet", b"tenant_id\n"));
    assert!(told_kind.contains("roster.parquet can't be read as Parquet"), "{told_kind}");
}

#[test]
fn a_null_in_parquet_says_nothing() {
    let columns = vec![("tenant_id", texts(&[Some(CONTOSO)])), ("domains", texts(&[None]))];
    assert_eq!(only(parquet(columns)), RosterTenant { tenant_id: CONTOSO.to_owned(), ..Default::default() });
}

#[test]
fn hostile_text_does_not_reach_the_terminal_as_it_is() {
    let told = told(csv(&format!("tenant_id,cloud\n\"\u{1b}[2J\r\nroot:{}\",\n", "x".repeat(500))));
    assert!(!told.chars().any(char::is_control) && told.len() < 300, "{told}");
}
