//! Backup and restore: a lake is its folder, so a copy of it is the same campaign.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::mishaps::{BRACKENRIDGE, HARBOUR_LANE, LAKE, campaign, decided};
use crate::program::{Place, files};

const COPY: &str = "restored";

fn copy(place: &Place) {
    for (name, bytes) in files(&place.path(LAKE)) {
        place.write(&format!("{COPY}/{name}"), &bytes);
    }
}

fn text(output: Output) -> String {
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_copied_lake_has_the_same_decisions_ledger_and_status() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce", "--by", "Ada"]);
    campaign(&place, "2026-11-02", &["opt-out", BRACKENRIDGE, "--protocol", "imap4", "--by", "it"]);
    copy(&place);
    let both = |arguments: &[&str]| [LAKE, COPY].map(|lake| text(place.run(lake, arguments)));
    let flags = ["--campaign", "quick.toml", "--now", "2026-11-03"];
    let [status, restored] = both(&[&["campaign", "status", "--format", "ndjson"], &flags[..]].concat());
    assert!(status.contains("opted_out") && status.lines().count() == 17);
    assert_eq!(status, restored);
    for query in [
        "SELECT * FROM campaign_events ORDER BY event_id",
        "SELECT * FROM verdicts ORDER BY decision_id, tenant_id",
        "SELECT * FROM latest_roster ORDER BY tenant_id",
    ] {
        let [lake, restored] = both(&["sql", query, "--format", "ndjson"]);
        assert!(!lake.is_empty());
        assert_eq!(lake, restored, "{query}");
    }
    let id = &place.csv(LAKE, "SELECT decision_id FROM latest_decision LIMIT 1")[0];
    let [decision, again] = both(&["assess", "--decision", id, "--json", "--out", "again"]);
    assert_eq!(decision, again, "made again from the copy, byte for byte");
    place.run(COPY, &["lake", "verify"]);
}

#[test]
fn a_campaign_goes_on_from_a_backup_after_the_lake_is_lost() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    copy(&place);
    campaign(&place, "2026-11-02", &["opt-out", HARBOUR_LANE, "--by", "it"]);
    fs::remove_dir_all(place.path(LAKE)).expect("removed");
    fs::rename(place.path(COPY), place.path(LAKE)).expect("restored");
    assert!(Path::new(&place.path(LAKE)).exists());
    let (code, rows, told) = campaign(&place, "2026-11-02", &["announce"]);
    assert_eq!((code, rows.len()), (0, 4), "the same announcement: {told}");
    let events = place.csv(LAKE, "SELECT event FROM campaign_events");
    assert_eq!(events.len(), 4, "nothing twice, and the opt-out after the backup is to be recorded again");
    let (code, ..) = campaign(&place, "2026-11-02", &["opt-out", HARBOUR_LANE, "--by", "it"]);
    assert_eq!(code, 0);
    let (_, due, _) = campaign(&place, "2026-11-03", &["apply"]);
    assert!(due.len() == 3 && due.iter().all(|row| row["tenant_id"] != HARBOUR_LANE), "{due:?}");
}
