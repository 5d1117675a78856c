//! The sample logs at other times: all days moved, and ids that are of that time alone.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use chrono::{NaiveDate, TimeDelta};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::program::Place;

/// Writes the sample logs to a folder, `days` earlier than they are.
pub(crate) fn write_earlier(place: &Place, folder: &str, days: i64) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/logs");
    let mut folders = vec![root.clone()];
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(inside).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).expect("a file");
            let gzip = path.extension().is_some_and(|extension| extension == "gz");
            let bytes = if gzip { inflated(&bytes) } else { bytes };
            // Bytes that are no text are samples of what is rejected.
            let bytes = String::from_utf8(bytes)
                .map_or_else(std::string::FromUtf8Error::into_bytes, |text| {
                    earlier(&text, days).into_bytes()
                });
            let name = path.strip_prefix(&root).expect("below it").display().to_string();
            let name = format!("{folder}/{}", earlier_path(&name, days));
            place.write(&name, &if gzip { deflated(&bytes) } else { bytes });
        }
    }
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut text).expect("gzip");
    text
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

/// `y=2026/m=10/d=05` and `2026-10-05` in a path.
fn earlier_path(path: &str, days: i64) -> String {
    let Some((before, rest)) = path.split_once("y=2026/m=") else { return earlier(path, days) };
    let (month, rest) = rest.split_at(2);
    let (day, rest) = rest.strip_prefix("/d=").expect("a day").split_at(2);
    let moved = moved(&format!("2026-{month}-{day}"), days).expect("a day");
    format!("{before}y={}{rest}", moved.format("%Y/m=%m/d=%d"))
}

fn moved(iso: &str, days: i64) -> Option<NaiveDate> {
    iso.parse::<NaiveDate>().ok().map(|day| day - TimeDelta::days(days))
}

/// Every `2026-10-05`, and every `10/5/2026`, so many days earlier; ids begin with that number.
fn earlier(text: &str, days: i64) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    let id = "\"id\":\"";
    while let Some(c) = rest.chars().next() {
        if let Some(day) = rest.get(..10).and_then(|iso| moved(iso, days)) {
            written.push_str(&day.to_string());
            rest = &rest[10..];
        } else if let Some((length, day)) = american(rest) {
            written.push_str(&(day - TimeDelta::days(days)).format("%-m/%-d/%Y").to_string());
            rest = &rest[length..];
        } else if let Some(after) = rest.strip_prefix(id).filter(|after| after.len() > 2) {
            written.push_str(id);
            let _ = write!(written, "{days:02x}");
            rest = &after[2..];
        } else {
            written.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    written
}

/// `10/20/2026` at the start of a text, and its length.
fn american(text: &str) -> Option<(usize, NaiveDate)> {
    let word = text.get(..text.find(' ').filter(|end| *end <= 10)?)?;
    let day = NaiveDate::parse_from_str(word, "%m/%d/%Y").ok()?;
    Some((word.len(), day))
}
