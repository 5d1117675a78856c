//! Several processes that fill one lake from one list of files.

use lightsout_ingest::find::find;
use lightsout_ingest::{IngestReport, Progress, ingest};
use lightsout_lake::Lake;

use super::program::Place;
use super::{LAKE, day, log_of, rows, settings};

fn write_logs(place: &Place, days: i64) {
    for number in 1..=days {
        place.write(&format!("logs/{number}.json"), log_of(number).as_bytes());
    }
}

/// Ingests a file by a lake as it was opened.
async fn ingest_one(place: &Place, lake: &mut Lake) -> IngestReport {
    let inputs = find(&[place.path("logs/1.json").display().to_string()]).expect("the file").inputs;
    let now = day(2).and_hms_opt(3, 0, 0).expect("a time").and_utc().timestamp_micros();
    ingest(lake, inputs, &settings(now), &Progress::default()).await.expect("ingested")
}

// What broke: of two processes that read the same file at the same time, the second one failed.
#[test]
fn a_file_that_another_process_has_ingested_meanwhile_is_seen_before() {
    let place = Place::new();
    write_logs(&place, 1);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (first, second) = runtime.block_on(async {
        let mut first = Lake::open_or_create(&place.path(LAKE)).await.expect("the lake");
        // It knows nothing of what the first one commits while it reads.
        let mut second = Lake::open_or_create(&place.path(LAKE)).await.expect("the lake");
        (ingest_one(&place, &mut first).await, ingest_one(&place, &mut second).await)
    });
    assert_eq!((first.files_ingested, first.rows), (1, 8));
    assert_eq!((second.files, second.files_ingested, second.files_seen_before, second.rows), (1, 0, 1, 0));
    assert_eq!(rows(&place, LAKE)["sign_in_records"].len(), 8);
}

#[test]
fn shards_fill_a_lake_with_what_one_process_does() {
    let place = Place::new();
    write_logs(&place, 12);
    let one = place.ingest(LAKE, &["logs"]);
    let shards =
        ["1/3", "2/3", "3/3", "2/3"].map(|shard| place.ingest("shared", &["logs", "--shard", shard]));
    let count =
        |name: &str| shards[..3].iter().map(|report| report[name].as_u64().expect("a count")).sum::<u64>();
    for name in ["files", "files_ingested", "records", "rows", "rejected"] {
        assert_eq!(Some(count(name)), one[name].as_u64(), "{name}");
    }
    assert!(shards[..3].iter().all(|report| report["files"].as_u64() < one["files"].as_u64()));
    assert_eq!(shards[3]["rows"], 0, "a shard that is read twice doubles nothing");
    let records = |lake| rows(&place, lake)["sign_in_records"].len();
    assert_eq!(records("shared"), records(LAKE));
}
