//! The notices and the list of one campaign command: for real, with the dates that the ledger holds. The notices of one
//! day and event are in a folder of `sent`, with what mails them and a manifest of that folder; each command has a
//! manifest of its own beside, written last.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::apply::RUNBOOKS;
use super::runbooks::remove_outdated;
use super::state::{CampaignState, Decided};
use crate::error::{Error, Result};
use lightsout_campaign::state::Ledger;
use lightsout_model::change::Change;
use lightsout_model::evidence::{WhoRow, Window};
use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Assessment, TenantAssessment};
use lightsout_notify::NoticeContext;
use lightsout_notify::delivery::{self, MAILBOX, RECIPIENTS};
use lightsout_notify::files::{self, Existing, Written, of_notices};
use lightsout_notify::lists::{ListRow, MoreColumn, write_rows};
use lightsout_notify::notice::NoticeKind;
use lightsout_notify::templates::Templates;
use lightsout_output::manifest::{Manifest, ManifestEntry, campaigns_beside, campaigns_inside};

/// Where a command's files go, and what they are written with.
#[derive(Debug, Clone)]
pub struct NoticeFiles {
    pub out: PathBuf,
    /// A folder of own templates.
    pub templates: Option<PathBuf>,
}

/// Stops a command before it records anything if the folder holds notices or runbooks of another campaign: it would
/// overwrite them, since their folders are named by day, event and tenant.
///
/// # Errors
/// Fails if it does.
pub(super) fn out_belongs_to(out: &Path, state: &CampaignState) -> Result<()> {
    // Nothing is sent in a rehearsal.
    if state.is_rehearsal {
        return Ok(());
    }
    let campaign = &state.campaign.name;
    let mut campaigns = campaigns_inside(&out.join(SENT));
    if out.join(RUNBOOKS).exists() {
        campaigns.extend(campaigns_beside(out));
    }
    match campaigns.into_iter().find(|found| found != campaign) {
        None => Ok(()),
        Some(other) => {
            Err(Error::OutOfOtherCampaign { out: out.to_owned(), campaign: campaign.clone(), other })
        }
    }
}

/// Under `--out`, the notices that are to be sent: a folder for each day and event.
pub const SENT: &str = "sent";

/// The same of a rehearsal, where nothing is sent.
const REHEARSED: &str = "rehearsed";

/// How many notices a command wrote; how many of them have no contact, and how many are in another language than the
/// roster says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeCount {
    pub written: usize,
    pub without_contact: usize,
    pub in_other_language: usize,
}

