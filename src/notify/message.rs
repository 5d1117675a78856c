//! A notice as JSON, with the field names and values of Microsoft Graph's `serviceUpdateMessage`, so
//! that what reads the Message Center can read it. What has no field there is in `details`.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;

use super::mail::Recipients;
use super::notice::NoticeKind;
use super::notice_content::NoticeContent;
use super::{NoticeContext, reason_codes};
use lightsout_model::change::Change;
use lightsout_model::evidence::midnight;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::TenantAssessment;
use lightsout_output::text::plain;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceUpdateMessage<'a> {
    id: String,
    title: &'a str,
    category: Category,
    severity: Severity,
    start_date_time: DateTime<Utc>,
    end_date_time: DateTime<Utc>,
    last_modified_date_time: DateTime<Utc>,
    action_required_by_date_time: Option<DateTime<Utc>>,
    is_major_change: bool,
    services: [&'static str; 1],
    tags: Vec<&'static str>,
    details: Vec<Detail>,
    body: Body<'a>,
    /// What its reader did with it: nothing yet.
    view_point: Option<()>,
    has_attachments: bool,
}

/// `serviceUpdateCategory` in Graph.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
enum Category {
    PreventOrFixIssue,
    PlanForChange,
    StayInformed,
}

/// `serviceUpdateSeverity` in Graph.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
enum Severity {
    Normal,
    High,
}

#[derive(Debug, Serialize)]
struct Detail {
    name: &'static str,
    value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    content_type: &'static str,
    content: &'a str,
}

