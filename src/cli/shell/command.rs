//! The commands of the shell that are not SQL, as psql has them.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::screen::Expanded;
use crate::cli::sql_session::Listed;
use lightsout_query::column_docs::ColumnDoc;
use lightsout_report::Format;

pub(super) const HELP: &str = "\
SELECT ...;         run a query; it may have many lines and ends with ;
SET TIME ZONE 'Z';  show times in another zone, as in 'Europe/Berlin'
\\d                  tables, views, and reports, which are views too
\\dS                 the same, with internal views
\\d NAME             columns of one, with their meaning
\\i FILE             run the statements of a file, until one fails
\\e                  write the query in $VISUAL or $EDITOR
\\watch [SECONDS]    repeat the last query, until Ctrl-C
\\x [on|off|auto]    one column per line; auto: if a row is wider than the screen
\\pset format F      table, csv, json, ndjson or md
\\pset pager on|off  long answers through $PAGER
\\o [FILE]           write results to a file; without one, to the screen
\\timing [on|off]    how long each query takes
\\? or help          this
\\q or Ctrl-D        leave
Tab completes, Up finds what was asked before, Ctrl-C drops a line or ends a query.";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Quit,
    Help,
    /// With the parts of views, or without.
    List(bool),
    Include(PathBuf),
    Edit,
    Watch(Duration),
    Describe(String),
    /// `None` turns it round, here and below.
    Timing(Option<bool>),
    Expanded(Option<Expanded>),
    Format(Format),
    Pager(Option<bool>),
    Output(Option<PathBuf>),
    /// It is none, and why.
    Wrong(String),
}

impl Command {
    /// The command that a line is, `None` if it is SQL.
    pub(super) fn of(line: &str) -> Option<Self> {
        let line = line.trim();
        let line = line.strip_suffix(';').unwrap_or(line).trim_end();
        let mut words = line.split_whitespace();
        let first = words.next()?;
        let rest: Vec<&str> = words.collect();
        match (first, rest.as_slice()) {
            ("quit" | "exit", []) => return Some(Self::Quit),
            ("help", []) => return Some(Self::Help),
            _ if !first.starts_with('\\') => return None,
            _ => {}
        }
        let wrong = |expected: &str| Self::Wrong(format!("expected {expected}, found {line}"));
        let switch = |word: &str| match word {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        };
        Some(match (first, rest.as_slice()) {
            ("\\q", []) => Self::Quit,
            ("\\?" | "\\h", []) => Self::Help,
            ("\\d" | "\\dt" | "\\dv" | "\\d+", []) => Self::List(false),
            ("\\dS" | "\\dtS" | "\\dvS", []) => Self::List(true),
            ("\\i", [_, ..]) => Self::Include(PathBuf::from(line[2..].trim())),
            ("\\i", []) => wrong("\\i FILE"),
            ("\\e" | "\\edit", []) => Self::Edit,
            ("\\watch", []) => Self::Watch(WATCH_EVERY),
            ("\\watch", [seconds]) => {
                seconds_of(seconds).map_or_else(|| wrong("\\watch SECONDS, from 0.1 to 86400"), Self::Watch)
            }
            ("\\d" | "\\d+", [name]) => Self::Describe(name.to_ascii_lowercase()),
            ("\\timing", []) => Self::Timing(None),
            ("\\timing", [word]) => {
                switch(word).map_or_else(|| wrong("\\timing on or off"), |on| Self::Timing(Some(on)))
            }
            ("\\x", []) => Self::Expanded(None),
            ("\\x", ["on"]) => Self::Expanded(Some(Expanded::On)),
            ("\\x", ["off"]) => Self::Expanded(Some(Expanded::Off)),
            ("\\x", ["auto"]) => Self::Expanded(Some(Expanded::Auto)),
            ("\\x", _) => wrong("\\x on, off or auto"),
            ("\\pset", ["pager"]) => Self::Pager(None),
            ("\\pset", ["pager", word]) => {
                switch(word).map_or_else(|| wrong("\\pset pager on or off"), |on| Self::Pager(Some(on)))
            }
            ("\\pset", ["format", name]) => match name.to_ascii_lowercase().parse() {
                Ok(Format::Parquet | Format::Xlsx) => {
                    Self::Wrong(format!("{name} can only be written to a file: \\o answers.{name}"))
                }
                Ok(format) => Self::Format(format),
                Err(_) => wrong("\\pset format table, csv, json, ndjson or md"),
            },
            ("\\pset", _) => wrong("\\pset format F or \\pset pager on or off"),
            ("\\o", []) => Self::Output(None),
            ("\\o", _) => Self::Output(Some(PathBuf::from(line[2..].trim()))),
            _ => Self::Wrong(format!("there is no command {first}; \\? lists them")),
        })
    }
}

