//! The messages of a client, handed to its session. The library's own handlers begin the next statement of a text while
//! the rows of the one before are not sent, and gather all rows of a bound statement before they send the first: here
//! statements follow each other, and rows go out as they come.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::sqlparser::ast::Statement;
use datafusion_postgres::arrow_pg::datatypes::arrow_schema_to_pg_fields;
use datafusion_postgres::pgwire::api::portal::{Format, Portal, PortalExecutionState};
use datafusion_postgres::pgwire::api::query::{
    ExtendedQueryHandler, SimpleQueryHandler, send_describe_response, send_execution_response,
    send_partial_query_response, send_query_response, send_ready_for_query,
};
use datafusion_postgres::pgwire::api::results::{DescribePortalResponse, FieldInfo, Response, Tag};
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::store::{Entry, PortalStore};
use datafusion_postgres::pgwire::api::{
    ClientInfo, ClientPortalStore, DEFAULT_NAME, PgWireConnectionState, Type,
};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::extendedquery::{Describe, Execute, TARGET_TYPE_BYTE_PORTAL};
use datafusion_postgres::pgwire::messages::response::EmptyQueryResponse;
use datafusion_postgres::pgwire::messages::simplequery::Query;
use futures::{Sink, SinkExt as _};

use super::cursors::no_cursor;
use super::failure::{failure, not_read_only};
use super::prepared::Prepared;
use super::session::{Session, shown_field};
use super::settings::shown_name;
use super::text::Request;

/// Sends what comes before a response's rows, and all rows. Statements that copy have sent theirs.
async fn send<C>(client: &mut C, response: Response) -> PgWireResult<()>
where
    C: Sink<PgWireBackendMessage> + Unpin,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    match response {
        Response::Query(rows) => send_query_response(client, rows, true).await,
        Response::Execution(tag) => send_execution_response(client, tag).await,
        _ => Err(not_sent()),
    }
}

/// A session gives rows or says what is done.
fn not_sent() -> PgWireError {
    failure("XX000", "the session has given an answer that is not known")
}

/// Marks a connection as at work, so that nothing else is taken meanwhile.
fn begin<C: ClientInfo>(client: &mut C) -> PgWireResult<()> {
    if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
        return Err(PgWireError::NotReadyForQuery);
    }
    client.set_state(PgWireConnectionState::QueryInProgress);
    Ok(())
}

#[async_trait]
impl SimpleQueryHandler for Session {
    async fn on_query<C>(&self, client: &mut C, query: Query) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        begin(client)?;
        let wire = self.wire().await?;
        let statements = self.read(&wire, &query.query).await?;
        if statements.is_empty() {
            client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
        }
        for request in &statements {
            let response = self.run(client, request, &[], &Format::UnifiedText).await?;
            send(client, response).await?;
        }
        client.set_state(PgWireConnectionState::ReadyForQuery);
        let status = client.transaction_status();
        send_ready_for_query(client, status).await
    }

    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let wire = self.wire().await?;
        let mut responses = Vec::new();
        for request in &self.read(&wire, query).await? {
            responses.push(self.run(client, request, &[], &Format::UnifiedText).await?);
        }
        Ok(responses)
    }
}

#[async_trait]
impl ExtendedQueryHandler for Session {
    type Statement = Prepared;
    type QueryParser = Preparing;

