//! Runs the evidence queries and gathers their rows per tenant.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use datafusion::common::ScalarValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Parameter, Queries, timestamp};
use crate::campaign::Campaign;
use crate::error::Result;
use crate::evidence::{
    CategoryCoverage, DayRange, ExchangeOrUnnamed, ProtocolEvidence, TenantEvidence, UserCount, Window,
    merge_days, midnight,
};
use crate::ingest::CoverageKind;
use crate::notify::WhoRow;
use crate::protocol::Protocol;
use crate::sign_in::Category;

/// The queries that evidence rests on; a decision keeps their hash.
pub const EVIDENCE_QUERIES: [(&str, &str); 6] = [
    ("legacy_sign_ins", include_str!("../../queries/views/legacy_sign_ins.sql")),
    ("protocol_usage", include_str!("../../queries/protocol_usage.sql")),
    ("users_in_scope", include_str!("../../queries/users_in_scope.sql")),
    ("unclear_clients", include_str!("../../queries/unclear_clients.sql")),
    ("coverage", include_str!("../../queries/coverage.sql")),
    ("sign_ins", include_str!("../../queries/views/sign_ins.sql")),
];

#[derive(Deserialize)]
struct UsageRow {
    tenant_id: String,
    protocol: Protocol,
    users: u64,
    sign_ins: u64,
    interrupted: u64,
    blocked: u64,
    failures: u64,
    unknown: u64,
    last_seen: Option<DateTime<Utc>>,
    users_before_window: u64,
    sign_ins_before_window: u64,
    exchange_users: u64,
    exchange_sign_ins: u64,
    exchange_unknown: u64,
    exchange_users_before_window: u64,
    exchange_sign_ins_before_window: u64,
}

#[derive(Deserialize)]
struct UsersRow {
    tenant_id: String,
    users: u64,
}

#[derive(Deserialize)]
struct UnclearRow {
    tenant_id: String,
    protocol: Protocol,
    doubts: u64,
}

#[derive(Deserialize)]
struct CoverageRow {
    tenant_id: String,
    category: Option<Category>,
    kind: CoverageKind,
    first_day: NaiveDate,
    last_day: NaiveDate,
    missing_columns: Option<String>,
    latest_at: Option<DateTime<Utc>>,
    records: u64,
}

type Tenants = BTreeMap<String, TenantEvidence>;

fn tenant(tenants: &mut Tenants, id: String) -> &mut TenantEvidence {
    tenants.entry(id.clone()).or_insert_with(|| TenantEvidence { tenant_id: id, ..TenantEvidence::default() })
}

impl Queries {
    async fn rows<T: DeserializeOwned>(&self, name: &str, parameters: &[Parameter]) -> Result<Vec<T>> {
        let sql = EVIDENCE_QUERIES.iter().find(|(known, _)| *known == name).map_or("", |(_, sql)| sql);
        let mut rows = Vec::new();
        for batch in self.run(name, sql, parameters).await? {
            rows.extend(crate::lake::rows::from_batch(&batch)?);
        }
        Ok(rows)
    }

    /// Coverage alone: what `default_as_of` needs.
    pub async fn coverage(&self) -> Result<Vec<TenantEvidence>> {
        let mut tenants = Tenants::new();
        self.add_coverage(&mut tenants).await?;
        Ok(tenants.into_values().collect())
    }

    /// All evidence of a window, one entry per tenant of the lake, sorted by tenant id.
    pub async fn evidence(&self, campaign: &Campaign, window: Window) -> Result<Vec<TenantEvidence>> {
        self.evidence_until(campaign, window.first, window.end_at()).await
    }

    /// The same for a window that need not end with a day: `end` is not in it.
    pub async fn evidence_until(
        &self,
        campaign: &Campaign,
        first: NaiveDate,
        end: DateTime<Utc>,
    ) -> Result<Vec<TenantEvidence>> {
        let mut tenants = Tenants::new();
        self.add_coverage(&mut tenants).await?;
        let start = ("window_start".to_owned(), timestamp(midnight(first)));
        let end = ("window_end".to_owned(), timestamp(end));
        let lookback = Window::before(first, campaign.lookback_days).first;
        let lookback = ("lookback_start".to_owned(), timestamp(midnight(lookback)));
        for row in self.rows::<UsageRow>("protocol_usage", &[start.clone(), end.clone(), lookback]).await? {
            let evidence = ProtocolEvidence {
                usage: UserCount { users: row.users, sign_ins: row.sign_ins },
                interrupted: row.interrupted,
                blocked: row.blocked,
                failures: row.failures,
                unknown: row.unknown,
                last_seen: row.last_seen,
                usage_before_window: UserCount {
                    users: row.users_before_window,
                    sign_ins: row.sign_ins_before_window,
                },
                exchange_or_unnamed: ExchangeOrUnnamed {
                    usage: UserCount { users: row.exchange_users, sign_ins: row.exchange_sign_ins },
                    unknown: row.exchange_unknown,
                    usage_before_window: UserCount {
                        users: row.exchange_users_before_window,
                        sign_ins: row.exchange_sign_ins_before_window,
                    },
                },
            };
            tenant(&mut tenants, row.tenant_id).protocols.insert(row.protocol, evidence);
        }
        let scope = campaign.scope().into_iter().map(Protocol::as_str).collect::<Vec<_>>().join(",");
        let scope = ("protocols".to_owned(), ScalarValue::Utf8(Some(scope)));
        for row in self.rows::<UsersRow>("users_in_scope", &[start.clone(), end.clone(), scope]).await? {
            tenant(&mut tenants, row.tenant_id).users_in_scope = row.users;
        }
        for row in self.rows::<UnclearRow>("unclear_clients", &[start, end]).await? {
            let tenant = tenant(&mut tenants, row.tenant_id);
            if row.protocol == Protocol::Unrecognised {
                tenant.unrecognised_doubts += row.doubts;
            } else {
                tenant.not_stated_doubts += row.doubts;
            }
        }
        Ok(tenants.into_values().collect())
    }