impl<'a> ServiceUpdateMessage<'a> {
    /// `parts` are the title and the HTML without it.
    pub(super) fn new(
        notice_content: &NoticeContent,
        context: &NoticeContext,
        tenant: &TenantAssessment,
        recipients: &Recipients,
        parts: [&'a str; 2],
    ) -> Self {
        let [title, html] = parts;
        let notice = midnight(notice_content.notice_date);
        let effective = change_date(notice_content, context);
        let last_day = effective.filter(|day| *day >= notice_content.notice_date).unwrap_or_else(|| {
            let days = Days::new(context.campaign.notice_days.into());
            notice_content.notice_date.checked_add_days(days).unwrap_or(notice_content.notice_date)
        });
        let mut nature = Nature::of(notice_content.kind);
        if context.rehearsal {
            nature.tags.push("Rehearsal");
        } else if context.draft {
            nature.tags.push("Draft");
        }
        Self {
            id: message_id(notice_content, context),
            title,
            category: nature.category,
            severity: nature.severity,
            start_date_time: notice,
            end_date_time: midnight(last_day),
            last_modified_date_time: notice,
            action_required_by_date_time: effective.filter(|_| nature.asks_for_action).map(midnight),
            is_major_change: nature.is_major_change,
            services: ["Exchange Online"],
            tags: nature.tags,
            details: details(notice_content, context, tenant, recipients, effective),
            body: Body { content_type: "html", content: html },
            view_point: None,
            has_attachments: false,
        }
    }
}

/// What a kind is to those who sort their messages.
struct Nature {
    category: Category,
    severity: Severity,
    tags: Vec<&'static str>,
    asks_for_action: bool,
    is_major_change: bool,
}

impl Nature {
    fn of(kind: NoticeKind) -> Self {
        let plan = |category| Self {
            category,
            severity: Severity::Normal,
            tags: vec!["Admin impact", "Retirement"],
            asks_for_action: false,
            is_major_change: true,
        };
        match kind {
            NoticeKind::NoImpact | NoticeKind::SelectedProtocols => plan(Category::PlanForChange),
            NoticeKind::Released | NoticeKind::Rescheduled | NoticeKind::OptedIn => {
                plan(Category::PlanForChange)
            }
            NoticeKind::FollowUp | NoticeKind::Withdrawn | NoticeKind::Corrected => {
                plan(Category::StayInformed)
            }
            // A hold has no date by which to act, and neither has usage after the day.
            NoticeKind::Warning | NoticeKind::Hold | NoticeKind::UsedAfterChange => Self {
                severity: Severity::High,
                tags: vec!["Admin impact", "Retirement", "User impact"],
                asks_for_action: kind == NoticeKind::Warning,
                ..plan(Category::PreventOrFixIssue)
            },
            NoticeKind::InsufficientEvidence | NoticeKind::UsageReport => Self {
                tags: vec!["Admin impact"],
                asks_for_action: true,
                is_major_change: false,
                ..plan(Category::StayInformed)
            },
        }
    }
}

/// The campaign's message id stands for the notice that it is the id of; the others carry their kind, and
/// a report its month.
fn message_id(notice_content: &NoticeContent, context: &NoticeContext) -> String {
    let id = plain(context.campaign.message_id.as_deref().unwrap_or(&context.campaign.name));
    let kind = notice_content.kind.as_str().replace('_', "-");
    match (notice_content.kind, notice_content.month) {
        (NoticeKind::NoImpact, _) => id,
        (_, Some(month)) => format!("{id}-{kind}-{month}"),
        (_, None) => format!("{id}-{kind}"),
    }
}

/// The day of the change that this notice tells of.
fn change_date(notice_content: &NoticeContent, context: &NoticeContext) -> Option<NaiveDate> {
    match notice_content.kind {
        NoticeKind::NoImpact
        | NoticeKind::SelectedProtocols
        | NoticeKind::FollowUp
        | NoticeKind::Released
        | NoticeKind::Rescheduled
        | NoticeKind::Corrected
        | NoticeKind::OptedIn => Some(notice_content.effective_date),
        // Nothing is to come.
        NoticeKind::Withdrawn | NoticeKind::UsedAfterChange => None,
        // For what still goes ahead.
        NoticeKind::Hold => notice_content
            .change
            .filter(|change| !change.pending().is_empty())
            .map(|change| change.effective_date),
        NoticeKind::Warning | NoticeKind::InsufficientEvidence | NoticeKind::UsageReport => {
            context.campaign.effective_date
        }
    }
}

/// Only what is known is listed.
fn details(
    notice_content: &NoticeContent,
    context: &NoticeContext,
    tenant: &TenantAssessment,
    recipients: &Recipients,
    effective: Option<NaiveDate>,
) -> Vec<Detail> {
    let assessment = context.assessment;
    let roster = context.roster_tenant(&tenant.tenant_id);
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string());
    let protocols = |protocols: &[Protocol]| {
        let names: Vec<&str> = protocols.iter().map(|protocol| protocol.as_str()).collect();
        Some(names.join(";"))
    };
    let announced = |which: fn(&Change) -> Vec<Protocol>| protocols(&notice_content.change.map(which)?);
    let values = [
        ("Kind", Some(notice_content.kind.as_str().to_owned())),
        ("TenantId", Some(tenant.tenant_id.clone())),
        ("TenantName", context.display_name(tenant).map(str::to_owned)),
        ("Language", Some(notice_content.locale.0.tag().to_owned())),
        ("Cloud", roster.and_then(|r| r.cloud.clone())),
        ("Campaign", Some(context.campaign.name.clone())),
        ("Operator", context.campaign.operator.as_ref().map(|operator| operator.name.clone())),
        ("ReplyTo", context.campaign.operator.as_ref().map(|operator| operator.reply_to.clone())),
        ("MessageId", context.campaign.message_id.clone()),
        ("DecisionId", Some(assessment.decision_id.clone())),
        ("Verdict", Some(tenant.verdict.as_str().to_owned())),
        ("Reasons", Some(reason_codes(tenant))),
        ("WindowFirstDay", Some(assessment.window.first.to_string())),
        ("WindowLastDay", day(assessment.window.end.pred_opt())),
        ("FirstDaySeen", day(tenant.first_day)),
        ("LastDaySeen", day(tenant.last_day)),
        ("Month", notice_content.month.map(|month| month.to_string())),
        ("NoticeDate", Some(notice_content.notice_date.to_string())),
        ("AnnouncedOn", day(notice_content.change.map(|change| change.announced_on))),
        ("EffectiveDate", day(effective)),
        ("EffectiveDateBefore", day(notice_content.change.and_then(|change| change.effective_date_before))),
        ("Why", notice_content.change.and_then(|change| change.why.clone())),
        ("ProtocolsInScope", protocols(&context.campaign.scope())),
        ("ProtocolsInUse", protocols(&notice_content.in_use)),
        ("ProtocolsClear", protocols(&tenant.protocols_clear)),
        ("ProtocolsAlreadyOff", protocols(&notice_content.already_off)),
        ("ProtocolsAnnounced", announced(Change::announced)),
        ("ProtocolsPending", announced(Change::pending)),
        ("ProtocolsOptedOut", announced(Change::opted_out)),
        ("ProtocolsOnHold", announced(Change::on_hold)),
        ("ProtocolsOff", announced(Change::off)),
        ("ProtocolsUsedAfterChange", announced(Change::used_after_change)),
        ("To", Some(recipients.addresses.join(";"))),
        ("Contacts", Some(recipients.addresses.len().to_string())),
        ("ContactsLeftOut", Some(recipients.left_out.to_string())),
        ("Users", Some(tenant.users.to_string())),
        ("Draft", Some(context.draft.to_string())),
        ("Rehearsal", context.rehearsal.then(|| true.to_string())),
    ];
    let known = values.into_iter().filter_map(|(name, value)| {
        let value = plain(&value?);
        (!value.is_empty()).then_some(Detail { name, value })
    });
    known.collect()
}
