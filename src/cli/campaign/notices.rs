//! The notices and lists of campaign commands: for real, with the dates that the ledger holds. They may
//! lie beside those of other commands, so each command has a manifest of its own, written last.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::desk::{Decided, Desk, Files};
use crate::error::{Error, Result};
use crate::evidence::Window;
use crate::notify::files::{self, Written};
use crate::notify::lists::{ListRow, MoreColumn, write_rows};
use crate::notify::manifest::{Manifest, of_notices};
use crate::notify::notice::NoticeKind;
use crate::notify::templates::Templates;
use crate::notify::{NoticeContext, WhoRow};
use crate::protocol::Protocol;
use crate::verdict::{Assessment, TenantAssessment};

/// What one tenant is told.
pub(super) struct Told {
    /// `None`: it is on the list, and gets no notice.
    pub(super) kind: Option<NoticeKind>,
    pub(super) assessment: TenantAssessment,
    /// The protocols that the list is about.
    pub(super) protocols: Vec<Protocol>,
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
        let (protocols, tenants): (Vec<_>, Vec<_>) =
            told.into_iter().map(|told| ((told.kind, told.protocols), told.assessment)).unzip();
        let assessment = Assessment {
            decision_id: decided.assessment.decision_id.clone(),
            campaign: decided.assessment.campaign.clone(),
            window,
            tenants,
        };
        let changes = desk.ledger.changes();
        let context = NoticeContext {
            campaign: &decided.campaign,
            assessment: &assessment,
            roster: &decided.roster,
            who,
            changes: &changes,
            notice_date: desk.now.date_naive(),
            draft: false,
        };
        for (tenant, (kind, protocols)) in assessment.tenants.iter().zip(protocols) {
            if let Some(kind) = kind {
                self.written.push(files::write(&self.out, kind, &context, tenant, &self.templates)?);
            }
            let change = changes.get(&tenant.tenant_id);
            let date = change.map(|change| change.effective_date).or(decided.campaign.effective_date);
            self.rows.push(ListRow::of(&context, tenant, protocols, date));
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
        let without = self.written.iter().filter(|written| written.contacts == 0).count();
        Ok((self.written.len(), without))
    }
}

/// What a command says of the notices that it wrote.
pub(super) fn told_on_stderr((notices, without): (usize, usize), out: &Path) -> String {
    let without = if without == 0 { String::new() } else { format!(", {without} of them without a contact") };
    format!("{notices} notices{without} are in {}", out.display())
}
