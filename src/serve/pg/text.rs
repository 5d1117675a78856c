//! A client's text as statements: what is asked of the lake, and what only sets up the client's session. Queries that
//! the engine can't run as PostgreSQL's clients write them are rewritten.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use datafusion::logical_expr::sqlparser::ast::{CopySource, CopyTarget, Declare, Statement};
use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
use datafusion::logical_expr::sqlparser::parser::Parser;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;

use super::{asyncpg, rewrite, subqueries};

/// Stack for texts that are nested deeply: who walks through one calls itself for each level.
const STACK_BYTES: usize = 256 << 20;

/// A parsed statement whose type is hidden: a future that holds one may go from thread to thread, and to see that of all
/// of SQL's grammar takes the compiler minutes.
#[derive(Clone)]
pub(super) struct Parsed(Arc<dyn HoldsStatement>);

trait HoldsStatement: Send + Sync {
    fn statement(&self) -> &Statement;
}

impl HoldsStatement for Statement {
    fn statement(&self) -> &Statement {
        self
    }
}

impl Parsed {
    fn of(statement: Statement) -> Self {
        Self(Arc::new(statement))
    }
}

impl Deref for Parsed {
    type Target = Statement;

    fn deref(&self) -> &Statement {
        self.0.statement()
    }
}

impl PartialEq for Parsed {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    /// For the engine, which refuses what does more than read.
    Query(String),
    /// For the session.
    Session(Parsed),
    /// `DECLARE name CURSOR FOR query`.
    Declare { name: String, query: String, is_held: bool },
    /// `COPY (query) TO STDOUT`; the statement has the options.
    Copy { query: String, statement: Parsed },
    /// A statement that writes: its name.
    Writes(&'static str),
}

/// The statements of a text, none if it is empty. A text that PostgreSQL's grammar does not have is the engine's
/// to refuse.
pub(super) fn read(parser: &PostgresCompatibilityParser, sql: &str) -> Vec<Request> {
    stacker::maybe_grow(STACK_BYTES / 2, STACK_BYTES, || {
        if let Some(answered) = asyncpg::answered(sql) {
            return vec![Request::Query(answered.to_owned())];
        }
        let shortened = without_deferrable(sql);
        let sql = shortened.as_deref().unwrap_or(sql);
        let typed = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap_or_default();
        // The rules are made for the catalogue: they look for the words that clients send.
        let is_of_lake = !typed.is_empty() && !typed.iter().any(rewrite::reads_catalogue);
        let mut protected = typed.clone();
        let mut has_lists = false;
        for statement in &mut protected {
            has_lists |= rewrite::read_lists(statement);
        }
        let parsed = if is_of_lake || has_lists {
            if is_of_lake {
                protected.iter_mut().for_each(subqueries::protect_subqueries);
            }
            let text: Vec<String> = protected.iter().map(ToString::to_string).collect();
            parser.parse(&text.join(";\n"))
        } else {
            parser.parse(sql)
        };
        let Ok(mut statements) = parsed else { return vec![Request::Query(sql.to_owned())] };
        statements.iter_mut().for_each(rewrite::finish);
        // As it was typed, so that errors tell where.
        let is_as_typed = statements.len() == 1 && (statements == typed || statements == protected);
        let as_typed = is_as_typed.then_some(sql);
        statements.into_iter().map(|statement| sorted(parser, statement, as_typed)).collect()
    })
}

fn sorted(parser: &PostgresCompatibilityParser, statement: Statement, sql: Option<&str>) -> Request {
    match statement {
        Statement::Set(_)
        | Statement::Reset(_)
        | Statement::ShowVariable { .. }
        | Statement::StartTransaction { .. }
        | Statement::Commit { .. }
        | Statement::Rollback { .. }
        | Statement::Savepoint { .. }
        | Statement::ReleaseSavepoint { .. }
        | Statement::Discard { .. }
        | Statement::UNLISTEN { .. }
        | Statement::Deallocate { .. }
        | Statement::Prepare { .. }
        | Statement::Execute { .. }
        | Statement::Declare { .. }
        | Statement::Fetch { .. }
        | Statement::Close { .. } => {
            declared(parser, &statement).unwrap_or_else(|| Request::Session(Parsed::of(statement)))
        }
        Statement::Copy { ref source, to: true, target: CopyTarget::Stdout, .. } => {
            let query = match source {
                CopySource::Query(query) => query.to_string(),
                CopySource::Table { table_name, columns } => {
                    let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
                    let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
                    format!("SELECT {columns} FROM {table_name}")
                }
            };
            Request::Copy { query: inner(parser, &query), statement: Parsed::of(statement) }
        }
        Statement::Copy { .. } => Request::Writes("COPY"),
        other => Request::Query(sql.map_or_else(|| other.to_string(), str::to_owned)),
    }
}

fn declared(parser: &PostgresCompatibilityParser, statement: &Statement) -> Option<Request> {
    let Statement::Declare { stmts } = statement else { return None };
    let [Declare { names, for_query: Some(query), hold, binary: None | Some(false), .. }] = &stmts[..] else {
        return None;
    };
    let [name] = &names[..] else { return None };
    Some(Request::Declare {
        name: name.value.clone(),
        query: inner(parser, &query.to_string()),
        is_held: *hold == Some(true),
    })
}

/// A query within a statement, rewritten.
fn inner(parser: &PostgresCompatibilityParser, query: &str) -> String {
    match read(parser, query).pop() {
        Some(Request::Query(query)) => query,
        _ => query.to_owned(),
    }
}

/// `BEGIN .. DEFERRABLE`, without the word that the parser does not know. Who only reads waits for nobody.
fn without_deferrable(sql: &str) -> Option<String> {
    let words: Vec<&str> = sql.trim_end_matches([';', ' ', '\n']).split_whitespace().collect();
    let is_start = ["BEGIN", "START", "SET"]
        .iter()
        .any(|word| words.first().is_some_and(|it| it.eq_ignore_ascii_case(word)));
    let (last, words) = words.split_last()?;
    if !is_start || !last.eq_ignore_ascii_case("DEFERRABLE") {
        return None;
    }
    let words = match words.split_last() {
        Some((not, rest)) if not.eq_ignore_ascii_case("NOT") => rest,
        _ => words,
    };
    Some(words.join(" ").trim_end_matches(',').to_owned())
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
        for sql in [
            "SELECT  protocol,\n count(*) FROM sign_ins GROUP BY 1;",
            "SELECT t.a,  (SELECT count(*) FROM u WHERE u.a = t.a) FROM t",
        ] {
            assert_eq!(one(sql), Request::Query(sql.to_owned()));
        }
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
        assert!(matches!(
            one("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, NOT DEFERRABLE;"),
            Request::Session(_)
        ));
    }

