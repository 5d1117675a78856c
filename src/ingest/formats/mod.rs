//! The seam between bytes and records: a shape turns one record's text into a [`RawSignIn`], and
//! knows nothing of files, stores, or tenants' settings. One file a shape.

pub mod diagnostic;

use crate::ingest::json::{Cursor, JsonError, Kind};
use crate::sign_in::RawSignIn;

/// The shapes that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Azure Monitor diagnostic records: Event Hub, storage account, SIEM forwarders.
    Diagnostic,
}

/// What one record turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<'a> {
    SignIn(Box<RawSignIn<'a>>),
    /// A well-formed record of another log category or operation.
    NotSignIn,
}

/// Why a record is rejected. `code` is the word in the `rejects` table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    #[error("not valid JSON: {0}")]
    InvalidJson(#[from] JsonError),
    #[error("not valid UTF-8 from byte {at} on")]
    InvalidUtf8 { at: usize },
    #[error("longer than {limit} bytes; its first {kept} bytes are kept")]
    OverLong { limit: usize, kept: usize },
    #[error("expected {expected}, found a record with {found}")]
    WrongShape { expected: &'static str, found: String },
    #[error("names no tenant: not in tenantId or resourceId, not in the path, not by --tenant")]
    NoTenant,
    #[error("has no sign-in time: neither createdDateTime nor time")]
    NoTime,
    #[error("{member} is '{found}': expected a time as in 2026-10-05T08:15:30.1234567Z")]
    BadTime { member: &'static str, found: String },
    #[error("signed in at {found}: expected a time between 2010 and a day after the ingest")]
    ImpossibleTime { found: String },
    #[error("the compressed stream breaks off here: {detail}")]
    BrokenCompression { detail: String },
}

impl RejectReason {
    /// The word in the `rejects` table and in reports.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson(_) => "invalid_json",
            Self::InvalidUtf8 { .. } => "invalid_utf8",
            Self::OverLong { .. } => "over_long",
            Self::WrongShape { .. } => "wrong_shape",
            Self::NoTenant => "no_tenant",
            Self::NoTime => "no_time",
            Self::BadTime { .. } => "bad_time",
            Self::ImpossibleTime { .. } => "impossible_time",
            Self::BrokenCompression { .. } => "broken_compression",
        }
    }
}

impl Shape {
    pub const ALL: [Self; 1] = [Self::Diagnostic];

    /// The word in the `sources` table and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Diagnostic => "diagnostic",
        }
    }

    /// The shape of a record, from its content alone; `None` if no shape knows it or the text is
    /// no JSON object.
    #[must_use]
    pub fn recognise(record: &str) -> Option<Self> {
        diagnostic::recognise(record).then_some(Self::Diagnostic)
    }

    /// Reads one record.
    ///
    /// # Errors
    /// Fails if the record is to be rejected.
    pub fn parse(self, record: &str) -> Result<Parsed<'_>, RejectReason> {
        match self {
            Self::Diagnostic => diagnostic::parse(record),
        }
    }
}

/// The keys of a record's top level, for messages; empty if it is no JSON object.
#[must_use]
pub fn top_level_keys(record: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut cursor = Cursor::new(record);
    if cursor.kind() == Ok(Kind::Object) {
        // What was read before an error is still worth telling.
        let _ = cursor.object::<JsonError>(|cursor, key| {
            if keys.len() < 12 {
                keys.push(key.chars().take(40).collect());
            }
            cursor.skip()
        });
    }
    keys
}
