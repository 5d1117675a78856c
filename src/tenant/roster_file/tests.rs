//! Roster files as people write them, and what they are told when one is wrong.

use std::path::Path;

use super::*;

const CONTOSO: &str = "11111111-aaaa-4bbb-8ccc-000000000001";
const FABRIKAM: &str = "22222222-aaaa-4bbb-8ccc-000000000002";

fn csv(text: &str) -> Result<Roster, RosterError> {
    collect("roster.csv", csv_rows(text, "roster.csv")?)
}

fn json(text: &str) -> Result<Roster, RosterError> {
    collect("roster.json", json_rows(text, "roster.json")?)
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
        exclude: Some("leaving us".to_owned()),
    }
}

#[test]
fn a_csv_with_every_column_is_read_in_any_order_and_case() {
    let text = "Display_Name,tenant_id,domains,cloud,language,contacts,outlook_modern_auth,\
         protocols_enabled,logs_from,logs_to,exclude,exclude_reason\n\
         \"Contoso, Ltd\",11111111-AAAA-4BBB-8CCC-000000000001, contoso.com; contoso.de ;,gcc,de,\
         it@contoso.com,yes,smtp_auth;POP3,2026-10-01,2026-10-31,1,leaving us\n";
    assert_eq!(only(csv(text)), full());
}

#[test]
fn a_json_array_of_objects_says_the_same_with_arrays_or_with_texts() {
    let text = r#"[{"tenant_id": "11111111-AAAA-4BBB-8CCC-000000000001",
        "display_name": "Contoso, Ltd", "domains": ["contoso.com", "contoso.de"], "cloud": "gcc",
        "language": "de", "contacts": "it@contoso.com", "outlook_modern_auth": true,
        "protocols_enabled": ["smtp_auth", "pop3"], "logs_from": "2026-10-01",
        "logs_to": "2026-10-31", "exclude": 1, "reason": "leaving us"}]"#;
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

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_first_column() {
    let path = std::env::temp_dir().join(format!("lightsout-roster-{}.csv", std::process::id()));
    std::fs::write(&path, format!("\u{feff}tenant_id,display_name\r\n{CONTOSO},Contoso\r\n"))
        .expect("the temporary folder is writable");
    let roster = Roster::read(&path);
    std::fs::remove_file(&path).expect("it was just written");
    assert_eq!(only(roster).display_name.as_deref(), Some("Contoso"));
}

#[test]
fn a_file_that_is_not_there_or_of_another_kind_is_named() {
    let told = told(Roster::read(Path::new("nowhere/roster.csv")));
    assert!(told.contains("nowhere/roster.csv"), "{told}");
    let told = super::tests::told(Roster::read(Path::new("roster.xlsx")));
    assert_eq!(told, "roster roster.xlsx is of no known kind; expected a name that ends in .csv or .json");
}

#[test]
fn two_rows_for_one_tenant_are_told_with_both_lines() {
    let upper = CONTOSO.to_uppercase();
    let text = format!("tenant_id\n{CONTOSO}\n\n{FABRIKAM}\n{upper}\n");
    let expected = format!("tenant {CONTOSO} has two rows, on line 2 and line 5; keep one");
    assert_eq!(told(csv(&text)), format!("roster roster.csv: {expected}"));
    let text = format!("[{{\"tenant_id\":\"{CONTOSO}\"}},\n\n {{\"tenant_id\":\n\"{upper}\"}}]");
    let told = told(json(&text));
    assert!(told.contains("on line 1 and line 3"), "{told}");
}

#[test]
fn an_unknown_column_is_told_with_the_valid_ones() {
    let told_csv = told(csv(&format!("tenant_id,nmae\n{CONTOSO},Contoso\n")));
    assert!(told_csv.starts_with("roster roster.csv, line 1: unknown column 'nmae'; expected one"));
    assert!(told_csv.contains("display_name, domains, cloud"), "{told_csv}");
    let told_json = told(json(&format!("[\n{{\"tenant_id\":\"{CONTOSO}\",\"nmae\":1}}]")));
    assert!(told_json.contains("roster.json, line 2: unknown column 'nmae'"), "{told_json}");
}

#[test]
fn a_column_that_is_there_twice_or_not_at_all_is_told() {
    let twice = told(csv(&format!("tenant_id,exclude_reason,reason\n{CONTOSO},a,b\n")));
    assert!(twice.contains("the column exclude_reason is there twice"), "{twice}");
    let none = told(csv("display_name\nContoso\n"));
    assert!(none.contains("line 1: no column tenant_id"), "{none}");
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
    ];
    for (column, found, expected) in cases {
        let text = match column {
            "tenant_id" => format!("tenant_id,cloud\n{CONTOSO},\n{found},\n"),
            _ => format!("tenant_id,{column}\n{CONTOSO},\n{FABRIKAM},{found}\n"),
        };
        let told = told(csv(&text));
        let place = format!("roster roster.csv, line 3, column {column}: found '{found}', expected ");
        assert!(told.starts_with(&place) && told.contains(expected), "{told}");
    }
}

#[test]
fn a_range_of_logs_that_ends_before_it_begins_is_told() {
    let text = format!("tenant_id,logs_from,logs_to\n{CONTOSO},2026-10-02,2026-10-01\n");
    let told = told(csv(&text));
    assert!(told.contains("column logs_to: found '2026-10-01'"), "{told}");
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
