//! `lightsout campaign recheck`: is what was announced still true? Also the first step of `apply`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;

use super::super::shared::Global;
use super::desk::{Common, Decided, Desk, Files, tenant_of};
use super::notices::{Sending, Told, told_on_stderr};
use super::rows;
use crate::error::{Error, Result};
use lightsout_campaign::recheck::recheck;
use lightsout_campaign::{Event, EventKind};
use lightsout_model::change::ProtocolChange;
use lightsout_model::verdict::{Reason, TenantAssessment};
use lightsout_notify::lists::ListRow;
use lightsout_notify::notice::NoticeKind;
use lightsout_query::Queries;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    files: Files,
}

/// Exit code 4 if something was put on hold.
pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut desk = Desk::open(&arguments.common, global).await?;
    let rechecked = check(&mut desk, &arguments.files).await?;
    let rows = rows::on_hold(&desk.campaign, &desk.ledger, &rechecked.judged, &desk.names()?)?;
    arguments.common.output.write(&[rows])?;
    rechecked.tell(&desk, &arguments.files, global);
    Ok(rechecked.exit_code())
}

/// What a recheck found and recorded.
pub(super) struct Rechecked {
    pub(super) decided: BTreeMap<String, Decided>,
    /// By tenant id, as each looks now.
    pub(super) judged: BTreeMap<String, TenantAssessment>,
    events: Vec<Event>,
    notices: (usize, usize),
    /// In words: usage of what was turned off.
    still_used: Vec<String>,
}

impl Rechecked {
    pub(super) fn exit_code(&self) -> u8 {
        if self.events.iter().any(|event| event.event == EventKind::Held) { 4 } else { 0 }
    }

    /// Which rules put a tenant on hold; and of those, whether the rules have changed since it was announced, and not
    /// its log.
    fn held_by(&self, held: &Event, desk: &Desk) -> (String, bool) {
        let tenant_id = &held.tenant_id;
        let tenant = desk.ledger.tenants.get(tenant_id);
        let judged = self.judged.get(tenant_id);
        let reasons =
            tenant.map(|tenant| rows::hold_reasons(&desk.campaign, tenant, judged)).unwrap_or_default();
        let codes = Reason::codes(&reasons);
        let told = format!("on hold: {tenant_id}, by {}", codes.join(", "));
        let decided = tenant.and_then(|tenant| self.decided.get(&tenant.change.decision_id));
        let Some((decided, made_by)) = decided.and_then(|it| Some((it, it.made_by.as_ref()?))) else {
            return (told, false);
        };
        let then = tenant_of(&decided.assessment, tenant_id);
        let found_then: Vec<&str> = then
            .iter()
            .flat_map(|tenant| tenant.evidence_reasons.iter().chain(&tenant.objections))
            .map(Reason::code)
            .filter(|code| codes.contains(code))
            .collect();
        if found_then.is_empty() {
            return (told, false);
        }
        let told = format!(
            "{told}; {} stood in the evidence of its announcement already, which was cleared by {made_by}: the rules \
             have changed, not the log",
            found_then.join(", ")
        );
        (told, true)
    }

    pub(super) fn tell(&self, desk: &Desk, files: &Files, global: &Global) {
        // Also when quiet: it says that a change did not take.
        for used in &self.still_used {
            eprintln!("{used}");
        }
        for held in self.events.iter().filter(|event| event.event == EventKind::Held) {
            let (told, by_new_rules) = self.held_by(held, desk);
            if by_new_rules || !global.quiet {
                eprintln!("{told}");
            }
        }
        if global.quiet {
            return;
        }
        let count = |kind| self.events.iter().filter(|event| event.event == kind).count();
        let on_hold = desk.ledger.tenants.values().filter(|tenant| !tenant.holds.is_empty()).count();
        eprintln!(
            "{} holds and {} releases recorded; {on_hold} of {} tenants have something on hold",
            count(EventKind::Held),
            count(EventKind::Released),
            desk.ledger.tenants.len()
        );
        if on_hold > 0 {
            eprintln!("{}", told_on_stderr(self.notices, &files.out));
        }
    }
}

