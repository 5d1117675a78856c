//! Cursors: the rows of a query, some at a time, as ODBC drivers and psql's `FETCH_COUNT` ask for them. Forward
//! only; they end with their transaction.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::logical_expr::sqlparser::ast::{Declare, FetchDirection, Value, ValueWithSpan};
use datafusion_postgres::pgwire::api::results::{FieldInfo, QueryResponse};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::data::DataRow;
use futures::stream::{self, BoxStream, StreamExt as _};

use super::failure::failure;

/// Rows that one `FETCH` may name; `FETCH ALL` gives any number, as they come.
const FETCHED_MAX: usize = 1_000_000;

/// Columns, and the rows that are left.
pub(super) struct Rows {
    pub(super) fields: Arc<Vec<FieldInfo>>,
    pub(super) rows: BoxStream<'static, PgWireResult<DataRow>>,
}

/// The open cursors of a client, by name.
pub(super) type Cursors = HashMap<String, Rows>;

/// How many rows a `FETCH` wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Some(usize),
    All,
}

/// The name and the query of a `DECLARE`.
pub(super) fn declared(declare: &[Declare]) -> PgWireResult<(String, String)> {
    match declare {
        [Declare { names, for_query: Some(query), .. }] if names.len() == 1 => {
            Ok((names[0].value.clone(), query.to_string()))
        }
        _ => Err(failure("42601", "expected DECLARE name CURSOR FOR query")),
    }
}

pub(super) fn no_cursor(name: &str) -> PgWireError {
    failure("34000", format!("cursor \"{name}\" does not exist"))
}

/// # Errors
/// Fails if a cursor would have to go back.
pub(super) fn wanted(direction: &FetchDirection) -> PgWireResult<Wanted> {
    match direction {
        FetchDirection::Next | FetchDirection::Forward { limit: None } => Ok(Wanted::Some(1)),
        FetchDirection::All | FetchDirection::ForwardAll => Ok(Wanted::All),
        FetchDirection::Count { limit } | FetchDirection::Forward { limit: Some(limit) } => number(limit),
        _ => Err(failure("55000", "cursor can only scan forward")),
    }
}

fn number(limit: &ValueWithSpan) -> PgWireResult<Wanted> {
    let count = match &limit.value {
        Value::Number(text, _) => text.parse().ok(),
        _ => None,
    };
    match count {
        Some(count) if count <= FETCHED_MAX => Ok(Wanted::Some(count)),
        _ => {
            Err(failure("22023", format!("FETCH: expected at most {FETCHED_MAX} rows or ALL, found {limit}")))
        }
    }
}

impl Rows {
    /// The next rows, which are taken from the cursor.
    pub(super) async fn fetch(&mut self, wanted: Wanted) -> PgWireResult<QueryResponse> {
        let mut rows: Vec<PgWireResult<DataRow>> = Vec::new();
        let mut response = match wanted {
            Wanted::Some(count) => {
                while rows.len() < count {
                    match self.rows.next().await {
                        Some(row) => rows.push(Ok(row?)),
                        None => break,
                    }
                }
                QueryResponse::new(Arc::clone(&self.fields), stream::iter(rows))
            }
            Wanted::All => {
                let left = std::mem::replace(&mut self.rows, stream::empty().boxed());
                QueryResponse::new(Arc::clone(&self.fields), left)
            }
        };
        response.set_command_tag("FETCH");
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::sqlparser::ast::Statement;
    use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::logical_expr::sqlparser::parser::Parser;

    use super::*;

    fn of(sql: &str) -> Option<Wanted> {
        match &Parser::parse_sql(&PostgreSqlDialect {}, sql).expect(sql)[0] {
            Statement::Fetch { direction, .. } => wanted(direction).ok(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_cursor_goes_forward_by_the_rows_that_are_named() {
        assert_eq!(of("FETCH NEXT FROM c"), Some(Wanted::Some(1)));
        assert_eq!(of("FETCH FORWARD 100 FROM c"), Some(Wanted::Some(100)));
        assert_eq!(of("FETCH ALL FROM c"), Some(Wanted::All));
        assert_eq!(of("FETCH PRIOR FROM c"), None);
        assert_eq!(of("FETCH FORWARD 100000000000 FROM c"), None);
    }
}
