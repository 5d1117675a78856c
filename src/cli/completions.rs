//! `lightsout completions` and `lightsout man`: what shells and manuals know of the command line, from the
//! same definition that parses it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, report};
use crate::cli::failure::{Failure, Result};
use lightsout_query::catalog::own::Library;

#[derive(Debug, Args)]
#[command(
    after_help = "For bash:  lightsout completions bash > ~/.local/share/bash-completion/completions/lightsout"
)]
pub(super) struct Arguments {
    /// Shell to write the script for
    shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "For example:  lightsout man ~/.local/share/man/man1 && man lightsout-run")]
pub(super) struct ManArguments {
    /// Folder for the pages, one per command; it is created if missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut with_reports()?, "lightsout", &mut script);
    std::io::stdout().write_all(&script).map_err(Failure::write("stdout"))?;
    Ok(0)
}

/// The command line with each shipped report as a command of its own, so that its flags are completed too.
fn with_reports() -> Result<Command> {
    let library = Library::open(None, lightsout_config::spreadsheet::decoded)?;
    let mut reports = Vec::new();
    for shipped in library.reports() {
        let asked = ["lightsout", "report", shipped.name].map(Into::into);
        let flagged = report::flags::with_flags(Cli::command(), &asked)?;
        if let Some(command) = flagged.find_subcommand("report") {
            reports.push(command.clone().name(shipped.name.to_owned()));
        }
    }
    Ok(Cli::command().mut_subcommand("report", |command| command.subcommands(reports)))
}

pub(super) fn man(arguments: &ManArguments) -> Result<u8> {
    if arguments.folder.is_file() {
        return Err(Failure::Usage {
            flag: "DIR",
            expected: "a folder for the pages, or the name of a new one".to_owned(),
            found: format!("the file {}", arguments.folder.display()),
        });
    }
    fs::create_dir_all(&arguments.folder).map_err(Failure::write(&arguments.folder))?;
    // Help is a flag of every command.
    let command = Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, &arguments.folder).map_err(Failure::write(&arguments.folder))?;
    Ok(0)
}
