//! `lightsout assess`: evidence from the lake, verdicts, lists; the decision is kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::Args;

use super::shared::{Global, MEMORY_LIMIT_BYTES, Rules, now, print};
use crate::assess::decision::{Basis, DecisionRow, decide};
use crate::assess::default_as_of;
use crate::campaign::Campaign;
use crate::error::{Error, Result};
use crate::evidence::Window;
use crate::lake::Lake;
use crate::lake::commit::Manifest;
use crate::lake::schema::Table;
use crate::query::Queries;
use crate::query::evidence::EVIDENCE_QUERIES;
use crate::tenant::Roster;
use crate::verdict::{Assessment, TenantVerdict};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    rules: Rules,
    /// Where files go
    #[arg(long, value_name = "DIR", default_value = "./out")]
    out: PathBuf,
    /// The assessment on stdout
    #[arg(long)]
    json: bool,
}

/// What an assessment leaves for the stages after it.
pub(super) struct Assessed {
    pub(super) campaign: Campaign,
    pub(super) roster: Roster,
    pub(super) assessment: Assessment,
    pub(super) queries: Queries,
}

pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let assessed = assess(&arguments.rules, &arguments.out, global).await?;
    if arguments.json {
        let json = serde_json::to_string_pretty(&assessed.assessment)
            .map_err(|source| Error::Json { what: "the assessment", source })?;
        print(&json);
    }
    super::notices::write_lists(&assessed, &arguments.out)?;
    tell(&assessed.assessment, &arguments.out, global);
    Ok(0)
}

pub(super) async fn assess(rules: &Rules, out: &Path, global: &Global) -> Result<Assessed> {
    let (campaign, roster) = rules.load()?;
    let mut lake = Lake::open(&global.lake).await?;
    drop(lake.lock().await?);
    let queries = Queries::over(&lake, MEMORY_LIMIT_BYTES).await?;
    let as_of = match rules.as_of {
        Some(as_of) => as_of,
        None => default_as_of(&campaign, &roster, &queries.coverage().await?)
            .ok_or_else(|| Error::EmptyLake { lake: lake.name() })?,
    };
    let window = Window::before(as_of, campaign.window_days);
    let evidence = queries.evidence(&campaign, window).await?;
    let basis = Basis {
        campaign: &campaign,
        roster: &roster,
        evidence: &evidence,
        window,
        queries: &EVIDENCE_QUERIES,
        seed: 0,
    };
    let versions: BTreeMap<&str, u64> =
        lake.versions()?.into_iter().map(|(table, version)| (table.as_str(), version)).collect();
    let versions =
        serde_json::to_string(&versions).map_err(|source| Error::Json { what: "versions", source })?;
    let (assessment, row) = decide(&basis, now(), versions)?;
    crate::report::assessment::write_all(out, &assessment)?;
    keep(&mut lake, &queries, &row).await?;
    Ok(Assessed { campaign, roster, assessment, queries })
}

/// Records the decision unless the lake has it.
async fn keep(lake: &mut Lake, queries: &Queries, row: &DecisionRow) -> Result<()> {
    let id = ("id".to_owned(), datafusion::common::ScalarValue::Utf8(Some(row.decision_id.clone())));
    let sql = "SELECT decision_id FROM decisions WHERE decision_id = $id";
    let known = queries.run("decisions", sql, &[id]).await?;
    if known.iter().any(|batch| batch.num_rows() > 0) {
        return Ok(());
    }
    let batch = crate::lake::rows::to_batch(Table::Decisions, std::slice::from_ref(row))?;
    let batch_id = uuid::Uuid::new_v4().simple().to_string();
    let name = format!("part-{batch_id}");
    let file = crate::lake::write::write_file(lake.root(), Table::Decisions, &name, &batch)?;
    let lock = lake.lock().await?;
    let decided_at: DateTime<Utc> = row.decided_at;
    lake.commit(
        &lock,
        &Manifest { batch_id, files: vec![file], replaced: Vec::new() },
        decided_at.timestamp_millis(),
    )
    .await
}

/// The closing table, on stderr.
pub(super) fn tell(assessment: &Assessment, out: &Path, global: &Global) {
    if global.quiet {
        return;
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::UTF8_BORDERS_ONLY).set_header(["verdict", "tenants"]);
    for verdict in TenantVerdict::ALL {
        let count = assessment.tenants.iter().filter(|tenant| tenant.verdict == verdict).count();
        table.add_row([verdict.to_string(), count.to_string()]);
    }
    eprintln!(
        "window {} to {} (before as_of {}), campaign {}",
        assessment.window.first,
        assessment.window.end.pred_opt().unwrap_or_default(),
        assessment.window.end,
        assessment.campaign,
    );
    eprintln!("{table}");
    let mut usage: BTreeMap<_, (u64, u64, u64)> = BTreeMap::new();
    for protocol in assessment.tenants.iter().flat_map(|tenant| &tenant.protocols) {
        if protocol.sign_ins > 0 {
            let row = usage.entry(protocol.protocol).or_default();
            *row = (row.0 + 1, row.1 + protocol.users, row.2 + protocol.sign_ins);
        }
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::UTF8_BORDERS_ONLY).set_header([
        "protocol in use",
        "tenants",
        "users",
        "sign-ins",
    ]);
    for (protocol, (tenants, users, sign_ins)) in usage {
        table.add_row([protocol.to_string(), tenants.to_string(), users.to_string(), sign_ins.to_string()]);
    }
    eprintln!("{table}");
    eprintln!("decision {}; files are in {}", assessment.decision_id, out.display());
}
