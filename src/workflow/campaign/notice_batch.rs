//! The notices and the list of one campaign command: for real, with the dates that the ledger holds. They may
//! lie beside those of other commands, so each command has a manifest of its own, written last.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::state::{CampaignState, Decided};
use crate::error::{Error, Result};
use lightsout_model::change::Change;
use lightsout_model::evidence::{WhoRow, Window};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Assessment, TenantAssessment};
use lightsout_notify::NoticeContext;
use lightsout_notify::files::{self, Written, of_notices};
use lightsout_notify::lists::{ListRow, MoreColumn, write_rows};
use lightsout_notify::notice::{NoticeKind, render};
use lightsout_notify::templates::Templates;
use lightsout_output::manifest::{Manifest, ManifestEntry};

/// Where a command's files go, and what they are written with.
#[derive(Debug, Clone)]
pub struct NoticeFiles {
    pub out: PathBuf,
    /// A folder of own templates.
    pub templates: Option<PathBuf>,
}

/// How many notices a command wrote, and how many of them have no contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeCount {
    pub written: usize,
    pub without_contact: usize,
}

/// What one tenant is told.
pub struct TenantNotice {
    /// `None`: it is on the list, and gets no notice.
    pub kind: Option<NoticeKind>,
    pub assessment: TenantAssessment,
    /// The protocols that the list is about.
    pub protocols: Vec<Protocol>,
    /// The day of the notice, where it is not that of an announcement: the same however often it is written.
    pub notice_date: Option<NaiveDate>,
}

/// See the file's first lines.
pub struct NoticeBatch {
    out: PathBuf,
    templates: Templates,
    manifest: Manifest,
    /// Also the name of its list and its manifest.
    name: &'static str,
    rows: Vec<ListRow>,
    written: Vec<Written>,
}

impl NoticeBatch {
    /// Reads the templates and begins the manifest.
    ///
    /// # Errors
    /// Fails if a template is wrong or the folder can't be written.
    pub fn begin(files: &NoticeFiles, name: &'static str) -> Result<Self> {
        Ok(Self {
            out: files.out.clone(),
            templates: Templates::load(files.templates.as_deref())?,
            manifest: Manifest::begin_beside(&files.out, name)?,
            name,
            rows: Vec::new(),
            written: Vec::new(),
        })
    }

    /// Writes the notices of tenants of one decision. `window` is what they are about.
    ///
    /// # Errors
    /// Fails if a notice can't be written.
    pub fn write(
        &mut self,
        state: &CampaignState,
        decided: &Decided,
        window: Window,
        notices: Vec<TenantNotice>,
        who: &BTreeMap<String, Vec<WhoRow>>,
    ) -> Result<()> {
        self.write_changes(state, decided, window, notices, who, &state.ledger.changes())
    }

    /// The same of changes that are not, or not so, in the ledger: what was withdrawn, or an announcement as it was.
    ///
    /// # Errors
    /// Fails if a notice can't be written.
    pub fn write_changes(
        &mut self,
        state: &CampaignState,
        decided: &Decided,
        window: Window,
        notices: Vec<TenantNotice>,
        who: &BTreeMap<String, Vec<WhoRow>>,
        changes: &BTreeMap<String, Change>,
    ) -> Result<()> {
        let (details, assessment) = split(decided, window, notices);
        let context = context(state, decided, &assessment, changes, who);
        for (tenant, (kind, protocols, notice_date)) in assessment.tenants.iter().zip(details) {
            let context =
                NoticeContext { notice_date: notice_date.unwrap_or(context.notice_date), ..context };
            if let Some(kind) = kind {
                self.written.push(files::write(&self.out, kind, &context, tenant, &self.templates)?);
            }
            let change = changes.get(&tenant.tenant_id);
            let date = change.map(|change| change.effective_date).or(decided.campaign.effective_date);
            self.rows.push(ListRow::of(&context, tenant, protocols, date));
        }
        Ok(())
    }

    /// Whether the notices of changes that are about to be recorded can be written: afterwards it is too
    /// late for an error in a template.
    ///
    /// # Errors
    /// Fails if one of them can't be rendered.
    pub fn rehearse(
        &self,
        state: &CampaignState,
        decided: &Decided,
        notices: Vec<TenantNotice>,
        changes: &BTreeMap<String, Change>,
        who: &BTreeMap<String, Vec<WhoRow>>,
    ) -> Result<()> {
        let (details, assessment) = split(decided, decided.window, notices);
        let context = context(state, decided, &assessment, changes, who);
        for (tenant, (kind, ..)) in assessment.tenants.iter().zip(details) {
            if let Some(kind) = kind {
                render(kind, &context, tenant, &self.templates)?;
            }
        }
        Ok(())
    }

    /// Adds files that are no notices to the manifest; `None`: they are of several tenants.
    ///
    /// # Errors
    /// Fails if one of them can't be read.
    pub fn add(&mut self, paths: &[PathBuf], tenant_id: Option<&str>) -> Result<()> {
        for path in paths {
            let inside = path.strip_prefix(&self.out).unwrap_or(path);
            let names: Vec<_> = inside.iter().map(|name| name.to_string_lossy()).collect();
            let entry = ManifestEntry::of(&self.out, &names.join("/"), None)?;
            self.manifest.add([ManifestEntry { tenant_id: tenant_id.map(str::to_owned), ..entry }]);
        }
        Ok(())
    }

    /// Writes list and manifest.
    ///
    /// # Errors
    /// Fails if a file can't be written.
    pub fn finish(mut self, state: &CampaignState, more: &[MoreColumn]) -> Result<NoticeCount> {
        let lists = Path::new("lists");
        let folder = self.out.join(lists);
        std::fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
        let mut files = write_rows(&folder, self.name, &self.rows, more)?;
        for entry in &mut files {
            entry.file = format!("{}/{}", lists.display(), entry.file);
        }
        self.manifest.add(files);
        self.manifest.add(of_notices(&self.out, &self.written)?);
        self.manifest.finish_for(&state.campaign.name)?;
        // Drafts that these have taken the place of.
        let drafts = self.out.join("notices");
        let files = of_notices(&drafts, &self.written)?.into_iter().map(|entry| entry.file).collect();
        Manifest::forget(&drafts, &files)?;
        let without_contact = self.written.iter().filter(|written| written.contacts == 0).count();
        Ok(NoticeCount { written: self.written.len(), without_contact })
    }
}

type Details = Vec<(Option<NoticeKind>, Vec<Protocol>, Option<NaiveDate>)>;

/// The tenants of the notices as an assessment, and what else is known of each, in the same order.
fn split(decided: &Decided, window: Window, notices: Vec<TenantNotice>) -> (Details, Assessment) {
    let (details, tenants) = notices
        .into_iter()
        .map(|notice| ((notice.kind, notice.protocols, notice.notice_date), notice.assessment))
        .unzip();
    let Assessment { decision_id, campaign, .. } = &decided.assessment;
    let (decision_id, campaign) = (decision_id.clone(), campaign.clone());
    (details, Assessment { decision_id, campaign, window, tenants })
}

fn context<'a>(
    state: &CampaignState,
    decided: &'a Decided,
    assessment: &'a Assessment,
    changes: &'a BTreeMap<String, Change>,
    who: &'a BTreeMap<String, Vec<WhoRow>>,
) -> NoticeContext<'a> {
    NoticeContext {
        campaign: &decided.campaign,
        assessment,
        roster: &decided.roster,
        who,
        changes,
        notice_date: state.now.date_naive(),
        // Nobody is told what is only rehearsed.
        draft: state.is_rehearsal,
    }
}
