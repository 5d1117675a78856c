//! What every request is asked for: the password, if there is one, of a user where there are users; and on loopback a host
//! that is this machine, so that no foreign page reads these under a name of its own.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use tokio::sync::Semaphore;

use super::listener::Peer;
use crate::access::Access;
use crate::doors::WrongPasswords;
use crate::users::Users;
use lightsout_query::rights::Rights;

/// Answers to wrong passwords that are held back at once; more are not looked at.
const HELD_BACK_MAX: usize = 32;

pub(super) struct Guard {
    access: Arc<Access>,
    users: Option<Arc<Users>>,
    wrong: Arc<WrongPasswords>,
    is_loopback: bool,
    held_back: Semaphore,
}

impl Guard {
    pub(super) fn new(
        access: Arc<Access>,
        users: Option<Arc<Users>>,
        wrong: Arc<WrongPasswords>,
        is_loopback: bool,
    ) -> Self {
        Self { access, users, wrong, is_loopback, held_back: Semaphore::new(HELD_BACK_MAX) }
    }

    /// What a request may see, by what it offers; `None`: nothing.
    async fn rights(&self, offered: Option<&Offered>) -> Option<Arc<Rights>> {
        match (&self.users, offered) {
            (Some(users), Some(offered)) => users.log_in(&offered.user, &offered.password).await,
            (Some(_), None) => None,
            (None, _) => {
                let password = offered.map(|offered| offered.password.as_str());
                self.access.is_password(password).then(|| Arc::new(Rights::ALL))
            }
        }
    }
}

pub(super) async fn host(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    if guard.is_loopback && !is_this_machine(&request) {
        return (StatusCode::MISDIRECTED_REQUEST, "expected the host localhost or 127.0.0.1\n")
            .into_response();
    }
    next.run(request).await
}

pub(super) async fn password(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let offered = offered(&request);
    let address = request.extensions().get::<Peer>().map(|peer| peer.0);
    if let Some(rights) = guard.rights(offered.as_ref()).await {
        if let Some(address) = address.filter(|_| guard.access.wants_password()) {
            guard.wrong.forget(address);
        }
        request.extensions_mut().insert(rights);
        return next.run(request).await;
    }
    // A browser asks without one first.
    if let Some(address) = address.filter(|_| offered.is_some()) {
        let Ok(_held_back) = guard.held_back.try_acquire() else {
            return (StatusCode::TOO_MANY_REQUESTS, "too many wrong passwords; try again later\n")
                .into_response();
        };
        tokio::time::sleep(guard.wrong.another(address)).await;
    }
    let challenge = (header::WWW_AUTHENTICATE, "Basic realm=\"lightsout\", charset=\"UTF-8\"");
    let expected = match guard.users {
        Some(_) => "expected the name and password of a user\n",
        None => "expected the password, under any user name\n",
    };
    (StatusCode::UNAUTHORIZED, [challenge], expected).into_response()
}

fn is_this_machine(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Name and password of HTTP Basic.
struct Offered {
    user: String,
    password: String,
}

fn offered(request: &Request) -> Option<Offered> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some(Offered { user: user.to_owned(), password: password.to_owned() })
}
