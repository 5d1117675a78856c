//! What an assessment says, as the table of cases writes it.

use lightsout_model::protocol::Protocol;
use lightsout_model::verdict::{Reason, TenantAssessment};

pub(super) fn shown(row: &TenantAssessment, what: &str) -> String {
    let reasons = |reasons: &[Reason]| reasons.iter().map(told).collect::<Vec<_>>().join("; ");
    let protocols = |protocols: &[Protocol]| {
        protocols.iter().map(|protocol| protocol.as_str()).collect::<Vec<_>>().join(";")
    };
    match what {
        "verdict" => row.verdict.to_string(),
        "reasons" => reasons(&row.reasons),
        "evidence_reasons" => reasons(&row.evidence_reasons),
        "in_use" => protocols(&row.protocols_in_use),
        "clear" => protocols(&row.protocols_clear),
        "users" => row.users.to_string(),
        "days" => match (row.first_day, row.last_day) {
            (Some(first), Some(last)) => format!("{first}..{last}"),
            (first, last) => format!("{first:?} {last:?}"),
        },
        protocol => {
            let protocol: Protocol = protocol.parse().expect("a case wants a known thing");
            let row = row.protocols.iter().find(|row| row.protocol == protocol);
            row.map_or("no row", |row| row.verdict.as_str()).to_owned()
        }
    }
}

/// A reason as its code and its numbers.
fn told(reason: &Reason) -> String {
    let numbers = match reason {
        Reason::Excluded { note } => note.clone(),
        Reason::NoRecords | Reason::Unused => String::new(),
        Reason::InUse { protocol, users, sign_ins }
        | Reason::UsedBeforeWindow { protocol, users, sign_ins } => {
            format!("{protocol} {users} {sign_ins}")
        }
        Reason::UsedAfterWindow { protocol, users, sign_ins, last_day } => format!(
            "{protocol} {users} {sign_ins} {}",
            last_day.map_or("no day".to_owned(), |day| day.to_string())
        ),
        Reason::UnattributedLegacyUse { users, sign_ins } => format!("{users} {sign_ins}"),
        Reason::CategoryMissing { category } => category.to_string(),
        Reason::Gap { category, days, permitted_days } => {
            format!("{category} {}..{} over {permitted_days}", days.first, days.last)
        }
        Reason::NotSettled { category, last_provable_day } => {
            format!("{category} {}", last_provable_day.map_or("never".to_owned(), |day| day.to_string()))
        }
        Reason::DaysMissing { category, weekdays, expected, seen, needed, .. } => {
            format!("{category} {weekdays} {seen} of {expected}, {needed} needed")
        }
        Reason::NearIdle { category, days_seen, window_days } => {
            format!("{category} near-idle, seen on {days_seen} of {window_days}")
        }
        Reason::RejectedRecords { records, .. } => records.to_string(),
        Reason::RefusedFiles { files, .. } => files.to_string(),
        Reason::FilteredExport { category, export } => format!("{category} {}", export.shape),
        Reason::SmtpReport { senders, unplaced } => format!("{senders} {unplaced}"),
        Reason::InUseByReport { senders, .. } => format!("smtp_auth {senders} in the report"),
        Reason::AlreadyOff { collected_at } => {
            collected_at.map_or("roster".to_owned(), |at| at.date_naive().to_string())
        }
        Reason::WindowLongerThanHistory { category, first_covered_day, possible_from } => {
            format!("{category} since {first_covered_day}, possible from {possible_from}")
        }
        Reason::ColumnMissing { category, columns } => format!("{category} {}", columns.join(",")),
        Reason::UnknownOutcome { protocol, sign_ins } | Reason::Attempted { protocol, sign_ins } => {
            format!("{protocol} {sign_ins}")
        }
        Reason::UnrecognisedClient { sign_ins }
        | Reason::ClientNotStated { sign_ins }
        | Reason::LegacyAgentElsewhere { sign_ins }
        | Reason::TenantMismatch { sign_ins } => sign_ins.to_string(),
    };
    format!("{} {numbers}", reason.code()).trim_end().to_owned()
}
