//! The notices and lists of campaign commands: for real, with the dates that the ledger holds. They may
//! lie beside those of other commands, so each command has a manifest of its own, written last.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::desk::{Decided, Desk, Files};
use crate::error::{Error, Result};
use lightsout_model::change::Change;
use lightsout_model::evidence::WhoRow;
use lightsout_model::evidence::Window;
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Assessment, TenantAssessment};
use lightsout_notify::NoticeContext;
use lightsout_notify::files::of_notices;
use lightsout_notify::files::{self, Written};
use lightsout_notify::lists::{ListRow, MoreColumn, write_rows};
use lightsout_notify::notice::{NoticeKind, render};
use lightsout_notify::templates::Templates;
use lightsout_output::manifest::{Manifest, ManifestEntry};

/// What one tenant is told.
pub(super) struct Told {
    /// `None`: it is on the list, and gets no notice.
    pub(super) kind: Option<NoticeKind>,
    pub(super) assessment: TenantAssessment,
    /// The protocols that the list is about.
    pub(super) protocols: Vec<Protocol>,
    /// The day of the notice, where it is not that of an announcement: the same however often it is written.
    pub(super) notice_date: Option<NaiveDate>,
}

/// The files of one command.
pub(super) struct Sending {
    out: PathBuf,
    templates: Templates,
    manifest: Manifest,
    /// Also the name of its list and its manifest.
    name: &'static str,
    rows: Vec<ListRow>,
    written: Vec<Written>,
}

impl Sending {
    pub(super) fn begin(files: &Files, name: &'static str) -> Result<Self> {
        Ok(Self {
            out: files.out.clone(),
            templates: Templates::load(files.templates.as_deref())?,
            manifest: Manifest::begin_beside(&files.out, name)?,
            name,
            rows: Vec::new(),
            written: Vec::new(),
        })
    }

    /// Writes the notices of tenants of one decision. `window` is what they tell of.
    pub(super) fn tell(
        &mut self,
        desk: &Desk,
        decided: &Decided,
        window: Window,
        told: Vec<Told>,
        who: &BTreeMap<String, Vec<WhoRow>>,
    ) -> Result<()> {
        let changes = desk.ledger.changes();
        let (rest, assessment) = apart(decided, window, told);
        let context = context(desk, decided, &assessment, &changes, who);
        for (tenant, (kind, protocols, notice_date)) in assessment.tenants.iter().zip(rest) {
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
    pub(super) fn rehearse(
        &self,
        desk: &Desk,
        decided: &Decided,
        told: Vec<Told>,
        changes: &BTreeMap<String, Change>,
        who: &BTreeMap<String, Vec<WhoRow>>,
    ) -> Result<()> {
        let (rest, assessment) = apart(decided, decided.window, told);
        let context = context(desk, decided, &assessment, changes, who);
        for (tenant, (kind, ..)) in assessment.tenants.iter().zip(rest) {
            if let Some(kind) = kind {
                render(kind, &context, tenant, &self.templates)?;
            }
        }
        Ok(())
    }

    /// Adds files of a tenant that are no notices to the manifest.
    pub(super) fn add(&mut self, paths: &[PathBuf], tenant_id: &str) -> Result<()> {
        for path in paths {
            let inside = path.strip_prefix(&self.out).unwrap_or(path);
            let names: Vec<_> = inside.iter().map(|name| name.to_string_lossy()).collect();
            let entry = ManifestEntry::of(&self.out, &names.join("/"), None)?;
            self.manifest.add([ManifestEntry { tenant_id: Some(tenant_id.to_owned()), ..entry }]);
        }
        Ok(())
    }

    /// Writes list and manifest; gives the number of notices, and how many of them have no contact.
    pub(super) fn finish(mut self, desk: &Desk, more: &[MoreColumn]) -> Result<(usize, usize)> {
        let lists = Path::new("lists");
        let folder = self.out.join(lists);
        std::fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
        let mut files = write_rows(&folder, self.name, &self.rows, more)?;
        for entry in &mut files {
            entry.file = format!("{}/{}", lists.display(), entry.file);
        }
        self.manifest.add(files);
        self.manifest.add(of_notices(&self.out, &self.written)?);
        self.manifest.finish_for(&desk.campaign.name)?;
        // Drafts that these have taken the place of.
        let drafts = self.out.join("notices");
        let files = of_notices(&drafts, &self.written)?.into_iter().map(|entry| entry.file).collect();
        Manifest::forget(&drafts, &files)?;
        let without = self.written.iter().filter(|written| written.contacts == 0).count();
        Ok((self.written.len(), without))
    }
}

type Rest = Vec<(Option<NoticeKind>, Vec<Protocol>, Option<NaiveDate>)>;

/// The tenants that are told, as an assessment, and what else is known of each, in the same order.
fn apart(decided: &Decided, window: Window, told: Vec<Told>) -> (Rest, Assessment) {
    let (rest, tenants) =
        told.into_iter().map(|told| ((told.kind, told.protocols, told.notice_date), told.assessment)).unzip();
    let Assessment { decision_id, campaign, .. } = &decided.assessment;
    let (decision_id, campaign) = (decision_id.clone(), campaign.clone());
    (rest, Assessment { decision_id, campaign, window, tenants })
}

fn context<'a>(
    desk: &Desk,
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
        notice_date: desk.now.date_naive(),
        draft: false,
    }
}

/// What a command says of the notices that it wrote.
pub(super) fn told_on_stderr((notices, without): (usize, usize), out: &Path) -> String {
    let without = if without == 0 { String::new() } else { format!(", {without} of them without a contact") };
    format!("{notices} notices{without} are in {}", out.display())
}
