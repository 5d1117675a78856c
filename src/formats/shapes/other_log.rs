//! Records of other logs of Entra that collectors put beside sign-ins: they are counted as no sign-ins. Only what no
//! sign-in can look like is named here; whatever else is unknown is a reject.

use crate::json::{Cursor, JsonError};

/// Members that a sign-in has, and none of these logs.
const OF_SIGN_INS: [&str; 5] =
    ["createddatetime", "clientappused", "timegenerated", "creationtime", "properties"];

/// What each log is known by: all of these members, in any case.
const LOGS: [&[&str]; 4] = [
    // Graph: auditLogs/directoryAudits, and the portal's download of them.
    &["activitydatetime", "activitydisplayname", "loggedbyservice"],
    &["activitydatetime", "activitydisplayname", "targetresources"],
    // auditLogs/provisioning
    &["activitydatetime", "provisioningaction"],
    // identityProtection/riskDetections
    &["riskeventtype", "detecteddatetime", "detectiontimingtype"],
];

/// Whether a whole record is of such a log, or frames others: the action lines of Elasticsearch's bulk format, the fields
/// beside a message of Amazon's `CloudWatch`, and the frames beside the result in an answer of Azure Data Explorer (version 2).
pub(super) fn is_other_log(record: &str) -> bool {
    let mut keys: Vec<String> = Vec::new();
    let mut cursor = Cursor::new(record);
    let whole = cursor
        .object::<JsonError>(|cursor, key| {
            keys.push(key.to_ascii_lowercase());
            cursor.skip()
        })
        .and_then(|()| cursor.end());
    let has = |name: &&str| keys.iter().any(|key| key == name);
    if has(&"frametype") {
        return whole.is_ok() && !record.contains("PrimaryResult");
    }
    if let [_, _] = keys.as_slice()
        && has(&"field")
        && has(&"value")
    {
        return whole.is_ok() && is_field_beside_message(record);
    }
    if let [action] = keys.as_slice() {
        return whole.is_ok() && BULK_ACTIONS.contains(&action.as_str()) && is_bulk_action(record);
    }
    whole.is_ok() && !OF_SIGN_INS.iter().any(has) && LOGS.iter().any(|log| log.iter().all(has))
}

/// Whether a pair is one that `CloudWatch` has beside each message of a result: `{"field":"@ptr","value":"…"}`.
fn is_field_beside_message(record: &str) -> bool {
    let mut is_beside = false;
    let read = Cursor::new(record).object::<JsonError>(|cursor, key| {
        let text = cursor.text()?;
        if key == "field" {
            is_beside = text.is_some_and(|name| name.starts_with('@') && name != "@message");
        }
        Ok(())
    });
    read.is_ok() && is_beside
}

/// What Elasticsearch's bulk format has in a line of its own before each record: `{"index":{"_index":"logs"}}`.
const BULK_ACTIONS: [&str; 4] = ["index", "create", "update", "delete"];

/// Whether the only member of an object holds what is said of a document, and no document.
fn is_bulk_action(record: &str) -> bool {
    const OTHERS: [&str; 5] = ["routing", "version", "version_type", "pipeline", "require_alias"];
    let mut says_where = true;
    let read = Cursor::new(record).object::<JsonError>(|cursor, _| {
        cursor.object::<JsonError>(|cursor, key| {
            says_where &= key.starts_with('_') || OTHERS.contains(&key);
            cursor.skip()
        })
    });
    read.is_ok() && says_where
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_action_lines_of_a_bulk_file_are_no_records() {
        assert!(is_other_log(r#"{"index":{"_index":"logs","_id":"1"}}"#));
        assert!(is_other_log(r#"{"create":{}}"#));
        assert!(!is_other_log(r#"{"index":{"id":"1","clientAppUsed":"IMAP4"}}"#));
        assert!(!is_other_log(r#"{"index":"IMAP4"}"#));
        assert!(!is_other_log(r#"{"index":{"_index":"logs"}"#), "cut");
    }

    #[test]
    fn the_fields_beside_a_message_of_cloudwatch_are_no_records() {
        assert!(is_other_log(r#"{"field":"@ptr","value":"CmEK"}"#));
        assert!(!is_other_log(r#"{"field":"@message","value":"IMAP4"}"#));
        assert!(!is_other_log(r#"{"field":"properties.clientAppUsed","value":"IMAP4"}"#));
        assert!(!is_other_log(r#"{"field":"@ptr","value":"x","clientAppUsed":"IMAP4"}"#));
    }

    #[test]
    fn frames_beside_the_result_of_a_query_are_no_records() {
        assert!(is_other_log(r#"{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0"}"#));
        assert!(is_other_log(
            r#"{"FrameType":"DataTable","TableKind":"QueryCompletionInformation","Columns":[],"Rows":[]}"#
        ));
        assert!(!is_other_log(r#"{"FrameType":"DataTable","TableKind":"PrimaryResult","Rows":[["IMAP4"]]}"#));
    }

    #[test]
    fn directory_audits_are_of_another_log_and_sign_ins_are_not() {
        let audit = r#"{"id":"Directory_1","category":"UserManagement","activityDisplayName":"Update user","activityDateTime":"2026-10-05T08:00:00Z","loggedByService":"Core Directory","targetResources":[]}"#;
        assert!(is_other_log(audit));
        assert!(!is_other_log(&audit[..audit.len() - 1]), "cut");
        assert!(!is_other_log(&audit.replace("\"id\"", "\"clientAppUsed\"")));
        assert!(!is_other_log(
            r#"{"id":"1","createdDateTime":"2026-10-05T08:00:00Z","clientAppUsed":"IMAP4"}"#
        ));
    }
}
