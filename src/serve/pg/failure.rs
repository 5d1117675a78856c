//! Errors as PostgreSQL clients know them: a code, a sentence, and what else there is to say.

use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError};

use crate::error::Error;
use lightsout_query::Error as QueryError;

/// An error of a statement; the connection goes on.
pub(super) fn failure(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".to_owned(), code.to_owned(), message.into())))
}

/// An error that ends the connection.
pub(super) fn fatal(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("FATAL".to_owned(), code.to_owned(), message.into())))
}

/// An error with what is expected instead.
pub(super) fn hinted(code: &str, message: impl Into<String>, hint: impl Into<String>) -> PgWireError {
    let mut info = ErrorInfo::new("ERROR".to_owned(), code.to_owned(), message.into());
    info.hint = Some(hint.into());
    PgWireError::UserError(Box::new(info))
}

/// Somebody asked for an end.
pub(super) fn cancelled() -> PgWireError {
    failure("57014", "canceling statement due to user request")
}

/// A statement that does more than read.
pub(super) fn not_read_only(found: &str) -> PgWireError {
    let hint = match found {
        "COPY" => {
            "to the client only: COPY (query) TO STDOUT, or at psql: \\copy (query) TO 'file' CSV HEADER"
        }
        _ => "write to the lake with: lightsout ingest",
    };
    hinted("25006", format!("cannot execute {found}: this server is read-only"), hint)
}

/// What went wrong with a query, by the code that clients look for and with a hint that they can follow.
pub(super) fn of_query(error: &Error) -> PgWireError {
    match error {
        Error::Query(query) => of_engine(query, error),
        Error::Setting { .. }
        | Error::Listen { .. }
        | Error::Read { .. }
        | Error::Threads { .. }
        | Error::Arrow { .. }
        | Error::Report(_)
        | Error::Decision(_)
        | Error::Stage(_)
        | Error::Lake(_) => failure("58000", error.to_string()),
    }
}

fn of_engine(query: &QueryError, error: &Error) -> PgWireError {
    match query {
        QueryError::NotReadOnly { found, .. } => not_read_only(found),
        QueryError::Sql { error, .. } => {
            let message = error.message();
            let whole = error.to_string();
            let mut info =
                ErrorInfo::new("ERROR".to_owned(), code_of(message).to_owned(), message.to_owned());
            let rest = whole.strip_prefix(message).unwrap_or_default().trim_start_matches('\n');
            info.detail = (!rest.is_empty()).then(|| rest.to_owned());
            PgWireError::UserError(Box::new(info))
        }
        QueryError::OutOfTime { limit, .. } => hinted(
            "57014",
            "canceling statement due to statement timeout",
            format!(
                "it may take {} ms (statement_timeout, or the server's own limit); query fewer days or tenants",
                limit.as_millis()
            ),
        ),
        QueryError::OutOfMemory { limit_bytes, .. } => hinted(
            "53200",
            format!(
                "out of memory: a query may use {} MiB here, and all queries together are limited too",
                limit_bytes >> 20
            ),
            "query fewer columns, days or tenants, or try again when fewer queries run",
        ),
        QueryError::Busy { .. } => failure("53300", unnamed(error)),
        QueryError::TooManyRows { .. } => failure("54000", unnamed(error)),
        QueryError::Broken { .. } => failure("XX000", unnamed(error)),
        QueryError::Interrupted { .. } => cancelled(),
        QueryError::Engine { .. }
        | QueryError::Header { .. }
        | QueryError::QueriesFolder { .. }
        | QueryError::UserTable { .. }
        | QueryError::NotOnCluster { .. }
        | QueryError::UnknownReport { .. }
        | QueryError::Pruned { .. }
        | QueryError::Read { .. }
        | QueryError::Arrow { .. }
        | QueryError::Json { .. }
        | QueryError::Lake(_) => failure("58000", error.to_string()),
    }
}

