//! The page of drawn tenants: what it says, what it lets through, and how large it gets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Days;
use sha2::{Digest, Sha256};

use super::data::{Links, Snapshot, TENANT_ROWS_MAX};
use super::gaps::Possible;
use super::render;
use super::sample::{HOSTILE, NOTHING_ANNOUNCED, Sample, covered, day, records, tenant_id};
use lightsout_assess::assess;
use lightsout_model::evidence::{DailyCounts, DayRange, TenantEvidence, Window};
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::{ProtocolVerdict, TenantVerdict};

/// What lies between the first two marks.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let start = page.find(from).unwrap_or_else(|| panic!("{from} is not in the page")) + from.len();
    let end = page[start..].find(to).unwrap_or_else(|| panic!("{to} does not follow {from}"));
    &page[start..start + end]
}

/// The rows of a list, each as its cells' text with the markup in them.
fn rows<'a>(page: &'a str, id: &str) -> Vec<Vec<&'a str>> {
    let list = between(page, &format!("<div class=list id={id}>"), "</div></div>");
    list.split("\n<tr><th scope=row>")
        .skip(1)
        .map(|row| row.lines().next().unwrap_or_default().split("<td").collect())
        .collect()
}

/// The text of a cell: what follows the end of its tag.
fn text(cell: &str) -> &str {
    cell.split_once('>').map_or("", |(_, text)| text)
}

/// The page with its commands as one would copy them: each of their words is a box of its own.
fn as_typed(page: &str) -> String {
    page.replace("<span>", "").replace("</span>", "").replace("&#x2f;", "/")
}

#[test]
fn every_tenant_has_a_row_with_its_verdict_and_its_users_by_protocol() {
    let sample = Sample::of(300, false);
    let page = sample.page();
    let rows = rows(&page, "tenants");
    assert_eq!(rows.len(), 300);
    let head = between(&page, "<div class=list id=tenants>", "</thead>");
    let columns = head.matches("<abbr").count();
    for tenant in &sample.assessment.tenants {
        let row = rows.iter().find(|row| row[0].contains(&tenant.tenant_id)).expect("a row");
        let verdict = match tenant.verdict {
            TenantVerdict::NoImpact => "no impact",
            TenantVerdict::Warning => "warning",
            TenantVerdict::InsufficientEvidence => "cannot tell",
            TenantVerdict::Excluded => "excluded",
        };
        assert_eq!((text(row[1]), text(row[3])), (verdict, tenant.users.to_string().as_str()));
        let cells: Vec<&str> =
            row[4..].iter().map(|cell| text(cell)).filter(|text| !text.is_empty()).collect();
        let expected: Vec<String> = tenant
            .protocols
            .iter()
            .filter_map(|row| match row.verdict {
                ProtocolVerdict::InUse => Some(row.users.to_string()),
                ProtocolVerdict::Unproven => Some("?".to_owned()),
                ProtocolVerdict::Attempted => Some("×".to_owned()),
                ProtocolVerdict::AlreadyOff => Some("off".to_owned()),
                ProtocolVerdict::Unused => None,
            })
            .collect();
        assert_eq!(cells, expected, "{}", tenant.tenant_id);
        assert_eq!(row.len(), 4 + columns);
    }
    let undecided =
        sample.assessment.tenants.iter().filter(|of| of.verdict == TenantVerdict::InsufficientEvidence);
    assert_eq!(self::rows(&page, "gaps").len(), undecided.count());
}

#[test]
fn the_same_snapshot_gives_the_same_bytes() {
    assert_eq!(Sample::of(40, true).page(), Sample::of(40, true).page());
}

