//! What a client sets for itself. Settings that change nothing here are taken, as clients set them without
//! asking; those of the engine are not.

use std::collections::BTreeMap;
use std::time::Duration;

use datafusion::logical_expr::sqlparser::ast::{Expr, Reset, ResetStatement, Set, Statement};
use datafusion_postgres::pgwire::error::PgWireResult;

use super::failure::{failure, hinted};
use super::startup::SERVER_VERSION;

/// Names that PostgreSQL's clients set and show, with what they are told at first.
const KNOWN: [(&str, &str); 28] = [
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, YMD"),
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_read_only", "on"),
    ("enable_seqscan", "on"),
    ("escape_string_warning", "on"),
    ("extra_float_digits", "1"),
    ("geqo", "on"),
    ("idle_in_transaction_session_timeout", "0"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("jit", "off"),
    ("lc_collate", "C"),
    ("lock_timeout", "0"),
    ("max_identifier_length", "63"),
    ("quote_all_identifiers", "off"),
    ("row_security", "off"),
    ("search_path", "public"),
    ("server_encoding", "UTF8"),
    ("server_version", SERVER_VERSION),
    ("server_version_num", "160006"),
    ("standard_conforming_strings", "on"),
    ("synchronize_seqscans", "on"),
    ("timezone", "UTC"),
    ("transaction_isolation", "repeatable read"),
];

const STATEMENT_TIMEOUT: &str = "statement_timeout";

/// See the file's first lines.
#[derive(Debug, Default)]
pub(super) struct Settings {
    values: BTreeMap<String, String>,
    time: Option<Duration>,
}

/// What a statement of the session comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Done {
    Tag(&'static str),
    Begin,
    End(&'static str),
    Shown {
        name: String,
        value: String,
    },
    /// Not a setting of these: for the engine.
    Unknown,
}

impl Settings {
    /// The time that the client gives its queries, `None` for as long as the server does.
    pub(super) const fn time(&self) -> Option<Duration> {
        self.time
    }

    /// Settings of the connection's start, `-c name=value` each.
    pub(super) fn start(&mut self, options: &str) -> PgWireResult<()> {
        let mut words = options.split_whitespace();
        while let Some(word) = words.next() {
            let setting = match word.strip_prefix("-c") {
                Some("") => words.next(),
                Some(setting) => Some(setting),
                None => word.strip_prefix("--"),
            };
            if let Some((name, value)) = setting.and_then(|setting| setting.split_once('=')) {
                self.set(name, value)?;
            }
        }
        Ok(())
    }

    pub(super) fn respond(&mut self, statement: &Statement) -> PgWireResult<Done> {
        Ok(match statement {
            Statement::Set(set) => {
                self.respond_set(set)?;
                Done::Tag("SET")
            }
            Statement::Reset(ResetStatement { reset }) => {
                match reset {
                    Reset::ALL => *self = Self::default(),
                    Reset::ConfigurationParameter(name) => self.forget(&name.to_string().to_lowercase()),
                }
                Done::Tag("RESET")
            }
            Statement::ShowVariable { variable } => {
                let words: Vec<String> = variable.iter().map(|word| word.value.to_lowercase()).collect();
                let name = match words.join(" ").as_str() {
                    "time zone" => "timezone".to_owned(),
                    "transaction isolation level" => "transaction_isolation".to_owned(),
                    name => name.to_owned(),
                };
                self.shown(&name).map_or(Done::Unknown, |value| Done::Shown { name, value })
            }
            Statement::StartTransaction { .. } => Done::Begin,
            Statement::Commit { .. } => Done::End("COMMIT"),
            Statement::Rollback { .. } => Done::End("ROLLBACK"),
            Statement::Discard { .. } => {
                *self = Self::default();
                Done::Tag("DISCARD ALL")
            }
            _ => Done::Unknown,
        })
    }

    fn respond_set(&mut self, set: &Set) -> PgWireResult<()> {
        match set {
            Set::SingleAssignment { variable, values, .. } => {
                let values: Vec<String> = values.iter().map(text).collect();
                self.set(&variable.to_string(), &values.join(", "))
            }
            Set::SetTimeZone { value, .. } => self.set("timezone", &text(value)),
            Set::SetNames { charset_name, .. } => self.set("client_encoding", &charset_name.value),
            // Who may do what, and how transactions see each other: there is one role, and every query sees one
            // snapshot.
            Set::SetTransaction { .. } | Set::SetSessionAuthorization(_) | Set::SetRole { .. } => Ok(()),
            other => Err(failure("42601", format!("expected SET name = value, found {other}"))),
        }
    }

    fn set(&mut self, name: &str, value: &str) -> PgWireResult<()> {
        let name = name.trim_matches('"').to_lowercase();
        let wrong =
            |expected: &str| failure("22023", format!("{name}: expected {expected}, found '{value}'"));
        if value.eq_ignore_ascii_case("default") {
            self.forget(&name);
            return Ok(());
        }
        match name.as_str() {
            STATEMENT_TIMEOUT => {
                let millis = millis(value).ok_or_else(|| wrong("a time as in 5000, 5s or 1min"))?;
                self.time = (millis > 0).then(|| Duration::from_millis(millis));
                return Ok(());
            }
            "client_encoding" if !matches!(value.to_uppercase().as_str(), "UTF8" | "UTF-8" | "UNICODE") => {
                return Err(wrong("UTF8, which is all that is sent"));
            }
            "datestyle" if !value.to_uppercase().contains("ISO") => {
                return Err(wrong("ISO, which is how dates are sent"));
            }
            "default_transaction_read_only" | "transaction_read_only" if is_off(value) => {
                return Err(failure(
                    "25006",
                    "cannot set transaction read-write mode: this server only reads",
                ));
            }
            _ => {}
        }
        if KNOWN.iter().any(|(known, _)| *known == name) || name == "transaction_read_only" {
            self.values.insert(name, value.to_owned());
            return Ok(());
        }
        if name.starts_with("datafusion.") {
            return Err(hinted(
                "42501",
                format!("permission denied to set parameter \"{name}\""),
                "the engine's settings are the server's; a client sets statement_timeout and the like",
            ));
        }
        Err(failure("42704", format!("unrecognized configuration parameter \"{name}\"")))
    }

    fn forget(&mut self, name: &str) {
        self.values.remove(name);
        if name == STATEMENT_TIMEOUT {
            self.time = None;
        }
    }

    fn shown(&self, name: &str) -> Option<String> {
        match name {
            STATEMENT_TIMEOUT => {
                Some(self.time.map_or("0".to_owned(), |time| format!("{}ms", time.as_millis())))
            }
            "transaction_read_only" | "is_superuser" => {
                Some(if name == "is_superuser" { "off" } else { "on" }.to_owned())
            }
            _ => {
                let first =
                    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
                self.values.get(name).cloned().or(first)
            }
        }
    }
}

fn is_off(value: &str) -> bool {
    ["off", "false", "no", "0"].contains(&value.to_lowercase().as_str())
}

/// A value without its quotes.
fn text(value: &Expr) -> String {
    match value {
        Expr::Value(value) => value.value.clone().into_string().unwrap_or_else(|| value.to_string()),
        Expr::Identifier(name) => name.value.clone(),
        other => other.to_string(),
    }
}

/// `5000`, `5s`, `1min`, in milliseconds.
fn millis(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::logical_expr::sqlparser::parser::Parser;
    use datafusion_postgres::pgwire::error::ErrorInfo;

    use super::*;

    fn respond(settings: &mut Settings, sql: &str) -> Result<Done, (String, String)> {
        let statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).expect(sql);
        settings.respond(&statements[0]).map_err(|error| {
            let info = ErrorInfo::from(error);
            (info.code, info.message)
        })
    }

    fn shown(settings: &mut Settings, sql: &str) -> String {
        match respond(settings, sql) {
            Ok(Done::Shown { value, .. }) => value,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_a_client_sets_it_is_shown_and_its_time_counts() {
        let mut settings = Settings::default();
        assert_eq!(respond(&mut settings, "SET application_name = 'a tool'"), Ok(Done::Tag("SET")));
        assert_eq!(shown(&mut settings, "SHOW application_name"), "a tool");
        assert_eq!(shown(&mut settings, "SHOW TIME ZONE"), "UTC");
        for (value, millis) in [("250", 250), ("'5s'", 5_000), ("'1min'", 60_000)] {
            assert!(respond(&mut settings, &format!("SET statement_timeout = {value}")).is_ok());
            assert_eq!(settings.time(), Some(Duration::from_millis(millis)));
        }
        assert!(respond(&mut settings, "RESET statement_timeout").is_ok());
        assert_eq!(settings.time(), None);
        assert!(settings.start("-c statement_timeout=7s -cgeqo=off --jit=on").is_ok());
        assert_eq!(settings.time(), Some(Duration::from_secs(7)));
        assert_eq!(shown(&mut settings, "SHOW jit"), "on");
        assert!(respond(&mut settings, "DISCARD ALL").is_ok());
        assert_eq!((shown(&mut settings, "SHOW jit"), settings.time()), ("off".to_owned(), None));
    }

    #[test]
    fn what_would_not_be_so_is_refused() {
        let mut settings = Settings::default();
        let mut code = |sql: &str| respond(&mut settings, sql).expect_err(sql).0;
        assert_eq!(code("SET datafusion.execution.batch_size = 1"), "42501");
        assert_eq!(code("SET nonsense = 1"), "42704");
        assert_eq!(code("SET client_encoding = 'LATIN1'"), "22023");
        assert_eq!(code("SET statement_timeout = 'soon'"), "22023");
        assert_eq!(code("SET default_transaction_read_only = off"), "25006");
    }
}
