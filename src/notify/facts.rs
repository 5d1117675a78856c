//! The facts that a template may use, one struct a topic, ready to be put into sentences: dates read
//! "24 December 2026", lists of protocols "POP3 and IMAP4". Field names are what template authors write.

mod reasons;
mod usage;

use chrono::Days;
use serde::Serialize;

use self::reasons::{ReasonFacts, all_reasons, category_name, log_name};
use self::usage::{Attempted, InUse, Kept, Who, also_used, attempted, in_use, kept, who};
use super::NoticeContext;
use super::text::{date, enumerate, plain_short};
use crate::campaign::Campaign;
use crate::protocol::Protocol;
use crate::sign_in::Category;
use crate::verdict::TenantAssessment;

/// Characters of one text from a log.
const TEXT_CHARACTERS_MAX: usize = 120;

/// Everything one notice may say; its fields are the variables of a template.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    tenant: Tenant,
    campaign: CampaignFacts,
    decision_id: String,
    draft: bool,
    notice_date: String,
    effective_date: String,
    /// The campaign sets the date, for every tenant; else it follows the notice.
    date_is_fixed: bool,
    window: WindowFacts,
    coverage: Coverage,
    scope: Protocols,
    clear: Protocols,
    out_of_scope: Protocols,
    in_use: Vec<InUse>,
    in_use_text: String,
    smtp_auth_in_use: bool,
    kept: Vec<Kept>,
    also_used: Vec<InUse>,
    attempted: Vec<Attempted>,
    reasons: Vec<ReasonFacts>,
    evidence_reasons: Vec<ReasonFacts>,
    users: u64,
    who: Who,
    /// `will_be_enabled`, `already_on`, `enabled_if_off`, or `None`: not part of the campaign.
    outlook_modern_auth: Option<&'static str>,
    lookback_over: String,
}

#[derive(Debug, Serialize)]
struct Tenant {
    id: String,
    /// Its id where it has no name.
    name: String,
    domains: Vec<String>,
    language: Option<String>,
    /// `None` for the worldwide cloud.
    special_cloud: Option<String>,
}

#[derive(Debug, Serialize)]
struct CampaignFacts {
    name: String,
    title: String,
    message_id: Option<String>,
    notice_days: u32,
    lookback_days: u32,
    background: String,
    outlook: String,
    smtp_auth: Option<String>,
    latest_information: String,
    opt_out: String,
    earlier_posts: Vec<crate::campaign::EarlierPost>,
}

#[derive(Debug, Serialize)]
struct WindowFacts {
    first: String,
    last: String,
    days: i64,
}

#[derive(Debug, Serialize)]
struct Coverage {
    first_day: Option<String>,
    last_day: Option<String>,
    categories: Vec<CategorySeen>,
}

#[derive(Debug, Serialize)]
struct CategorySeen {
    name: &'static str,
    log: &'static str,
    /// Whether the days were counted.
    known: bool,
    days: u32,
    permitted_gap_days: u32,
}

#[derive(Debug, Serialize)]
struct Protocols {
    count: usize,
    text: String,
    smtp_auth: bool,
    /// All but SMTP AUTH.
    others: Vec<&'static str>,
}

impl Facts {
    pub(super) fn of(
        context: &NoticeContext,
        tenant: &TenantAssessment,
        protocols_told: &[Protocol],
    ) -> Self {
        let campaign = context.campaign;
        let window = context.assessment.window;
        let scope = campaign.scope();
        let out_of_scope: Vec<Protocol> =
            Protocol::NAMED.into_iter().filter(|protocol| !scope.contains(protocol)).collect();
        let in_use: Vec<InUse> = tenant.protocols_in_use.iter().map(|p| in_use(*p, tenant)).collect();
        let lookback = Days::new(campaign.lookback_days.into());
        Self {
            tenant: Tenant::of(context, tenant),
            campaign: CampaignFacts::of(campaign),
            decision_id: context.assessment.decision_id.clone(),
            draft: context.draft,
            notice_date: date(context.notice_date),
            effective_date: date(context.effective_date()),
            date_is_fixed: campaign.effective_date.is_some(),
            window: WindowFacts {
                first: date(window.first),
                last: date(window.end.pred_opt().unwrap_or(window.end)),
                days: window.days(),
            },
            coverage: Coverage::of(campaign, tenant),
            scope: Protocols::of(&scope),
            clear: Protocols::of(&tenant.protocols_clear),
            out_of_scope: Protocols::of(&out_of_scope),
            in_use_text: enumerate(&in_use.iter().map(|row| row.name).collect::<Vec<_>>()),
            in_use,
            smtp_auth_in_use: tenant.protocols_in_use.contains(&Protocol::SmtpAuth),
            kept: kept(context.campaign, &scope, tenant),
            also_used: also_used(tenant),
            attempted: attempted(protocols_told, tenant),
            reasons: all_reasons(tenant).into_iter().map(ReasonFacts::of).collect(),
            evidence_reasons: tenant.evidence_reasons.iter().map(ReasonFacts::of).collect(),
            users: tenant.users,
            who: who(context.who.get(&tenant.tenant_id), tenant),
            outlook_modern_auth: outlook_modern_auth(context, tenant, protocols_told),
            lookback_over: date(window.end.checked_add_days(lookback).unwrap_or(window.end)),
        }
    }
}

