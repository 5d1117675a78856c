//! An error in a query, written for its author: what is wrong, then the place in the text, then a hint such as the
//! names that exist. The engine's errors are translated here.

use std::fmt;

use arrow::error::ArrowError;
use datafusion::common::{Column, SchemaError, Span};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::sqlparser::parser::ParserError;

use super::catalog::REPORTS;
use super::suggestions::{NameKind, suggest};

/// Characters of a line that are shown around the place.
const EXCERPT_CHARACTERS_MAX: usize = 110;

/// Columns that are listed.
const COLUMNS_LISTED_MAX: usize = 40;

/// What is wrong with a query, where, and a hint. `Display` writes all three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    message: String,
    place: Option<Place>,
    hint: Option<String>,
}

/// A place in a text, counted in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    /// A part of the line, on one line.
    excerpt: String,
    /// Characters before the marked part, and of it.
    indent: usize,
    length: usize,
}

/// The names that a session has.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    pub(super) tables: Vec<String>,
    pub(super) functions: Vec<String>,
    pub(super) table_functions: Vec<String>,
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if let Some(Place { line, column, excerpt, indent, length }) = &self.place {
            write!(
                f,
                "\nline {line}, column {column}:\n  {excerpt}\n  {:indent$}{}",
                "",
                "^".repeat(*length)
            )?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{hint}")?;
        }
        Ok(())
    }
}

impl Place {
    fn at(sql: &str, line: usize, column: usize, length: usize) -> Option<Self> {
        let text: Vec<char> = sql.lines().nth(line.checked_sub(1)?)?.chars().collect();
        let at = column.checked_sub(1)?.min(text.len());
        let length = length.clamp(1, (text.len() - at).max(1));
        let start = if text.len() > EXCERPT_CHARACTERS_MAX {
            at.saturating_sub(EXCERPT_CHARACTERS_MAX / 2)
        } else {
            0
        };
        let end = text.len().min(start + EXCERPT_CHARACTERS_MAX);
        let plain = |c: &char| if c.is_control() || lightsout_output::text::is_bidi(*c) { ' ' } else { *c };
        let mut excerpt: String = text[start..end].iter().map(plain).collect();
        let mut indent = at - start;
        if start > 0 {
            excerpt.insert_str(0, "...");
            indent += 3;
        }
        if end < text.len() {
            excerpt.push_str("...");
        }
        let length = length.min((end + 1).saturating_sub(at)).max(1);
        Some(Self { line, column, excerpt: excerpt.trim_end().to_owned(), indent, length })
    }

    fn of_span(sql: &str, span: Span) -> Option<Self> {
        let size = |number: u64| usize::try_from(number).unwrap_or(0);
        let (start, end) = (span.start, span.end);
        let length = if start.line == end.line { size(end.column.saturating_sub(start.column)) } else { 1 };
        Self::at(sql, size(start.line), size(start.column), length)
    }

    /// The first time that a word stands in a text by itself.
    fn of_word(sql: &str, word: &str) -> Option<Self> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let lower = sql.to_ascii_lowercase();
        let word = word.to_ascii_lowercase();
        let (at, _) = lower.match_indices(&word).find(|(at, _)| {
            !lower[..*at].ends_with(is_word) && !lower[at + word.len()..].starts_with(is_word)
        })?;
        let before = &sql[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self::at(sql, line, column, word.chars().count())
    }
}

impl SqlError {
    /// A sentence without a place.
    pub(super) const fn without_place(message: String) -> Self {
        Self { message, place: None, hint: None }
    }

    /// What the engine says of a text.
    pub(super) fn from_engine(sql: &str, error: &DataFusionError, known: &KnownNames) -> Self {
        let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
        let place = span.and_then(|span| Place::of_span(sql, span));
        let root = root(error);
        match root {
            DataFusionError::SQL(source, _) => from_parser(sql, source),
            DataFusionError::SchemaError(source, _) => from_schema(sql, source, place),
            DataFusionError::Plan(message) | DataFusionError::Execution(message) => {
                from_plan(sql, message, place, known)
            }
            DataFusionError::NotImplemented(message) => Self {
                message: format!("the engine can't do this: {}", first_line(message)),
                place,
                hint: None,
            },
            DataFusionError::ArrowError(source, _) => {
                let message = match &**source {
                    ArrowError::CastError(message)
                    | ArrowError::ParseError(message)
                    | ArrowError::ComputeError(message)
                    | ArrowError::InvalidArgumentError(message) => message.clone(),
                    ArrowError::DivideByZero => "a number is divided by zero".to_owned(),
                    other => other.to_string(),
                };
                Self { message: lower_first(&message), place, hint: None }
            }
            other => {
                let message = other.message();
                Self { message: lower_first(first_line(&message)), place, hint: None }
            }
        }
    }

