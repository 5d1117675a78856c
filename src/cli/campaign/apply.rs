//! `lightsout campaign apply`: what goes off where, now. It is a plan: people, or their tools, do it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::super::shared::Global;
use super::desk::{Common, Decided, Desk, Files};
use super::notices::{Sending, Told};
use super::recheck::check;
use super::rows;
use crate::error::{Error, Result};
use lightsout_campaign::plan::{Due, plan};
use lightsout_campaign::runbook::runbook;
use lightsout_notify::lists::ListRow;
use lightsout_output::text::folder_name;

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
            for tenant in &planned {
                sending.add(&write_runbook(decided, tenant, &arguments.files)?, &tenant.tenant_id)?;
            }
        }
        let told = planned.iter().filter_map(|tenant| {
            let assessment = rechecked.judged.get(&tenant.tenant_id)?.clone();
            Some(Told { kind: None, assessment, protocols: tenant.protocols.clone(), notice_date: None })
        });
        sending.tell(&desk, decided, desk.until_now(decided.window), told.collect(), &BTreeMap::new())?;
        due.extend(planned);
    }
    remove_stale(&desk, &due, &arguments.files)?;
    due.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
    let planned = |row: &ListRow| {
        let at = due.binary_search_by(|tenant| tenant.tenant_id.cmp(&row.tenant_id)).ok()?;
        due.get(at)
    };
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

const TURN_OFF: &str = "turn-off.ps1";
const UNDO: &str = "undo.ps1";

fn runbook_folder(files: &Files, tenant_id: &str) -> PathBuf {
    files.out.join("runbooks").join(folder_name(tenant_id).as_ref())
}

/// A tenant's scripts. Those of an earlier run are replaced; what they have kept beside them stays.
fn write_runbook(decided: &Decided, due: &Due, files: &Files) -> Result<[PathBuf; 2]> {
    let settings = decided.roster.tenants.get(&due.tenant_id);
    let name = settings.and_then(|settings| settings.display_name.as_deref());
    let scripts = runbook(&decided.campaign, due, name);
    let folder = runbook_folder(files, &due.tenant_id);
    fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
    let paths = [folder.join(TURN_OFF), folder.join(UNDO)];
    for (path, script) in paths.iter().zip([&scripts.turn_off, &scripts.undo]) {
        fs::write(path, script).map_err(Error::write(path))?;
    }
    Ok(paths)
}

/// Whoever runs all scripts of the folder must turn nothing off that is not due any more. The undo stays.
fn remove_stale(desk: &Desk, due: &[Due], files: &Files) -> Result<()> {
    let due: BTreeSet<&str> = due.iter().map(|tenant| tenant.tenant_id.as_str()).collect();
    let not_due = desk.ledger.tenants.keys().filter(|id| !due.contains(id.as_str()));
    for tenant_id in not_due {
        let path = runbook_folder(files, tenant_id).join(TURN_OFF);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::Write { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}
