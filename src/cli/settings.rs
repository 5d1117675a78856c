//! `lightsout settings`: what is to be known of a tenant's settings.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::shared::print;
use crate::cli::failure::{Failure, Result};
use lightsout_formats::settings::COLLECTOR;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the PowerShell script that collects a tenant's settings
    ///
    /// The script only reads. It runs in Windows PowerShell 5.1 and PowerShell 7, in a session that
    /// Connect-ExchangeOnline has connected, and writes one JSON file for lightsout ingest. It needs
    /// the Exchange role group View-Only Organization Management, or the Entra role Global Reader.
    #[command(after_help = "Example:  lightsout settings script --output lightsout-settings.ps1")]
    Script(ScriptArguments),
}

#[derive(Debug, Args)]
pub(super) struct ScriptArguments {
    /// Write the script to this file [default: stdout]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(command: &Command) -> Result<u8> {
    let Command::Script(arguments) = command;
    arguments.write(COLLECTOR)
}

impl ScriptArguments {
    pub(super) fn write(&self, script: &str) -> Result<u8> {
        match &self.output {
            Some(path) => std::fs::write(path, script).map_err(Failure::write(path))?,
            None => print(script.trim_end()),
        }
        Ok(0)
    }
}
