//! The notices: what each tenant is told, as Markdown, as a page, as a mail and as JSON. All four come
//! from one template in the tenant's language; that it is a draft is put on top here, so that no template can leave
//! it out.

use std::borrow::Cow;

use super::facts::Facts;
use super::mail::{self, Recipients};
use super::message::ServiceUpdateMessage;
use super::notice_content::NoticeContent;
use super::templates::Templates;
use super::{NoticeContext, NotifyError, html, phrases, plain_text};
use lightsout_model::language::{Language, LocalText};
use lightsout_model::verdict::{TenantAssessment, TenantVerdict};

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
    /// A hold has ended: what was on hold is turned off after all, on the day of the change.
    Released,
    /// What was announced is taken back.
    Withdrawn,
    /// The change has another day than the one that was announced.
    Rescheduled,
    /// Protocols are used although they were turned off.
    UsedAfterChange,
    /// What a follow-up said is not true: the protocols have not been turned off.
    Corrected,
    /// An opt-out is taken back: the protocols are turned off after all.
    OptedIn,
    /// Who signed in by which protocol in the calendar month that is the assessment's window.
    UsageReport,
}

impl NoticeKind {
    pub const ALL: [Self; 13] = [
        Self::NoImpact,
        Self::Warning,
        Self::SelectedProtocols,
        Self::InsufficientEvidence,
        Self::Hold,
        Self::FollowUp,
        Self::Released,
        Self::Withdrawn,
        Self::Rescheduled,
        Self::UsedAfterChange,
        Self::Corrected,
        Self::OptedIn,
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
            Self::Released => "released",
            Self::Withdrawn => "withdrawn",
            Self::Rescheduled => "rescheduled",
            Self::UsedAfterChange => "used_after_change",
            Self::Corrected => "corrected",
            Self::OptedIn => "opted_in",
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
            Self::Released => "released.md",
            Self::Withdrawn => "withdrawn.md",
            Self::Rescheduled => "rescheduled.md",
            Self::UsedAfterChange => "used_after_change.md",
            Self::Corrected => "corrected.md",
            Self::OptedIn => "opted_in.md",
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
    /// A mail of ASCII characters, its lines ended by CR LF.
    pub eml: Vec<u8>,
    pub json: String,
    /// Whom the mail is to.
    pub contacts: Vec<String>,
    /// Contacts of the roster that are no address that a mail can go to.
    pub contacts_left_out: usize,
    pub language: Language,
}

/// Renders one notice of a kind for a tenant, whatever its verdict.
///
/// # Errors
/// Fails if the template has an error; if a message about a change has no such protocol in
/// [`NoticeContext::changes`]; if the window of a usage report is no calendar month.
pub fn render(
    kind: NoticeKind,
    context: &NoticeContext,
    tenant: &TenantAssessment,
    templates: &Templates,
) -> Result<RenderedNotice, NotifyError> {
    let language = context.language(&tenant.tenant_id);
    let campaign = context.campaign.in_language(language).unwrap_or(Cow::Borrowed(context.campaign));
    let context = &NoticeContext { campaign: &campaign, ..*context };
    let notice_content = NoticeContent::of(kind, context, tenant)?;
    let (text, tag) = templates.render(kind, language, &Facts::of(&notice_content, context, tenant))?;
    let mark = mark(context);
    let markdown = match mark {
        Some(mark) => banner(mark, &notice_content, context) + &text,
        None => text,
    };
    let page = html::page(&markdown);
    let heading = if page.title.is_empty() { &context.campaign.title } else { &page.title };
    let title = match mark {
        Some(mark) => format!("{}: {heading}", notice_content.locale.text(mark)),
        None => heading.clone(),
    };
    let html = html::shell(&title, tag, &page.whole);
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
        language,
    })
}

/// What stands before the title of a notice that nobody is to be sent.
const fn mark(context: &NoticeContext) -> Option<LocalText> {
    if context.rehearsal {
        Some(phrases::REHEARSAL)
    } else if context.draft {
        Some(phrases::DRAFT)
    } else {
        None
    }
}

fn banner(mark: LocalText, notice_content: &NoticeContent, context: &NoticeContext) -> String {
    let locale = notice_content.locale;
    let day = locale.date(notice_content.notice_date);
    let mut banner = if context.rehearsal {
        locale.text(phrases::REHEARSAL_BANNER).to_owned()
    } else {
        locale.fill(phrases::DRAFT_BANNER, &[("day", &day)])
    };
    if context.campaign.operator.is_none() {
        banner = format!("{banner} {}", locale.text(phrases::NO_OPERATOR));
    }
    format!("> **{}.** {banner}\n\n", locale.text(mark))
}

#[cfg(test)]
mod tests;
