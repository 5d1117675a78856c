//! What Tab offers: tables where one is named, columns of the tables that the line names, functions, keywords.

use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use lightsout_query::column_docs::Vocabulary;

const KEYWORDS: [&str; 47] = [
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "CURRENT_DATE",
    "DATE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FILTER",
    "FROM",
    "FULL",
    "GROUP BY",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER BY",
    "OVER",
    "PARTITION BY",
    "SELECT",
    "THEN",
    "UNION",
    "WHEN",
    "WHERE",
];

/// See the file's first lines.
pub(super) struct Names(Vocabulary);

impl Names {
    pub(super) const fn of(vocabulary: Vocabulary) -> Self {
        Self(vocabulary)
    }

    /// Columns of the tables that a text names, of all if it names none.
    fn columns(&self, text: &str) -> Vec<&str> {
        let words: Vec<&str> = text.split(|c: char| !is_word(c)).collect();
        let named = self.0.relations.iter().filter(|(name, _)| words.contains(&name.as_str()));
        let mut columns: Vec<&str> = named.flat_map(|(_, columns)| columns).map(String::as_str).collect();
        if columns.is_empty() {
            columns = self.0.relations.values().flatten().map(String::as_str).collect();
        }
        columns
    }

    /// Where the word before the cursor starts, and what it may become.
    fn offered(&self, line: &str, at: usize) -> (usize, Vec<String>) {
        let start = line[..at]
            .rfind(|c| !is_word(c))
            .map_or(0, |before| before + line[before..].chars().next().map_or(1, char::len_utf8));
        let (before, word) = (&line[..start], &line[start..at]);
        let lower = line.to_lowercase();
        let relations = || self.0.relations.keys().map(String::as_str);
        let previous = before.trim_end().rsplit(|c: char| c.is_whitespace()).next().unwrap_or_default();
        let names: Vec<&str> = if before.trim_start().starts_with('\\') {
            relations().collect()
        } else if before.ends_with('.') {
            self.columns(&lower)
        } else if ["from", "join", "describe"].contains(&previous.to_lowercase().as_str()) {
            relations().collect()
        } else if word.is_empty() {
            self.columns(&lower)
        } else {
            let functions = self.0.functions.iter().map(String::as_str);
            self.columns(&lower).into_iter().chain(relations()).chain(functions).collect()
        };
        let wanted = word.to_lowercase();
        let mut offered: Vec<String> =
            names.iter().filter(|name| name.starts_with(&wanted)).map(|name| (*name).to_owned()).collect();
        if !word.is_empty() && !before.ends_with('.') && !before.trim_start().starts_with('\\') {
            let is_lower = word.chars().all(|c| !c.is_uppercase());
            let keywords = KEYWORDS.iter().filter(|keyword| keyword.to_lowercase().starts_with(&wanted));
            offered.extend(
                keywords.map(|keyword| if is_lower { keyword.to_lowercase() } else { (*keyword).to_owned() }),
            );
        }
        offered.sort_unstable();
        offered.dedup();
        (start, offered)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Completer for Names {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.offered(line, at))
    }
}

impl Hinter for Names {
    type Hint = String;
}
impl Highlighter for Names {}
impl Validator for Names {}
impl Helper for Names {}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> Vec<String> {
        let relation = |name: &str, columns: &[&str]| {
            (name.to_owned(), columns.iter().map(|column| (*column).to_owned()).collect())
        };
        let relations =
            [relation("sign_ins", &["tenant_id", "protocol"]), relation("sources", &["source_id", "path"])];
        let functions = ["count", "concat"].map(str::to_owned).to_vec();
        let names = Names::of(Vocabulary { relations: relations.into(), functions });
        names.offered(line, line.len()).1
    }

    #[test]
    fn tables_are_offered_after_from_and_columns_of_the_named_tables_elsewhere() {
        assert_eq!(offered("SELECT * FROM "), ["sign_ins", "sources"]);
        assert_eq!(offered("SELECT * FROM si"), ["sign_ins"]);
        assert_eq!(offered("\\d s"), ["sign_ins", "sources"]);
        assert_eq!(offered("SELECT * FROM sources WHERE p"), ["partition by", "path"]);
        assert_eq!(offered("SELECT * FROM sources AS s WHERE s.p"), ["path"]);
        assert_eq!(offered("SELECT p"), ["partition by", "path", "protocol"]);
        assert_eq!(offered("SELECT co"), ["concat", "count"]);
    }

    #[test]
    fn keywords_are_written_as_the_word_was_begun() {
        assert_eq!(offered("SEL"), ["SELECT"]);
        assert_eq!(offered("sel"), ["select"]);
        assert_eq!(offered("SELECT 1 FROM sign_ins GR"), ["GROUP BY"]);
    }
}
