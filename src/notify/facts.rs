//! The facts that a template may use, one struct a topic, ready to be put into sentences: dates read
//! "24 December 2026", lists of protocols "POP3 and IMAP4". Field names are what template authors write.

mod change;
mod clients;
mod reasons;
mod smtp_auth;
mod usage;

use chrono::Days;
use serde::Serialize;

use self::change::{ChangeFacts, held, stays_on};
use self::reasons::{ReasonFacts, all_reasons, category_name, log_name};
use self::smtp_auth::{SmtpAuth, SmtpSenders, smtp_auth};
use self::usage::{Attempted, InUse, Kept, Who, also_used, attempted, failed, in_use, kept, who};
use super::NoticeContext;
use super::dismissed::Dismissed;
use super::limits::limits;
use super::notice_content::NoticeContent;
use lightsout_model::campaign::{Campaign, Operator};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::verdict::TenantAssessment;
use lightsout_output::text::{count, date, enumerate, plain_short};

/// Characters of one text from a log.
const TEXT_CHARACTERS_MAX: usize = 120;

/// Everything one notice may say; its fields are the variables of a template.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    tenant: Tenant,
    campaign: CampaignFacts,
    /// Who runs it; `None`: not set, which only drafts and messages without a date can be.
    operator: Option<Operator>,
    /// Empty where nothing was decided.
    decision_id: String,
    draft: bool,
    notice_date: String,
    effective_date: String,
    /// Days from the notice to the change.
    notice_days: u64,
    /// The campaign sets the date, for every tenant; else it follows the notice.
    date_is_fixed: bool,
    /// "October 2026", in a report of a month.
    month: Option<String>,
    window: WindowFacts,
    coverage: Coverage,
    scope: Protocols,
    /// The protocols that the notice is about: turned off, on hold, or done.
    told: Protocols,
    /// What is turned off, for a sentence: "Basic Authentication for POP3".
    told_method: String,
    /// Whether the method says all: a password grant is no protocol beside others.
    method_only: bool,
    /// What clients can no longer do by these protocols: "reach their Exchange Online mailbox".
    told_loss: String,
    in_use_loss: String,
    already_off: Protocols,
    /// Of a group that is clear, and still on.
    clear: Protocols,
    out_of_scope: Protocols,
    smtp_auth: Option<SmtpAuth>,
    /// Senders that the "SMTP AUTH clients" report shows, where SMTP AUTH is in use by it.
    smtp_report: Option<SmtpSenders>,
    in_use: Vec<InUse>,
    /// All but SMTP AUTH.
    in_use_others: Vec<InUse>,
    in_use_text: String,
    /// Every protocol in scope but SMTP AUTH, used or not, and other legacy clients in use.
    usage: Vec<InUse>,
    kept: Vec<Kept>,
    also_used: Vec<InUse>,
    /// Tried with the right password: interrupted or blocked.
    attempted: Vec<Attempted>,
    failed: Vec<Attempted>,
    reasons: Vec<ReasonFacts>,
    evidence_reasons: Vec<ReasonFacts>,
    /// What keeps the protocols from being cleared, other than usage.
    doubts: Vec<ReasonFacts>,
    users: u64,
    who: Who,
    /// What was announced and where it stands.
    change: Option<ChangeFacts>,
    /// On hold without usage of their own.
    held: Vec<Kept>,
    /// In scope and not turned off by the change.
    stays_on: Vec<Kept>,
    /// `will_be_enabled`, `already_on`, `enabled_if_off`, or `None`: not part of the campaign.
    outlook_modern_auth: Option<&'static str>,
    lookback_over: String,
    /// Doubts that somebody has looked into and dismissed.
    dismissed: Vec<Dismissed>,
    /// What sign-in logs can't show, one sentence each.
    limits: Vec<&'static str>,
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
    method: String,
    message_id: Option<String>,
    notice_days: u32,
    lookback_days: u32,
    background: String,
    outlook: String,
    smtp_auth: Option<String>,
    latest_information: String,
    date_note: Option<String>,
    checked: Option<String>,
    opt_out: Option<String>,
    switch_on_again: Option<String>,
    earlier_posts: Vec<lightsout_model::campaign::EarlierPost>,
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
    /// "26 of 30 days of interactive and 30 of 30 days of non-interactive sign-ins"; empty: not counted.
    text: String,
    /// The same of the days before, as far as logs of them are held; empty: none are.
    lookback_text: String,
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
    others_text: String,
}

