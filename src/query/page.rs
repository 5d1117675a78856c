//! What the report page asks the lake besides the evidence: usage day by day, and the busiest users of each
//! tenant. Both read each sign-in once and hand on few rows, however many there are.

use std::collections::BTreeMap;

use arrow::array::Array as _;
use arrow::datatypes::Date32Type;
use chrono::{DateTime, NaiveDate, Utc};

use super::Queries;
use super::catalog::Report;
use super::cells::{Cells, word};
use crate::campaign::Campaign;
use crate::error::Result;
use crate::evidence::{UserCount, Window};
use crate::protocol::Protocol;

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

impl Queries {
    /// Usage on each day of the window, of one tenant or of all (`*`).
    ///
    /// # Errors
    /// Fails if the query exceeds the memory limit.
    pub async fn usage_by_day(
        &self,
        campaign: &Campaign,
        window: Window,
        tenant_id: &str,
    ) -> Result<UsageByDay> {
        const NAME: &str = "page_days";
        let report = Report::find(NAME)?;
        let mut days = UsageByDay::new();
        let take = |batch: &arrow::array::RecordBatch| {
            let cells = Cells { batch, query: NAME };
            let (protocols, at_day) = (cells.text("protocol")?, cells.primitive::<Date32Type>("day")?);
            let (users, sign_ins) = (cells.counts("users")?, cells.counts("sign_ins")?);
            for at in 0..batch.num_rows() {
                let day = NaiveDate::from_epoch_days(at_day.value(at));
                if let (Some(protocol), Some(day)) = (word::<Protocol>(protocols, at)?, day) {
                    let count = UserCount { users: users(at), sign_ins: sign_ins(at) };
                    days.entry(protocol).or_default().insert(day, count);
                }
            }
            Ok(())
        };
        self.each(NAME, report.sql, &report.bind(campaign, window, tenant_id), take).await?;
        Ok(days)
    }

    /// The busiest users of each tenant that `rows_max` gives a number of rows for, of one tenant or of all
    /// (`*`). More than those are not held.
    ///
    /// # Errors
    /// Fails if the query exceeds the memory limit.
    pub async fn busiest(
        &self,
        campaign: &Campaign,
        window: Window,
        tenant_id: &str,
        rows_max: impl Fn(&str) -> usize,
    ) -> Result<BTreeMap<String, Vec<BusyUser>>> {
        const NAME: &str = "page_who";
        let report = Report::find(NAME)?;
        let mut busiest: BTreeMap<String, Vec<BusyUser>> = BTreeMap::new();
        // Rows come tenant by tenant: of the one that they are of now, how many are still wanted.
        let (mut tenant, mut wanted) = (String::new(), 0);
        let take = |batch: &arrow::array::RecordBatch| {
            let cells = Cells { batch, query: NAME };
            let (tenant_ids, protocols) = (cells.text("tenant_id")?, cells.text("protocol")?);
            let (users, apps) = (cells.text("user_name")?, cells.text("app_name")?);
            let (sign_ins, last_seen) = (cells.counts("sign_ins")?, cells.times("last_seen")?);
            for at in 0..batch.num_rows() {
                if tenant != tenant_ids.value(at) {
                    tenant_ids.value(at).clone_into(&mut tenant);
                    wanted = rows_max(&tenant);
                }
                let Some(rest) = wanted.checked_sub(1) else { continue };
                wanted = rest;
                let Some(protocol) = word::<Protocol>(protocols, at)? else { continue };
                busiest.entry(tenant.clone()).or_default().push(BusyUser {
                    protocol,
                    user: users.value(at).to_owned(),
                    app: apps.is_valid(at).then(|| apps.value(at).to_owned()),
                    sign_ins: sign_ins(at),
                    last_seen: last_seen(at),
                });
            }
            Ok(())
        };
        self.each(NAME, report.sql, &report.bind(campaign, window, tenant_id), take).await?;
        Ok(busiest)
    }
}
