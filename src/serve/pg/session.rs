//! One client: its statements, one after the other, each over the newest snapshot.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::sqlparser::ast::{CloseCursor, Statement};
use datafusion_postgres::arrow_pg::datatypes::{arrow_schema_to_pg_fields, encode_recordbatch};
use datafusion_postgres::pgwire::api::portal::{Format, Portal};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::results::{
    DataRowEncoder, FieldFormat, FieldInfo, QueryResponse, Response, Tag,
};
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore, Type};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use futures::{Sink, StreamExt as _, TryStreamExt as _, stream};

use super::Server;
use super::catalogue::Wire;
use super::clients::{Stop, Stopped};
use super::cursors::{self, Cursors, Rows, no_cursor};
use super::failure::{cancelled, failure, fatal, not_read_only, of_query};
use super::prepared::Prepared;
use super::settings::{Done, Settings};
use super::text::Request;
use crate::engine::Running;
use lightsout_query::Parameter;

/// For errors, where a report has its own name.
const NAME: &str = "query";

/// See the file's first lines.
pub(super) struct Session {
    server: Arc<Server>,
    stop: Arc<Stop>,
    /// Whether the client has come in. The library itself takes queries after a start that has failed.
    is_in: Arc<AtomicBool>,
    settings: Mutex<Settings>,
    /// Of `PREPARE name AS ...`, the text and its parameters' types.
    named: Mutex<HashMap<String, (String, Vec<String>)>>,
    cursors: Mutex<Cursors>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(super) fn new(server: Arc<Server>, stop: Arc<Stop>, is_in: Arc<AtomicBool>) -> Self {
        let (settings, named, cursors) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { server, stop, is_in, settings, named, cursors }
    }

