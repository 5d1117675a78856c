//! Why a tenant has its verdict: the rules that fired with their numbers, who is concerned, its coverage day by day and
//! every gap in it, what its legacy sign-ins show, who only tried, and on demand the SQL behind each number. Text for people, JSON for machines; both of the same facts.

mod gather;
mod settings;
mod sheet;
mod text;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use lightsout_model::campaign::Campaign;
use lightsout_model::client::Client;
use lightsout_model::evidence::WhoRow;
use lightsout_model::evidence::{TenantEvidence, Window};
use lightsout_model::sign_in::Category;
use lightsout_model::tenant::RosterTenant;
use lightsout_model::verdict::TenantAssessment;
use lightsout_notify::gap_cure;

pub use gather::{Judged, rows};
pub use settings::SettingsShown;
pub use text::Layout;

/// Everything that is told of one tenant.
#[derive(Debug, Serialize)]
pub struct Explanation {
    pub campaign: String,
    pub window: Window,
    pub tenant: TenantAssessment,
    /// The reasons of the verdict, then what else the evidence lacks, in sentences with the cure.
    pub because: Vec<String>,
    /// What sign-in logs can't show, one sentence each.
    pub limits: Vec<&'static str>,
    pub calendar: Vec<CategoryDays>,
    pub gaps: Vec<Gap>,
    pub activity: Vec<Activity>,
    pub who: Vec<WhoShown>,
    /// The newest settings and reports of the tenant that the lake has.
    pub settings: Vec<SettingsShown>,
    pub attempts: Attempts,
    pub queries: Vec<ShownQuery>,
}

/// A user with usage, and what the client is as far as user agent and application tell.
#[derive(Debug, Serialize)]
pub struct WhoShown {
    #[serde(flatten)]
    pub row: WhoRow,
    pub client: Client,
}

impl WhoShown {
    fn of(row: WhoRow) -> Self {
        let client = Client::of(row.protocol, row.app.as_deref(), row.user_agent.as_deref());
        Self { row, client }
    }
}

/// A row of `queries/tenant_activity.sql`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Activity {
    pub protocol: String,
    pub outcome: String,
    pub auth_method: String,
    pub auth_evidence: Option<String>,
    pub sign_ins: u64,
    pub users: u64,
    pub apps: u64,
    pub client_apps: u64,
    pub user_agents: u64,
    pub ip_addresses: u64,
    pub countries: u64,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
}

/// Sign-ins that were refused or broken off: shown apart, as they are no usage.
#[derive(Debug, Serialize)]
pub struct Attempts {
    pub codes: Vec<AttemptCode>,
    /// The busiest first, within a protocol.
    pub sources: Vec<AttemptSource>,
}

/// A row of `queries/attempts.sql`.
#[derive(Debug, Serialize, Deserialize)]
pub struct AttemptCode {
    pub protocol: String,
    pub outcome: String,
    pub error_code: Option<i64>,
    pub failure_reason: Option<String>,
    pub sign_ins: u64,
    pub users: u64,
    pub ip_addresses: u64,
    pub countries: u64,
    pub last_seen: DateTime<Utc>,
}

/// A row of `queries/attempt_sources.sql`.
#[derive(Debug, Serialize, Deserialize)]
pub struct AttemptSource {
    pub protocol: String,
    pub ip_address: Option<String>,
    pub country: Option<String>,
    pub sign_ins: u64,
    pub interrupted: u64,
    pub blocked: u64,
    pub failures: u64,
    pub users: u64,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
}

/// A run of uncovered days in the window.
#[derive(Debug, Serialize)]
pub struct Gap {
    pub category: Category,
    pub first: NaiveDate,
    pub last: NaiveDate,
    pub days: i64,
    pub permitted_days: u32,
    pub too_long: bool,
    /// `None` if it is permitted.
    pub cure: Option<String>,
}

/// Every gap in the window, by category and day.
#[must_use]
pub fn gaps(tenant: &TenantAssessment, window: Window) -> Vec<Gap> {
    let of = |gap: &lightsout_model::verdict::CoverageGap| Gap {
        category: gap.category,
        first: gap.days.first,
        last: gap.days.last,
        days: gap.length_days(),
        permitted_days: gap.permitted_days,
        too_long: gap.is_too_long(),
        cure: gap_cure(gap, tenant, window),
    };
    tenant.gaps.iter().map(of).collect()
}

/// The days of the window for one category.
#[derive(Debug, Serialize)]
pub struct CategoryDays {
    pub category: Category,
    /// In the order of the window.
    pub days: Vec<Day>,
}

/// What is known of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    Covered,
    /// Files speak for it that lack a column.
    Incomplete,
    Uncovered,
}

/// A query with its values filled in.
#[derive(Debug, Serialize)]
pub struct ShownQuery {
    pub name: &'static str,
    pub shows: String,
    pub sql: String,
}

/// The window's days of every category that is required or that the lake holds.
#[must_use]
pub fn calendar(
    campaign: &Campaign,
    settings: Option<&RosterTenant>,
    evidence: &TenantEvidence,
    window: Window,
) -> Vec<CategoryDays> {
    let required = campaign.permitted_gap_days.keys();
    let categories: BTreeSet<Category> = required.chain(evidence.coverage.keys()).copied().collect();
    let of = |category: Category| {
        let incomplete = evidence.coverage.get(&category).map(|coverage| coverage.incomplete.as_slice());
        let lacks_column =
            |day| incomplete.unwrap_or_default().iter().any(|run| run.first <= day && day <= run.last);
        let covered = lightsout_assess::covered_days(campaign, settings, evidence, category, window);
        let days = covered.into_iter().map(|(day, is_covered)| {
            if is_covered {
                Day::Covered
            } else if lacks_column(day) {
                Day::Incomplete
            } else {
                Day::Uncovered
            }
        });
        CategoryDays { category, days: days.collect() }
    };
    categories.into_iter().map(of).collect()
}
