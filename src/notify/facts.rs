//! The facts that a template may use, one struct a topic, ready to be put into sentences of the notice's language:
//! dates read "24 December 2026", lists of protocols "POP3 and IMAP4". Field names are what template authors write.

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
use super::limits::limit_texts;
use super::locale::Locale;
use super::notice_content::NoticeContent;
use super::phrases;
use lightsout_model::campaign::{Campaign, Operator};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::verdict::{Reason, TenantAssessment};
use lightsout_output::text::plain_short;

/// Characters of one text from a log.
const TEXT_CHARACTERS_MAX: usize = 120;

/// Everything one notice may say; its fields are the variables of a template.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    tenant: Tenant,
    campaign: CampaignFacts,
    /// Who runs it; `None`: not set, which only drafts and messages without a date can be.
    operator: Option<OperatorFacts>,
    /// Empty where nothing was decided.
    decision_id: String,
    draft: bool,
    notice_date: String,
    effective_date: String,
    /// The day of the change was before this notice: what is still to be done may come at any time.
    effective_date_passed: bool,
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
    /// What clients can no longer do over these protocols: "reach their Exchange Online mailbox"; in German with its
    /// negation: "nicht mehr auf ihr Exchange Online-Postfach zugreifen".
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
struct OperatorFacts {
    name: String,
    contact: String,
    reply_to: String,
    /// Lines that a notice ends with.
    signature: Vec<String>,
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
    /// SMTP AUTH goes off as a whole: clients that use it with OAuth are stopped too.
    smtp_auth_as_a_whole: bool,
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
    /// "26 of 30 days of interactive sign-ins and 30 of 30 days of non-interactive sign-ins"; empty: not counted.
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
    names: Vec<&'static str>,
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
        let (campaign, locale) = (context.campaign, notice_content.locale);
        let window = context.assessment.window;
        let date = |day| locale.date(day);
        let scope = campaign.scope();
        let out_of_scope: Vec<Protocol> =
            // A password grant is no protocol that a tenant has on or off.
            Protocol::NAMED
                .into_iter()
                .filter(|protocol| !scope.contains(protocol) && *protocol != Protocol::PasswordGrant)
                .collect();
        let all = |protocols: &[Protocol]| protocols.iter().map(|p| in_use(*p, tenant, locale)).collect();
        let in_use: Vec<InUse> = all(&notice_content.in_use);
        let others: Vec<Protocol> = but_smtp_auth(&notice_content.in_use);
        let on = |protocol: &&Protocol| !notice_content.already_off.contains(protocol);
        let clear: Vec<Protocol> = tenant.protocols_clear.iter().filter(on).copied().collect();
        let mut usage = but_smtp_auth(&scope);
        usage.extend(notice_content.in_use.iter().filter(|protocol| !scope.contains(protocol)));
        let reason = |reason: &Reason| ReasonFacts::of(reason, locale);
        let lookback = Days::new(campaign.lookback_days.into());
        Self {
            tenant: Tenant::of(context, tenant),
            campaign: CampaignFacts::of(campaign, locale),
            operator: campaign.operator.as_ref().map(OperatorFacts::of),
            decision_id: context.assessment.decision_id.clone(),
            draft: context.draft,
            notice_date: date(notice_content.notice_date),
            effective_date: date(notice_content.effective_date),
            effective_date_passed: notice_content.effective_date < notice_content.notice_date,
            notice_days: (notice_content.effective_date - notice_content.notice_date)
                .num_days()
                .try_into()
                .unwrap_or_default(),
            date_is_fixed: campaign.effective_date.is_some(),
            month: notice_content.month.map(|month| locale.month(month)),
            window: WindowFacts {
                first: date(window.first),
                last: date(window.end.pred_opt().unwrap_or(window.end)),
                days: window.days(),
            },
            coverage: Coverage::of(campaign, tenant, window.days(), locale),
            scope: Protocols::of(&scope, locale),
            told: Protocols::of(&notice_content.protocols, locale),
            told_method: told_method(campaign, &notice_content.protocols, locale),
            method_only: scope == [Protocol::PasswordGrant],
            told_loss: loss(&notice_content.protocols, locale),
            in_use_loss: loss(&notice_content.in_use, locale),
            already_off: Protocols::of(&notice_content.already_off, locale),
            clear: Protocols::of(&clear, locale),
            out_of_scope: Protocols::of(&out_of_scope, locale),
            smtp_auth: smtp_auth(notice_content, context, tenant),
            smtp_report: SmtpSenders::of(tenant, locale),
            in_use_text: locale.enumerate(&in_use.iter().map(|row| row.name).collect::<Vec<_>>()),
            in_use,
            in_use_others: all(&others),
            usage: all(&usage),
            kept: kept(&scope, &notice_content.already_off, context, tenant, locale),
            also_used: also_used(tenant, locale),
            attempted: attempted(&notice_content.protocols, tenant, locale),
            failed: failed(&notice_content.protocols, tenant, locale),
            reasons: all_reasons(tenant).into_iter().map(reason).collect(),
            evidence_reasons: tenant.evidence_reasons.iter().map(reason).collect(),
            doubts: notice_content.doubts(tenant).into_iter().map(reason).collect(),
            users: tenant.users,
            who: who(context.who.get(&tenant.tenant_id), &notice_content.in_use, locale),
            change: notice_content.change.map(|change| ChangeFacts::of(change, locale)),
            held: held(notice_content, context, tenant),
            stays_on: stays_on(notice_content, context, tenant),
            outlook_modern_auth: outlook_modern_auth(context, tenant, &notice_content.protocols),
            lookback_over: date(window.end.checked_add_days(lookback).unwrap_or(window.end)),
            dismissed: tenant
                .dismissals_in_force()
                .map(|dismissal| Dismissed::of(dismissal, locale))
                .collect(),
            limits: limit_texts(campaign, tenant, window).into_iter().map(|text| locale.text(text)).collect(),
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

impl OperatorFacts {
    fn of(operator: &Operator) -> Self {
        let lines = operator.signature.as_deref().unwrap_or_default().lines();
        let mut signature: Vec<String> =
            lines.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
        if signature.is_empty() {
            signature.push(operator.name.clone());
        }
        let Operator { name, contact, reply_to, .. } = operator.clone();
        Self { name, contact, reply_to, signature }
    }
}

impl CampaignFacts {
    fn of(campaign: &Campaign, locale: Locale) -> Self {
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
            smtp_auth_as_a_whole: campaign.texts.disables_smtp_client_authentication,
            latest_information: campaign.texts.latest_information.clone(),
            date_note: campaign.texts.date_note.clone(),
            checked: campaign.texts.checked.map(|day| locale.date(day)),
            opt_out: campaign.texts.opt_out.clone(),
            switch_on_again: campaign.texts.switch_on_again.clone(),
            earlier_posts: campaign.earlier_posts.clone(),
        }
    }
}

impl Coverage {
    fn of(campaign: &Campaign, tenant: &TenantAssessment, window_days: i64, locale: Locale) -> Self {
        let required = &campaign.permitted_gap_days;
        let seen = |(category, permitted): (&Category, &u32)| CategorySeen {
            name: category_name(*category, locale),
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
            first_day: tenant.first_day.map(|day| locale.date(day)),
            last_day: tenant.last_day.map(|day| locale.date(day)),
            categories: required.iter().map(seen).collect(),
            text: days_in_words(counted, window_days, locale),
            lookback_text: days_in_words(lookback, days, locale),
        }
    }
}

/// "26 of 30 days of interactive sign-ins and 30 of 30 days of non-interactive sign-ins".
fn days_in_words(seen: impl Iterator<Item = (Category, u32)>, days: i64, locale: Locale) -> String {
    let days = locale.count(days.try_into().unwrap_or_default(), phrases::DAYS_AFTER_OF);
    let of = |(category, seen): (Category, u32)| {
        let (seen, category) = (locale.number(seen.into()), category_name(category, locale));
        locale.fill(phrases::DAYS_OF, &[("seen", &seen), ("days", &days), ("category", category)])
    };
    locale.enumerate(&seen.map(of).collect::<Vec<_>>())
}

impl Protocols {
    fn of(protocols: &[Protocol], locale: Locale) -> Self {
        let names = locale.protocols(protocols);
        let others = locale.protocols(&but_smtp_auth(protocols));
        Self {
            count: protocols.len(),
            text: locale.enumerate(&names),
            names,
            smtp_auth: protocols.contains(&Protocol::SmtpAuth),
            others_text: locale.enumerate(&others),
            others,
        }
    }
}

/// What a notice says is turned off. A password grant needs no name beside the method.
fn told_method(campaign: &Campaign, protocols: &[Protocol], locale: Locale) -> String {
    let method = campaign.texts.method.as_str();
    match protocols {
        [] | [Protocol::PasswordGrant] => locale.fill(phrases::METHOD, &[("method", method)]),
        [protocol] => {
            let values = [("method", method), ("protocol", locale.protocol(*protocol))];
            locale.fill(phrases::METHOD_FOR_ONE, &values)
        }
        several => {
            let n = locale.number(several.len() as u64);
            locale.fill(phrases::METHOD_FOR_SEVERAL, &[("method", method), ("n", &n)])
        }
    }
}

/// What a client can no longer do over these protocols, after "can no longer"; German says "no longer" itself.
fn loss(protocols: &[Protocol], locale: Locale) -> String {
    let is_script =
        |protocol: &Protocol| matches!(protocol, Protocol::RemotePowershell | Protocol::PasswordGrant);
    let is_mailbox = |protocol: &Protocol| !is_script(protocol) && *protocol != Protocol::SmtpAuth;
    let losses = [
        (protocols.iter().any(is_mailbox), phrases::LOSES_MAILBOX),
        (protocols.contains(&Protocol::SmtpAuth), phrases::LOSES_SENDING),
        (protocols.iter().any(is_script), phrases::LOSES_SCRIPTS),
    ];
    let lost = losses.into_iter().filter(|(lost, _)| *lost);
    locale.losses(&lost.map(|(_, what)| locale.text(what)).collect::<Vec<_>>())
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
