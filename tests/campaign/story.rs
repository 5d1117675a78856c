//! Three months of a campaign, from the first decision to the last follow-up, on the sample logs.

use std::fs;

use serde_json::Value;

use crate::months::write_earlier;
use crate::program::{Place, sample};

const LAKE: &str = "lake";
const HARBOUR_LANE: &str = "11dd7c61-8b82-4198-a138-2195ef1d85cd";
const OLD_MILL: &str = "23220695-6f56-4566-aba9-b1fad220a1c8";
const BRACKENRIDGE: &str = "f7fd8b2d-fc26-45b7-a0fb-8b8d91076163";
const TIDEWATER: &str = "d974cd3d-cc4d-4800-a917-aa301307b6dc";

struct Campaign {
    place: Place,
    roster: String,
}

impl Campaign {
    /// Runs a campaign command on a day and gives its exit code and its rows.
    fn on(&self, day: &str, arguments: &[&str]) -> (i32, Vec<Value>) {
        let campaign = self.place.operated("basic-auth-all-protocols");
        let flags = ["--now", day, "--roster", &self.roster, "--campaign", campaign, "--format", "ndjson"];
        let output = self.place.tries_at(day, LAKE, &[&["campaign"], arguments, &flags].concat());
        let rows = String::from_utf8(output.stdout).expect("text");
        let rows = rows.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
        let code = output.status.code().expect("it ends by itself");
        assert_ne!(code, 2, "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        (code, rows)
    }

    fn state(&self, day: &str, tenant: &str) -> Value {
        let (_, mut rows) = self.on(day, &["status", "--tenant", tenant]);
        assert_eq!(rows.len(), 1);
        rows.remove(0)
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.place.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// One more sign-in by IMAP.
    fn somebody_uses_imap(&self, tenant: &str, day: &str) {
        let record = format!(
            r#"{{"time":"{day}T08:20:00Z","operationName":"Sign-in activity","category":"NonInteractiveUserSignInLogs","tenantId":"{tenant}","properties":{{"id":"99000000-0000-4000-8000-000000000001","createdDateTime":"{day}T08:15:00Z","userPrincipalName":"old.scanner@harbourlane.example.net","clientAppUsed":"IMAP4","userAgent":"BAV2ROPC","resourceId":"00000002-0000-0ff1-ce00-000000000000","status":{{"errorCode":0}}}}}}"#
        );
        self.place.write("late.json", record.as_bytes());
        self.place.run(LAKE, &["ingest", "late.json"]);
    }
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["tenant_id"].as_str()).collect()
}

#[test]
fn a_campaign_of_three_months() {
    let campaign = Campaign { place: Place::new(), roster: sample("roster.csv") };
    let place = &campaign.place;

    // July and August: logs are collected, and on 25 August somebody decides.
    write_earlier(place, "july", 105);
    write_earlier(place, "august", 70);
    place.run(LAKE, &["ingest", "july", "august"]);
    place.run(LAKE, &["assess", "--roster", &campaign.roster, "--as-of", "2026-08-24", "--out", "assessed"]);
    let (_, before) = campaign.on("2026-08-25", &["status"]);
    let eligible: Vec<&str> = ids(&before)
        .into_iter()
        .filter(|id| campaign.state("2026-08-25", id)["state"] == "eligible")
        .collect();
    assert!(eligible.contains(&HARBOUR_LANE) && eligible.contains(&OLD_MILL), "{eligible:?}");
    assert_eq!(campaign.state("2026-08-25", TIDEWATER)["state"], "not_eligible", "its log has a gap");

    // A decision that is a week old is too old to be announced.
    let (code, _) = campaign.on("2026-08-31", &["announce"]);
    assert_eq!(code, 1);
    let (_, none) = campaign.on("2026-08-31", &["status", "--state", "announced"]);
    assert!(none.is_empty(), "nothing was recorded");

    // All that are eligible are told, once, with a date of thirty days later.
    let (code, told) = campaign.on("2026-08-25", &["announce", "--by", "Ada", "--out", "announced"]);
    assert_eq!((code, ids(&told)), (0, eligible.clone()));
    assert!(told.iter().all(|row| row["effective_date"] == "2026-09-24"), "{told:?}");
    let notice = campaign.text(&format!("announced/sent/2026-08-25-announced/{HARBOUR_LANE}/notice.md"));
    assert!(notice.contains("24 September 2026") && !notice.contains("DRAFT"), "{notice}");
    let selected = campaign.text(&format!("announced/sent/2026-08-25-announced/{OLD_MILL}/notice.md"));
    assert!(selected.contains("POP3") && !selected.contains("DRAFT"), "{selected}");
    let (code, again) = campaign.on("2026-08-27", &["announce", "--out", "again"]);
    assert_eq!((code, again.len()), (0, eligible.len()), "the same, for whoever lost the files");
    assert_eq!(campaign.text(&format!("again/sent/2026-08-25-announced/{HARBOUR_LANE}/notice.md")), notice);

    // Brackenridge keeps IMAP; the day after the last it could not have.
    let opt_out = ["opt-out", BRACKENRIDGE, "--protocol", "imap4", "--by", "it@brackenridge.example.com"];
    let (code, kept) = campaign.on("2026-09-24", &opt_out);
    assert_eq!((code, kept[0]["protocol"].as_str()), (0, Some("imap4")));
    let (code, _) = campaign.on("2026-09-25", &["opt-out", BRACKENRIDGE, "--protocol", "pop3", "--by", "it"]);
    assert_eq!(code, 1, "the day after");

    // September comes in. Nothing new, nobody on hold.
    write_earlier(place, "september", 40);
    place.run(LAKE, &["ingest", "september"]);
    let (code, held) = campaign.on("2026-09-23", &["recheck", "--out", "rechecked"]);
    assert_eq!((code, held.len()), (0, 0), "{held:?}");

    // On day 29 a forgotten scanner of Harbour Lane signs in.
    campaign.somebody_uses_imap(HARBOUR_LANE, "2026-09-23");
    let (code, held) = campaign.on("2026-09-24", &["recheck", "--out", "rechecked"]);
    assert_eq!((code, ids(&held)), (4, vec![HARBOUR_LANE]));
    assert_eq!((held[0]["cause"].as_str(), held[0]["protocols"].as_str()), (Some("usage"), Some("imap4")));
    let notice = campaign.text(&format!("rechecked/sent/2026-09-24-on_hold/{HARBOUR_LANE}/hold.md"));
    assert!(notice.contains("old.scanner@harbourlane.example.net"), "{notice}");
    let (code, _) = campaign.on("2026-09-24", &["recheck", "--out", "rechecked"]);
    assert_eq!(code, 0, "nothing new");

    // The day: a plan, with scripts that a person reads before running them.
    let (code, due) = campaign.on("2026-09-24", &["apply", "--runbook", "--out", "applied"]);
    assert_eq!((code, ids(&due)), (0, eligible.clone()));
    for row in &due {
        let (tenant, protocols) = (row["tenant_id"].as_str().expect("an id"), row["protocols"].as_str());
        let protocols: Vec<&str> = protocols.expect("protocols").split(';').collect();
        let imap = ![HARBOUR_LANE, OLD_MILL, BRACKENRIDGE].contains(&tenant);
        assert_eq!(protocols.contains(&"imap4"), imap, "{tenant}");
        let script = campaign.text(&format!("applied/runbooks/{tenant}/turn-off.ps1"));
        let off = script.lines().find(|line| line.starts_with("$off = ")).expect("what goes off");
        assert_eq!(off.contains("'AllowBasicAuthImap'"), imap, "{off}");
        assert!(campaign.text(&format!("applied/runbooks/{tenant}/undo.ps1")).contains(tenant));
    }

    // The operator hands the list of what was due back: it has been done.
    let (code, _) = campaign
        .on("2026-09-26", &["confirm", "--from", "applied/lists/due.csv", "--out", "done", "--by", "Bo"]);
    assert_eq!(code, 0);
    let follow_up = campaign.text(&format!("done/sent/2026-09-26-confirmed/{BRACKENRIDGE}/follow_up.md"));
    assert!(follow_up.contains("26 September 2026") && follow_up.contains("IMAP4"), "{follow_up}");
    assert_eq!(campaign.state("2026-09-26", BRACKENRIDGE)["state"], "done");
    assert_eq!(campaign.state("2026-09-26", BRACKENRIDGE)["protocols_opted_out"], "imap4");
    assert_eq!(campaign.state("2026-09-26", HARBOUR_LANE)["state"], "on_hold");
    let (code, nothing) = campaign.on("2026-09-27", &["apply", "--out", "applied"]);
    assert_eq!((code, nothing.len()), (0, 0), "nothing is left to be turned off");

    // October: a new decision, and a tenant that was told once is not told again.
    place.run(LAKE, &["ingest", &sample("logs")]);
    place.run(LAKE, &["assess", "--roster", &campaign.roster, "--as-of", "2026-11-01", "--out", "assessed"]);
    let (code, told) = campaign.on("2026-11-02", &["announce", "--out", "november"]);
    assert_eq!(code, 0);
    assert!(
        told.iter().all(|row| !eligible.contains(&row["tenant_id"].as_str().expect("an id"))),
        "{told:?}"
    );
    let events = place.csv(LAKE, "SELECT count(*), count(DISTINCT event_id) FROM campaign_events");
    let counts: Vec<&str> = events[0].split(',').collect();
    assert_eq!(counts[0], counts[1]);
}
