//! Two operators at once, and runs that are killed: no event is lost, none is there twice, and the
//! files of a run that was cut short are made by running it again.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::program::{Place, files, sample};

const LAKE: &str = "lake";
const NOW: [&str; 2] = ["--now", "2026-11-03"];

fn decided() -> Place {
    let place = Place::new();
    let (logs, roster) = (sample("logs"), sample("roster.csv"));
    place.run(LAKE, &["ingest", &logs]);
    place.run(LAKE, &["assess", "--roster", &roster, "--as-of", "2026-11-02"]);
    place.operated("basic-auth-all-protocols");
    place
}

fn start(place: &Place, lake: &str, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_lightsout"))
        .args(arguments)
        .args(NOW)
        .args(["--campaign", "operated.toml"])
        .arg("--lake")
        .arg(place.path(lake))
        .arg("--quiet")
        .current_dir(place.path("."))
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

fn events(place: &Place, lake: &str) -> Vec<String> {
    place.csv(lake, "SELECT event_id, tenant_id, event, protocols FROM campaign_events ORDER BY event_id")
}

#[test]
fn operators_at_the_same_time_announce_to_no_tenant_twice_and_lose_no_event() {
    let place = decided();
    let mut children: Vec<Child> = (1..=3)
        .map(|seed| {
            let (seed, out) = (seed.to_string(), format!("out-{seed}"));
            start(&place, LAKE, &["campaign", "announce", "--wave", "1", "--seed", &seed, "--out", &out])
        })
        .collect();
    children.push(start(&place, LAKE, &["campaign", "recheck", "--out", "rechecked"]));
    for mut child in children {
        assert!(child.wait().expect("it ends").success());
    }
    let told = place.csv(
        LAKE,
        "SELECT count(*), count(DISTINCT tenant_id) FROM campaign_events WHERE event = 'announced'",
    );
    assert_eq!(told, ["3,3"], "three waves of one, each of another tenant");
    for seed in 1..=3 {
        let notices =
            fs::read_dir(place.path(&format!("out-{seed}/sent/2026-11-03-announced"))).expect("notices");
        assert_eq!(notices.flatten().filter(|entry| entry.path().is_dir()).count(), 1, "each has its own");
    }
}

/// Both waves were in one folder, whose mailbox sent the first wave its notice again.
#[test]
fn the_second_wave_of_a_day_has_a_mailbox_of_its_own() {
    let place = decided();
    let announce = |seed: &str| {
        let arguments = ["campaign", "announce", "--wave", "1", "--seed", seed, "--out", "out"];
        assert!(start(&place, LAKE, &arguments).wait().expect("it ends").success());
    };
    let tenants = |folder: &str| {
        let entries = fs::read_dir(place.path(&format!("out/sent/2026-11-03-{folder}"))).expect("notices");
        let folders = entries.flatten().filter(|entry| entry.path().is_dir());
        folders.map(|entry| entry.file_name()).collect::<Vec<_>>()
    };
    announce("1");
    announce("2");
    let (first, second) = (tenants("announced"), tenants("announced-2"));
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first, second);
    // The same command again writes the same notices in the same place.
    announce("2");
    assert_eq!(tenants("announced-2"), second);
    assert!(!place.path("out/sent/2026-11-03-announced-3").exists());
}

#[test]
fn a_run_that_is_killed_is_made_whole_by_running_it_again() {
    let place = decided();
    let announce = ["campaign", "announce", "--out"];
    copy(&place.path(LAKE), &place.path("reference"));
    let whole = start(&place, "reference", &[&announce[..], &["whole"]].concat()).wait().expect("it ends");
    assert!(whole.success());
    let (expected_events, expected_files) = (events(&place, "reference"), files(&place.path("whole")));
    assert!(!expected_events.is_empty() && !expected_files.is_empty());

    let mut cut_short = 0;
    for after_ms in [30, 120, 250, 400, 550, 700, 850, 1000, 1200, 1500] {
        let (lake, out) = (format!("lake-{after_ms}"), format!("out-{after_ms}"));
        copy(&place.path(LAKE), &place.path(&lake));
        let arguments = [&announce[..], &[&out]].concat();
        let mut child = start(&place, &lake, &arguments);
        std::thread::sleep(Duration::from_millis(after_ms));
        child.kill().expect("killed");
        cut_short += usize::from(!child.wait().expect("it ends").success());
        assert!(start(&place, &lake, &arguments).wait().expect("it ends").success());
        assert_eq!(events(&place, &lake), expected_events, "killed after {after_ms} ms");
        assert_eq!(files(&place.path(&out)), expected_files, "killed after {after_ms} ms");
    }
    assert!(cut_short > 0, "none was killed in time");

    // The instant between the event and the files: all of them are missing.
    fs::remove_dir_all(place.path("whole")).expect("removed");
    assert!(
        start(&place, "reference", &[&announce[..], &["whole"]].concat()).wait().expect("it ends").success()
    );
    assert_eq!(files(&place.path("whole")), expected_files);
    assert_eq!(events(&place, "reference"), expected_events);
}
