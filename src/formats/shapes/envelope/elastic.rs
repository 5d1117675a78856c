//! Documents of Elastic's Azure integration that lack the original record, which it keeps only where it is told to
//! (`preserve_original_event`). Its parsed fields are put back under the names of a diagnostic record.

use serde_json::{Map, Value};

/// The diagnostic record that a document was made of; `None`: it is no such document.
pub(super) fn record_of(document: &str) -> Option<String> {
    memchr::memmem::find(document.as_bytes(), b"\"signinlogs\"")?;
    let document: Value = serde_json::from_str(document).ok()?;
    let azure = document.get("azure")?;
    let mut record = renamed(azure.get("signinlogs").filter(|parsed| parsed.get("properties").is_some())?);
    let mut put = |place: &str, value: Option<&Value>| {
        let (parent, name) = place.rsplit_once('/').unwrap_or(("", place));
        let parent = record.pointer_mut(parent).and_then(Value::as_object_mut);
        if let (Some(parent), Some(value)) = (parent, value) {
            parent.entry(name).or_insert_with(|| value.clone());
        }
    };
    let user_agent = document.pointer("/user_agent/original");
    let address = document.pointer("/source/ip").or_else(|| document.pointer("/client/ip"));
    put("tenantId", azure.get("tenant_id"));
    put("correlationId", azure.get("correlation_id"));
    put("resourceId", azure.pointer("/resource/id"));
    put("time", document.get("@timestamp"));
    put("callerIpAddress", address);
    put("/properties/ipAddress", address);
    put("/properties/userAgent", user_agent);
    put("/properties/status/failureReason", document.get("message"));
    put("/properties/userPrincipalName", document.pointer("/user/email"));
    Some(record.to_string())
}

/// A value with the names that Microsoft gives its members.
fn renamed(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (in_camel_case(name), renamed(value)));
            Value::Object(members.collect::<Map<String, Value>>())
        }
        Value::Array(elements) => Value::Array(elements.iter().map(renamed).collect()),
        other => other.clone(),
    }
}

fn in_camel_case(name: &str) -> String {
    if name == "created_at" {
        return "createdDateTime".to_owned();
    }
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut characters = part.chars();
        camel.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(characters.as_str());
    }
    camel
}
