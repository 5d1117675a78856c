//! `lightsout campaign recheck`: is what was announced still true? Also the first step of `apply`.

use std::collections::BTreeMap;

use clap::Args;

use super::super::shared::Global;
use super::desk::{Common, Decided, Desk, Files};
use super::notices::{self, Told};
use super::rows;
use crate::error::Result;
use crate::ledger::recheck::{Fresh, recheck};
use crate::ledger::{Event, EventKind};
use crate::notify::notice::NoticeKind;

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
    arguments.common.output.write(&[rows::on_hold(&desk.ledger, &desk.names()?)?])?;
    rechecked.tell(&desk, &arguments.files, global);
    Ok(rechecked.exit_code())
}

/// What a recheck found and recorded.
pub(super) struct Rechecked {
    pub(super) decided: BTreeMap<String, Decided>,
    events: Vec<Event>,
}

impl Rechecked {
    pub(super) fn exit_code(&self) -> u8 {
        if self.events.iter().any(|event| event.event == EventKind::Held) { 4 } else { 0 }
    }

    pub(super) fn tell(&self, desk: &Desk, files: &Files, global: &Global) {
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
            eprintln!("their notices are in {}", files.out.display());
        }
    }
}

/// Checks every tenant that something is still to be done for, records what follows, and writes the
/// notices of all that are on hold.
pub(super) async fn check(desk: &mut Desk, files: &Files) -> Result<Rechecked> {
    let queries = desk.queries().await?;
    let decided = desk.announced_on()?;
    let mut fresh: BTreeMap<String, Fresh> = BTreeMap::new();
    for (id, decision) in &decided {
        let mut found = desk.fresh(decision, &queries).await?;
        found.retain(|tenant_id, _| {
            desk.ledger.tenants.get(tenant_id).is_some_and(|tenant| tenant.change.decision_id == *id)
        });
        fresh.extend(found);
    }
    let lock = desk.turn().await?;
    let events = recheck(&desk.campaign, &desk.ledger, &fresh, desk.now);
    desk.record(&lock, &events).await?;
    drop(lock);

    for (id, decision) in &decided {
        let on_hold = desk
            .ledger
            .tenants
            .iter()
            .filter(|(_, tenant)| tenant.change.decision_id == *id && !tenant.holds.is_empty());
        let told: Vec<Told> = on_hold
            .filter_map(|(tenant_id, _)| fresh.get(tenant_id))
            .map(|fresh| Told { kind: NoticeKind::Warning, assessment: fresh.covered.clone() })
            .collect();
        if !told.is_empty() {
            let who = queries.who_until(decision.window.first, desk.now, "*").await?;
            notices::write(desk, decision, &told, &who, files, "on_hold")?;
        }
    }
    Ok(Rechecked { decided, events })
}
