//! One client: its statements, one after the other, each over the newest snapshot unless a transaction keeps one.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use datafusion::common::ScalarValue;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::sqlparser::ast::{CloseCursor, Statement};
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::{
    DataRowEncoder, FieldFormat, FieldInfo, QueryResponse, Response, Tag,
};
use datafusion_postgres::pgwire::api::{ClientInfo, Type};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use datafusion_postgres::pgwire::messages::startup::ParameterStatus;
use futures::{Sink, SinkExt as _, StreamExt as _, stream};

use super::Server;
use super::catalogue::{State, Wire};
use super::clients::{Stop, Stopped};
use super::copy::{self, Layout};
use super::cursors::{self, Cursors, Rows};
use super::failure::{cancelled, failure, fatal, not_read_only, of_query};
use super::settings::{Done, Settings};
use super::text::{Parsed, Request};
use super::transaction::{self, Transaction};
use crate::engine::{Engine, Running};
use lightsout_query::Parameter;
use lightsout_query::rights::Rights;

/// For errors, where a report has its own name.
pub(super) const NAME: &str = "query";

/// Settings that a client is told of when they change, by the names that it knows.
const REPORTED: [(&str, &str); 3] =
    [("timezone", "TimeZone"), ("application_name", "application_name"), ("datestyle", "DateStyle")];