    /// The sentence alone.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// The error that others have been wrapped around; of several the first.
fn root(error: &DataFusionError) -> &DataFusionError {
    match error.find_root() {
        DataFusionError::Collection(errors) if !errors.is_empty() => root(&errors[0]),
        root => root,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim()
}

/// Lowers the first letter for the middle of a sentence; an abbreviation or a name stays.
fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && (second.is_lowercase() || second == ' ') => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

fn from_parser(sql: &str, source: &ParserError) -> SqlError {
    let (ParserError::TokenizerError(message) | ParserError::ParserError(message)) = source else {
        return SqlError::without_place("it is nested too deeply".to_owned());
    };
    // "Expected: an expression, found: FROM at Line: 1, Column: 8"
    let (message, place) = match message.rsplit_once(" at Line: ") {
        Some((message, place)) => {
            let mut numbers = place.split(", Column: ").map(|number| number.trim().parse::<usize>().ok());
            (message, numbers.next().flatten().zip(numbers.next().flatten()))
        }
        None => (message.as_str(), None),
    };
    let found = message.rsplit_once("found: ").map(|(_, found)| found);
    let length = found.filter(|found| *found != "EOF").map_or(1, |found| found.chars().count());
    let place = place.and_then(|(line, column)| Place::at(sql, line, column, length));
    let place = place.or_else(|| {
        // The end of the text has no place of its own.
        let line = sql.trim_end().lines().count();
        let column = sql.trim_end().lines().last()?.chars().count() + 1;
        (found == Some("EOF")).then(|| Place::at(sql.trim_end(), line, column, 1)).flatten()
    });
    let message = message
        .replace("Expected: ", "expected ")
        .replace("found: EOF", "found the end of the query")
        .replace("found: ", "found ");
    SqlError { message: lower_first(&message), place, hint: None }
}

fn did_you_mean(meant: Option<String>) -> String {
    meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"))
}

fn from_schema(sql: &str, source: &SchemaError, place: Option<Place>) -> SqlError {
    match source {
        SchemaError::FieldNotFound { field, valid_fields } => unknown_column(sql, field, valid_fields, place),
        SchemaError::AmbiguousReference { field } => {
            let name = field.name();
            let place = place.or_else(|| Place::of_word(sql, name));
            let message = format!("more than one table here has a column {name}; qualify it, as in t.{name}");
            SqlError { message, place, hint: None }
        }
        other => SqlError { message: lower_first(&other.to_string()), place, hint: None },
    }
}

fn unknown_column(sql: &str, field: &Column, valid: &[Column], place: Option<Place>) -> SqlError {
    let name = field.name();
    let place = place.or_else(|| Place::of_word(sql, name));
    let quoted = |place: &Place| place.excerpt.chars().nth(place.indent) == Some('"');
    if place.as_ref().is_some_and(quoted) && suggest(name, &names(valid), NameKind::Column).is_none() {
        let message = format!("there is no column {name}; text is written in single quotes: '{name}'");
        return SqlError { message, place, hint: None };
    }
    if valid.is_empty() {
        let message = format!("there is no column {name}, and no table to look in; add FROM sign_ins");
        return SqlError { message, place, hint: None };
    }
    let of = field.relation.as_ref().map(|relation| format!(" in {relation}")).unwrap_or_default();
    // Of a table that is named here, its columns alone; of one that is not, that is what is wrong.
    let mut own: Vec<&Column> =
        valid.iter().filter(|column| field.relation.is_some() && column.relation == field.relation).collect();
    let mut message = format!("there is no column {name}{of}");
    if own.is_empty() {
        if let Some(relation) = &field.relation {
            let mut tables: Vec<String> =
                valid.iter().filter_map(|column| column.relation.as_ref()).map(ToString::to_string).collect();
            tables.dedup();
            message = format!("nothing is called {relation} here; there are: {}", tables.join(", "));
            return SqlError { message, place, hint: None };
        }
        own = valid.iter().collect();
    }
    let mut known: Vec<&str> = own.iter().map(|column| column.name()).collect();
    known.dedup();
    let meant = suggest(name, &known, NameKind::Column);
    message.push_str(&did_you_mean(meant.map(|meant| whole_names(&meant, &own, field.relation.is_some()))));
    known.sort_unstable();
    known.dedup();
    let listed =
        known.iter().take(COLUMNS_LISTED_MAX).map(|name| as_written(name)).collect::<Vec<_>>().join(", ");
    let rest = known.len().saturating_sub(COLUMNS_LISTED_MAX);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    SqlError { message, place, hint: Some(format!("columns: {listed}{rest}")) }
}

/// A column as a query must write it: with its table where several tables have one of that name.
fn whole_names(name: &str, columns: &[&Column], is_qualified: bool) -> String {
    let of_name = columns.iter().filter(|column| column.name() == name);
    let mut tables: Vec<String> =
        of_name.filter_map(|column| column.relation.as_ref()).map(|table| table.table().to_owned()).collect();
    tables.sort_unstable();
    tables.dedup();
    if is_qualified || tables.len() < 2 {
        return as_written(name);
    }
    let whole = tables.iter().map(|table| format!("{}.{}", as_written(table), as_written(name)));
    whole.collect::<Vec<_>>().join(" or ")
}

/// A name in double quotes, unless it means the same without them.
fn as_written(name: &str) -> String {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn names(columns: &[Column]) -> Vec<&str> {
    columns.iter().map(Column::name).collect()
}

fn is_report(name: &str) -> bool {
    REPORTS.iter().any(|report| report.name == name)
}

fn strs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn from_plan(sql: &str, message: &str, place: Option<Place>, known: &KnownNames) -> SqlError {
    let without_hint = |message: String, place| SqlError { message, place, hint: None };
    if let Some(name) = between(message, "table function '", "' not found") {
        let place = place.or_else(|| Place::of_word(sql, name));
        let suggestion = did_you_mean(suggest(name, &strs(&known.table_functions), NameKind::Table));
        let message = format!(
            "there is no table function {name}{suggestion}; queries read the tables of the lake, not files or addresses (a file of yours: --with NAME=FILE)"
        );
        return without_hint(message, place);
    }
    if let Some(name) = between(message, "table '", "' not found") {
        let own = |database: &str| name.strip_prefix(database)?.strip_prefix(".public.");
        let name = own("datafusion").or_else(|| own("lightsout")).unwrap_or(name);
        let place = place.or_else(|| Place::of_word(sql, name));
        let is_file = name.contains(['/', '\\', '.', ':', '*']);
        let mut message = format!("there is no table {name}");
        if is_file {
            message.push_str(
                "; queries read the tables of the lake, not files or addresses (a file of yours: --with NAME=FILE)",
            );
        } else {
            message.push_str(&did_you_mean(suggest(name, &strs(&known.tables), NameKind::Table)));
        }
        let (reports, others): (Vec<&str>, Vec<&str>) =
            known.tables.iter().map(String::as_str).partition(|name| is_report(name));
        let reports =
            if reports.is_empty() { "" } else { ", and every report (lightsout report lists them)" };
        let hint = Some(format!("tables and views: {}{reports}", others.join(", ")));
        return SqlError { message, place, hint };
    }
    if let Some(name) = between(message, "Invalid function '", "'.") {
        let place = place.or_else(|| Place::of_word(sql, name));
        let suggestion = did_you_mean(suggest(name, &strs(&known.functions), NameKind::Function));
        return without_hint(format!("there is no function {name}{suggestion}"), place);
    }
    if let Some(name) = between(message, "Placeholder '", "' was not provided a value") {
        let message = format!(
            "{name} has no value here; write one in its place (shipped queries with parameters: lightsout report)"
        );
        return without_hint(message, Place::of_word(sql, name));
    }
    without_hint(lower_first(first_line(message)), place)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}
