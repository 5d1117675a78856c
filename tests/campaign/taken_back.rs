//! Taking back what was recorded, through the program: who did it and why is kept, and tenants can be announced again.

use std::fs;

use crate::mishaps::{BRACKENRIDGE, HARBOUR_LANE, LAKE, campaign, campaign_at, decided};
use crate::program::{Place, sample};

const BY: [&str; 4] = ["--by", "Ada", "--why", "the wrong tenant"];

fn with<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &BY[..]].concat()
}

fn events_of(place: &Place, event: &str) -> Vec<String> {
    let query = format!(
        "SELECT tenant_id, by_whom, detail FROM campaign_events WHERE event = '{event}' ORDER BY ledger_position"
    );
    place.csv(LAKE, &query)
}

#[test]
fn an_announcement_is_withdrawn_with_its_reason_and_announced_again() {
    let place = decided();
    let (_, told, _) = campaign(&place, "2026-11-02", &["announce"]);
    let id = told[0]["announcement_id"].as_str().expect("an id").to_owned();
    campaign(&place, "2026-11-03", &["apply", "--runbook"]);
    let script = place.path(&format!("out/runbooks/{HARBOUR_LANE}/turn-off.ps1"));
    assert!(script.exists());

    let (code, _, said) =
        campaign(&place, "2026-11-03", &["withdraw", "--tenant", HARBOUR_LANE, "--by", "Ada"]);
    assert!(code == 2 && said.contains("--why"), "{said}");
    let (code, rows, said) = campaign(&place, "2026-11-03", &with(&["withdraw", "--tenant", HARBOUR_LANE]));
    assert_eq!((code, rows.len()), (0, 1), "{said}");
    assert_eq!(
        (rows[0]["by_whom"].as_str(), rows[0]["why"].as_str()),
        (Some("Ada"), Some("the wrong tenant"))
    );
    assert!(!script.exists(), "its script goes with it");
    let list = fs::read_to_string(place.path("out/lists/withdrawn.csv")).expect("a list");
    assert!(list.contains(HARBOUR_LANE) && list.contains("the wrong tenant"), "{list}");
    let (_, due, _) = campaign(&place, "2026-11-03", &["apply"]);
    assert!(due.len() == 3 && due.iter().all(|row| row["tenant_id"] != HARBOUR_LANE), "{due:?}");
    let (_, state, _) = campaign(&place, "2026-11-03", &["status", "--tenant", HARBOUR_LANE]);
    assert_eq!(state[0]["state"], "withdrawn");

    // The rest by the announcement; what is withdrawn already gives no event.
    let (code, rows, said) = campaign(&place, "2026-11-03", &with(&["withdraw", "--announcement", &id]));
    assert_eq!((code, rows.len()), (0, 4), "{said}");
    assert_eq!(events_of(&place, "withdrawn").len(), 4, "each once");
    let (code, _, said) = campaign(&place, "2026-11-03", &with(&["withdraw", "--wave", "2"]));
    assert!(code == 2 && said.contains(&format!("1 ({id})")) && said.contains("found '2'"), "{said}");
    let (code, rows, _) = campaign(&place, "2026-11-03", &with(&["withdraw", "--wave", "1"]));
    assert_eq!((code, rows.len(), events_of(&place, "withdrawn").len()), (0, 4, 4));

    let (code, told, said) = campaign(&place, "2026-11-03", &["announce"]);
    assert_eq!((code, told.len()), (0, 4), "{said}");
    assert!(told.iter().all(|row| row["effective_date"] == "2026-11-04"), "all days again: {told:?}");
    let (_, due, _) = campaign(&place, "2026-11-03", &["apply"]);
    assert_eq!(due.len(), 0, "not by the days of the first announcement");
}