/// What one tenant is told.
pub struct TenantNotice {
    /// `None`: it is on the list, and gets no notice.
    pub kind: Option<NoticeKind>,
    pub assessment: TenantAssessment,
    /// The protocols that the list is about; those that a message about a change is about, too.
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
    /// Those of `sent` that it wrote into.
    folders: BTreeSet<PathBuf>,
    /// Its notices are those of one announcement.
    announcement_id: Option<String>,
    /// The folder of each day's notices.
    folder_of_day: BTreeMap<NaiveDate, PathBuf>,
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
            folders: BTreeSet::new(),
            announcement_id: None,
            folder_of_day: BTreeMap::new(),
        })
    }

    /// Keeps the notices of this announcement apart from those of another one on the same day: whoever mails the
    /// mailbox of a second wave must not mail the first wave again.
    #[must_use]
    pub fn of_announcement(mut self, announcement_id: &str) -> Self {
        self.announcement_id = Some(announcement_id.to_owned());
        self
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
            let context = NoticeContext {
                notice_date: notice_date.unwrap_or(context.notice_date),
                protocols_told: Some(&protocols),
                ..context
            };
            if let Some(kind) = kind {
                self.write_notice(state, kind, &context, tenant)?;
            }
            let change = changes.get(&tenant.tenant_id);
            let date = change.map(|change| change.effective_date).or(decided.campaign.effective_date);
            self.rows.push(ListRow::of(&context, tenant, protocols.clone(), date));
        }
        Ok(())
    }

    /// A notice of an earlier day that is there stays as it was sent, however often a command is repeated.
    fn write_notice(
        &mut self,
        state: &CampaignState,
        kind: NoticeKind,
        context: &NoticeContext,
        tenant: &TenantAssessment,
    ) -> Result<()> {
        let announced_on = context.changes.get(&tenant.tenant_id).map(|change| change.announced_on);
        let day = match kind {
            NoticeKind::NoImpact | NoticeKind::SelectedProtocols => announced_on,
            _ => None,
        };
        let day = day.unwrap_or(context.notice_date);
        let folder = self.folder_of(state, day)?;
        let existing = if day < state.now.date_naive() { Existing::Keep } else { Existing::Replace };
        self.written.push(files::write(&folder, kind, context, tenant, &self.templates, existing)?);
        // Nobody is mailed what is only rehearsed.
        if !state.is_rehearsal {
            self.folders.insert(folder);
        }
        Ok(())
    }

    /// The first folder of the day and event that holds no other announcement's notices.
    fn folder_of(&mut self, state: &CampaignState, day: NaiveDate) -> Result<PathBuf> {
        if let Some(folder) = self.folder_of_day.get(&day) {
            return Ok(folder.clone());
        }
        let parent = self.out.join(if state.is_rehearsal { REHEARSED } else { SENT });
        let mut folder = parent.join(format!("{day}-{}", self.name));
        if let Some(announcement_id) = self.announcement_id.as_deref().filter(|_| !state.is_rehearsal) {
            let mut number = 1;
            while holds_others(&folder, &state.ledger, announcement_id)? {
                number += 1;
                folder = parent.join(format!("{day}-{}-{number}", self.name));
            }
        }
        self.folder_of_day.insert(day, folder.clone());
        Ok(folder)
    }

    /// Whether the notices of changes that are about to be recorded can be written: afterwards it is too late for an
    /// error in a template or a full disk. They are written into a folder beside the others, which is removed.
    ///
    /// # Errors
    /// Fails if one of them can't be rendered or written.
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
        let parent = self.out.join(if state.is_rehearsal { REHEARSED } else { SENT });
        std::fs::create_dir_all(&parent).map_err(Error::write(&parent))?;
        for left in trials_in(&parent)? {
            remove_all(&left)?;
        }
        let trial = tempfile::Builder::new().prefix(TRIAL).tempdir_in(&parent);
        let trial = trial.map_err(Error::write(&parent))?;
        for (tenant, (kind, protocols, _)) in assessment.tenants.iter().zip(&details) {
            if let Some(kind) = *kind {
                let context = NoticeContext { protocols_told: Some(protocols), ..context };
                files::write(trial.path(), kind, &context, tenant, &self.templates, Existing::Replace)?;
            }
        }
        remove_all(trial.path())
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
        for folder in std::mem::take(&mut self.folders) {
            finish_folder(&folder, &state.campaign.name)?;
            self.add(&[folder.join(RECIPIENTS), folder.join(MAILBOX)], None)?;
        }
        self.manifest.finish_for(&state.campaign.name)?;
        let drafts = files::drafts(&self.out);
        let mut removed = BTreeSet::new();
        for written in &self.written {
            removed.extend(files::remove_drafts(&drafts, written)?);
        }
        Manifest::forget(&drafts, &removed)?;
        remove_outdated(state, &self.out)?;
        let that = |is: fn(&Written) -> bool| self.written.iter().filter(|written| is(written)).count();
        Ok(NoticeCount {
            written: self.written.len(),
            without_contact: that(|written| written.contacts == 0),
            in_other_language: that(|written| written.falls_back),
        })
    }
}

/// Whether a folder holds the notice of a tenant that another announcement named.
fn holds_others(folder: &Path, ledger: &Ledger, announcement_id: &str) -> Result<bool> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::write(folder)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(Error::write(folder))?;
        let name = entry.file_name();
        let of = name.to_str().and_then(|tenant_id| ledger.announcement_of(tenant_id));
        if of.is_some_and(|id| id != announcement_id) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What mails the notices of a folder, and the manifest of all that is in it.
fn finish_folder(folder: &Path, campaign: &str) -> Result<()> {
    let mut manifest = Manifest::begin(folder)?;
    let deliveries = delivery::write(folder)?;
    for delivery in &deliveries {
        let stem = delivery.file.trim_end_matches("eml");
        for extension in ["md", "html", "eml", "json"] {
            manifest.add([ManifestEntry {
                tenant_id: Some(delivery.tenant_id.clone()),
                kind: Some(delivery.kind.clone()),
                contacts: Some(delivery.to.len() as u64),
                ..ManifestEntry::of(folder, &format!("{stem}{extension}"), None)?
            }]);
        }
    }
    manifest.add([
        ManifestEntry::of(folder, RECIPIENTS, Some(deliveries.len() as u64))?,
        ManifestEntry::of(folder, MAILBOX, None)?,
    ]);
    manifest.finish_for(campaign)?;
    Ok(())
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
        protocols_told: None,
        notice_date: state.now.date_naive(),
        draft: false,
        rehearsal: state.is_rehearsal,
    }
}

/// What the folders begin with in which notices are written once before they count.
const TRIAL: &str = ".trial-";

/// Those that a killed run has left.
fn trials_in(parent: &Path) -> Result<Vec<PathBuf>> {
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(parent).map_err(Error::write(parent))? {
        let entry = entry.map_err(Error::write(parent))?;
        if entry.file_name().to_string_lossy().starts_with(TRIAL) {
            trials.push(entry.path());
        }
    }
    Ok(trials)
}

/// Removes a folder of files; the error names the one that stays.
fn remove_all(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(Error::write(folder))? {
        let entry = entry.map_err(Error::write(folder))?;
        let path = entry.path();
        if entry.file_type().map_err(Error::write(&path))?.is_dir() {
            remove_all(&path)?;
        } else {
            std::fs::remove_file(&path).map_err(Error::write(&path))?;
        }
    }
    std::fs::remove_dir(folder).map_err(Error::write(folder))
}
