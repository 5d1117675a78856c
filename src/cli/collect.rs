//! `lightsout collect`: how to get sign-in logs.

use clap::Subcommand;

use super::settings::ScriptArguments;
use crate::cli::failure::Result;
use lightsout_formats::collect::COLLECTOR;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the PowerShell script that collects sign-in logs from Microsoft Graph
    ///
    /// The script only reads. It writes one file for each tenant, log and day, which ingest reads
    /// without flags and treats as complete for that day; run it again to continue. It
    /// runs in Windows PowerShell 5.1 and PowerShell 7 with the module Microsoft.Graph.Authentication,
    /// and needs the permission AuditLog.Read.All and an Entra ID P1 licence in each tenant.
    #[command(after_help = "Example:  lightsout collect script --output lightsout-signins.ps1")]
    Script(ScriptArguments),
}

pub(super) fn run(command: &Command) -> Result<u8> {
    let Command::Script(arguments) = command;
    arguments.write(COLLECTOR)
}
