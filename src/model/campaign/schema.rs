//! The JSON Schema of campaign files, from the types that read them: an editor completes and checks with
//! it while a file is written.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::{Campaign, DAYS_MAX, default_permitted_gap_days};
use crate::protocol::Protocol;
use crate::sign_in::Category;

/// The schema of a campaign file, draft 2020-12.
///
/// It says what single values may be. What only several together can show, such as a protocol in
/// two groups, is told when the file is read.
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(one_line));
    settings.into_generator().into_root_schema_for::<Campaign>().to_value()
}

/// Descriptions are broken where the source was.
fn one_line(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

/// A protocol that can be switched off, so none of the buckets.
struct Named;

impl JsonSchema for Named {
    fn schema_name() -> Cow<'static, str> {
        "Protocol".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A protocol that can be switched off.",
            "enum": Protocol::NAMED.map(Protocol::as_str),
        })
    }
}

/// Protocols, each once, at least one.
pub(super) fn protocols(generator: &mut SchemaGenerator) -> Schema {
    let named = generator.subschema_for::<Named>();
    json_schema!({ "type": "array", "items": named, "minItems": 1, "uniqueItems": true })
}

/// For each group's name its protocols.
pub(super) fn groups(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": protocols(generator), "default": {} })
}

/// For each user category a number of days.
pub(super) fn days_per_category(_: &mut SchemaGenerator) -> Schema {
    let days = json!({ "type": "integer", "minimum": 0, "maximum": DAYS_MAX });
    let categories = Category::ALL.into_iter().filter(|category| category.is_user());
    let properties: Map<String, Value> =
        categories.map(|category| (category.to_string(), days.clone())).collect();
    json_schema!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
        "default": default_permitted_gap_days(),
    })
}

/// A day like 2026-12-31.
pub(super) fn day(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "format": "date" })
}
