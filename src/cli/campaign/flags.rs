//! Flags that several campaign commands share, and what they become: the state that a command works on, the files that
//! it writes, the tenants that it is about.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;

use super::super::roster::GivenRoster;
use super::super::shared::{Global, Output, find_tenant, now, open_lake, print_note};
use crate::cli::failure::{Failure, Result};
use lightsout_campaign::{Clock, Refusal};
use lightsout_config::request_file::{self, RESULT_COLUMNS, parse_time};
use lightsout_model::change::Request;
use lightsout_model::protocol::Protocol;
use lightsout_model::tenant::is_guid;
use lightsout_output::text::count;
use lightsout_workflow::campaign::notice_batch::{NoticeCount, NoticeFiles, SENT};
use lightsout_workflow::campaign::{CampaignState, LIST_COLUMNS};
use lightsout_workflow::drafts;

/// Flags of every command that reads or writes the ledger.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// A built-in campaign or a TOML file [default: basic-auth-all-protocols]
    #[arg(
        long,
        value_name = "NAME|FILE",
        default_value = "basic-auth-all-protocols",
        hide_default_value = true
    )]
    pub(super) campaign: String,
    /// List of tenants, as CSV, JSON or Parquet [default: the lake's, else that of the
    /// decision]
    #[arg(long, value_name = "FILE")]
    pub(super) roster: Option<PathBuf>,
    /// Use this time instead of the system clock, e.g. 2026-12-01 or
    /// 2026-12-01T09:30:00Z; events also keep the system clock, and nothing is due
    /// before both have reached its date
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) now: Option<DateTime<Utc>>,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Common {
    /// The state for a command that records events: a roster that is given becomes the lake's.
    pub(super) async fn read_state(&self, global: &Global) -> Result<CampaignState> {
        let state = self.read(global, true).await?;
        if let Some(last_day) = state.not_looked_at().await?.filter(|_| !global.quiet) {
            lightsout_output::stderr!(
                "warning: --now is {}, but the lake has sign-ins until {last_day}; sign-ins after --now are ignored",
                state.now.date_naive()
            );
        }
        Ok(state)
    }

    /// The state for a command that only looks.
    pub(super) async fn look_at_state(&self, global: &Global) -> Result<CampaignState> {
        self.read(global, false).await
    }

    async fn read(&self, global: &Global, keeps_roster: bool) -> Result<CampaignState> {
        let campaign = lightsout_config::campaign_file::load(&self.campaign)?;
        let mut lake = open_lake(global).await?;
        let wall = now();
        let now = self.now.unwrap_or(wall);
        let given = GivenRoster::read(self.roster.as_deref(), now.date_naive())?;
        let roster = if keeps_roster {
            GivenRoster::kept_or_latest(given, &mut lake, now.date_naive(), global).await?
        } else {
            GivenRoster::or_kept(given, &lake, now.date_naive(), global)?
        };
        Ok(CampaignState::read(lake, campaign, roster, Clock { now, wall }, print_note).await?)
    }
}

/// Flags of the commands that write notices.
#[derive(Debug, Args)]
pub(super) struct Files {
    /// Write files to this folder
    #[arg(long, value_name = "DIR", default_value = "./out")]
    pub(super) out: PathBuf,
    /// Folder of your own notice templates, named like the built-in ones; those
    /// for German tenants are in its folder de. See: lightsout notices templates
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

impl Files {
    pub(super) fn settings(&self) -> NoticeFiles {
        NoticeFiles { out: self.out.clone(), templates: self.templates.clone() }
    }

