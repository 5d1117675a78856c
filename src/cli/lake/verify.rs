//! `lightsout lake verify` and `lake repair`: what of a lake is not as it was written, and what can be mended.

use super::super::shared::{Global, Output, now, print_note};
use super::print_report;
use crate::cli::failure::Result;
use lightsout_lake::Lake;
use lightsout_lake::repair::RepairReport;
use lightsout_lake::verify::{Damage, Depth, damaged_logs};
use lightsout_output::text::{count, plain};
use lightsout_workflow::{MEMORY_LIMIT_BYTES, open, session};

const VERIFY: &str = include_str!("../../../queries/views/verify.sql");

pub(super) async fn run(deep: bool, output: &Output, global: &Global) -> Result<u8> {
    let damages = damaged_logs(&lightsout_lake::folder_of(&global.lake).await?)?;
    if !damages.is_empty() {
        return Ok(damaged(&damages, global));
    }
    let mut lake = Lake::open(&global.lake).await?;
    let report = lake.verify_files(if deep { Depth::Content } else { Depth::Footers })?;
    if !report.damages.is_empty() {
        return Ok(damaged(&report.damages, global));
    }
    open::upgrade(&mut lake, now(), print_note).await?;
    let queries = session::open(&lake, MEMORY_LIMIT_BYTES).await?;
    let wrong = queries.run("verify", VERIFY, &[]).await?;
    let sources: usize = wrong.iter().map(arrow::array::RecordBatch::num_rows).sum();
    output.write(&wrong)?;
    let incomplete = lightsout_decisions::store::incomplete(&lake)?;
    for error in &incomplete {
        lightsout_output::stderr!("{error}");
    }
    if !global.quiet {
        lightsout_output::stderr!(
            "{} row counts do not match their records",
            count(sources as u64, "source whose", "sources whose")
        );
        let read = if deep { "read whole" } else { "checked by size, footer and rows" };
        lightsout_output::stderr!("{} {read}", count(report.files, "data file", "data files"));
        if report.unhashed > 0 {
            let files = count(report.unhashed, "data file", "data files");
            lightsout_output::stderr!(
                "the lake's log has no hash of {files}; other programs or an earlier lightsout wrote them"
            );
        }
    }
    Ok(u8::from(sources > 0 || !incomplete.is_empty()))
}

fn damaged(damages: &[Damage], global: &Global) -> u8 {
    for damage in damages {
        lightsout_output::stderr!("damaged: {}", plain(&damage.to_string()));
    }
    let files = count(damages.len() as u64, "file is damaged or missing", "files are damaged or missing");
    let lake = plain(&global.lake.display().to_string());
    lightsout_output::stderr!(
        "lightsout: {files}, so nothing else was checked; restore them from a backup, or see what can be repaired \
         with: lightsout lake repair --lake {lake}"
    );
    1
}

pub(super) async fn repair(yes: bool, json: bool, global: &Global) -> Result<u8> {
    let report = lightsout_lake::repair::repair(&global.lake, !yes, now()).await?;
    if json {
        print_report(&report)?;
    }
    if !global.quiet || !report.is_whole() {
        tell(&report, yes);
    }
    let is_left = !report.is_whole() || (!yes && !report.steps.is_empty());
    Ok(u8::from(is_left))
}

fn tell(report: &RepairReport, yes: bool) {
    if report.damages.is_empty() && report.steps.is_empty() {
        lightsout_output::stderr!("nothing is damaged");
        return;
    }
    for step in &report.steps {
        lightsout_output::stderr!("{}{}", if yes { "done: " } else { "would: " }, plain(step));
    }
    for path in &report.ingest_again {
        lightsout_output::stderr!("ingest again: {}", plain(path));
    }
    for left in &report.not_mended {
        lightsout_output::stderr!("can't be repaired: {}", plain(left));
    }
    if !yes && !report.steps.is_empty() {
        lightsout_output::stderr!("nothing was changed; to repair: lightsout lake repair --yes");
    }
}
