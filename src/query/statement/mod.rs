//! Accepts one statement that only reads and that is small enough to be planned. Checked before anything is planned.

mod size;

use datafusion::error::DataFusionError;
use datafusion::logical_expr::sqlparser::ast::Statement as Ast;
use datafusion::logical_expr::sqlparser::dialect::GenericDialect;
use datafusion::logical_expr::sqlparser::parser::ParserError;
use datafusion::logical_expr::sqlparser::tokenizer::{TokenWithSpan, Tokenizer};
use datafusion::sql::parser::{DFParserBuilder, Statement};

/// A longer text is no question that a person or a tool asks.
pub(super) const QUERY_BYTES_MAX: usize = 1 << 20;

/// The parser counts more than brackets: it takes several steps down for one.
const PARSER_DEPTH_MAX: usize = 8 * size::BRACKETS_MAX;

/// Why a text is not taken as a query.
#[derive(Debug)]
pub(super) enum StatementError {
    /// The engine's parser can't read it.
    Parser(DataFusionError),
    /// A sentence that says why.
    Size(String),
    /// It would write, or change the session.
    NotReadOnly(String),
}

/// Whether a text is of a size that can be read and planned, whatever it says.
pub(super) fn check(sql: &str) -> Result<(), StatementError> {
    tokens(sql).map(|_| ())
}

fn tokens(sql: &str) -> Result<Vec<TokenWithSpan>, StatementError> {
    if sql.len() > QUERY_BYTES_MAX {
        let tenths = sql.len() * 10 / QUERY_BYTES_MAX;
        let message = format!(
            "it is {}.{} MiB of SQL, and at most 1 MiB is accepted; load a long list with --with and join it",
            tenths / 10,
            tenths % 10
        );
        return Err(StatementError::Size(message));
    }
    let parser = |source: ParserError| StatementError::Parser(source.into());
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize_with_location()
        .map_err(|source| parser(source.into()))?;
    size::check(&tokens).map_err(StatementError::Size)?;
    Ok(tokens)
}

/// The one statement of a text.
pub(super) fn read(sql: &str) -> Result<Statement, StatementError> {
    let tokens = tokens(sql)?;
    let mut statements = DFParserBuilder::new(tokens)
        .with_recursion_limit(PARSER_DEPTH_MAX)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(StatementError::Parser)?;
    match (statements.len(), statements.pop_front()) {
        (1, Some(statement)) => match write_keyword(&statement) {
            Some(found) => Err(StatementError::NotReadOnly(found)),
            None => Ok(listing_of_tables(&statement).map_or(Ok(statement), parsed)?),
        },
        (0, _) => Err(StatementError::Size("expected a query, found nothing".to_owned())),
        (count, _) => {
            let message = format!("expected one statement, found {count}; run them one after the other");
            Err(StatementError::Size(message))
        }
    }
}

/// The statement that lists tables in place of `SHOW TABLES`: those of the lake and of the user, without the engine's
/// own. `SHOW FULL TABLES` lists these too.
fn listing_of_tables(statement: &Statement) -> Option<&'static str> {
    let Statement::Statement(ast) = statement else { return None };
    match ast.to_string().as_str() {
        "SHOW TABLES" => Some(
            "SELECT table_catalog, table_schema, table_name, table_type FROM information_schema.tables \
             WHERE table_schema = 'public' ORDER BY table_name",
        ),
        "SHOW FULL TABLES" => Some("SHOW TABLES"),
        _ => None,
    }
}

fn parsed(sql: &str) -> Result<Statement, StatementError> {
    let none = || StatementError::Size("expected a query, found nothing".to_owned());
    let mut statements = DFParserBuilder::new(tokens(sql)?)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(StatementError::Parser)?;
    statements.pop_front().ok_or_else(none)
}

/// What a statement is called, if it does more than read.
fn write_keyword(statement: &Statement) -> Option<String> {
    match statement {
        Statement::Statement(ast) => write_keyword_of_ast(ast),
        Statement::Explain(explain) => write_keyword(&explain.statement),
        Statement::CreateExternalTable(_) => Some("CREATE EXTERNAL TABLE".to_owned()),
        Statement::CopyTo(_) => Some("COPY".to_owned()),
        Statement::Reset(_) => Some("RESET".to_owned()),
    }
}

fn write_keyword_of_ast(statement: &Ast) -> Option<String> {
    match statement {
        Ast::Query(_)
        | Ast::ExplainTable { .. }
        | Ast::ShowTables { .. }
        | Ast::ShowColumns { .. }
        | Ast::ShowFunctions { .. }
        | Ast::ShowVariable { .. } => None,
        Ast::Explain { statement, .. } => write_keyword_of_ast(statement),
        other => {
            let text = other.to_string();
            let mut words = text.split_whitespace();
            let first = words.next().unwrap_or_default().to_owned();
            Some(match words.next() {
                Some(second) if ["CREATE", "DROP", "ALTER"].contains(&first.as_str()) => {
                    format!("{first} {second}")
                }
                _ => first,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With room for a parser that calls itself, as it has where queries are asked.
    pub(super) fn refusal_of(sql: &str) -> String {
        match stacker::grow(64 << 20, || read(sql)) {
            Ok(_) => "accepted".to_owned(),
            Err(StatementError::Size(why)) => why,
            Err(StatementError::NotReadOnly(found)) => format!("found {found}"),
            Err(StatementError::Parser(source)) => source.to_string(),
        }
    }

    #[test]
    fn only_reading_statements_are_accepted() {
        for sql in [
            "SELECT 1",
            "SELECT 1;",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "VALUES (1), (2)",
            "EXPLAIN ANALYZE SELECT 1",
            "SHOW TABLES",
            "SHOW FULL TABLES",
            "DESCRIBE sign_ins",
        ] {
            assert_eq!(refusal_of(sql), "accepted", "{sql}");
        }
        for (sql, found) in [
            ("COPY sign_ins TO '/tmp/x.csv'", "COPY"),
            ("EXPLAIN ANALYZE COPY sign_ins TO '/tmp/x.csv'", "COPY"),
            ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "CREATE EXTERNAL TABLE"),
            ("CREATE TABLE t AS SELECT 1", "CREATE TABLE"),
            ("CREATE VIEW v AS SELECT 1", "CREATE VIEW"),
            ("DROP TABLE sign_ins", "DROP TABLE"),
            ("INSERT INTO sources VALUES (1)", "INSERT"),
            ("DELETE FROM sources", "DELETE"),
            ("UPDATE sources SET path = ''", "UPDATE"),
            ("SET datafusion.execution.batch_size = 1", "SET"),
            ("PREPARE p AS SELECT 1", "PREPARE"),
            ("EXECUTE p", "EXECUTE"),
            ("BEGIN", "BEGIN"),
        ] {
            assert_eq!(refusal_of(sql), format!("found {found}"), "{sql}");
        }
    }

    #[test]
    fn two_statements_are_refused() {
        assert!(refusal_of("SELECT 1; SELECT 2").starts_with("expected one statement, found 2"));
        assert!(refusal_of(" -- nothing\n").starts_with("expected a query"));
    }

    #[test]
    fn a_text_that_is_too_long_is_refused() {
        let long = format!("SELECT '{}'", "x".repeat(10 << 20));
        assert!(refusal_of(&long).starts_with("it is 10.0 MiB"), "{}", refusal_of(&long));
    }
}
