//! The notices: what each tenant is told, as Markdown, as a page and as JSON. All three come from one
//! template; that it is a draft is put on top here, so that no template can leave it out.

use std::path::Path;
use std::{fs, io};

use super::facts::Facts;
use super::message::ServiceUpdateMessage;
use super::templates::Templates;
use super::text::{date, folder_name};
use super::{NoticeContext, NotifyError, html};
use crate::protocol::Protocol;
use crate::verdict::{TenantAssessment, TenantVerdict};

/// The files of one notice.
const FILES: [&str; 3] = ["notice.md", "notice.html", "notice.json"];

/// What a notice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    NoImpact,
    Warning,
    /// To a tenant with a warning: what of it is turned off as unused. It is announced on its own.
    SelectedProtocols,
    InsufficientEvidence,
}

impl NoticeKind {
    pub const ALL: [Self; 4] =
        [Self::NoImpact, Self::Warning, Self::SelectedProtocols, Self::InsufficientEvidence];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoImpact => "no_impact",
            Self::Warning => "warning",
            Self::SelectedProtocols => "selected_protocols",
            Self::InsufficientEvidence => "insufficient_evidence",
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
        }
    }

    /// The protocols that the notice is about: for those attempts and Outlook's settings are told.
    fn protocols(self, context: &NoticeContext, tenant: &TenantAssessment) -> Vec<Protocol> {
        match self {
            Self::SelectedProtocols => tenant.protocols_clear.clone(),
            Self::NoImpact | Self::Warning | Self::InsufficientEvidence => context.campaign.scope(),
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
    pub json: String,
}

/// Notices written, by kind, and tenants that get none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoticeCounts {
    pub no_impact: usize,
    pub warning: usize,
    pub insufficient_evidence: usize,
    pub without_notice: usize,
}

/// Writes the notice of every tenant to `out/notices/<folder>/`, by the embedded templates or those of
/// a folder. What an earlier run left for a tenant that gets no notice now is removed.
///
/// # Errors
/// Fails if a template can't be used or a file can't be written.
pub fn write_all(
    out: &Path,
    context: &NoticeContext,
    templates: Option<&Path>,
) -> Result<NoticeCounts, NotifyError> {
    let templates = Templates::load(templates)?;
    let notices = out.join("notices");
    fs::create_dir_all(&notices).map_err(NotifyError::create_folder(&notices))?;
    let mut counts = NoticeCounts::default();
    for tenant in &context.assessment.tenants {
        let folder = notices.join(folder_name(&tenant.tenant_id).as_ref());
        match NoticeKind::of(tenant.verdict) {
            Some(kind) => write_one(&folder, &render(kind, context, tenant, &templates)?)?,
            None => remove_old(&folder)?,
        }
        *match tenant.verdict {
            TenantVerdict::NoImpact => &mut counts.no_impact,
            TenantVerdict::Warning => &mut counts.warning,
            TenantVerdict::InsufficientEvidence => &mut counts.insufficient_evidence,
            TenantVerdict::Excluded => &mut counts.without_notice,
        } += 1;
    }
    Ok(counts)
}

/// Renders one notice of a kind for a tenant, whatever its verdict.
///
/// # Errors
/// Fails if the template has an error.
pub fn render(
    kind: NoticeKind,
    context: &NoticeContext,
    tenant: &TenantAssessment,
    templates: &Templates,
) -> Result<RenderedNotice, NotifyError> {
    let facts = Facts::of(context, tenant, &kind.protocols(context, tenant));
    let (text, language) = templates.render(kind, &facts)?;
    let markdown = if context.draft { draft_banner(context) + &text } else { text };
    let page = html::page(&markdown);
    let heading = if page.title.is_empty() { &context.campaign.title } else { &page.title };
    let title = if context.draft { format!("DRAFT: {heading}") } else { heading.clone() };
    let message = ServiceUpdateMessage::new(kind, context, tenant, &title, &page.body);
    let json = serde_json::to_string_pretty(&message)
        .map_err(|source| NotifyError::Json { tenant_id: tenant.tenant_id.clone(), source })?;
    Ok(RenderedNotice {
        html: html::shell(&title, language, &page.whole),
        json: json + "\n",
        markdown,
        title,
    })
}

fn draft_banner(context: &NoticeContext) -> String {
    let day = date(context.notice_date);
    format!("> **DRAFT.** This notice has not been announced. Its dates count from {day}.\n\n")
}

fn write_one(folder: &Path, notice: &RenderedNotice) -> Result<(), NotifyError> {
    fs::create_dir_all(folder).map_err(NotifyError::create_folder(folder))?;
    for (file, content) in FILES.into_iter().zip([&notice.markdown, &notice.html, &notice.json]) {
        let path = folder.join(file);
        fs::write(&path, content).map_err(NotifyError::write(&path))?;
    }
    Ok(())
}

fn remove_old(folder: &Path) -> Result<(), NotifyError> {
    for path in FILES.map(|file| folder.join(file)) {
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(NotifyError::Remove { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
