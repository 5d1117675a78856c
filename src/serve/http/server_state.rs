//! What pages and downloads are made from: the verdicts over one window of one state of the lake, as
//! `lightsout assess` would reach them. Nothing is recorded by looking. Readers with other rights have another state, with
//! caches of its own.

use std::sync::Arc;

use axum::body::Bytes;
use chrono::{NaiveDate, Utc};
use tokio::sync::OnceCell;

use super::cache::{Cache, Key};
use super::concurrency_limit::ConcurrencyLimit;
use super::error_page::PageError;
use super::request::{PageRequest, Range};
use crate::engine::Engine;
use crate::error::Result;
use crate::live::{Live, Snapshot};
use crate::stoppable::Wish;
use lightsout_campaign::status::StatusRow;
use lightsout_decisions::decision::decide;
use lightsout_decisions::reproduce;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::verdict::Assessment;
use lightsout_query::Queries;
use lightsout_query::page_usage::PageUsage;
use lightsout_report::explain::Judged;
use lightsout_report::page::{Standing, rows_of_users};
use lightsout_workflow::campaign::standing::standing;

/// Windows of which the verdicts are kept: of ten thousand tenants some tens of megabytes each.
const WINDOWS_MAX: usize = 4;
/// Tenants whose pages are kept: at most a megabyte or two each.
const TENANTS_MAX: usize = 64;
/// Computations at once: the engine spreads each over all cores.
const AT_ONCE: usize = 2;
/// More are told to come back.
const WAITING_MAX: usize = 64;

/// Where all pages are asked for.
pub(super) struct ServerState {
    pub(super) live: Arc<Live>,
    pub(super) engine: Arc<Engine>,
    pub(super) limit: Arc<ConcurrencyLimit>,
    default: Cache<Window>,
    windows: Cache<Decided>,
    pub(super) tenants: Cache<Bytes>,
}

/// See the file's first lines.
pub(super) struct Decided {
    pub(super) range: Range,
    /// With the length of the window that was asked for.
    pub(super) campaign: Campaign,
    pub(super) assessment: Assessment,
    pub(super) usage: PageUsage,
    evidence: Vec<TenantEvidence>,
    /// Where the campaign stands on a day.
    standing: Vec<StatusRow>,
    today: NaiveDate,
    /// The report of all tenants, once it has been rendered.
    pub(super) page: OnceCell<Bytes>,
}

impl ServerState {
    /// The limit on pages that are computed at once, for all readers.
    pub(super) fn limit(engine: &Arc<Engine>) -> Arc<ConcurrencyLimit> {
        Arc::new(ConcurrencyLimit::new(Arc::clone(engine), AT_ONCE, WAITING_MAX))
    }

    pub(super) fn new(live: Arc<Live>, engine: Arc<Engine>, limit: Arc<ConcurrencyLimit>) -> Self {
        Self {
            live,
            limit,
            default: Cache::new(1),
            windows: Cache::new(WINDOWS_MAX),
            tenants: Cache::new(TENANTS_MAX),
            engine,
        }
    }

    /// Ends what takes too long.
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, PageError>>,
    ) -> Result<T, PageError> {
        let limit = self.engine.limits().time;
        tokio::time::timeout(limit, work).await.unwrap_or(Err(PageError::Late { limit }))
    }

    /// The newest state of the lake, and the verdicts over the window that was asked for.
    pub(super) async fn decided(
        &self,
        request: &PageRequest,
    ) -> Result<(Arc<Snapshot>, Arc<Decided>), PageError> {
        let snapshot = self.live.current().await;
        let as_of = if let Some(day) = request.as_of {
            day
        } else {
            let of = Arc::clone(&snapshot);
            let window = self.limit.run(async move { of.window().await });
            self.default.get(key(&snapshot, None, None), window).await?.end
        };
        let range = Range { as_of, days: request.days.unwrap_or(snapshot.rules.campaign.window_days) };
        let decided = {
            let of = Arc::clone(&snapshot);
            let (queries, _wish) = self.queries(&snapshot)?;
            let today = Utc::now().date_naive();
            let decided = self.limit.run(async move { Decided::of(&of, &queries, range, today).await });
            // What is due changes with the day, whatever becomes of the lake.
            self.windows.get(key(&snapshot, Some(range), Some(today.to_string())), decided).await?
        };
        Ok((snapshot, decided))
    }

    /// The questions of one computation, with memory of its own. They stop with the wish.
    pub(super) fn queries(&self, snapshot: &Snapshot) -> Result<(Queries, Wish)> {
        self.engine.for_answer(&snapshot.queries)
    }
}

/// What a result of a state of the lake is kept under.
pub(super) fn key(snapshot: &Snapshot, range: Option<Range>, tenant: Option<String>) -> Key {
    Key { versions: snapshot.versions().to_vec(), range, tenant }
}

impl Decided {
    async fn of(snapshot: &Snapshot, queries: &Queries, range: Range, today: NaiveDate) -> Result<Self> {
        let window = range.window();
        let mut campaign = snapshot.rules.campaign.clone();
        campaign.window_days = range.days;
        let evidence = queries.evidence(&campaign, window).await?;
        let basis = reproduce::basis(&campaign, &snapshot.roster, &evidence, window, 0);
        let (assessment, _) = decide(&basis, Utc::now(), String::new())?;
        let usage = {
            let rows = rows_of_users(&assessment);
            let rows_max = |tenant_id: &str| rows.get(tenant_id).copied().unwrap_or(0);
            queries.page_usage(&campaign, window, "*", rows_max).await?
        };
        let standing = standing(queries, &campaign, &snapshot.roster, &assessment, today).await?;
        let page = OnceCell::new();
        Ok(Self { range, campaign, assessment, usage, evidence, standing, today, page })
    }

    /// The day that it was computed on.
    pub(super) const fn today(&self) -> NaiveDate {
        self.today
    }

    /// Where the campaign stands today.
    pub(super) fn standing(&self) -> Standing<'_> {
        Standing { rows: &self.standing, today: self.today }
    }

    /// The verdict of one tenant.
    pub(super) fn judged(&self, snapshot: &Snapshot, tenant_id: &str) -> Result<Judged, PageError> {
        let tenants = &self.assessment.tenants;
        let at = tenants.binary_search_by(|tenant| tenant.tenant_id.as_str().cmp(tenant_id));
        let at = at.map_err(|_| PageError::NoTenant { id: tenant_id.to_owned() })?;
        let evidence = self.evidence.iter().find(|tenant| tenant.tenant_id == tenant_id);
        let settings = snapshot.roster.tenants.get(tenant_id);
        Ok(Judged {
            tenant: tenants[at].clone(),
            evidence: evidence.cloned().unwrap_or_default(),
            settings: settings.cloned(),
        })
    }
}
