//! `lightsout assess`: evidence from the lake, verdicts, lists; the decision is kept. Or a kept one made
//! again, or two of them compared.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use clap::Args;

use super::shared::{Global, OnCluster, Output, Rules, now, open_lake, print, print_note};
use crate::cli::failure::{Failure, Result};
use lightsout_decisions::compare::Change;
use lightsout_decisions::{reproduce, store};
use lightsout_model::campaign::Campaign;
use lightsout_model::verdict::Assessment;
use lightsout_report::Format;
use lightsout_workflow::assess::{AssessRequest, PAGE_FILE};
use lightsout_workflow::{MEMORY_LIMIT_BYTES, assess, drafts};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    rules: Rules,
    /// Reproduce a kept decision from the lake as it was; exit 1 if the result differs
    #[arg(long, value_name = "ID", conflicts_with_all = ["campaign", "roster", "as_of", "window_days", "cluster"])]
    decision: Option<String>,
    /// Compare two kept decisions: which tenants changed, and why
    #[arg(long, value_names = ["ID", "ID"], num_args = 2, conflicts_with_all = ["decision", "campaign", "roster", "as_of", "window_days", "cluster"])]
    compare: Vec<String>,
    /// Write files to this folder
    #[arg(long, value_name = "DIR", default_value = "./out")]
    out: PathBuf,
    /// Print the assessment to stdout as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    on: OnCluster,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    if let [before, after] = arguments.compare.as_slice() {
        return compare(before, after, arguments.json, global).await;
    }
    let assessed = if let Some(id) = &arguments.decision {
        let lake = open_lake(global).await?;
        let assessed = reproduce::remake(&lake, &store::find(&lake, id)?, MEMORY_LIMIT_BYTES).await?;
        lightsout_report::assessment::write_all(&arguments.out, &assessed.assessment)?;
        assessed
    } else {
        let rules = arguments.rules.load()?;
        let mut lake = open_lake(global).await?;
        if let Some(roster) = &rules.roster {
            roster.keep(&mut lake, global).await?;
        }
        let cluster = arguments.on.cluster.clone();
        let request = AssessRequest { cluster, ..rules.in_lake(&lake, global)? };
        assess::assess(&mut lake, request, &arguments.out, now()).await?
    };
    if arguments.json {
        let json = serde_json::to_string_pretty(&assessed.assessment)
            .map_err(|source| Failure::Json { what: "the assessment", source })?;
        print(&json);
    }
    drafts::write_lists(&assessed, &arguments.out)?;
    assess::write_page(&assessed, &arguments.out).await?;
    tell(&assessed.campaign, &assessed.assessment, &arguments.out, global);
    Ok(0)
}

impl Arguments {
    /// The folder that it writes to; a comparison writes none.
    pub(super) fn out(&self) -> Option<&Path> {
        self.compare.is_empty().then_some(self.out.as_path())
    }
}

/// Which tenants two decisions tell different things of, on stdout.
async fn compare(before: &str, after: &str, json: bool, global: &Global) -> Result<u8> {
    let lake = open_lake(global).await?;
    let read = |id: &str| store::find(&lake, id).and_then(|row| reproduce::verdicts(&lake, &row, print_note));
    let changes = lightsout_decisions::compare::compare(&read(before)?.tenants, &read(after)?.tenants);
    let texts = |text: fn(&Change) -> Option<String>| -> ArrayRef {
        Arc::new(changes.iter().map(text).collect::<StringArray>())
    };
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("tenant_id", texts(|change| Some(change.tenant_id.clone())), false),
        ("display_name", texts(|change| change.display_name.clone()), true),
        ("verdict_before", texts(|change| change.before.clone()), true),
        ("verdict_after", texts(|change| change.after.clone()), true),
        ("why", texts(|change| Some(change.why.join("; "))), false),
    ])
    .map_err(|source| Failure::Arrow { what: "comparing decisions", source })?;
    let format = json.then_some(Format::Json);
    Output { format, output: None }.write(&[batch])?;
    if !global.quiet {
        lightsout_output::stderr!("tenants changed: {}", changes.len());
    }
    Ok(0)
}

/// The closing table, on stderr.
pub(super) fn tell(campaign: &Campaign, assessment: &Assessment, out: &Path, global: &Global) {
    if global.quiet {
        return;
    }
    let width = terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0);
    lightsout_output::stderr!("{}", lightsout_report::closing::text(campaign, assessment, width).trim_end());
    lightsout_output::stderr!("decision {}; files are in {}", assessment.decision_id, out.display());
    lightsout_output::stderr!("open in a browser: {}", out.join(PAGE_FILE).display());
}
