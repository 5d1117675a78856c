//! What a client sets for itself. Settings that change nothing here are taken, as clients set them without
//! asking; those of the engine are not, and neither is a value that would change what is sent and does not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use datafusion::logical_expr::sqlparser::ast::{
    ContextModifier, Expr, Reset, ResetStatement, Set, Statement, TransactionAccessMode,
    TransactionIsolationLevel, TransactionMode, UnaryOperator,
};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};

use super::failure::{failure, hinted};
use super::startup::{SERVER_VERSION, SERVER_VERSION_NUMBER};
use super::time_zone::{UTC, zone};

/// Names that PostgreSQL's clients set and show, with what they are told at first.
const KNOWN: [(&str, &str); 42] = [
    ("application_name", ""),
    ("block_size", "8192"),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, YMD"),
    ("default_tablespace", ""),
    ("default_transaction_deferrable", "off"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "on"),
    ("enable_seqscan", "on"),
    ("escape_string_warning", "on"),
    ("extra_float_digits", "1"),
    ("geqo", "on"),
    ("idle_in_transaction_session_timeout", "0"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("is_superuser", "off"),
    ("jit", "off"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("lc_messages", "C"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("lock_timeout", "0"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("password_encryption", "scram-sha-256"),
    ("quote_all_identifiers", "off"),
    ("row_security", "off"),
    ("search_path", "public"),
    ("server_encoding", "UTF8"),
    ("server_version", SERVER_VERSION),
    ("server_version_num", SERVER_VERSION_NUMBER),
    ("standard_conforming_strings", "on"),
    ("synchronize_seqscans", "on"),
    ("timezone", UTC),
    ("transaction_deferrable", "off"),
    ("transaction_isolation", "read committed"),
    ("transaction_read_only", "on"),
];

/// Settings that tell of the server.
const FIXED: [&str; 13] = [
    "block_size",
    "in_hot_standby",
    "integer_datetimes",
    "is_superuser",
    "lc_collate",
    "lc_ctype",
    "max_identifier_length",
    "max_index_keys",
    "password_encryption",
    "server_encoding",
    "server_version",
    "server_version_num",
    "transaction_deferrable",
];

const STATEMENT_TIMEOUT: &str = "statement_timeout";

/// See the file's first lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    values: BTreeMap<String, String>,
    time: Option<Duration>,
    /// Set by `SET LOCAL`: until the transaction ends.
    local: BTreeSet<String>,
}

/// What a statement of the session comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Done {
    Tag(&'static str),
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

    /// The time zone of the client.
    pub(super) fn zone(&self) -> &str {
        self.values.get("timezone").map_or(UTC, String::as_str)
    }

    /// Whether all queries of a transaction see the same state of the lake.
    pub(super) fn is_repeatable(&self) -> bool {
        self.shown("transaction_isolation").is_some_and(|level| !level.starts_with("read"))
    }

    /// Settings of the connection's start: parameters by name, and options, `-c name=value` each.
    pub(super) fn start(&mut self, parameters: &BTreeMap<String, String>) -> PgWireResult<()> {
        for (name, value) in parameters {
            match name.as_str() {
                "user" | "database" | "replication" => {}
                "options" => self.start_options(value)?,
                name if name.starts_with("_pq_.") => {}
                name => self.set(name, value)?,
            }
        }
        Ok(())
    }

    fn start_options(&mut self, options: &str) -> PgWireResult<()> {
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
                    Reset::ALL => self.reset(),
                    Reset::ConfigurationParameter(name) => self.forget(&name.to_string().to_lowercase()),
                }
                Done::Tag("RESET")
            }
            Statement::ShowVariable { variable } => {
                let name = shown_name(variable.iter().map(|word| word.value.as_str()));
                self.shown(&name).map_or(Done::Unknown, |value| Done::Shown { name, value })
            }
            Statement::Discard { .. } => {
                *self = Self::default();
                Done::Tag("DISCARD ALL")
            }
            // Nobody ever notifies.
            Statement::UNLISTEN { .. } => Done::Tag("UNLISTEN"),
            _ => Done::Unknown,
        })
    }

    /// What one transaction is to be like, or all that follow.
    pub(super) fn set_modes(&mut self, modes: &[TransactionMode], is_for_all: bool) -> PgWireResult<()> {
        for mode in modes {
            match mode {
                TransactionMode::AccessMode(TransactionAccessMode::ReadOnly) => {}
                TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) => return Err(read_write()),
                TransactionMode::IsolationLevel(level) => {
                    let level = match level {
                        TransactionIsolationLevel::ReadUncommitted => "read uncommitted",
                        TransactionIsolationLevel::ReadCommitted => "read committed",
                        TransactionIsolationLevel::RepeatableRead | TransactionIsolationLevel::Snapshot => {
                            "repeatable read"
                        }
                        TransactionIsolationLevel::Serializable => "serializable",
                    };
                    let name =
                        if is_for_all { "default_transaction_isolation" } else { "transaction_isolation" };
                    self.values.insert(name.to_owned(), level.to_owned());
                }
            }
        }
        Ok(())
    }

    /// A transaction is over: what was for it alone is as before it.
    pub(super) fn end_transaction(&mut self, before: Self, is_rolled_back: bool) {
        if is_rolled_back {
            *self = before;
            return;
        }
        for name in std::mem::take(&mut self.local) {
            match before.values.get(&name) {
                Some(value) => self.values.insert(name.clone(), value.clone()),
                None => self.values.remove(&name),
            };
            if name == STATEMENT_TIMEOUT {
                self.time = before.time;
            }
        }
        self.values.remove("transaction_isolation");
    }

    fn respond_set(&mut self, set: &Set) -> PgWireResult<()> {
        match set {
            Set::SingleAssignment { variable, values, scope, .. } => {
                let values: Vec<String> = values.iter().map(text).collect();
                let name = variable.to_string().trim_matches('"').to_lowercase();
                self.set(&name, &values.join(", "))?;
                if matches!(scope, Some(ContextModifier::Local)) {
                    self.local.insert(name);
                }
                Ok(())
            }
            Set::SetTimeZone { value, local } => {
                self.set("timezone", &text(value))?;
                if *local {
                    self.local.insert("timezone".to_owned());
                }
                Ok(())
            }
            Set::SetNames { charset_name, .. } => self.set("client_encoding", &charset_name.value),
            Set::SetTransaction { modes, session, .. } => self.set_modes(modes, *session),
            // There is one role.
            Set::SetSessionAuthorization(_) | Set::SetRole { .. } => Ok(()),
            other => Err(failure("42601", format!("expected SET name = value, found {other}"))),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: &str) -> PgWireResult<()> {
        let name = name.trim_matches('"').to_lowercase();
        let wrong =
            |expected: &str| failure("22023", format!("{name}: expected {expected}, found '{value}'"));
        if FIXED.contains(&name.as_str()) {
            return Err(failure("55P02", format!("parameter \"{name}\" cannot be changed")));
        }
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
            "timezone" => {
                self.values.insert(name, zone(value)?);
                return Ok(());
            }
            "client_encoding" if !is_utf8(value) => {
                return Err(wrong("UTF8, which is all that is sent"));
            }
            "datestyle" if !value.to_uppercase().contains("ISO") => {
                return Err(wrong("ISO, which is how dates are sent"));
            }
            "bytea_output" if !value.eq_ignore_ascii_case("hex") => {
                return Err(wrong("hex, which is how bytes are sent"));
            }
            "intervalstyle" if !value.eq_ignore_ascii_case("postgres") => {
                return Err(wrong("postgres, which is how intervals are sent"));
            }
            "standard_conforming_strings" if is_off(value) => {
                return Err(wrong("on: a backslash in a text is a backslash"));
            }
            "default_transaction_read_only" | "transaction_read_only" if is_off(value) => {
                return Err(read_write());
            }
            _ => {}
        }
        if KNOWN.iter().any(|(known, _)| *known == name) {
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

    /// As at first, within the transaction that it may be in.
    fn reset(&mut self) {
        let isolation = self.values.remove("transaction_isolation");
        *self = Self::default();
        self.values.extend(isolation.map(|level| ("transaction_isolation".to_owned(), level)));
    }

    fn forget(&mut self, name: &str) {
        self.values.remove(name);
        if name == STATEMENT_TIMEOUT {
            self.time = None;
        }
    }

    pub(super) fn shown(&self, name: &str) -> Option<String> {
        let name = name.to_lowercase();
        if name == STATEMENT_TIMEOUT {
            return Some(self.time.map_or("0".to_owned(), |time| format!("{}ms", time.as_millis())));
        }
        let first = KNOWN.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        match self.values.get(&name) {
            None if name == "transaction_isolation" => self.shown("default_transaction_isolation"),
            Some(value) => Some(value.clone()),
            None => first,
        }
    }

    /// Every setting, with its value and its first value.
    pub(super) fn all(&self) -> Vec<(&'static str, String, &'static str)> {
        let known = KNOWN.iter().copied().chain([(STATEMENT_TIMEOUT, "0")]);
        known.filter_map(|(name, first)| Some((name, self.shown(name)?, first))).collect()
    }
}

/// The setting that `SHOW` names in words.
pub(super) fn shown_name<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    match words.join(" ").as_str() {
        "time zone" => "timezone".to_owned(),
        "transaction isolation level" => "transaction_isolation".to_owned(),
        name => name.trim_matches('"').to_owned(),
    }
}

