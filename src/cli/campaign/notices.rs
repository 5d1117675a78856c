//! The notices and lists of campaign commands: for real, with the dates that the ledger holds.

use std::collections::BTreeMap;

use super::desk::{Decided, Desk, Files};
use crate::error::Result;
use crate::notify::WhoRow;
use crate::notify::notice::NoticeKind;
use crate::verdict::TenantAssessment;

/// What one tenant is told.
pub(super) struct Told {
    pub(super) kind: NoticeKind,
    pub(super) assessment: TenantAssessment,
}

pub(super) fn write(
    _desk: &Desk,
    _decided: &Decided,
    _told: &[Told],
    _who: &BTreeMap<String, Vec<WhoRow>>,
    _files: &Files,
    _list: &str,
) -> Result<()> {
    Ok(())
}