/// What broke: after a withdrawal the next announcement named what the tenant had asked to keep.
#[test]
fn an_opt_out_outlives_the_withdrawal_of_its_announcement() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    campaign(&place, "2026-11-02", &["opt-out", HARBOUR_LANE, "--protocol", "imap4", "--by", "it"]);
    campaign(&place, "2026-11-02", &["opt-out", BRACKENRIDGE, "--by", "it"]);
    for tenant in [HARBOUR_LANE, BRACKENRIDGE] {
        campaign(&place, "2026-11-02", &with(&["withdraw", "--tenant", tenant]));
    }
    let (code, told, said) = campaign(&place, "2026-11-03", &["announce"]);
    assert!(code == 0 && told.iter().all(|row| row["tenant_id"] != BRACKENRIDGE), "{said}{told:?}");
    let (_, rows, _) = campaign(&place, "2026-11-03", &["status", "--tenant", HARBOUR_LANE]);
    let announced = rows[0]["protocols_announced"].as_str().expect("protocols");
    assert!(announced.contains("pop3") && !announced.contains("imap4"), "{announced}");

    // Until the tenant lets it go off after all.
    let (code, _, said) = campaign(&place, "2026-11-03", &with(&["opt-in", BRACKENRIDGE]));
    assert_eq!(code, 0, "{said}");
    let (_, told, said) = campaign(&place, "2026-11-03", &["announce", "--seed", "2"]);
    assert!(told.iter().any(|row| row["tenant_id"] == BRACKENRIDGE), "{said}");
}

#[test]
fn an_opt_out_and_a_confirmation_of_the_wrong_tenant_are_taken_back() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    campaign(&place, "2026-11-02", &["opt-out", BRACKENRIDGE, "--by", "it"]);
    let (code, _, said) = campaign(&place, "2026-11-02", &["opt-in", BRACKENRIDGE, "--why", "no"]);
    assert!(code == 2 && said.contains("--by"), "{said}");
    let (code, rows, said) = campaign(&place, "2026-11-02", &with(&["opt-in", BRACKENRIDGE]));
    assert_eq!((code, rows[0]["effective_date"].as_str()), (0, Some("2026-11-03")), "{said}");
    campaign(&place, "2026-11-02", &with(&["opt-in", BRACKENRIDGE]));
    assert_eq!(events_of(&place, "opted_in").len(), 1);
    let (_, due, _) = campaign(&place, "2026-11-03", &["apply"]);
    assert_eq!(due.len(), 4);

    campaign(&place, "2026-11-03", &["confirm", BRACKENRIDGE]);
    let (code, _, said) = campaign(&place, "2026-11-03", &with(&["correct", HARBOUR_LANE]));
    assert!(code == 1 && said.contains("none of these protocols was confirmed"), "{said}");
    let (code, rows, said) = campaign(&place, "2026-11-03", &with(&["correct", BRACKENRIDGE]));
    assert_eq!((code, rows[0]["protocols_off"].as_str()), (0, Some("")), "{said}");
    assert!(events_of(&place, "corrected")[0].contains("the wrong tenant"));
    let (_, due, _) = campaign(&place, "2026-11-03", &["apply"]);
    assert_eq!(due.len(), 4, "still to be turned off");
}

#[test]
fn a_protocol_that_was_kept_across_a_new_date_gets_one_of_its_own() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    let kept = ["opt-out", BRACKENRIDGE, "--protocol", "imap4", "--protocol", "pop3", "--by", "it"];
    campaign(&place, "2026-11-02", &kept);
    let taken_back = |protocol: &str| {
        campaign(&place, "2026-11-05", &with(&["opt-in", BRACKENRIDGE, "--protocol", protocol]));
        events_of(&place, "rescheduled").len()
    };
    assert_eq!(taken_back("imap4"), 1);
    assert_eq!(taken_back("pop3"), 2, "its notice named IMAP alone");
    assert_eq!(taken_back("pop3"), 2);
}

#[test]
fn a_new_date_is_never_of_fewer_days_than_the_announcement_gave() {
    let place = decided();
    let quick = fs::read_to_string(place.path("quick.toml")).expect("the campaign");
    place.write("quick.toml", quick.replace("notice_days = 1 ", "notice_days = 30 ").as_bytes());
    let roster = sample("roster.csv");
    place.run(LAKE, &["assess", "--roster", &roster, "--campaign", "quick.toml", "--as-of", "2026-11-02"]);
    campaign(&place, "2026-11-02", &["announce"]);
    campaign(&place, "2026-11-02", &["opt-out", BRACKENRIDGE, "--by", "it"]);
    place.write("quick.toml", quick.as_bytes());
    let (_, rows, said) = campaign(&place, "2026-12-03", &with(&["opt-in", BRACKENRIDGE]));
    assert_eq!(rows[0]["effective_date"], "2027-01-02", "{said}");
}

