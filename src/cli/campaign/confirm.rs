//! `lightsout campaign confirm`: records what was turned off, and writes the follow-up notices.

use clap::Args;

use super::super::shared::Global;
use super::flags::{Common, Files, Whom, print_refusals};
use super::rows;
use crate::cli::failure::Result;
use lightsout_workflow::campaign::confirm::confirm;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    pub(super) files: Files,
}

/// Exit code 1 if one was refused; the others are recorded.
pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut state = arguments.common.read_state(global).await?;
    let requests = arguments.whom.requests(&state, true)?;
    let files = &arguments.files;
    let confirmed = confirm(&mut state, &requests, &files.settings()).await?;
    let done = &confirmed.done;
    print_refusals(&done.refused);
    let tenants = confirmed.tenant_ids.iter().map(String::as_str);
    arguments.common.output.write(&[rows::confirmed(&state.ledger, &state.names()?, tenants)?])?;
    if !global.quiet {
        lightsout_output::stderr!(
            "confirmations recorded: {}, {} already known, {} refused; {}",
            done.events.len(),
            done.already.len(),
            done.refused.len(),
            files.summary(confirmed.notices)
        );
    }
    Ok(u8::from(!done.refused.is_empty()))
}
