//! What goes wrong around a campaign: nothing is announced that nobody can be told, and nothing is told or
//! turned off that is no longer so.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::program::{OPERATOR, Place, sample};

pub(crate) const LAKE: &str = "lake";
pub(crate) const HARBOUR_LANE: &str = "11dd7c61-8b82-4198-a138-2195ef1d85cd";
pub(crate) const BRACKENRIDGE: &str = "f7fd8b2d-fc26-45b7-a0fb-8b8d91076163";

/// The sample logs, decided by a campaign whose notice is of one day.
pub(crate) fn decided() -> Place {
    let place = Place::new();
    let shown = place.run(LAKE, &["campaign", "show"]);
    let rules =
        String::from_utf8(shown.stdout).expect("text").replace("notice_days = 30 ", "notice_days = 1 ");
    place.write("quick.toml", (rules + OPERATOR).as_bytes());
    place.run(LAKE, &["ingest", &sample("logs")]);
    let roster = sample("roster.csv");
    place.run(LAKE, &["assess", "--roster", &roster, "--campaign", "quick.toml", "--as-of", "2026-11-02"]);
    place
}

/// Exit code, rows and what stderr says.
pub(crate) fn campaign(place: &Place, day: &str, arguments: &[&str]) -> (i32, Vec<Value>, String) {
    campaign_at(place, day, day, arguments)
}

/// The same at a time that the program is told and another that the system's clock has.
pub(crate) fn campaign_at(
    place: &Place,
    clock: &str,
    now: &str,
    arguments: &[&str],
) -> (i32, Vec<Value>, String) {
    let flags = ["--now", now, "--campaign", "quick.toml", "--format", "ndjson"];
    let output = place.tries_at(clock, LAKE, &[&["campaign"], arguments, &flags].concat());
    let rows = String::from_utf8(output.stdout).expect("text");
    let rows = rows.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("it ends by itself"), rows, told)
}

fn events(place: &Place) -> usize {
    place.csv(LAKE, "SELECT event_id FROM campaign_events").len()
}

const SENT: &str = "sent/2026-11-02-announced";

// By a clock that is a year slow the days of notice have passed as soon as it is set.
#[test]
fn nothing_is_recorded_by_a_clock_that_the_logs_contradict() {
    let place = decided();
    let (code, _, told) = campaign_at(&place, "2025-11-02", "2026-11-02", &["announce"]);
    assert!(code == 1 && told.contains("the system clock says 2025-11-02T00:00:00Z"), "{told}");
    assert!(told.contains("sign-ins of 2026-") && events(&place) == 0, "{told}");
    let (code, _, told) = campaign_at(&place, "2027-11-02", "2026-11-02", &["announce"]);
    assert!(code == 1 && told.contains("set the clock, or, if it is right"), "{told}");
    assert_eq!(events(&place), 0);
}

#[test]
fn nothing_is_announced_that_can_not_be_written() {
    let place = decided();
    place.write("a-file", b"");
    let (code, _, told) = campaign(&place, "2026-11-02", &["announce", "--out", "a-file"]);
    assert!(code == 1 && events(&place) == 0, "{told}");
    // The folder is there, and no notice can be written into it.
    fs::create_dir(place.path("full")).expect("a folder");
    place.write("full/sent", b"");
    let (code, _, told) = campaign(&place, "2026-11-02", &["announce", "--out", "full"]);
    assert!(code == 1 && told.contains("sent") && events(&place) == 0, "{told}");
    place.write("own/no_impact.md", b"# Hello {{ nobody }}\n");
    let (code, _, told) = campaign(&place, "2026-11-02", &["announce", "--templates", "own"]);
    assert!(code == 1 && told.contains("no_impact.md, line 1") && events(&place) == 0, "{told}");
    let (code, rows, told) = campaign(&place, "2026-11-01", &["announce"]);
    assert!(
        code == 1 && rows.is_empty() && told.contains("but today is 2026-11-01"),
        "before its time: {told}"
    );
    let (code, rows, _) = campaign(&place, "2026-11-02", &["announce"]);
    assert_eq!((code, rows.len(), events(&place)), (0, 4, 4));
    let (code, _, told) = campaign(&place, "2026-11-02", &["announce", "--warnings", "--out", "with"]);
    assert!(code == 0 && events(&place) > 4, "{told}");
    check_manifest(&place, "with/warned.manifest.json");
    let before = events(&place);
    campaign(&place, "2026-11-02", &["announce", "--warnings", "--out", "with"]);
    assert_eq!(events(&place), before, "a tenant is warned once on a decision");
}

