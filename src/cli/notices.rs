//! `lightsout notices`: drafts of the notices, and the lists, for a kept decision; or the usage reports of
//! a month.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::Args;

use super::deciding::{self, Assessed};
use super::shared::{Global, MEMORY_LIMIT_BYTES, open_lake, parse_day};
use crate::error::Result;
use lightsout_assess::assess;
use lightsout_lake::Lake;
use lightsout_model::campaign::Campaign;
use lightsout_model::change::{Change, StateRow};
use lightsout_model::evidence::Month;
use lightsout_model::tenant::Roster;
use lightsout_model::verdict::Assessment;
use lightsout_notify::files::{self, Written};
use lightsout_notify::files::{decision_of, of_notices};
use lightsout_notify::templates::Templates;
use lightsout_notify::{NoticeContext, lists};
use lightsout_output::manifest::Manifest;

/// What notices are written with.
#[derive(Debug, Args)]
pub(super) struct Texts {
    // Help is no Markdown.
    #[arg(
        long,
        value_name = "DATE",
        value_parser = parse_day,
        help = "Date that drafts count from, e.g. 2026-11-02 [default: --as-of]"
    )]
    notice_date: Option<NaiveDate>,
    /// Own notice templates, in a folder, by the names of the built-in ones
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The decision [default: the campaign's latest]
    #[arg(long, value_name = "ID", conflicts_with = "campaign")]
    decision: Option<String>,
    /// Instead: usage reports of this month, e.g. 2026-10, for the tenants with usage in it
    #[arg(long, value_name = "MONTH", conflicts_with = "decision")]
    month: Option<Month>,
    /// A built-in campaign or a TOML file [default: basic-auth-all-protocols]
    #[arg(
        long,
        value_name = "NAME|FILE",
        default_value = "basic-auth-all-protocols",
        hide_default_value = true
    )]
    campaign: String,
    /// Names and contacts from this list instead of the decision's
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
    #[command(flatten)]
    texts: Texts,
    /// Where files go
    #[arg(long, value_name = "DIR", default_value = "./out")]
    out: PathBuf,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let lake = open_lake(global).await?;
    if let Some(month) = arguments.month {
        return report(&lake, month, arguments, global).await;
    }
    let row = match &arguments.decision {
        Some(id) => deciding::find(&lake, id)?,
        None => deciding::latest(&lake, &lightsout_config::campaign_file::load(&arguments.campaign)?.name)?,
    };
    let mut assessed = deciding::remake(global, &row).await?;
    if let Some(path) = &arguments.roster {
        assessed.roster = lightsout_config::roster_file::read(path)?;
    }
    write(&assessed, &arguments.texts, &arguments.out, global).await?;
    if !global.quiet {
        eprintln!("notices of decision {} are in {}", row.decision_id, arguments.out.display());
    }
    Ok(0)
}

/// The usage reports of a month. They tell what was seen and announce nothing, so nothing is decided and
/// kept for them, and they are no drafts.
async fn report(lake: &Lake, month: Month, arguments: &Arguments, global: &Global) -> Result<u8> {
    let campaign = lightsout_config::campaign_file::load(&arguments.campaign)?;
    let roster = match &arguments.roster {
        Some(path) => lightsout_config::roster_file::read(path)?,
        // Names, contacts and exclusions of the latest decision, where there is one.
        None => match deciding::latest_head(lake, &campaign.name)? {
            Some(head) => deciding::rules(&deciding::find(lake, &head.decision_id)?)?.1,
            None => Roster::default(),
        },
    };
    let templates = Templates::load(arguments.texts.templates.as_deref())?;
    let queries = crate::session::open(lake, MEMORY_LIMIT_BYTES).await?;
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
    let context = NoticeContext { draft: false, ..context(&assessed, &arguments.texts, &who) };
    let folder = arguments.out.join("notices");
    let mut manifest = Manifest::begin_beside(&folder, &format!("usage_report-{month}"))?;
    let written = files::write_usage_reports(&arguments.out, &context, &templates)?;
    manifest.add(of_notices(&folder, &written)?);
    manifest.finish(decision_of(&assessed.assessment))?;
    if !global.quiet {
        let out = arguments.out.display();
        let without = written.iter().filter(|report| report.contacts == 0).count();
        eprintln!(
            "{} usage reports of {month}, {without} of them without a contact, are in {out}",
            written.len()
        );
    }
    Ok(0)
}

/// Writes lists and draft notices under `out`. A tenant that a change was announced to gets no draft of it.
pub(super) async fn write(
    assessed: &Assessed,
    texts: &Texts,
    out: &Path,
    global: &Global,
) -> Result<Vec<Written>> {
    let templates = Templates::load(texts.templates.as_deref())?;
    let who = assessed.queries.who(&assessed.campaign, assessed.assessment.window, "*").await?;
    let context = context(assessed, texts, &who);
    lists::write(out, &context)?;
    let folder = out.join("notices");
    let mut manifest = Manifest::begin(&folder)?;
    let announced = announced(&assessed.campaign, global).await?;
    let mut drafts = assessed.assessment.clone();
    drafts.tenants.retain(|tenant| !announced.contains(&tenant.tenant_id));
    let context = NoticeContext { assessment: &drafts, ..context };
    let written = files::write_all(out, &context, &templates)?;
    let passed = assessed.assessment.tenants.len() - drafts.tenants.len();
    if passed > 0 && !global.quiet {
        eprintln!(
            "no drafts of {passed} tenants that have been announced to; see: lightsout campaign status"
        );
    }
    manifest.add(of_notices(&folder, &written)?);
    manifest.finish(decision_of(&assessed.assessment))?;
    Ok(written)
}

/// Writes the lists alone: `assess` makes no notices.
pub(super) fn write_lists(assessed: &Assessed, out: &Path) -> Result<()> {
    let texts = Texts { notice_date: None, templates: None };
    lists::write(out, &context(assessed, &texts, &BTreeMap::new()))?;
    Ok(())
}

/// The tenants that something was announced to in a campaign, in the lake as it is now.
async fn announced(campaign: &Campaign, global: &Global) -> Result<BTreeSet<String>> {
    let lake = open_lake(global).await?;
    let queries = crate::session::open(&lake, MEMORY_LIMIT_BYTES).await?;
    let rows = queries.of_campaign::<StateRow>("campaign_state", &campaign.name).await?;
    Ok(rows.into_iter().map(|row| row.tenant_id).collect())
}

/// Drafts are of changes that nobody announced.
static NO_CHANGES: BTreeMap<String, Change> = BTreeMap::new();

fn context<'a>(
    assessed: &'a Assessed,
    texts: &Texts,
    who: &'a BTreeMap<String, Vec<lightsout_model::evidence::WhoRow>>,
) -> NoticeContext<'a> {
    NoticeContext {
        campaign: &assessed.campaign,
        assessment: &assessed.assessment,
        roster: &assessed.roster,
        who,
        changes: &NO_CHANGES,
        notice_date: texts.notice_date.unwrap_or(assessed.assessment.window.end),
        draft: true,
    }
}
