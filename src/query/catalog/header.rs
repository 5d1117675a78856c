//! The header of a query file, and the parameters that it declares:
//!
//! ```sql
//! -- What it answers, on the first line.
//! -- Reads: the tables and views
//! -- Params: $window_start timestamp = start of the window; $top bigint default 20 = rows, at most
//! -- Grain: what a row stands for
//! ```
//!
//! The purpose is required, and a declaration of every parameter that the program does not bind from the
//! rules. All other parts are for readers.

use super::parameter::{Declared, declarations, well_known};
use crate::placeholders::placeholders;

/// The parts that a header may have, in the order in which help shows them.
pub const PARTS: [&str; 6] = ["Grain", "Columns", "Order", "Reads", "Blind spots", "Params"];

/// What the header of a query says.
#[derive(Debug, Clone)]
pub struct Header {
    pub purpose: String,
    /// Every parameter of the query that the program does not bind from the rules.
    pub parameters: Vec<Declared>,
    /// The well-known parameters that the query has.
    pub bound: Vec<&'static str>,
    parts: Vec<(&'static str, String)>,
}

/// What is wrong with a header, and on which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderError {
    pub line: usize,
    pub found: String,
    pub expected: String,
}

impl Header {
    /// Reads the header of a query.
    ///
    /// # Errors
    /// Fails if there is no purpose, if a declaration can't be read, or if declarations and parameters differ.
    pub fn read(sql: &str) -> Result<Self, HeaderError> {
        let mut purpose = String::new();
        let mut parts: Vec<(&'static str, String)> = Vec::new();
        let mut params_line = 1;
        let mut is_other = false;
        for (at, line) in sql.lines().enumerate() {
            let Some(text) = line.strip_prefix("--") else {
                if line.trim().is_empty() && purpose.is_empty() {
                    continue;
                }
                break;
            };
            let opened = PARTS.into_iter().find_map(|part| {
                let rest = text.strip_prefix(' ')?.strip_prefix(part)?.strip_prefix(':')?;
                Some((part, rest))
            });
            if let Some((part, rest)) = opened {
                is_other = false;
                if part == "Params" {
                    params_line = at + 1;
                }
                parts.push((part, rest.trim().to_owned()));
            } else if purpose.is_empty() {
                text.trim().clone_into(&mut purpose);
            } else if !text.starts_with("  ") {
                // A remark, or a part of somebody's own.
                is_other = true;
            } else if let (false, Some((_, value))) = (is_other, parts.last_mut()) {
                // Line breaks are kept: errors name the line of a declaration.
                value.push('\n');
                value.push_str(text.trim());
            }
        }
        if purpose.is_empty() {
            let line = sql.lines().position(|line| !line.trim().is_empty()).unwrap_or(0);
            let found = sql.lines().nth(line).unwrap_or_default().trim();
            let found = if found.is_empty() { "nothing".to_owned() } else { format!("'{}'", cut(found)) };
            return Err(HeaderError {
                line: line + 1,
                found,
                expected:
                    "a comment that says what the query answers, such as: -- Mail clients of each tenant."
                        .to_owned(),
            });
        }
        let declared = parts.iter().find(|(part, _)| *part == "Params").map_or("", |(_, text)| text.as_str());
        let declared = declarations(declared, params_line)?;
        let (parameters, bound) = matched(sql, declared)?;
        let parts = parts.into_iter().map(|(part, text)| (part, text.replace('\n', " "))).collect();
        Ok(Self { purpose, parameters, bound, parts })
    }

    /// What a part says, on one line.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(part, _)| *part == name).map(|(_, text)| text.as_str())
    }
}

/// A line of somebody's file, short enough for a message.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The declared parameters that are not bound from the rules, and those that are, as the query has them.
fn matched(sql: &str, declared: Vec<Declared>) -> Result<(Vec<Declared>, Vec<&'static str>), HeaderError> {
    let used = placeholders(sql);
    for declared in &declared {
        if !used.iter().any(|used| used.name == declared.name) {
            return Err(HeaderError {
                line: declared.line,
                found: format!("${}, which the query does not have", declared.name),
                expected: "only parameters that stand in the query".to_owned(),
            });
        }
    }
    let mut bound = Vec::new();
    for used in &used {
        if let Some((name, _)) = well_known(used.name) {
            if !bound.contains(&name) {
                bound.push(name);
            }
        } else if !declared.iter().any(|declared| declared.name == used.name) {
            return Err(HeaderError {
                line: 1 + memchr::memchr_iter(b'\n', &sql.as_bytes()[..used.at.start]).count(),
                found: format!("${}, which the header does not declare", used.name),
                expected: format!(
                    "a declaration with a default, such as: -- Params: ${} bigint default 10 = what it means",
                    used.name
                ),
            });
        }
    }
    let own = declared.into_iter().filter(|declared| well_known(&declared.name).is_none());
    Ok((own.collect(), bound))
}

#[cfg(test)]
mod tests {
    use super::super::parameter::Kind;
    use super::*;

    fn wrong(sql: &str) -> (usize, String, String) {
        let error = Header::read(sql).expect_err("a header that is wrong");
        (error.line, error.found, error.expected)
    }

    #[test]
    fn a_header_has_purpose_parts_and_parameters() {
        let header = Header::read(
            "-- What it answers.\n-- Reads: a\n-- Params: $window_start timestamp = start; $top bigint default 20 =\n\
             --   rows, at most; $word text default 'a; b' = a word\n-- Author: somebody\n--   $not a part\n\
             -- Columns: x text: one\n--   of two\nSELECT $word FROM t WHERE a >= $window_start LIMIT $top",
        )
        .expect("a header");
        assert_eq!(header.purpose, "What it answers.");
        assert_eq!(header.part("Columns"), Some("x text: one of two"));
        assert_eq!((header.part("Order"), header.bound.as_slice()), (None, &["window_start"][..]));
        let parts: Vec<_> = header
            .parameters
            .iter()
            .map(|p| (p.name.as_str(), p.kind, p.default_text.as_str(), p.meaning.as_str()))
            .collect();
        assert_eq!(
            parts,
            [("top", Kind::Bigint, "20", "rows, at most"), ("word", Kind::Text, "a; b", "a word")]
        );
    }

    #[test]
    fn only_a_purpose_and_declarations_of_own_parameters_are_required() {
        let header = Header::read("\n-- Mine.\nSELECT 1 WHERE $tenant = '*'").expect("a header");
        assert_eq!((header.purpose.as_str(), header.bound.as_slice()), ("Mine.", &["tenant"][..]));
        assert!(header.parameters.is_empty());
        assert!(Header::read("-- Mine.\n-- Params: none\nSELECT '$x'").is_ok());
    }

    #[test]
    fn an_error_names_its_line() {
        let (line, found, expected) = wrong("\nSELECT 1");
        assert_eq!((line, found.as_str()), (2, "'SELECT 1'"));
        assert!(expected.contains("-- Mail clients"), "{expected}");
        assert_eq!(wrong("").1, "nothing");
        assert_eq!(wrong("-- Mine.\nSELECT 1\nLIMIT $top").0, 3);
        let (line, found, _) = wrong("-- Mine.\n-- Params: $top bigint default 5 = rows\nSELECT 1");
        assert_eq!((line, found.as_str()), (2, "$top, which the query does not have"));
    }
}
