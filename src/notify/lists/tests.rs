//! The lists as the jobs that read them see them.

use std::fs;

use super::*;
use crate::sample::Sample;
use lightsout_output::table;

const HEADER: &str = "tenant_id,display_name,domains,contacts,language,notice_language,cloud,verdict,reasons,protocols,users,effective_date,decision_id";

fn lists_of(sample: &Sample) -> (ListCounts, impl Fn(&str) -> String + use<>) {
    let out = tempfile::tempdir().expect("a folder");
    let counts = write(out.path(), &sample.context()).expect("lists");
    (counts, move |name: &str| fs::read_to_string(out.path().join("lists").join(name)).expect("a list"))
}

#[test]
fn every_list_has_its_header_even_when_nobody_is_on_it() {
    let mut sample = Sample::all_protocols();
    sample.assessment.tenants.clear();
    let (counts, list) = lists_of(&sample);
    assert_eq!(counts, ListCounts::default());
    for name in ["no_impact", "selected_protocols", "warning", "insufficient_evidence"] {
        assert_eq!(list(&format!("{name}.csv")), format!("{HEADER}\n"));
    }
    assert_eq!(list("excluded.csv"), format!("{HEADER},exclude_reason\n"));
}

#[test]
fn tenants_are_in_the_list_of_their_verdict_and_selected_ones_with_their_clear_protocols() {
    let (counts, list) = lists_of(&Sample::all_protocols());
    let expected =
        ListCounts { no_impact: 1, selected_protocols: 1, warning: 1, insufficient_evidence: 1, excluded: 1 };
    assert_eq!(counts, expected);
    assert_eq!(
        list("no_impact.csv").lines().nth(1),
        Some(
            "11111111-0000-4000-8000-000000000001,Alpine Ski Club,alpine.example;ski.example,it@alpine.example,\
             en,en,worldwide,no_impact,attempted,pop3;imap4;smtp_auth;exchange_activesync;\
             exchange_web_services;offline_address_book;mapi_over_http;outlook_anywhere_rpc;\
             remote_powershell,0,2026-12-24,d-0123abcd"
        )
    );
    assert!(
        list("selected_protocols.csv").contains(",warning,in_use;unattributed_legacy_use,pop3;smtp_auth")
    );
    assert!(list("warning.csv").contains(",imap4;exchange_web_services;other_legacy,4,,d-0123abcd"));
    assert!(list("insufficient_evidence.csv").contains(",insufficient_evidence,"));
    assert!(list("excluded.csv").contains(",excluded,excluded,,0,,d-0123abcd"));
}

#[test]
fn rows_are_sorted_by_tenant_id_whatever_their_order() {
    let mut sample = Sample::all_protocols();
    let mut second = sample.assessment.tenants[0].clone();
    second.tenant_id = "00000000-first".to_owned();
    sample.assessment.tenants.push(second);
    let (_, list) = lists_of(&sample);
    assert!(list("no_impact.csv").lines().nth(1).is_some_and(|row| row.starts_with("00000000-first")));
}

#[test]
fn a_date_of_the_campaigns_own_is_on_the_warning_list_too() {
    let (_, list) = lists_of(&Sample::smtp_auth());
    assert!(list("warning.csv").contains(",2026-12-31,"));
    assert!(list("no_impact.csv").contains(",2026-12-31,"));
}

#[test]
fn text_that_would_run_as_a_formula_or_break_the_row_does_neither() {
    let mut sample = Sample::all_protocols();
    sample.assessment.tenants.truncate(1);
    sample.assessment.tenants[0].display_name = Some("=HYPERLINK(\"http://x\",\"y\")\r\n,x".to_owned());
    let id = sample.assessment.tenants[0].tenant_id.clone();
    let roster = sample.roster.tenants.get_mut(&id).expect("in the roster");
    roster.contacts = vec!["+45 123".to_owned(), "a\u{202e};=b".to_owned()];
    let (_, list) = lists_of(&sample);
    let text = list("no_impact.csv");
    assert_eq!(text.lines().count(), 2);
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let row = rows.records().next().expect("a row").expect("valid CSV");
    assert_eq!(&row[1], "'=HYPERLINK(\"http://x\",\"y\")  ,x");
    assert_eq!(&row[3], "'+45 123;a,=b");
}

fn json(text: &str) -> Vec<serde_json::Value> {
    serde_json::from_str(text).expect("an array of objects")
}

