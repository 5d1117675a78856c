//! Answers to a person's or a tool's query: rows as they come, within limits. The query runs in a task of its own, so
//! that a time limit or the client can end it at any point.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt as _;
use tokio::sync::mpsc;

use super::sql_error::SqlError;
use super::statement::StatementError;
use super::{Parameter, Queries, read_only, statement, with_parameters};
use crate::{Error, Result};

/// Batches that wait for who asked.
const WAITING_MAX: usize = 2;

/// Views that name views that name views: a plan can grow twofold with each, and far faster than its text.
const PLAN_NODES_MAX: usize = 10_000;

/// Stack for planning: the engine's planner calls itself for each level of an expression.
const STACK_BYTES: usize = 256 << 20;

/// What an answer may take. The memory limit is the session's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Rows at most.
    pub rows: Option<usize>,
    /// From the question to the last row; what the rows' reader takes does not count.
    pub time: Option<Duration>,
}

/// The rows of an answer, as they come. Dropping it ends the query.
#[derive(Debug)]
pub struct Answer {
    name: String,
    schema: SchemaRef,
    messages: mpsc::Receiver<Message>,
    task: tokio::task::JoinHandle<()>,
    rows_left: usize,
    limits: Limits,
    time_left: Option<Duration>,
    is_cut: bool,
}

