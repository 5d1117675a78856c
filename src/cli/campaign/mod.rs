//! `lightsout campaign`: from the announcement to the day after, one file a command.

mod announce;
mod apply;
mod confirm;
mod correct;
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
    /// Tell eligible tenants what goes off and when, all of them or a wave
    Announce(announce::Arguments),
    /// Record that a tenant keeps protocols
    OptOut(opt_out::Arguments),
    /// Take back an opt-out: the protocols go off after all
    OptIn(opt_in::Arguments),
    /// Take back an announcement, of tenants or of a whole wave; nothing of it
    /// is turned off
    Withdraw(withdraw::Arguments),
    /// Put on hold what is used again or no longer covered; exit 4 if anything,
    /// or if something was used after it had been turned off
    Recheck(recheck::Arguments),
    /// Recheck, then plan what goes off where; changes no tenant
    Apply(apply::Arguments),
    /// Record what was turned off, and write the follow-up notices
    Confirm(confirm::Arguments),
    /// Take back a confirmation that was made by mistake
    Correct(correct::Arguments),
    /// Play the whole campaign in a copy of the lake and print its calendar
    Rehearse(rehearse::Arguments),
    /// Every tenant's state, dates and next step
    Status(status::Arguments),
    /// Check a campaign and print its rules, ready to copy
    Show(show::Arguments),
    /// Print the JSON Schema of campaign files, for editors and checks
    Schema,
}

/// Columns of the lists that these commands write: handed in again, they are passed.
const LIST_COLUMNS: &[&str] = &[
    "display_name",
    "domains",
    "contacts",
    "language",
    "notice_language",
    "cloud",
    "verdict",
    "reasons",
    "users",
    "effective_date",
    "decision_id",
    "kind",
    "announced_on",
    "announcement_id",
    "causes",
    "hold_reasons",
    "on_hold_since",
    "new",
    "why",
    "effective_date_before",
    "last_used_on",
    "smtp_client_authentication",
    "outlook_modern_auth",
];

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
            Self::OptOut(_) | Self::Status(_) | Self::Show(_) | Self::Schema => return None,
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
        Command::Show(arguments) => show::run(arguments),
        Command::Schema => schema::run(),
    }
}