    /// Whether the client has come in: for who lets it in.
    pub(super) fn is_in(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_in)
    }

    /// Takes what the client set when it came in.
    pub(super) fn start(&self, options: &str) -> PgWireResult<()> {
        held(&self.settings).start(options)
    }

    async fn wire(&self) -> PgWireResult<Arc<Wire>> {
        if !self.is_in.load(Ordering::Acquire) {
            return Err(fatal("28000", "expected a start that succeeds before a query"));
        }
        let snapshot = self.server.live.current().await;
        self.server.catalogue.wire(&snapshot).map_err(|error| of_query(&error))
    }

    /// The statements of a text.
    async fn read(&self, wire: &Wire, sql: &str) -> PgWireResult<Vec<Request>> {
        let (queries, parser, sql) = (wire.queries.clone(), Arc::clone(&self.server.parser), sql.to_owned());
        let time = self.server.engine.limits().time;
        let read = async move {
            queries.check(NAME, &sql)?;
            Ok(super::text::read(&parser, &sql))
        };
        self.server.engine.at_work(NAME, time, read).await.map_err(|error| of_query(&error))
    }

    /// Waits for something unless the client stops it.
    async fn unless_stopped<T>(
        stopped: &mut Stopped,
        done: impl Future<Output = crate::error::Result<T>>,
    ) -> PgWireResult<T> {
        tokio::select! {
            biased;
            _ = stopped.changed() => Err(cancelled()),
            done = done => done.map_err(|error| of_query(&error)),
        }
    }

    async fn respond(
        &self,
        wire: Arc<Wire>,
        request: &Request,
        parameters: &[Parameter],
        format: &Format,
    ) -> PgWireResult<Response> {
        match request {
            Request::Query(sql) => self.answer(wire, sql, parameters, format).await,
            Request::Session(statement) => self.respond_session(wire, statement, format).await,
            Request::Copy => Err(not_read_only("COPY")),
        }
    }

    async fn respond_session(
        &self,
        wire: Arc<Wire>,
        statement: &Statement,
        format: &Format,
    ) -> PgWireResult<Response> {
        match statement {
            Statement::Prepare { name, data_types, statement } => {
                let sql = statement.to_string();
                wire_checked(self, &wire, &sql).await?;
                let types = data_types.iter().map(ToString::to_string).collect();
                held(&self.named).insert(name.value.clone(), (sql, types));
                return Ok(Response::Execution(Tag::new("PREPARE")));
            }
            Statement::Deallocate { name, .. } => {
                let mut named = held(&self.named);
                if name.value.eq_ignore_ascii_case("all") {
                    named.clear();
                } else if named.remove(&name.value).is_none() {
                    return Err(no_statement(&name.value));
                }
                return Ok(Response::Execution(Tag::new("DEALLOCATE")));
            }
            Statement::Execute { name, parameters, .. } => {
                let name = name.as_ref().map(ToString::to_string).unwrap_or_default();
                let found = held(&self.named).get(name.trim_matches('"')).cloned();
                let (sql, types) = found.ok_or_else(|| no_statement(&name))?;
                let values: Vec<String> = parameters
                    .iter()
                    .enumerate()
                    .map(|(at, value)| match types.get(at) {
                        Some(kind) => format!("CAST({value} AS {kind})"),
                        None => value.to_string(),
                    })
                    .collect();
                let parameters = self.evaluated(Arc::clone(&wire), &values).await?;
                return self.answer(wire, &sql, &parameters, format).await;
            }
            Statement::Declare { stmts } => {
                let (name, sql) = cursors::declared(stmts)?;
                let rows = self.rows(wire, &sql, &[], format).await?;
                held(&self.cursors).insert(name, rows);
                return Ok(Response::Execution(Tag::new("DECLARE CURSOR")));
            }
            Statement::Fetch { name, direction, .. } => {
                let wanted = cursors::wanted(direction)?;
                // Taken out while its rows are waited for; one that has failed is gone.
                let taken = held(&self.cursors).remove(&name.value);
                let mut rows = taken.ok_or_else(|| no_cursor(&name.value))?;
                let fetched = rows.fetch(wanted).await?;
                held(&self.cursors).insert(name.value.clone(), rows);
                return Ok(Response::Query(fetched));
            }
            Statement::Close { cursor } => {
                let mut cursors = held(&self.cursors);
                match cursor {
                    CloseCursor::All => cursors.clear(),
                    CloseCursor::Specific { name } if cursors.remove(&name.value).is_none() => {
                        return Err(no_cursor(&name.value));
                    }
                    CloseCursor::Specific { .. } => {}
                }
                return Ok(Response::Execution(Tag::new("CLOSE CURSOR")));
            }
            Statement::Commit { .. } | Statement::Rollback { .. } => held(&self.cursors).clear(),
            Statement::Discard { .. } => {
                held(&self.named).clear();
                held(&self.cursors).clear();
            }
            _ => {}
        }
        let done = held(&self.settings).respond(statement)?;
        Ok(match done {
            Done::Tag(tag) => Response::Execution(Tag::new(tag)),
            Done::Begin => Response::TransactionStart(Tag::new("BEGIN")),
            Done::End(tag) => Response::TransactionEnd(Tag::new(tag)),
            Done::Shown { name, value } => Response::Query(shown(&name, &value)?),
            Done::Unknown => return self.answer(wire, &statement.to_string(), &[], format).await,
        })
    }

    /// The values of `EXECUTE name(...)`.
    async fn evaluated(&self, wire: Arc<Wire>, values: &[String]) -> PgWireResult<Vec<Parameter>> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT {}", values.join(", "));
        let (mut running, mut stopped) = self.ask(&wire, &sql, &[]).await?;
        let rows = Self::unless_stopped(&mut stopped, running.next()).await?;
        let rows = rows.ok_or_else(|| failure("42601", "expected one value for each parameter"))?;
        let value = |at: usize| ScalarValue::try_from_array(rows.column(at), 0);
        (0..values.len())
            .map(|at| match value(at) {
                Ok(value) => Ok(((at + 1).to_string(), value)),
                Err(error) => Err(failure("22023", error.strip_backtrace())),
            })
            .collect()
    }

    async fn ask(
        &self,
        wire: &Wire,
        sql: &str,
        parameters: &[Parameter],
    ) -> PgWireResult<(Running, Stopped)> {
        let mut stopped = self.stop.subscribe();
        let time = held(&self.settings).time();
        let request = self.server.engine.ask(&wire.queries, NAME, sql, parameters, time);
        let running = Self::unless_stopped(&mut stopped, request).await?;
        Ok((running, stopped))
    }

    /// The rows of a query, as they come.
    async fn answer(
        &self,
        wire: Arc<Wire>,
        sql: &str,
        parameters: &[Parameter],
        format: &Format,
    ) -> PgWireResult<Response> {
        let Rows { fields, rows } = self.rows(wire, sql, parameters, format).await?;
        Ok(Response::Query(QueryResponse::new(fields, rows)))
    }

    async fn rows(
        &self,
        wire: Arc<Wire>,
        sql: &str,
        parameters: &[Parameter],
        format: &Format,
    ) -> PgWireResult<Rows> {
        let (running, stopped) = self.ask(&wire, sql, parameters).await?;
        let fields = Arc::new(fields(&running.schema(), format)?);
        let of_batch = Arc::clone(&fields);
        let batches =
            stream::try_unfold((running, stopped, wire), |(mut running, mut stopped, wire)| async move {
                let batch = Self::unless_stopped(&mut stopped, running.next()).await?;
                Ok::<_, PgWireError>(batch.map(|batch| (batch, (running, stopped, wire))))
            });
        let rows = batches
            .map_ok(move |batch| {
                let rows: Vec<_> = encode_recordbatch(Arc::clone(&of_batch), batch).collect();
                stream::iter(rows)
            })
            .try_flatten();
        Ok(Rows { fields, rows: rows.boxed() })
    }
}

/// Fails if a statement can't be prepared.
async fn wire_checked(session: &Session, wire: &Wire, sql: &str) -> PgWireResult<()> {
    let planned = session.server.engine.plan(&wire.queries, NAME, sql).await;
    planned.map(|_| ()).map_err(|error| of_query(&error))
}

