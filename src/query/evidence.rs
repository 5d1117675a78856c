//! Runs the evidence queries and gathers their rows per tenant.

use std::collections::BTreeMap;

use arrow::array::Array as _;
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::common::ScalarValue;
use serde::Deserialize;

use super::doubts::Span;
use super::typed_columns::{TypedColumns, parse_word};
use super::{Parameter, Queries, timestamp};
use crate::{Error, Result};
use lightsout_model::campaign::Campaign;
use lightsout_model::evidence::WhoRow;
use lightsout_model::evidence::{
    ExchangeOrUnnamed, PastUsage, ProtocolEvidence, TenantEvidence, UserCount, Window, midnight,
};
use lightsout_model::protocol::Protocol;

/// The queries that evidence rests on; a decision keeps their hash.
pub const EVIDENCE_QUERIES: [(&str, &str); 11] = [
    ("contested_ids", include_str!("../../queries/views/contested_ids.sql")),
    ("rival_records", include_str!("../../queries/views/rival_records.sql")),
    ("contested_sign_ins", include_str!("../../queries/views/contested_sign_ins.sql")),
    ("speaking_records", include_str!("../../queries/views/speaking_records.sql")),
    ("legacy_sign_ins", include_str!("../../queries/views/legacy_sign_ins.sql")),
    ("stated_elsewhere", include_str!("../../queries/views/stated_elsewhere.sql")),
    ("evidence", include_str!("../../queries/evidence.sql")),
    ("past_usage", include_str!("../../queries/past_usage.sql")),
    (super::coverage::NAME, super::coverage::SQL),
    (super::settings::NAME, super::settings::SQL),
    (super::doubts::SIGN_INS_NAME, super::doubts::SIGN_INS_SQL),
];

/// Days before a window by which its coverage is judged.
const HISTORY_DAYS: u32 = 56;

type Tenants = BTreeMap<String, TenantEvidence>;

impl Queries {
    /// All evidence of a window, one entry per tenant of the lake, sorted by tenant id.
    pub async fn evidence(&self, campaign: &Campaign, window: Window) -> Result<Vec<TenantEvidence>> {
        self.evidence_on(self.coverage().await?, campaign, window).await
    }

    /// The same for a window that need not end with a day: `end` is not in it. What came later is not looked at.
    pub async fn evidence_until(
        &self,
        campaign: &Campaign,
        first: NaiveDate,
        end: DateTime<Utc>,
    ) -> Result<Vec<TenantEvidence>> {
        self.gather(self.coverage().await?, campaign, first, end, end).await
    }

    /// The same on top of coverage that has been gathered, which no window changes.
    pub async fn evidence_on(
        &self,
        coverage: Vec<TenantEvidence>,
        campaign: &Campaign,
        window: Window,
    ) -> Result<Vec<TenantEvidence>> {
        self.gather(coverage, campaign, window.first, window.end_at(), midnight(super::catalog::LAST_DAY))
            .await
    }

    /// `end`: where the window ends; `later_end`: until when usage after it is looked for.
    async fn gather(
        &self,
        coverage: Vec<TenantEvidence>,
        campaign: &Campaign,
        first: NaiveDate,
        end: DateTime<Utc>,
        later_end: DateTime<Utc>,
    ) -> Result<Vec<TenantEvidence>> {
        const NAME: &str = "evidence";
        let lookback = Window::before(first, campaign.lookback_days.max(HISTORY_DAYS)).first;
        if let Some(before) = self.pruned_before.filter(|before| lookback < *before) {
            let days = (first - lookback).num_days();
            let earliest = before + chrono::TimeDelta::days(days);
            return Err(Error::Pruned { before, first, needed: lookback, earliest });
        }
        let mut coverage = coverage;
        super::coverage::trim(&mut coverage, first);
        let mut tenants: Tenants =
            coverage.into_iter().map(|tenant| (tenant.tenant_id.clone(), tenant)).collect();
        let lookback = Window::before(first, campaign.lookback_days).first;
        let scope = campaign.scope().into_iter().map(Protocol::as_str).collect::<Vec<_>>().join(",");
        let parameters = [
            ("window_start", timestamp(midnight(first))),
            ("window_end", timestamp(end)),
            ("lookback_start", timestamp(midnight(lookback))),
            ("later_end", timestamp(later_end)),
            ("protocols", text(scope)),
            ("auth_methods", text(campaign.auth_methods())),
            ("app_ids", text(campaign.app_ids.join(","))),
        ];
        let mut parameters = parameters.map(|(name, value)| (name.to_owned(), value)).to_vec();
        for batch in self.run(NAME, include_str!("../../queries/evidence.sql"), &parameters).await? {
            add_rows(&mut tenants, &TypedColumns { batch: &batch, query: NAME })?;
        }
        self.add_doubts(&mut tenants, midnight(first), Span { start: midnight(lookback), end }).await?;
        parameters.retain(|(name, _)| !["window_end", "later_end", "protocols"].contains(&name.as_str()));
        self.add_past_usage(&mut tenants, parameters).await?;
        let as_of = end.date_naive();
        let age_days_max = campaign.evidence.settings_age_days_max;
        for (tenant_id, settings) in self.settings(as_of, age_days_max, lookback).await? {
            let nothing = || TenantEvidence { tenant_id: tenant_id.clone(), ..TenantEvidence::default() };
            tenants.entry(tenant_id.clone()).or_insert_with(nothing).settings = Some(settings);
        }
        Ok(tenants.into_values().collect())
    }

