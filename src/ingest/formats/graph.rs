//! Graph `signIn` objects: pages of `/auditLogs/signIns`, bare or concatenated objects and arrays, the
//! portal's JSON download, and PowerShell's `ConvertTo-Json` of them, which capitalises the names.
//! They never name the tenant whose log they are from.

use super::draft::{Draft, Item};
use super::{Parsed, RejectReason};
use crate::ingest::json::{Cursor, JsonError};
use crate::ingest::time::DateOrder;

pub(super) const EXPECTED: &str = "a Graph signIn object with createdDateTime and a user or application";

/// What only sign-ins have of what users, devices and risk detections share with them.
const MARKERS: [Item; 7] = [
    Item::AppId,
    Item::AppName,
    Item::ClientApp,
    Item::Status,
    Item::IpAddress,
    Item::ResourceName,
    Item::ConditionalAccess,
];

/// Whether a record is a sign-in as Graph gives it, as far as it can be read.
pub(super) fn recognise(record: &str) -> bool {
    let (mut created, mut markers, mut envelope) = (false, 0, false);
    let mut cursor = Cursor::new(record);
    // A record that breaks off is still one, to be rejected with its bytes.
    let _ = cursor.object::<JsonError>(|cursor, key| {
        let item = Item::of_name(key);
        created |= item == Some(Item::SignedInAt);
        markers += usize::from(item.is_some_and(|item| MARKERS.contains(&item)));
        envelope |= ["properties", "category", "records", "value"].contains(&key);
        cursor.skip()
    });
    created && markers > 0 && !envelope
}

/// Reads the members of one record.
pub(super) fn draft(record: &str) -> Result<Draft<'_>, RejectReason> {
    let mut draft = Draft::default();
    let mut cursor = Cursor::new(record);
    cursor.object::<RejectReason>(|cursor, key| {
        match Item::of_member(key).or_else(|| Item::of_name(key)) {
            Some(item) => draft.member(item, cursor)?,
            None => cursor.skip()?,
        }
        Ok(())
    })?;
    cursor.end()?;
    Ok(draft)
}

/// Reads one record.
pub(super) fn parse(record: &str, dates: DateOrder) -> Result<Parsed<'_>, RejectReason> {
    let draft = draft(record)?;
    if draft.created.is_none() && !recognise(record) {
        return Err(RejectReason::wrong_shape(EXPECTED, record));
    }
    draft.finish(dates)
}
