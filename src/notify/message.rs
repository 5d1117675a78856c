//! A notice as JSON, with the field names and values of Microsoft Graph's `serviceUpdateMessage`, so
//! that what reads the Message Center can read it. What has no field there is in `details`.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;

use super::notice::NoticeKind;
use super::text::plain;
use super::{NoticeContext, reason_codes};
use crate::evidence::midnight;
use crate::protocol::Protocol;
use crate::verdict::TenantAssessment;

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
    pub(super) fn new(
        kind: NoticeKind,
        context: &NoticeContext,
        tenant: &TenantAssessment,
        title: &'a str,
        html: &'a str,
    ) -> Self {
        let notice = midnight(context.notice_date);
        let effective = change_date(kind, context);
        let last_day = effective.unwrap_or_else(|| {
            let days = Days::new(context.campaign.notice_days.into());
            context.notice_date.checked_add_days(days).unwrap_or(context.notice_date)
        });
        let (category, severity) = match kind {
            NoticeKind::NoImpact | NoticeKind::SelectedProtocols => {
                (Category::PlanForChange, Severity::Normal)
            }
            NoticeKind::Warning => (Category::PreventOrFixIssue, Severity::High),
            NoticeKind::InsufficientEvidence => (Category::StayInformed, Severity::Normal),
        };
        let mut tags = match kind {
            NoticeKind::NoImpact | NoticeKind::SelectedProtocols => vec!["Admin impact", "Retirement"],
            NoticeKind::Warning => vec!["Admin impact", "Retirement", "User impact"],
            NoticeKind::InsufficientEvidence => vec!["Admin impact"],
        };
        if context.draft {
            tags.push("Draft");
        }
        let action = kind == NoticeKind::Warning || kind == NoticeKind::InsufficientEvidence;
        Self {
            id: message_id(kind, context),
            title,
            category,
            severity,
            start_date_time: notice,
            end_date_time: midnight(last_day),
            last_modified_date_time: notice,
            action_required_by_date_time: effective.filter(|_| action).map(midnight),
            is_major_change: kind != NoticeKind::InsufficientEvidence,
            services: ["Exchange Online"],
            tags,
            details: details(kind, context, tenant, effective),
            body: Body { content_type: "html", content: html },
            view_point: None,
            has_attachments: false,
        }
    }
}

/// The campaign's message id stands for the notice that it is the id of; the others carry their kind.
fn message_id(kind: NoticeKind, context: &NoticeContext) -> String {
    let id = context.campaign.message_id.as_deref().unwrap_or(&context.campaign.name);
    match kind {
        NoticeKind::NoImpact => plain(id),
        _ => format!("{}-{}", plain(id), kind.as_str().replace('_', "-")),
    }
}

/// The day that this notice announces a change for.
fn change_date(kind: NoticeKind, context: &NoticeContext) -> Option<NaiveDate> {
    match kind {
        NoticeKind::NoImpact | NoticeKind::SelectedProtocols => Some(context.effective_date()),
        NoticeKind::Warning | NoticeKind::InsufficientEvidence => context.campaign.effective_date,
    }
}

/// Only what is known is listed.
fn details(
    kind: NoticeKind,
    context: &NoticeContext,
    tenant: &TenantAssessment,
    effective: Option<NaiveDate>,
) -> Vec<Detail> {
    let assessment = context.assessment;
    let roster = context.roster_tenant(&tenant.tenant_id);
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string());
    let protocols = |protocols: &[Protocol]| {
        let names: Vec<&str> = protocols.iter().map(|protocol| protocol.as_str()).collect();
        Some(names.join(";"))
    };
    let values = [
        ("Kind", Some(kind.as_str().to_owned())),
        ("TenantId", Some(tenant.tenant_id.clone())),
        ("TenantName", context.display_name(tenant).map(str::to_owned)),
        ("Cloud", roster.and_then(|r| r.cloud.clone())),
        ("Campaign", Some(context.campaign.name.clone())),
        ("MessageId", context.campaign.message_id.clone()),
        ("DecisionId", Some(assessment.decision_id.clone())),
        ("Verdict", Some(tenant.verdict.as_str().to_owned())),
        ("Reasons", Some(reason_codes(tenant))),
        ("WindowFirstDay", Some(assessment.window.first.to_string())),
        ("WindowLastDay", day(assessment.window.end.pred_opt())),
        ("FirstDaySeen", day(tenant.first_day)),
        ("LastDaySeen", day(tenant.last_day)),
        ("NoticeDate", Some(context.notice_date.to_string())),
        ("EffectiveDate", day(effective)),
        ("ProtocolsInScope", protocols(&context.campaign.scope())),
        ("ProtocolsInUse", protocols(&tenant.protocols_in_use)),
        ("ProtocolsClear", protocols(&tenant.protocols_clear)),
        ("Users", Some(tenant.users.to_string())),
        ("Draft", Some(context.draft.to_string())),
    ];
    let known = values.into_iter().filter_map(|(name, value)| {
        let value = plain(&value?);
        (!value.is_empty()).then_some(Detail { name, value })
    });
    known.collect()
}
