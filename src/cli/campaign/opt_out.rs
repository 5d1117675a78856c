//! `lightsout campaign opt-out`: tenants keep protocols.

use clap::Args;

use super::super::shared::Global;
use super::desk::{Common, Desk, Whom, tell_refusals};
use super::rows;
use crate::error::Result;
use lightsout_campaign::opt_out::opt_out;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    common: Common,
}

/// Exit code 1 if one was refused; the others are recorded.
pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut desk = Desk::open(&arguments.common, global).await?;
    let requests = desk.requests(&arguments.whom)?;
    let lock = desk.turn().await?;
    let done = opt_out(&desk.campaign, &desk.ledger, &requests, desk.now);
    desk.record(&lock, &done.events).await?;
    drop(lock);
    tell_refusals(&done.refused);
    let tenants = done.events.iter().map(|event| &event.tenant_id).chain(&done.already);
    let rows = rows::opted_out(&desk.ledger, &desk.names()?, tenants.map(String::as_str))?;
    arguments.common.output.write(&[rows])?;
    if !global.quiet {
        eprintln!(
            "{} opt-outs recorded, {} known before, {} refused",
            done.events.len(),
            done.already.len(),
            done.refused.len()
        );
    }
    Ok(u8::from(!done.refused.is_empty()))
}
