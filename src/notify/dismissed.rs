//! Doubts that somebody has looked into and dismissed: whoever reads a verdict that rests on that reads it beside it.

use chrono::NaiveDate;
use serde::Serialize;

use lightsout_model::evidence::Dismissal;
use lightsout_output::text::{count, date, plain_short};

const TEXT_CHARACTERS_MAX: usize = 120;

/// What a template may say of one.
#[derive(Debug, Serialize)]
pub(super) struct Dismissed {
    /// The doubt's code.
    code: String,
    /// The doubt in words.
    what: &'static str,
    /// The files that it is of, 0 for all.
    files: usize,
    by: String,
    on: String,
    why: String,
}

impl Dismissed {
    pub(super) fn of(dismissal: &Dismissal) -> Self {
        Self {
            code: dismissal.doubt.clone(),
            what: in_words(&dismissal.doubt),
            files: dismissal.paths.len(),
            by: plain_short(&dismissal.by_whom, TEXT_CHARACTERS_MAX),
            on: date(day(dismissal)),
            why: plain_short(&dismissal.why, TEXT_CHARACTERS_MAX),
        }
    }
}

fn day(dismissal: &Dismissal) -> NaiveDate {
    dismissal.dismissed_at.date_naive()
}

/// A doubt that can be dismissed, as a noun.
fn in_words(code: &str) -> &'static str {
    match code {
        "rejected_records" => "records that could not be read",
        "refused_files" => "files that could not be read",
        "tenant_mismatch" => "sign-ins that name other tenants only",
        "legacy_agent_elsewhere" => "sign-ins at another service by a user agent of Basic Authentication",
        "unrecognised_client" => "sign-ins by client apps that are not recognised",
        "client_not_stated" => "sign-ins that state no client app",
        "unknown_outcome" => "sign-ins without a status",
        "used_before_window" => "usage before the time searched",
        _ => "a doubt",
    }
}

/// One sentence of it, in plain text, for those who run the campaign.
#[must_use]
pub fn dismissal_text(dismissal: &Dismissal) -> String {
    let Dismissed { code, what, files, by, on, why } = Dismissed::of(dismissal);
    let of = if files == 0 { String::new() } else { format!(" in {}", count(files as u64, "file", "files")) };
    format!("{code}: {what}{of}, dismissed by {by} on {on}: {why}")
}