    /// What a command says of the notices that it wrote.
    pub(super) fn summary(&self, notices: NoticeCount) -> String {
        let NoticeCount { written, without_contact, in_other_language } = notices;
        let without = match without_contact {
            0 => String::new(),
            some => format!(", {some} of them without a contact"),
        };
        let notices = count(written as u64, "notice", "notices");
        let are = if written == 1 { "is" } else { "are" };
        let mut summary = format!("{notices}{without} {are} in {}", self.out.join(SENT).display());
        if in_other_language > 0 {
            summary = format!("{summary}\n{}", drafts::in_other_language(in_other_language));
        }
        summary
    }
}

/// Whom a command is about: one on the command line, or a list.
#[derive(Debug, Args)]
pub(super) struct Whom {
    /// Tenant id, or a domain or name of the roster; or use --from
    #[arg(value_name = "TENANT", required_unless_present = "from", conflicts_with = "from")]
    tenant: Option<String>,
    #[expect(clippy::doc_markdown, reason = "help text, shown as it stands")]
    /// CSV of tenant_id[,protocols][,by_whom][,happened_at], or a list that a
    /// campaign command wrote; confirm also takes the result file of run-all.ps1
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Only this protocol, e.g. imap4; can be repeated [default: all that were
    /// announced]
    #[arg(long, value_name = "P", value_delimiter = ',', conflicts_with = "from")]
    protocol: Vec<Protocol>,
    /// Name of the person who asked for it or did it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// When it happened, e.g. 2026-12-01T09:30:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "from")]
    at: Option<DateTime<Utc>>,
}

impl Whom {
    /// The requests of a command line or of a list. Of a runner's results, where the command takes them, those of
    /// tenants that are finished; the others are named on stderr.
    pub(super) fn requests(&self, state: &CampaignState, takes_results: bool) -> Result<Vec<Request>> {
        if let Some(path) = &self.from {
            let results: &[&str] = if takes_results { &RESULT_COLUMNS } else { &[] };
            let list = request_file::read(path, &[LIST_COLUMNS, results].concat())?;
            for tenant_id in list.unfinished {
                lightsout_output::stderr!(
                    "skipped tenant {tenant_id}: its script did not finish, according to {}",
                    path.display()
                );
            }
            let mut requests = list.requests;
            for request in &mut requests {
                request.by_whom = request.by_whom.take().or_else(|| self.by.clone());
            }
            return Ok(requests);
        }
        let named = self.tenant.as_deref().unwrap_or_default();
        Ok(vec![Request {
            tenant_id: tenant_id(state, "TENANT", named)?,
            protocols: (!self.protocol.is_empty()).then(|| self.protocol.clone()),
            by_whom: self.by.clone(),
            happened_at: self.at,
            line: None,
        }])
    }
}

/// The reason that somebody gives.
#[derive(Debug, Args)]
pub(super) struct Why {
    /// Reason, recorded with the event and stated in the tenant's notice
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(super) why: String,
}

/// A tenant by its id, or by a domain or name of the roster.
pub(super) fn tenant_id(state: &CampaignState, flag: &'static str, named: &str) -> Result<String> {
    // An id may be of anybody: the ledger says whether something was announced to it.
    let id = named.trim().to_ascii_lowercase();
    if is_guid(&id) {
        return Ok(id);
    }
    let known: Vec<&str> =
        state.ledger.tenants.keys().chain(state.ledger.withdrawn.keys()).map(String::as_str).collect();
    find_tenant(flag, named, &state.current_roster()?, &known)
}

/// What is taken back needs somebody who answers for it.
pub(super) fn somebody_answers(requests: &[Request]) -> Result<()> {
    let nobody = |request: &&Request| request.by_whom.as_deref().is_none_or(|by| by.trim().is_empty());
    match requests.iter().find(nobody) {
        None => Ok(()),
        Some(request) => Err(Failure::Usage {
            flag: "--by",
            expected: "the name of the person responsible".to_owned(),
            found: request
                .line
                .map_or_else(|| "nothing".to_owned(), |line| format!("no by_whom in line {line}")),
        }),
    }
}

pub(super) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    parse_time(text)
        .ok_or_else(|| "expected a day or a time, as in 2026-12-01 or 2026-12-01T09:30:00Z".to_owned())
}

/// Lists refusals on stderr, each with its reason.
pub(super) fn print_refusals(refused: &[Refusal]) {
    for refusal in refused {
        let line = refusal.line.map(|line| format!("line {line}, ")).unwrap_or_default();
        lightsout_output::stderr!("refused: {line}tenant {}: {}", refusal.tenant_id, refusal.why);
    }
}
