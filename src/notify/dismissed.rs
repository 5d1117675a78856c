//! Doubts that somebody has looked into and dismissed: whoever reads a verdict that rests on that reads it beside it.

use chrono::NaiveDate;
use serde::Serialize;

use super::locale::Locale;
use super::phrases;
use lightsout_model::evidence::Dismissal;
use lightsout_model::language::{Language, LocalText};
use lightsout_output::text::{count, plain_short};

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
    pub(super) fn of(dismissal: &Dismissal, locale: Locale) -> Self {
        Self {
            code: dismissal.doubt.clone(),
            what: locale.text(in_words(&dismissal.doubt)),
            files: dismissal.paths.len(),
            by: plain_short(&dismissal.by_whom, TEXT_CHARACTERS_MAX),
            on: locale.date(day(dismissal)),
            why: plain_short(&dismissal.why, TEXT_CHARACTERS_MAX),
        }
    }
}

fn day(dismissal: &Dismissal) -> NaiveDate {
    dismissal.dismissed_at.date_naive()
}

/// A doubt that can be dismissed, as a noun.
fn in_words(code: &str) -> LocalText {
    match code {
        "rejected_records" => phrases::DISMISSED_REJECTED,
        "refused_files" => phrases::DISMISSED_REFUSED,
        "tenant_mismatch" => phrases::DISMISSED_MISMATCH,
        "legacy_agent_elsewhere" => phrases::DISMISSED_AGENT,
        "unrecognised_client" => phrases::DISMISSED_CLIENT,
        "client_not_stated" => phrases::DISMISSED_NOT_STATED,
        "unknown_outcome" => phrases::DISMISSED_OUTCOME,
        "used_before_window" => phrases::DISMISSED_BEFORE,
        _ => phrases::DISMISSED_OTHER,
    }
}

/// One sentence of it, in plain text, for those who run the campaign.
#[must_use]
pub fn dismissal_text(dismissal: &Dismissal) -> String {
    let Dismissed { code, what, files, by, on, why } = Dismissed::of(dismissal, Locale(Language::English));
    let of = if files == 0 { String::new() } else { format!(" in {}", count(files as u64, "file", "files")) };
    format!("{code}: {what}{of}, dismissed by {by} on {on}: {why}")
}