    fn query_parser(&self) -> Arc<Preparing> {
        Arc::new(Preparing(self.me.upgrade()))
    }

    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        begin(client)?;
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let rows_max = usize::try_from(message.max_rows).unwrap_or(0);
        let portal = match client.portal_store().get_portal(name) {
            Some(Entry::Value(portal)) => portal,
            Some(Entry::Empty) => {
                client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
                client.set_state(PgWireConnectionState::ReadyForQuery);
                return Ok(());
            }
            None => return Err(PgWireError::PortalNotFound(name.to_owned())),
        };
        let mut state = portal.state.lock().await;
        if matches!(*state, PortalExecutionState::Initial) {
            match ExtendedQueryHandler::do_query(self, client, portal.as_ref(), rows_max).await? {
                Response::Query(rows) => *state = PortalExecutionState::Suspended(rows),
                Response::Execution(tag) => {
                    send_execution_response(client, tag).await?;
                    client.set_state(PgWireConnectionState::ReadyForQuery);
                    return Ok(());
                }
                _ => return Err(not_sent()),
            }
        }
        let is_left = match &mut *state {
            PortalExecutionState::Suspended(rows) => {
                send_partial_query_response(client, rows, rows_max).await?
            }
            // All rows have been given.
            PortalExecutionState::Initial | PortalExecutionState::Finished => {
                send_execution_response(client, Tag::new("SELECT").with_rows(0)).await?;
                false
            }
        };
        if !is_left {
            *state = PortalExecutionState::Finished;
        }
        drop(state);
        client.set_state(PgWireConnectionState::ReadyForQuery);
        Ok(())
    }

    async fn on_describe<C>(&self, client: &mut C, message: Describe) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        // A cursor is a portal that another statement has opened.
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let schema = (message.target_type == TARGET_TYPE_BYTE_PORTAL).then(|| self.cursors().schema(name));
        if let Some(schema) = schema.flatten() {
            let fields = arrow_schema_to_pg_fields(&schema, &Format::UnifiedText, None)?;
            return send_describe_response(client, &DescribePortalResponse::new(fields)).await;
        }
        self._on_describe(client, message).await
    }

    async fn do_query<C>(&self, client: &mut C, portal: &Portal<Prepared>, _: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let prepared = &portal.statement.statement;
        let parameters = prepared.values(portal)?;
        self.run(client, &prepared.request, &parameters, &portal.result_column_format).await
    }
}

/// Prepares the statements of a client, `None` once it has gone.
pub(super) struct Preparing(Option<Arc<Session>>);

#[async_trait]
impl QueryParser for Preparing {
    type Statement = Prepared;

    async fn parse_sql<C>(&self, _: &C, sql: &str, _: &[Option<Type>]) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let Some(session) = &self.0 else { return Err(failure("57P01", "the connection is closed")) };
        let wire = session.wire().await?;
        let mut statements = session.read(&wire, sql).await?;
        if statements.len() > 1 {
            return Err(failure("42601", "cannot insert multiple commands into a prepared statement"));
        }
        let Some(request) = statements.pop() else { return Ok(None) };
        let (sql, is_answered) = match &request {
            Request::Query(sql) => (sql, true),
            Request::Declare { query, .. } | Request::Copy { query, .. } => (query, false),
            Request::Session(statement) => match &**statement {
                Statement::Fetch { name, .. } => {
                    let columns = session.cursors().schema(&name.value);
                    let columns = columns.ok_or_else(|| no_cursor(&name.value))?;
                    return Ok(Some(Prepared::of_cursor(request, columns)));
                }
                Statement::Execute { .. } => {
                    let told =
                        format!("cannot prepare {}: send it by the simple query protocol", **statement);
                    return Err(failure("0A000", told));
                }
                _ => return Ok(Some(Prepared::of_session(request))),
            },
            Request::Writes(what) => return Err(not_read_only(what)),
        };
        let sql = sql.clone();
        let look = move |plan: &LogicalPlan| Prepared::of_query(request, plan, is_answered);
        session.plan(&wire, &sql, look).await?.map(Some)
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
            (Some(columns), _) => {
                arrow_schema_to_pg_fields(columns, format.unwrap_or(&Format::UnifiedText), None)
            }
            (None, Request::Session(statement)) => match &**statement {
                Statement::ShowVariable { variable } => {
                    let name = shown_name(variable.iter().map(|word| word.value.as_str()));
                    Ok(vec![shown_field(&name)])
                }
                _ => Ok(Vec::new()),
            },
            (None, _) => Ok(Vec::new()),
        }
    }
}
