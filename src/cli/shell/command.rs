//! The commands of the shell that are not SQL, as psql has them.

use std::fmt::Write as _;
use std::path::PathBuf;

use lightsout_query::column_docs::{ColumnDoc, Relation};
use lightsout_report::Format;

pub(super) const HELP: &str = "\
SELECT ...;         ask; a query may have many lines and ends with ;
\\d                  tables and views
\\d NAME             columns of one, with what they mean
\\x [on|off|auto]    one column a line; auto: where a row is wider than the screen
\\pset format F      table, csv, json, ndjson or md
\\pset pager on|off  long answers through $PAGER
\\o [FILE]           answers into a file; without one back to the screen
\\timing [on|off]    how long each query takes
\\? or help          this
\\q or Ctrl-D        leave
Tab completes, Up finds what was asked before, Ctrl-C drops a line or ends a query.";

/// How rows lie on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expanded {
    On,
    Off,
    /// Where they are wider than the screen.
    Auto,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Quit,
    Help,
    List,
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
            ("\\d" | "\\dt" | "\\dv" | "\\d+", []) => Self::List,
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
                    Self::Wrong(format!("{name} goes into a file, whose name tells it: \\o answers.{name}"))
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

pub(super) fn list(relations: &[Relation]) -> String {
    let width = relations.iter().map(|relation| relation.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for relation in relations {
        let kind = if relation.is_view { "view" } else { "table" };
        let _ = writeln!(text, "{kind:5}  {:width$}  {}", relation.name, relation.purpose);
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
        assert_eq!(Command::of("\\d"), Some(Command::List));
        assert_eq!(Command::of("\\d Sign_Ins;"), Some(Command::Describe("sign_ins".to_owned())));
        assert_eq!(Command::of("\\timing off"), Some(Command::Timing(Some(false))));
        assert_eq!(Command::of("\\x"), Some(Command::Expanded(None)));
        assert_eq!(Command::of("\\pset format CSV"), Some(Command::Format(Format::Csv)));
        assert_eq!(Command::of("\\o my answers.csv"), Some(Command::Output(Some("my answers.csv".into()))));
        for wrong in ["\\dd", "\\timing maybe", "\\pset format xml", "\\pset format parquet", "\\x 1"] {
            assert!(matches!(Command::of(wrong), Some(Command::Wrong(_))), "{wrong}");
        }
    }
}
