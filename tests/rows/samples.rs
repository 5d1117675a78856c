//! A folder of real files, where there is one: `LIGHTSOUT_SAMPLES` names it. All of it in one ingest:
//! every file's account adds up, the lake agrees with them, and a second ingest adds nothing.

use crate::program::Place;
use serde_json::Value;

const TENANT: &str = "11111111-cccc-4000-8000-000000000001";

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

#[test]
fn the_accounts_of_real_files_add_up_and_a_second_ingest_adds_nothing() {
    let Some(samples) = std::env::var_os("LIGHTSOUT_SAMPLES") else {
        eprintln!("skipped: LIGHTSOUT_SAMPLES names no folder of real files");
        return;
    };
    let samples = samples.into_string().expect("a path");
    let place = Place::new();
    let arguments = [samples.as_str(), "--tenant", TENANT];
    let planned = place.ingest("lake", &[&arguments[..], &["--dry-run"]].concat());
    let files = planned["each"].as_array().expect("files");
    let mut by_shape = std::collections::BTreeMap::<&str, u64>::new();
    for file in files {
        let [records, rows, rejected, others] =
            ["records", "rows", "rejected", "not_sign_ins"].map(|count| number(&file[count]));
        assert_eq!(records, rows + rejected + others, "{file:#}");
        let reasons: u64 =
            file["rejected_by_reason"].as_object().expect("reasons").values().map(number).sum();
        assert_eq!(rejected, reasons, "{file:#}");
        if file["fate"] == "refused" {
            assert!(file["detail"].as_str().is_some_and(|detail| detail.contains("found")), "{file:#}");
        }
        *by_shape.entry(file["shape"].as_str().unwrap_or("none")).or_default() += rows;
    }
    assert!(by_shape.len() > 4, "a folder of many shapes: {by_shape:?}");
    let done = place.ingest("lake", &arguments);
    for count in ["records", "rows", "rejected", "not_sign_ins"] {
        let total: u64 = files.iter().map(|file| number(&file[count])).sum();
        assert_eq!(number(&done[count]), total, "{count}");
    }
    let count =
        |table: &str| number(&place.sql("lake", &format!("SELECT count(*) AS n FROM {table}"))[0]["n"]);
    let (records, rejects, sources) = (count("sign_in_records"), count("rejects"), count("sources"));
    assert_eq!((records, rejects), (number(&done["rows"]), number(&done["rejected"])));
    place.run("lake", &["lake", "verify"]);
    let again = place.ingest("lake", &arguments);
    for count in ["records", "rows", "rejected", "files_ingested"] {
        assert_eq!(again[count], 0, "{count} of a second ingest");
    }
    assert_eq!((count("sign_in_records"), count("rejects"), count("sources")), (records, rejects, sources));
    place.run("lake", &["lake", "verify"]);
}
