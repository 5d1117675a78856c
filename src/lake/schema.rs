//! The tables: names, columns, partitioning. Outside scripts and other engines rely on them.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The column that splits `sign_in_records`: verdicts read only its `false` side.
pub const PARTITION: &str = "provably_modern";

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    SignInRecords,
    Rejects,
    Sources,
    Decisions,
    CampaignEvents,
    TenantSettings,
    Dismissals,
}

impl Table {
    pub const ALL: [Self; 7] = [
        Self::SignInRecords,
        Self::Rejects,
        Self::Sources,
        Self::Decisions,
        Self::CampaignEvents,
        Self::TenantSettings,
        Self::Dismissals,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignInRecords => "sign_in_records",
            Self::Rejects => "rejects",
            Self::Sources => "sources",
            Self::Decisions => "decisions",
            Self::CampaignEvents => "campaign_events",
            Self::TenantSettings => "tenant_settings",
            Self::Dismissals => "dismissals",
        }
    }

    /// Columns in the data files: all but the partition column.
    #[must_use]
    pub fn file_schema(self) -> SchemaRef {
        SCHEMAS[self as usize].clone()
    }

    /// Columns as queries see them: those of the files, then the partition column.
    #[must_use]
    pub fn table_schema(self) -> SchemaRef {
        let files = self.file_schema();
        if self != Self::SignInRecords {
            return files;
        }
        let mut fields: Vec<_> = files.fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(PARTITION, DataType::Boolean, true)));
        Arc::new(Schema::new(fields))
    }
}

/// UTC microseconds.
#[must_use]
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn columns(spec: &[(&str, DataType)]) -> SchemaRef {
    let fields: Vec<Field> = spec.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
    Arc::new(Schema::new(fields))
}

fn list_of(entry: Vec<Field>) -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Struct(entry.into()), true)))
}

/// What a source has seen of one tenant and category.
fn coverage() -> DataType {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let number = |name| Field::new(name, DataType::Int64, true);
    let date = |name| Field::new(name, DataType::Date32, true);
    let time = |name| Field::new(name, timestamp(), true);
    list_of(vec![
        text("tenant_id"),
        text("category"),
        number("records"),
        time("latest_at"),
        time("storage_hour"),
        Field::new(
            "days",
            list_of(vec![date("day"), number("records"), Field::new("hours", DataType::Int32, true)]),
            true,
        ),
        Field::new("stated", list_of(vec![date("first_day"), date("last_day"), text("basis")]), true),
        text("only_client_app"),
        text("only_outcome"),
        text("only_user"),
        text("only_app"),
        number("successes"),
    ])
}

static SCHEMAS: LazyLock<[SchemaRef; 7]> = LazyLock::new(|| {
    let text = || DataType::Utf8;
    let number = || DataType::Int64;
    let records = columns(&[
        ("tenant_id", text()),
        ("sign_in_id", text()),
        ("category", text()),
        ("signed_in_at", timestamp()),
        ("emitted_at", timestamp()),
        ("event_date", DataType::Date32),
        ("user_id", text()),
        ("user_principal_name", text()),
        ("user_type", text()),
        ("app_id", text()),
        ("app_name", text()),
        ("resource_id", text()),
        ("resource_name", text()),
        ("client_app", text()),
        ("protocol", text()),
        ("auth_method", text()),
        ("auth_evidence", text()),
        ("outcome", text()),
        ("error_code", number()),
        ("failure_reason", text()),
        ("conditional_access", text()),
        ("user_agent", text()),
        ("ip_address", text()),
        ("country", text()),
        ("is_interactive", DataType::Boolean),
        ("home_tenant_id", text()),
        ("resource_tenant_id", text()),
        ("correlation_id", text()),
        ("source_id", text()),
        ("source_offset", number()),
        ("record_hash", number()),
    ]);
    let rejects = columns(&[
        ("source_id", text()),
        ("path", text()),
        ("byte_offset", number()),
        ("line", number()),
        ("reason", text()),
        ("detail", text()),
        ("raw", DataType::Binary),
        ("batch_id", text()),
        ("tenant_id", text()),
        ("category", text()),
        ("signed_in_at", timestamp()),
        ("reads_as", text()),
        ("sign_in_id", text()),
    ]);
    let sources = columns(&[
        ("source_id", text()),
        ("batch_id", text()),
        ("path", text()),
        ("shape", text()),
        ("framing", text()),
        ("encoding", text()),
        ("compression", text()),
        ("header", text()),
        ("stored_bytes", number()),
        ("content_bytes", number()),
        ("records", number()),
        ("rows", number()),
        ("rejected", number()),
        ("not_sign_ins", number()),
        ("pruned", number()),
        ("missing_columns", text()),
        ("first_signed_in_at", timestamp()),
        ("last_signed_in_at", timestamp()),
        ("ingested_at", timestamp()),
        ("program_version", text()),
        ("coverage", coverage()),
        ("fate", text()),
        ("detail", text()),
        ("channel", text()),
        ("truncation", text()),
        ("page_filter", text()),
        ("pages", number()),
        ("last_pages", number()),
        ("content_id", text()),
        ("assigned_tenant_id", text()),
    ]);
    let decisions = columns(&[
        ("decision_id", text()),
        ("decided_at", timestamp()),
        ("campaign", text()),
        ("as_of", DataType::Date32),
        ("window_start", DataType::Date32),
        ("window_end", DataType::Date32),
        ("campaign_hash", text()),
        ("roster_hash", text()),
        ("queries_hash", text()),
        ("seed", number()),
        ("program_version", text()),
        ("lake_versions", text()),
        ("campaign_rules", text()),
        ("roster", text()),
        ("evidence", text()),
    ]);
    let events = columns(&[
        ("event_id", text()),
        ("campaign", text()),
        ("tenant_id", text()),
        ("event", text()),
        ("protocols", text()),
        ("decision_id", text()),
        ("happened_at", timestamp()),
        ("effective_date", DataType::Date32),
        ("by_whom", text()),
        ("detail", text()),
    ]);
    let settings = columns(&[
        ("tenant_id", text()),
        ("source_id", text()),
        ("path", text()),
        ("kind", text()),
        ("collected_at", timestamp()),
        ("complete", DataType::Boolean),
        ("settings", text()),
        ("ingested_at", timestamp()),
        ("batch_id", text()),
    ]);
    let dismissals = columns(&[
        ("dismissal_id", text()),
        ("tenant_id", text()),
        ("doubt", text()),
        ("paths", text()),
        ("by_whom", text()),
        ("why", text()),
        ("dismissed_at", timestamp()),
    ]);
    [records, rejects, sources, decisions, events, settings, dismissals]
});
