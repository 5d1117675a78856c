//! Notices as files: `<folder>/<tenant>/<stem>.md`, `.html`, `.eml` and `.json`. Drafts and reports are in the folder
//! `notices`, what is to be sent elsewhere. A file appears whole or not at all; what an earlier run left for a tenant
//! that gets no such notice now is removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::notice::{NoticeKind, RenderedNotice, render};
use super::notice_content::NoticeContent;
use super::templates::Templates;
use super::{NoticeContext, NotifyError};
use lightsout_model::language::Language;
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
    pub language: Language,
    /// The roster states another language, which there are no texts in.
    pub falls_back: bool,
    /// Markdown, page, mail and JSON, under the folder that was named.
    pub files: [PathBuf; 4],
}

/// What becomes of a notice that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    Replace,
    /// It stays as it was sent, if all of it is there.
    Keep,
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
        NoticeKind::Hold
        | NoticeKind::FollowUp
        | NoticeKind::Released
        | NoticeKind::Withdrawn
        | NoticeKind::Rescheduled
        | NoticeKind::UsedAfterChange
        | NoticeKind::Corrected
        | NoticeKind::OptedIn
        | NoticeKind::UsageReport => kind.as_str(),
    }
}

/// Writes the four files of one notice, each to a temporary name first: `notice.*` for what a tenant is told first,
/// `selected_protocols.*` for the draft beside a warning, and the name of its kind for every other.
///
/// # Errors
/// Fails if the notice can't be rendered (see [`render`]) or a file can't be written.
pub fn write(
    folder: &Path,
    kind: NoticeKind,
    context: &NoticeContext,
    tenant: &TenantAssessment,
    templates: &Templates,
    existing: Existing,
) -> Result<Written, NotifyError> {
    let notice = render(kind, context, tenant, templates)?;
    let folder = of_tenant(folder, &tenant.tenant_id);
    fs::create_dir_all(&folder).map_err(lightsout_output::Error::create_folder(&folder))?;
    let files = paths(&folder, stem(kind, context.draft));
    if existing == Existing::Replace || !files.iter().all(|path| path.exists()) {
        for (path, content) in files.iter().zip(contents(&notice)) {
            write_content(path, content)?;
        }
    }
    Ok(Written {
        tenant_id: tenant.tenant_id.clone(),
        kind,
        contacts: notice.contacts.len(),
        contacts_left_out: notice.contacts_left_out,
        language: notice.language,
        falls_back: context.falls_back(&tenant.tenant_id),
        files,
    })
}

/// Removes the drafts that a notice which is to be sent takes the place of; their names in the folder of drafts. What
/// can be turned off besides a warning may still be announced after it.
///
/// # Errors
/// Fails if a file can't be removed.
pub fn remove_drafts(drafts: &Path, sent: &Written) -> Result<Vec<String>, NotifyError> {
    let stems: &[&str] = match sent.kind {
        NoticeKind::Warning | NoticeKind::InsufficientEvidence => &[NOTICE],
        _ => &[NOTICE, SELECTED_PROTOCOLS],
    };
    let folder = of_tenant(drafts, &sent.tenant_id);
    let mut removed = Vec::new();
    for stem in stems {
        remove(&folder, stem)?;
        let tenant = folder_name(&sent.tenant_id);
        removed.extend(EXTENSIONS.map(|extension| format!("{tenant}/{stem}.{extension}")));
    }
    // Where that was all.
    let _ = fs::remove_dir(&folder);
    Ok(removed)
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
    let (folder, existing) = (drafts(out), Existing::Replace);
    let mut written = Vec::new();
    for tenant in &context.assessment.tenants {
        let main = NoticeKind::of(tenant.verdict);
        match main {
            Some(kind) => written.push(write(&folder, kind, context, tenant, templates, existing)?),
            None => remove(&of_tenant(&folder, &tenant.tenant_id), NOTICE)?,
        }
        let selected = NoticeKind::SelectedProtocols;
        let announces =
            || NoticeContent::of(selected, context, tenant).map(|told| !told.protocols.is_empty());
        if context.draft && main == Some(NoticeKind::Warning) && announces()? {
            written.push(write(&folder, selected, context, tenant, templates, existing)?);
        } else {
            remove(&of_tenant(&folder, &tenant.tenant_id), SELECTED_PROTOCOLS)?;
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
    let (kind, folder) = (NoticeKind::UsageReport, drafts(out));
    let mut written = Vec::new();
    for tenant in &context.assessment.tenants {
        if tenant.verdict == TenantVerdict::Excluded || tenant.protocols_in_use.is_empty() {
            remove(&of_tenant(&folder, &tenant.tenant_id), stem(kind, context.draft))?;
        } else {
            written.push(write(&folder, kind, context, tenant, templates, Existing::Replace)?);
        }
    }
    Ok(written)
}

/// The folder of drafts and reports.
#[must_use]
pub fn drafts(out: &Path) -> PathBuf {
    out.join("notices")
}

fn of_tenant(folder: &Path, tenant_id: &str) -> PathBuf {
    folder.join(folder_name(tenant_id).as_ref())
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
