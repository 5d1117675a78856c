//! A client's text as statements: what is asked of the lake, and what only sets up the client's session.
//! Catalogue queries that the engine can't run as PostgreSQL's clients write them are rewritten.

use datafusion::logical_expr::sqlparser::ast::Statement;
use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
use datafusion::logical_expr::sqlparser::parser::Parser;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;

/// Stack for texts that are nested deeply: who walks through one calls itself for each level.
const STACK_BYTES: usize = 256 << 20;

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    /// For the engine, which refuses what does more than read.
    Query(String),
    /// For the session.
    Session(Box<Statement>),
    /// `COPY`, which is not served in either direction.
    Copy,
}

/// The statements of a text, none if it is empty. A text that PostgreSQL's grammar does not have is the engine's
/// to refuse.
pub(super) fn read(parser: &PostgresCompatibilityParser, sql: &str) -> Vec<Request> {
    stacker::maybe_grow(STACK_BYTES / 2, STACK_BYTES, || {
        let Ok(statements) = parser.parse(sql) else { return vec![Request::Query(sql.to_owned())] };
        if statements.len() == 1 && Parser::parse_sql(&PostgreSqlDialect {}, sql).as_ref() == Ok(&statements)
        {
            // As it was typed, so that errors tell where.
            return statements.into_iter().map(|statement| sorted(statement, Some(sql))).collect();
        }
        statements.into_iter().map(|statement| sorted(statement, None)).collect()
    })
}

fn sorted(statement: Statement, sql: Option<&str>) -> Request {
    match statement {
        Statement::Set(_)
        | Statement::Reset(_)
        | Statement::ShowVariable { .. }
        | Statement::StartTransaction { .. }
        | Statement::Commit { .. }
        | Statement::Rollback { .. }
        | Statement::Discard { .. }
        | Statement::Deallocate { .. }
        | Statement::Declare { .. }
        | Statement::Fetch { .. }
        | Statement::Close { .. }
        | Statement::Prepare { .. }
        | Statement::Execute { .. } => Request::Session(Box::new(statement)),
        Statement::Copy { .. } => Request::Copy,
        other => Request::Query(sql.map_or_else(|| other.to_string(), str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(sql: &str) -> Request {
        let mut read = read(&PostgresCompatibilityParser::new(), sql);
        assert_eq!(read.len(), 1, "{sql}");
        read.remove(0)
    }

    #[test]
    fn a_query_is_asked_as_it_was_typed() {
        let sql = "SELECT  protocol,\n count(*) FROM sign_ins GROUP BY 1;";
        assert_eq!(one(sql), Request::Query(sql.to_owned()));
    }

    #[test]
    fn what_the_engine_can_not_run_is_rewritten() {
        let request =
            one("SELECT relname FROM pg_catalog.pg_class WHERE relname OPERATOR(pg_catalog.~) '^(a)$'");
        let Request::Query(sql) = request else { panic!("{request:?}") };
        assert!(!sql.contains("OPERATOR"), "{sql}");
    }

    #[test]
    fn several_statements_are_told_apart_and_the_session_has_its_own() {
        let parser = PostgresCompatibilityParser::new();
        let statements = read(&parser, "BEGIN; SELECT 1; COMMIT");
        assert!(
            matches!(&statements[..], [Request::Session(_), Request::Query(sql), Request::Session(_)] if sql == "SELECT 1")
        );
        assert_eq!(read(&parser, " ; -- nothing"), []);
    }

    #[test]
    fn copying_is_known_in_every_form() {
        for sql in ["COPY sources TO '/tmp/x.csv'", "COPY (SELECT 1) TO STDOUT", "COPY sources FROM STDIN"] {
            assert_eq!(one(sql), Request::Copy, "{sql}");
        }
    }

    #[test]
    fn a_text_that_is_no_statement_is_the_engines_to_refuse() {
        assert_eq!(one("SELEC 1"), Request::Query("SELEC 1".to_owned()));
    }
}
