//! Cursors: the rows of a query, some at a time, as ODBC drivers, psql's `FETCH_COUNT` and drivers' own cursors ask for
//! them. Forward only. What is fetched goes out as it comes: a cursor holds one batch of rows.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::logical_expr::sqlparser::ast::{FetchDirection, Value, ValueWithSpan};
use datafusion_postgres::arrow_pg::datatypes::{arrow_schema_to_pg_fields, encode_recordbatch};
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::{FieldInfo, QueryResponse};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use tokio::sync::Mutex;

use super::failure::failure;

/// Cursors of one client at once.
const CURSORS_MAX: usize = 64;

/// Rows as they come.
pub(super) struct Rows {
    pub(super) schema: SchemaRef,
    batches: BoxStream<'static, PgWireResult<RecordBatch>>,
    /// What is left of a batch of which a part was taken.
    left: Option<RecordBatch>,
}

impl Rows {
    pub(super) fn new(schema: SchemaRef, batches: BoxStream<'static, PgWireResult<RecordBatch>>) -> Self {
        Self { schema, batches, left: None }
    }

    /// The next rows, at most so many.
    async fn next(&mut self, limit: usize) -> PgWireResult<Option<RecordBatch>> {
        if limit == 0 {
            return Ok(None);
        }
        let batch = match self.left.take() {
            Some(batch) => batch,
            None => match self.batches.try_next().await? {
                Some(batch) => batch,
                None => return Ok(None),
            },
        };
        if batch.num_rows() > limit {
            self.left = Some(batch.slice(limit, batch.num_rows() - limit));
            return Ok(Some(batch.slice(0, limit)));
        }
        Ok(Some(batch))
    }

    pub(super) fn fields(&self, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
        arrow_schema_to_pg_fields(&self.schema, format, None)
    }

    /// All batches.
    pub(super) fn into_batches(self) -> BoxStream<'static, PgWireResult<RecordBatch>> {
        self.batches
    }

    /// All rows.
    pub(super) fn into_response(self, format: &Format) -> PgWireResult<QueryResponse> {
        let fields = Arc::new(self.fields(format)?);
        let of_batch = Arc::clone(&fields);
        let rows = self
            .batches
            .map_ok(move |batch| {
                let rows: Vec<_> = encode_recordbatch(Arc::clone(&of_batch), batch).collect();
                stream::iter(rows)
            })
            .try_flatten();
        Ok(QueryResponse::new(fields, rows.boxed()))
    }
}

struct Cursor {
    rows: Arc<Mutex<Rows>>,
    schema: SchemaRef,
    is_held: bool,
}

/// The open cursors of a client, by name.
#[derive(Default)]
pub(super) struct Cursors(HashMap<String, Cursor>);

/// How many rows a `FETCH` wants, `usize::MAX` for all.
pub(super) fn wanted(direction: &FetchDirection) -> PgWireResult<usize> {
    match direction {
        FetchDirection::Next | FetchDirection::Forward { limit: None } => Ok(1),
        FetchDirection::All | FetchDirection::ForwardAll => Ok(usize::MAX),
        FetchDirection::Count { limit } | FetchDirection::Forward { limit: Some(limit) } => number(limit),
        _ => Err(failure("55000", "cursor can only scan forward")),
    }
}

fn number(limit: &ValueWithSpan) -> PgWireResult<usize> {
    let count = match &limit.value {
        Value::Number(text, _) => text.parse().ok(),
        _ => None,
    };
    count.ok_or_else(|| failure("22023", format!("FETCH: expected a number of rows or ALL, found {limit}")))
}

pub(super) fn no_cursor(name: &str) -> PgWireError {
    failure("34000", format!("cursor \"{name}\" does not exist"))
}

impl Cursors {
    pub(super) fn declare(&mut self, name: &str, rows: Rows, is_held: bool) -> PgWireResult<()> {
        self.may_declare(name)?;
        let cursor = Cursor { schema: Arc::clone(&rows.schema), rows: Arc::new(Mutex::new(rows)), is_held };
        self.0.insert(name.to_owned(), cursor);
        Ok(())
    }

    /// # Errors
    /// Fails if there is one of that name, or too many.
    pub(super) fn may_declare(&self, name: &str) -> PgWireResult<()> {
        if self.0.contains_key(name) {
            return Err(failure("42P03", format!("cursor \"{name}\" already exists")));
        }
        if self.0.len() == CURSORS_MAX {
            return Err(failure(
                "53000",
                format!("a client has at most {CURSORS_MAX} open cursors; close one first"),
            ));
        }
        Ok(())
    }

