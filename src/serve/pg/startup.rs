//! How a client comes in: the database's name, then the password if there is one.

use std::collections::HashMap;
use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion_postgres::pgwire::api::auth::sasl::scram::{SCRAM_ITERATIONS, ScramAuth, gen_salted_password};
use datafusion_postgres::pgwire::api::auth::sasl::{SASLAuthStartupHandler, SCRAM_SHA_256_METHOD};
use datafusion_postgres::pgwire::api::auth::{
    AuthSource, DefaultServerParameterProvider, LoginInfo, Password, ServerParameterProvider, StartupHandler,
    finish_authentication, protocol_negotiation, save_startup_parameters_to_metadata,
};
use datafusion_postgres::pgwire::api::{
    ClientInfo, PgWireConnectionState, PidSecretKeyGenerator as _, RandomPidSecretKeyGenerator,
};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::startup::{
    Authentication, PasswordMessageFamily, Startup as StartupMessage,
};
use datafusion_postgres::pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use futures::{Sink, SinkExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::catalogue::State;
use super::clients::{Clients, Entry, Stop};
use super::failure::fatal;
use super::session::{Session, held};
use super::{DATABASE, Server};
use crate::doors::{Doors, Place, WrongPasswords};
use crate::scram::Exchange;
use crate::users::Users;
use lightsout_query::rights::Rights;

/// The PostgreSQL whose catalogue and manners are kept to.
pub(super) const SERVER_VERSION: &str = concat!("15.18 (lightsout ", env!("CARGO_PKG_VERSION"), ")");
pub(super) const SERVER_VERSION_NUMBER: &str = "150018";

/// What `version()` says: clients look for the word PostgreSQL and the number behind it.
pub(super) const VERSION: &str =
    concat!("PostgreSQL 15.18 (lightsout ", env!("CARGO_PKG_VERSION"), "), which only reads");

/// The password as the exchange wants it: salted, so that it is not computed for each client.
#[derive(Debug, Clone)]
pub(super) struct Secret {
    salt: Vec<u8>,
    salted: Vec<u8>,
}

impl Secret {
    pub(super) fn of(password: &str) -> Self {
        // Differs from start to start; a salt is no secret.
        let salt = Sha256::digest(uuid::Uuid::new_v4().as_bytes())[..16].to_vec();
        let salted = gen_salted_password(password, &salt, SCRAM_ITERATIONS);
        Self { salt, salted }
    }
}

#[async_trait]
impl AuthSource for Secret {
    async fn get_password(&self, _: &LoginInfo) -> PgWireResult<Password> {
        Ok(Password::new(Some(self.salt.clone()), self.salted.clone()))
    }
}

/// What a client is told of the server, and of its own settings.
struct Told(Arc<State>);

impl ServerParameterProvider for Told {
    fn server_parameters<C: ClientInfo>(&self, client: &C) -> Option<HashMap<String, String>> {
        let settings = self.0.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parameters = DefaultServerParameterProvider::default();
        SERVER_VERSION.clone_into(&mut parameters.server_version);
        parameters.is_superuser = false;
        parameters.default_transaction_read_only = true;
        settings.zone().clone_into(&mut parameters.time_zone);
        parameters.date_style = settings.shown("datestyle").unwrap_or_default();
        parameters.application_name = settings.shown("application_name");
        parameters.server_parameters(client)
    }
}

/// Lets anybody in.
async fn let_in<C>(client: &mut C, startup: &StartupMessage, parameters: &Told) -> PgWireResult<()>
where
    C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    protocol_negotiation(client, startup).await?;
    save_startup_parameters_to_metadata(client, startup);
    finish(client, parameters).await
}

async fn finish<C>(client: &mut C, parameters: &Told) -> PgWireResult<()>
where
    C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let (pid, secret) = RandomPidSecretKeyGenerator::default().generate(client);
    client.set_pid_and_secret_key(pid, secret);
    finish_authentication(client, parameters).await
}