    async fn add_coverage(&self, tenants: &mut Tenants) -> Result<()> {
        for row in self.rows::<CoverageRow>("coverage", &[]).await? {
            let tenant = tenant(tenants, row.tenant_id);
            tenant.records += row.records;
            match row.kind {
                CoverageKind::Declared => {
                    tenant.declared_until = tenant.declared_until.max(Some(row.last_day));
                }
                CoverageKind::Records | CoverageKind::Storage => {
                    tenant.latest_at = tenant.latest_at.max(row.latest_at);
                }
            }
            let Some(category) = row.category.filter(|category| category.is_user()) else { continue };
            let coverage = tenant.coverage.entry(category).or_default();
            let range = DayRange { first: row.first_day, last: row.last_day };
            match row.missing_columns {
                // A range declared for a file that lacks a column proves as little as the file.
                Some(missing) => {
                    coverage.incomplete.push(range);
                    coverage.missing_columns.extend(missing.split(';').map(str::to_owned));
                }
                None => coverage.covered.push(range),
            }
        }
        for coverage in tenants.values_mut().flat_map(|tenant| tenant.coverage.values_mut()) {
            tidy(coverage);
        }
        Ok(())
    }
}

fn tidy(coverage: &mut CategoryCoverage) {
    coverage.covered = merge_days(std::mem::take(&mut coverage.covered));
    coverage.incomplete = merge_days(std::mem::take(&mut coverage.incomplete));
    coverage.missing_columns.sort_unstable();
    coverage.missing_columns.dedup();
}

#[derive(Deserialize)]
struct WhoFound {
    tenant_id: String,
    protocol: Protocol,
    user_name: String,
    app_name: Option<String>,
    client_app: Option<String>,
    user_agent: Option<String>,
    exchange_or_unnamed: bool,
    ip_addresses: u64,
    sign_ins: u64,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
}

impl Queries {
    /// Who used which protocol in the window, by tenant id: what warnings name. `tenant_id` is one
    /// tenant, or `*` for all.
    pub async fn who(&self, window: Window, tenant_id: &str) -> Result<BTreeMap<String, Vec<WhoRow>>> {
        self.who_until(window.first, window.end_at(), tenant_id).await
    }

    /// The same for a window that need not end with a day: `end` is not in it.
    pub async fn who_until(
        &self,
        first: NaiveDate,
        end: DateTime<Utc>,
        tenant_id: &str,
    ) -> Result<BTreeMap<String, Vec<WhoRow>>> {
        let parameters = [
            ("window_start".to_owned(), timestamp(midnight(first))),
            ("window_end".to_owned(), timestamp(end)),
            ("tenant".to_owned(), ScalarValue::Utf8(Some(tenant_id.to_owned()))),
        ];
        let mut who: BTreeMap<String, Vec<WhoRow>> = BTreeMap::new();
        for batch in self.run("who", include_str!("../../queries/who.sql"), &parameters).await? {
            for row in crate::lake::rows::from_batch::<WhoFound>(&batch)? {
                // "Other clients" at other services are not Exchange's, and no notice names them.
                if row.protocol == Protocol::OtherLegacy && !row.exchange_or_unnamed {
                    continue;
                }
                who.entry(row.tenant_id).or_default().push(WhoRow {
                    protocol: row.protocol,
                    user: row.user_name,
                    app: row.app_name,
                    client_app: row.client_app,
                    user_agent: row.user_agent,
                    ip_addresses: row.ip_addresses,
                    sign_ins: row.sign_ins,
                    first_seen: row.first_seen,
                    last_seen: row.last_seen,
                });
            }
        }
        Ok(who)
    }
}