impl Facts {
    pub(super) fn of(
        notice_content: &NoticeContent,
        context: &NoticeContext,
        tenant: &TenantAssessment,
    ) -> Self {
        let campaign = context.campaign;
        let window = context.assessment.window;
        let scope = campaign.scope();
        let out_of_scope: Vec<Protocol> =
            // A password grant is no protocol that a tenant has on or off.
            Protocol::NAMED
                .into_iter()
                .filter(|protocol| !scope.contains(protocol) && *protocol != Protocol::PasswordGrant)
                .collect();
        let all = |protocols: &[Protocol]| protocols.iter().map(|p| in_use(*p, tenant)).collect();
        let in_use: Vec<InUse> = all(&notice_content.in_use);
        let others: Vec<Protocol> = but_smtp_auth(&notice_content.in_use);
        let on = |protocol: &&Protocol| !notice_content.already_off.contains(protocol);
        let clear: Vec<Protocol> = tenant.protocols_clear.iter().filter(on).copied().collect();
        let mut usage = but_smtp_auth(&scope);
        usage.extend(notice_content.in_use.iter().filter(|protocol| !scope.contains(protocol)));
        let lookback = Days::new(campaign.lookback_days.into());
        Self {
            tenant: Tenant::of(context, tenant),
            campaign: CampaignFacts::of(campaign),
            operator: campaign.operator.clone(),
            decision_id: context.assessment.decision_id.clone(),
            draft: context.draft,
            notice_date: date(notice_content.notice_date),
            effective_date: date(notice_content.effective_date),
            notice_days: (notice_content.effective_date - notice_content.notice_date)
                .num_days()
                .try_into()
                .unwrap_or_default(),
            date_is_fixed: campaign.effective_date.is_some(),
            month: notice_content.month.map(month_in_words),
            window: WindowFacts {
                first: date(window.first),
                last: date(window.end.pred_opt().unwrap_or(window.end)),
                days: window.days(),
            },
            coverage: Coverage::of(campaign, tenant, window.days()),
            scope: Protocols::of(&scope),
            told: Protocols::of(&notice_content.protocols),
            told_method: told_method(campaign, &notice_content.protocols),
            method_only: scope == [Protocol::PasswordGrant],
            told_loss: loss(&notice_content.protocols),
            in_use_loss: loss(&notice_content.in_use),
            already_off: Protocols::of(&notice_content.already_off),
            clear: Protocols::of(&clear),
            out_of_scope: Protocols::of(&out_of_scope),
            smtp_auth: smtp_auth(notice_content, context, tenant),
            smtp_report: SmtpSenders::of(tenant),
            in_use_text: enumerate(&in_use.iter().map(|row| row.name).collect::<Vec<_>>()),
            in_use,
            in_use_others: all(&others),
            usage: all(&usage),
            kept: kept(&scope, &notice_content.already_off, context, tenant),
            also_used: also_used(tenant),
            attempted: attempted(&notice_content.protocols, tenant),
            failed: failed(&notice_content.protocols, tenant),
            reasons: all_reasons(tenant).into_iter().map(ReasonFacts::of).collect(),
            evidence_reasons: tenant.evidence_reasons.iter().map(ReasonFacts::of).collect(),
            doubts: notice_content.doubts(tenant).into_iter().map(ReasonFacts::of).collect(),
            users: tenant.users,
            who: who(context.who.get(&tenant.tenant_id), &notice_content.in_use),
            change: notice_content.change.map(ChangeFacts::of),
            held: held(notice_content, context, tenant),
            stays_on: stays_on(notice_content, context, tenant),
            outlook_modern_auth: outlook_modern_auth(context, tenant, &notice_content.protocols),
            lookback_over: date(window.end.checked_add_days(lookback).unwrap_or(window.end)),
            dismissed: tenant.dismissals_in_force().map(Dismissed::of).collect(),
            limits: limits(campaign, tenant, window),
        }
    }
}

fn but_smtp_auth(protocols: &[Protocol]) -> Vec<Protocol> {
    protocols.iter().filter(|protocol| **protocol != Protocol::SmtpAuth).copied().collect()
}

