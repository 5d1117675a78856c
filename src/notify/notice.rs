//! The notices: what each tenant is told, as Markdown, as a page, as a mail and as JSON. All four come
//! from one template; that it is a draft is put on top here, so that no template can leave it out.

use super::facts::Facts;
use super::mail::{self, Recipients};
use super::message::ServiceUpdateMessage;
use super::notice_content::NoticeContent;
use super::templates::Templates;
use super::{NoticeContext, NotifyError, html, plain_text};
use lightsout_model::verdict::{TenantAssessment, TenantVerdict};
use lightsout_output::text::date;

/// What a notice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    NoImpact,
    Warning,
    /// To a tenant with a warning: what of it is turned off as unused. It is announced on its own.
    SelectedProtocols,
    InsufficientEvidence,
    /// What was announced is not done, for the protocols of the change that are on hold. The assessment
    /// is a new one, from the first day of the decision's window on, and says why.
    Hold,
    /// What was announced has been done, for the protocols of the change that are off.
    FollowUp,
    /// Who signed in by which protocol in the calendar month that is the assessment's window.
    UsageReport,
}

impl NoticeKind {
    pub const ALL: [Self; 7] = [
        Self::NoImpact,
        Self::Warning,
        Self::SelectedProtocols,
        Self::InsufficientEvidence,
        Self::Hold,
        Self::FollowUp,
        Self::UsageReport,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoImpact => "no_impact",
            Self::Warning => "warning",
            Self::SelectedProtocols => "selected_protocols",
            Self::InsufficientEvidence => "insufficient_evidence",
            Self::Hold => "hold",
            Self::FollowUp => "follow_up",
            Self::UsageReport => "usage_report",
        }
    }

    /// The notice that follows from a verdict; excluded tenants get none.
    #[must_use]
    pub const fn of(verdict: TenantVerdict) -> Option<Self> {
        match verdict {
            TenantVerdict::NoImpact => Some(Self::NoImpact),
            TenantVerdict::Warning => Some(Self::Warning),
            TenantVerdict::InsufficientEvidence => Some(Self::InsufficientEvidence),
            TenantVerdict::Excluded => None,
        }
    }

    /// File name of its template.
    #[must_use]
    pub const fn template(self) -> &'static str {
        match self {
            Self::NoImpact => "no_impact.md",
            Self::Warning => "warning.md",
            Self::SelectedProtocols => "selected_protocols.md",
            Self::InsufficientEvidence => "insufficient_evidence.md",
            Self::Hold => "hold.md",
            Self::FollowUp => "follow_up.md",
            Self::UsageReport => "usage_report.md",
        }
    }
}

/// One notice, ready to be written or sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedNotice {
    /// One line of plain text.
    pub title: String,
    pub markdown: String,
    /// A whole page.
    pub html: String,
    /// A mail of ASCII characters, its lines ended by CR LF. It names no sender.
    pub eml: Vec<u8>,
    pub json: String,
    /// Whom the mail is to.
    pub contacts: Vec<String>,
    /// Contacts of the roster that are no address that a mail can go to.
    pub contacts_left_out: usize,
}

/// Renders one notice of a kind for a tenant, whatever its verdict.
///
/// # Errors
/// Fails if the template has an error; if a hold or a follow-up has no such protocol in
/// [`NoticeContext::changes`]; if the window of a usage report is no calendar month.
pub fn render(
    kind: NoticeKind,
    context: &NoticeContext,
    tenant: &TenantAssessment,
    templates: &Templates,
) -> Result<RenderedNotice, NotifyError> {
    let notice_content = NoticeContent::of(kind, context, tenant)?;
    let (text, language) = templates.render(kind, &Facts::of(&notice_content, context, tenant))?;
    let markdown = if context.draft { draft_banner(&notice_content, context) + &text } else { text };
    let page = html::page(&markdown);
    let heading = if page.title.is_empty() { &context.campaign.title } else { &page.title };
    let title = if context.draft { format!("DRAFT: {heading}") } else { heading.clone() };
    let html = html::shell(&title, language, &page.whole);
    let recipients = Recipients::of(context.roster_tenant(&tenant.tenant_id));
    let text = plain_text::of(&markdown);
    let eml = mail::message(&notice_content, context, tenant, &recipients, [&title, &text, &html]);
    let message =
        ServiceUpdateMessage::new(&notice_content, context, tenant, &recipients, [&title, &page.body]);
    let json = serde_json::to_string_pretty(&message)
        .map_err(|source| NotifyError::Json { tenant_id: tenant.tenant_id.clone(), source })?;
    Ok(RenderedNotice {
        html,
        eml,
        json: json + "\n",
        markdown,
        title,
        contacts: recipients.addresses,
        contacts_left_out: recipients.left_out,
    })
}

fn draft_banner(notice_content: &NoticeContent, context: &NoticeContext) -> String {
    let day = date(notice_content.notice_date);
    let operator = match context.campaign.operator {
        Some(_) => "",
        None => " The operator of the campaign is not set, so it cannot be announced.",
    };
    format!("> **DRAFT.** This notice has not been announced. Its dates count from {day}.{operator}\n\n")
}

#[cfg(test)]
mod tests;