fn no_statement(name: &str) -> PgWireError {
    failure("26000", format!("prepared statement \"{name}\" does not exist"))
}

fn fields(schema: &SchemaRef, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
    arrow_schema_to_pg_fields(schema, format, None)
}

fn shown_field(name: &str) -> FieldInfo {
    FieldInfo::new(name.to_owned(), None, None, Type::VARCHAR, FieldFormat::Text)
}

fn shown(name: &str, value: &str) -> PgWireResult<QueryResponse> {
    let fields = Arc::new(vec![shown_field(name)]);
    let mut row = DataRowEncoder::new(Arc::clone(&fields));
    row.encode_field(&Some(value))?;
    let row = row.take_row();
    let mut response = QueryResponse::new(fields, stream::iter([Ok(row)]));
    response.set_command_tag("SHOW");
    Ok(response)
}

/// In a transaction that has failed, nothing but its end is taken.
fn taken(status: TransactionStatus, request: &Request) -> PgWireResult<()> {
    let ends = matches!(request, Request::Session(statement)
        if matches!(**statement, Statement::Commit { .. } | Statement::Rollback { .. }));
    if status == TransactionStatus::Error && !ends {
        return Err(failure(
            "25P02",
            "current transaction is aborted, commands ignored until end of transaction block",
        ));
    }
    Ok(())
}

/// Statements whose columns are known only to the session that runs them.
const fn is_without_columns(statement: &Statement) -> bool {
    matches!(statement, Statement::Execute { .. } | Statement::Fetch { .. })
}

#[async_trait]
impl SimpleQueryHandler for Session {
    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let wire = self.wire().await?;
        let statements = self.read(&wire, query).await?;
        if statements.is_empty() {
            return Ok(vec![Response::EmptyQuery]);
        }
        let mut responses = Vec::with_capacity(statements.len());
        for request in &statements {
            taken(client.transaction_status(), request)?;
            responses.push(self.respond(Arc::clone(&wire), request, &[], &Format::UnifiedText).await?);
        }
        Ok(responses)
    }
}

#[async_trait]
impl ExtendedQueryHandler for Session {
    type Statement = Prepared;
    type QueryParser = Preparing;

    fn query_parser(&self) -> Arc<Preparing> {
        Arc::new(Preparing(Arc::clone(&self.server), Arc::clone(&self.is_in)))
    }

    async fn do_query<C>(&self, client: &mut C, portal: &Portal<Prepared>, _: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let prepared = &portal.statement.statement;
        taken(client.transaction_status(), &prepared.request)?;
        let parameters = prepared.values(portal)?;
        let wire = self.wire().await?;
        self.respond(wire, &prepared.request, &parameters, &portal.result_column_format).await
    }
}

/// Prepares the statements of a client.
pub(super) struct Preparing(Arc<Server>, Arc<AtomicBool>);

#[async_trait]
impl QueryParser for Preparing {
    type Statement = Prepared;

    async fn parse_sql<C>(&self, _: &C, sql: &str, _: &[Option<Type>]) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let session = Session::new(Arc::clone(&self.0), Arc::new(Stop::new(0)), Arc::clone(&self.1));
        let wire = session.wire().await?;
        let mut statements = session.read(&wire, sql).await?;
        if statements.len() > 1 {
            return Err(failure("42601", "cannot insert multiple commands into a prepared statement"));
        }
        let Some(request) = statements.pop() else { return Ok(None) };
        let sql = match &request {
            Request::Query(sql) => sql,
            Request::Session(statement) if is_without_columns(statement) => {
                let told = format!("cannot prepare {statement}: send it by the simple query protocol");
                return Err(failure("0A000", told));
            }
            Request::Session(_) => return Ok(Some(Prepared::of_session(request))),
            Request::Copy => return Err(not_read_only("COPY")),
        };
        let plan = self.0.engine.plan(&wire.queries, NAME, sql).await.map_err(|error| of_query(&error))?;
        Prepared::of_query(request, &plan).map(Some)
    }

    fn get_parameter_types(&self, prepared: &Prepared) -> PgWireResult<Vec<Type>> {
        prepared.types()
    }

    fn get_result_schema(
        &self,
        prepared: &Prepared,
        format: Option<&Format>,
    ) -> PgWireResult<Vec<FieldInfo>> {
        match (&prepared.columns, &prepared.request) {
            (Some(columns), _) => fields(columns, format.unwrap_or(&Format::UnifiedText)),
            (None, Request::Session(statement)) => match &**statement {
                Statement::ShowVariable { variable } => {
                    let words: Vec<&str> = variable.iter().map(|word| word.value.as_str()).collect();
                    Ok(vec![shown_field(&words.join(" "))])
                }
                _ => Ok(Vec::new()),
            },
            (None, Request::Query(_) | Request::Copy) => Ok(Vec::new()),
        }
    }
}
