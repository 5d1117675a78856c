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

/// Whether a whole record is of such a log.
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
    whole.is_ok() && !OF_SIGN_INS.iter().any(has) && LOGS.iter().any(|log| log.iter().all(has))
}

#[cfg(test)]
mod tests {
    use super::*;

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
