//! `lightsout campaign`: the rules of a campaign and the way of its notices. One file a subcommand.

mod schema;
mod show;

use clap::Subcommand;

use crate::error::Result;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a campaign and print its rules, ready to copy
    Show(show::Arguments),
    /// Print the JSON Schema of campaign files, for editors and checks
    Schema,
}

pub(super) fn run(command: &Command) -> Result<u8> {
    match command {
        Command::Show(arguments) => show::run(arguments),
        Command::Schema => schema::run(),
    }
}
