//! `lightsout lake`: what the lake holds, and whether its accounts add up.

use clap::Subcommand;

use super::shared::{Global, Output};
use crate::error::Result;
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
}

const STATUS: &str = include_str!("../../queries/views/status.sql");
const VERIFY: &str = include_str!("../../queries/views/verify.sql");

pub(super) async fn run(command: &Command, global: &Global) -> Result<u8> {
    let lake = Lake::open(&global.lake).await?;
    let queries = Queries::over(&lake, 1 << 30).await?;
    match command {
        Command::Status { output } => {
            output.write(&queries.run("status", STATUS, &[]).await?)?;
            Ok(0)
        }
        Command::Verify { output } => {
            let wrong = queries.run("verify", VERIFY, &[]).await?;
            let count: usize = wrong.iter().map(arrow::array::RecordBatch::num_rows).sum();
            output.write(&wrong)?;
            if !global.quiet {
                eprintln!("{count} sources whose account does not hold");
            }
            Ok(u8::from(count > 0))
        }
    }
}
