//! `lightsout campaign opt-in`: opt-outs are taken back.

use clap::Args;

use super::super::shared::Global;
use super::flags::{Common, Files, Whom, Why, print_refusals, somebody_answers};
use super::rows;
use crate::cli::failure::Result;
use lightsout_campaign::EventKind;
use lightsout_output::text::count;
use lightsout_workflow::campaign::take_back::opt_in;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    pub(super) files: Files,
}

/// Exit code 1 if one was refused; the others are recorded.
pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut state = arguments.common.read_state(global).await?;
    let requests = arguments.whom.requests(&state, false)?;
    somebody_answers(&requests)?;
    let files = &arguments.files;
    let taken = opt_in(&mut state, &requests, &arguments.why.why, &files.settings()).await?;
    let done = &taken.done;
    print_refusals(&done.refused);
    let tenants = taken.changes.keys().map(String::as_str);
    arguments.common.output.write(&[rows::taken_back(&state.ledger, &state.names()?, tenants)?])?;
    if !global.quiet {
        let recorded = taken.done.events.iter().filter(|event| event.event == EventKind::OptedIn).count();
        lightsout_output::stderr!(
            "{} recorded, {} already known, {} refused; {}",
            count(recorded as u64, "opt-in", "opt-ins"),
            done.already.len(),
            done.refused.len(),
            files.summary(taken.notices)
        );
    }
    Ok(u8::from(!done.refused.is_empty()))
}