fn read_write() -> PgWireError {
    failure("25006", "cannot set transaction read-write mode: this server is read-only")
}

/// Whether an encoding is UTF-8, however it is spelt: PostgreSQL looks at letters and digits alone.
fn is_utf8(encoding: &str) -> bool {
    let letters: String = encoding.chars().filter(char::is_ascii_alphanumeric).collect();
    ["utf8", "unicode"].contains(&letters.to_lowercase().as_str())
}

fn is_off(value: &str) -> bool {
    ["off", "false", "no", "0"].contains(&value.to_lowercase().as_str())
}

/// A value without its quotes.
fn text(value: &Expr) -> String {
    match value {
        Expr::Value(value) => value.value.clone().into_string().unwrap_or_else(|| value.to_string()),
        Expr::Identifier(name) => name.value.clone(),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => format!("-{}", text(expr)),
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
        let options = [("options", "-c statement_timeout=7s -cgeqo=off --jit=on"), ("TimeZone", "Etc/UTC")];
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!(settings.start(&options.into()).is_ok());
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
        assert_eq!(code("SET bytea_output = 'escape'"), "22023");
        assert_eq!(code("SET server_version = '9.6'"), "55P02");
        for zone in ["'Mars/Olympus'", "'+02'", "-5", "''"] {
            assert_eq!(code(&format!("SET TIME ZONE {zone}")), "22023", "{zone}");
        }
    }

    #[test]
    fn a_time_zone_is_known_by_its_name() {
        let mut settings = Settings::default();
        for (sql, zone) in [
            ("SET TIME ZONE 'Europe/Berlin'", "Europe/Berlin"),
            ("SET timezone TO 'Etc/UTC'", "UTC"),
            ("SET TimeZone = 'America/New_York'", "America/New_York"),
            ("SET TIME ZONE LOCAL", "UTC"),
        ] {
            assert!(respond(&mut settings, sql).is_ok(), "{sql}");
            assert_eq!(settings.zone(), zone, "{sql}");
        }
    }

    #[test]
    fn what_a_transaction_sets_for_itself_ends_with_it() {
        let mut settings = Settings::default();
        let before = settings.clone();
        assert!(respond(&mut settings, "SET LOCAL statement_timeout = '1s'").is_ok());
        assert!(respond(&mut settings, "SET application_name = 'a'").is_ok());
        assert!(respond(&mut settings, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").is_ok());
        assert!(settings.is_repeatable());
        settings.end_transaction(before, false);
        assert_eq!((settings.time(), settings.is_repeatable()), (None, false));
        assert_eq!(shown(&mut settings, "SHOW application_name"), "a");
        let before = settings.clone();
        assert!(respond(&mut settings, "SET application_name = 'b'").is_ok());
        settings.end_transaction(before, true);
        assert_eq!(shown(&mut settings, "SHOW application_name"), "a");
    }
}
