//! The folder of runbooks, and what the program makes of the results of its runner.

use std::fs;

use crate::mishaps::{BRACKENRIDGE, HARBOUR_LANE, LAKE, campaign, decided};
use crate::program::{Place, sample};

fn text(place: &Place, file: &str) -> String {
    let path = place.path(&format!("out/runbooks/{file}"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn the_runner_and_the_index_name_the_tenants_that_have_scripts() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce", "--wave", "3"]);
    let (_, due, _) = campaign(&place, "2026-11-03", &["apply", "--runbook"]);
    let (index, runner) = (text(&place, "index.csv"), text(&place, "run-all.ps1"));
    for script in [&index, &runner] {
        assert!(script.starts_with('\u{feff}'), "Windows PowerShell 5.1 reads it as UTF-8");
    }
    assert_eq!((index.lines().count(), runner.matches("Due = $true").count()), (4, 3));
    for row in &due {
        let tenant = row["tenant_id"].as_str().expect("an id");
        let protocols = row["protocols"].as_str().expect("protocols");
        let line = index.lines().find(|line| line.contains(tenant)).expect("a row of the index");
        assert!(line.starts_with("2026-11-02,") && line.contains(protocols), "{line}");
        assert!(line.contains(",2026-11-03,2026-11-06,"), "from its day on, for three days: {line}");
        let script = text(&place, &format!("{tenant}/turn-off.ps1"));
        assert!(
            script.contains("$validUntil = '2026-11-06'") && script.contains(", announcement "),
            "{script}"
        );
    }

    // One opts out: its undo stays with the runner, which turns nothing off there any more.
    let tenant = due[0]["tenant_id"].as_str().expect("an id");
    campaign(&place, "2026-11-03", &["opt-out", tenant, "--by", "it"]);
    campaign(&place, "2026-11-03", &["apply", "--runbook"]);
    let runner = text(&place, "run-all.ps1");
    let row = runner.lines().find(|line| line.contains(tenant)).expect("a row of the runner");
    assert!(row.ends_with("Due = $false }") && runner.matches("Due = $true").count() == 2, "{row}");
    assert!(!text(&place, "index.csv").contains(tenant));
}

#[test]
fn results_of_the_runner_confirm_the_tenants_that_finished() {
    let place = decided();
    campaign(&place, "2026-11-02", &["announce"]);
    campaign(&place, "2026-11-03", &["apply", "--runbook"]);
    let results = format!(
        "\u{feff}\"tenant_id\",\"happened_at\",\"step\",\"outcome\",\"protocols\",\"detail\"\r\n\
         \"{HARBOUR_LANE}\",\"2026-11-03T09:00:00Z\",\"guards\",\"passed\",\"\",\"tenant\"\r\n\
         \"{HARBOUR_LANE}\",\"2026-11-03T09:00:30Z\",\"finish\",\"done\",\"pop3;imap4\",\"\"\r\n\
         \"{BRACKENRIDGE}\",\"2026-11-03T09:01:00Z\",\"stop\",\"failed\",\"\",\"The connection is to tenant x\"\r\n"
    );
    place.write("result.csv", results.as_bytes());
    let (code, _, told) = campaign(&place, "2026-11-04", &["opt-out", "--from", "result.csv", "--by", "it"]);
    assert!(code == 2 && told.contains("unknown column 'step'"), "{told}");
    let (code, rows, told) =
        campaign(&place, "2026-11-04", &["confirm", "--from", "result.csv", "--by", "Bo"]);
    assert_eq!((code, rows.len()), (0, 1), "{told}");
    assert_eq!(rows[0]["tenant_id"], HARBOUR_LANE);
    assert!(
        told.contains(&format!("tenant {BRACKENRIDGE}: its script did not finish, according to result.csv")),
        "{told}"
    );
    let off = "SELECT protocols FROM campaign_events WHERE event = 'confirmed'";
    assert_eq!(place.csv(LAKE, off).len(), 1);
}

#[test]
fn a_roster_without_a_domain_is_told_when_its_scripts_are_written() {
    let place = decided();
    let roster = fs::read_to_string(sample("roster.csv")).expect("the roster");
    place.write("roster.csv", roster.replace("harbourlane.example.net,commercial", ",commercial").as_bytes());
    campaign(&place, "2026-11-02", &["announce"]);
    let arguments = [
        "campaign",
        "apply",
        "--runbook",
        "--now",
        "2026-11-03",
        "--campaign",
        "quick.toml",
        "--roster",
        "roster.csv",
    ];
    // Without --quiet, as a person would.
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lightsout"))
        .args(arguments)
        .arg("--lake")
        .arg(place.path(LAKE))
        .current_dir(place.path(""))
        .env("LIGHTSOUT_CLOCK", "2026-11-03")
        .output()
        .expect("the program starts");
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success() && told.contains("the roster gives 1 tenant no domain"), "{told}");
    assert!(text(&place, &format!("{HARBOUR_LANE}/turn-off.ps1")).contains("\n$domains = @()\n"));
}

#[test]
fn a_campaign_whose_policy_would_have_too_long_a_name_is_a_usage_error() {
    let place = decided();
    let rules = fs::read_to_string(place.path("quick.toml")).expect("the campaign");
    let named = |length| {
        let name = format!("name = \"{}\"", "x".repeat(length));
        rules.replace("name = \"basic-auth-all-protocols\"", &name)
    };
    place.write("quick.toml", named(54).as_bytes());
    let (code, _, told) = campaign(&place, "2026-11-02", &["status"]);
    assert_eq!(code, 0, "{told}");
    place.write("quick.toml", named(55).as_bytes());
    let (code, _, told) = campaign(&place, "2026-11-02", &["status"]);
    assert!(code == 2 && told.contains("at most 54 letters") && told.contains("64 characters"), "{told}");
}
