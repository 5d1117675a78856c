//! `lightsout campaign apply`: what goes off where, now. It is a plan: people, or their tools, do it.

use std::path::Path;

use clap::Args;

use super::super::shared::Global;
use super::flags::{Common, Files};
use super::{recheck, rows};
use crate::cli::failure::Result;
use lightsout_workflow::campaign::apply::{RUNBOOKS, apply};
use lightsout_workflow::campaign::runbooks::RunbookCount;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Write PowerShell scripts to review and run: for each tenant the switch-off
    /// and its undo, and one script that runs them all
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
        let due = lightsout_output::text::count(planned.due.len() as u64, "tenant is", "tenants are");
        lightsout_output::stderr!("{due} due on {today}; no tenant was changed");
        if planned.in_notice > 0 {
            lightsout_output::stderr!(
                "{} not due by the system clock, regardless of --now: the days of notice count from the real \
                 announcement; see: lightsout campaign rehearse",
                lightsout_output::text::count(planned.in_notice as u64, "tenant is", "tenants are")
            );
        }
        if let Some(next) = planned.next {
            lightsout_output::stderr!("the next tenants are due on {next}");
        }
        if let Some(runbooks) = planned.runbooks {
            print_runbooks(runbooks, &files.out.join(RUNBOOKS));
        }
    }
    Ok(recheck::exit_code(&planned.rechecked))
}

fn print_runbooks(count: RunbookCount, folder: &Path) {
    if count.written > 0 {
        lightsout_output::stderr!(
            "runbooks are in {}: review one, then run run-all.ps1 -WhatIf, then run-all.ps1",
            folder.display()
        );
    }
    if count.without_domain > 0 {
        lightsout_output::stderr!(
            "warning: the roster gives {} no domain; such a script stops where nothing that Exchange Online says of \
             itself can be compared. Fill the column domains, then apply again",
            lightsout_output::text::count(count.without_domain as u64, "tenant", "tenants")
        );
    }
    if count.without_switch > 0 {
        lightsout_output::stderr!(
            "{} without a runbook: Exchange has no switch for what is due",
            lightsout_output::text::count(count.without_switch as u64, "tenant is", "tenants are")
        );
    }
}
