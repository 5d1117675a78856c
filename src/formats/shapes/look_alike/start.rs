//! What a file is by its first lines, where these are neither JSON nor the header of a table: for the message.

use super::NotRead;

/// So much of a file shows what it is.
const START_BYTES: usize = 4 << 10;

/// What a file with such a start is.
pub(crate) fn of_start(file: &[u8]) -> Option<NotRead> {
    let start = &file[..file.len().min(START_BYTES)];
    // The last character may be cut.
    let text = std::str::from_utf8(start)
        .unwrap_or_else(|error| std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default());
    of_text(text)
}

/// What such text is.
pub(super) fn of_text(text: &str) -> Option<NotRead> {
    let text = text.trim_start();
    let found = if is_screen_table(text) {
        "a table for the screen, as az … -o table and PowerShell's Format-Table write it, which may lack columns and cut \
         values; export with az … -o json, | ConvertTo-Json -Depth 5 or | Export-Csv instead"
    } else if text.starts_with('<') && text.contains("<results preview=") {
        "XML as Splunk exports it, which is not read; export the events as JSON or CSV, with the field _raw"
    } else if is_yaml(text) {
        "YAML, which is not read; export as JSON, with az … -o json"
    } else if text.get(..INSERT.len()).is_some_and(|start| start.eq_ignore_ascii_case(INSERT)) {
        "SQL statements, which are not read; export the rows as CSV or JSON"
    } else {
        return None;
    };
    Some(NotRead::unknown(found))
}

const INSERT: &str = "INSERT INTO ";

/// Whether the second line underlines the names of the first.
fn is_screen_table(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    let names = lines.next().unwrap_or_default();
    let line = lines.next().unwrap_or_default();
    !names.is_empty() && line.contains("--") && line.chars().all(|c| c == '-' || c == ' ')
}

/// Whether it is a list of objects, the first of which begins with a name.
fn is_yaml(text: &str) -> bool {
    let first = text.strip_prefix("---").unwrap_or(text).trim_start().lines().next().unwrap_or_default();
    let member = first.strip_prefix("- ").and_then(|member| member.split_once(':'));
    member.is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "@._-".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use crate::recognise::{Recognised, recognise};

    fn told(file: &str) -> String {
        match recognise(file.as_bytes(), true) {
            Some(Recognised::Unknown(found)) => {
                assert!(found.may_hold_sign_ins, "{file}");
                found.found
            }
            other => panic!("{other:?} of {file}"),
        }
    }

    // An administrator was told "text that starts with", or the names of columns that nobody knows.
    #[test]
    fn what_is_not_read_is_named_with_the_way_out() {
        let portal = "\"Datum (UTC)\",\"Anforderungs-ID\",\"Benutzer-Agent\",\"Korrelations-ID\",\"Benutzer-ID\",\"Benutzer\",\"Benutzername\",\"Client-App\"\n\
                      \"2026-10-05T08:15:30Z\",\"1\",\"\",\"2\",\"3\",\"Ann\",\"ann@example.com\",\"IMAP4\"\n";
        let screen = "CreatedDateTime       UserPrincipalName  ClientAppUsed\n--------------------  -----------------  -------------\n\
                      2026-10-05T08:15:30Z  ann@example.com    IMAP4\n";
        let splunk = "<?xml version='1.0' encoding='UTF-8'?>\n<results preview='0'>\n<result offset='0'>\n";
        let yaml = "- createdDateTime: '2026-10-05T08:15:30Z'\n  clientAppUsed: IMAP4\n";
        let sql =
            "INSERT INTO signins (id,createdDateTime,clientAppUsed) VALUES ('1','2026-10-05','IMAP4');\n";
        let spark = "body,offset\n\"{\\\"records\\\":[{\\\"time\\\":\\\"2026-10-05T08:15:30Z\\\"}]}\",1\n";
        let turned = r#"{"preview":false,"init_offset":0,"fields":["_time","_raw"],"columns":[["2026-10-05T08:15:30"],["x"]]}"#;
        for (file, name, way_out) in [
            (portal, "not in English", "language"),
            (screen, "for the screen", "-o json"),
            (splunk, "XML as Splunk", "_raw"),
            (yaml, "YAML", "-o json"),
            (sql, "SQL", "CSV"),
            (spark, "backslashes", "escape"),
            (turned, "json_cols", "output_mode=json"),
        ] {
            let told = told(file);
            assert!(told.contains(name) && told.contains(way_out), "{told}");
        }
        assert!(told("a - b\n2026-10-05").starts_with("text that starts"), "{}", told("a - b\n2026-10-05"));
    }
}
