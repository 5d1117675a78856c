//! The pages for each kind of reader: whoever has equal rights asks the same state, and nobody that of others.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router};
use tower_service::Service as _;

use super::concurrency_limit::ConcurrencyLimit;
use super::error_page::PageError;
use super::server_state::ServerState;
use crate::audiences::Audiences;
use crate::engine::Engine;
use crate::live::Live;
use lightsout_query::rights::Rights;

/// See the file's first lines.
pub(super) struct Sites {
    audiences: Arc<Audiences>,
    engine: Arc<Engine>,
    limit: Arc<ConcurrencyLimit>,
    has_users: bool,
    by_rights: Mutex<HashMap<Arc<Rights>, Router>>,
}

impl Sites {
    pub(super) fn new(audiences: Arc<Audiences>, engine: Arc<Engine>, has_users: bool) -> Self {
        let limit = ServerState::limit(&engine);
        Self { audiences, engine, limit, has_users, by_rights: Mutex::default() }
    }

    pub(super) fn whole(&self) -> Arc<Live> {
        self.audiences.whole()
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn has_users(&self) -> bool {
        self.has_users
    }

    async fn site(&self, rights: &Arc<Rights>) -> Option<Router> {
        let known = self.by_rights.lock().unwrap_or_else(PoisonError::into_inner).get(rights).cloned();
        if known.is_some() {
            return known;
        }
        let live = self.audiences.live(rights).await?;
        let state = ServerState::new(live, Arc::clone(&self.engine), Arc::clone(&self.limit));
        let site = super::pages(rights.are_unrestricted()).with_state(Arc::new(state));
        let mut by_rights = self.by_rights.lock().unwrap_or_else(PoisonError::into_inner);
        // Who comes at the same time has the first one.
        Some(by_rights.entry(Arc::clone(rights)).or_insert(site).clone())
    }
}

/// Answers with the pages of the reader's rights, which the guard has found.
pub(super) async fn answer(
    State(sites): State<Arc<Sites>>,
    Extension(rights): Extension<Arc<Rights>>,
    request: Request,
) -> Response {
    match sites.site(&rights).await {
        Some(mut site) => {
            let answered: Result<Response, Infallible> = site.call(request).await;
            answered.unwrap_or_else(|never| match never {})
        }
        None => PageError::Busy.into_response(),
    }
}
