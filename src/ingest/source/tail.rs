//! A source of which only the tail is read, since the lake has what it begins with.

use std::sync::atomic::Ordering;

use super::{Source, coverage};
use crate::FileFate;
use lightsout_formats::encoding::Encoding;

impl Source {
    /// Its path and the source that it continues, if it does.
    pub(crate) fn continued(&self) -> Option<(String, String)> {
        let prefix = self.prefix.as_ref().filter(|_| self.fate == FileFate::Ingested)?;
        Some((self.input.name.clone(), prefix.source_id.clone()))
    }

    /// Whether what was read of it is told right without what is before it: ids of rows without one count equal rows
    /// of the whole file, and what is unusual is judged by the whole file too.
    pub(crate) fn stands_alone(&self) -> bool {
        let Some(prefix) = &self.prefix else { return true };
        let (Ok(account), Ok(identity)) = (self.account.lock(), self.identity.lock()) else { return false };
        let is_whole = |records| coverage::truncation(records).is_none();
        account.records > 0
            && account.rejected_total() == 0
            && account.missing_columns().is_empty()
            && is_whole(account.records)
            && is_whole(prefix.records + account.records)
            && identity.is_empty()
            && self.encoding() == Encoding::Utf8
            && !self.is_torn.load(Ordering::Relaxed)
            && !self.lacks_ids.load(Ordering::Relaxed)
    }
}