#[test]
fn waves_are_those_of_the_file_and_other_rules_must_be_those_of_the_decision() {
    let place = decided();
    let rules = fs::read_to_string(place.path("quick.toml")).expect("the campaign");
    let waves = format!("{rules}\n[waves]\nexclude_tenants = ['{HARBOUR_LANE}']\npending_max = 2\n");
    place.write("quick.toml", waves.as_bytes());
    let (_, rows, _) = campaign(&place, "2026-11-02", &["status", "--tenant", HARBOUR_LANE]);
    assert_eq!(rows[0]["next_step"], "excluded by the campaign's waves");
    let (code, rows, _) = campaign(&place, "2026-11-02", &["announce"]);
    assert!(
        code == 0 && rows.len() == 2 && rows.iter().all(|row| row["tenant_id"] != HARBOUR_LANE),
        "{rows:?}"
    );

    place.write("quick.toml", rules.replace("notice_days = 1 ", "notice_days = 2 ").as_bytes());
    let (code, _, told) = campaign(&place, "2026-11-02", &["announce"]);
    assert!(code == 1 && told.contains("assess with them first: lightsout assess"), "{told}");
}

/// A roster, `later.csv`, that excludes Harbour Lane.
fn write_roster_with_exclusion(place: &Place) {
    let roster = fs::read_to_string(sample("roster.csv")).expect("the roster");
    let excluded = roster.replace(
        "it@harbourlane.example.net,,,,,",
        "it@harbourlane.example.net,,,,true,it merges with another",
    );
    assert_ne!(excluded, roster);
    place.write("later.csv", excluded.as_bytes());
}

#[test]
fn a_tenant_that_the_roster_excludes_later_stays_on_hold_for_whoever_forgets_the_roster() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    write_roster_with_exclusion(&place);
    let (code, rows, _) = campaign(&place, "2026-11-02", &["recheck", "--roster", "later.csv"]);
    assert_eq!((code, rows[0]["cause"].as_str()), (4, Some("excluded")));
    let (_, due, _) = campaign(&place, "2026-11-03", &["apply"]);
    assert!(due.len() == 3 && due.iter().all(|row| row["tenant_id"] != HARBOUR_LANE), "{due:?}");
    // The roster of now says that it is over, in time for the day.
    place.run(LAKE, &["roster", "set", &sample("roster.csv")]);
    let (code, ..) =
        campaign(&place, "2026-11-02T12:00:00Z", &["recheck", "--roster", &sample("roster.csv")]);
    assert_eq!(code, 0);
    let (_, due, _) = campaign(&place, "2026-11-03", &["apply", "--roster", &sample("roster.csv")]);
    assert_eq!(due.len(), 4);
}

#[test]
fn an_older_roster_ends_no_exclusion_that_the_lake_has() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    write_roster_with_exclusion(&place);
    place.run(LAKE, &["roster", "set", "later.csv"]);
    let (_, due, said) = campaign(&place, "2026-11-03", &["apply", "--roster", &sample("roster.csv")]);
    assert!(due.len() == 3 && due.iter().all(|row| row["tenant_id"] != HARBOUR_LANE), "{said}: {due:?}");
}

#[test]
fn scripts_without_their_index_are_taken_away() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    campaign(&place, "2026-11-03", &["apply", "--runbook"]);
    let script = place.path(&format!("out/runbooks/{BRACKENRIDGE}/turn-off.ps1"));
    assert!(script.exists());
    fs::remove_file(place.path("out/runbooks/index.csv")).expect("removed");
    campaign(&place, "2026-11-03", &["recheck"]);
    assert!(!script.exists(), "nobody can tell what it turns off");
}

#[test]
fn a_script_that_is_not_due_any_more_is_taken_away_and_the_list_of_files_is_right() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    campaign(&place, "2026-11-03", &["apply", "--runbook"]);
    let script = |name: &str| place.path(&format!("out/runbooks/{BRACKENRIDGE}/{name}"));
    assert!(script("turn-off.ps1").exists());
    check_manifest(&place, "out/due.manifest.json");
    campaign(&place, "2026-11-03", &["opt-out", BRACKENRIDGE, "--by", "it"]);
    campaign(&place, "2026-11-03", &["apply", "--runbook"]);
    assert!(!script("turn-off.ps1").exists() && script("undo.ps1").exists());
    check_manifest(&place, "out/due.manifest.json");
}

