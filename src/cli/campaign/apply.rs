//! `lightsout campaign apply`: what goes off where, now. It is a plan: people, or their tools, do it.

use std::fs;

use clap::Args;

use super::super::shared::Global;
use super::desk::{Common, Desk, Files};
use super::recheck::check;
use super::rows;
use crate::error::{Error, Result};
use crate::ledger::plan::{Due, plan};
use crate::ledger::runbook::runbook;
use crate::notify::text::folder_name;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Write PowerShell for each tenant, to be reviewed and run by a person, and
    /// its undo
    #[arg(long)]
    runbook: bool,
    #[command(flatten)]
    files: Files,
}

/// Exit code 4 if the recheck put something on hold.
pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut desk = Desk::open(&arguments.common, global).await?;
    let rechecked = check(&mut desk, &arguments.files).await?;
    let today = desk.now.date_naive();
    let mut due: Vec<Due> = Vec::new();
    for (id, decided) in &rechecked.decided {
        let planned = plan(&decided.campaign, &decided.roster, &desk.ledger, today);
        for tenant in planned {
            if desk.ledger.tenants[&tenant.tenant_id].change.decision_id != *id {
                continue;
            }
            if arguments.runbook {
                let name = decided.roster.tenants.get(&tenant.tenant_id);
                let name = name.and_then(|settings| settings.display_name.as_deref());
                let scripts = runbook(&decided.campaign, &tenant, name);
                let folder =
                    arguments.files.out.join("runbooks").join(folder_name(&tenant.tenant_id).as_ref());
                fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
                for (file, script) in [("turn-off.ps1", &scripts.turn_off), ("undo.ps1", &scripts.undo)] {
                    let path = folder.join(file);
                    fs::write(&path, script).map_err(Error::write(&path))?;
                }
            }
            due.push(tenant);
        }
    }
    due.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
    arguments.common.output.write(&[rows::due(&due, &desk.names()?)?])?;
    if !global.quiet {
        rechecked.tell(&desk, &arguments.files, global);
        eprintln!("{} tenants are due on {today}; nothing was changed in any of them", due.len());
        let next = desk.ledger.tenants.values().filter(|tenant| !tenant.change.pending().is_empty());
        let next = next.map(|tenant| tenant.change.effective_date).filter(|date| *date > today).min();
        if let Some(next) = next {
            eprintln!("the next ones are due on {next}");
        }
        if arguments.runbook && !due.is_empty() {
            eprintln!("runbooks are in {}", arguments.files.out.join("runbooks").display());
        }
    }
    Ok(rechecked.exit_code())
}