    /// Looks into the usage before the window where there is none in it: that of few tenants.
    async fn add_past_usage(&self, tenants: &mut Tenants, mut parameters: Vec<Parameter>) -> Result<()> {
        const NAME: &str = "past_usage";
        let ended: Vec<&str> = tenants
            .values()
            .filter(|tenant| tenant.protocols.iter().any(|(protocol, found)| has_ended(*protocol, found)))
            .map(|tenant| tenant.tenant_id.as_str())
            .collect();
        if ended.is_empty() {
            return Ok(());
        }
        let ended = if ended.len() > TENANTS_NAMED_MAX { "*".to_owned() } else { ended.join(",") };
        parameters.push(("tenants".to_owned(), text(ended)));
        for batch in self.run(NAME, include_str!("../../queries/past_usage.sql"), &parameters).await? {
            for row in lightsout_lake::rows::from_batch::<PastFound>(&batch)? {
                let protocols = tenants.get_mut(&row.tenant_id).map(|tenant| &mut tenant.protocols);
                let found = protocols.and_then(|protocols| protocols.get_mut(&row.protocol));
                if let Some(found) = found
                    && has_ended(row.protocol, found)
                {
                    found.past_usage.push(row.usage);
                }
            }
        }
        Ok(())
    }
}

/// In place of a protocol: sign-ins that only their user agent calls legacy, at another resource than Exchange
/// Online.
const AGENT_ELSEWHERE: &str = "legacy_agent_elsewhere";

/// More tenants than these are not named one by one.
const TENANTS_NAMED_MAX: usize = 2000;

fn text(text: impl Into<String>) -> ScalarValue {
    ScalarValue::Utf8(Some(text.into()))
}

/// Whether a protocol was used before the window and not in it. "Other clients" count at Exchange alone.
fn has_ended(protocol: Protocol, found: &ProtocolEvidence) -> bool {
    let (before, usage) = if protocol == Protocol::OtherLegacy {
        (found.exchange_or_unnamed.usage_before_window, found.exchange_or_unnamed.usage)
    } else {
        (found.usage_before_window, found.usage)
    };
    before.sign_ins > 0 && usage.sign_ins == 0
}

#[derive(Deserialize)]
struct PastFound {
    tenant_id: String,
    protocol: Protocol,
    #[serde(flatten)]
    usage: PastUsage,
}