#[test]
fn json_and_parquet_have_the_columns_and_rows_of_the_csv_with_lists_as_lists() {
    let sample = Sample::all_protocols();
    let out = tempfile::tempdir().expect("a folder");
    write(out.path(), &sample.context()).expect("lists");
    let file = |name: &str| out.path().join("lists").join(name);
    let rows = json(&fs::read_to_string(file("no_impact.json")).expect("a list"));
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["domains"], serde_json::json!(["alpine.example", "ski.example"]));
    assert_eq!(rows[0]["protocols"].as_array().map(Vec::len), Some(9));
    assert_eq!((&rows[0]["users"], &rows[0]["effective_date"]), (&0.into(), &"2026-12-24".into()));
    let keys: Vec<&str> = rows[0].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys.len(), HEADER.split(',').count());
    assert!(keys.iter().all(|key| HEADER.split(',').any(|column| column == *key)), "{keys:?}");
    assert_eq!(fs::read_to_string(file("excluded.json")).expect("a list").lines().count(), 1);

    let open = fs::File::open(file("no_impact.parquet")).expect("a list");
    let mut parquet =
        parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(open, 10).expect("Parquet");
    let batch = parquet.next().expect("a batch").expect("rows");
    let mut again = Vec::new();
    table::write_json(&mut again, std::slice::from_ref(&batch)).expect("in memory");
    assert_eq!(json(&String::from_utf8(again).expect("text")), rows);
    let columns: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(columns.join(","), HEADER);
}

#[test]
fn text_in_json_is_one_plain_line_and_has_no_apostrophe_put_before_it() {
    let mut sample = Sample::all_protocols();
    sample.assessment.tenants.truncate(1);
    sample.assessment.tenants[0].display_name = Some("=1+1\r\n\u{202e}x\u{0}".to_owned());
    let id = sample.assessment.tenants[0].tenant_id.clone();
    sample.roster.tenants.get_mut(&id).expect("in the roster").contacts =
        vec!["-a;b@alpine.example".to_owned(), "\u{200b}".to_owned()];
    let out = tempfile::tempdir().expect("a folder");
    write(out.path(), &sample.context()).expect("lists");
    let rows = json(&fs::read_to_string(out.path().join("lists/no_impact.json")).expect("a list"));
    assert_eq!(rows[0]["display_name"], "=1+1  x");
    assert_eq!(rows[0]["contacts"], serde_json::json!(["-a;b@alpine.example"]));
}

#[test]
fn a_protocol_that_is_off_already_is_not_listed_for_announcing() {
    let mut sample = Sample::all_protocols();
    let enabled = |sample: &mut Sample, at: usize, protocols: &[Protocol]| {
        let id = sample.assessment.tenants[at].tenant_id.clone();
        sample.roster.tenants.entry(id).or_default().protocols_enabled = Some(protocols.to_vec());
    };
    enabled(&mut sample, 0, &[Protocol::SmtpAuth, Protocol::Imap4]);
    enabled(&mut sample, 1, &[Protocol::SmtpAuth, Protocol::Imap4]);
    let (_, list) = lists_of(&sample);
    assert!(list("no_impact.csv").contains(",attempted,imap4;smtp_auth,0,2026-12-24,"));
    assert!(
        list("selected_protocols.csv").contains(",in_use;unattributed_legacy_use,smtp_auth,4,2026-12-24,")
    );
    assert!(
        list("warning.csv").contains(",imap4;exchange_web_services;other_legacy,"),
        "in use all the same"
    );

    enabled(&mut sample, 0, &[]);
    enabled(&mut sample, 1, &[]);
    let (counts, list) = lists_of(&sample);
    assert_eq!((counts.no_impact, counts.selected_protocols), (1, 0));
    assert!(list("no_impact.csv").contains(",attempted,,0,,d-0123abcd"), "nothing is left to announce");
    assert_eq!(list("selected_protocols.csv"), format!("{HEADER}\n"));
}

#[test]
fn the_manifest_has_every_list_in_every_format_with_its_rows() {
    let sample = Sample::all_protocols();
    let out = tempfile::tempdir().expect("a folder");
    write(out.path(), &sample.context()).expect("lists");
    let folder = out.path().join("lists");
    let text = fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let files = manifest["files"].as_array().expect("files");
    assert_eq!(files.len(), 15);
    for entry in files {
        let file = entry["file"].as_str().expect("a name");
        assert_eq!(entry["rows"], 1, "{file}");
        assert_eq!(entry["bytes"], fs::metadata(folder.join(file)).expect("it is there").len());
    }
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 16, "nothing else is left there");
}

#[test]
fn another_list_has_the_same_columns_and_its_own_after_them_in_the_order_of_its_rows() {
    let sample = Sample::all_protocols();
    let context = sample.context();
    let row = |at: usize| ListRow::of(&context, &sample.assessment.tenants[at], vec![Protocol::Pop3], None);
    let out = tempfile::tempdir().expect("a folder");
    let why = |row: &ListRow| row.display_name.clone().filter(|name| name != "Old Mill");
    let files =
        write_rows(out.path(), "on_hold", &[row(3), row(1), row(0)], &[("why", &why)]).expect("a list");
    let names: Vec<&str> = files.iter().map(|entry| entry.file.as_str()).collect();
    assert_eq!(names, ["on_hold.csv", "on_hold.json", "on_hold.parquet"]);
    assert!(files.iter().all(|entry| entry.rows == Some(3)));
    let text = fs::read_to_string(out.path().join("on_hold.csv")).expect("a list");
    let ends: Vec<&str> = text.lines().map(|line| line.rsplit(',').next().unwrap_or_default()).collect();
    assert_eq!(ends, ["why", "Alpine Ski Club", "Harbour & Sons", ""]);
    assert!(text.starts_with(&format!("{HEADER},why\n")));
}
