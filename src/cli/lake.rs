//! `lightsout lake`: what the lake holds, whether its accounts add up, and rejects tried again.

use clap::Subcommand;

use super::shared::{Global, MEMORY_LIMIT_BYTES, Naming, Output, now, print};
use crate::error::{Error, Result};
use crate::ingest::{self, IngestSettings};
use crate::lake::Lake;
use crate::query::Queries;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Tables with their rows
    Status {
        #[command(flatten)]
        output: Output,
    },
    /// Check every file's account against the tables; exit 1 if one does not hold
    Verify {
        #[command(flatten)]
        output: Output,
    },
    /// Try rejected records again, for example with the tenant that they lacked
    Replay {
        #[command(flatten)]
        naming: Naming,
        /// Say what would become of them; write nothing
        #[arg(long)]
        dry_run: bool,
        /// The report on stdout
        #[arg(long)]
        json: bool,
    },
}

const STATUS: &str = include_str!("../../queries/views/status.sql");
const VERIFY: &str = include_str!("../../queries/views/verify.sql");

pub(super) async fn run(command: &Command, global: &Global) -> Result<u8> {
    let mut lake = Lake::open(&global.lake).await?;
    match command {
        Command::Status { output } => {
            let queries = Queries::over(&lake, MEMORY_LIMIT_BYTES).await?;
            output.write(&queries.run("status", STATUS, &[]).await?)?;
            Ok(0)
        }
        Command::Verify { output } => {
            let queries = Queries::over(&lake, MEMORY_LIMIT_BYTES).await?;
            let wrong = queries.run("verify", VERIFY, &[]).await?;
            let count: usize = wrong.iter().map(arrow::array::RecordBatch::num_rows).sum();
            output.write(&wrong)?;
            if !global.quiet {
                eprintln!("{count} sources whose account does not hold");
            }
            Ok(u8::from(count > 0))
        }
        Command::Replay { naming, dry_run, json } => replay(&mut lake, naming, *dry_run, *json, global).await,
    }
}

async fn replay(lake: &mut Lake, naming: &Naming, dry_run: bool, json: bool, global: &Global) -> Result<u8> {
    let settings = IngestSettings {
        tenant_id: naming.tenant_id(),
        category: naming.category,
        date_order: naming.date_order,
        covers: None,
        jobs: 1,
        memory_limit_bytes: MEMORY_LIMIT_BYTES,
        dry_run,
        now: now().timestamp_micros(),
    };
    let report = ingest::replay(lake, &settings, &naming.assignments()?).await?;
    if json {
        let json = serde_json::to_string_pretty(&report)
            .map_err(|source| Error::Json { what: "the replay report", source })?;
        print(&json);
    }
    if !global.quiet {
        eprintln!(
            "{}{} rejects tried again = {} rows + {} not sign-ins + {} still rejected",
            if dry_run { "would be: " } else { "" },
            report.tried,
            report.rows,
            report.not_sign_ins,
            report.still_rejected,
        );
        for (reason, count) in &report.rejected_by_reason {
            eprintln!("  rejected, {reason}: {count}");
        }
    }
    Ok(0)
}