    pub(super) fn names(&self) -> Vec<(String, bool)> {
        let mut names: Vec<_> = self.0.iter().map(|(name, cursor)| (name.clone(), cursor.is_held)).collect();
        names.sort_unstable();
        names
    }

    /// The columns of one.
    pub(super) fn schema(&self, name: &str) -> Option<SchemaRef> {
        self.0.get(name).map(|cursor| Arc::clone(&cursor.schema))
    }

    /// The next rows of one, which are taken from it as they go out.
    pub(super) fn fetch(&self, name: &str, wanted: usize, format: &Format) -> PgWireResult<QueryResponse> {
        let cursor = self.0.get(name).ok_or_else(|| no_cursor(name))?;
        let fields = Arc::new(arrow_schema_to_pg_fields(&cursor.schema, format, None)?);
        let of_batch = Arc::clone(&fields);
        let rows = Arc::clone(&cursor.rows);
        let batches = stream::try_unfold((rows, wanted), |(rows, wanted)| async move {
            let batch = rows.lock().await.next(wanted).await?;
            Ok::<_, PgWireError>(batch.map(|batch| {
                let left = if wanted == usize::MAX { wanted } else { wanted - batch.num_rows() };
                (batch, (rows, left))
            }))
        });
        let rows = batches
            .map_ok(move |batch| {
                let rows: Vec<_> = encode_recordbatch(Arc::clone(&of_batch), batch).collect();
                stream::iter(rows)
            })
            .try_flatten();
        let mut response = QueryResponse::new(fields, rows.boxed());
        response.set_command_tag("FETCH");
        Ok(response)
    }

    pub(super) fn close(&mut self, name: &str) -> PgWireResult<()> {
        self.0.remove(name).map(|_| ()).ok_or_else(|| no_cursor(name))
    }

    pub(super) fn close_all(&mut self) {
        self.0.clear();
    }

    /// Those that are not held end with their transaction.
    pub(super) fn end_transaction(&mut self) {
        self.0.retain(|_, cursor| cursor.is_held);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray as _, Int64Array};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use datafusion::logical_expr::sqlparser::ast::Statement;
    use datafusion::logical_expr::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::logical_expr::sqlparser::parser::Parser;

    use super::*;

    fn of(sql: &str) -> Option<usize> {
        match &Parser::parse_sql(&PostgreSqlDialect {}, sql).expect(sql)[0] {
            Statement::Fetch { direction, .. } => wanted(direction).ok(),
            other => panic!("{other}"),
        }
    }

    fn rows() -> Rows {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
        let batch = |numbers: std::ops::Range<i64>| {
            RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Int64Array::from_iter_values(numbers))])
        };
        let batches: Vec<PgWireResult<RecordBatch>> =
            vec![Ok(batch(0..5).expect("a batch")), Ok(batch(5..7).expect("a batch"))];
        Rows::new(schema, stream::iter(batches).boxed())
    }

    #[test]
    fn a_cursor_goes_forward_by_the_rows_that_are_named() {
        assert_eq!(of("FETCH NEXT FROM c"), Some(1));
        assert_eq!(of("FETCH FORWARD 100 FROM c"), Some(100));
        assert_eq!(of("FETCH ALL FROM c"), Some(usize::MAX));
        assert_eq!(of("FETCH PRIOR FROM c"), None);
    }

    #[tokio::test]
    async fn no_row_is_lost_or_given_twice_where_a_batch_is_cut() {
        let mut rows = rows();
        let mut taken = Vec::new();
        for limit in [0, 2, 2, 9, 9, 9] {
            let batch = rows.next(limit).await.expect("rows");
            taken.push(
                batch.map_or(vec![], |batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()),
            );
        }
        assert_eq!(taken, [vec![], vec![0, 1], vec![2, 3], vec![4], vec![5, 6], vec![]]);
    }

    #[test]
    fn a_client_has_a_bounded_number_of_cursors_and_each_name_once() {
        let mut cursors = Cursors::default();
        for number in 0..CURSORS_MAX {
            cursors.declare(&number.to_string(), rows(), number == 0).expect("declared");
        }
        assert!(cursors.declare("more", rows(), false).is_err());
        assert!(cursors.close("1").is_ok() && cursors.close("1").is_err());
        assert!(cursors.declare("2", rows(), false).is_err(), "the name is taken");
        cursors.end_transaction();
        assert_eq!(cursors.names(), [("0".to_owned(), true)]);
    }
}