    #[test]
    fn copying_out_to_the_client_reads_and_all_other_copying_writes() {
        for sql in ["COPY sources TO '/tmp/x.csv'", "COPY sources TO PROGRAM 'x'", "COPY sources FROM STDIN"]
        {
            assert_eq!(one(sql), Request::Writes("COPY"), "{sql}");
        }
        for (sql, expected) in [
            ("COPY (SELECT 1) TO STDOUT", "SELECT 1"),
            ("COPY sources TO STDOUT (FORMAT CSV)", "SELECT * FROM sources"),
            ("COPY sources (path, fate) TO STDOUT WITH CSV HEADER", "SELECT path, fate FROM sources"),
        ] {
            let request = one(sql);
            assert!(matches!(&request, Request::Copy { query, .. } if query == expected), "{request:?}");
        }
    }

    #[test]
    fn a_cursor_has_its_query() {
        let expected =
            Request::Declare { name: "mine".to_owned(), query: "SELECT 1".to_owned(), is_held: true };
        assert_eq!(one("DECLARE \"mine\" NO SCROLL CURSOR WITH HOLD FOR SELECT 1"), expected);
    }

    #[test]
    fn a_text_that_is_no_statement_is_the_engines_to_refuse() {
        assert_eq!(one("SELEC 1"), Request::Query("SELEC 1".to_owned()));
    }
}
