//! `lightsout campaign apply`: what goes off where, now. It is a plan: people, or their tools, do it.

use clap::Args;

use super::super::shared::Global;
use super::flags::{Common, Files};
use super::{recheck, rows};
use crate::cli::failure::Result;
use lightsout_workflow::campaign::apply::{RUNBOOKS, apply};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Write PowerShell for each tenant, to be reviewed and run by a person, and
    /// its undo
    #[arg(long)]
    runbook: bool,
    #[command(flatten)]
    pub(super) files: Files,
}

/// Exit code 4 if the recheck put something on hold.
pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut state = arguments.common.read_state(global).await?;
    let files = &arguments.files;
    let planned = apply(&mut state, &files.settings(), arguments.runbook).await?;
    arguments.common.output.write(&[rows::due(&planned.due, &state.names()?)?])?;
    if !global.quiet {
        recheck::tell(&planned.rechecked, &state, files, global);
        let today = state.now.date_naive();
        eprintln!("{} tenants are due on {today}; nothing was changed in any of them", planned.due.len());
        if let Some(next) = planned.next {
            eprintln!("the next ones are due on {next}");
        }
        if arguments.runbook && !planned.due.is_empty() {
            eprintln!("runbooks are in {}", files.out.join(RUNBOOKS).display());
        }
    }
    Ok(recheck::exit_code(&planned.rechecked))
}
