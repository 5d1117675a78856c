//! What the report page needs besides the evidence: usage day by day, and the busiest users of each tenant. One query
//! finds both, since reading is what costs, and few of its rows are held.

use std::collections::BTreeMap;

use arrow::array::Array as _;
use arrow::datatypes::Date32Type;
use chrono::{DateTime, NaiveDate, Utc};

use super::Queries;
use super::catalog::Report;
use super::typed_columns::{TypedColumns, parse_word};
use crate::Result;
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::{UserCount, Window};
use lightsout_model::protocol::Protocol;

/// Usage by protocol and day; a day without usage is not in it.
pub type UsageByDay = BTreeMap<Protocol, BTreeMap<NaiveDate, UserCount>>;

/// A user with one protocol and one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusyUser {
    pub protocol: Protocol,
    /// As logged, or "unknown user".
    pub user: String,
    pub app: Option<String>,
    pub sign_ins: u64,
    pub last_seen: Option<DateTime<Utc>>,
}

/// What one reading finds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PageUsage {
    pub days: UsageByDay,
    /// By tenant id, the busiest first.
    pub who: BTreeMap<String, Vec<BusyUser>>,
}

impl Queries {
    /// Usage on each day of the window, and the busiest users of each tenant that `rows_max` gives a number of
    /// rows for: of one tenant or of all (`*`). More users than those are not held.
    ///
    /// # Errors
    /// Fails if the query exceeds the memory limit.
    pub async fn page_usage(
        &self,
        campaign: &Campaign,
        window: Window,
        tenant_id: &str,
        rows_max: impl Fn(&str) -> usize,
    ) -> Result<PageUsage> {
        const NAME: &str = "page_usage";
        let report = Report::find(NAME)?;
        let mut found = PageUsage::default();
        // Rows come tenant by tenant: of the one that they are of now, how many are still wanted.
        let (mut tenant, mut wanted) = (String::new(), 0);
        let take = |batch: &arrow::array::RecordBatch| {
            let columns = TypedColumns { batch, query: NAME };
            let (tenant_ids, protocols) = (columns.text("tenant_id")?, columns.text("protocol")?);
            let (names, apps) = (columns.text("user_name")?, columns.text("app_name")?);
            let at_day = columns.primitive::<Date32Type>("day")?;
            let (users, sign_ins) = (columns.counts("users")?, columns.counts("sign_ins")?);
            let last_seen = columns.times("last_seen")?;
            for at in 0..batch.num_rows() {
                let Some(protocol) = parse_word::<Protocol>(protocols, at)? else { continue };
                if at_day.is_valid(at) {
                    if let Some(day) = NaiveDate::from_epoch_days(at_day.value(at)) {
                        let count = UserCount { users: users(at), sign_ins: sign_ins(at) };
                        found.days.entry(protocol).or_default().insert(day, count);
                    }
                    continue;
                }
                if tenant != tenant_ids.value(at) {
                    tenant_ids.value(at).clone_into(&mut tenant);
                    wanted = rows_max(&tenant);
                }
                let Some(rest) = wanted.checked_sub(1) else { continue };
                wanted = rest;
                found.who.entry(tenant.clone()).or_default().push(BusyUser {
                    protocol,
                    user: names.value(at).to_owned(),
                    app: apps.is_valid(at).then(|| apps.value(at).to_owned()),
                    sign_ins: sign_ins(at),
                    last_seen: last_seen(at),
                });
            }
            Ok(())
        };
        self.each(NAME, report.sql, &report.bind(campaign, window, tenant_id), take).await?;
        Ok(found)
    }
}
