//! Lakes that the bench writes, without raw logs: what `assess` finds in them is what was drawn, and they
//! are as good as ingested ones.

#[path = "../benches/write_lake/lake/mod.rs"]
mod lake;
mod program;

use std::collections::BTreeMap;

use lake::{Layout, Settings};
use program::Place;

fn rows(csv: &str) -> impl Iterator<Item = Vec<&str>> {
    csv.lines().skip(1).map(|line| line.split(',').collect())
}

/// Counts by tenant and protocol, those that have any: users, sign-ins, interrupted, blocked, failures, unknown.
fn counts(csv: &str, first: usize) -> BTreeMap<(String, String), Vec<u64>> {
    let counts = rows(csv).map(|cells| {
        let counts = cells[first..first + 6].iter().map(|cell| cell.parse().expect("a count")).collect();
        ((cells[0].to_owned(), cells[1].to_owned()), counts)
    });
    counts.filter(|(_, counts): &(_, Vec<u64>)| counts.iter().any(|count| *count > 0)).collect()
}

async fn assess_finds_what_was_drawn(layout: Layout) {
    let place = Place::new();
    let settings =
        Settings { records: 12_000, tenants: 40, legacy_share: 0.2, commits: 6, days: 50, seed: 7, layout };
    let truth_path = place.path("truth.csv");
    let written = lake::write(&place.path("lake"), &truth_path, &settings).await.expect("a lake");
    assert_eq!(written.records, settings.records);
    place.run("lake", &["assess", "--as-of", lake::AS_OF]);
    let read = |path: &str| std::fs::read_to_string(place.path(path)).expect("a file that was written");
    let truth = counts(&read("truth.csv"), 2);
    let found = counts(&read("out/protocol_usage.csv"), 3);
    let different: Vec<_> = truth
        .keys()
        .chain(found.keys())
        .filter(|key| truth.get(key) != found.get(key))
        .map(|key| (key, truth.get(key), found.get(key)))
        .collect();
    assert!(different.is_empty(), "{different:?}");
    assert!(truth.len() > 200, "{}", truth.len());
    place.run("lake", &["lake", "verify"]);
    let distinct = place.csv("lake", "SELECT count(*), count(DISTINCT sign_in_id) FROM sign_in_records");
    let (all, distinct) = distinct[0].split_once(',').expect("two counts");
    let [all, distinct]: [u64; 2] = [all, distinct].map(|count| count.parse().expect("a count"));
    let repeated = all - distinct;
    assert!(all == settings.records && (200..500).contains(&repeated), "{all} and {distinct}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_drawn_into_dumps_is_what_assess_finds() {
    assess_finds_what_was_drawn(Layout::Dump).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_drawn_into_storage_files_is_what_assess_finds() {
    assess_finds_what_was_drawn(Layout::Storage).await;
}