#[test]
fn drafts_go_when_their_notice_is_sent_and_what_was_sent_stays() {
    let place = decided();
    let (roster, logs) = (sample("roster.csv"), sample("logs"));
    let run = ["run", &logs, "--roster", &roster, "--campaign", "quick.toml", "--as-of", "2026-11-02"];
    let read =
        |folder: &str| fs::read_to_string(place.path(&format!("out/{folder}/{HARBOUR_LANE}/notice.md")));
    place.run(LAKE, &run);
    assert!(read("notices").expect("a draft").contains("DRAFT"));
    campaign(&place, "2026-11-02", &["announce"]);
    let announced = read(SENT).expect("a notice");
    assert!(!announced.contains("DRAFT"));
    assert!(read("notices").is_err(), "the draft is gone");
    let manifests = [
        "out/notices/manifest.json",
        "out/announced.manifest.json",
        "out/sent/2026-11-02-announced/manifest.json",
    ];
    for manifest in &manifests {
        check_manifest(&place, manifest);
    }
    place.run(LAKE, &run);
    assert_eq!(read(SENT).expect("a notice"), announced, "what was sent stays");
    assert!(read("notices").is_err(), "no draft of what has been announced");
    for manifest in &manifests {
        check_manifest(&place, manifest);
    }

    // What a mailing job takes.
    let list = fs::read_to_string(place.path(&format!("out/{SENT}/recipients.csv"))).expect("a list");
    let row = format!("{HARBOUR_LANE},it@harbourlane.example.net,");
    assert!(list.starts_with("tenant_id,to,subject,file,language,kind\n"), "{list}");
    assert_eq!((list.lines().count(), list.matches(&row).count()), (5, 1), "{list}");
    let mailbox = fs::read_to_string(place.path(&format!("out/{SENT}/notices.mbox"))).expect("a mailbox");
    let mails = mailbox.lines().filter(|line| line.starts_with("From ")).count();
    assert_eq!(mails, list.lines().filter(|line| line.contains('@')).count(), "each that has a recipient");
    let day_later = "# changed by hand";
    fs::write(place.path(&format!("out/{SENT}/{HARBOUR_LANE}/notice.md")), day_later).expect("a file");
    campaign(&place, "2026-11-03", &["announce"]);
    assert_eq!(read(SENT).expect("a notice"), day_later, "a notice of an earlier day is not written again");
}

#[test]
fn a_script_goes_with_the_next_command_after_an_opt_out() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    campaign(&place, "2026-11-03", &["apply", "--runbook"]);
    let script = |tenant: &str| place.path(&format!("out/runbooks/{tenant}/turn-off.ps1"));
    assert!(script(BRACKENRIDGE).exists() && script(HARBOUR_LANE).exists());
    campaign(&place, "2026-11-03", &["opt-out", BRACKENRIDGE, "--protocol", "imap4", "--by", "it"]);
    campaign(&place, "2026-11-03", &["recheck"]);
    assert!(!script(BRACKENRIDGE).exists(), "it would turn off what is kept");
    assert!(script(HARBOUR_LANE).exists());
    campaign(&place, "2026-11-03", &["confirm", HARBOUR_LANE, "--at", "2026-11-03"]);
    assert!(!script(HARBOUR_LANE).exists(), "it has been done");
    check_manifest(&place, "out/confirmed.manifest.json");
}

#[test]
fn usage_of_what_was_turned_off_is_told() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    place.write("a-file", b"");
    let before = events(&place);
    let (code, ..) = campaign(&place, "2026-11-03", &["confirm", HARBOUR_LANE, "--out", "a-file"]);
    assert_eq!((code, events(&place)), (1, before), "nothing is confirmed that nobody can be told");
    let (code, ..) = campaign(&place, "2026-11-03", &["confirm", HARBOUR_LANE, "--at", "2026-11-03"]);
    assert_eq!(code, 0);
    let record = format!(
        r#"{{"time":"2026-11-06T08:20:00Z","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"{HARBOUR_LANE}","properties":{{"id":"99000000-0000-4000-8000-000000000001","createdDateTime":"2026-11-06T08:15:00Z","userPrincipalName":"scanner@harbourlane.example.net","clientAppUsed":"IMAP4","status":{{"errorCode":0}}}}}}"#
    );
    place.write("late.json", record.as_bytes());
    place.run(LAKE, &["ingest", "late.json"]);
    let (code, _, told) = campaign(&place, "2026-11-07", &["recheck"]);
    let line = format!("{HARBOUR_LANE} still uses imap4, which was turned off on 2026-11-03");
    assert!(code == 4 && told.contains(&line), "{told}");
    let list = fs::read_to_string(place.path("out/lists/used_after_change.csv")).expect("a list");
    assert!(list.contains(HARBOUR_LANE) && list.contains("2026-11-06"), "{list}");
    let (_, state, _) = campaign(&place, "2026-11-07", &["status", "--state", "used_after_change"]);
    assert_eq!((state.len(), state[0]["protocols_used_after_change"].as_str()), (1, Some("imap4")));
    let (code, _, told) = campaign(&place, "2026-11-07", &["recheck"]);
    assert!(code == 0 && told.contains(&line), "known, and still told: {told}");
}

