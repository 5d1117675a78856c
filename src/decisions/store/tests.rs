//! Decisions of generated tenants, kept in a lake and read again.

use std::fs;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use tempfile::TempDir;

use super::*;
use crate::decision::{RULES_VERSION, decide, in_row};
use crate::forget::{ForgetReport, ForgetSettings, forget};
use crate::reproduce;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{
    CategoryCoverage, DailyCounts, DayRange, Dismissal, ProtocolEvidence, UserCount, Window,
};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::RosterTenant;
use lightsout_model::verdict::{Reason, TenantVerdict};

/// What decisions of some tenants follow from.
struct World {
    campaign: Campaign,
    roster: Roster,
    evidence: Vec<TenantEvidence>,
    window: Window,
}

fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 10, 1).expect("a day") + Days::new(number)
}

fn tenant_id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn evidence_of(number: usize) -> TenantEvidence {
    let days = (0..31).map(|at| (day(at), 40));
    let seen = CategoryCoverage {
        records: DailyCounts::of(days),
        first_seen: Some(day(0)),
        stated: vec![DayRange { first: day(0), last: day(if number.is_multiple_of(7) { 12 } else { 31 }) }],
        latest_at: Some(day(31).and_hms_opt(8, 0, 0).expect("a time").and_utc()),
        ..CategoryCoverage::default()
    };
    let usage = ProtocolEvidence {
        usage: UserCount { users: 2, sign_ins: number as u64 },
        last_seen: Some(DateTime::from_timestamp_micros(1_792_000_000_123_456).expect("a time")),
        ..ProtocolEvidence::default()
    };
    let dismissal = Dismissal {
        doubt: "rejected_records".to_owned(),
        paths: vec!["a \"quoted\" path; with a semicolon".to_owned()],
        by_whom: "Ada".to_owned(),
        why: "looked".to_owned(),
        dismissed_at: DateTime::UNIX_EPOCH,
    };
    TenantEvidence {
        tenant_id: tenant_id(number),
        records: 40 * 31,
        protocols: (!number.is_multiple_of(2)).then_some((Protocol::Imap4, usage)).into_iter().collect(),
        users_in_scope: if number.is_multiple_of(2) { 0 } else { 2 },
        coverage: [Category::Interactive, Category::NonInteractive].map(|of| (of, seen.clone())).into(),
        dismissals: if number.is_multiple_of(11) { vec![dismissal] } else { Vec::new() },
        ..TenantEvidence::default()
    }
}

/// Tenants of whom some are in the roster alone, and some in the lake alone.
fn world(tenants: usize) -> World {
    let row = |number: usize| RosterTenant {
        tenant_id: tenant_id(number),
        display_name: Some(format!("Tenant \u{201c}{number}\u{201d}")),
        contacts: vec![format!("admin@tenant-{number}.example.com")],
        exclude: number.is_multiple_of(13).then(|| "asked by phone".to_owned()),
        ..RosterTenant::default()
    };
    let known = (0..tenants).filter(|number| number.is_multiple_of(5) || number.is_multiple_of(3));
    World {
        campaign: lightsout_config::campaign_file::load("basic-auth-all-protocols").expect("built in"),
        roster: Roster { tenants: known.map(|number| (tenant_id(number), row(number))).collect() },
        evidence: (0..tenants).filter(|number| !number.is_multiple_of(5)).map(evidence_of).collect(),
        window: Window::before(day(31), 30),
    }
}

impl World {
    fn basis(&self) -> Basis<'_> {
        reproduce::basis(&self.campaign, &self.roster, &self.evidence, self.window, 0)
    }

    fn decide(&self) -> (Assessment, DecisionRow) {
        decide(&self.basis(), DateTime::UNIX_EPOCH, "{}".to_owned()).expect("a decision")
    }

    async fn keep(&self, lake: &mut Lake) -> (Assessment, DecisionRow) {
        self.keep_at(lake, DateTime::UNIX_EPOCH).await
    }

    async fn keep_at(&self, lake: &mut Lake, at: DateTime<Utc>) -> (Assessment, DecisionRow) {
        let versions = versions(lake).expect("versions");
        let (assessment, row) = decide(&self.basis(), at, versions).expect("a decision");
        keep(lake, &row, &assessment, &self.basis()).await.expect("kept");
        (assessment, row)
    }
}

async fn lake() -> (TempDir, Lake) {
    let folder = tempfile::tempdir().expect("a folder");
    let lake = Lake::open_or_create(folder.path()).await.expect("a lake");
    (folder, lake)
}

fn count(lake: &Lake, table: Table) -> usize {
    lake.read(table, None).expect("a table").map(|rows| rows.expect("rows").num_rows()).sum()
}

fn silent(_: &str) {}

