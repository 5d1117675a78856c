//! Log Analytics and Sentinel: the tables `SigninLogs`, `AADNonInteractiveUserSignInLogs` and their
//! kin, as flat JSON with capitalised names (data export, Event Hub) and as CSV. `TenantId` is the
//! workspace there, never the tenant; that one is `AADTenantId`, or stands in the resource path.

use super::diagnostic::SIGN_IN_OPERATION;
use super::draft::{Draft, Item};
use super::look_alike::is_aggregate;
use super::names::Names;
use super::{Parsed, wrong_shape};
use crate::json::{Cursor, JsonError, Strings};
use crate::reject::RejectReason;
use lightsout_model::time::DateOrder;

pub(super) const EXPECTED: &str =
    "a Log Analytics record with TimeGenerated or CreatedDateTime, and AADTenantId, Category or ResultType";

/// Where its names are not Graph's, or mean something else. `TenantId` is left out on purpose.
static NAMES: Names<Item> = Names::new(&[
    ("TimeGenerated", Item::EmittedAt),
    ("AADTenantId", Item::Tenant),
    ("ResourceId", Item::TenantPath),
    ("ResourceIdentity", Item::ResourceId),
    ("Category", Item::Category),
    ("Type", Item::TableName),
    ("ResultType", Item::ResultType),
    ("ResultDescription", Item::ResultDescription),
    ("LocationDetails", Item::Location),
    ("Location", Item::Country),
    // Graph's objects that were loaded as a custom log.
    ("status_errorCode", Item::ErrorCode),
    ("status_failureReason", Item::FailureReason),
    ("location_countryOrRegion", Item::Country),
]);

/// What a column tells, in any case.
pub(super) fn item(name: &str) -> Option<Item> {
    let by_name = || Item::of_tenant(name).filter(|item| *item == Item::TenantName);
    NAMES.in_any_case(name).or_else(|| Item::of_name(name)).or_else(by_name)
}

/// Whether a JSON record is a row of a sign-in table, or of another table beside one: not a group of
/// rows.
pub(super) fn recognise(record: &str) -> bool {
    let (mut timed, mut named, mut nested) = (false, 0, false);
    let (mut identified, mut aggregated) = (false, false);
    let mut cursor = Cursor::new(record);
    // A record that breaks off is still one, to be rejected with its bytes.
    let _ = cursor.object::<JsonError>(|cursor, key| {
        match key {
            "TimeGenerated" | "CreatedDateTime" => timed = true,
            "AADTenantId" | "ResultType" | "Category" => named += 1,
            // Every table has operations.
            "OperationName" => {
                named += usize::from(cursor.text()?.as_deref().map(str::trim) == Some(SIGN_IN_OPERATION));
                return Ok(());
            }
            "properties" | "records" | "value" => nested = true,
            "Id" => identified = true,
            _ => aggregated |= is_aggregate(key),
        }
        cursor.skip()
    });
    timed && named > 0 && !nested && (identified || !aggregated)
}

/// Reads the members of one JSON record.
pub(super) fn draft(record: Cursor<'_, impl Strings>) -> Result<Draft<'_>, RejectReason> {
    Ok(Draft::read(record, item)?)
}

/// Reads one JSON record.
pub(super) fn parse(cursor: Cursor<'_, impl Strings>, dates: DateOrder) -> Result<Parsed<'_>, RejectReason> {
    let record = cursor.record();
    let draft = draft(cursor)?;
    if draft.created.is_none() && draft.emitted.is_none() && !recognise(record) {
        return Err(wrong_shape(EXPECTED, record));
    }
    draft.finish(dates)
}

#[cfg(test)]
mod tests {
    use crate::shapes::Shape;

    #[test]
    fn a_row_of_a_table_is_no_diagnostic_record() {
        let row = r#"{"TenantId":"w","TimeGenerated":"2026-10-05T10:00:00Z","OperationName":"Sign-in activity","Category":"SignInLogs","ResultType":"0"}"#;
        assert_eq!(Shape::recognise(row), Some(Shape::LogAnalytics));
    }

    #[test]
    fn a_group_of_rows_and_a_row_of_another_table_are_no_row() {
        let other = r#"{"TimeGenerated":"2026-10-05T10:00:00Z","OperationName":"GetBlob","UserId":"u"}"#;
        assert_eq!(Shape::recognise(other), None);
        let group = r#"{"TimeGenerated":"2026-10-05","Category":"SignInLogs","ResultType":"0","count_":3}"#;
        assert_eq!(Shape::recognise(group), None);
    }
}