#[test]
fn whatever_the_time_is_said_to_be_the_days_count_from_the_real_announcement() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    let (_, due, _) = campaign_at(&place, "2026-11-02", "2026-11-03", &["apply", "--runbook"]);
    assert_eq!(due.len(), 0);
    assert!(!place.path("out/runbooks/run-all.ps1").exists());
    let (code, _, said) =
        campaign_at(&place, "2026-11-02", "2026-11-03", &["confirm", HARBOUR_LANE, "--at", "2026-11-03"]);
    assert!(code == 1 && said.contains("refused"), "{said}");
    let (_, due, _) = campaign(&place, "2026-11-03", &["apply"]);
    assert_eq!(due.len(), 4);
    let clocks = "SELECT DISTINCT happened_at, recorded_at FROM campaign_events WHERE event = 'announced'";
    assert_eq!(place.csv(LAKE, clocks), ["2026-11-02T00:00:00.000000Z,2026-11-02T00:00:00.000000Z"]);
}

#[test]
fn a_short_notice_is_refused_until_somebody_chooses_it() {
    let place = decided();
    let rules = fs::read_to_string(place.path("quick.toml")).expect("the campaign");
    let rules = rules.replace("notice_days = 1 ", "effective_date = \"2026-11-12\"\nnotice_days = 30 ");
    place.write("quick.toml", rules.as_bytes());
    let roster = sample("roster.csv");
    place.run(LAKE, &["assess", "--roster", &roster, "--campaign", "quick.toml", "--as-of", "2026-11-02"]);
    let (code, _, said) = campaign(&place, "2026-11-02", &["announce"]);
    let parts = ["leaves 10 days", "the campaign gives 30", "--short-notice"];
    assert!(code == 1 && parts.iter().all(|part| said.contains(part)), "{said}");
    let (code, told, said) = campaign(&place, "2026-11-02", &["announce", "--short-notice"]);
    assert_eq!((code, told.len()), (0, 4), "{said}");
    let kept = "SELECT count(*) FROM campaign_events WHERE detail LIKE '%\"short_notice\":true%'";
    assert_eq!(place.csv(LAKE, kept), ["4"]);
}

#[test]
fn what_one_campaign_has_turned_off_the_other_passes_over() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    campaign(&place, "2026-11-03", &["confirm", HARBOUR_LANE]);
    let rules = fs::read_to_string(place.path("quick.toml")).expect("the campaign");
    let other = rules.replace("name = \"basic-auth-all-protocols\"", "name = \"other\"");
    place.write("quick.toml", other.as_bytes());
    let roster = sample("roster.csv");
    place.run(LAKE, &["assess", "--roster", &roster, "--campaign", "quick.toml", "--as-of", "2026-11-02"]);
    let (code, told, said) = campaign(&place, "2026-11-03", &["announce", "--out", "other"]);
    assert_eq!((code, told.len()), (0, 3), "{said}");
    assert!(told.iter().all(|row| row["tenant_id"] != HARBOUR_LANE), "{told:?}");
}

#[test]
fn a_folder_with_notices_of_one_campaign_takes_none_of_another() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    campaign(&place, "2026-11-03", &["apply", "--runbook"]);
    let files = [
        format!("out/sent/2026-11-02-announced/{HARBOUR_LANE}/notice.md"),
        format!("out/runbooks/{HARBOUR_LANE}/turn-off.ps1"),
        "out/runbooks/index.csv".to_owned(),
    ];
    let read = || files.each_ref().map(|file| fs::read_to_string(place.path(file)).expect("a file"));
    let before = read();
    let rules = fs::read_to_string(place.path("quick.toml")).expect("the campaign");
    let other = rules.replace("name = \"basic-auth-all-protocols\"", "name = \"other\"");
    place.write("quick.toml", other.as_bytes());
    let roster = sample("roster.csv");
    place.run(LAKE, &["assess", "--roster", &roster, "--campaign", "quick.toml", "--as-of", "2026-11-02"]);
    let events = "SELECT count(*) FROM campaign_events WHERE campaign = 'other'";
    let commands: [&[&str]; 5] = [
        &["announce"],
        &["recheck"],
        &["apply", "--runbook"],
        &["confirm", HARBOUR_LANE],
        &["opt-out", HARBOUR_LANE, "--by", "it"],
    ];
    for command in commands {
        let (code, _, said) = campaign(&place, "2026-11-02", command);
        let parts =
            ["runbooks of the campaign basic-auth-all-protocols", "this is other", "give another --out"];
        assert!(code == 2 && parts.iter().all(|part| said.contains(part)), "{command:?}: {said}");
    }
    assert_eq!(place.csv(LAKE, events), ["0"]);
    assert!(read() == before, "all as it was sent");
    let (code, told, said) = campaign(&place, "2026-11-02", &["announce", "--out", "other"]);
    assert_eq!((code, told.len()), (0, 4), "{said}");
}

