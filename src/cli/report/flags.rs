//! A report's own parameters as flags: which report is asked for is found before the arguments are parsed,
//! and its parameters become arguments like all others, with types, defaults and help.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::cli::failure::{Failure, Result};
use lightsout_query::Error as QueryError;
use lightsout_query::catalog::Report;
use lightsout_query::catalog::header::Header;
use lightsout_query::catalog::own::Library;
use lightsout_query::catalog::parameter::{Declared, Kind, ParameterValue};

const REPORT: &str = "report";

/// Before the names of the arguments that are a report's parameters.
const OWN: &str = "parameter:";

/// What the flags of a report's own parameters say, by the parameter's name.
#[derive(Debug, Default)]
pub(crate) struct Values(pub(super) BTreeMap<String, ParameterValue>);

impl FromArgMatches for Values {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let mut values = Self::default();
        values.update_from_arg_matches(matches)?;
        Ok(values)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        for id in matches.ids() {
            if let Some(name) = id.as_str().strip_prefix(OWN)
                && let Ok(Some(value)) = matches.try_get_one::<ParameterValue>(id.as_str())
            {
                self.0.insert(name.to_owned(), value.clone());
            }
        }
        Ok(())
    }
}

/// Which they are is known only once a report is named.
impl Args for Values {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

/// The header of a report; the error names the file.
pub(super) fn header(library: &Library, report: &Report<'_>) -> Result<Header> {
    report.header().map_err(|error| {
        Failure::from(QueryError::Header {
            path: library
                .path(report.name)
                .map_or_else(|| report.name.to_owned(), |path| path.display().to_string()),
            line: error.line,
            found: error.found,
            expected: error.expected,
        })
    })
}

/// The command line with the flags of the report that the arguments name, if they name one.
///
/// # Errors
/// Fails if there is no report of that name, or its file or folder is wrong.
pub(crate) fn with_flags(command: Command, arguments: &[OsString]) -> Result<Command> {
    let Some(asked) = Asked::find(&command, arguments) else { return Ok(command) };
    let library = Library::open(asked.queries.as_deref(), lightsout_config::spreadsheet::decoded)?;
    let report = library.find(&asked.name)?;
    let header = header(&library, &report)?;
    if let Some((declared, flag)) = header.parameters.iter().find_map(|declared| {
        let flag = declared.flag();
        is_taken(&command, &flag).then_some((declared, flag))
    }) {
        return Err(Failure::from(QueryError::Header {
            path: library.path(report.name).map_or_else(String::new, |path| path.display().to_string()),
            line: declared.line,
            found: format!("${}, whose flag --{flag} every report has already", declared.name),
            expected: "another name".to_owned(),
        }));
    }
    let usage = format!("lightsout report {} [OPTIONS]", report.name);
    Ok(command.mut_subcommand(REPORT, |command| {
        let command = command
            .about(header.purpose.clone())
            .override_usage(usage)
            .after_help(after_help(&header))
            .mut_arg("name", |name| name.hide(true));
        header.parameters.iter().fold(command, |command, declared| command.arg(argument(declared)))
    }))
}

fn is_taken(command: &Command, flag: &str) -> bool {
    let report = command.find_subcommand(REPORT);
    let arguments = command.get_arguments().chain(report.into_iter().flat_map(Command::get_arguments));
    ["help", "version"].contains(&flag)
        || arguments.into_iter().any(|argument| argument.get_long() == Some(flag))
}

fn argument(declared: &Declared) -> Arg {
    let (kind, parsed) = (declared.kind, declared.clone());
    let is_empty = kind == Kind::Text && declared.default_text.is_empty();
    let default = if is_empty { "none" } else { declared.default_text.as_str() };
    Arg::new(format!("{OWN}{}", declared.name))
        .long(declared.flag())
        .value_name(kind.value_name())
        .value_parser(move |text: &str| parsed.parse(text))
        .allow_negative_numbers(matches!(kind, Kind::Bigint | Kind::Double))
        .help(format!("{} [default: {default}]", sentence(&declared.meaning)))
        .help_heading("Parameters")
}

/// As the other flags' help begins.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// What its rows are.
fn after_help(header: &Header) -> String {
    let parts = ["Grain", "Columns", "Order", "Reads", "Blind spots"];
    let told = parts.iter().filter_map(|part| Some(format!("{part}: {}", header.part(part)?)));
    told.collect::<Vec<_>>().join("\n")
}

/// The report that the arguments name, and where the user's own queries are.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    name: String,
    queries: Option<PathBuf>,
}

impl Asked {
    /// Read leniently: what is wrong with the arguments is told when they are parsed. Every flag that is not
    /// known takes a value, as those of parameters do.
    fn find(command: &Command, arguments: &[OsString]) -> Option<Self> {
        let report = command.find_subcommand(REPORT)?;
        let switches: Vec<&str> = command
            .get_arguments()
            .chain(report.get_arguments())
            .filter(|argument| !argument.get_action().takes_values())
            .filter_map(Arg::get_long)
            .chain(["help", "version"])
            .collect();
        let (mut words, mut queries) = (Vec::new(), None);
        let mut rest = arguments.iter().skip(1).map(|argument| argument.to_string_lossy());
        while let Some(word) = rest.next() {
            let Some(flag) = word.strip_prefix("--").filter(|flag| !flag.is_empty()) else {
                if !word.starts_with('-') {
                    words.push(word.into_owned());
                }
                continue;
            };
            let (flag, value) = match flag.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None if switches.contains(&flag) => (flag, None),
                None => (flag, rest.next().map(std::borrow::Cow::into_owned)),
            };
            if flag == "queries" {
                queries = value.map(PathBuf::from);
            }
        }
        let mut words = words.into_iter();
        (words.next()? == REPORT).then_some(())?;
        Some(Self { name: words.next()?, queries })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn asked(line: &str) -> Option<(String, Option<String>)> {
        let arguments: Vec<OsString> =
            ["lightsout"].into_iter().chain(line.split_whitespace()).map(OsString::from).collect();
        let asked = Asked::find(&Cli::command(), &arguments)?;
        Some((asked.name, asked.queries.map(|path| path.display().to_string())))
    }

    #[test]
    fn the_report_is_found_wherever_its_name_stands() {
        let who = || Some(("who".to_owned(), None));
        for line in [
            "report who",
            "--lake other report who --top 5",
            "--quiet report --explain --top 5 who",
            "report --output top_users --format=csv who --help",
            "report --min-sign-ins=3 who",
        ] {
            assert_eq!(asked(line), who(), "{line}");
        }
        assert_eq!(asked("report --queries mine x"), Some(("x".to_owned(), Some("mine".to_owned()))));
        for line in ["", "report", "report --help", "report --queries mine", "sql who", "run report who"] {
            assert_eq!(asked(line), None, "{line}");
        }
    }

    #[test]
    fn every_shipped_report_has_flags_of_its_own() {
        for report in lightsout_query::catalog::REPORTS {
            let arguments = ["lightsout", "report", report.name].map(OsString::from);
            let command = with_flags(Cli::command(), &arguments).expect("a command");
            command.debug_assert();
        }
    }
}