/// How often `\watch` asks that is not told.
const WATCH_EVERY: Duration = Duration::from_secs(2);

fn seconds_of(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    (0.1..=86_400.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// The query before a `\watch` that ends its line, and how often it is asked.
pub(super) fn watched(line: &str) -> Option<(&str, Duration)> {
    let (sql, rest) = line.rsplit_once("\\watch")?;
    let every = match rest.trim().trim_end_matches(';') {
        "" => WATCH_EVERY,
        seconds => seconds_of(seconds)?,
    };
    (!sql.trim().is_empty()).then_some((sql, every))
}

pub(super) fn list(names: &[Listed]) -> String {
    let width = names.iter().map(|listed| listed.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for Listed { kind, name, purpose } in names {
        let _ = writeln!(text, "{kind:6}  {name:width$}  {purpose}");
    }
    text.trim_end().to_owned()
}

pub(super) fn columns(name: &str, purpose: Option<&str>, columns: &[ColumnDoc]) -> String {
    let widest = |each: fn(&ColumnDoc) -> &str| columns.iter().map(|column| each(column).len()).max();
    let names = widest(|column| &column.name).unwrap_or(0);
    let types = widest(|column| &column.sql_type).unwrap_or(0);
    let mut text = format!("{name}: {}\n", purpose.unwrap_or("a part of other views."));
    for ColumnDoc { name, sql_type, meaning } in columns {
        let line = format!("  {name:names$}  {sql_type:types$}  {meaning}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_a_backslash_is_a_command_and_the_rest_is_sql() {
        assert_eq!(Command::of("SELECT 1;"), None);
        assert_eq!(Command::of("  "), None);
        assert_eq!(Command::of(" \\q "), Some(Command::Quit));
        assert_eq!(Command::of("exit;"), Some(Command::Quit));
        assert_eq!(Command::of("\\d"), Some(Command::List(false)));
        assert_eq!(Command::of("\\dS"), Some(Command::List(true)));
        assert_eq!(Command::of("\\i my file.sql"), Some(Command::Include("my file.sql".into())));
        assert_eq!(Command::of("\\watch 0.5"), Some(Command::Watch(Duration::from_millis(500))));
        assert_eq!(watched("SELECT 1 \\watch 3;"), Some(("SELECT 1 ", Duration::from_secs(3))));
        assert_eq!(watched("SELECT 1 \\watch"), Some(("SELECT 1 ", Duration::from_secs(2))));
        assert_eq!(
            (watched("SELECT 1;"), watched("\\watch 3"), watched("SELECT 1 \\watch no")),
            (None, None, None)
        );
        assert_eq!(Command::of("\\d Sign_Ins;"), Some(Command::Describe("sign_ins".to_owned())));
        assert_eq!(Command::of("\\timing off"), Some(Command::Timing(Some(false))));
        assert_eq!(Command::of("\\x"), Some(Command::Expanded(None)));
        assert_eq!(Command::of("\\pset format CSV"), Some(Command::Format(Format::Csv)));
        assert_eq!(Command::of("\\o my answers.csv"), Some(Command::Output(Some("my answers.csv".into()))));
        for wrong in [
            "\\dd",
            "\\timing maybe",
            "\\pset format xml",
            "\\pset format parquet",
            "\\x 1",
            "\\i",
            "\\watch 0",
        ] {
            assert!(matches!(Command::of(wrong), Some(Command::Wrong(_))), "{wrong}");
        }
    }
}