impl Tenant {
    fn of(context: &NoticeContext, tenant: &TenantAssessment) -> Self {
        let roster = context.roster_tenant(&tenant.tenant_id);
        let short = |text: &str| plain_short(text, TEXT_CHARACTERS_MAX);
        let name = context.display_name(tenant);
        let cloud = roster.and_then(|r| r.cloud.as_deref()).map(short);
        let worldwide =
            |cloud: &str| ["", "worldwide", "commercial"].iter().any(|name| cloud.eq_ignore_ascii_case(name));
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
            method: campaign.texts.method.clone(),
            message_id: campaign.message_id.clone(),
            notice_days: campaign.notice_days,
            lookback_days: campaign.lookback_days,
            background: campaign.texts.background.clone(),
            outlook: campaign.texts.outlook.clone(),
            smtp_auth: campaign.texts.smtp_auth.clone(),
            latest_information: campaign.texts.latest_information.clone(),
            date_note: campaign.texts.date_note.clone(),
            checked: campaign.texts.checked.map(date),
            opt_out: campaign.texts.opt_out.clone(),
            switch_on_again: campaign.texts.switch_on_again.clone(),
            earlier_posts: campaign.earlier_posts.clone(),
        }
    }
}

impl Coverage {
    fn of(campaign: &Campaign, tenant: &TenantAssessment, window_days: i64) -> Self {
        let required = &campaign.permitted_gap_days;
        let seen = |(category, permitted): (&Category, &u32)| CategorySeen {
            name: category_name(*category),
            log: log_name(*category),
            known: tenant.days_seen.contains_key(category),
            days: tenant.days_seen.get(category).copied().unwrap_or_default(),
            permitted_gap_days: *permitted,
        };
        let days = i64::from(campaign.lookback_days);
        let lookback = required.keys().filter_map(|category| {
            let seen = *tenant.lookback_days_seen.get(category).filter(|seen| **seen > 0)?;
            Some((*category, seen))
        });
        let counted =
            required.keys().filter_map(|category| Some((*category, *tenant.days_seen.get(category)?)));
        Self {
            first_day: tenant.first_day.map(date),
            last_day: tenant.last_day.map(date),
            categories: required.iter().map(seen).collect(),
            text: days_in_words(counted, window_days),
            lookback_text: days_in_words(lookback, days),
        }
    }
}

/// "26 of 30 days of interactive and 30 of 30 days of non-interactive sign-ins".
fn days_in_words(seen: impl Iterator<Item = (Category, u32)>, days: i64) -> String {
    let days = count(days.try_into().unwrap_or_default(), "day", "days");
    let of = |(category, seen): (Category, u32)| format!("{seen} of {days} of {}", category_name(category));
    let parts: Vec<String> = seen.map(of).collect();
    if parts.is_empty() { String::new() } else { enumerate(&parts) + " sign-ins" }
}

impl Protocols {
    fn of(protocols: &[Protocol]) -> Self {
        let names = |protocols: &[Protocol]| -> Vec<&'static str> {
            protocols.iter().map(|protocol| protocol.display_name()).collect()
        };
        let others = names(&but_smtp_auth(protocols));
        Self {
            count: protocols.len(),
            text: enumerate(&names(protocols)),
            smtp_auth: protocols.contains(&Protocol::SmtpAuth),
            others_text: enumerate(&others),
            others,
        }
    }
}

/// What a notice says is turned off. A password grant needs no name beside the method.
fn told_method(campaign: &Campaign, protocols: &[Protocol]) -> String {
    let method = &campaign.texts.method;
    match protocols {
        [] | [Protocol::PasswordGrant] => method.clone(),
        [protocol] => format!("{method} for {}", protocol.display_name()),
        several => format!("{method} for the {} protocols named below", several.len()),
    }
}

/// What a client can no longer do by these protocols, after "can no longer".
fn loss(protocols: &[Protocol]) -> String {
    let is_script =
        |protocol: &Protocol| matches!(protocol, Protocol::RemotePowershell | Protocol::PasswordGrant);
    let is_mailbox = |protocol: &Protocol| !is_script(protocol) && *protocol != Protocol::SmtpAuth;
    let losses = [
        (protocols.iter().any(is_mailbox), "reach their Exchange Online mailbox"),
        (protocols.contains(&Protocol::SmtpAuth), "send mail through Exchange Online"),
        (protocols.iter().any(is_script), "manage Exchange Online by script"),
    ];
    let losses: Vec<&str> = losses.into_iter().filter_map(|(lost, what)| lost.then_some(what)).collect();
    match losses.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => losses.concat(),
    }
}

/// Mentioned where the campaign enables it and a protocol of Outlook is turned off.
fn outlook_modern_auth(
    context: &NoticeContext,
    tenant: &TenantAssessment,
    protocols_told: &[Protocol],
) -> Option<&'static str> {
    let outlook = context.campaign.turns_off_outlook(protocols_told);
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

/// "October 2026".
fn month_in_words(month: lightsout_model::evidence::Month) -> String {
    month.window().first.format("%B %Y").to_string()
}
