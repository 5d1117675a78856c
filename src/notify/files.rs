//! Notices as files: `out/notices/<folder>/<stem>.md`, `.html`, `.eml` and `.json`. A file appears whole
//! or not at all; what an earlier run left for a tenant that gets no such notice now is removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::notice::{NoticeKind, RenderedNotice, render};
use super::notice_content::NoticeContent;
use super::templates::Templates;
use super::{NoticeContext, NotifyError};
use lightsout_model::verdict::Assessment;
use lightsout_model::verdict::{TenantAssessment, TenantVerdict};
use lightsout_output::atomic_file::write_content;
use lightsout_output::manifest::{Decision, ManifestEntry};
use lightsout_output::text::folder_name;

const EXTENSIONS: [&str; 4] = ["md", "html", "eml", "json"];
/// A tenant's main notice.
const NOTICE: &str = "notice";
/// The draft that lies beside a warning; once it is announced it is the tenant's main notice.
const SELECTED_PROTOCOLS: &str = "selected_protocols";

/// A notice that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub tenant_id: String,
    pub kind: NoticeKind,
    /// Addresses that the mail is to; where there is none, it has no `To`.
    pub contacts: usize,
    /// Contacts of the roster that are no address that a mail can go to.
    pub contacts_left_out: usize,
    /// Markdown, page, mail and JSON, under the folder that `out` named.
    pub files: [PathBuf; 4],
}

/// The files of notices, for the manifest of a folder that they are in.
///
/// # Errors
/// Fails if a file can't be read.
pub fn of_notices(folder: &Path, written: &[Written]) -> Result<Vec<ManifestEntry>, NotifyError> {
    let mut entries = Vec::with_capacity(written.len() * 4);
    for notice in written {
        for path in &notice.files {
            let inside = path.strip_prefix(folder).unwrap_or(path);
            let names: Vec<_> = inside.iter().map(|name| name.to_string_lossy()).collect();
            entries.push(ManifestEntry {
                tenant_id: Some(notice.tenant_id.clone()),
                kind: Some(notice.kind.as_str().to_owned()),
                contacts: Some(notice.contacts as u64),
                ..ManifestEntry::of(folder, &names.join("/"), None)?
            });
        }
    }
    Ok(entries)
}

/// The decision that the files of a folder are made of.
#[must_use]
pub fn decision_of(assessment: &Assessment) -> Decision<'_> {
    Decision {
        id: &assessment.decision_id,
        campaign: &assessment.campaign,
        window_start: assessment.window.first,
        window_end: assessment.window.end,
    }
}

/// File name without extension, by what a reader looks for.
const fn stem(kind: NoticeKind, draft: bool) -> &'static str {
    match kind {
        NoticeKind::SelectedProtocols if draft => SELECTED_PROTOCOLS,
        NoticeKind::NoImpact
        | NoticeKind::Warning
        | NoticeKind::SelectedProtocols
        | NoticeKind::InsufficientEvidence => NOTICE,
        NoticeKind::Hold | NoticeKind::FollowUp | NoticeKind::UsageReport => kind.as_str(),
    }
}

/// Writes the four files of one notice, each to a temporary name first, in place of those of an earlier
/// one: `notice.*` for what a tenant is told first, `selected_protocols.*` for the draft beside a warning,
/// `hold.*`, `follow_up.*`, `usage_report.*`.
///
/// # Errors
/// Fails if the notice can't be rendered (see [`render`]) or a file can't be written.
pub fn write(
    out: &Path,
    kind: NoticeKind,
    context: &NoticeContext,
    tenant: &TenantAssessment,
    templates: &Templates,
) -> Result<Written, NotifyError> {
    let notice = render(kind, context, tenant, templates)?;
    let folder = folder(out, tenant);
    fs::create_dir_all(&folder).map_err(lightsout_output::Error::create_folder(&folder))?;
    let files = paths(&folder, stem(kind, context.draft));
    for (path, content) in files.iter().zip(contents(&notice)) {
        write_content(path, content)?;
    }
    if kind == NoticeKind::SelectedProtocols && !context.draft {
        remove(&folder, SELECTED_PROTOCOLS)?;
    }
    Ok(Written {
        tenant_id: tenant.tenant_id.clone(),
        kind,
        contacts: notice.contacts.len(),
        contacts_left_out: notice.contacts_left_out,
        files,
    })
}

/// Writes what every tenant of the assessment is told by its verdict, and for a warning with protocols
/// that are clear and still on, the draft of the notice that announces those. In the assessment's order.
///
/// # Errors
/// As [`write()`].
pub fn write_all(
    out: &Path,
    context: &NoticeContext,
    templates: &Templates,
) -> Result<Vec<Written>, NotifyError> {
    let mut written = Vec::new();
    for tenant in &context.assessment.tenants {
        let main = NoticeKind::of(tenant.verdict);
        match main {
            Some(kind) => written.push(write(out, kind, context, tenant, templates)?),
            None => remove(&folder(out, tenant), NOTICE)?,
        }
        let selected = NoticeKind::SelectedProtocols;
        let announces =
            || NoticeContent::of(selected, context, tenant).map(|told| !told.protocols.is_empty());
        if context.draft && main == Some(NoticeKind::Warning) && announces()? {
            written.push(write(out, selected, context, tenant, templates)?);
        } else {
            remove(&folder(out, tenant), SELECTED_PROTOCOLS)?;
        }
    }
    Ok(written)
}

/// Writes the usage report of every tenant that is not excluded and has usage in the month.
///
/// # Errors
/// As [`write()`]; also if the window is no calendar month.
pub fn write_usage_reports(
    out: &Path,
    context: &NoticeContext,
    templates: &Templates,
) -> Result<Vec<Written>, NotifyError> {
    let kind = NoticeKind::UsageReport;
    let mut written = Vec::new();
    for tenant in &context.assessment.tenants {
        if tenant.verdict == TenantVerdict::Excluded || tenant.protocols_in_use.is_empty() {
            remove(&folder(out, tenant), stem(kind, context.draft))?;
        } else {
            written.push(write(out, kind, context, tenant, templates)?);
        }
    }
    Ok(written)
}

fn folder(out: &Path, tenant: &TenantAssessment) -> PathBuf {
    out.join("notices").join(folder_name(&tenant.tenant_id).as_ref())
}

fn paths(folder: &Path, stem: &str) -> [PathBuf; 4] {
    EXTENSIONS.map(|extension| folder.join(format!("{stem}.{extension}")))
}

fn contents(notice: &RenderedNotice) -> [&[u8]; 4] {
    [notice.markdown.as_bytes(), notice.html.as_bytes(), &notice.eml, notice.json.as_bytes()]
}

fn remove(folder: &Path, stem: &str) -> Result<(), NotifyError> {
    for path in paths(folder, stem) {
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(lightsout_output::Error::Remove { path, source }.into());
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
