//! `lightsout notices`: drafts of the notices, and the lists, for the campaign's current verdicts.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::Args;

use super::assess::{self, Assessed};
use super::shared::{Global, Rules, parse_day};
use crate::error::Result;
use crate::notify::{NoticeContext, lists, notice};

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
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    texts: Texts,
    /// Where files go
    #[arg(long, value_name = "DIR", default_value = "./out")]
    out: PathBuf,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let assessed = assess::assess(&arguments.rules, &arguments.out, global).await?;
    write(&assessed, &arguments.texts, &arguments.out).await?;
    assess::tell(&assessed.assessment, &arguments.out, global);
    Ok(0)
}

/// Writes lists and draft notices under `out`.
pub(super) async fn write(assessed: &Assessed, texts: &Texts, out: &Path) -> Result<()> {
    let who = assessed.queries.who(assessed.assessment.window).await?;
    let context = context(assessed, texts, &who);
    lists::write(out, &context)?;
    notice::write_all(out, &context, texts.templates.as_deref())?;
    Ok(())
}

/// Writes the lists alone: `assess` makes no notices.
pub(super) fn write_lists(assessed: &Assessed, out: &Path) -> Result<()> {
    let texts = Texts { notice_date: None, templates: None };
    lists::write(out, &context(assessed, &texts, &std::collections::BTreeMap::new()))?;
    Ok(())
}

fn context<'a>(
    assessed: &'a Assessed,
    texts: &Texts,
    who: &'a std::collections::BTreeMap<String, Vec<crate::notify::WhoRow>>,
) -> NoticeContext<'a> {
    NoticeContext {
        campaign: &assessed.campaign,
        assessment: &assessed.assessment,
        roster: &assessed.roster,
        who,
        notice_date: texts.notice_date.unwrap_or(assessed.assessment.window.end),
        draft: true,
    }
}
