//! Graph `signIn` objects: pages of `/auditLogs/signIns`, bare or concatenated objects and arrays, the
//! portal's JSON download, and PowerShell's `ConvertTo-Json` of them, which capitalises the names.
//! They never name the tenant whose log they are from, unless who exported them has added it.

use super::draft::{Draft, Item};
use super::{Parsed, wrong_shape};
use crate::json::{Cursor, JsonError, Strings};
use crate::reject::RejectReason;
use lightsout_model::time::DateOrder;

pub(super) const EXPECTED: &str = "a Graph signIn object with createdDateTime, a user or service principal, and an application, client or status";

/// What sign-ins have of what users, applications, incidents and risk detections have little of.
const MARKERS: [Item; 7] = [
    Item::AppId,
    Item::AppName,
    Item::ClientApp,
    Item::Status,
    Item::IpAddress,
    Item::ResourceName,
    Item::ConditionalAccess,
];

const WHO: [Item; 3] = [Item::UserId, Item::UserPrincipalName, Item::ServicePrincipalId];

/// What a member tells, in any case; Steampipe and databases write names with underscores.
fn item(name: &str) -> Option<Item> {
    let parted = || {
        let name = name.contains('_').then(|| name.replace('_', ""))?;
        Item::of_name(&name)
    };
    Item::of_member(name).or_else(|| Item::of_name(name)).or_else(|| Item::of_tenant(name)).or_else(parted)
}

/// Whether a record is a sign-in as Graph gives it, as far as it can be read.
pub(super) fn recognise(record: &str) -> bool {
    let (mut created, mut who, mut markers, mut envelope) = (false, false, 0, false);
    let mut cursor = Cursor::new(record);
    // A record that breaks off is still one, to be rejected with its bytes.
    let _ = cursor.object::<JsonError>(|cursor, key| {
        let item = item(key);
        created |= item == Some(Item::SignedInAt);
        who |= item.is_some_and(|item| WHO.contains(&item));
        markers += usize::from(item.is_some_and(|item| MARKERS.contains(&item)));
        // Nothing else has one.
        markers += usize::from(item == Some(Item::ClientApp));
        envelope |= ["properties", "category", "records", "value"].contains(&key);
        cursor.skip()
    });
    created && who && markers > 1 && !envelope
}

/// Reads the members of one record.
pub(super) fn draft(record: Cursor<'_, impl Strings>) -> Result<Draft<'_>, RejectReason> {
    Ok(Draft::read(record, item)?)
}

/// Reads one record.
pub(super) fn parse(cursor: Cursor<'_, impl Strings>, dates: DateOrder) -> Result<Parsed<'_>, RejectReason> {
    let record = cursor.record();
    let draft = draft(cursor)?;
    let sign_in = &draft.sign_in;
    let certain = draft.created.is_some() && sign_in.user_id.is_some() && sign_in.client_app.is_some();
    if !certain && !recognise(record) {
        return Err(wrong_shape(EXPECTED, record));
    }
    draft.finish(dates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_objects_of_graph_are_no_sign_ins() {
        for object in [
            r#"{"id":"1","createdDateTime":"2026-10-05T10:00:00Z","appId":"2","displayName":"An app"}"#,
            r#"{"id":"1","createdDateTime":"2026-10-05T10:00:00Z","status":"active","displayName":"An incident"}"#,
            r#"{"id":"1","createdDateTime":"2026-10-05T10:00:00Z","userId":"2","ipAddress":"192.0.2.1","riskEventType":"x"}"#,
            r#"{"id":"1","createdDateTime":"2026-10-05T10:00:00Z","principalId":"2","resourceId":"3","resourceDisplayName":"x"}"#,
        ] {
            assert!(!recognise(object), "{object}");
            assert!(parse(Cursor::new(object), DateOrder::Unsettled).is_err(), "{object}");
        }
    }

    #[test]
    fn a_selection_of_members_is_still_a_sign_in() {
        for object in [
            r#"{"createdDateTime":"2026-10-05T10:00:00Z","userPrincipalName":"a@example.com","clientAppUsed":"IMAP4"}"#,
            r#"{"CreatedDateTime":"2026-10-05T10:00:00Z","UserId":"","UserPrincipalName":"","Status":{},"AppDisplayName":"x"}"#,
        ] {
            assert!(recognise(object), "{object}");
            assert!(parse(Cursor::new(object), DateOrder::Unsettled).is_ok(), "{object}");
        }
    }
}