fn add_rows(tenants: &mut Tenants, columns: &TypedColumns<'_>) -> Result<()> {
    let (tenant_ids, protocols) = (columns.text("tenant_id")?, columns.text("protocol")?);
    let count = |name: &str| columns.counts(name);
    let (users, sign_ins) = (count("users")?, count("sign_ins")?);
    let (interrupted, blocked) = (count("interrupted")?, count("blocked")?);
    let (failures, unknown) = (count("failures")?, count("unknown")?);
    let last_seen = columns.times("last_seen")?;
    let (users_before, sign_ins_before) = (count("users_before_window")?, count("sign_ins_before_window")?);
    let (exchange_users, exchange_sign_ins) = (count("exchange_users")?, count("exchange_sign_ins")?);
    let exchange_unknown = count("exchange_unknown")?;
    let exchange_users_before = count("exchange_users_before_window")?;
    let exchange_sign_ins_before = count("exchange_sign_ins_before_window")?;
    let (users_after, sign_ins_after) = (count("users_after_window")?, count("sign_ins_after_window")?);
    let last_after = columns.times("last_after_window")?;
    let exchange_users_after = count("exchange_users_after_window")?;
    let exchange_sign_ins_after = count("exchange_sign_ins_after_window")?;
    let (doubts, users_in_scope) = (count("doubts")?, count("users_in_scope")?);
    let (legacy_agent_doubts, mismatches) = (count("legacy_agent_doubts")?, count("mismatches")?);
    for at in 0..columns.batch.num_rows() {
        let id = tenant_ids.value(at);
        let tenant = match tenants.get_mut(id) {
            Some(tenant) => tenant,
            None => tenants
                .entry(id.to_owned())
                .or_insert_with(|| TenantEvidence { tenant_id: id.to_owned(), ..TenantEvidence::default() }),
        };
        if protocols.is_null(at) {
            tenant.users_in_scope = users_in_scope(at);
            continue;
        }
        tenant.legacy_agent_doubts += legacy_agent_doubts(at);
        tenant.tenant_mismatches += mismatches(at);
        if protocols.value(at) == AGENT_ELSEWHERE {
            continue;
        }
        let Some(protocol) = parse_word::<Protocol>(protocols, at)? else { continue };
        match protocol {
            Protocol::Unrecognised => tenant.unrecognised_doubts = doubts(at),
            Protocol::NotStated => tenant.not_stated_doubts = doubts(at),
            _ => {}
        }
        let evidence = ProtocolEvidence {
            usage: UserCount { users: users(at), sign_ins: sign_ins(at) },
            interrupted: interrupted(at),
            blocked: blocked(at),
            failures: failures(at),
            unknown: unknown(at),
            last_seen: last_seen(at),
            usage_before_window: UserCount { users: users_before(at), sign_ins: sign_ins_before(at) },
            usage_after_window: UserCount { users: users_after(at), sign_ins: sign_ins_after(at) },
            last_after_window: last_after(at),
            past_usage: Vec::new(),
            is_unknown_dismissed: false,
            is_past_dismissed: false,
            exchange_or_unnamed: ExchangeOrUnnamed {
                usage: UserCount { users: exchange_users(at), sign_ins: exchange_sign_ins(at) },
                unknown: exchange_unknown(at),
                usage_before_window: UserCount {
                    users: exchange_users_before(at),
                    sign_ins: exchange_sign_ins_before(at),
                },
                usage_after_window: UserCount {
                    users: exchange_users_after(at),
                    sign_ins: exchange_sign_ins_after(at),
                },
            },
        };
        tenant.protocols.insert(protocol, evidence);
    }
    Ok(())
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
    pub async fn who(
        &self,
        campaign: &Campaign,
        window: Window,
        tenant_id: &str,
    ) -> Result<BTreeMap<String, Vec<WhoRow>>> {
        self.who_until(campaign, window.first, window.end_at(), tenant_id).await
    }

    /// The same for a window that need not end with a day: `end` is not in it.
    pub async fn who_until(
        &self,
        campaign: &Campaign,
        first: NaiveDate,
        end: DateTime<Utc>,
        tenant_id: &str,
    ) -> Result<BTreeMap<String, Vec<WhoRow>>> {
        let parameters = [
            ("window_start".to_owned(), timestamp(midnight(first))),
            ("window_end".to_owned(), timestamp(end)),
            ("tenant".to_owned(), text(tenant_id)),
            ("auth_methods".to_owned(), text(campaign.auth_methods())),
            ("app_ids".to_owned(), text(campaign.app_ids.join(","))),
        ];
        let mut who: BTreeMap<String, Vec<WhoRow>> = BTreeMap::new();
        for batch in self.run("who", include_str!("../../queries/who.sql"), &parameters).await? {
            for row in lightsout_lake::rows::from_batch::<WhoFound>(&batch)? {
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
