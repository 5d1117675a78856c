//! Gathers what the lake holds of each tenant's settings into evidence: the newest settings of the days
//! around `as_of`, and the reports that may tell of the window. What they prove is decided in `assess`.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use datafusion::common::ScalarValue;
use serde::Deserialize;

use super::{Queries, timestamp};
use crate::{Error, Result};
use lightsout_model::evidence::midnight;
use lightsout_model::settings::{CollectedSettings, ReportEvidence, SettingsEvidence, StoredSettings};

/// The query that gives the rows; a decision keeps its hash.
pub(super) const NAME: &str = "settings_of_window";
pub(super) const SQL: &str = "\
    SELECT tenant_id, source_id, collected_at, ingested_at, settings \
    FROM tenant_settings \
    WHERE (kind = 'exchange_settings' AND collected_at >= $settings_start AND collected_at < $settings_end) \
    OR (kind = 'smtp_auth_report' AND collected_at >= $lookback_start)";

#[derive(Deserialize)]
struct Row {
    tenant_id: String,
    source_id: String,
    collected_at: DateTime<Utc>,
    ingested_at: DateTime<Utc>,
    settings: String,
}

/// One row of `tenant_settings`, as `explain` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSettings {
    pub path: String,
    pub collected_at: DateTime<Utc>,
    pub stored: StoredSettings,
}

/// What settings are preferred by: when they were collected, whether they prove less, their source.
type Rank = (DateTime<Utc>, bool, String);

/// What is gathered of one tenant.
#[derive(Default)]
struct Gathered {
    /// The newest settings; of two of one instant, those that prove less, then those of the greater source.
    collected: Option<(Rank, CollectedSettings)>,
    /// Reports by their content: the same file may come again under a name that states its days.
    reports: BTreeMap<String, ReportEvidence>,
}

impl Queries {
    /// Everything that the lake keeps of one tenant's settings, the newest first.
    ///
    /// # Errors
    /// Fails if a row of `tenant_settings` is not as this program writes it.
    pub async fn settings_of(&self, tenant_id: &str) -> Result<Vec<KeptSettings>> {
        const OF_TENANT: &str = "SELECT path, collected_at, settings FROM tenant_settings \
                                 WHERE tenant_id = $tenant ORDER BY collected_at DESC, source_id";
        #[derive(Deserialize)]
        struct OfTenant {
            path: String,
            collected_at: DateTime<Utc>,
            settings: String,
        }
        let tenant = ("tenant".to_owned(), ScalarValue::Utf8(Some(tenant_id.to_owned())));
        let mut kept = Vec::new();
        for batch in self.run("settings_of_tenant", OF_TENANT, &[tenant]).await? {
            for OfTenant { path, collected_at, settings } in lightsout_lake::rows::from_batch(&batch)? {
                kept.push(KeptSettings { path, collected_at, stored: stored(&settings)? });
            }
        }
        Ok(kept)
    }

    /// The tenants that have settings, with sign-ins or without.
    ///
    /// # Errors
    /// Fails if the table can't be read.
    pub async fn tenants_with_settings(&self) -> Result<Vec<String>> {
        const TENANTS: &str = "SELECT DISTINCT tenant_id FROM tenant_settings ORDER BY tenant_id";
        #[derive(Deserialize)]
        struct Named {
            tenant_id: String,
        }
        let mut tenants = Vec::new();
        for batch in self.run("tenants_with_settings", TENANTS, &[]).await? {
            let rows: Vec<Named> = lightsout_lake::rows::from_batch(&batch)?;
            tenants.extend(rows.into_iter().map(|row| row.tenant_id));
        }
        Ok(tenants)
    }

    /// The settings that an assessment of a window that ends with `as_of` may look at, by tenant.
    ///
    /// # Errors
    /// Fails if a row of `tenant_settings` is not as this program writes it.
    pub async fn settings(
        &self,
        as_of: NaiveDate,
        age_days_max: u32,
        lookback: NaiveDate,
    ) -> Result<BTreeMap<String, SettingsEvidence>> {
        let age = Days::new(age_days_max.into());
        let parameters = [
            ("settings_start", timestamp(midnight(as_of.checked_sub_days(age).unwrap_or(as_of)))),
            (
                "settings_end",
                timestamp(midnight(
                    as_of.checked_add_days(Days::new(u64::from(age_days_max) + 1)).unwrap_or(as_of),
                )),
            ),
            ("lookback_start", timestamp(midnight(lookback))),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value));
        let mut tenants: BTreeMap<String, Gathered> = BTreeMap::new();
        for batch in self.run(NAME, SQL, &parameters).await? {
            for row in lightsout_lake::rows::from_batch::<Row>(&batch)? {
                let stored = stored(&row.settings)?;
                tenants.entry(row.tenant_id.clone()).or_default().add(row, stored);
            }
        }
        Ok(tenants.into_iter().map(|(tenant_id, gathered)| (tenant_id, gathered.finish())).collect())
    }
}

fn stored(json: &str) -> Result<StoredSettings> {
    serde_json::from_str(json).map_err(|source| Error::Json { what: "a row of tenant_settings", source })
}

impl Gathered {
    fn add(&mut self, row: Row, stored: StoredSettings) {
        match stored {
            StoredSettings::ExchangeSettings { facts, .. } => {
                let rank = (row.collected_at, !facts.problems.is_empty(), row.source_id);
                if self.collected.as_ref().is_none_or(|(newest, _)| *newest < rank) {
                    self.collected = Some((rank, facts));
                }
            }
            StoredSettings::SmtpAuthReport { content, report, .. } => {
                let last = report.last_day.unwrap_or_else(|| row.ingested_at.date_naive());
                let found = ReportEvidence {
                    days: report.days.unwrap_or_else(|| ReportEvidence::longest_days(last)),
                    stated: report.days.is_some(),
                    senders: report.senders,
                    basic_senders: report.basic_senders,
                    unclear_senders: report.unclear_senders,
                };
                // Stated days are better than none; else the earliest last day is the nearest.
                let better = |known: &ReportEvidence| {
                    (found.stated, known.days.last, known.days.first)
                        > (known.stated, found.days.last, found.days.first)
                };
                let known = self.reports.entry(content).or_insert(found);
                if better(known) {
                    *known = found;
                }
            }
        }
    }

    fn finish(self) -> SettingsEvidence {
        let mut reports: Vec<ReportEvidence> = self.reports.into_values().collect();
        reports.sort_unstable();
        SettingsEvidence { collected: self.collected.map(|(_, facts)| facts), reports }
    }
}
