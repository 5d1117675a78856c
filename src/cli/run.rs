//! `lightsout run`: the main job. Ingest, assess, write; then say what came out.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::assess;
use super::deciding;
use super::ingest::{self, Inputs};
use super::notices::{self, Texts};
use super::shared::{Global, Rules, print, write_json};
use crate::error::{Error, Result};
use lightsout_model::verdict::TenantVerdict;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    texts: Texts,
    /// Where files go
    #[arg(long, value_name = "DIR", default_value = "./out")]
    out: PathBuf,
    /// The run report on stdout
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    // Wrong settings are told before hours of reading.
    let (_, roster) = arguments.rules.load()?;
    std::fs::create_dir_all(&arguments.out).map_err(Error::write(&arguments.out))?;
    let started = Instant::now();
    let report = ingest::ingest(&arguments.inputs, roster, global).await?;
    ingest::tell(&report, &arguments.inputs, global);
    if arguments.inputs.dry_run {
        return Ok(arguments.inputs.exit_code(&report));
    }
    let ingested = started.elapsed();
    let assessed = match deciding::assess(&arguments.rules, &arguments.out, global).await {
        Err(Error::EmptyLake { .. }) if report.files_refused + report.rejected > 0 => {
            eprintln!(
                "nothing to assess, and no decision is recorded: of {} files {} were refused, and of {} records {} were \
                 rejected; the reasons are above, what is read is told by: lightsout formats",
                report.files, report.files_refused, report.records, report.rejected
            );
            return Ok(arguments.inputs.exit_code(&report));
        }
        assessed => assessed?,
    };
    notices::write(&assessed, &arguments.texts, &arguments.out, global).await?;
    super::page::write(&assessed, &arguments.out).await?;
    assess::tell(&assessed.campaign, &assessed.assessment, &arguments.out, global);
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
