//! `lightsout campaign confirm`: records what was turned off, and writes the follow-up notices.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use clap::Args;

use super::super::shared::Global;
use super::desk::{Common, Desk, Files, Whom, tell_refusals, tenant_of};
use super::notices::{Sending, Told, told_on_stderr};
use super::rows;
use crate::error::{Error, Result};
use lightsout_campaign::confirm::confirm;
use lightsout_model::change::{Change, ProtocolChange};
use lightsout_notify::notice::NoticeKind;

/// The day that the last of it was turned off.
fn off_on(change: &Change) -> Option<NaiveDate> {
    let days = change.protocols.values().filter_map(|state| match state {
        ProtocolChange::Off { on } => Some(*on),
        _ => None,
    });
    days.max()
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    files: Files,
}

/// Exit code 1 if one was refused; the others are recorded.
pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut desk = Desk::open(&arguments.common, global).await?;
    let requests = desk.requests(&arguments.whom)?;
    let sending = Sending::begin(&arguments.files, "confirmed")?;
    let lock = desk.turn().await?;
    let done = confirm(&desk.campaign, &desk.ledger, &requests, desk.now);
    desk.record(&lock, &done.events).await?;
    drop(lock);
    tell_refusals(&done.refused);

    let mut tenants: Vec<&String> =
        done.events.iter().map(|event| &event.tenant_id).chain(&done.already).collect();
    tenants.sort_unstable();
    tenants.dedup();
    let notices = write(&desk, sending, &tenants).map_err(Error::recorded)?;
    let rows = rows::confirmed(&desk.ledger, &desk.names()?, tenants.into_iter().map(String::as_str))?;
    arguments.common.output.write(&[rows])?;
    if !global.quiet {
        eprintln!(
            "{} confirmations recorded, {} known before, {} refused; {}",
            done.events.len(),
            done.already.len(),
            done.refused.len(),
            told_on_stderr(notices, &arguments.files.out)
        );
    }
    Ok(u8::from(!done.refused.is_empty()))
}

/// The follow-up notices, also of what was confirmed before: their files may be missing.
fn write(desk: &Desk, mut sending: Sending, tenants: &[&String]) -> Result<(usize, usize)> {
    for (id, decided) in desk.announced_on()? {
        let of_this = |tenant_id: &&&String| desk.ledger.tenants[**tenant_id].change.decision_id == id;
        let told: Vec<Told> = tenants
            .iter()
            .filter(of_this)
            .filter_map(|tenant_id| tenant_of(&decided.assessment, tenant_id))
            .map(|assessment| Told {
                kind: Some(NoticeKind::FollowUp),
                assessment: assessment.clone(),
                protocols: desk.ledger.tenants[&assessment.tenant_id].change.off(),
                notice_date: off_on(&desk.ledger.tenants[&assessment.tenant_id].change),
            })
            .collect();
        sending.tell(desk, &decided, decided.window, told, &BTreeMap::new())?;
    }
    sending.finish(desk, &[])
}