/// How a user proves the password, once a challenge has been sent.
struct Challenge {
    exchange: Exchange,
    /// `None`: nobody has that name.
    rights: Option<Arc<Rights>>,
}

/// How one client is received.
pub(super) struct Manner {
    /// Whether a client that does not encrypt is sent away.
    pub(super) is_tls_wanted: bool,
    pub(super) address: IpAddr,
    pub(super) inside: Arc<Doors>,
    /// Its place while it has not come in.
    pub(super) outside: Place,
}

/// The start of one connection.
pub(super) struct Startup {
    scram: Option<SASLAuthStartupHandler<Told>>,
    users: Option<Arc<Users>>,
    challenge: Mutex<Option<Challenge>>,
    is_tls_wanted: bool,
    address: IpAddr,
    wrong: Arc<WrongPasswords>,
    inside: Arc<Doors>,
    /// Outside first, then inside.
    place: Mutex<Place>,
    clients: Arc<Clients>,
    session: Arc<Session>,
    stop: Arc<Stop>,
    is_in: Arc<AtomicBool>,
    /// Told once the start has failed.
    failed: Notify,
    entry: Mutex<Option<Entry>>,
}

impl Startup {
    pub(super) fn new(server: &Server, manner: Manner, session: Arc<Session>, stop: Arc<Stop>) -> Self {
        let scram = server.secret.as_ref().map(|secret| {
            SASLAuthStartupHandler::new(Arc::new(Told(Arc::clone(&session.state))))
                .with_scram(ScramAuth::new(Arc::new(secret.clone())))
        });
        let Manner { is_tls_wanted, address, inside, outside } = manner;
        Self {
            scram,
            users: server.users.clone(),
            challenge: Mutex::default(),
            is_tls_wanted,
            address,
            wrong: Arc::clone(&server.wrong),
            inside,
            place: Mutex::new(outside),
            clients: Arc::clone(&server.clients),
            is_in: session.is_in(),
            session,
            stop,
            failed: Notify::new(),
            entry: Mutex::new(None),
        }
    }

    /// Waits until the start has failed, if it does.
    pub(super) async fn failed(&self) {
        self.failed.notified().await;
    }

    /// Whether the client has come in.
    pub(super) fn is_in(&self) -> bool {
        self.is_in.load(Ordering::Acquire)
    }

    /// Why a client can't come in, before it is asked for anything.
    fn refusal<C: ClientInfo>(&self, client: &C, message: &PgWireFrontendMessage) -> Option<PgWireError> {
        let PgWireFrontendMessage::Startup(startup) = message else { return None };
        if self.is_tls_wanted && !client.is_secure() {
            return Some(fatal(
                "28000",
                "expected an encrypted connection, found a plain one; use sslmode=require",
            ));
        }
        let asked = startup.parameters.get("database").or_else(|| startup.parameters.get("user"))?;
        (asked != DATABASE).then(|| {
            fatal(
                "3D000",
                format!("database \"{asked}\" does not exist; there is one, as in: psql -d {DATABASE}"),
            )
        })
    }
}

#[async_trait]
impl StartupHandler for Startup {
    async fn on_startup<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        match self.receive(client, message).await {
            Ok(()) => Ok(()),
            Err(error) => {
                self.failed.notify_one();
                // Whatever it is: after an error that does not end the connection, the library takes queries.
                let mut info = ErrorInfo::from(error);
                "FATAL".clone_into(&mut info.severity);
                if info.code == "28P01" {
                    "password authentication failed".clone_into(&mut info.message);
                }
                Err(PgWireError::UserError(Box::new(info)))
            }
        }
    }
}

impl Startup {
    /// Gives up the place outside for one inside.
    fn come_in(&self) -> PgWireResult<()> {
        let full = || fatal("53300", "sorry, too many clients already; try again later");
        *held(&self.place) = self.inside.enter(self.address).ok_or_else(full)?;
        Ok(())
    }

