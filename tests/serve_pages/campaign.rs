//! Pages of a lake with a ledger: where the campaign stands, and what a tenant keeps.

use crate::program::{OPERATOR, Place, sample};
use crate::server::{LAKE, Server};

const BRACKENRIDGE: &str = "f7fd8b2d-fc26-45b7-a0fb-8b8d91076163";

#[test]
fn pages_show_dates_and_opt_outs_as_soon_as_they_are_recorded() {
    let place = Place::new();
    let (logs, roster) = (sample("logs"), sample("roster.csv"));
    let campaign = String::from_utf8(place.run(LAKE, &["campaign", "show"]).stdout).expect("text");
    place.write("operated.toml", (campaign + OPERATOR).as_bytes());
    let with_campaign = |arguments: &[&str]| {
        place.run(LAKE, &[arguments, &["--campaign", "operated.toml"]].concat());
    };
    place.run(LAKE, &["ingest", &logs]);
    with_campaign(&["assess", "--roster", &roster, "--as-of", "2026-11-02", "--out", "out"]);
    let report = || std::fs::read_to_string(place.path("out/report.html")).expect("a page");
    assert!(!report().contains("id=\"campaign\""), "nothing was announced");
    with_campaign(&["campaign", "announce", "--now", "2026-11-02"]);
    let opt_out = ["campaign", "opt-out", BRACKENRIDGE, "--protocol", "pop3", "--by", "Ada <it>"];
    with_campaign(&[&opt_out[..], &["--now", "2026-11-03"]].concat());
    with_campaign(&["assess", "--as-of", "2026-11-02", "--out", "out"]);
    assert!(report().contains("id=\"campaign\"") && report().contains("2026-12-02"));

    let file = place.path("operated.toml").display().to_string();
    let server = Server::over(place, &["--as-of", "2026-11-02", "--campaign", &file], &[]);
    let page = server.page("/").body;
    assert!(page.contains("id=\"campaign\"") && page.contains("Announced tenants"), "{page}");
    let page = server.page(&format!("/tenants/{BRACKENRIDGE}")).body;
    assert!(page.contains("Announced on 2026-11-02, for"), "{page}");
    assert!(page.contains("Opted out: pop3 on 2026-11-03 by Ada &lt;it&gt;"), "{page}");
}