impl Tenant {
    fn of(context: &NoticeContext, tenant: &TenantAssessment) -> Self {
        let roster = context.roster_tenant(&tenant.tenant_id);
        let short = |text: &str| plain_short(text, TEXT_CHARACTERS_MAX);
        let name = context.display_name(tenant);
        let cloud = roster.and_then(|r| r.cloud.as_deref()).map(short);
        let worldwide = |cloud: &str| cloud.is_empty() || cloud.eq_ignore_ascii_case("worldwide");
        let id = short(&tenant.tenant_id);
        Self {
            name: name.map(short).filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone()),
            id,
            domains: roster.map(|r| r.domains.iter().map(|d| short(d)).collect()).unwrap_or_default(),
            language: roster.and_then(|r| r.language.as_deref()).map(short),
            special_cloud: cloud.filter(|cloud| !worldwide(cloud)),
        }
    }
}

impl CampaignFacts {
    fn of(campaign: &Campaign) -> Self {
        Self {
            name: campaign.name.clone(),
            title: campaign.title.clone(),
            message_id: campaign.message_id.clone(),
            notice_days: campaign.notice_days,
            lookback_days: campaign.lookback_days,
            background: campaign.texts.background.clone(),
            outlook: campaign.texts.outlook.clone(),
            smtp_auth: campaign.texts.smtp_auth.clone(),
            latest_information: campaign.texts.latest_information.clone(),
            opt_out: campaign.texts.opt_out.clone(),
            earlier_posts: campaign.earlier_posts.clone(),
        }
    }
}

impl Coverage {
    fn of(campaign: &Campaign, tenant: &TenantAssessment) -> Self {
        let seen = |(category, permitted): (&Category, &u32)| CategorySeen {
            name: category_name(*category),
            log: log_name(*category),
            known: tenant.days_seen.contains_key(category),
            days: tenant.days_seen.get(category).copied().unwrap_or_default(),
            permitted_gap_days: *permitted,
        };
        Self {
            first_day: tenant.first_day.map(date),
            last_day: tenant.last_day.map(date),
            categories: campaign.permitted_gap_days.iter().map(seen).collect(),
        }
    }
}

impl Protocols {
    fn of(protocols: &[Protocol]) -> Self {
        let names: Vec<&str> = protocols.iter().map(|protocol| protocol.display_name()).collect();
        let others = protocols.iter().filter(|protocol| **protocol != Protocol::SmtpAuth);
        Self {
            count: protocols.len(),
            text: enumerate(&names),
            smtp_auth: protocols.contains(&Protocol::SmtpAuth),
            others: others.map(|protocol| protocol.display_name()).collect(),
        }
    }
}

/// Told where the campaign enables it and a protocol of Outlook is turned off.
fn outlook_modern_auth(
    context: &NoticeContext,
    tenant: &TenantAssessment,
    protocols_told: &[Protocol],
) -> Option<&'static str> {
    let outlook = Protocol::MapiOverHttp.group().iter().any(|protocol| protocols_told.contains(protocol));
    if !context.campaign.texts.enables_outlook_modern_auth || !outlook {
        return None;
    }
    let setting = context.roster_tenant(&tenant.tenant_id).and_then(|roster| roster.outlook_modern_auth);
    Some(match setting {
        Some(false) => "will_be_enabled",
        Some(true) => "already_on",
        None => "enabled_if_off",
    })
}
