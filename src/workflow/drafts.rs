//! Lists and draft notices of a decision, and the usage reports of a month: what is written before anything is
//! announced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::error::Result;
use crate::{MEMORY_LIMIT_BYTES, Tell, session};
use lightsout_assess::assess;
use lightsout_decisions::reproduce::Assessed;
use lightsout_decisions::store;
use lightsout_lake::Lake;
use lightsout_model::campaign::Campaign;
use lightsout_model::change::Change;
use lightsout_model::evidence::{Month, WhoRow};
use lightsout_model::language::Language;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::Assessment;
use lightsout_notify::files::{self, Written, decision_of, of_notices};
use lightsout_notify::templates::Templates;
use lightsout_notify::{NoticeContext, lists};
use lightsout_output::manifest::Manifest;
use lightsout_output::text::count;

/// What notices are written with.
#[derive(Debug, Clone, Default)]
pub struct NoticeSettings {
    /// The date that drafts count from; `None`: the end of the window.
    pub notice_date: Option<NaiveDate>,
    /// A folder of own templates.
    pub templates: Option<PathBuf>,
}

/// Writes lists and draft notices under `out`. A tenant that a change was announced to, by the lake as it is now,
/// gets no draft of it.
///
/// # Errors
/// Fails if a template is wrong, or a file can't be written.
pub async fn write(
    assessed: &Assessed,
    settings: &NoticeSettings,
    out: &Path,
    lake: &mut Lake,
    tell: Tell,
) -> Result<Vec<Written>> {
    let templates = Templates::load(settings.templates.as_deref())?;
    let who = assessed.queries.who(&assessed.campaign, assessed.assessment.window, "*").await?;
    let context = context(assessed, settings, &who);
    lists::write(out, &context)?;
    let folder = files::drafts(out);
    let mut manifest = Manifest::begin(&folder)?;
    lake.refresh().await?;
    let announced = announced(&assessed.campaign, lake).await?;
    let mut drafts = assessed.assessment.clone();
    drafts.tenants.retain(|tenant| !announced.contains(&tenant.tenant_id));
    let context = NoticeContext { assessment: &drafts, ..context };
    let written = files::write_all(out, &context, &templates)?;
    let passed = assessed.assessment.tenants.len() - drafts.tenants.len();
    if passed > 0 {
        let passed = lightsout_output::text::count(passed as u64, "tenant", "tenants");
        tell(&format!("no drafts for {passed} whose notice is already sent; see: lightsout campaign status"));
    }
    let other_language = written.iter().filter(|notice| notice.falls_back).count();
    if other_language > 0 {
        tell(&in_other_language(other_language));
    }
    manifest.add(of_notices(&folder, &written)?);
    manifest.finish(decision_of(&assessed.assessment))?;
    Ok(written)
}

/// How many notices are in another language than the roster says, and why.
#[must_use]
pub fn in_other_language(notices: usize) -> String {
    let notices = count(notices as u64, "notice is", "notices are");
    format!(
        "{notices} not in the roster's language: texts exist in {}, and the campaign file must have them too; see the \
         column notice_language of the lists",
        Language::ALL.map(Language::tag).join(" and ")
    )
}

/// Writes the lists alone: `assess` makes no notices.
///
/// # Errors
/// Fails if a file can't be written.
pub fn write_lists(assessed: &Assessed, out: &Path) -> Result<()> {
    lists::write(out, &context(assessed, &NoticeSettings::default(), &BTreeMap::new()))?;
    Ok(())
}

/// Writes the usage reports of a month. They say what was seen and announce nothing, so nothing is decided and kept
/// for them, and they are no drafts. Without a roster they take names, contacts and exclusions of the latest
/// decision, where there is one.
///
/// # Errors
/// Fails if a template is wrong, or a file can't be written.
pub async fn write_usage_reports(
    lake: &Lake,
    month: Month,
    campaign: Campaign,
    roster: Option<Roster>,
    settings: &NoticeSettings,
    out: &Path,
) -> Result<Vec<Written>> {
    let roster = match (roster, store::latest_head(lake, &campaign.name)?) {
        (Some(roster), _) => roster,
        (None, Some(head)) => store::roster(lake, &store::find(lake, &head.decision_id)?)?,
        (None, None) => Roster::default(),
    };
    let templates = Templates::load(settings.templates.as_deref())?;
    let queries = session::open_for_verdicts(lake, MEMORY_LIMIT_BYTES).await?;
    let window = month.window();
    let evidence = queries.evidence(&campaign, window).await?;
    let assessment = Assessment {
        decision_id: String::new(),
        campaign: campaign.name.clone(),
        window,
        tenants: assess(&campaign, &roster, &evidence, window),
    };
    let assessed = Assessed { campaign, roster, assessment, queries };
    let who = assessed.queries.who(&assessed.campaign, window, "*").await?;
    let context = NoticeContext { draft: false, ..context(&assessed, settings, &who) };
    let folder = files::drafts(out);
    let mut manifest = Manifest::begin_beside(&folder, &format!("usage_report-{month}"))?;
    let written = files::write_usage_reports(out, &context, &templates)?;
    manifest.add(of_notices(&folder, &written)?);
    manifest.finish(decision_of(&assessed.assessment))?;
    Ok(written)
}

/// Writes the built-in templates, to be copied and changed; how many there are.
///
/// # Errors
/// Fails if one of the files is there already, or can't be written.
pub fn write_templates(folder: &Path) -> Result<usize> {
    Ok(Templates::write_embedded(folder)?)
}

/// The tenants that something was announced to in a campaign.
async fn announced(campaign: &Campaign, lake: &Lake) -> Result<BTreeSet<String>> {
    let queries = session::open(lake, MEMORY_LIMIT_BYTES).await?;
    let ledger = lightsout_ledger::read(&queries, &campaign.name).await?;
    let announced = ledger.tenants.keys().filter(|id| ledger.is_announced(id));
    Ok(announced.cloned().collect())
}

/// Drafts are of changes that nobody announced.
static NO_CHANGES: BTreeMap<String, Change> = BTreeMap::new();

fn context<'a>(
    assessed: &'a Assessed,
    settings: &NoticeSettings,
    who: &'a BTreeMap<String, Vec<WhoRow>>,
) -> NoticeContext<'a> {
    NoticeContext {
        campaign: &assessed.campaign,
        assessment: &assessed.assessment,
        roster: &assessed.roster,
        who,
        changes: &NO_CHANGES,
        protocols_told: None,
        notice_date: settings.notice_date.unwrap_or(assessed.assessment.window.end),
        draft: true,
        rehearsal: false,
    }
}