#[tokio::test]
async fn a_decision_of_many_tenants_is_stored_in_steps_and_read_back_equal() {
    let world = world(3_000);
    let (_folder, mut lake) = lake().await;
    let (assessment, row) = world.keep(&mut lake).await;
    let verdicts: BTreeSet<TenantVerdict> = assessment.tenants.iter().map(|tenant| tenant.verdict).collect();
    assert!(verdicts.len() >= 3, "of several kinds: {verdicts:?}");
    let steps: Vec<usize> =
        tenants::batches(&assessment, &world.evidence).map(|rows| rows.expect("rows").num_rows()).collect();
    assert!(steps.len() >= 3 && steps.iter().all(|rows| *rows <= 1_000), "{steps:?}");

    let found = find(&lake, &row.decision_id).expect("the decision");
    assert_eq!(reproduce::verdicts(&lake, &found, silent).expect("verdicts"), assessment);
    assert_eq!(evidence(&lake, &found).expect("evidence"), world.evidence);
    assert_eq!(
        reproduce::rules(&lake, &found).expect("rules"),
        (world.campaign.clone(), world.roster.clone())
    );
    assert_eq!(reproduce::judged_today(&lake, &found).expect("judged"), assessment);
    assert!(incomplete(&lake).expect("read").is_empty());
    reproduce::same_rules(&found).expect("these rules");
}

#[tokio::test]
async fn the_same_inputs_give_the_same_id_and_are_kept_once() {
    let world = world(20);
    let (_folder, mut lake) = lake().await;
    let first = world.keep(&mut lake).await.1;
    let second = world.keep(&mut lake).await.1;
    assert_eq!(first.decision_id, second.decision_id);
    assert_eq!(count(&lake, Table::Decisions), 1);
    assert_eq!(Some(count(&lake, Table::DecisionTenants) as u64), first.tenants);
}

#[tokio::test]
async fn the_roster_of_two_decisions_is_stored_once_and_another_beside_it() {
    let mut world = world(20);
    let (_folder, mut lake) = lake().await;
    let first = world.keep(&mut lake).await.1;
    let rows = world.roster.tenants.len();
    assert_eq!(count(&lake, Table::Rosters), rows);
    world.evidence.pop();
    let second = world.keep(&mut lake).await.1;
    assert_eq!(first.roster_hash, second.roster_hash);
    assert_eq!((count(&lake, Table::Decisions), count(&lake, Table::Rosters)), (2, rows));

    world.roster.tenants.pop_last();
    let third = world.keep(&mut lake).await.1;
    assert_eq!(count(&lake, Table::Rosters), 2 * rows - 1);
    assert_eq!(roster(&lake, &third).expect("its roster"), world.roster);
    assert_eq!(roster(&lake, &first).expect("its roster").tenants.len(), rows);
    world.roster.tenants.clear();
    let without = world.keep(&mut lake).await.1;
    assert_eq!(roster(&lake, &without).expect("a roster without tenants"), world.roster);
}

#[tokio::test]
async fn a_decision_that_an_earlier_program_kept_in_two_texts_is_read_and_used() {
    let world = world(20);
    let (_folder, mut lake) = lake().await;
    let row = in_row(&world.basis(), RULES_VERSION);
    let lock = lake.lock().await.expect("the lock");
    lake.append(&lock, Table::Decisions, std::slice::from_ref(&row), 0).await.expect("a row");
    drop(lock);
    let found = find(&lake, &row.decision_id).expect("the decision");
    assert_eq!(found.decision_id, world.decide().1.decision_id, "the id is what it was");
    assert!(!found.has_verdicts() && verdicts(&lake, &found).expect("read").is_none());
    assert_eq!(reproduce::verdicts(&lake, &found, silent).expect("judged"), world.decide().0);
    assert_eq!(evidence(&lake, &found).expect("evidence"), world.evidence);
    assert_eq!(roster(&lake, &found).expect("roster"), world.roster);
    reproduce::same_rules(&found).expect("it may be announced");
    assert!(incomplete(&lake).expect("read").is_empty());
    // It is the same decision, so nothing is added to it.
    world.keep(&mut lake).await;
    assert_eq!((count(&lake, Table::Decisions), count(&lake, Table::DecisionTenants)), (1, 0));
}

