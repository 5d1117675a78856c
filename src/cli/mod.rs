//! The command line: arguments in, exit code out. One file a command; flags that several share are in `shared`, errors
//! and exit codes in `failure`. No policy: a command calls stages of the crate `workflow` and writes what they give.

mod answers;
mod assess;
mod campaign;
mod collect;
mod completions;
mod explain;
mod failure;
mod formats;
mod ingest;
mod lake;
mod notices;
mod report;
mod roster;
mod run;
mod screen;
mod serve;
mod settings;
mod shared;
mod shell;
mod sql;
mod sql_session;
mod typed;
mod user_tables;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use failure::{Failure, INTERRUPTED};
use lightsout_output::text::is_bidi;
use lightsout_query::cluster::cancel_all;

/// Who still signs in with Basic Authentication?
///
/// lightsout reads raw Microsoft Entra sign-in logs of any number of tenants, counts who still uses
/// Basic Authentication and by which protocol, decides per tenant whether turning it off will be
/// noticed, and writes the lists and notices.
#[derive(Debug, Parser)]
#[command(name = "lightsout", version, propagate_version = true, max_term_width = 79)]
#[command(after_help = "Start with:  lightsout run my-logs/ --roster roster.csv")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: shared::Global,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ingest logs, decide, and write lists, notices and the report page
    Run(run::Arguments),
    /// Read raw sign-in logs into the lake
    Ingest(ingest::Arguments),
    /// Decide per tenant and protocol, and write the lists
    Assess(assess::Arguments),
    /// Write notices and lists for a kept decision, or a month's usage reports
    Notices(notices::Arguments),
    /// Explain one tenant's verdict: reasons, users and numbers
    Explain(explain::Arguments),
    /// Run a campaign: announce, opt out, recheck, apply, confirm, status
    #[command(subcommand)]
    Campaign(campaign::Command),
    /// Set or show the list of tenants that the lake keeps
    #[command(subcommand)]
    Roster(roster::Command),
    /// Run a report by name; without a name, list the reports
    Report(report::Arguments),
    /// Query the lake with read-only SQL, once or in a shell
    Sql(sql::Arguments),
    /// Serve the lake to PostgreSQL clients and browsers
    Serve(serve::Arguments),
    /// Print the script that collects sign-in logs
    #[command(subcommand)]
    Collect(collect::Command),
    /// List every export that ingest reads, and what each can prove
    Formats(formats::Arguments),
    /// Print the script that collects a tenant's settings
    #[command(subcommand)]
    Settings(settings::Command),
    /// Inspect and maintain the lake: status, verify, replay, compact, vacuum
    #[command(subcommand)]
    Lake(lake::Command),
    /// Print shell completion scripts
    Completions(completions::Arguments),
    /// Write the manual pages, one per command
    Man(completions::ManArguments),
}

impl Command {
    /// Whether Ctrl-C means nothing but the end to it.
    const fn ends_by_itself(&self) -> bool {
        match self {
            Self::Sql(_) | Self::Serve(_) => false,
            Self::Run(_)
            | Self::Ingest(_)
            | Self::Assess(_)
            | Self::Notices(_)
            | Self::Explain(_)
            | Self::Campaign(_)
            | Self::Roster(_)
            | Self::Report(_)
            | Self::Collect(_)
            | Self::Formats(_)
            | Self::Settings(_)
            | Self::Lake(_)
            | Self::Completions(_)
            | Self::Man(_) => true,
        }
    }

    /// The folder that the command writes lists and notices into.
    fn out(&self) -> Option<&Path> {
        match self {
            Self::Run(arguments) => Some(&arguments.out),
            Self::Assess(arguments) => arguments.out(),
            Self::Notices(arguments) => Some(&arguments.out),
            Self::Campaign(command) => command.out(),
            Self::Ingest(_)
            | Self::Explain(_)
            | Self::Roster(_)
            | Self::Report(_)
            | Self::Sql(_)
            | Self::Serve(_)
            | Self::Collect(_)
            | Self::Formats(_)
            | Self::Settings(_)
            | Self::Lake(_)
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
    }
}

/// Parses the arguments, runs the command, tells errors.
pub(crate) async fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let command = match report::flags::with_flags(Cli::command(), &arguments) {
        Ok(command) => command,
        Err(error) => return failed(&error),
    };
    let matches = command.try_get_matches_from(arguments).unwrap_or_else(|error| exit_of_clap(&error));
    if let Err(error) = shared::Output::of(&matches).check() {
        return failed(&error);
    }
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| exit_of_clap(&error));
    let global = &cli.global;
    global.set_lock_policy();
    if cli.command.ends_by_itself() {
        tokio::spawn(end_when_interrupted());
    }
    let done = match &cli.command {
        Command::Run(arguments) => run::run(arguments, global).await,
        Command::Ingest(arguments) => ingest::run(arguments, global).await,
        Command::Assess(arguments) => assess::run(arguments, global).await,
        Command::Notices(arguments) => notices::run(arguments, global).await,
        Command::Explain(arguments) => explain::run(arguments, global).await,
        Command::Campaign(command) => campaign::run(command, global).await,
        Command::Roster(command) => roster::run(command, global).await,
        Command::Report(arguments) => report::run(arguments, global).await,
        Command::Sql(arguments) => sql::run(arguments, global).await,
        Command::Serve(arguments) => serve::run(arguments, global).await,
        Command::Collect(command) => collect::run(command),
        Command::Formats(arguments) => formats::run(arguments),
        Command::Settings(command) => settings::run(command),
        Command::Lake(command) => Box::pin(lake::run(command, global)).await,
        Command::Completions(arguments) => completions::run(arguments),
        Command::Man(arguments) => completions::man(arguments),
    };
    if done.is_err() {
        cancel_all().await;
    }
    // What exit 0 says is done is still done after a power cut.
    let done = done.and_then(|code| match cli.command.out().filter(|out| out.is_dir()) {
        Some(out) => Ok(lightsout_output::durable::sync(out).map(|()| code)?),
        None => Ok(code),
    });
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => failed(&error),
    }
}

/// Ends the program after Ctrl-C, whatever it is doing, also where it waits for a lock or a pipe. A command that has to
/// clean up has half a second for it; a lake takes no harm from a command that is killed.
async fn end_when_interrupted() {
    if tokio::signal::ctrl_c().await.is_ok() {
        tokio::join!(tokio::time::sleep(Duration::from_millis(500)), cancel_all());
        lightsout_output::stderr!(
            "lightsout: interrupted; what was committed stays; run the same command again to continue"
        );
        std::process::exit(INTERRUPTED.into());
    }
}

/// Says what clap has to say, which quotes arguments: in them it leaves characters that steer a terminal.
fn exit_of_clap(error: &clap::Error) -> ! {
    let text = error.render().to_string();
    let steers = |c: char| is_bidi(c) || c.is_control() && !matches!(c, '\n' | '\t');
    if !error.use_stderr() || !text.contains(steers) {
        error.exit()
    }
    lightsout_output::stderr!("{}", text.trim_end());
    std::process::exit(error.exit_code())
}

fn failed(error: &Failure) -> ExitCode {
    lightsout_output::stderr!("lightsout: {error}");
    ExitCode::from(error.exit_code())
}
