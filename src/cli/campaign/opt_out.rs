//! `lightsout campaign opt-out`: tenants keep protocols.

use std::path::PathBuf;

use clap::Args;

use super::super::shared::Global;
use super::flags::{Common, Whom, print_refusals};
use super::rows;
use crate::cli::failure::Result;
use lightsout_workflow::campaign::opt_out::opt_out;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    common: Common,
    /// The campaign's output folder, from which outdated scripts and lists are removed
    #[arg(long, value_name = "DIR", default_value = "./out")]
    pub(super) out: PathBuf,
}

/// Exit code 1 if one was refused; the others are recorded.
pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut state = arguments.common.read_state(global).await?;
    let requests = arguments.whom.requests(&state, false)?;
    let done = opt_out(&mut state, &requests, &arguments.out).await?;
    print_refusals(&done.refused);
    let tenants = done.events.iter().map(|event| &event.tenant_id).chain(&done.already);
    let rows = rows::opted_out(&state.ledger, &state.names()?, tenants.map(String::as_str))?;
    arguments.common.output.write(&[rows])?;
    if !global.quiet {
        lightsout_output::stderr!(
            "opt-outs recorded: {}, {} already known, {} refused",
            done.events.len(),
            done.already.len(),
            done.refused.len()
        );
    }
    Ok(u8::from(!done.refused.is_empty()))
}
