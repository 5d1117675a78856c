//! The same sign-ins in every shape that can carry them: equal rows, but for what a shape cannot say;
//! and all their files together count as one.

use std::collections::BTreeMap;

use crate::program::{COLUMNS, Place};
use crate::shapes::{CONCLUDED, SHAPES, SignIn, TENANT, sign_ins};
use serde_json::Value;

/// Writes each shape's file, with what it can carry.
fn write(place: &Place) -> Vec<SignIn> {
    let sign_ins = sign_ins();
    for shape in &SHAPES {
        let carried: Vec<SignIn> =
            sign_ins.iter().filter(|sign_in| (shape.carries)(sign_in)).cloned().collect();
        place.write(shape.file, (shape.write)(&carried).as_bytes());
    }
    sign_ins
}

/// The rows of a lake by their sign-in's id.
fn rows(place: &Place, lake: &str) -> BTreeMap<String, Value> {
    let rows = place.sql(lake, &format!("SELECT {COLUMNS} FROM sign_in_records"));
    rows.into_iter().map(|row| (row["sign_in_id"].as_str().expect("an id").to_owned(), row)).collect()
}

#[test]
fn every_shape_gives_the_same_rows_but_for_what_it_cannot_say() {
    let place = Place::new();
    let sign_ins = write(&place);
    for shape in &SHAPES {
        let report = place.ingest(shape.file.replace('.', "-").as_str(), &[shape.file, "--tenant", TENANT]);
        let carried = sign_ins.iter().filter(|sign_in| (shape.carries)(sign_in)).count();
        assert_eq!(report["rows"], carried, "{}: {report:#}", shape.file);
        assert_eq!(report["records"], carried, "{}", shape.file);
    }
    let lake = |file: &str| rows(&place, file.replace('.', "-").as_str());
    let expected = lake(SHAPES[0].file);
    assert_eq!(expected.len(), sign_ins.len());
    for shape in &SHAPES[1..] {
        for (id, row) in lake(shape.file) {
            for column in COLUMNS.split(", ").map(str::trim) {
                if !shape.silent.contains(&column) {
                    assert_eq!(row[column], expected[&id][column], "{}, {column} of {id}", shape.file);
                }
            }
        }
    }
    // What a shape is said to be silent on, it never says otherwise.
    for shape in &SHAPES[1..] {
        let rows = lake(shape.file);
        for column in shape.silent.iter().filter(|column| !CONCLUDED.contains(column)) {
            let says = rows.values().any(|row| !row[*column].is_null());
            assert!(!says, "{} says {column}", shape.file);
        }
    }
}

#[test]
fn the_files_of_all_shapes_together_count_as_one() {
    let place = Place::new();
    let sign_ins = write(&place);
    let usage = |lake: &str| {
        let arguments = ["report", "protocol_usage", "--as-of", "2026-10-30", "--window-days", "30"];
        let output = place.run(lake, &[&arguments[..], &["--format", "csv"]].concat());
        String::from_utf8(output.stdout).expect("text")
    };
    place.ingest("alone", &[SHAPES[0].file]);
    let alone = usage("alone");
    assert!(alone.lines().count() > 8, "{alone}");
    let files: Vec<&str> = SHAPES.iter().map(|shape| shape.file).collect();
    let backwards: Vec<&str> = files.iter().rev().copied().collect();
    for (lake, files) in [("forwards", files), ("backwards", backwards)] {
        for file in files {
            let report = place.ingest(lake, &[file, "--tenant", TENANT]);
            assert_eq!(report["files_ingested"], 1, "{file}");
        }
        let count = &place.sql(lake, "SELECT count(*) AS n FROM sign_ins")[0]["n"];
        assert_eq!(*count, sign_ins.len(), "{lake}");
        assert_eq!(usage(lake), alone, "{lake}");
        place.run(lake, &["lake", "verify"]);
    }
}