// The first texts sent people to a diagnostic that had been closed, and named nobody to write to.
#[test]
fn without_an_operator_nothing_is_announced_or_turned_off() {
    let place = decided();
    let operated = fs::read_to_string(place.path("quick.toml")).expect("the campaign");
    let rules = operated.replace(OPERATOR, "");
    place.write("quick.toml", rules.as_bytes());
    for command in ["announce", "apply"] {
        let (code, rows, told) = campaign(&place, "2026-11-02", &[command]);
        assert_eq!((code, rows.len(), events(&place)), (2, 0, 0), "{told}");
        assert!(told.contains("does not say who runs it") && told.contains("campaign show"), "{told}");
        assert!(told.contains(OPERATOR.trim()), "the lines to add: {told}");
    }
    let roster = sample("roster.csv");
    place.run(LAKE, &["notices", "--campaign", "quick.toml", "--out", "drafts"]);
    let draft = place.path(&format!("drafts/notices/{HARBOUR_LANE}/notice.md"));
    let draft = fs::read_to_string(draft).expect("a draft");
    assert!(draft.contains("The operator of this campaign is not set"), "{draft}");

    // The lines of the message are enough, and the decision stays.
    place.write("quick.toml", rules.replace("\n[texts]", &format!("{OPERATOR}\n[texts]")).as_bytes());
    let (code, rows, told) = campaign(&place, "2026-11-02", &["announce", "--roster", &roster]);
    assert!(code == 0 && !rows.is_empty(), "{told}");
    let notice = place.path(&format!("out/sent/2026-11-02-announced/{HARBOUR_LANE}/notice.md"));
    let notice = fs::read_to_string(notice).expect("a notice");
    assert!(notice.contains("write to basic-auth@example.com by 3 November 2026"), "{notice}");
    let mail = place.path(&format!("out/sent/2026-11-02-announced/{HARBOUR_LANE}/notice.eml"));
    let mail = fs::read_to_string(mail).expect("a mail");
    assert!(mail.contains("Reply-To: <basic-auth@example.com>"), "{mail}");

    // What a tenant asks for by that address reaches the ledger.
    let (code, kept, told) = campaign(&place, "2026-11-03", &["opt-out", HARBOUR_LANE, "--by", "it"]);
    assert_eq!((code, kept.len()), (0, 9), "all protocols of the notice: {told}");
    let (_, due, _) = campaign(&place, "2026-11-03", &["apply"]);
    assert!(due.iter().all(|row| row["tenant_id"] != HARBOUR_LANE), "{due:?}");
}

#[test]
fn who_collects_once_a_week_is_told_to_collect_and_repeat() {
    let place = decided();
    let arguments = ["campaign", "announce", "--now", "2026-11-05", "--campaign", "quick.toml"];
    // Without --quiet, as a person would.
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lightsout"))
        .args(arguments)
        .arg("--lake")
        .arg(place.path(LAKE))
        .current_dir(place.path(""))
        .output()
        .expect("the program starts");
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success() && events(&place) == 0, "{told}");
    for part in [
        "0 tenants announced",
        "skipped, logs not collected up to today: 4 (collect the logs, then run this again)",
        "not_settled: interactive: the log proves nothing after 2026-11-02, because records arrive late; collect the log again, \
         then repeat",
        "and 1 more; see: lightsout explain TENANT",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }

    campaign(&place, "2026-11-02", &["announce"]);
    let (code, held, _) = campaign(&place, "2026-11-06", &["recheck"]);
    assert_eq!((code, held.len()), (4, 4), "the same rule holds what it would not have announced");
    let (code, due, _) = campaign(&place, "2026-11-06", &["apply"]);
    assert_eq!((code, due.len()), (0, 0), "and nothing of it goes off");
    let (_, due, _) = campaign(&place, "2026-11-03", &["apply"]);
    assert_eq!(due.len(), 0, "a hold is not undone by a clock that lags");
}

/// Every file that a manifest names is there, and is what it says.
fn check_manifest(place: &Place, path: &str) {
    let text = fs::read_to_string(place.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    let folder = place.path(path).parent().expect("a folder").to_owned();
    let files = manifest["files"].as_array().expect("files");
    assert!(!files.is_empty(), "{path}");
    for file in files {
        let name = file["file"].as_str().expect("a name");
        let bytes = fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{path}: {name}: {error}"));
        let sum = Sha256::digest(&bytes).iter().fold(String::new(), |mut sum, byte| {
            let _ = write!(sum, "{byte:02x}");
            sum
        });
        assert_eq!(file["sha256"], sum, "{path}: {name}");
    }
}
