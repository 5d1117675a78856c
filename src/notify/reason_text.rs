//! A reason as one sentence, with its numbers and the one thing that would cure it.

use super::text::{count, plain_short};
use crate::verdict::Reason;

const NOTE_CHARACTERS_MAX: usize = 200;

/// The sentence.
#[must_use]
pub fn reason_text(reason: &Reason) -> String {
    let users = |n: u64| count(n, "user", "users");
    let sign_ins = |n: u64| count(n, "sign-in", "sign-ins");
    let code = reason.code();
    let told = match reason {
        Reason::Excluded { note } => {
            format!("the roster excludes it: {}", plain_short(note, NOTE_CHARACTERS_MAX))
        }
        Reason::InUse { protocol, users: n, sign_ins: s } => {
            format!("{protocol} is in use by {}, {}", users(*n), sign_ins(*s))
        }
        Reason::UnattributedLegacyUse { users: n, sign_ins: s } => format!(
            "{} used legacy clients at Exchange Online whose protocol the log does not name, {}",
            users(*n),
            sign_ins(*s)
        ),
        Reason::NoRecords => {
            "the lake holds nothing of it; export its sign-in logs and ingest them".to_owned()
        }
        Reason::CategoryMissing { category } => format!(
            "no {category} sign-in log covers a day of the window; export that log too, or declare the days that \
             are known to be empty with --covers"
        ),
        Reason::Gap { category, days, permitted_days } => format!(
            "{category}: no log from {} to {}, {} days where {permitted_days} are permitted; export those days, or \
             if the log is complete and was silent, ingest it with --covers {}..{}",
            days.first,
            days.last,
            (days.last - days.first).num_days() + 1,
            days.first,
            days.last
        ),
        Reason::NotSettled { last_provable_day: Some(day) } => format!(
            "the log reaches only {day} for certain, as records come late; collect again, or decide with --as-of {}",
            day.succ_opt().unwrap_or(*day)
        ),
        Reason::NotSettled { last_provable_day: None } => {
            "nothing says until when its log is complete; ingest newer logs or declare days with --covers"
                .to_owned()
        }
        Reason::WindowLongerThanHistory { category, first_covered_day, possible_from } => format!(
            "{category}: the log begins on {first_covered_day}, within the window; if collecting goes on, a verdict \
             is possible with --as-of {possible_from}, or today for a shorter window (--window-days)"
        ),
        Reason::ColumnMissing { category, columns } => format!(
            "{category}: files that would cover the window lack the column {}; export it too",
            columns.join(" and ")
        ),
        Reason::UnknownOutcome { protocol, sign_ins: s } => {
            format!(
                "{protocol}: {} without a status, which are never taken for success or failure",
                sign_ins(*s)
            )
        }
        Reason::UsedBeforeWindow { protocol, users: n, sign_ins: s } => format!(
            "{protocol} was used before the window by {}, {}: it may be a monthly or quarterly job",
            users(*n),
            sign_ins(*s)
        ),
        Reason::UnrecognisedClient { sign_ins: s } => {
            format!("{} of client apps that are not known; see the report unclear_clients", sign_ins(*s))
        }
        Reason::ClientNotStated { sign_ins: s } => {
            format!("{} that name no client app; see the report unclear_clients", sign_ins(*s))
        }
        Reason::Attempted { protocol, sign_ins: s } => {
            format!("{protocol} was only tried, {}, and never used", sign_ins(*s))
        }
        Reason::Unused => "nothing in scope was used or tried".to_owned(),
    };
    format!("{code}: {told}")
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::evidence::DayRange;
    use crate::sign_in::Category;

    #[test]
    fn a_gap_says_how_to_close_it() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 10, d).expect("a day");
        let gap = Reason::Gap {
            category: Category::NonInteractive,
            days: DayRange { first: day(3), last: day(9) },
            permitted_days: 4,
        };
        let told = reason_text(&gap);
        assert!(
            told.contains("7 days where 4 are permitted") && told.contains("--covers 2026-10-03..2026-10-09"),
            "{told}"
        );
    }
}
