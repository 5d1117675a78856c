//! `lightsout run`: the main job. Ingest, assess, write; then say what came out.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::assess::tell;
use super::campaign;
use super::ingest::{self, Inputs};
use super::notices::Texts;
use super::roster::GivenRoster;
use super::shared::{Global, Rules, now, open_lake, print, write_json};
use crate::cli::failure::{Failure, Result};
use lightsout_campaign::Clock;
use lightsout_model::verdict::TenantVerdict;
use lightsout_output::text::count;
use lightsout_workflow::Error as StageError;
use lightsout_workflow::assess::{assess, write_page};
use lightsout_workflow::campaign::CampaignState;
use lightsout_workflow::campaign::diff::since_other_decision;
use lightsout_workflow::drafts;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    texts: Texts,
    /// Write files to this folder
    #[arg(long, value_name = "DIR", default_value = "./out")]
    pub(super) out: PathBuf,
    /// Print the run report to stdout as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    // Wrong settings are told before hours of reading.
    let rules = arguments.rules.load()?;
    std::fs::create_dir_all(&arguments.out).map_err(Failure::write(&arguments.out))?;
    let started = Instant::now();
    let roster = GivenRoster::or_kept_before(rules.roster.as_ref(), global, |_| {}).await?;
    let report = ingest::ingest(&arguments.inputs, roster, Some(&arguments.out), global).await?;
    ingest::tell(&report, &arguments.inputs, global);
    if arguments.inputs.dry_run {
        return Ok(arguments.inputs.exit_code(&report));
    }
    arguments.inputs.note_other_shards(global);
    let ingested = started.elapsed();
    let mut lake = open_lake(global).await?;
    if let Some(roster) = &rules.roster {
        roster.keep(&mut lake, global).await?;
    }
    let request = rules.in_lake(&lake, global)?;
    let campaign_file = request.campaign.clone();
    let assessed = match assess(&mut lake, request, &arguments.out, now()).await {
        Err(StageError::EmptyLake { .. }) if report.files_refused + report.rejected > 0 => {
            lightsout_output::stderr!(
                "nothing to assess, so no decision was recorded: refused {} of {}, rejected {} of {}; see the reasons \
                 above, and the formats that can be read: lightsout formats",
                report.files_refused,
                count(report.files, "file", "files"),
                report.rejected,
                count(report.records, "record", "records"),
            );
            return Ok(arguments.inputs.exit_code(&report));
        }
        assessed => assessed?,
    };
    let settings = arguments.texts.settings();
    drafts::write(&assessed, &settings, &arguments.out, &mut lake, global.note()).await?;
    write_page(&assessed, &arguments.out).await?;
    tell(&assessed.campaign, &assessed.assessment, &arguments.out, global);
    let clock = Clock::of(now());
    let state = CampaignState::read(lake, campaign_file, Some(assessed.roster), clock, |_| {}).await?;
    let difference = since_other_decision(&state, &assessed.assessment.decision_id)?;
    let difference = campaign::diff::in_json(&state.campaign.name, &difference)?;
    let verdicts: serde_json::Map<_, _> = TenantVerdict::ALL
        .into_iter()
        .map(|verdict| {
            let tenants = assessed.assessment.tenants.iter().filter(|tenant| tenant.verdict == verdict);
            (verdict.to_string(), json!(tenants.count()))
        })
        .collect();
    let run = json!({
        "program_version": env!("CARGO_PKG_VERSION"),
        "decision_id": assessed.assessment.decision_id,
        "campaign": assessed.assessment.campaign,
        "window": assessed.assessment.window,
        "verdicts": verdicts,
        "difference": difference,
        "ingest": report,
        "timings": {
            "ingest_seconds": ingested.as_secs_f64(),
            "assess_seconds": started.elapsed().saturating_sub(ingested).as_secs_f64(),
        },
    });
    write_json(&arguments.out.join("run.json"), &run)?;
    if arguments.json {
        print(&run.to_string());
    }
    Ok(arguments.inputs.exit_code(&report))
}
