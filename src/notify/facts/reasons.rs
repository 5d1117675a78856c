//! Reasons as templates see them: one flat struct, so that a template asks for the code and finds its
//! numbers beside it. What a reason does not have is empty or zero.

use chrono::NaiveDate;
use serde::Serialize;

use super::TEXT_CHARACTERS_MAX;
use crate::reason_text::{filter_shown, told};
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::verdict::{Reason, TenantAssessment};
use lightsout_output::text::{date, enumerate, plain_short};

#[derive(Debug, Default, Serialize)]
pub(super) struct ReasonFacts {
    code: &'static str,
    protocol: Option<&'static str>,
    category: Option<&'static str>,
    log: Option<&'static str>,
    users: u64,
    sign_ins: u64,
    days: i64,
    permitted_days: u32,
    range: Option<String>,
    first_iso: Option<String>,
    last_iso: Option<String>,
    last_provable_day: Option<String>,
    as_of_iso: Option<String>,
    first_covered_day: Option<String>,
    possible_from: Option<String>,
    /// Missing days, rejected records or refused files.
    count: u64,
    /// Of so many expected days.
    of: u32,
    columns: String,
    columns_count: usize,
    note: Option<String>,
    /// The reason in words, and its cure; texts of the log in it are plain.
    what: String,
    cure: Option<String>,
}

impl ReasonFacts {
    pub(super) fn of(reason: &Reason) -> Self {
        let (what, cure) = told(reason, None);
        let mut facts = Self { code: reason.code(), what, cure, ..Self::default() };
        let mut of_category = |category: Category| {
            facts.category = Some(category_name(category));
            facts.log = Some(log_name(category));
        };
        match reason {
            Reason::Excluded { note } => facts.note = Some(plain_short(note, TEXT_CHARACTERS_MAX)),
            Reason::Gap { category, days, permitted_days } => {
                of_category(*category);
                facts.days = (days.last - days.first).num_days() + 1;
                facts.permitted_days = *permitted_days;
                facts.range = Some(if days.first == days.last {
                    date(days.first)
                } else {
                    format!("{} to {}", date(days.first), date(days.last))
                });
                facts.first_iso = Some(days.first.to_string());
                facts.last_iso = Some(days.last.to_string());
            }
            Reason::NotSettled { category, last_provable_day } => {
                of_category(*category);
                facts.last_provable_day = last_provable_day.map(date);
                // The window ends before its `as_of`.
                let as_of = last_provable_day.and_then(|day| day.succ_opt());
                facts.as_of_iso = as_of.map(|day: NaiveDate| day.to_string());
            }
            Reason::WindowLongerThanHistory { category, first_covered_day, possible_from } => {
                of_category(*category);
                facts.first_covered_day = Some(date(*first_covered_day));
                facts.possible_from = Some(date(*possible_from));
            }
            Reason::ColumnMissing { category, columns } => {
                of_category(*category);
                facts.columns = enumerate(columns);
                facts.columns_count = columns.len();
            }
            Reason::InUse { protocol, users, sign_ins }
            | Reason::UsedBeforeWindow { protocol, users, sign_ins } => {
                facts.protocol = Some(protocol.display_name());
                (facts.users, facts.sign_ins) = (*users, *sign_ins);
            }
            Reason::UnattributedLegacyUse { users, sign_ins } => {
                facts.protocol = Some(Protocol::OtherLegacy.display_name());
                (facts.users, facts.sign_ins) = (*users, *sign_ins);
            }
            Reason::UnknownOutcome { protocol, sign_ins } | Reason::Attempted { protocol, sign_ins } => {
                facts.protocol = Some(protocol.display_name());
                facts.sign_ins = *sign_ins;
            }
            Reason::UnrecognisedClient { sign_ins }
            | Reason::ClientNotStated { sign_ins }
            | Reason::LegacyAgentElsewhere { sign_ins }
            | Reason::TenantMismatch { sign_ins } => {
                facts.sign_ins = *sign_ins;
            }
            Reason::DaysMissing { category, expected, needed, seen, missing, .. } => {
                of_category(*category);
                facts.count = u64::from(expected - seen);
                facts.of = *expected;
                facts.permitted_days = expected - needed;
                facts.range = Some(format!("{} to {}", date(missing.first), date(missing.last)));
            }
            Reason::RejectedRecords { records, .. } => facts.count = *records,
            Reason::RefusedFiles { files, .. } => facts.count = *files,
            Reason::CategoryMissing { category } | Reason::NearIdle { category, .. } => {
                of_category(*category);
            }
            Reason::FilteredExport { category, export } => {
                of_category(*category);
                facts.note = Some(filter_shown(&export.filter));
            }
            Reason::NoRecords
            | Reason::Unused
            | Reason::SmtpReport { .. }
            | Reason::InUseByReport { .. }
            | Reason::AlreadyOff { .. } => {}
        }
        facts
    }
}

/// The reasons that decided, then what else is wrong with the evidence.
pub(super) fn all_reasons(tenant: &TenantAssessment) -> Vec<&Reason> {
    let mut reasons: Vec<&Reason> = tenant.reasons.iter().collect();
    for reason in &tenant.evidence_reasons {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

pub(super) const fn category_name(category: Category) -> &'static str {
    match category {
        Category::Interactive => "interactive",
        Category::NonInteractive => "non-interactive",
        Category::ServicePrincipal => "service principal",
        Category::ManagedIdentity => "managed identity",
        Category::MicrosoftServicePrincipal => "Microsoft service principal",
        Category::Adfs => "AD FS",
    }
}

/// As the diagnostic settings of Entra ID name the log.
pub(super) const fn log_name(category: Category) -> &'static str {
    match category {
        Category::Interactive => "SignInLogs",
        Category::NonInteractive => "NonInteractiveUserSignInLogs",
        Category::ServicePrincipal => "ServicePrincipalSignInLogs",
        Category::ManagedIdentity => "ManagedIdentitySignInLogs",
        Category::MicrosoftServicePrincipal => "MicrosoftServicePrincipalSignInLogs",
        Category::Adfs => "ADFSSignInLogs",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_told_by_the_name_that_ingest_knows_its_log_by() {
        for category in Category::ALL {
            assert_eq!(Category::from_diagnostic(log_name(category)), Some(category));
        }
    }
}