#[test]
fn a_plan_and_a_script_of_what_is_kept_are_gone_at_once() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    campaign(&place, "2026-11-03", &["apply", "--runbook"]);
    let plan = || ["out/lists/due.csv", "out/due.manifest.json"].map(|file| place.path(file).exists());
    let script = |tenant: &str| place.path(&format!("out/runbooks/{tenant}/turn-off.ps1")).exists();
    campaign(&place, "2026-11-03", &["confirm", HARBOUR_LANE]);
    assert_eq!(plan(), [true; 2], "what is done may be listed");
    campaign(&place, "2026-11-03", &["opt-out", BRACKENRIDGE, "--by", "it"]);
    assert!(!script(BRACKENRIDGE), "it opted out");
    assert_eq!(plan(), [false; 2], "it lists a tenant that opted out");

    let (_, due, _) = campaign(&place, "2026-11-03", &["apply", "--runbook"]);
    assert_eq!((due.len(), plan()), (2, [true; 2]));
    let tenant = due[0]["tenant_id"].as_str().expect("an id");
    campaign(&place, "2026-11-03", &with(&["withdraw", "--tenant", tenant]));
    assert!(!script(tenant) && plan() == [false; 2], "it was withdrawn");
}

#[test]
fn a_rehearsal_tells_the_calendar_and_touches_nothing() {
    let place = decided();
    let (code, calendar, said) = campaign(&place, "2026-11-02", &["rehearse"]);
    assert_eq!(code, 0, "{said}");
    let steps: Vec<(&str, &str)> = calendar
        .iter()
        .map(|row| (row["date"].as_str().expect("a day"), row["step"].as_str().expect("a step")))
        .collect();
    let expected = [[("2026-11-02", "announced"); 4], [("2026-11-03", "turned_off"); 4]].concat();
    assert_eq!(steps, expected);
    assert_eq!(place.csv(LAKE, "SELECT count(*) FROM campaign_events"), ["0"]);
    assert!(!place.path("out/notices").exists() && !place.path("out/REHEARSAL/runbooks").exists());
    let copy = "out/rehearsal-lake";
    assert_eq!(place.csv(copy, "SELECT count(*) FROM campaign_events"), ["8"]);

    // Again, and further in the copy, where the time that is told is the clock.
    let (code, again, said) = campaign(&place, "2026-11-02", &["rehearse", "--until", "2026-11-02"]);
    assert_eq!((code, again.len()), (0, 4), "{said}");
    let flags = ["--now", "2026-11-03", "--campaign", "quick.toml", "--format", "ndjson", "--out", "copy"];
    let applied = place.tries(copy, &[&["campaign", "apply", "--runbook"], &flags[..]].concat());
    assert_eq!(String::from_utf8_lossy(&applied.stdout).lines().count(), 4);
    assert!(!place.path("copy/runbooks").exists());

    place.write("mine/notes.txt", b"not a lake");
    let (code, _, said) = campaign(&place, "2026-11-02", &["rehearse", "--into", "mine"]);
    assert!(code == 2 && said.contains("not a lake of a rehearsal"), "{said}");
    assert!(place.path("mine/notes.txt").exists());
    for into in ["lake/copy", "lake"] {
        let (code, _, said) = campaign(&place, "2026-11-02", &["rehearse", "--into", into]);
        assert!(code == 2 && said.contains("give another folder with --into"), "{into}: {said}");
    }
}
