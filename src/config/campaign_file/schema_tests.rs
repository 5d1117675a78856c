//! The schema of campaign files against files.

use lightsout_model::campaign::schema;
use serde_json::Value;

use super::{EMBEDDED, load};

/// What of a value its schema does not allow, by the keywords that this schema uses for structure.
fn faults(schema: &Value, value: &Value, root: &Value) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).expect("a definition");
        return faults(target, value, root);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let of_each = choices.iter().filter(|choice| choice["type"] != "null");
        return of_each.map(|choice| faults(choice, value, root)).min_by_key(Vec::len).unwrap_or_default();
    }
    let mut found = Vec::new();
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        found.push(format!("{value} is none of {}", choices.len()));
    }
    let number = value.as_u64();
    for (bound, holds) in [
        ("minimum", number >= schema["minimum"].as_u64()),
        ("maximum", number <= schema["maximum"].as_u64().or(number)),
    ] {
        if number.is_some() && !holds {
            found.push(format!("{value} breaks {bound}"));
        }
    }
    if let Some(items) = value.as_array() {
        found.extend(items.iter().flat_map(|item| faults(&schema["items"], item, root)));
    }
    if let Some(members) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().expect("a name");
            if !members.contains_key(name) {
                found.push(format!("{name} is missing"));
            }
        }
        for (name, member) in members {
            match schema["properties"].get(name) {
                Some(property) => found.extend(faults(property, member, root)),
                None if schema["additionalProperties"].is_object() => {
                    found.extend(faults(&schema["additionalProperties"], member, root));
                }
                None => {
                    assert_eq!(schema["additionalProperties"], Value::Bool(false), "{name}");
                    found.push(format!("{name} is not known"));
                }
            }
        }
    }
    found
}

fn faults_of(text: &str) -> Vec<String> {
    let value: Value = toml::from_str(text).expect("TOML");
    faults(&schema(), &value, &schema())
}

#[test]
fn the_embedded_campaigns_conform_as_files_and_as_kept_with_decisions() {
    for (name, text) in EMBEDDED {
        assert_eq!(faults_of(text), [""; 0], "{name}");
        let kept = serde_json::to_value(load(name).expect("embedded")).expect("JSON");
        assert_eq!(faults(&schema(), &kept, &schema()), [""; 0], "{name}");
    }
}

#[test]
fn every_key_of_the_optional_tables_conforms() {
    let tables = "[waves]\nsize = 1\npending_max = 2\nexclude_clouds = ['gcc']\nexclude_tenants = []\n\
         [groups]\nmailboxes = ['pop3', 'imap4']\n";
    let operator = "[operator]\nname = 'a'\ncontact = 'b'\nreply_to = 'c@d.example'\nsignature = 'e'\n\
         [operator.translations.fr]\ncontact = 'f'\nsignature = 'g'\n";
    let text = format!("language = 'de'\n{}{tables}{operator}", EMBEDDED[1].1);
    assert_eq!(faults_of(&text), [""; 0]);
}

#[test]
fn a_wrong_key_a_wrong_protocol_a_missing_key_and_a_wrong_number_do_not_conform() {
    let with = |from: &str, to: &str| faults_of(&EMBEDDED[1].1.replace(from, to)).join("; ");
    assert_eq!(with("lookback_days", "lokback_days"), "lokback_days is not known");
    assert_eq!(with("window_days", "windw_days"), "window_days is missing; windw_days is not known");
    assert_eq!(with(r#"["smtp_auth"]"#, r#"["smtp"]"#), r#""smtp" is none of 13"#);
    assert_eq!(with(r#"["smtp_auth"]"#, r#"["other_legacy"]"#), r#""other_legacy" is none of 13"#);
    assert_eq!(with("window_days = 30", "window_days = 0"), "0 breaks minimum");
    assert_eq!(with("\ninteractive = 10", "\ninteractive = 400"), "400 breaks maximum");
    assert_eq!(with("\ninteractive = 10", "\nadfs = 1"), "adfs is not known");
    let groups = faults_of(&format!("{}[groups]\na = ['imap']\n", EMBEDDED[1].1));
    assert_eq!(groups, [r#""imap" is none of 13"#]);
}

#[test]
fn every_property_says_what_it_means() {
    let schema = schema();
    let tables = std::iter::once(&schema).chain(schema["$defs"].as_object().expect("definitions").values());
    for (name, property) in tables.filter_map(|table| table["properties"].as_object()).flatten() {
        let of = property["$ref"].as_str().and_then(|target| schema.pointer(target.trim_start_matches('#')));
        let description = of.unwrap_or(property)["description"].as_str();
        assert!(description.is_some_and(|text| !text.contains('\n')), "{name}");
    }
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}
