//! What the person who ingests a file should know of it, beside its account: what nobody said of it, what it lacks, how
//! it was decoded. Sentences without the file's name; the same sentence may be true of many files.

use lightsout_formats::encoding::Encoding;
use lightsout_formats::shapes::Shape;
use lightsout_model::coverage::Basis;

use crate::account::{Account, Coverage};
use crate::{FileFate, IngestSettings};

/// What is known of a file when it is read.
pub(super) struct Facts<'a> {
    pub(super) fate: FileFate,
    pub(super) shape: Option<Shape>,
    pub(super) encoding: Encoding,
    pub(super) account: &'a Account,
    pub(super) missing_columns: &'a [&'static str],
    /// What it covers, and what the lake knew of that.
    pub(super) coverage: &'a [Coverage],
    pub(super) known_coverage: &'a [Coverage],
}

/// All that is to be said.
pub(super) fn advice(facts: &Facts<'_>, settings: &IngestSettings) -> Vec<String> {
    let mut advice = Vec::new();
    if facts.fate != FileFate::Ingested {
        return advice;
    }
    if facts.encoding == Encoding::Windows1252 {
        advice.push(
            "is not valid UTF-8 and was decoded as Windows-1252; to be sure of every name, save it as \"CSV UTF-8\""
                .to_owned(),
        );
    }
    if facts.account.records == 0 && facts.shape.is_some() {
        advice.push("holds no records: expected rows below its header".to_owned());
        return advice;
    }
    let uncategorised = facts.account.uncategorised;
    if uncategorised > 0 && facts.shape.is_some_and(Shape::is_downloaded_by_hand) {
        let records = if uncategorised == 1 { "record" } else { "records" };
        advice.push(format!(
            "{uncategorised} {records} of unknown category: expected it in the records or in the file's name, as in \
             NonInteractiveSignIns_*.csv; say --category interactive or --category non_interactive"
        ));
    }
    let is_audit = matches!(facts.shape, Some(Shape::Audit | Shape::AuditCsv));
    for column in facts.missing_columns.iter().filter(|_| !is_audit) {
        let column = match *column {
            "client_app" => {
                "client app (Client app, ClientAppUsed): without it no protocol can be determined"
            }
            "result" if facts.account.object_cells > 0 => {
                "result: its cells say \"[object Object]\", which a program has written in place of the status"
            }
            "result" => {
                "result (Status, Sign-in error code, ResultType): without it success can't be determined"
            }
            other => other,
        };
        advice.push(format!("lacks the column of the {column}; export again with all columns"));
    }
    let has_effect = |entry: &Coverage| {
        entry.category.is_some() && entry.stated.iter().any(|stated| stated.basis == Basis::Covers)
    };
    if settings.covers.is_some() && !facts.coverage.iter().chain(facts.known_coverage).any(has_effect) {
        advice.push(
            "--covers has no effect on it: expected records of a known category; say --category interactive or \
             --category non_interactive"
                .to_owned(),
        );
    }
    advice
}
