//! Half of the log: one category was exported and the other was not.

use crate::logs::{Log, Tenant, at, day, working_days};
use crate::told::Case;

fn agency() -> Tenant {
    Tenant::new(0x31, "northgate.example.org").works(working_days("2026-09-01", "2026-10-30"), 5)
}

#[test]
fn graph_v1_gives_interactive_sign_ins_alone_and_the_other_log_is_asked_for() {
    let agency = agency();
    let mut case = Case::new(
        "graph_v1_only",
        "Five users; a script fetched /auditLogs/signIns of Graph v1.0, thirty days.",
    );
    case.place.write("signIns.json", &agency.graph_v1(at(day("2026-10-30"), 18, 0), 30));
    case.ingest(&["signIns.json", "--tenant", &agency.id]);
    case.explain(&agency, "insufficient_evidence", &[]);
    case.matches_what_was_told();
}

#[test]
fn the_interactive_download_alone_is_half_of_the_log() {
    let agency = agency();
    let mut case = Case::new(
        "portal_interactive_only",
        "Five users; somebody downloaded the portal's first tab, interactive sign-ins, thirty days.",
    );
    let download = agency.portal_download(Log::Interactive, at(day("2026-10-30"), 18, 0), 30);
    case.place.write("InteractiveSignIns_2026-09-30_2026-10-30.json", &download);
    case.ingest(&["InteractiveSignIns_2026-09-30_2026-10-30.json", "--tenant", &agency.id]);
    case.assess(&[]);
    case.explain(&agency, "insufficient_evidence", &[]);
    case.notice(&agency, "What is missing");
    case.matches_what_was_told();
}

#[test]
fn non_interactive_sign_ins_alone_are_half_of_the_log_as_well() {
    let agency = agency();
    let mut case = Case::new(
        "non_interactive_only",
        "Five users; the diagnostic setting sends NonInteractiveUserSignInLogs and nothing else.",
    );
    case.place.write("hub.json", &agency.diagnostic_log(Log::NonInteractive, at(day("2026-10-30"), 18, 0)));
    case.ingest(&["hub.json"]);
    case.explain(&agency, "insufficient_evidence", &[]);
    case.matches_what_was_told();
}