#[test]
fn the_policy_permits_the_style_and_the_script_of_the_page_and_nothing_else() {
    let page = Sample::of(20, true).page();
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"")
        .replace("&#x27;", "'")
        .replace("&#x2f;", "/");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    for (name, from, to) in [("style", "<style>", "</style>"), ("script", "<script>", "</script>")] {
        assert_eq!((page.matches(from).count(), page.matches(to).count()), (1, 1));
        let hash = STANDARD.encode(Sha256::digest(between(&page, from, to)));
        assert!(policy.contains(&format!("{name}-src 'sha256-{hash}'")), "{policy}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    // Nothing is loaded, and no attribute is style or script.
    let page = Sample::of(20, false).page();
    for loads in
        ["src=", "@import", "<link", "<iframe", "http:", "https:", " style=", " onload=", "javascript:"]
    {
        assert!(!page.contains(loads), "{loads}");
    }
    assert_eq!(page.matches("url(").count(), page.matches("url(#").count());
}

#[test]
fn hostile_names_are_text() {
    let page = Sample::of(30, true).page();
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"));
    assert!(page.contains("{{ script }} {% raw %} &amp; &lt;b&gt;bold&lt;/b&gt; &#39;"));
    for hostile in ["<img", "<svg onload", "<b>bold", "\u{202e}", "\u{0}", "\u{200b}"] {
        assert!(!page.contains(hostile), "{hostile:?}");
    }
    let mut sample = Sample::of(1, false);
    sample.campaign.title = HOSTILE[0].to_owned();
    sample.assessment.tenants[0].tenant_id = "x'; rm -rf ~ #\"><script>".to_owned();
    let page = sample.page();
    assert_eq!(page.matches("<script").count(), 1);
    let commands = as_typed(&page);
    assert!(
        !commands.contains("explain x") && commands.contains("explain TENANT"),
        "an id that is no word is not typed"
    );
}

#[test]
fn pages_of_no_tenant_and_of_one_say_so() {
    let none = as_typed(&Sample::of(0, false).page());
    for part in ["There is no tenant to assess.", "lightsout ingest my-logs/", "Nobody was found"] {
        assert!(none.contains(part), "{part}");
    }
    let one = Sample::of(1, false).page();
    assert!(one.contains("Of 1 tenant, <b>1</b> still\nuses it"));
    assert_eq!(rows(&one, "tenants").len(), 1);
}

#[test]
fn ten_thousand_tenants_are_all_there_and_the_page_stays_small() {
    let page = Sample::of(10_000, false).page();
    assert_eq!(rows(&page, "tenants").len(), 10_000);
    assert!(page.len() < 6_000_000, "{} bytes", page.len());
    assert!(page.contains("<span class=part>, 9,751 to 10,000</span>"));
    assert!(page.contains("room here"), "tenants without a row of users are counted");
}

#[test]
fn what_has_no_place_is_counted_and_the_file_that_has_it_is_named() {
    let more = TENANT_ROWS_MAX + 7;
    let page = Sample::of(more, false).page();
    assert_eq!(rows(&page, "tenants").len(), TENANT_ROWS_MAX);
    let told = between(&page, "<p class=\"left-out\">", "</p>");
    assert!(told.starts_with("7 tenants are left out here") && told.contains("assessment.csv"), "{told}");
}

#[test]
fn a_server_leads_from_a_tenant_to_its_page_and_to_its_own_files() {
    let sample = Sample::of(2, false);
    let Sample { campaign, assessment, usage } = &sample;
    let address = |id: &str| format!("/tenants/{id}?a=1&b=\"");
    let file = |name: &str| name.starts_with("assessment.").then(|| format!("/files/{name}"));
    let links = Links { file: &file, tenant: Some(&address), asked: None };
    let page = render(&Snapshot { campaign, assessment, usage, standing: NOTHING_ANNOUNCED }, &links)
        .expect("a page");
    let id = tenant_id(0);
    assert!(page.contains(&format!("<a href=\"/tenants/{id}?a=1&amp;b=&quot;\">")));
    let page = page.replace("&#x2f;", "/");
    assert!(page.contains("<a href=\"/files/assessment.csv\">"));
    assert!(!page.contains("lists/warning.csv\">"), "a file that is not there has no link");
}

/// The verdict of one tenant, as of a day.
fn judged(evidence: &TenantEvidence, as_of: chrono::NaiveDate) -> lightsout_model::verdict::TenantAssessment {
    let campaign = lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("embedded");
    let window = Window::before(as_of, campaign.window_days);
    assess(&campaign, &Roster::default(), std::slice::from_ref(evidence), window).remove(0)
}

#[test]
fn the_rules_give_a_verdict_on_the_day_that_is_told_as_possible() {
    let as_of = day(11, 2);
    let window = Window::before(as_of, 30);
    let last = as_of - Days::new(1);
    let mut with_gap = covered(day(7, 1), last);
    let days = with_gap.coverage.get_mut(&Category::NonInteractive).expect("it was made");
    days.records =
        records(&[DayRange { first: day(7, 1), last: day(10, 9) }, DayRange { first: day(10, 18), last }]);
    let short = covered(day(10, 20), last);
    for found in [with_gap, short] {
        let tenant = judged(&found, as_of);
        let Possible::From(possible) = Possible::of(&tenant, window) else {
            panic!("{:?}", tenant.reasons);
        };
        // Collected without a gap until then.
        let mut later = found.clone();
        let since = covered(last, possible);
        for (category, days) in &mut later.coverage {
            let since = &since.coverage[category];
            days.records =
                DailyCounts::of(days.records.days().chain(since.records.days()).collect::<Vec<_>>());
            days.latest_at = since.latest_at;
        }
        assert_eq!(judged(&later, possible).verdict, TenantVerdict::NoImpact, "{possible}");
        let long_before = judged(&later, possible - Days::new(5));
        assert_eq!(long_before.verdict, TenantVerdict::InsufficientEvidence, "five days before {possible}");
    }
    let lagging = covered(day(7, 1), day(10, 28));
    let Possible::Now { as_of: earlier } = Possible::of(&judged(&lagging, as_of), window) else {
        panic!("it only lags");
    };
    assert_eq!(judged(&lagging, earlier).verdict, TenantVerdict::NoImpact);
    let nothing = judged(&TenantEvidence::default(), as_of);
    assert_eq!(Possible::of(&nothing, window), Possible::OnceExported);
}

/// Pages for `.ci/pages` to open in a browser.
#[test]
fn every_size_of_page_is_written() {
    let folder = std::env::var_os("LIGHTSOUT_PAGES").map(std::path::PathBuf::from);
    let sizes = [("none", 0, false), ("one", 1, false), ("hostile", 30, true), ("many", 10_000, false)];
    for (name, tenants, hostile) in sizes {
        let page = Sample::of(tenants, hostile).page();
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{name}");
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).expect("a folder");
            std::fs::write(folder.join(format!("{name}.html")), page).expect("a page");
        }
    }
}