#[tokio::test]
async fn verdicts_are_told_as_decided_whatever_rules_made_them() {
    let world = world(20);
    let (_folder, mut lake) = lake().await;
    let (mut assessment, mut row) = world.decide();
    row.rules_version = Some(RULES_VERSION - 1);
    assessment.tenants[1].verdict = TenantVerdict::NoImpact;
    keep(&mut lake, &row, &assessment, &world.basis()).await.expect("kept");
    let found = find(&lake, &row.decision_id).expect("the decision");
    assert_eq!(reproduce::verdicts(&lake, &found, silent).expect("verdicts"), assessment);
    assert_ne!(reproduce::judged_today(&lake, &found).expect("judged"), assessment);
    let refused = reproduce::same_rules(&found).expect_err("other rules").to_string();
    assert!(
        refused.contains(&format!("earlier rules ({})", RULES_VERSION - 1))
            && refused.contains("assess again"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_decision_made_again_is_compared_with_what_was_decided() {
    // Of an empty lake nothing is found, so that its evidence is the same each time.
    let world = World { evidence: Vec::new(), ..world(20) };
    let (_folder, mut lake) = lake().await;
    let (assessment, row) =
        decide(&world.basis(), DateTime::UNIX_EPOCH, versions(&lake).expect("versions")).expect("a decision");
    let mut kept = async |row: &DecisionRow, assessment: &Assessment| {
        keep(&mut lake, row, assessment, &world.basis()).await.expect("kept");
        let row = find(&lake, &row.decision_id).expect("the decision");
        reproduce::remake(&lake, &row, 64 << 20).await.map(|again| again.assessment)
    };
    assert_eq!(kept(&row, &assessment).await.expect("the same"), assessment);

    let mut other = assessment.clone();
    let tenant = &mut other.tenants[1];
    assert_eq!(tenant.verdict, TenantVerdict::InsufficientEvidence);
    tenant.verdict = TenantVerdict::NoImpact;
    tenant.evidence_reasons.clear();
    tenant.reasons = vec![Reason::Unused];
    let tenant_id = tenant.tenant_id.clone();
    let mut earlier = row.clone();
    earlier.decision_id = "0123456789abcdef0123456789abcdef".to_owned();
    earlier.rules_version = Some(RULES_VERSION - 1);
    other.decision_id.clone_from(&earlier.decision_id);
    let told = kept(&earlier, &other).await.expect_err("other rules").to_string();
    let expected = [
        format!("it was made by earlier rules ({}), and these are rules {RULES_VERSION}", RULES_VERSION - 1),
        format!("1 of {} tenants are judged differently", assessment.tenants.len()),
        format!("such as {tenant_id} no_impact -> insufficient_evidence (now no_records)"),
    ];
    for part in expected {
        assert!(told.contains(&part), "{part}: {told}");
    }
    assert!(!told.contains("the evidence differs"), "{told}");
}

#[tokio::test]
async fn a_decision_whose_tenants_or_roster_are_lost_is_refused() {
    let world = world(20);
    let (_folder, mut lake) = lake().await;
    let row = world.decide().1;
    let lock = lake.lock().await.expect("the lock");
    lake.append(&lock, Table::Decisions, std::slice::from_ref(&row), 0).await.expect("a row");
    drop(lock);
    let lost = verdicts(&lake, &row).expect_err("lost").to_string();
    assert!(
        lost.contains("covers 20 tenants, but decision_tenants holds 0") && lost.contains("lightsout assess"),
        "{lost}"
    );
    assert!(matches!(evidence(&lake, &row), Err(Error::TenantsLost { .. })));
    assert!(matches!(roster(&lake, &row), Err(Error::RosterLost { .. })));
    assert_eq!(incomplete(&lake).expect("read").len(), 2);
}

// A decision without its tenants would be one of nobody.
#[tokio::test]
async fn a_kill_between_the_tables_leaves_no_decision_without_its_tenants() {
    let world = world(20);
    for committed in 0..=2 {
        let (folder, mut lake) = lake().await;
        let (assessment, row) = world.decide();
        let whole = write(&lake, &row, &assessment, &world.basis()).expect("files");
        let tables: Vec<Table> = whole.files.iter().map(|file| file.table).collect();
        assert_eq!(tables, [Table::DecisionTenants, Table::Rosters, Table::Decisions]);
        assert!(tables.is_sorted(), "which is the order of their commits");
        let lock = lake.lock().await.expect("the lock");
        if committed > 0 {
            let part = Manifest { files: whole.files[..committed].to_vec(), ..whole.clone() };
            lake.commit(&lock, &part, 0).await.expect("a commit");
            // It is not killed so late that the lake's log has it.
            let entry = folder.path().join("_commits/00000000000000000001.json");
            fs::remove_file(entry).expect("the entry of the commit");
        }
        // As a kill leaves it: the manifest, and the first commits.
        fs::create_dir_all(folder.path().join("_batches")).expect("a folder");
        let manifest = folder.path().join(format!("_batches/{}.json", whole.batch_id));
        fs::write(manifest, serde_json::to_vec(&whole).expect("JSON")).expect("written");
        drop(lock);
        let mut reader = Lake::open_or_create(folder.path()).await.expect("the lake");
        let tables = [Table::DecisionTenants, Table::Rosters, Table::Decisions];
        assert_eq!(tables.map(|table| count(&reader, table)), [0, 0, 0], "after {committed} commits");
        // The next writer finishes it, or removes what was only written.
        drop(reader.lock().await.expect("the lock"));
        let all = usize::from(committed > 0);
        assert_eq!(count(&reader, Table::Decisions), all);
        assert!(incomplete(&reader).expect("read").is_empty());
        assert_eq!(heads(&reader).expect("decisions").len(), all);
    }
}

/// Three decisions of forty, thirty and no days ago; the roster of the first is its own.
async fn three_decisions(lake: &mut Lake) -> [DecisionRow; 3] {
    let mut world = world(20);
    let at = |days: i64| now() - TimeDelta::days(days);
    let first = world.keep_at(lake, at(40)).await.1;
    world.roster.tenants.pop_last();
    let second = world.keep_at(lake, at(30)).await.1;
    world.evidence.pop();
    let third = world.keep_at(lake, at(0)).await.1;
    [first, second, third]
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_793_000_000, 0).expect("a time")
}

async fn forgotten(lake: &mut Lake, days: i64, dry_run: bool) -> (Vec<String>, ForgetReport) {
    let settings = ForgetSettings { keep_since: now() - TimeDelta::days(days), dry_run, now: now() };
    let report = forget(lake, settings).await.expect("forgotten");
    (report.forgotten.iter().map(|decision| decision.decision_id.clone()).collect(), report)
}

#[tokio::test]
async fn old_decisions_go_with_their_tenants_and_with_rosters_of_their_own() {
    let (_folder, mut lake) = lake().await;
    let [first, second, third] = three_decisions(&mut lake).await;
    let tables = [Table::Decisions, Table::DecisionTenants, Table::Rosters];
    let before = tables.map(|table| count(&lake, table));
    let (would, report) = forgotten(&mut lake, 35, true).await;
    assert_eq!(would, std::slice::from_ref(&first.decision_id));
    assert_eq!(tables.map(|table| count(&lake, table)), before, "a dry run writes nothing");
    let rows: u64 = report.rows.iter().map(|rows| rows.rows).sum();

    assert_eq!(forgotten(&mut lake, 35, false).await.0, would);
    let after = tables.map(|table| count(&lake, table));
    assert_eq!((before.iter().sum::<usize>() - after.iter().sum::<usize>()) as u64, rows);
    assert!(matches!(find(&lake, &first.decision_id), Err(Error::Unknown { .. })));
    assert!(incomplete(&lake).expect("read").is_empty(), "the others are whole");
    for row in [&second, &third] {
        let found = find(&lake, &row.decision_id).expect("kept");
        assert_eq!(verdicts(&lake, &found).expect("verdicts").map(|all| all.len() as u64), found.tenants);
        assert_eq!(roster(&lake, &found).expect("its roster"), roster(&lake, row).expect("the same"));
    }
    assert!(forgotten(&mut lake, 35, false).await.0.is_empty(), "nothing is left to forget");
}

#[tokio::test]
async fn the_latest_decision_and_what_a_campaign_rests_on_are_kept() {
    let (_folder, mut lake) = lake().await;
    let [first, second, third] = three_decisions(&mut lake).await;
    let event = serde_json::json!({
        "event_id": "e", "campaign": "another", "tenant_id": tenant_id(1), "event": "announced",
        "protocols": "imap4", "decision_id": first.decision_id, "happened_at": now(),
        "effective_date": null, "by_whom": null, "detail": null,
    });
    let lock = lake.lock().await.expect("the lock");
    lake.append(&lock, Table::CampaignEvents, &[event], 0).await.expect("an event");
    drop(lock);
    // Even if nothing is young enough.
    let (gone, report) = forgotten(&mut lake, -1, false).await;
    assert_eq!(gone, [second.decision_id]);
    assert_eq!((report.kept_for_campaigns, report.kept_as_latest, report.kept_as_young), (1, 1, 0));
    let ids: Vec<String> = heads(&lake).expect("read").into_iter().map(|head| head.decision_id).collect();
    assert_eq!(ids, [first.decision_id, third.decision_id]);
}

#[tokio::test]
async fn a_kept_roster_outlives_the_decision_that_was_made_with_it() {
    let (_folder, mut lake) = lake().await;
    let world = world(20);
    let version = rosters::keep(&mut lake, &world.roster, now()).await.expect("kept").expect("the first");
    assert_eq!(version.version, 1);
    assert!(rosters::keep(&mut lake, &world.roster, now()).await.expect("read").is_none(), "the same");
    three_decisions(&mut lake).await;
    forgotten(&mut lake, 10, false).await;
    let (found, roster) = rosters::latest(&lake).expect("read").expect("a roster");
    assert_eq!((found, roster), (version, world.roster));
}
