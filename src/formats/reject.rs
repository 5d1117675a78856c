//! Why a record is rejected: in words for people, and as the code of the `rejects` table; and how long a record may
//! be.

use crate::json::JsonError;
use lightsout_model::time::TimeError;

/// A longer record is rejected.
pub const RECORD_BYTES_MAX: usize = 16 << 20;
/// What is kept of one that is longer.
pub const OVER_LONG_BYTES_KEPT: usize = 1 << 20;

/// Why a record is rejected. `code` is the word in the `rejects` table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    #[error("not valid JSON: {0}")]
    InvalidJson(#[from] JsonError),
    #[error("not a whole CSV row: its quotes do not fit at byte {at}")]
    InvalidCsv { at: usize },
    #[error("expected a row of {expected} cells as in the header, found {found}")]
    WrongColumns { expected: usize, found: usize },
    #[error(
        "is below a second header row, with other columns or the same in another order; split the file before that row, or \
         join only exports that have the same columns"
    )]
    OtherHeader,
    #[error(
        "not valid UTF-8 from byte {at} on; the file uses another code page or is damaged; save it as \"CSV UTF-8\", or \
         export it again as UTF-8"
    )]
    InvalidUtf8 { at: usize },
    #[error("longer than {limit} bytes; its first {kept} bytes are kept")]
    OverLong { limit: usize, kept: usize },
    #[error("expected {expected}, found {found}")]
    WrongShape { expected: &'static str, found: String },
    #[error(
        "has the member `{member}` twice, with different values; export the record again, with each member only once"
    )]
    MemberTwice { member: &'static str },
    #[error("names no tenant: not in tenantId or resourceId, not in the path, not by --tenant")]
    NoTenant,
    #[error(
        "names the tenant '{found}': expected a tenant id (a GUID), or a domain or name that the roster knows \
         (--roster); else say whose log it is with --tenant"
    )]
    UnknownTenant { found: String },
    #[error("has no sign-in time: neither createdDateTime nor time")]
    NoTime,
    #[error("{member} is '{found}': expected a time as in 2026-10-05T08:15:30.1234567Z")]
    BadTime { member: &'static str, found: String },
    #[error("{member} is '{found}': day or month first? Say so with --date-order")]
    AmbiguousDate { member: &'static str, found: String },
    #[error(
        "{member} is '{found}', of the {calendar} calendar: expected a date of the Gregorian calendar; export again \
         with the regional settings of English (United States), or with times in UTC as in 2026-10-05T08:15:30Z"
    )]
    OtherCalendar { member: &'static str, found: String, calendar: &'static str },
    #[error("signed in at {found}: expected a time between 2010 and a day after the ingest")]
    ImpossibleTime { found: String },
    #[error("the compressed stream breaks off here: {detail}")]
    BrokenCompression { detail: String },
    #[error("the file breaks off inside the last cell of this row; copy or export the file again")]
    CutRow,
    #[error("the file breaks off here: expected {expected}")]
    BrokenOff { expected: &'static str },
}

impl RejectReason {
    /// For a record that is too long.
    #[must_use]
    pub const fn over_long() -> Self {
        Self::OverLong { limit: RECORD_BYTES_MAX, kept: OVER_LONG_BYTES_KEPT }
    }

    /// For a time that can't be read.
    pub(crate) fn of_time(member: &'static str, text: &str, error: TimeError) -> Self {
        let found = text.chars().take(60).collect();
        match error {
            TimeError::Unknown => Self::BadTime { member, found },
            TimeError::Unsettled => Self::AmbiguousDate { member, found },
            TimeError::OtherCalendar(calendar) => Self::OtherCalendar { member, found, calendar },
        }
    }

    /// Whether the record may be inside of what was read: an object of no known shape, or no object.
    #[must_use]
    pub const fn may_be_of_envelope(&self) -> bool {
        matches!(
            self,
            Self::WrongShape { .. }
                | Self::InvalidJson(_)
                | Self::InvalidCsv { .. }
                | Self::WrongColumns { .. }
        )
    }

    /// Whether the bytes are no whole record, as those of one that was cut; not what it says.
    #[must_use]
    pub const fn is_of_text(&self) -> bool {
        matches!(
            self,
            Self::InvalidJson(_)
                | Self::InvalidCsv { .. }
                | Self::WrongColumns { .. }
                | Self::InvalidUtf8 { .. }
                | Self::OverLong { .. }
                | Self::CutRow
                // What is below another header is not told from the half of a row.
                | Self::OtherHeader
        )
    }

    /// The word in the `rejects` table and in reports.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson(_) => "invalid_json",
            Self::InvalidCsv { .. } => "invalid_csv",
            Self::WrongColumns { .. } => "wrong_columns",
            Self::InvalidUtf8 { .. } => "invalid_utf8",
            Self::OverLong { .. } => "over_long",
            Self::WrongShape { .. } => "wrong_shape",
            Self::MemberTwice { .. } => "member_twice",
            Self::NoTenant => "no_tenant",
            Self::UnknownTenant { .. } => "unknown_tenant",
            Self::NoTime => "no_time",
            Self::BadTime { .. } => "bad_time",
            Self::AmbiguousDate { .. } => "ambiguous_date",
            Self::OtherCalendar { .. } => "other_calendar",
            Self::ImpossibleTime { .. } => "impossible_time",
            Self::BrokenCompression { .. } => "broken_compression",
            Self::CutRow => "cut_row",
            // A replay reads rejects by the header of the file, but not those of this code.
            Self::OtherHeader => "other_header",
            Self::BrokenOff { .. } => "broken_off",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A download that was cut below a second header was not torn, and a replay said that its rows were cut.
    #[test]
    fn a_row_below_another_header_may_be_cut_and_has_its_own_code() {
        assert!(RejectReason::OtherHeader.is_of_text());
        assert_eq!(RejectReason::OtherHeader.code(), "other_header");
    }

    #[test]
    fn messages_say_what_to_do() {
        let utf8 = RejectReason::InvalidUtf8 { at: 3 }.to_string();
        assert!(utf8.ends_with(
            "; the file uses another code page or is damaged; save it as \"CSV UTF-8\", or export it again as UTF-8"
        ));
        let twice = RejectReason::MemberTwice { member: "id" }.to_string();
        assert!(twice.ends_with("; export the record again, with each member only once"));
    }
}
