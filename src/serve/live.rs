//! The newest snapshot of the lake: commits appear without a restart. Who has begun to read an older one
//! keeps it. A restricted one follows that of the whole lake.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{NaiveDate, Utc};
use tokio::sync::{Mutex, OnceCell};

use crate::error::Result;
use lightsout_assess::default_as_of;
use lightsout_lake::Lake;
use lightsout_lake::schema::Table;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::Window;
use lightsout_model::tenant::Roster;
use lightsout_query::Queries;
use lightsout_query::catalog::own::Library;
use lightsout_query::rights::{NameRights, Pseudonyms, Rights};
use lightsout_query::user_tables::UserTable;
use lightsout_workflow::open::changes_by_others;
use lightsout_workflow::roster::kept_for_use;
use lightsout_workflow::session;

/// How often the logs are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What reports are asked with where a client names nothing.
pub struct Rules {
    pub campaign: Campaign,
    /// `None`: the lake's.
    pub roster: Option<Roster>,
    pub as_of: Option<NaiveDate>,
    pub library: Library,
    /// The user's own, read once.
    pub tables: Vec<UserTable>,
}

/// One state of the lake, and a session over it.
pub struct Snapshot {
    lake: Arc<Lake>,
    pub queries: Queries,
    pub rules: Arc<Rules>,
    /// That of the rules, else the lake's as it is now.
    pub roster: Arc<Roster>,
    versions: Vec<(Table, u64)>,
    window: OnceCell<Window>,
    /// What it shows a part of.
    whole: Option<Arc<Snapshot>>,
}

/// See the file's first lines.
pub struct Live {
    origin: Origin,
    rules: Arc<Rules>,
    newest: RwLock<Arc<Snapshot>>,
    look: Mutex<Look>,
}

/// Where snapshots come from.
enum Origin {
    Lake { root: PathBuf, memory_limit_bytes: usize },
    Part { whole: Arc<Live>, rights: Arc<Rights>, pseudonyms: Pseudonyms },
}

struct Look {
    last: Instant,
    /// Why the newest commits can't be read, if they can't.
    last_error: Option<String>,
}

impl Live {
    /// Opens the lake.
    ///
    /// # Errors
    /// Fails if there is none, or it can't be read.
    pub async fn open(root: &Path, rules: Rules, memory_limit_bytes: usize) -> Result<Self> {
        let rules = Arc::new(rules);
        let newest = Snapshot::open(root, Arc::clone(&rules), memory_limit_bytes).await?;
        newest.tell_changes_by_others(None);
        Ok(Self {
            origin: Origin::Lake { root: root.to_owned(), memory_limit_bytes },
            rules,
            newest: RwLock::new(Arc::new(newest)),
            look: Mutex::new(Look { last: Instant::now(), last_error: None }),
        })
    }

    /// What these rights permit to see of another one. Reports and tables of the operator's own are not in it: their
    /// names and texts may be about anybody.
    ///
    /// # Errors
    /// Fails if the engine does not take the session.
    pub(crate) async fn restricted(
        whole: Arc<Self>,
        rights: Arc<Rights>,
        pseudonyms: Pseudonyms,
    ) -> Result<Self> {
        let mut campaign = whole.rules.campaign.clone();
        campaign.waves.exclude_tenants.retain(|tenant_id| rights.tenants.contains(tenant_id));
        let as_of = whole.rules.as_of;
        let (library, tables) = (Library::default(), Vec::new());
        let rules = Arc::new(Rules { campaign, roster: None, as_of, library, tables });
        let newest = Snapshot::restricted(whole.current().await, Arc::clone(&rules), &rights, &pseudonyms)?;
        Ok(Self {
            origin: Origin::Part { whole, rights, pseudonyms },
            rules,
            newest: RwLock::new(Arc::new(newest)),
            look: Mutex::new(Look { last: Instant::now(), last_error: None }),
        })
    }

    /// The folder of the lake.
    pub(crate) fn root(&self) -> &Path {
        match &self.origin {
            Origin::Lake { root, .. } => root,
            Origin::Part { whole, .. } => whole.root(),
        }
    }