    async fn receive<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if let Some(refusal) = self.refusal(client, &message) {
            return Err(refusal);
        }
        if let PgWireFrontendMessage::Startup(startup) = &message {
            self.session.start(&startup.parameters)?;
        }
        // Without a password the start is all.
        let wants_password = self.scram.is_some() || self.users.is_some();
        if !wants_password {
            self.come_in()?;
        }
        match (&self.users, &self.scram, &message) {
            (None, None, PgWireFrontendMessage::Startup(startup)) => {
                self.session.permit(Arc::new(Rights::ALL));
                let_in(client, startup, &self.told()).await?;
            }
            (None, None, _) => {}
            (Some(users), _, _) => {
                let done = self.ask_user(client, users, message).await;
                if done.is_err() {
                    tokio::time::sleep(self.wrong.another(self.address)).await;
                }
                done?;
            }
            (None, Some(scram), _) => {
                let done = scram.on_startup(client, message).await;
                if done.is_err() {
                    tokio::time::sleep(self.wrong.another(self.address)).await;
                }
                done?;
                self.session.permit(Arc::new(Rights::ALL));
            }
        }
        if matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            if wants_password {
                self.wrong.forget(self.address);
                self.come_in()?;
            }
            self.is_in.store(true, Ordering::Release);
            let (pid, secret) = client.pid_and_secret_key();
            let entry = self.clients.enter(pid, &secret, Arc::clone(&self.stop));
            *held(&self.entry) = Some(entry);
        }
        Ok(())
    }

    fn told(&self) -> Told {
        Told(Arc::clone(&self.session.state))
    }

    /// One step of asking a user for the password: the mechanism, the challenge, the proof.
    async fn ask_user<C>(
        &self,
        client: &mut C,
        users: &Users,
        message: PgWireFrontendMessage,
    ) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let message = match message {
            PgWireFrontendMessage::Startup(startup) => {
                protocol_negotiation(client, &startup).await?;
                save_startup_parameters_to_metadata(client, &startup);
                client.set_state(PgWireConnectionState::AuthenticationInProgress);
                let mechanisms = Authentication::SASL(vec![SCRAM_SHA_256_METHOD.to_owned()]);
                client.send(PgWireBackendMessage::Authentication(mechanisms)).await?;
                return Ok(());
            }
            PgWireFrontendMessage::PasswordMessageFamily(message) => message,
            _ => return Ok(()),
        };
        let answered = held(&self.challenge).take();
        let Some(challenge) = answered else { return self.challenge(client, users, message).await };
        let proof = message.into_sasl_response()?;
        let (servers_proof, rights) = challenge
            .exchange
            .finish(&proof.data)
            .zip(challenge.rights)
            .ok_or_else(|| PgWireError::InvalidPassword(held(&self.session.state.user).clone()))?;
        self.session.permit(rights);
        let last = Authentication::SASLFinal(servers_proof.into());
        client.send(PgWireBackendMessage::Authentication(last)).await?;
        finish(client, &self.told()).await
    }

    async fn challenge<C>(
        &self,
        client: &mut C,
        users: &Users,
        message: PasswordMessageFamily,
    ) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let first = message.into_sasl_initial_response()?;
        if first.auth_method != SCRAM_SHA_256_METHOD {
            return Err(PgWireError::UnsupportedSASLAuthMethod(first.auth_method));
        }
        let user = held(&self.session.state.user).clone();
        let (verifier, rights) = users.verifier(&user);
        let begun = first.data.and_then(|data| Exchange::begin(verifier, &data));
        let unclear = || PgWireError::InvalidScramMessage("the client's first message".to_owned());
        let (exchange, told) = begun.ok_or_else(unclear)?;
        *held(&self.challenge) = Some(Challenge { exchange, rights });
        client.send(PgWireBackendMessage::Authentication(Authentication::SASLContinue(told.into()))).await?;
        Ok(())
    }
}
