//! Reasons as templates see them: one flat struct, so that a template asks for the code and finds its
//! numbers beside it. What a reason does not have is empty or zero.

use chrono::NaiveDate;
use serde::Serialize;

use super::TEXT_CHARACTERS_MAX;
use crate::locale::Locale;
use crate::phrases;
use crate::reason_text::filter_shown;
use lightsout_model::protocol::Protocol;
use lightsout_model::sign_in::Category;
use lightsout_model::verdict::{Reason, TenantAssessment};
use lightsout_output::text::plain_short;

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
    /// Of usage after the window.
    last_day: Option<String>,
    as_of_iso: Option<String>,
    first_covered_day: Option<String>,
    possible_from: Option<String>,
    /// Missing days, rejected records or refused files.
    count: u64,
    /// Of the report "SMTP AUTH clients": those whose protocol it does not state, and those who may have been active
    /// outside the window alone.
    senders: u64,
    unplaced: u64,
    /// Of so many expected days.
    of: u32,
    columns: String,
    columns_count: usize,
    note: Option<String>,
}

impl ReasonFacts {
    pub(super) fn of(reason: &Reason, locale: Locale) -> Self {
        let mut facts = Self { code: reason.code(), ..Self::default() };
        let mut of_category = |category: Category| {
            facts.category = Some(category_name(category, locale));
            facts.log = Some(log_name(category));
        };
        match reason {
            Reason::Excluded { note } => facts.note = Some(plain_short(note, TEXT_CHARACTERS_MAX)),
            Reason::Gap { category, days, permitted_days } => {
                of_category(*category);
                facts.days = (days.last - days.first).num_days() + 1;
                facts.permitted_days = *permitted_days;
                facts.range = Some(locale.range(days.first, days.last));
                facts.first_iso = Some(days.first.to_string());
                facts.last_iso = Some(days.last.to_string());
            }
            Reason::NotSettled { category, last_provable_day } => {
                of_category(*category);
                facts.last_provable_day = last_provable_day.map(|day| locale.date(day));
                // The window ends before its `as_of`.
                let as_of = last_provable_day.and_then(|day| day.succ_opt());
                facts.as_of_iso = as_of.map(|day: NaiveDate| day.to_string());
            }
            Reason::WindowLongerThanHistory { category, first_covered_day, possible_from } => {
                of_category(*category);
                facts.first_covered_day = Some(locale.date(*first_covered_day));
                facts.possible_from = Some(locale.date(*possible_from));
            }
            Reason::ColumnMissing { category, columns } => {
                of_category(*category);
                facts.columns = locale.enumerate(columns);
                facts.columns_count = columns.len();
            }
            Reason::InUse { protocol, users, sign_ins }
            | Reason::UsedBeforeWindow { protocol, users, sign_ins } => {
                facts.protocol = Some(locale.protocol(*protocol));
                (facts.users, facts.sign_ins) = (*users, *sign_ins);
            }
            Reason::UsedAfterWindow { protocol, users, sign_ins, last_day } => {
                facts.protocol = Some(locale.protocol(*protocol));
                (facts.users, facts.sign_ins) = (*users, *sign_ins);
                facts.last_day = last_day.map(|day| locale.date(day));
            }
            Reason::UnattributedLegacyUse { users, sign_ins } => {
                facts.protocol = Some(locale.protocol(Protocol::OtherLegacy));
                (facts.users, facts.sign_ins) = (*users, *sign_ins);
            }
            Reason::UnknownOutcome { protocol, sign_ins } | Reason::Attempted { protocol, sign_ins } => {
                facts.protocol = Some(locale.protocol(*protocol));
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
                facts.range = Some(locale.range(missing.first, missing.last));
            }
            Reason::RejectedRecords { records, .. } => facts.count = *records,
            Reason::RefusedFiles { files, .. } => facts.count = *files,
            Reason::CategoryMissing { category } | Reason::NearIdle { category, .. } => {
                of_category(*category);
            }
            Reason::FilteredExport { category, export } => {
                of_category(*category);
                facts.note = Some(filter_shown(&export.filter, locale));
            }
            Reason::SmtpReport { senders, unplaced } => {
                (facts.senders, facts.unplaced) = (*senders, *unplaced);
            }
            Reason::NoRecords | Reason::Unused | Reason::InUseByReport { .. } | Reason::AlreadyOff { .. } => {
            }
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

/// "interactive sign-ins"; in German what follows "der": "interaktiven Anmeldungen".
pub(super) const fn category_name(category: Category, locale: Locale) -> &'static str {
    locale.text(match category {
        Category::Interactive => phrases::INTERACTIVE,
        Category::NonInteractive => phrases::NON_INTERACTIVE,
        Category::ServicePrincipal => phrases::SERVICE_PRINCIPAL,
        Category::ManagedIdentity => phrases::MANAGED_IDENTITY,
        Category::MicrosoftServicePrincipal => phrases::MICROSOFT_SERVICE_PRINCIPAL,
        Category::Adfs => phrases::ADFS,
    })
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