    /// The newest snapshot. While its successor is opened, the one before.
    pub async fn current(&self) -> Arc<Snapshot> {
        let newest = Arc::clone(&self.newest.read().unwrap_or_else(PoisonError::into_inner));
        let (root, memory_limit_bytes) = match &self.origin {
            Origin::Lake { root, memory_limit_bytes } => (root, *memory_limit_bytes),
            Origin::Part { whole, rights, pseudonyms } => {
                // Boxed, as it calls itself.
                let whole = Box::pin(whole.current()).await;
                return self.part_of(whole, newest, rights, pseudonyms);
            }
        };
        let Ok(mut look) = self.look.try_lock() else { return newest };
        if look.last.elapsed() < LOOK_EVERY {
            return newest;
        }
        look.last = Instant::now();
        if !newest.is_old().await {
            return newest;
        }
        match Snapshot::open(root, Arc::clone(&self.rules), memory_limit_bytes).await {
            Ok(opened) => {
                look.last_error = None;
                opened.tell_changes_by_others(Some(&newest));
                let opened = Arc::new(opened);
                *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&opened);
                opened
            }
            Err(error) => {
                let told = error.to_string();
                if look.last_error.as_ref() != Some(&told) {
                    lightsout_output::stderr!("lightsout: the newest commits can't be read: {told}");
                }
                look.last_error = Some(told);
                newest
            }
        }
    }

    /// The part of the whole lake's newest snapshot.
    fn part_of(
        &self,
        whole: Arc<Snapshot>,
        newest: Arc<Snapshot>,
        rights: &Rights,
        pseudonyms: &Pseudonyms,
    ) -> Arc<Snapshot> {
        if newest.whole.as_ref().is_some_and(|of| Arc::ptr_eq(of, &whole)) {
            return newest;
        }
        match Snapshot::restricted(whole, Arc::clone(&self.rules), rights, pseudonyms) {
            Ok(part) => {
                let part = Arc::new(part);
                *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&part);
                part
            }
            Err(error) => {
                lightsout_output::stderr!(
                    "lightsout: the newest commits can't be shown to all users: {error}"
                );
                newest
            }
        }
    }

    /// Why the newest commits can't be read, if they can't.
    pub async fn last_error(&self) -> Option<String> {
        self.look.lock().await.last_error.clone()
    }
}

impl Snapshot {
    async fn open(root: &Path, rules: Arc<Rules>, memory_limit_bytes: usize) -> Result<Self> {
        let lake = Lake::open(root).await?;
        let queries = session::open_for_verdicts(&lake, memory_limit_bytes).await?;
        rules.tables.iter().for_each(|table| queries.add_table(table));
        let versions = lake.versions()?;
        let roster = match &rules.roster {
            Some(roster) => roster.clone(),
            None => kept_for_use(&lake, Utc::now().date_naive(), |_| {})?.unwrap_or_default(),
        };
        let (lake, roster) = (Arc::new(lake), Arc::new(roster));
        Ok(Self { lake, queries, rules, roster, versions, window: OnceCell::new(), whole: None })
    }

    /// What these rights permit to see of another one.
    fn restricted(
        whole: Arc<Self>,
        rules: Arc<Rules>,
        rights: &Rights,
        pseudonyms: &Pseudonyms,
    ) -> Result<Self> {
        let queries = whole.queries.restricted(rights, pseudonyms)?;
        let mut roster = (*whole.roster).clone();
        roster.tenants.retain(|tenant_id, _| rights.tenants.contains(tenant_id));
        if rights.names == NameRights::Pseudonyms {
            for tenant in roster.tenants.values_mut() {
                tenant.contacts.clear();
                tenant.other_columns.clear();
                tenant.exclude = tenant.exclude.take().map(|_| "the reason is hidden".to_owned());
            }
        }
        Ok(Self {
            lake: Arc::clone(&whole.lake),
            queries,
            rules,
            roster: Arc::new(roster),
            versions: whole.versions.clone(),
            window: OnceCell::new(),
            whole: Some(whole),
        })
    }

    /// Says on stderr what other programs have changed, unless it was said of the snapshot before.
    fn tell_changes_by_others(&self, before: Option<&Self>) {
        let told = changes_by_others(&self.lake);
        if let Some(told) = told.filter(|told| before.is_none_or(|before| !before.knows_of(told))) {
            lightsout_output::stderr!("lightsout: {told}");
        }
    }

    fn knows_of(&self, changes: &str) -> bool {
        changes_by_others(&self.lake).as_deref() == Some(changes)
    }

    /// Whether the lake has gone on, or is another.
    async fn is_old(&self) -> bool {
        self.lake.has_news().await.unwrap_or(true)
    }

    /// The version of each table.
    #[must_use]
    pub fn versions(&self) -> &[(Table, u64)] {
        &self.versions
    }

    /// The window of `lightsout report` without flags; that of today if the lake holds no records yet, which
    /// is as empty as any other.
    ///
    /// # Errors
    /// Fails if the coverage can't be read.
    pub async fn window(&self) -> Result<Window> {
        let found = self.window.get_or_try_init(|| async {
            let Rules { campaign, as_of, .. } = &*self.rules;
            let as_of = match as_of {
                Some(day) => Some(*day),
                None => default_as_of(campaign, &self.roster, &self.queries.coverage().await?),
            };
            let as_of = as_of.unwrap_or_else(|| Utc::now().date_naive());
            Ok(Window::before(as_of, campaign.window_days))
        });
        found.await.copied()
    }
}