/// The sentence without the query's name, which is no name here.
fn unnamed(error: &Error) -> String {
    let told = error.to_string();
    told.split_once(": ").map_or(told.clone(), |(_, told)| told.to_owned())
}

/// The code of a sentence on a query's text.
fn code_of(message: &str) -> &'static str {
    let starts = |with: &[&str]| with.iter().any(|with| message.starts_with(with));
    if starts(&["there is no function", "there is no table function"]) {
        "42883"
    } else if starts(&["there is no table", "nothing is called"]) {
        "42P01"
    } else if starts(&["there is no column"]) {
        "42703"
    } else if starts(&["more than one table"]) {
        "42702"
    } else if starts(&["it is ", "its plan", "more than ", "expected one statement"]) {
        "54000"
    } else if starts(&["the engine can't"]) {
        "0A000"
    } else if starts(&["a number is divided"]) {
        "22012"
    } else {
        "42601"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: PgWireError) -> (String, String, Option<String>) {
        let info = ErrorInfo::from(error);
        (info.code, info.message, info.hint)
    }

    #[test]
    fn who_writes_is_told_that_nothing_is_written_here() {
        let error =
            Error::Query(QueryError::NotReadOnly { name: "q".to_owned(), found: "INSERT".to_owned() });
        let (code, message, hint) = told(of_query(&error));
        assert_eq!(code, "25006");
        assert_eq!(message, "cannot execute INSERT: this server is read-only");
        assert_eq!(hint.as_deref(), Some("write to the lake with: lightsout ingest"));
    }

    #[test]
    fn a_sentence_has_the_code_that_clients_look_for() {
        assert_eq!(code_of("there is no table sign_in; did you mean sign_ins?"), "42P01");
        assert_eq!(code_of("there is no column users"), "42703");
        assert_eq!(code_of("expected an expression, found FROM"), "42601");
        assert_eq!(code_of("it is 10.0 MiB of SQL, and at most 1 MiB is taken"), "54000");
    }

    #[test]
    fn every_error_of_a_query_has_its_code_and_no_flag_in_its_hint() {
        let name = || "q".to_owned();
        let limit = std::time::Duration::from_secs(1);
        let no_json = || serde_json::from_str::<u8>("{").expect_err("no number");
        let no_rows = || arrow::error::ArrowError::ComputeError("x".to_owned());
        let engine = datafusion::error::DataFusionError::Internal("x".to_owned());
        for (code, error) in [
            ("25006", QueryError::NotReadOnly { name: name(), found: "COPY".to_owned() }),
            ("57014", QueryError::OutOfTime { name: name(), limit }),
            ("57014", QueryError::Interrupted { name: name() }),
            ("53200", QueryError::OutOfMemory { name: name(), limit_bytes: 1 << 30 }),
            ("53300", QueryError::Busy { name: name(), at_work: 8, limit }),
            ("54000", QueryError::TooManyRows { name: name(), limit: 10 }),
            ("XX000", QueryError::Broken { name: name() }),
            ("58000", QueryError::Engine { name: name(), source: Box::new(engine) }),
            ("58000", QueryError::Header { path: name(), line: 1, found: name(), expected: name() }),
            ("58000", QueryError::QueriesFolder { folder: "q".into(), found: name(), way_out: name() }),
            ("58000", QueryError::UnknownReport { name: name(), hint: name() }),
            ("58000", QueryError::Read { path: name(), source: std::io::Error::other("x") }),
            ("58000", QueryError::Arrow { what: "rows", source: no_rows() }),
            ("58000", QueryError::Json { what: "rows", source: no_json() }),
        ] {
            let error = Error::from(error);
            let (found, message, hint) = told(of_query(&error));
            assert_eq!(found, code, "{error:?}");
            assert!(!message.is_empty() && !hint.unwrap_or_default().contains("--timeout"), "{error:?}");
        }
    }
}
