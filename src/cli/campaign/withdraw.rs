//! `lightsout campaign withdraw`: announcements are taken back.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::super::shared::Global;
use super::flags::{Common, Files, Why, print_refusals, tenant_id};
use super::rows;
use crate::cli::failure::Result;
use lightsout_config::request_file;
use lightsout_model::change::Request;
use lightsout_output::text::count;
use lightsout_workflow::campaign::CampaignState;
use lightsout_workflow::campaign::LIST_COLUMNS;
use lightsout_workflow::campaign::take_back::{WithdrawnPart, requests_of, withdraw};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["tenant", "tenants_from", "announcement", "wave"]))]
pub(in crate::cli) struct Arguments {
    /// Only this tenant: its id, or a domain or name of the roster; can be repeated
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    #[expect(clippy::doc_markdown, reason = "help text, shown as it stands")]
    /// CSV with a column tenant_id, or a list that a campaign
    /// command wrote
    #[arg(long, visible_alias = "from", value_name = "FILE")]
    tenants_from: Option<PathBuf>,
    /// All tenants of an announcement, by the id that announce printed
    #[arg(long, value_name = "ID")]
    announcement: Option<String>,
    /// All tenants of the campaign's N-th announcement, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    wave: Option<u32>,
    #[command(flatten)]
    why: Why,
    /// Name of the person who withdraws it
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    by: String,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    pub(super) files: Files,
}

impl Arguments {
    fn requests(&self, state: &CampaignState) -> Result<Vec<Request>> {
        if let Some(id) = &self.announcement {
            return Ok(requests_of(state, &WithdrawnPart::Announcement(id.clone()), &self.by)?);
        }
        if let Some(number) = self.wave {
            return Ok(requests_of(state, &WithdrawnPart::Wave(number), &self.by)?);
        }
        if let Some(path) = &self.tenants_from {
            let mut requests = request_file::read(path, LIST_COLUMNS)?.requests;
            for request in &mut requests {
                // Lists of other commands name protocols: a withdrawal is of the whole announcement.
                request.protocols = None;
                request.by_whom = Some(self.by.clone());
                request.happened_at = None;
            }
            return Ok(requests);
        }
        let request = |named: &String| {
            Ok(Request {
                tenant_id: tenant_id(state, "--tenant", named)?,
                protocols: None,
                by_whom: Some(self.by.clone()),
                happened_at: None,
                line: None,
            })
        };
        self.tenant.iter().map(request).collect()
    }
}

/// Exit code 1 if one was refused; the others are recorded.
pub(super) async fn run(arguments: &Arguments, global: &Global) -> Result<u8> {
    let mut state = arguments.common.read_state(global).await?;
    let requests = arguments.requests(&state)?;
    let files = &arguments.files;
    let taken = withdraw(&mut state, &requests, &arguments.why.why, &files.settings()).await?;
    let done = &taken.done;
    print_refusals(&done.refused);
    let rows = rows::withdrawn(&state.ledger, &state.names()?, taken.changes.keys().map(String::as_str))?;
    arguments.common.output.write(&[rows])?;
    if !global.quiet {
        lightsout_output::stderr!(
            "{} recorded, {} already known, {} refused; {}",
            count(done.events.len() as u64, "withdrawal", "withdrawals"),
            done.already.len(),
            done.refused.len(),
            files.summary(taken.notices)
        );
        if !done.events.is_empty() {
            lightsout_output::stderr!(
                "what was announced will not be turned off; what is already off stays off"
            );
        }
    }
    Ok(u8::from(!done.refused.is_empty()))
}
