//! `lightsout campaign`: from the announcement to the day after, one file a command.

mod announce;
mod apply;
mod confirm;
mod correct;
pub(super) mod diff;
mod flags;
mod opt_in;
mod opt_out;
mod passed_over;
mod recheck;
mod rehearse;
mod rows;
mod schema;
mod show;
mod status;
mod withdraw;

use std::path::Path;

use clap::Subcommand;

use super::shared::Global;
use crate::cli::failure::Result;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write the notices to eligible tenants, to all of them or a wave
    Announce(announce::Arguments),
    /// Record that a tenant keeps protocols
    OptOut(opt_out::Arguments),
    /// Take back an opt-out: the protocols will be turned off after all
    OptIn(opt_in::Arguments),
    /// Take back the announcement of tenants or of a whole wave; what it announced
    /// is not turned off
    Withdraw(withdraw::Arguments),
    /// Put on hold what is used again or lacks logs; exit 4 if anything is,
    /// or if something was used after it was turned off
    Recheck(recheck::Arguments),
    /// Recheck, then write the switch-off plan; does not change any tenant
    Apply(apply::Arguments),
    /// Record what was turned off, and write the follow-up notices
    Confirm(confirm::Arguments),
    /// Take back a confirmation that was made by mistake
    Correct(correct::Arguments),
    /// Simulate the whole campaign in a copy of the lake and print its calendar
    Rehearse(rehearse::Arguments),
    /// Show what has to be done, and every tenant's state, dates and next step
    Status(status::Arguments),
    /// Show which tenants changed since a day, and why; exit 4 if anything got worse
    Diff(diff::Arguments),
    /// Check a campaign and print its rules, ready to copy
    Show(show::Arguments),
    /// Print the JSON Schema of campaign files, for editors and checks
    Schema,
}

impl Command {
    /// The folder that the command writes lists, notices and runbooks into.
    pub(super) fn out(&self) -> Option<&Path> {
        let files = match self {
            Self::Announce(arguments) => &arguments.files,
            Self::Recheck(arguments) => &arguments.files,
            Self::Apply(arguments) => &arguments.files,
            Self::Confirm(arguments) => &arguments.files,
            Self::Rehearse(arguments) => &arguments.files,
            Self::Withdraw(arguments) => &arguments.files,
            Self::OptIn(arguments) => &arguments.files,
            Self::Correct(arguments) => &arguments.files,
            Self::OptOut(arguments) => return Some(&arguments.out),
            Self::Status(_) | Self::Diff(_) | Self::Show(_) | Self::Schema => return None,
        };
        Some(&files.out)
    }
}

pub(super) async fn run(command: &Command, global: &Global) -> Result<u8> {
    match command {
        Command::Announce(arguments) => announce::run(arguments, global).await,
        Command::OptOut(arguments) => opt_out::run(arguments, global).await,
        Command::OptIn(arguments) => opt_in::run(arguments, global).await,
        Command::Rehearse(arguments) => rehearse::run(arguments, global).await,
        Command::Withdraw(arguments) => withdraw::run(arguments, global).await,
        Command::Correct(arguments) => correct::run(arguments, global).await,
        Command::Recheck(arguments) => recheck::run(arguments, global).await,
        Command::Apply(arguments) => apply::run(arguments, global).await,
        Command::Confirm(arguments) => confirm::run(arguments, global).await,
        Command::Status(arguments) => status::run(arguments, global).await,
        Command::Diff(arguments) => diff::run(arguments, global).await,
        Command::Show(arguments) => show::run(arguments),
        Command::Schema => schema::run(),
    }
}