/// Checks every tenant that something is still to be done for, records what follows, and writes the
/// notices of all that are on hold.
pub(super) async fn check(desk: &mut Desk, files: &Files) -> Result<Rechecked> {
    let queries = desk.queries().await?;
    let decided = desk.announced_on()?;
    let mut judged: BTreeMap<String, TenantAssessment> = BTreeMap::new();
    for (id, decision) in &decided {
        let mut found = desk.judge_now(decision, &queries).await?;
        found.retain(|tenant_id, _| {
            desk.ledger.tenants.get(tenant_id).is_some_and(|tenant| tenant.change.decision_id == *id)
        });
        judged.extend(found);
    }
    let lock = desk.turn().await?;
    let events = recheck(&desk.campaign, &desk.ledger, &judged, desk.roster.is_some(), desk.now);
    desk.record(&lock, &events).await?;
    drop(lock);

    let notices = write(desk, &decided, &judged, &events, &queries, files).await.map_err(Error::recorded)?;
    let still_used = still_used(desk, &decided, &queries).await?;
    Ok(Rechecked { decided, judged, events, notices, still_used })
}

/// Usage on the days after a protocol was turned off: the script has not run, or not everywhere.
async fn still_used(
    desk: &Desk,
    decided: &BTreeMap<String, Decided>,
    queries: &Queries,
) -> Result<Vec<String>> {
    let done = desk.ledger.tenants.values().filter(|tenant| !tenant.change.off().is_empty());
    let decisions: BTreeSet<&String> = done.map(|tenant| &tenant.change.decision_id).collect();
    let firsts = decisions.into_iter().filter_map(|id| decided.get(id)).map(|decided| decided.window.first);
    let Some(first) = firsts.min() else { return Ok(Vec::new()) };
    let mut told = BTreeSet::new();
    for (tenant_id, rows) in queries.who_until(&desk.campaign, first, desk.now, "*").await? {
        let Some(tenant) = desk.ledger.tenants.get(&tenant_id) else { continue };
        for row in rows {
            if let Some(ProtocolChange::Off { on }) = tenant.change.protocols.get(&row.protocol)
                && row.last_seen.date_naive() > *on
            {
                told.insert(format!(
                    "{tenant_id} still signs in by {}, which was turned off on {on}; see: lightsout explain {tenant_id}",
                    row.protocol
                ));
            }
        }
    }
    Ok(told.into_iter().collect())
}

/// The notices of all that are on hold, and their list.
async fn write(
    desk: &Desk,
    decided: &BTreeMap<String, Decided>,
    judged: &BTreeMap<String, TenantAssessment>,
    events: &[Event],
    queries: &Queries,
    files: &Files,
) -> Result<(usize, usize)> {
    let mut sending = Sending::begin(files, "on_hold")?;
    for (id, decision) in decided {
        let on_hold = desk
            .ledger
            .tenants
            .iter()
            .filter(|(_, tenant)| tenant.change.decision_id == *id && !tenant.holds.is_empty());
        let told: Vec<Told> = on_hold
            .filter_map(|(tenant_id, tenant)| Some((judged.get(tenant_id)?, tenant)))
            .map(|(judged, tenant)| Told {
                kind: Some(NoticeKind::Hold),
                assessment: judged.clone(),
                protocols: tenant.change.on_hold(),
                notice_date: tenant.holds.values().map(|(_, since)| since.date_naive()).max(),
            })
            .collect();
        if !told.is_empty() {
            let who = queries.who_until(&decision.campaign, decision.window.first, desk.now, "*").await?;
            sending.tell(desk, decision, desk.until_now(decision.window), told, &who)?;
        }
    }
    let causes = |row: &ListRow| {
        let holds = desk.ledger.tenants.get(&row.tenant_id)?.holds.values();
        let causes: BTreeSet<&str> = holds.map(|(hold, _)| hold.cause.as_str()).collect();
        Some(causes.into_iter().collect::<Vec<_>>().join(";"))
    };
    let codes = |row: &ListRow| {
        let tenant = desk.ledger.tenants.get(&row.tenant_id)?;
        let reasons: Vec<Reason> = rows::hold_reasons(&desk.campaign, tenant, judged.get(&row.tenant_id));
        Some(Reason::codes(&reasons).join(";"))
    };
    let since = |row: &ListRow| {
        let holds = desk.ledger.tenants.get(&row.tenant_id)?.holds.values();
        holds.map(|(_, since)| since.date_naive()).max().map(|day| day.to_string())
    };
    // So that a mailing job can send what is new.
    let held: BTreeSet<&str> = events
        .iter()
        .filter(|event| event.event == EventKind::Held)
        .map(|event| event.tenant_id.as_str())
        .collect();
    let new =
        |row: &ListRow| Some(if held.contains(row.tenant_id.as_str()) { "yes" } else { "no" }.to_owned());
    sending.finish(
        desk,
        &[("causes", &causes), ("hold_reasons", &codes), ("on_hold_since", &since), ("new", &new)],
    )
}