/// See the file's first lines.
pub(super) struct Session {
    pub(super) server: Arc<Server>,
    /// With the share of the client's address.
    engine: Engine,
    stop: Arc<Stop>,
    /// Whether the client has come in. The library itself takes queries after a start that has failed.
    is_in: Arc<AtomicBool>,
    /// Once it has: what it may see.
    rights: OnceLock<Arc<Rights>>,
    pub(super) me: Weak<Self>,
    /// What the functions of the catalogue tell of.
    pub(super) state: Arc<State>,
    transaction: Mutex<Transaction>,
    /// Of `PREPARE name AS ...`, the text and its parameters' types.
    named: Mutex<HashMap<String, (String, Vec<String>)>>,
    last_wire: Mutex<Option<Arc<Wire>>>,
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(super) fn new(server: Arc<Server>, engine: Engine, stop: Arc<Stop>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            server,
            engine,
            stop,
            is_in: Arc::default(),
            rights: OnceLock::new(),
            me: me.clone(),
            state: Arc::default(),
            transaction: Mutex::default(),
            named: Mutex::default(),
            last_wire: Mutex::default(),
        })
    }

    /// Whether the client has come in: for who lets it in.
    pub(super) fn is_in(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_in)
    }

    /// Takes what the client may see: for who lets it in.
    pub(super) fn permit(&self, rights: Arc<Rights>) {
        // A client comes in once.
        let _ = self.rights.set(rights);
    }

    /// Takes what the client set when it came in, and its name.
    pub(super) fn start(&self, parameters: &BTreeMap<String, String>) -> PgWireResult<()> {
        if let Some(user) = parameters.get("user") {
            user.clone_into(&mut held(&self.state.user));
        }
        self.settings().start(parameters)
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        held(&self.state.settings)
    }

    pub(super) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        held(&self.state.cursors)
    }

    /// The lake as the client sees it now.
    pub(super) async fn wire(&self) -> PgWireResult<Arc<Wire>> {
        if !self.is_in.load(Ordering::Acquire) {
            return Err(fatal("28000", "expected a start that succeeds before a query"));
        }
        let nobody = || fatal("28000", "expected a start that succeeds before a query");
        let rights = self.rights.get().ok_or_else(nobody)?;
        let sight = self.server.sight(rights).await.map_err(|error| of_query(&error))?;
        let newest = sight.live.current().await;
        let (snapshot, zone) = {
            let settings = self.settings();
            (held(&self.transaction).snapshot(newest, &settings), settings.zone().to_owned())
        };
        let mut last = held(&self.last_wire);
        if let Some(wire) = last.as_ref().filter(|wire| wire.is_of(&snapshot, &zone)) {
            return Ok(Arc::clone(wire));
        }
        let wire = sight.catalogue.wire(&snapshot, &self.state, &zone);
        let wire = wire.map_err(|error| of_query(&error))?;
        *last = Some(Arc::clone(&wire));
        Ok(wire)
    }

    /// The statements of a text.
    pub(super) async fn read(&self, wire: &Wire, sql: &str) -> PgWireResult<Vec<Request>> {
        let (queries, parser, sql) = (wire.queries.clone(), Arc::clone(&self.server.parser), sql.to_owned());
        let time = self.engine.limits().time;
        let read = async move {
            queries.check(NAME, &sql)?;
            Ok(super::text::read(&parser, &sql))
        };
        self.engine.at_work(NAME, time, read).await.map_err(|error| of_query(&error))
    }

    /// Looks at what a query would be planned as.
    pub(super) async fn plan<T: Send + 'static>(
        &self,
        wire: &Wire,
        sql: &str,
        look: impl FnOnce(&LogicalPlan) -> T + Send + 'static,
    ) -> PgWireResult<T> {
        self.engine.plan(&wire.queries, NAME, sql, look).await.map_err(|error| of_query(&error))
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

    /// Runs one statement. What is copied has been sent when this returns.
    pub(super) async fn run<C>(
        &self,
        client: &mut C,
        request: &Request,
        parameters: &[Parameter],
        format: &Format,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        taken(client.transaction_status(), request)?;
        match request {
            Request::Query(sql) => {
                let rows = self.rows(sql, parameters).await?;
                Ok(Response::Query(rows.into_response(format)?))
            }
            Request::Session(statement) => self.run_session(client, statement, format).await,
            Request::Declare { name, query, is_held } => {
                if !is_held && client.transaction_status() == TransactionStatus::Idle {
                    let told = "DECLARE CURSOR can only be used in transaction blocks";
                    return Err(failure("25P01", told));
                }
                self.cursors().may_declare(name)?;
                let rows = self.rows(query, parameters).await?;
                self.cursors().declare(name, rows, *is_held)?;
                Ok(Response::Execution(Tag::new("DECLARE CURSOR")))
            }
            Request::Copy { query, statement } => {
                let layout = Layout::of(statement)?;
                let rows = self.rows(query, parameters).await?;
                Ok(Response::Execution(copy::send(client, &layout, rows).await?))
            }
            Request::Writes(what) => Err(not_read_only(what)),
        }
    }

    async fn run_session<C>(
        &self,
        client: &mut C,
        statement: &Parsed,
        format: &Format,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let before = self.reported();
        let step = {
            let mut settings = self.settings();
            held(&self.transaction).respond(statement, client.transaction_status(), &mut settings)?
        };
        let response = match step {
            Some(step) => {
                if step.is_over {
                    self.cursors().end_transaction();
                }
                client.set_transaction_status(step.status);
                Response::Execution(Tag::new(step.tag))
            }
            None => self.run_other(statement, format).await?,
        };
        for ((name, was), (_, is)) in before.into_iter().zip(self.reported()) {
            if was != is {
                let status = ParameterStatus::new(name.to_owned(), is);
                client.feed(PgWireBackendMessage::ParameterStatus(status)).await?;
            }
        }
        Ok(response)
    }

    fn reported(&self) -> Vec<(&'static str, String)> {
        let settings = self.settings();
        REPORTED.iter().map(|(name, told)| (*told, settings.shown(name).unwrap_or_default())).collect()
    }

    async fn run_other(&self, statement: &Parsed, format: &Format) -> PgWireResult<Response> {
        match &**statement {
            Statement::Prepare { name, data_types, statement } => {
                let (name, sql) = (name.value.clone(), statement.to_string());
                let types = data_types.iter().map(ToString::to_string).collect();
                let wire = self.wire().await?;
                self.plan(&wire, &sql, |_| ()).await?;
                held(&self.named).insert(name, (sql, types));
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
                let parameters = self.evaluated(&values).await?;
                let rows = self.rows(&sql, &parameters).await?;
                return Ok(Response::Query(rows.into_response(format)?));
            }
            Statement::Fetch { name, direction, .. } => {
                let wanted = cursors::wanted(direction)?;
                return Ok(Response::Query(self.cursors().fetch(&name.value, wanted, format)?));
            }
            Statement::Close { cursor } => {
                match cursor {
                    CloseCursor::All => self.cursors().close_all(),
                    CloseCursor::Specific { name } => self.cursors().close(&name.value)?,
                }
                return Ok(Response::Execution(Tag::new("CLOSE CURSOR")));
            }
            Statement::Declare { .. } => {
                return Err(failure("42601", "expected DECLARE name CURSOR FOR query, not BINARY"));
            }
            Statement::Discard { .. } => {
                held(&self.named).clear();
                self.cursors().close_all();
            }
            _ => {}
        }
        let done = self.settings().respond(statement)?;
        Ok(match done {
            Done::Tag(tag) => Response::Execution(Tag::new(tag)),
            Done::Shown { name, value } => Response::Query(shown(&name, &value)?),
            Done::Unknown => {
                let rows = self.rows(&statement.to_string(), &[]).await?;
                Response::Query(rows.into_response(format)?)
            }
        })
    }

    /// The values of `EXECUTE name(...)`.
    async fn evaluated(&self, values: &[String]) -> PgWireResult<Vec<Parameter>> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT {}", values.join(", "));
        let wire = self.wire().await?;
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
        let time = self.settings().time();
        let request = self.engine.ask(&wire.queries, NAME, sql, parameters, time);
        let running = Self::unless_stopped(&mut stopped, request).await?;
        Ok((running, stopped))
    }

    /// The rows of a query, as they come.
    async fn rows(&self, sql: &str, parameters: &[Parameter]) -> PgWireResult<Rows> {
        let wire = self.wire().await?;
        let (running, stopped) = self.ask(&wire, sql, parameters).await?;
        let schema = running.schema();
        let batches =
            stream::try_unfold((running, stopped, wire), |(mut running, mut stopped, wire)| async move {
                let batch = Self::unless_stopped(&mut stopped, running.next()).await?;
                Ok::<_, PgWireError>(batch.map(|batch| (batch, (running, stopped, wire))))
            });
        Ok(Rows::new(schema, batches.boxed()))
    }
}

fn no_statement(name: &str) -> PgWireError {
    failure("26000", format!("prepared statement \"{name}\" does not exist"))
}

pub(super) fn shown_field(name: &str) -> FieldInfo {
    FieldInfo::new(name.to_owned(), None, None, Type::TEXT, FieldFormat::Text)
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

/// In a transaction that has failed, nothing but its end is taken, or the way back to a savepoint.
fn taken(status: TransactionStatus, request: &Request) -> PgWireResult<()> {
    let recovers = matches!(request, Request::Session(statement) if transaction::recovers(statement));
    if status == TransactionStatus::Error && !recovers {
        return Err(failure(
            "25P02",
            "current transaction is aborted, commands ignored until end of transaction block",
        ));
    }
    Ok(())
}
