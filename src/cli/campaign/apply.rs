//! `lightsout campaign apply`: what goes off where, now. It is a plan: people, or their tools, do it.

use std::collections::BTreeMap;
use std::fs;

use clap::Args;

use super::super::shared::Global;
use super::desk::{Common, Decided, Desk, Files, tenant_of};
use super::notices::{Sending, Told};
use super::recheck::check;
use super::rows;
use crate::error::{Error, Result};
use crate::ledger::plan::{Due, plan};
use crate::ledger::runbook::runbook;
use crate::notify::lists::ListRow;
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
    let mut sending = Sending::begin(&arguments.files, "due")?;
    for (id, decided) in &rechecked.decided {
        let mut planned = plan(&decided.campaign, &decided.roster, &desk.ledger, today);
        planned.retain(|tenant| desk.ledger.tenants[&tenant.tenant_id].change.decision_id == *id);
        if arguments.runbook {
            planned.iter().try_for_each(|tenant| write_runbook(decided, tenant, &arguments.files))?;
        }
        let told = planned.iter().filter_map(|tenant| {
            let assessment = tenant_of(&decided.assessment, &tenant.tenant_id)?.clone();
            Some(Told { kind: None, assessment, protocols: tenant.protocols.clone() })
        });
        sending.tell(&desk, decided, decided.window, told.collect(), &BTreeMap::new())?;
        due.extend(planned);
    }
    due.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
    let planned = |row: &ListRow| due.iter().find(|tenant| tenant.tenant_id == row.tenant_id);
    let smtp =
        |row: &ListRow| planned(row)?.disables_smtp_client_authentication.then(|| "disable".to_owned());
    let outlook = |row: &ListRow| planned(row)?.enables_outlook_modern_auth.then(|| "enable".to_owned());
    sending.finish(&desk, &[("smtp_client_authentication", &smtp), ("outlook_modern_auth", &outlook)])?;
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

/// A tenant's scripts. Those of an earlier run are replaced; what they have kept beside them stays.
fn write_runbook(decided: &Decided, due: &Due, files: &Files) -> Result<()> {
    let settings = decided.roster.tenants.get(&due.tenant_id);
    let name = settings.and_then(|settings| settings.display_name.as_deref());
    let scripts = runbook(&decided.campaign, due, name);
    let folder = files.out.join("runbooks").join(folder_name(&due.tenant_id).as_ref());
    fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
    for (file, script) in [("turn-off.ps1", &scripts.turn_off), ("undo.ps1", &scripts.undo)] {
        let path = folder.join(file);
        fs::write(&path, script).map_err(Error::write(&path))?;
    }
    Ok(())
}