#[derive(Debug)]
enum Message {
    Columns(SchemaRef),
    Rows(RecordBatch),
    Failed(Error),
    End,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Queries {
    /// Asks one question. Only reading is permitted.
    ///
    /// # Errors
    /// Fails if the query is not valid or not read-only, and tells where in its text; if it takes too long, or
    /// more memory than the session has.
    pub async fn ask(
        &self,
        name: &str,
        sql: &str,
        parameters: &[Parameter],
        limits: Limits,
    ) -> Result<Answer> {
        let (sender, messages) = mpsc::channel(WAITING_MAX);
        let session = self.clone();
        let (query, text, values) = (name.to_owned(), sql.to_owned(), parameters.to_vec());
        let task = tokio::spawn(async move {
            let last = match session.send_rows(&query, &text, &values, limits, &sender).await {
                Ok(()) => Message::End,
                Err(error) => Message::Failed(error),
            };
            // Nobody may be listening any more.
            let _ = sender.send(last).await;
        });
        let mut answer = Answer {
            name: name.to_owned(),
            schema: Arc::new(arrow::datatypes::Schema::empty()),
            messages,
            task,
            rows_left: limits.rows.unwrap_or(usize::MAX),
            limits,
            time_left: limits.time,
            is_cut: false,
        };
        match answer.wait().await? {
            Message::Columns(schema) => answer.schema = schema,
            Message::Rows(_) | Message::End => {}
            Message::Failed(error) => return Err(error),
        }
        Ok(answer)
    }

    /// Looks at what a question is planned as, parameters and all, without asking it. The future hides the plan's type:
    /// whether all of the engine's grammar may go from thread to thread takes the compiler minutes to see for each that
    /// shows it.
    ///
    /// # Errors
    /// Fails as [`ask`](Self::ask) does before the first row.
    pub fn prepare<T: Send + 'static>(
        self,
        name: String,
        sql: String,
        look: impl FnOnce(&LogicalPlan) -> T + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<T>> + Send>> {
        Box::pin(async move {
            let statement = GrowingStack::new(async { statement::read(&sql) }).await;
            let statement = statement.map_err(|error| self.refusal(&name, &sql, error))?;
            let planned = GrowingStack::new(planned(&self.context, statement)).await;
            let planned = planned.map_err(|source| self.sql_error(&name, &sql, &source))?;
            planned.map(|plan| look(&plan)).map_err(|message| refused_query(&name, message))
        })
    }

    /// Whether a text is one statement that only reads, whatever it reads.
    ///
    /// # Errors
    /// Fails as [`ask`](Self::ask) does before it plans.
    pub async fn check_statement(&self, name: &str, sql: &str) -> Result<()> {
        let statement = GrowingStack::new(async { statement::read(sql) }).await;
        statement.map(drop).map_err(|error| self.refusal(name, sql, error))
    }

    /// Whether a text is of a size that is looked at, whatever it says.
    ///
    /// # Errors
    /// Fails if it is too long, or nested too deeply.
    pub fn check(&self, name: &str, sql: &str) -> Result<()> {
        statement::check(sql).map_err(|error| self.refusal(name, sql, error))
    }

    fn refusal(&self, name: &str, sql: &str, error: StatementError) -> Error {
        match error {
            StatementError::Parser(source) => self.sql_error(name, sql, &source),
            StatementError::NotReadOnly(found) => Error::NotReadOnly { name: name.to_owned(), found },
            StatementError::Size(message) => refused_query(name, message),
        }
    }

    async fn send_rows(
        &self,
        name: &str,
        sql: &str,
        parameters: &[Parameter],
        limits: Limits,
        sender: &mpsc::Sender<Message>,
    ) -> Result<()> {
        let failed = |source: DataFusionError| self.sql_error(name, sql, &source);
        let statement = GrowingStack::new(async { statement::read(sql) }).await;
        let statement = statement.map_err(|error| self.refusal(name, sql, error))?;
        let planned = GrowingStack::new(stream(&self.context, statement, parameters, limits.rows)).await;
        let mut batches = match planned.map_err(failed)? {
            Ok(batches) => batches,
            Err(message) => return Err(refused_query(name, message)),
        };
        if sender.send(Message::Columns(batches.schema())).await.is_err() {
            return Ok(());
        }
        while let Some(batch) = batches.next().await {
            if sender.send(Message::Rows(batch.map_err(failed)?)).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Plans a statement; a sentence if its plan is too large.
async fn planned(
    context: &SessionContext,
    statement: datafusion::sql::parser::Statement,
) -> Result<Result<LogicalPlan, String>, DataFusionError> {
    let plan = context.state().statement_to_plan(statement).await?;
    if is_large(&plan)? {
        let message = format!(
            "its plan has more than {PLAN_NODES_MAX} steps, because views are nested in views again and again"
        );
        return Ok(Err(message));
    }
    read_only().verify_plan(&plan)?;
    Ok(Ok(plan))
}

/// Plans a statement and starts it; a sentence if its plan is too large.
async fn stream(
    context: &SessionContext,
    statement: datafusion::sql::parser::Statement,
    parameters: &[Parameter],
    rows: Option<usize>,
) -> Result<Result<SendableRecordBatchStream, String>, DataFusionError> {
    let plan = match planned(context, statement).await? {
        Ok(plan) => plan,
        Err(message) => return Ok(Err(message)),
    };
    let is_rows =
        !matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_));
    let frame = with_parameters(context.execute_logical_plan(plan).await?, parameters)?;
    let frame = match rows {
        // One more tells that there are more.
        Some(rows) if is_rows => frame.limit(0, Some(rows.saturating_add(1)))?,
        _ => frame,
    };
    Ok(Ok(frame.execute_stream().await?))
}

fn is_large(plan: &LogicalPlan) -> Result<bool, DataFusionError> {
    let mut nodes = 0_usize;
    plan.apply_with_subqueries(|_| {
        nodes += 1;
        Ok(if nodes > PLAN_NODES_MAX { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(nodes > PLAN_NODES_MAX)
}

impl Answer {
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Whether there were more rows than the limit lets through; known at the end.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The next rows, `None` at the end.
    ///
    /// # Errors
    /// Fails if the query does, or if its time is over.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if self.is_cut {
                return Ok(None);
            }
            match self.wait().await? {
                Message::Columns(_) => {}
                Message::End => return Ok(None),
                Message::Failed(error) => return Err(error),
                Message::Rows(batch) if batch.num_rows() > self.rows_left => {
                    self.is_cut = true;
                    self.task.abort();
                    let rows = batch.slice(0, self.rows_left);
                    return Ok((rows.num_rows() > 0).then_some(rows));
                }
                Message::Rows(batch) if batch.num_rows() == 0 => {}
                Message::Rows(batch) => {
                    self.rows_left -= batch.num_rows();
                    return Ok(Some(batch));
                }
            }
        }
    }

    async fn wait(&mut self) -> Result<Message> {
        let started = Instant::now();
        let message = match self.time_left {
            None => self.messages.recv().await,
            Some(left) => {
                let Ok(message) = tokio::time::timeout(left, self.messages.recv()).await else {
                    self.task.abort();
                    let limit = self.limits.time.unwrap_or_default();
                    return Err(Error::OutOfTime { name: self.name.clone(), limit });
                };
                message
            }
        };
        self.time_left = self.time_left.map(|left| left.saturating_sub(started.elapsed()));
        // Without a last word, something in the engine broke.
        message.ok_or_else(|| Error::Broken { name: self.name.clone() })
    }
}

/// The error for a query that is not taken, with the sentence that says why.
fn refused_query(name: &str, message: String) -> Error {
    Error::Sql { name: name.to_owned(), error: Box::new(SqlError::without_place(message)) }
}

/// A future with stack enough for a planner that calls itself.
struct GrowingStack<'a, T>(Pin<Box<dyn Future<Output = T> + Send + 'a>>);

impl<'a, T> GrowingStack<'a, T> {
    fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self(Box::pin(future))
    }
}

impl<T> Future for GrowingStack<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        stacker::maybe_grow(STACK_BYTES / 2, STACK_BYTES, || self.0.as_mut().poll(context))
    }
}
