//! Files that resemble sign-in logs and are none: what they are, and what to export instead.

const HUNTING_TABLE: &str = "a Defender hunting table (AADSignInEventsBeta, EntraIdSignInEvents), which is \
                             not read; export SigninLogs or the portal's sign-in log instead";

/// A column that a KQL `summarize` makes.
pub(super) fn is_aggregate(name: &str) -> bool {
    const PREFIXES: [&str; 14] = [
        "count_",
        "countif_",
        "dcount_",
        "dcountif_",
        "sum_",
        "avg_",
        "min_",
        "max_",
        "set_",
        "list_",
        "any_",
        "arg_max_",
        "percentile_",
        "bin_",
    ];
    const WORDS: [&str; 3] = ["count", "total", "attempts"];
    let name = name.trim().to_ascii_lowercase();
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || WORDS.contains(&name.as_str())
}

/// Whether Log Analytics was told to show times in the local time of whoever exported them.
pub(super) fn in_local_time(names: &[String]) -> bool {
    names.iter().any(|name| name.to_ascii_lowercase().contains("[local time]"))
}

/// What a table with such columns is, for the message.
pub(super) fn of_columns(names: &[String]) -> String {
    let has = |known: &str| names.iter().any(|name| name.trim().eq_ignore_ascii_case(known));
    let any = |known: &[&str]| known.iter().any(|name| has(name));
    if names.len() < 2 {
        let start: String =
            names.concat().chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
        return format!("text that starts with '{}'", start.trim());
    }
    if has("Request ID") && any(&["Authentication method", "Authentication method detail"]) {
        return "the portal's authentication details (…SignIns_AuthDetails_…), which name no user and no \
                client app; the file beside it without AuthDetails in its name is the sign-in log"
            .to_owned();
    }
    if any(&["EventID", "EventCode", "Event ID", "LogonType", "SubjectUserName", "TargetUserName"])
        && !any(&["AccountUpn", "ErrorCode"])
    {
        return "Windows logon events, which are not sign-ins to Entra".to_owned();
    }
    if any(&["AccountUpn", "AccountObjectId"]) {
        return HUNTING_TABLE.to_owned();
    }
    if in_local_time(names) {
        return "a Log Analytics export whose times are in local time, of a zone that it does not say; set the \
                display of times to UTC and export again"
            .to_owned();
    }
    if names.iter().any(|name| is_aggregate(name)) {
        return format!(
            "the result of a KQL summary, with the columns {}; export the sign-ins themselves, one row each",
            columns(names)
        );
    }
    format!("a table with the columns {}", columns(names))
}

/// What a JSON object with such keys is, for the message.
pub(super) fn of_keys(keys: &[String]) -> String {
    let any = |known: &[&str]| keys.iter().any(|key| known.contains(&key.as_str()));
    if any(&["EventID", "EventCode", "winlog", "SubjectUserName"]) {
        return "Windows logon events, which are not sign-ins to Entra".to_owned();
    }
    if any(&["AccountUpn", "AccountObjectId"]) && any(&["LogonType", "ErrorCode"]) {
        return HUNTING_TABLE.to_owned();
    }
    if any(&["panels", "visualization", "gridPos", "fallbackResourceIds", "lenses", "dashboard", "visState"])
    {
        return "a dashboard or workbook, which holds no sign-ins".to_owned();
    }
    if keys.iter().any(|key| is_aggregate(key)) {
        return format!(
            "the result of a KQL summary, with the keys {}; export the sign-ins themselves, one record each",
            keys.join(", ")
        );
    }
    format!("a JSON object with the keys {}", keys.join(", "))
}

fn columns(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| name.trim().chars().filter(|c| !c.is_control()).take(40).collect())
        .collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
